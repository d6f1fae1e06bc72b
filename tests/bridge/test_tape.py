"""The tape: what backward(), paddle.grad, hooks, PyLayer and in-place operations do, beside real Paddle 3.3.1."""
import gc
import weakref

import numpy as np
import pytest

import kayax as paddle
from kayax.autograd import PyLayer


def leaf(values, dtype="float32"):
    return paddle.to_tensor(np.asarray(values, dtype), stop_gradient=False)


def same(tensor, values):
    np.testing.assert_allclose(tensor.numpy(), np.asarray(values), rtol=1e-6)


# ---- backward ----------------------------------------------------------------------------------------------------


def test_backward_adds_to_grad():
    x = leaf([1.0, 2.0])
    (x * x).backward()
    (x * x).backward()
    same(x.grad, [4.0, 8.0])
    assert x.grad.stop_gradient is not None and x.grad.dtype == paddle.float32


def test_backward_weights():
    x = leaf([1.0, 2.0])
    (x * x).backward(paddle.to_tensor([1.0, 10.0]))
    same(x.grad, [2.0, 40.0])
    with pytest.raises(ValueError, match=r"shape \[3\]"):
        (x * x).backward(paddle.ones([3]))


def test_backward_of_several():
    x = leaf([1.0, 2.0])
    y = x * x
    paddle.autograd.backward([y, y * 2.0], [None, paddle.ones([2])])
    same(x.grad, [6.0, 12.0])
    with pytest.raises(ValueError, match="1 tensors but 2"):
        paddle.autograd.backward([x * x], [None, None])


@pytest.mark.parametrize("operation", [lambda x: x * x, lambda x: x + x], ids=["mul", "add"])
def test_backward_twice_is_an_error(operation):
    x = leaf([1.0, 2.0])
    y = operation(x)
    y.backward()
    with pytest.raises(RuntimeError, match="retain_graph=True"):
        y.backward()


def test_retain_graph():
    x = leaf([1.0, 2.0])
    y = x * x
    y.backward(retain_graph=True)
    y.backward()
    same(x.grad, [4.0, 8.0])
    with pytest.raises(RuntimeError, match="retain_graph=True"):
        y.backward()


def test_half_of_a_graph_freed():
    x = leaf([1.0])
    shared = x * 2.0
    a, b = shared * 3.0, shared * shared
    a.backward()
    with pytest.raises(RuntimeError, match="freed"):
        b.backward()


def test_backward_without_gradient_does_nothing():
    x = paddle.to_tensor([1.0])
    (x * x).backward()
    assert x.grad is None


def test_input_used_twice_and_diamond():
    x = leaf([3.0])
    a, b = x * 2.0, x * x
    (a * b + a * a).backward()           # 2x^3 + 4x^2
    same(x.grad, [6 * 9.0 + 8 * 3.0])


def test_unused_branch_is_left_alone():
    x, w = leaf([1.0]), leaf([2.0])
    w * 3.0
    (x * 2.0).backward()
    assert w.grad is None


def test_several_outputs_of_one_operation():
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    a, _ = paddle.split(x, 2)
    (a * 3.0).backward()
    same(x.grad, [[3.0, 3.0], [0.0, 0.0]])
    values, indices = paddle.topk(leaf([3.0, 1.0, 2.0]), 2)
    assert not values.stop_gradient and indices.dtype == paddle.int64


@pytest.mark.parametrize("create_graph", [False, True])
def test_deep_graph(create_graph):
    x = leaf([1.0])
    y = x
    for _ in range(5000):
        y = y + x
    if create_graph:
        same(paddle.grad(y, [x], create_graph=True)[0], [5001.0])
    else:
        y.backward()
        same(x.grad, [5001.0])
    del y
    gc.collect()


def test_deep_graph_is_dropped_without_recursion():
    x = leaf([1.0])
    y = x
    for _ in range(20000):
        y = -y
    del y
    gc.collect()


def test_graph_memory_is_released():
    x = leaf(np.ones(4))
    y = x * 2.0
    alive = weakref.ref(y.storage)
    z = y * y
    del y
    z.backward()
    gc.collect()
    assert alive() is None


def test_stop_gradient_set_later():
    x, w = leaf([1.0, 2.0]), leaf([1.0, 1.0])
    y = x * 2.0
    y.stop_gradient = True
    (y * w).backward()
    assert x.grad is None
    same(w.grad, [2.0, 4.0])


def test_integers_on_the_way():
    x = leaf([1.0, 2.0])
    picked = paddle.gather(x, paddle.to_tensor([1, 1]))
    (picked * 1.0).backward()
    same(x.grad, [0.0, 2.0])
    y = (x.astype("int32").astype("float32") * x)
    x.clear_grad()
    y.backward()
    same(x.grad, [1.0, 2.0])


def test_integer_output_of_differentiable_operation():
    x = leaf([[3.0, 1.0]])
    total = paddle.sort(x).sum() + paddle.argmax(x).astype("float32")
    total.backward()
    same(x.grad, [[1.0, 1.0]])


def test_complex_gradient():
    x = leaf([1.0 + 2.0j], "complex64")
    paddle.real(x * x).backward()
    assert x.grad.dtype == paddle.complex64


# ---- .grad -------------------------------------------------------------------------------------------------------


def test_clear_grad_leaves_zeros():
    x = leaf([1.0, 2.0])
    x.clear_grad()
    assert x.grad is None                       # nothing was there: nothing is there
    (x * x).backward()
    x.clear_grad()
    same(x.grad, [0.0, 0.0])
    (x * 3.0).backward()
    same(x.grad, [3.0, 3.0])
    x.clear_gradient(False)
    assert x.grad is None


def test_grad_is_cleared_without_touching_a_held_one():
    x = leaf([1.0])
    (x * 2.0).backward()
    held = x.grad
    x.clear_grad()
    (x * 5.0).backward()
    same(held, [2.0])
    same(x.grad, [5.0])


def test_setting_grad():
    x = leaf([1.0, 2.0])
    x.grad = paddle.ones([2])
    (x * x).backward()
    same(x.grad, [3.0, 5.0])
    x.grad = None
    assert x.grad is None
    with pytest.raises(TypeError, match="ndarray"):
        x.grad = np.ones(2)
    with pytest.raises(ValueError, match="shape"):
        x.grad = paddle.ones([3])


def test_only_leaves_have_a_grad():
    x = leaf([1.0])
    y = x * x
    z = y * 3.0
    y.retain_grads()
    z.backward()
    same(y.grad, [3.0])
    assert z.grad is None and z.is_leaf is False and x.is_leaf is True


# ---- paddle.grad -------------------------------------------------------------------------------------------------


def test_grad_leaves_grad_alone():
    x = leaf([1.0, 2.0])
    y = x * x
    gx, gy = paddle.grad(y * 3.0, [x, y])
    same(gx, [6.0, 12.0])
    same(gy, [3.0, 3.0])
    assert x.grad is None and gx.stop_gradient


def test_grad_of_itself():
    y = leaf([1.0, 2.0]) * 1.0
    same(paddle.grad(y, [y])[0], [1.0, 1.0])


def test_grad_unused():
    x, z = leaf([1.0]), leaf([1.0])
    with pytest.raises(ValueError, match=r"inputs\[1\].*allow_unused"):
        paddle.grad(x * x, [x, z])
    assert paddle.grad(x * x, [x, z], allow_unused=True)[1] is None
    with pytest.raises(ValueError, match="allow_unused"):
        frozen = paddle.to_tensor([1.0])
        paddle.grad(frozen * 2.0, [frozen])


def test_grad_outputs():
    x = leaf([1.0, 2.0])
    same(paddle.grad([x * x, x * 3.0], [x], grad_outputs=[paddle.to_tensor([1.0, 2.0]), None])[0], [5.0, 11.0])


def test_no_grad_vars():
    x = leaf([1.0, 2.0])
    y = x * x
    same(paddle.grad(y * x, [x], no_grad_vars=[y])[0], [1.0, 4.0])


def test_third_order():
    x = leaf(2.0, "float64")
    y = paddle.exp(x) * x**3
    for order in range(1, 4):
        y = paddle.grad(y, x, create_graph=True)[0]
        t = 2.0
        exact = {1: t**3 + 3 * t**2, 2: t**3 + 6 * t**2 + 6 * t, 3: t**3 + 9 * t**2 + 18 * t + 6}[order]
        np.testing.assert_allclose(float(y), np.exp(t) * exact, rtol=1e-12)


def test_gradient_penalty():
    rng = np.random.default_rng(0)
    x, w = leaf(rng.normal(size=(4, 3)), "float64"), leaf(rng.normal(size=(3, 2)), "float64")
    out = paddle.tanh(paddle.matmul(x, w)).sum()
    gx = paddle.grad(out, [x], create_graph=True)[0]
    (gx * gx).sum().backward()
    eps, exact = 1e-6, np.zeros((3, 2))
    def penalty(value):
        g = (1 - np.tanh(x.numpy() @ value) ** 2) @ value.T
        return (g * g).sum()
    for i in np.ndindex(3, 2):
        d = np.zeros((3, 2))
        d[i] = eps
        exact[i] = (penalty(w.numpy() + d) - penalty(w.numpy() - d)) / (2 * eps)
    np.testing.assert_allclose(w.grad.numpy(), exact, rtol=1e-6)


def test_create_graph_through_grad_outputs():
    x, v = leaf([2.0]), leaf([3.0])
    g = paddle.grad(x * x, [x], grad_outputs=[v], create_graph=True)[0]
    g.backward()
    same(v.grad, [4.0])
    same(x.grad, [6.0])


def test_create_graph_does_not_record_without_it():
    x = leaf([2.0])
    g = paddle.grad(x * x * x, [x])[0]
    assert g.stop_gradient and g.is_leaf


# ---- switching the recording off ---------------------------------------------------------------------------------


def test_no_grad_forms():
    x = leaf([1.0])

    @paddle.no_grad()
    def with_parentheses(v):
        return v * 2.0

    @paddle.no_grad
    def without(v):
        return v * 2.0

    with paddle.no_grad():
        inside = x * 2.0
        with paddle.enable_grad():
            recorded = x * 2.0
        assert not paddle.is_grad_enabled()
    for y in (with_parentheses(x), without(x), inside):
        assert y.stop_gradient and y.is_leaf
    assert not recorded.stop_gradient and paddle.is_grad_enabled()


def test_set_grad_enabled():
    x = leaf([1.0])
    with paddle.set_grad_enabled(False):
        assert (x * 2.0).stop_gradient
    assert not (x * 2.0).stop_gradient


def test_no_grad_comes_back_after_an_error():
    with pytest.raises(ZeroDivisionError), paddle.no_grad():
        1 / 0  # noqa: B018
    assert paddle.is_grad_enabled()


def test_no_grad_generator():
    x = leaf([1.0])

    @paddle.no_grad()
    def values():
        for _ in range(2):
            yield x * 2.0

    for y in values():
        assert y.stop_gradient and not (x * 2.0).stop_gradient


# ---- hooks -------------------------------------------------------------------------------------------------------


def test_leaf_hook():
    x, seen = leaf([1.0, 2.0]), []
    handle = x.register_hook(lambda g: seen.append(g.numpy()) or g * 2.0)
    (x * x).backward()
    same(x.grad, [4.0, 8.0])
    assert handle.remove() is True and handle.remove() is False
    (x * x).backward()
    same(x.grad, [6.0, 12.0])
    assert len(seen) == 1


def test_leaf_hook_sees_the_sum_once():
    x, seen = leaf([1.0]), []
    x.register_hook(lambda g: seen.append(float(g)))
    (x * 2.0 + x * 3.0).backward()
    assert seen == [5.0]


def test_hooks_on_the_way_run_in_order():
    x = leaf([1.0, 2.0])
    y = x * x
    y.register_hook(lambda g: g * 2.0)
    last = y.register_hook(lambda g: g + 1.0)
    y.retain_grads()
    z = y * 3.0
    z.backward(retain_graph=True)
    same(y.grad, [7.0, 7.0])
    same(x.grad, [14.0, 28.0])
    assert last.remove() is True
    x.clear_grad()
    z.backward()
    same(x.grad, [12.0, 24.0])


def test_the_same_hook_twice():
    x = leaf([1.0])
    y = x * 1.0

    def double(g):
        return g * 2.0

    first, _ = y.register_hook(double), y.register_hook(double)
    assert first.remove() is True
    assert first.remove() is False
    y.backward()
    same(x.grad, [2.0])


def test_hooks_in_grad():
    x = leaf([1.0, 2.0])
    y = x * x
    y.register_hook(lambda g: g * 2.0)
    gy, gx = paddle.grad(y * 3.0, [y, x])
    same(gy, [6.0, 6.0])
    same(gx, [12.0, 24.0])
    x.register_hook(lambda g: g * 100.0)            # a leaf's hooks belong to backward()
    same(paddle.grad(x * 3.0, [x])[0], [3.0, 3.0])


def test_hook_needs_a_gradient():
    with pytest.raises(RuntimeError, match="stop_gradient"):
        paddle.to_tensor([1.0]).register_hook(lambda g: g)


# ---- PyLayer -----------------------------------------------------------------------------------------------------


class Both(PyLayer):
    @staticmethod
    def forward(ctx, a, b, power=1):
        ctx.save_for_backward(a, b)
        return a * b, a + b

    @staticmethod
    def backward(ctx, g1, g2):
        a, b = ctx.saved_tensor()
        return g1 * b * 10.0 + g2, g1 * a + g2


class First(Both):
    @staticmethod
    def backward(ctx, g1, g2):
        return g1, None


class Cube(PyLayer):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensor()
        return g * x * x * 3.0


def eager(fn):
    return fn


WAYS = pytest.mark.parametrize("convert", [eager, paddle.jit.to_static], ids=["eager", "converted"])


@WAYS
def test_pylayer_outputs(convert):
    a, b = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    product, _ = convert(lambda a, b: Both.apply(a, b, power=2))(a, b)
    product.backward()
    same(a.grad, [30.0, 40.0])
    same(b.grad, [1.0, 2.0])


@WAYS
def test_pylayer_none_gradient(convert):
    a, b = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    x, y = convert(lambda a, b: First.apply(a, b))(a, b)
    (x + y).backward()
    same(a.grad, [1.0, 1.0])
    assert b.grad is None or not b.grad.numpy().any()


@WAYS
def test_pylayer_keyword_and_stopped_input(convert):
    a, b = leaf([1.0, 2.0]), paddle.to_tensor([3.0, 4.0])
    x, _ = convert(lambda a, b: Both.apply(a, b=b))(a, b)
    x.backward()
    same(a.grad, [30.0, 40.0])
    assert b.grad is None


def test_pylayer_in_a_converted_step():
    def step(x):
        y = Cube.apply(x * 2.0)
        y.sum().backward()
        return y

    a, b = leaf([1.0, 2.0]), leaf([1.0, 2.0])
    same(step(a), paddle.jit.to_static(step)(b).numpy())
    same(a.grad, b.grad.numpy())


def test_pylayer_create_graph():
    x = leaf([2.0], "float64")
    g = paddle.grad(Cube.apply(x), [x], create_graph=True)[0]
    same(paddle.grad(g, [x])[0], [12.0])


def test_pylayer_wrong_number_of_gradients():
    class Wrong(Both):
        @staticmethod
        def backward(ctx, g1, g2):
            return g1

    with pytest.raises(ValueError, match="gave 1 gradients.*2 Tensor"):
        Wrong.apply(leaf([1.0]), leaf([1.0]))[0].backward()


def test_pylayer_wrong_shape():
    class Wrong(Cube):
        @staticmethod
        def backward(ctx, g):
            return g.sum()

    with pytest.raises(ValueError, match="shape"):
        Wrong.apply(leaf([1.0, 2.0])).backward()


@WAYS
def test_pylayer_materialize(convert):
    seen = []

    class Quiet(PyLayer):
        @staticmethod
        def forward(ctx, a):
            ctx.set_materialize_grads(False)
            return a * 1.0, a * 2.0

        @staticmethod
        def backward(ctx, g1, g2):
            seen.append(g2 is None)
            return g1

    x = leaf([1.0])
    convert(lambda x: Quiet.apply(x))(x)[0].backward()
    same(x.grad, [1.0])
    if convert is eager:
        assert seen == [True]


@WAYS
def test_pylayer_non_differentiable(convert):
    class Marked(PyLayer):
        @staticmethod
        def forward(ctx, a):
            b = a * 2.0
            ctx.mark_non_differentiable(b)
            return a * 1.0, b

        @staticmethod
        def backward(ctx, g1, g2):
            return g1

    x = leaf([1.0])
    a, b = convert(lambda x: Marked.apply(x))(x)
    assert not a.stop_gradient and b.stop_gradient


@WAYS
def test_pylayer_other_outputs(convert):
    class Mixed(PyLayer):
        @staticmethod
        def forward(ctx, x):
            ctx.k = 3.0
            return x * 2.0, paddle.to_tensor([1, 2]), None

        @staticmethod
        def backward(ctx, g, *rest):
            return g * ctx.k

    x = leaf([1.0])
    y, ints, nothing = convert(lambda x: Mixed.apply(x))(x)
    y.backward()
    same(x.grad, [3.0])
    assert nothing is None and ints.stop_gradient and ints.tolist() == [1, 2]


@WAYS
def test_pylayer_forward_uses_an_outer_tensor(convert):
    w = leaf([3.0])

    class Scaled(PyLayer):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(w)
            return x * w

        @staticmethod
        def backward(ctx, g):
            return g * ctx.saved_tensor()[0]

    run = convert(lambda x: Scaled.apply(x) * w)
    for value in (3.0, 5.0):
        with paddle.no_grad():
            w.fill_(value)
        x = leaf([2.0])
        run(x).backward()
        same(x.grad, [value**2])
        w.clear_grad()


def test_pylayer_backward_uses_an_outer_tensor():
    w = paddle.to_tensor([3.0])

    class Careless(PyLayer):
        @staticmethod
        def forward(ctx, x):
            return x * 2.0

        @staticmethod
        def backward(ctx, g):
            return g * w

    x = leaf([1.0])
    Careless.apply(x).backward()
    same(x.grad, [3.0])
    y = paddle.jit.to_static(lambda x: Careless.apply(x))(x)
    with pytest.raises(RuntimeError, match=r"Careless\.backward.*save_for_backward"):
        y.backward()


# ---- in place ----------------------------------------------------------------------------------------------------


def test_in_place_on_a_leaf():
    x = leaf([1.0, 2.0])
    with pytest.raises(ValueError, match="no_grad"):
        x.add_(paddle.ones([2]))
    with paddle.no_grad():
        x.add_(paddle.ones([2]))
    same(x, [2.0, 3.0])
    assert x.is_leaf and not x.stop_gradient


def test_in_place_under_no_grad_keeps_the_graph():
    x = leaf([1.0, 2.0])
    y = x * 2.0
    with paddle.no_grad():
        y.add_(paddle.ones([2]))
    (y * y).backward()
    same(x.grad, [12.0, 20.0])


def test_in_place_with_a_recorded_operand():
    x, y = paddle.to_tensor([1.0, 2.0]), leaf([1.0, 2.0])
    x.add_(y)
    assert not x.stop_gradient
    x.sum().backward()
    same(y.grad, [1.0, 1.0])


def test_in_place_is_recorded():
    x = leaf([1.0, 2.0])
    y = x * 2.0
    y.add_(paddle.ones([2]))
    (y * y).backward()
    same(x.grad, [12.0, 20.0])


def test_changed_value_that_the_gradient_needs():
    x = leaf([1.0, 2.0])
    y = x * 2.0
    z = y * y
    y.add_(paddle.ones([2]))
    with pytest.raises(RuntimeError, match=r"changed in place.*version 1, expected 0"):
        z.backward()


def test_changed_value_that_no_gradient_needs():
    x = leaf([1.0, 2.0])
    y = x * 2.0
    z = y + 1.0
    w = paddle.concat([y, y])
    y.add_(paddle.ones([2]))
    (z.sum() + w.sum()).backward()
    same(x.grad, [6.0, 6.0])


def test_parameter_changed_before_backward():
    w = paddle.nn.Linear(2, 2)
    x = leaf([[1.0, 2.0]])
    y = w(x)
    with paddle.no_grad():
        w.weight.scale_(2.0)
    with pytest.raises(RuntimeError, match="changed in place"):
        y.sum().backward()


def test_setitem_gradient():
    x, v = leaf([1.0, 2.0, 3.0]), leaf([10.0])
    y = x * 1.0
    y[1] = v[0] * 2.0
    (y * y).sum().backward()
    same(x.grad, [2.0, 0.0, 6.0])
    same(v.grad, [80.0])


def test_detach_shares():
    x = leaf([1.0, 2.0])
    y = x.detach()
    y[0] = 5.0
    same(x, [5.0, 2.0])
    assert y.stop_gradient and x.inplace_version == 1
    z = x * x
    y[0] = 7.0
    with pytest.raises(RuntimeError, match="changed in place"):
        z.backward()


def test_clone_is_recorded():
    x = leaf([1.0, 2.0])
    y = x.clone()
    y.backward()
    same(x.grad, [1.0, 1.0])
    with paddle.no_grad():
        y[0] = 9.0
    same(x, [1.0, 2.0])


def test_numpy_is_a_copy():
    x = leaf([1.0])
    x.numpy()[0] = 5.0
    same(x, [1.0])


def test_a_tensor_cannot_be_its_own_history():
    x = leaf([1.0])
    y = x * 1.0
    for _ in range(3):
        y += y
    y.backward()
    same(x.grad, [8.0])
