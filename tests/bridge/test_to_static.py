"""to_static: a converted function, Layer or step gives what the eager run gives, and notices what changes around it."""
import collections
import copy
import pickle
import threading
import types

import numpy as np
import pytest

import kayax as paddle
from kayax import nn
from kayax.bridge.errors import ConversionError, FallbackWarning
from kayax.jit import to_static
from kayax.nn import functional as F


def leaf(values, dtype="float32"):
    return paddle.to_tensor(np.asarray(values, dtype), stop_gradient=False)


def same(tensor, values, rtol=1e-6):
    expected = values.numpy() if hasattr(values, "numpy") else np.asarray(values)
    np.testing.assert_allclose(tensor.numpy(), expected, rtol=rtol, atol=1e-7)


def count(static):
    """How many programs were made."""
    return sum(map(len, static.programs.values()))


class Net(nn.Layer):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(4, 8, bias_attr=False)       # a bias before a norm has no gradient but noise
        self.norm = nn.BatchNorm1D(8)
        self.drop = nn.Dropout(0.5)
        self.outer = nn.Linear(8, 3)

    def forward(self, x):
        return self.outer(self.drop(F.relu(self.norm(self.inner(x)))))


def data(n=8, seed=0):
    rng = np.random.default_rng(seed)
    return paddle.to_tensor(rng.normal(size=(n, 4)).astype("float32")), paddle.to_tensor(rng.integers(0, 3, (n, 1)))


# ---- what can be converted ---------------------------------------------------------------------------------------


def test_decorator_with_and_without_arguments():
    @to_static
    def plain(x):
        return x * 2.0

    @to_static()
    def empty(x):
        return x * 2.0

    @to_static(full_graph=True)
    def options(x):
        return x * 2.0

    for fn in (plain, empty, options, to_static(lambda x: x * 2.0)):
        same(fn(leaf([1.0])), [2.0])
    assert plain.__name__ == "plain"


def test_methods():
    class Net2(nn.Layer):
        def __init__(self):
            super().__init__()
            self.scale = self.create_parameter([1], default_initializer=nn.initializer.Constant(3.0))

        @to_static
        def forward(self, x):
            return x * self.scale

        @to_static
        def twice(self, x):
            return self(x) * 2.0

        @staticmethod
        @to_static
        def plus(x):
            return x + 1.0

        @to_static
        @staticmethod
        def minus(x):
            return x - 1.0

        @classmethod
        @to_static
        def name(cls, x):
            return x * len(cls.__name__)

    a, b = Net2(), Net2()
    with paddle.no_grad():
        b.scale.fill_(5.0)
    x = leaf([2.0])
    same(a(x), [6.0])
    same(b(x), [10.0])
    same(b.twice(x), [20.0])
    same(a.plus(x), [3.0])
    same(Net2.minus(x), [1.0])
    same(Net2.name(x), [8.0])
    assert count(a.forward) == 1 and count(b.forward) == 1


def test_bound_method_and_layer():
    net = nn.Linear(2, 2)
    x = leaf([[1.0, 2.0]])
    expected = net(x)
    bound = to_static(net.forward)
    same(bound(x), expected)
    assert to_static(net) is net
    same(net(x), expected)
    assert isinstance(net.forward, paddle.jit.StaticFunction)


def test_unknown_arguments():
    with pytest.raises(TypeError, match="fast"):
        to_static(lambda x: x, fast=True)
    with pytest.raises(TypeError, match="input_spec must be a list"):
        to_static(lambda x: x, input_spec=paddle.static.InputSpec([1]))
    with pytest.raises(TypeError, match="BuildStrategy"):
        to_static(lambda x: x, build_strategy={})
    with pytest.raises(TypeError, match="int"):
        to_static(3)


def test_call_errors_are_pythons():
    fn = to_static(lambda x, y: x + y)
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'y'"):
        fn(leaf([1.0]))
    with pytest.raises(TypeError, match="unexpected keyword argument 'z'"):
        fn(leaf([1.0]), leaf([1.0]), z=1)


# ---- arguments ---------------------------------------------------------------------------------------------------


def test_static_arguments_by_value_and_type():
    @to_static(full_graph=True)
    def fn(x, how=None):
        return x * 1.0 if how is None else x * float(how if not isinstance(how, str) else len(how))

    x = leaf([1.0])
    for how in (1, 1.0, True, None, "ab", 1, 1.0, True, None, "ab"):
        fn(x, how)
    assert count(fn) == 5               # 1, 1.0 and True are equal, and yet three different arguments
    same(fn(x, "abc"), [3.0])
    same(fn(x, how=0.0), [0.0])
    same(fn(x, how=-0.0) * 1.0, [0.0])
    assert np.signbit(fn(x, how=-0.0).numpy()[0])


def test_nested_arguments():
    @to_static
    def fn(items, options):
        return items[0] * options["a"]["b"] + sum(items[1], leaf([0.0])) + (options["n"] or 0)

    x = leaf([2.0])
    options = {"a": {"b": x}, "n": None}
    same(fn([x, (x, x)], options), [8.0])
    same(fn([x, (x, x)], options | {"n": 3}), [11.0])
    same(fn([x, (x, x, x)], options), [10.0])
    assert count(fn) == 3


def test_keywords_and_defaults():
    @to_static
    def fn(x, *rest, y, k=2, **more):
        return x * k + y + sum(more.values()) + sum(rest)

    one = leaf([1.0])
    same(fn(one, y=one), [3.0])
    same(fn(one, one, one, y=one, k=3, z=one, w=4), [11.0])
    same(fn(y=one, x=one), [3.0])


def test_numpy_inputs_are_inputs():
    fn = to_static(lambda x, y: x + y)
    for i in range(3):
        same(fn(np.float32([i]), np.ones(1, "float32")), [i + 1.0])
    assert count(fn) == 1


def test_one_program_per_size_and_dtype():
    fn = to_static(lambda x: x * 2)
    for _ in range(2):
        for x in (np.ones(2, "float32"), np.ones(3, "float32"), np.ones(2, "float64"), np.ones(2, "int64")):
            assert fn(paddle.to_tensor(x)).dtype.name == x.dtype.name
    assert count(fn) == 4


def test_the_same_tensor_twice():
    def fn(x, y):
        with paddle.no_grad():
            x.add_(paddle.ones([1]))
        return x * y

    for convert in (lambda f: f, to_static):
        run = convert(fn)
        x, y = leaf([2.0]), leaf([5.0])
        same(run(x, y), [15.0])
        same(run(x, x), [16.0])
        same(run(x, x.detach()), [25.0])


def test_unhashable_and_object_arguments():
    class Config:
        scale = 2.0

    config = Config()
    fn = to_static(lambda x, c: x * c.scale)
    x = leaf([1.0])
    same(fn(x, config), [2.0])
    same(fn(x, config), [2.0])
    assert count(fn) == 1
    other = Config()
    other.scale = 5.0
    same(fn(x, other), [5.0])
    same(to_static(lambda x, s: x * len(s))(x, {1, 2}), [2.0])


# ---- equal to eager ----------------------------------------------------------------------------------------------


def train(kind, steps=5, make_opt=None, accumulate=1):
    paddle.seed(7)
    net = Net()
    opt = (make_opt or (lambda p: paddle.optimizer.Adam(0.01, parameters=p)))(net.parameters())
    forward = to_static(net) if kind == "forward" else net

    def step(x, y):
        loss = F.cross_entropy(forward(x), y)
        loss.backward()
        opt.step()
        opt.clear_grad()
        return loss

    if kind == "step":
        step = to_static(step)
    losses = [float(step(*data(seed=i))) for i in range(steps)]
    return losses, {k: v.numpy() for k, v in net.state_dict().items()}, opt, step


@pytest.mark.parametrize("kind", ["forward", "step"])
@pytest.mark.parametrize("make_opt", [
    lambda p: paddle.optimizer.SGD(0.1, parameters=p),
    lambda p: paddle.optimizer.Momentum(0.1, 0.9, parameters=p, weight_decay=0.01),
    lambda p: paddle.optimizer.AdamW(0.01, parameters=p, grad_clip=nn.ClipGradByGlobalNorm(0.1)),
], ids=["sgd", "momentum", "adamw"])
def test_training_equals_eager(kind, make_opt):
    losses, state, _, _ = train("eager", make_opt=make_opt)
    found, found_state, _, _ = train(kind, make_opt=make_opt)
    np.testing.assert_allclose(found, losses, rtol=2e-5)
    for name, value in state.items():
        np.testing.assert_allclose(found_state[name], value, rtol=2e-4, atol=2e-6, err_msg=name)


def test_no_retrace_in_a_steady_loop():
    *_, step = train("step", steps=6)
    assert count(step) == 1


def test_dropout_stream_goes_on():
    drop = nn.Dropout(0.5)
    fn = to_static(lambda x: drop(x))
    x = paddle.ones([64])
    paddle.seed(3)
    eager = [drop(x).numpy() for _ in range(3)]
    paddle.seed(3)
    mixed = [fn(x).numpy(), drop(x).numpy(), fn(x).numpy()]
    for a, b in zip(eager, mixed):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(mixed[0], mixed[1])


def test_train_and_eval_programs():
    paddle.seed(1)
    net = Net()
    static = to_static(copy.deepcopy(net))
    x, _ = data()
    for mode in ("train", "eval", "train", "eval"):
        getattr(net, mode)()
        getattr(static, mode)()
        paddle.seed(5)
        expected = net(x)
        paddle.seed(5)
        same(static(x), expected, 1e-5)
        same(static.norm._mean, net.norm._mean, 1e-5)
    assert count(static.forward) == 2


def test_eval_of_one_sublayer():
    net = Net()
    static = to_static(net)
    x, _ = data()
    static(x)
    net.drop.eval()
    paddle.seed(5)
    first = static(x).numpy()
    paddle.seed(6)
    np.testing.assert_allclose(static(x).numpy(), first, rtol=1e-5, atol=1e-6)


# ---- what is noticed ---------------------------------------------------------------------------------------------


def test_freezing_and_unfreezing():
    net = nn.Linear(2, 1)
    static = to_static(net)
    x = leaf([[1.0, 2.0]])
    static(x).backward()
    net.clear_gradients(False)
    net.weight.stop_gradient = True
    static(x).backward()
    assert net.weight.grad is None
    same(net.bias.grad, [1.0])
    net.weight.stop_gradient = False
    static(x).backward()
    same(net.weight.grad, [[1.0], [2.0]])
    assert count(static.forward) == 2


def test_freezing_in_a_step():
    net = nn.Linear(2, 1)
    opt = paddle.optimizer.SGD(0.1, parameters=net.parameters())

    @to_static
    def step(x):
        net(x).sum().backward()
        opt.step()
        opt.clear_grad()

    x = paddle.ones([1, 2])
    step(x)
    net.weight.stop_gradient = True
    held, bias = net.weight.numpy(), net.bias.numpy()
    step(x)
    np.testing.assert_array_equal(net.weight.numpy(), held)
    np.testing.assert_allclose(net.bias.numpy(), bias - 0.1, rtol=1e-5)


W = paddle.to_tensor([2.0], stop_gradient=False)
K = 2.0


def uses_globals(x):
    return x * W * K


def test_captured_tensors_are_inputs():
    closed = leaf([3.0])
    fn = to_static(lambda x: x * closed * W)
    x = leaf([1.0])
    same(fn(x), [6.0])
    with paddle.no_grad():
        closed.fill_(10.0)
    out = fn(x)
    same(out, [20.0])
    out.backward()
    same(closed.grad, [2.0])
    W.clear_gradient(False)
    assert count(fn) == 1


def test_replaced_globals_are_seen(monkeypatch):
    fn = to_static(uses_globals)
    x = leaf([1.0])
    same(fn(x), [4.0])
    monkeypatch.setitem(globals(), "W", leaf([5.0]))
    same(fn(x), [10.0])
    for k in (3.0, 1, True, 1.0, -0.0, float("nan")):
        monkeypatch.setitem(globals(), "K", k)
        np.testing.assert_array_equal(fn(x).numpy(), uses_globals(x).numpy())
        assert np.signbit(fn(x).numpy()[0]) == np.signbit(uses_globals(x).numpy()[0])


def test_replaced_closure_is_seen():
    w, k = leaf([2.0]), 1.0

    @to_static
    def fn(x):
        return x * w * k

    x = leaf([1.0])
    same(fn(x), [2.0])
    w = leaf([7.0])
    same(fn(x), [7.0])
    k = 2.0
    same(fn(x), [14.0])


def test_changed_attribute_is_seen():
    class Scaled(nn.Layer):
        def __init__(self):
            super().__init__()
            self.k, self.table = 2.0, paddle.to_tensor([1.0])

        def forward(self, x):
            return x * self.k * self.table

    net = Scaled()
    static = to_static(net)
    x = leaf([1.0])
    same(static(x), [2.0])
    net.k = 5.0
    same(static(x), [5.0])
    net.table = paddle.to_tensor([10.0])
    same(static(x), [50.0])


class Record:
    def __init__(self, k):
        self.k, self.seen = k, 0


@pytest.mark.parametrize(("held", "change"), [
    ([1.0], lambda h: h.__setitem__(0, 5.0)),
    ({"k": 1.0}, lambda h: h.update(k=5.0)),
    (Record(1.0), lambda h: setattr(h, "k", 5.0)),
    (np.array([1.0], "float32"), lambda h: h.__setitem__(0, 5.0)),
    ([leaf([1.0])], lambda h: h.__setitem__(0, leaf([5.0]))),
], ids=["list", "dict", "object", "array", "tensors"])
def test_what_a_closure_holds_is_seen(held, change):
    held = copy.deepcopy(held)

    def value():
        if isinstance(held, Record):
            return held.k
        if isinstance(held, np.ndarray):
            return paddle.to_tensor(held)
        return held["k"] if isinstance(held, dict) else held[0]

    fn = to_static(lambda x: x * value())
    x = leaf([2.0])
    same(fn(x), [2.0])
    change(held)
    same(fn(x), [10.0])
    fn(x)
    assert count(fn) == 2


def test_attributes_of_a_method_s_object():
    class Trainer:
        def __init__(self):
            self.k, self.steps, self.net = 2.0, 0, nn.Linear(1, 1)

        def scale(self):
            return self.k

        @to_static
        def step(self, x):
            return self.net(x) * self.scale()

    trainer = Trainer()
    with paddle.no_grad():
        trainer.net.weight.fill_(1.0)
        trainer.net.bias.fill_(0.0)
    x = leaf([[1.0]])
    for _ in range(3):
        same(trainer.step(x), [[2.0]])
        trainer.steps += 1                      # not looked at inside: no reason to trace again
    assert count(trainer.step) == 1
    trainer.k = 3.0
    same(trainer.step(x), [[3.0]])


def test_containers_that_grow():
    def constant(value):
        layer = nn.Linear(1, 1, bias_attr=False)
        with paddle.no_grad():
            layer.weight.fill_(value)
        return layer

    layers = nn.LayerList([constant(2.0), constant(2.0)])

    @to_static
    def fn(x):
        for layer in layers:
            x = layer(x)
        return x

    x = leaf([[1.0]])
    same(fn(x), [[4.0]])
    layers.append(constant(3.0))
    same(fn(x), [[12.0]])
    layers[0] = constant(5.0)
    same(fn(x), [[30.0]])
    del layers[0]
    same(fn(x), [[6.0]])


def test_parameters_read_by_name():
    net = nn.Linear(1, 1, bias_attr=False)
    fn = to_static(lambda x: x * sum(p.sum() for p in net.parameters()))
    x = leaf([1.0])
    same(fn(x), net.weight.reshape([1]))
    net.weight = paddle.create_parameter([1, 1], "float32", default_initializer=nn.initializer.Constant(5.0))
    same(fn(x), [5.0])


def test_write_under_no_grad_keeps_the_gradient():
    w = leaf([2.0, -3.0])

    def fn(x):
        with paddle.no_grad():
            w.clip_(-1.0, 1.0)
        return w * x

    fn = to_static(fn)
    for _ in range(2):
        w.clear_gradient(False)
        fn(leaf([5.0, 7.0])).sum().backward()
        same(w.grad, [5.0, 7.0])
        same(w, [1.0, -1.0])


def test_stop_gradient_of_an_input_set_inside():
    def penalty(x):
        x.stop_gradient = False
        return paddle.grad((x * x).sum(), [x])[0]

    for run in (penalty, to_static(penalty)):
        x = paddle.ones([2])
        same(run(x), [2.0, 2.0])
        assert not x.stop_gradient


def test_replaced_parameter_and_sublayer():
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    static = to_static(net)
    x = leaf([[1.0, -2.0]])
    static(x)
    net[0].weight = paddle.create_parameter([2, 2], "float32", default_initializer=nn.initializer.Constant(1.0))
    same(static(x), np.maximum(x.numpy() @ np.ones((2, 2)), 0))
    net[0] = nn.Linear(2, 3)
    assert static(x).shape == [1, 3]
    net.add_sublayer("2", nn.Linear(3, 5))
    assert static(x).shape == [1, 5]


def test_hook_added_and_removed():
    net = nn.Linear(2, 2)
    static = to_static(net)
    x = leaf([[1.0, 2.0]])
    plain = static(x).numpy()
    handle = net.register_forward_post_hook(lambda layer, inputs, out: out * 2.0)
    same(static(x), plain * 2)
    handle.remove()
    same(static(x), plain)


def test_hook_on_a_sublayer():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    static = to_static(net)
    x = leaf([[1.0, 2.0]])
    static(x)
    net[0].register_forward_pre_hook(lambda layer, inputs: (inputs[0] * 0.0,))
    same(static(x), net[1](net[0].bias.reshape([1, 2])))


# ---- gradients ---------------------------------------------------------------------------------------------------


def test_gradients_to_inputs_and_captured_values_on_the_way():
    w = leaf([3.0])
    middle = w * 2.0
    fn = to_static(lambda x: x * x * middle)
    x = leaf([2.0])
    fn(x).backward()
    same(x.grad, [24.0])
    same(w.grad, [8.0])


def test_gradient_to_a_computed_input():
    fn = to_static(lambda x: x * x)
    w = leaf([2.0])
    fn(fn(w)).backward()
    same(w.grad, [32.0])


def test_double_gradient():
    fn = to_static(lambda x: paddle.tanh(x * x))
    grads = []
    for run in (fn, lambda x: paddle.tanh(x * x)):
        x = leaf([0.3, 0.7], "float64")
        first = paddle.grad(run(x), [x], create_graph=True)[0]
        second = paddle.grad(first, [x], create_graph=True)[0]
        (third,) = paddle.grad(second, [x])
        grads.append([first.numpy(), second.numpy(), third.numpy()])
    np.testing.assert_allclose(grads[0], grads[1], rtol=1e-9)


def test_grad_inside():
    def penalty(x):
        y = paddle.tanh(x * w)
        g = paddle.grad(y.sum(), [x], create_graph=True)[0]
        loss = (g * g).sum()
        loss.backward()
        return loss

    found = []
    for run in (penalty, to_static(penalty)):
        w = leaf([0.3, 0.7], "float64")
        x = leaf([1.0, 2.0], "float64")
        loss = run(x)
        found.append([loss.numpy(), *w.grad.numpy(), *x.grad.numpy()])
    np.testing.assert_allclose(found[1], found[0], rtol=1e-10)


def test_two_losses():
    def step(x):
        h = net(x)
        a, b = h.sum(), (h * h).sum()
        a.backward(retain_graph=True)
        b.backward()
        return a, b

    results = []
    for convert in (lambda f: f, to_static):
        paddle.seed(0)
        net = nn.Linear(2, 2)
        convert(step)(paddle.ones([3, 2]))
        results.append(net.weight.grad.numpy())
    np.testing.assert_allclose(results[1], results[0], rtol=1e-6)


def test_unused_parameters():
    a, b = nn.Linear(2, 2), nn.Linear(2, 2)
    opt = paddle.optimizer.Adam(0.1, parameters=[*a.parameters(), *b.parameters()])
    held = b.weight.numpy()

    @to_static
    def step(x):
        a(x).sum().backward()
        opt.step()
        opt.clear_grad()

    for _ in range(3):
        step(paddle.ones([1, 2]))
    np.testing.assert_array_equal(b.weight.numpy(), held)
    assert b.weight.grad is None and count(step) <= 2


def test_accumulation_over_converted_functions():
    results = []
    for convert in (lambda f: f, to_static):
        paddle.seed(0)
        net = nn.Linear(4, 3)
        opt = paddle.optimizer.Momentum(0.1, parameters=net.parameters())

        @convert
        def micro(x, y):
            loss = F.cross_entropy(net(x), y) / 2.0
            loss.backward()
            return loss

        @convert
        def update():
            opt.step()

        @convert
        def clear():
            opt.clear_grad()

        for i in range(6):
            micro(*data(seed=i))
            if i % 2:
                update()
                clear()
        results.append(net.weight.numpy())
        assert not net.weight.grad.numpy().any()
    np.testing.assert_allclose(results[1], results[0], rtol=1e-5, atol=1e-7)


def test_gradient_left_by_a_step_is_eager():
    net = nn.Linear(2, 1)

    @to_static
    def run(x):
        net(x).sum().backward()

    x = paddle.ones([1, 2])
    for n in range(1, 4):
        run(x)
        same(net.weight.grad, [[float(n)], [float(n)]])
    net(x).sum().backward()
    same(net.weight.grad, [[4.0], [4.0]])


def test_retain_graph_and_backward_twice():
    fn = to_static(lambda x: x * x)
    x = leaf([2.0])
    y = fn(x)
    y.backward(retain_graph=True)
    y.backward()
    same(x.grad, [8.0])
    with pytest.raises(RuntimeError, match="retain_graph"):
        y.backward()


def test_hooks_inside():
    def fn(x):
        y = x * 2.0
        y.register_hook(lambda g: g * 10.0)
        return y * 3.0

    for run in (fn, to_static(fn)):
        x = leaf([1.0])
        run(x).backward()
        same(x.grad, [60.0])


def test_detach_stops_inside():
    def fn(x):
        y = x * x
        return y * x.detach() + y.detach()

    for run in (fn, to_static(fn)):
        x = leaf([3.0])
        run(x).backward()
        same(x.grad, [18.0])


def test_stop_gradient_of_outputs():
    net = nn.Linear(2, 2)

    @to_static
    def fn(x):
        with paddle.no_grad():
            frozen = net(x)
        return net(x), frozen, paddle.argmax(x)

    y, frozen, index = fn(leaf([[1.0, 2.0]]))
    assert (y.stop_gradient, frozen.stop_gradient, index.stop_gradient) == (False, True, True)


def test_inference_program():
    net = to_static(nn.Linear(2, 2))
    x = paddle.ones([1, 2])
    assert not net(x).stop_gradient
    with paddle.no_grad():
        assert net(x).stop_gradient
    assert not net(x).stop_gradient
    assert count(net.forward) == 2


def test_backward_inside_goes_on_outside():
    def step(h):
        (h * h * middle).sum().backward()

    for run in (step, to_static(step)):
        w, v = leaf([3.0]), leaf([2.0])
        h, middle = w * 2.0, v * 5.0
        run(h)
        same(w.grad, [2 * 6.0 * 10.0 * 2.0])
        same(v.grad, [36.0 * 5.0])
        assert h.grad is None and middle.grad is None


def test_leaf_hooks_in_a_converted_step():
    w = leaf([1.0])

    @to_static
    def step(x):
        (x * w).sum().backward()

    step(paddle.ones([1]))
    same(w.grad, [1.0])
    handle = w.register_hook(lambda g: g * 10.0)
    w.clear_gradient(False)
    step(paddle.ones([1]))
    same(w.grad, [10.0])
    handle.remove()
    w.clear_gradient(False)
    step(paddle.ones([1]))
    same(w.grad, [1.0])


def test_hook_on_an_outer_tensor_inside():
    w = leaf([1.0])

    @to_static(full_graph=True)
    def fn(x):
        w.register_hook(lambda g: g)
        return x * w

    with pytest.raises(RuntimeError, match="outside of the function"):
        fn(leaf([1.0]))


def test_hook_that_uses_an_outer_tensor():
    w = leaf([2.0])

    @to_static
    def fn(x):
        y = x * 2.0
        y.register_hook(lambda g: g * w)
        return y

    with pytest.raises(RuntimeError, match="A hook uses a Tensor"):
        fn(leaf([1.0])).backward()


# ---- writes ------------------------------------------------------------------------------------------------------


def test_writes_on_inputs():
    def fn(x):
        x[0] = 5.0
        x.scale_(2.0)
        return x.sum()

    for run in (fn, to_static(fn)):
        x = paddle.ones([2])
        same(run(x), 12.0)
        same(x, [10.0, 2.0])


def test_write_on_a_computed_input_is_recorded():
    def fn(x, v):
        x[0] = v[0] * 3.0
        return x * 2.0

    for run in (fn, to_static(fn)):
        w, v = leaf([1.0, 2.0]), leaf([4.0])
        x = w * 1.0
        (run(x, v) + x).sum().backward()
        same(w.grad, [0.0, 3.0])
        same(v.grad, [9.0])


def test_returning_what_was_there():
    w = leaf([1.0])
    fn = to_static(lambda x: (x, w, x))
    x = leaf([2.0])
    a, b, c = fn(x)
    assert a is x and b is w and c is x


Point = collections.namedtuple("Point", "x y")


def test_output_structures():
    @to_static
    def fn(x):
        return {"a": [x + 1.0, None], "b": Point(x, "text"), "c": (3, 2.5, ())}

    out = fn(leaf([1.0]))
    same(out["a"][0], [2.0])
    assert out["a"][1] is None and isinstance(out["b"], Point) and out["b"].y == "text" and out["c"] == (3, 2.5, ())
    assert to_static(lambda x: None)(leaf([1.0])) is None
    assert to_static(lambda: 3)() == 3


def test_counter_buffer():
    class Counter(nn.Layer):
        def __init__(self):
            super().__init__()
            self.register_buffer("n", paddle.zeros([1]))

        def forward(self, x):
            self.n = self.n + 1.0
            return x + self.n

    net = to_static(Counter())
    x = paddle.zeros([1])
    assert [float(net(x)) for _ in range(3)] == [1.0, 2.0, 3.0]
    same(net.n, [3.0])


def test_held_references_stay():
    net = nn.Linear(2, 2)
    opt = paddle.optimizer.SGD(0.1, parameters=net.parameters())

    @to_static
    def step(x):
        net(x).sum().backward()
        opt.step()
        opt.clear_grad()

    x = paddle.ones([1, 2])
    step(x)
    view, clone, before = np.asarray(net.weight), net.weight.clone(), net.weight.numpy()
    detached = net.weight.detach()
    kept = net(leaf([[1.0, 1.0]]))                              # an eager graph that needs the old weight
    array = net.weight.array
    step(x)
    np.testing.assert_array_equal(view, before)
    np.testing.assert_array_equal(clone.numpy(), before)
    np.testing.assert_array_equal(np.asarray(array), before)
    np.testing.assert_array_equal(detached.numpy(), net.weight.numpy())     # shares the storage
    with pytest.raises(RuntimeError, match="changed in place"):
        (kept * kept).sum().backward()


def test_buffers_donated_under_a_retained_graph():
    paddle.seed(0)
    net = to_static(nn.BatchNorm1D(3))
    x = leaf(np.random.default_rng(0).normal(size=(4, 3)))
    a, b = net(x), net(x)
    (a * b).sum().backward()
    ref = nn.BatchNorm1D(3)
    z = leaf(x.numpy())
    (ref(z) * ref(z)).sum().backward()
    same(x.grad, z.grad, 1e-4)


# ---- optimizer ---------------------------------------------------------------------------------------------------


def test_learning_rate_changes_without_retrace():
    w = paddle.create_parameter([1], "float32", default_initializer=nn.initializer.Constant(0.0))
    scheduler = paddle.optimizer.lr.StepDecay(1.0, step_size=1, gamma=0.5)
    opt = paddle.optimizer.SGD(scheduler, parameters=[w])

    @to_static
    def step():
        (w * 1.0).sum().backward()
        opt.step()
        opt.clear_grad()

    found = []
    for _ in range(4):
        held = float(w)
        step()
        found.append(held - float(w))
        scheduler.step()
    np.testing.assert_allclose(found, [1.0, 0.5, 0.25, 0.125])
    assert count(step) == 1


def test_set_lr():
    w = paddle.create_parameter([1], "float32", default_initializer=nn.initializer.Constant(0.0))
    opt = paddle.optimizer.SGD(1.0, parameters=[w])

    @to_static
    def step():
        (w * 1.0).sum().backward()
        opt.step()
        opt.clear_grad()

    step()
    opt.set_lr(0.25)
    step()
    same(w, [-1.25])
    assert count(step) == 1


def test_slots_made_in_the_first_converted_step():
    *_, opt, _ = train("step", steps=1)
    names = list(opt.state_dict())
    assert any("moment1" in n for n in names)
    *_, reference, _ = train("eager", steps=1)
    assert len(names) == len(reference.state_dict())


# ---- errors ------------------------------------------------------------------------------------------------------


def test_leaked_tensor():
    """Code that is not rewritten keeps a tensor, which nobody sees."""
    kept = types.SimpleNamespace()

    @paddle.jit.not_to_static
    def keep(y):
        kept.y = y

    @to_static
    def fn(x):
        keep(x * 2.0)
        return x

    fn(leaf([1.0]))
    with pytest.raises(RuntimeError, match=r"test_to_static\.py:\d+[\s\S]*return the Tensor"):
        kept.y + 1.0
    with pytest.raises(RuntimeError, match=r"test_to_static\.py:\d+"):
        kept.y.numpy()
    with pytest.raises(RuntimeError, match=r"test_to_static\.py:\d+"):
        print(kept.y)


def test_leaked_into_another_conversion():
    kept = types.SimpleNamespace()

    @paddle.jit.not_to_static
    def keep(y):
        kept.y = y

    to_static(lambda x: keep(x * 2.0))(leaf([1.0]))
    with pytest.raises(RuntimeError, match=r"test_to_static\.py:\d+"):
        to_static(lambda x: x + kept.y)(leaf([1.0]))


def test_a_list_that_grows_in_every_call_grows_in_every_call():
    kept = []
    with pytest.warns(FallbackWarning, match="a list in every call"):
        keep = to_static(lambda x: kept.append(x * 2.0))
        keep(leaf([1.0]))
    keep(leaf([2.0]))
    assert [float(t) for t in kept] == [2.0, 4.0]


@pytest.mark.parametrize("use", [
    lambda x: x.numpy(), lambda x: x.item(), lambda x: x.tolist(), np.asarray,
], ids=["numpy", "item", "tolist", "asarray"])
def test_value_wanted_while_converting(use):
    @to_static(full_graph=True)
    def fn(x):
        use(x.sum())
        return x

    with pytest.raises((RuntimeError, TypeError), match=r"being converted[\s\S]*test_to_static\.py\", line \d+"):
        fn(leaf([1.0]))


def test_an_error_leaves_what_the_eager_run_leaves():
    found = []
    for convert in (lambda f: f, to_static):
        net = nn.BatchNorm1D(2)

        def fn(x, fail):
            y = net(x)
            if fail:
                raise KeyError("mine")
            return y

        run = convert(fn)
        x = paddle.ones([3, 2])
        with pytest.raises(KeyError, match="mine"):
            run(x, True)
        run(x, False)
        found.append(net._mean.numpy())
        assert (x + 1.0).numpy().sum() == 12.0
    np.testing.assert_allclose(found[0], found[1])


def test_data_dependent_shape():
    @to_static(full_graph=True)
    def fn(x):
        return paddle.nonzero(x)

    with pytest.raises(RuntimeError, match=r"nonzero[\s\S]*test_to_static\.py"):
        fn(leaf([1.0]))


# ---- the StaticFunction ------------------------------------------------------------------------------------------


def test_enable_to_static():
    @to_static(full_graph=True)
    def fn(x):
        return x * (2.0 if paddle.in_dynamic_mode() else 3.0)

    same(fn(leaf([1.0])), [3.0])
    paddle.jit.enable_to_static(False)
    same(fn(leaf([1.0])), [2.0])
    paddle.jit.enable_to_static(True)
    same(fn(leaf([1.0])), [3.0])
    with pytest.raises(TypeError):
        paddle.jit.enable_to_static("no")


def test_not_to_static():
    @paddle.jit.not_to_static
    def plain(x):
        return x * 2.0

    assert to_static(plain) is plain
    same(to_static(lambda x: plain(x) + 1.0)(leaf([1.0])), [3.0])


def test_looking_at_it():
    @to_static
    def scaled(x):
        return x * 2.0

    assert "def scaled(x):" in scaled.code and "2.0" in scaled.code
    with pytest.raises(RuntimeError, match="no program yet"):
        scaled.concrete_program  # noqa: B018
    scaled(leaf([1.0]))
    assert scaled.concrete_program is not None
    assert not isinstance(scaled.rollback(), paddle.jit.StaticFunction)


def test_rollback_of_a_layer():
    net = to_static(nn.Linear(2, 2))
    x = paddle.ones([1, 2])
    expected = net(x)
    net.forward.rollback()
    assert not isinstance(net.forward, paddle.jit.StaticFunction)
    same(net(x), expected)


def test_input_spec_checks():
    spec = [paddle.static.InputSpec([None, 4], "float32", "image"), 3]
    fn = to_static(lambda image, k: image * k, input_spec=spec)
    same(fn(paddle.ones([2, 4]), 3), np.full((2, 4), 3.0))
    for wrong in (paddle.ones([2, 5]), paddle.ones([4]), paddle.ones([2, 4], "float64")):
        with pytest.raises(ValueError, match="image"):
            fn(wrong, 3)
    with pytest.raises(ValueError, match="2 arguments"):
        to_static(lambda x, y: x, input_spec=[spec[0]] * 3)(paddle.ones([2, 4]), 3)


def test_build_strategy():
    strategy = paddle.static.BuildStrategy()
    for name, value in list(vars(strategy).items()):
        setattr(strategy, name, value)
        if isinstance(value, bool):
            setattr(strategy, name, not value)
    with pytest.raises(AttributeError, match="fuse_everything"):
        strategy.fuse_everything = True
    fn = to_static(lambda x: x * 2.0, build_strategy=strategy)
    same(fn(leaf([1.0])), [2.0])


def test_deepcopy_of_a_converted_layer():
    net = to_static(nn.Linear(2, 2))
    x = paddle.ones([1, 2])
    before = net(x).numpy()
    other = copy.deepcopy(net)
    with paddle.no_grad():
        other.weight.fill_(0.0)
        other.bias.fill_(0.0)
    same(other(x), [[0.0, 0.0]])
    same(net(x), before)
    assert isinstance(other.forward, paddle.jit.StaticFunction)


def test_pickle_of_a_converted_layer():
    net = to_static(nn.Linear(2, 2))
    x = paddle.ones([1, 2])
    expected = net(x)
    other = pickle.loads(pickle.dumps(net))
    same(other(x), expected)


def test_default_dtype_is_part_of_the_program():
    fn = to_static(lambda x: x + paddle.to_tensor([0.5]))
    assert fn(paddle.ones([1], "float32")).dtype == paddle.float32
    paddle.set_default_dtype("float64")
    assert fn(paddle.ones([1], "float32")).dtype == paddle.float64


def test_nested_conversion():
    inner = to_static(nn.Linear(2, 2))
    outer = to_static(lambda x: inner(x) * 2.0)
    x = paddle.ones([1, 2])
    same(outer(x), inner(x) * 2.0)
    outer(x).sum().backward()
    same(inner.weight.grad, np.full((2, 2), 2.0))


def test_threads():
    net = to_static(Net())
    net.eval()
    x, _ = data()
    expected = net(x).numpy()
    errors = []

    def guarded(run):
        def target():
            try:
                run()
            except Exception as error:
                errors.append(error)
        return threading.Thread(target=target)

    def call():
        for _ in range(50):
            np.testing.assert_allclose(net(x).numpy(), expected, rtol=1e-5, atol=1e-6)

    def trace():
        for n in range(1, 6):
            to_static(lambda v: net(v) * 2.0)(paddle.ones([n, 4]))

    threads = [guarded(call), guarded(call), guarded(trace)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not errors


def test_a_count_in_python_counts_every_call_and_a_flag_set_for_good_is_no_reason_to_run_eagerly():
    class Counts(paddle.nn.Layer):
        def __init__(self):
            super().__init__()
            self.n, self.ready = 0, False

        def forward(self, x, count=True):
            if count:
                self.n += 1
            self.ready = True
            return x * 2

    net = paddle.jit.to_static(Counts())
    assert float(net(paddle.ones([1]), count=False)) == 2 and net.ready
    with pytest.warns(FallbackWarning, match=r"\.n in every call"):
        net(paddle.ones([1]))
    net(paddle.ones([1]))
    assert net.n == 2
    with pytest.raises(ConversionError, match=r"\.n in every call"):
        paddle.jit.to_static(Counts(), full_graph=True)(paddle.ones([1]))


def test_compiler_options_reach_the_program_that_has_a_gradient(monkeypatch):
    monkeypatch.setattr(paddle.static.BuildStrategy, "compiler_options", lambda self: {"xla_no_such_option": True})
    net = paddle.jit.to_static(paddle.nn.Linear(2, 2), build_strategy=paddle.static.BuildStrategy())
    with pytest.raises(Exception, match="xla_no_such_option"):
        net(paddle.ones([1, 2]))


def _attack(x):
    (x ** 3).sum().backward()
    stepped = x + x.grad * 0.1
    x.clear_grad()
    return stepped


def _grad_in_a_branch(x):
    if x.sum() > 0:
        return x.grad * 2 if x.grad is not None else x * 0
    return x


def _set(x):
    x.grad = x.detach() * 3


def _cleared_first(x):
    x.clear_grad()
    (x * x).sum().backward()


def _accumulated(x):
    (x * x).sum().backward()
    return x.grad * 1.0


@pytest.mark.filterwarnings("ignore::kayax.bridge.errors.FallbackWarning")
@pytest.mark.parametrize("before", [False, True], ids=["no gradient before", "a gradient before"])
@pytest.mark.parametrize("fn", [_attack, _grad_in_a_branch, _set, _cleared_first, _accumulated])
def test_the_gradient_of_an_argument_reads_as_in_the_eager_run(fn, before):
    def run(fn):
        x = leaf([1.0, 2.0])
        if before:
            (x * 5.0).sum().backward()
        seen = []
        for _ in range(3):
            out = fn(x)
            seen.append((None if out is None else out.tolist(), None if x._grad is None else x.grad.tolist()))
        return seen

    assert run(to_static(fn)) == run(fn)


def test_a_gradient_that_a_program_would_not_see_is_an_error():
    x = leaf([1.0])
    (x * 5.0).sum().backward()
    with pytest.raises(ConversionError, match=r"\.grad of an argument"):
        to_static(_accumulated, full_graph=True)(x)
