"""jit.save and jit.load: a model runs, trains and is saved again without its source."""
import os
import subprocess
import sys
import textwrap
from collections import OrderedDict
from typing import NamedTuple

import numpy as np
import pytest

import kayax as paddle
from kayax import nn, static
from kayax.jit import load, save, to_static
from kayax.nn import functional as F
from kayax.static import InputSpec


class Net(nn.Layer):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(4, 8, bias_attr=False)
        self.norm = nn.BatchNorm1D(8)
        self.drop = nn.Dropout(0.5)
        self.outer = nn.Linear(8, 3)

    def forward(self, x):
        return self.outer(self.drop(F.relu(self.norm(self.inner(x)))))


def data(n=8, seed=0):
    rng = np.random.default_rng(seed)
    return paddle.to_tensor(rng.normal(size=(n, 4)).astype("float32")), paddle.to_tensor(rng.integers(0, 3, (n, 1)))


def same(a, b, rtol=2e-5):
    np.testing.assert_allclose(a.numpy(), b.numpy() if hasattr(b, "numpy") else b, rtol=rtol, atol=1e-6)


def train(net, steps=3, convert=False, seed=11):
    opt = paddle.optimizer.Adam(0.01, parameters=net.parameters())

    def step(x, y):
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        opt.step()
        opt.clear_grad()
        return loss

    run = to_static(step) if convert else step
    paddle.seed(seed)
    return [float(run(*data(seed=i))) for i in range(steps)]


SPEC = [InputSpec([None, 4], "float32", "x")]


def test_three_files(tmp_path):
    save(Net(), str(tmp_path / "deep" / "m"), input_spec=SPEC)
    assert sorted(os.listdir(tmp_path / "deep")) == ["m.pdiparams", "m.pdiparams.info", "m.pdmodel"]


@pytest.mark.parametrize("convert", [False, True], ids=["eager", "converted"])
def test_a_trained_model_trains_on(tmp_path, convert):
    net = Net()
    train(net)
    save(net, str(tmp_path / "m"), input_spec=SPEC)
    loaded = load(str(tmp_path / "m"))
    assert isinstance(loaded, nn.Layer) and loaded.training
    assert [p.name for p in loaded.parameters()] == [p.name for p in net.parameters()]
    assert list(loaded.state_dict()) == list(net.state_dict())
    np.testing.assert_allclose(train(loaded, convert=convert), train(net), rtol=2e-5)
    for name, value in net.state_dict().items():
        np.testing.assert_allclose(loaded.state_dict()[name].numpy(), value.numpy(), rtol=1e-3, atol=1e-5, err_msg=name)
    net.eval()
    loaded.eval()
    for n in (1, 5):
        same(loaded(data(n)[0]), net(data(n)[0]), 1e-3)


def test_saved_after_converted_training_without_a_spec(tmp_path):
    net = to_static(Net())
    train(net)
    save(net, str(tmp_path / "m"))
    net.eval()
    loaded = load(str(tmp_path / "m"))
    loaded.eval()
    for n in (1, 3, 8):
        same(loaded(data(n)[0]), net(data(n)[0]))


def test_evaluation_mode(tmp_path):
    net = Net()
    train(net)
    net.eval()
    save(net, str(tmp_path / "m"), input_spec=SPEC)
    loaded = load(str(tmp_path / "m"))
    assert not loaded.training
    x, _ = data()
    same(loaded(x), net(x))
    loaded(x).sum().backward()
    net(x).sum().backward()
    for p, q in zip(loaded.parameters(), net.parameters(), strict=True):
        assert (p.grad is None) == (q.grad is None)
        if p.grad is not None:
            same(p.grad, q.grad, 1e-4)


def test_saving_does_not_change_the_model(tmp_path):
    net = Net()
    net.drop.eval()
    before = {k: v.numpy() for k, v in net.state_dict().items()}
    state = paddle.get_rng_state()
    save(net, str(tmp_path / "m"), input_spec=SPEC)
    assert paddle.get_rng_state() == state and net.training and not net.drop.training
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), before[name])
    net(data()[0])


def test_dropout_and_statistics_go_on(tmp_path):
    net = Net()
    save(net, str(tmp_path / "m"), input_spec=SPEC)
    loaded = load(str(tmp_path / "m"))
    x, _ = data()
    for seed in (1, 2):
        paddle.seed(seed)
        expected = net(x)
        paddle.seed(seed)
        same(loaded(x), expected)
    same(loaded.norm._mean, net.norm._mean)
    loaded.eval()
    paddle.seed(1)
    first = loaded(x).numpy()
    paddle.seed(2)
    np.testing.assert_array_equal(loaded(x).numpy(), first)
    loaded.train()
    assert not np.array_equal(loaded(x).numpy(), loaded(x).numpy())


def test_saved_again(tmp_path):
    net = Net()
    save(net, str(tmp_path / "a"), input_spec=SPEC)
    loaded = load(str(tmp_path / "a"))
    train(loaded)
    save(loaded, str(tmp_path / "b"), input_spec=[data()[0]])
    again = load(str(tmp_path / "b"))
    loaded.eval()
    again.eval()
    for n in (2, 8):
        same(again(data(n)[0]), loaded(data(n)[0]))
    assert list(again.state_dict()) == list(net.state_dict())


def test_set_state_dict(tmp_path):
    a, b = Net(), Net()
    save(a, str(tmp_path / "m"), input_spec=SPEC)
    loaded = load(str(tmp_path / "m"))
    missing, unexpected = loaded.set_state_dict(b.state_dict())
    assert not missing and not unexpected
    loaded.eval()
    b.eval()
    same(loaded(data()[0]), b(data()[0]))


def test_load_of_the_prefix(tmp_path):
    net = Net()
    save(net, str(tmp_path / "m"), input_spec=SPEC)
    state = paddle.load(str(tmp_path / "m"))
    assert set(state) == {t.name for t in net.state_dict().values()}
    other = Net()
    for mine, theirs in zip(other.state_dict().values(), net.state_dict().values(), strict=True):
        mine.name = theirs.name
    other.set_state_dict(state, use_structured_name=False)
    same(other.inner.weight, net.inner.weight)


def test_a_function_alone(tmp_path):
    @to_static
    def fn(x):
        return paddle.tanh(x) * 2.0

    save(fn, str(tmp_path / "f"), input_spec=[InputSpec([-1, 3], "float32")])
    loaded = load(str(tmp_path / "f"))
    x = paddle.to_tensor(np.ones((2, 3), "float32"), stop_gradient=False)
    same(loaded(x), fn(x))
    loaded(x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * (1 - np.tanh(np.ones((2, 3))) ** 2), rtol=1e-5)
    save(lambda x: x + 1.0, str(tmp_path / "plain"), input_spec=[InputSpec([2], "float32")])
    same(load(str(tmp_path / "plain"))(paddle.ones([2])), [2.0, 2.0])


def test_a_function_with_captured_tensors(tmp_path):
    w = paddle.to_tensor([3.0], stop_gradient=False)
    net = nn.Linear(3, 3)
    fn = to_static(lambda x: net(x) * w)
    x = paddle.ones([2, 3])
    expected = fn(x)
    save(fn, str(tmp_path / "f"))
    loaded = load(str(tmp_path / "f"))
    same(loaded(x), expected)
    assert loaded(paddle.ones([7, 3])).shape == [7, 3]


class Several(nn.Layer):
    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(4, 5), nn.Linear(5, 2)

    @to_static(input_spec=[InputSpec([None, 4], "float32", "x")])
    def forward(self, x):
        return self.head(self.features(x))

    @to_static(input_spec=[InputSpec([None, 4], "float32", "x")])
    def features(self, x):
        return F.relu(self.body(x))


def test_several_methods(tmp_path):
    net = Several()
    save(net, str(tmp_path / "m"))
    assert sorted(os.listdir(tmp_path)) == ["m.features.pdiparams", "m.features.pdmodel", "m.pdiparams",
                                            "m.pdiparams.info", "m.pdmodel"]
    loaded = load(str(tmp_path / "m"))
    x, _ = data()
    same(loaded(x), net(x))
    same(loaded.features(x), net.features(x))
    with paddle.no_grad():
        loaded.body.weight.fill_(0.0)
        loaded.body.bias.fill_(1.0)
    same(loaded.features(x), np.ones((8, 5)))
    save(loaded, str(tmp_path / "n"), input_spec=[x])
    same(load(str(tmp_path / "n"))(x), loaded(x))


def test_properties(tmp_path):
    class Versioned(nn.Linear):
        @to_static(property=True)
        def labels(self):
            return ["cat", "dog", 3, 0.5, None]

    save(Versioned(4, 2), str(tmp_path / "m"), input_spec=SPEC)
    assert sorted(os.listdir(tmp_path)) == ["m.pdiparams", "m.pdiparams.info", "m.pdmodel"]
    loaded = load(str(tmp_path / "m"))
    assert loaded.labels() == ["cat", "dog", 3, 0.5, None]
    loaded.labels().append("changed")
    assert len(loaded.labels()) == 5

    class Bad(nn.Linear):
        @to_static(property=True)
        def thing(self):
            return object()

    with pytest.raises(TypeError, match="'thing'.*object"):
        save(Bad(4, 2), str(tmp_path / "bad"), input_spec=SPEC)


def test_loops_and_choices_are_trained_on(tmp_path):
    class Loop(nn.Layer):
        def __init__(self):
            super().__init__()
            self.cell, self.norm = nn.Linear(4, 4), nn.BatchNorm1D(4)
            self.drop, self.head = nn.Dropout(0.3), nn.Linear(4, 2)

        def forward(self, x, times):
            _, h = static.nn.while_loop(lambda i, h: i < times, lambda i, h: (i + 1, paddle.tanh(self.cell(h))),
                                        [paddle.zeros([], "int64"), x])
            h = static.nn.cond(h.mean() > 0, lambda: h * 2.0, lambda: h - 1.0)
            return self.head(self.drop(self.norm(h)))

    net = Loop()
    spec = [InputSpec(["batch", 4], "float32", "x"), InputSpec([], "int64", "times")]
    save(net, str(tmp_path / "m"), input_spec=spec)
    loaded, losses = load(str(tmp_path / "m")), {}
    for model in (net, loaded):
        opt = paddle.optimizer.SGD(0.1, parameters=model.parameters())
        paddle.seed(1)
        for times in (1, 4):
            loss = model(data()[0], paddle.to_tensor(times)).square().sum()
            loss.backward()
            opt.step()
            opt.clear_grad()
            losses.setdefault(model, []).append(float(loss))
    np.testing.assert_allclose(losses[loaded], losses[net], rtol=1e-4)
    same(loaded.norm._mean, net.norm._mean)


def test_open_dims(tmp_path):
    net = nn.Sequential(nn.Conv2D(1, 2, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2D(1), nn.Flatten(),
                        nn.Linear(2, 2))
    net.eval()
    save(net, str(tmp_path / "m"), input_spec=[InputSpec([None, 1, None, None], "float32")])
    loaded = load(str(tmp_path / "m"))
    for shape in ((1, 1, 5, 7), (3, 1, 9, 4)):
        x = paddle.to_tensor(np.random.default_rng(0).normal(size=shape).astype("float32"))
        same(loaded(x), net(x))


class Two(nn.Layer):
    def forward(self, a, b):
        return {"sum": a + b, "parts": [a * 2.0, (b, None, 3)]}


def test_two_open_batches_used_together(tmp_path):
    specs = [InputSpec([None, 2], "float32", "a"), InputSpec([None, 2], "float32", "b")]
    save(Two(), str(tmp_path / "m"), input_spec=specs)
    loaded = load(str(tmp_path / "m"))
    a, b = paddle.ones([3, 2]), paddle.full([3, 2], 2.0)
    out = loaded(a, b)
    same(out["sum"], np.full((3, 2), 3.0))
    same(out["parts"][0], np.full((3, 2), 2.0))
    assert out["parts"][1][1:] == (None, 3)
    same(loaded(a, b=b)["sum"], np.full((3, 2), 3.0))
    with pytest.raises(ValueError, match="b|batch"):
        loaded(a, paddle.ones([4, 2]))


def test_named_dims(tmp_path):
    class Outer(nn.Layer):
        def forward(self, a, b):
            return paddle.matmul(a, b)

    save(Outer(), str(tmp_path / "m"), input_spec=[InputSpec(["n", "k"], "float32"), InputSpec(["k", "m"], "float32")])
    loaded = load(str(tmp_path / "m"))
    assert loaded(paddle.ones([2, 3]), paddle.ones([3, 4])).shape == [2, 4]
    with pytest.raises(ValueError, match="k"):
        loaded(paddle.ones([2, 3]), paddle.ones([4, 4]))


def test_nested_inputs_and_python_values(tmp_path):
    class Nested(nn.Layer):
        def forward(self, items, scale=2.0, mode="plus"):
            out = items["a"] * scale
            return out + items["b"][0] if mode == "plus" else out

    spec = [{"a": InputSpec([None], "float32", "a"), "b": [InputSpec([None], "float32", "b")]}]
    save(Nested(), str(tmp_path / "m"), input_spec=[*spec, 3.0])
    loaded = load(str(tmp_path / "m"))
    one = paddle.ones([2])
    same(loaded({"a": one, "b": [one]}), [4.0, 4.0])
    same(loaded({"a": one, "b": [one]}, 3.0, "plus"), [4.0, 4.0])
    with pytest.raises(TypeError, match="minus"):
        loaded({"a": one, "b": [one]}, 3.0, "minus")
    with pytest.raises((TypeError, ValueError)):
        loaded({"a": one})


class Batch(NamedTuple):
    a: object
    rest: object


def test_named_tuples_come_in_and_go_out(tmp_path):
    class Passing(nn.Layer):
        def forward(self, batch, flag=None):
            return Batch(batch.a + 1.0, OrderedDict(z=batch.rest["b"], a=(flag, 2, "s", [])))

    spec = Batch(InputSpec([None], "float32", "a"), {"b": InputSpec([None], "float32", "b"), "n": 3})
    save(Passing(), str(tmp_path / "m"), input_spec=[spec])
    loaded, one = load(str(tmp_path / "m")), paddle.ones([2])
    out = loaded(Batch(one, {"b": one, "n": 3}))
    same(out.a, [2.0, 2.0])
    assert type(out).__name__ == "Batch" and type(out.rest) is OrderedDict and list(out.rest) == ["z", "a"]
    assert out.rest["a"] == (None, 2, "s", [])
    with pytest.raises(TypeError, match="'n': 4"):
        loaded(Batch(one, {"b": one, "n": 4}))


def test_outputs_that_are_inputs_or_parameters(tmp_path):
    class Passing(nn.Layer):
        def __init__(self):
            super().__init__()
            self.w = self.create_parameter([2])

        def forward(self, x):
            return x, self.w, x + self.w

    net = Passing()
    save(net, str(tmp_path / "m"), input_spec=[InputSpec([2], "float32")])
    x, w, total = load(str(tmp_path / "m"))(paddle.ones([2]))
    same(x, [1.0, 1.0])
    same(w, net.w)
    same(total, net.w.numpy() + 1)


def test_frozen_and_tied_parameters(tmp_path):
    class Tied(nn.Layer):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(2, 2), nn.Linear(2, 2)
            self.b.weight = self.a.weight
            self.a.bias.stop_gradient = True

        def forward(self, x):
            return self.b(self.a(x))

    net = Tied()
    save(net, str(tmp_path / "m"), input_spec=[InputSpec([None, 2], "float32")])
    loaded = load(str(tmp_path / "m"))
    x = paddle.ones([1, 2])
    net(x).sum().backward()
    loaded(x).sum().backward()
    same(loaded(x), net(x))
    found = {p.name: p for p in loaded.parameters()}
    for p in net.parameters():
        q = found[p.name]
        assert q.stop_gradient == p.stop_gradient
        assert (q.grad is None) == (p.grad is None)
        if p.grad is not None:
            same(q.grad, p.grad)


def test_second_derivative_is_refused_or_right(tmp_path):
    fn = to_static(lambda x: paddle.tanh(x))
    save(fn, str(tmp_path / "f"), input_spec=[InputSpec([1], "float32")])
    x = paddle.to_tensor([0.5], stop_gradient=False)
    first = paddle.grad(load(str(tmp_path / "f"))(x), [x], create_graph=True)[0]
    try:
        second = paddle.grad(first, [x])[0]
    except Exception as error:
        assert "saved" in str(error), error
    else:
        t = np.tanh(0.5)
        same(second, [-2 * t * (1 - t * t)], 1e-4)


def test_inference_only(tmp_path):
    net = nn.Linear(2, 2)
    save(net, str(tmp_path / "m"), input_spec=[InputSpec([None, 2], "float32")], trainable=False)
    same(load(str(tmp_path / "m"))(paddle.ones([1, 2])), net(paddle.ones([1, 2])))


def test_fresh_process_without_the_source(tmp_path):
    net = Net()
    train(net)
    save(net, str(tmp_path / "m"), input_spec=SPEC)
    net.eval()
    np.savez(tmp_path / "expected.npz", x=data()[0].numpy(), y=net(data()[0]).numpy())
    script = textwrap.dedent("""
        import numpy as np, kayax as paddle
        net = paddle.jit.load("m")
        net.eval()
        d = np.load("expected.npz")
        np.testing.assert_allclose(net(paddle.to_tensor(d["x"])).numpy(), d["y"], rtol=1e-5, atol=1e-6)
        net.train()
        opt = paddle.optimizer.SGD(0.1, parameters=net.parameters())
        for _ in range(2):
            net(paddle.to_tensor(d["x"])).sum().backward()
            opt.step()
            opt.clear_grad()
        paddle.jit.save(net, "again", input_spec=[paddle.to_tensor(d["x"])])
        print("fine", len(net.parameters()))
    """)
    (tmp_path / "run.py").write_text(script)
    done = subprocess.run([sys.executable, "run.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == f"fine {len(net.parameters())}", done.stderr
    load(str(tmp_path / "again"))


# ---- bad input ---------------------------------------------------------------------------------------------------


def test_a_spec_is_needed(tmp_path):
    with pytest.raises(ValueError, match=r"`x` of forward.*InputSpec"):
        save(Net(), str(tmp_path / "m"))
    with pytest.raises(ValueError, match="`b`"):
        save(Two(), str(tmp_path / "m"), input_spec=SPEC)
    with pytest.raises(ValueError, match="1 arguments"):
        save(Net(), str(tmp_path / "m"), input_spec=SPEC * 2)
    with pytest.raises(TypeError, match="list"):
        save(Net(), str(tmp_path / "m"), input_spec=SPEC[0])
    assert os.listdir(tmp_path) == []


def test_bad_targets(tmp_path):
    with pytest.raises(TypeError, match="int"):
        save(3, str(tmp_path / "m"))
    with pytest.raises(ValueError, match="prefix"):
        save(Net(), str(tmp_path) + os.sep, input_spec=SPEC)


def test_ambiguous_spec(tmp_path):
    with pytest.raises(ValueError, match="features"):
        save(Several(), str(tmp_path / "m"), input_spec=SPEC)


def test_wrong_calls(tmp_path):
    save(Net(), str(tmp_path / "m"), input_spec=SPEC)
    loaded = load(str(tmp_path / "m"))
    with pytest.raises(ValueError, match=r"x.*float32\[2, 5\]"):
        loaded(paddle.ones([2, 5]))
    with pytest.raises(ValueError, match=r"x.*float64"):
        loaded(paddle.ones([2, 4], "float64"))
    with pytest.raises(TypeError, match="1 arguments"):
        loaded()
    with pytest.raises(TypeError, match="1 arguments.*2"):
        loaded(paddle.ones([2, 4]), paddle.ones([2, 4]))
    with pytest.raises(TypeError, match="unexpected keyword argument 'y'"):
        loaded(y=paddle.ones([2, 4]))


def test_missing_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing"):
        load(str(tmp_path / "nothing"))
    for suffix in (".pdiparams", ".pdiparams.info"):
        save(nn.Linear(4, 1), str(tmp_path / "m"), input_spec=SPEC)
        os.remove(tmp_path / f"m{suffix}")
        with pytest.raises((FileNotFoundError, ValueError, RuntimeError), match=suffix):
            load(str(tmp_path / "m"))


@pytest.mark.parametrize("suffix", [".pdmodel", ".pdiparams", ".pdiparams.info"])
def test_cut_short(tmp_path, suffix):
    save(nn.Linear(4, 1), str(tmp_path / "m"), input_spec=SPEC)
    path = tmp_path / f"m{suffix}"
    whole = path.read_bytes()
    for n in (0, 3, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:n])
        with pytest.raises(Exception, match="m") as caught:
            load(str(tmp_path / "m"))
        assert type(caught.value).__name__ == "ModelFileError", caught.value


def test_a_step_cannot_be_saved(tmp_path):
    net = nn.Linear(4, 1)
    opt = paddle.optimizer.SGD(0.1, parameters=net.parameters())

    @to_static
    def step(x):
        net(x).sum().backward()
        opt.step()
        return x

    step(paddle.ones([2, 4]))
    with pytest.raises(RuntimeError, match="step"):
        save(step, str(tmp_path / "m"))


def test_reading_a_value_while_saving(tmp_path):
    class Bad(nn.Layer):
        def forward(self, x):
            return x * x.sum().item()

    with pytest.raises((RuntimeError, TypeError), match=r"test_jit_save\.py"):
        save(Bad(), str(tmp_path / "m"), input_spec=SPEC)


def test_a_buffer_that_is_not_persistable_is_saved_only_if_used(tmp_path):
    class Net(nn.Layer):
        def __init__(self):
            super().__init__()
            for name in ("used", "unused"):
                self.register_buffer(name, paddle.full([2], 3.0), persistable=False)

        def forward(self, x):
            return x * self.used

    save(Net(), str(tmp_path / "m"), input_spec=[InputSpec([None, 2], "float32")])
    loaded = load(str(tmp_path / "m"))
    assert list(loaded.state_dict()) == ["used"] and loaded(paddle.ones([1, 2])).tolist() == [[3, 3]]


def test_an_input_that_is_a_result_keeps_its_gradient(tmp_path):
    save(lambda x: x, str(tmp_path / "m"), input_spec=[InputSpec([None, 2], "float32")])
    x = paddle.ones([1, 2])
    x.stop_gradient = False
    (load(str(tmp_path / "m"))(x) * 3).sum().backward()
    assert x.grad.tolist() == [[3, 3]]


def test_equal_parameters_of_one_name_are_not_tied(tmp_path):
    class Twins(nn.Layer):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(2, 2, bias_attr=False), nn.Linear(2, 2, bias_attr=False)
            self.b.weight.set_value(self.a.weight.numpy())
            self.b.weight.name = self.a.weight.name

        def forward(self, x):
            return self.b(self.a(x))

    save(Twins(), str(tmp_path / "m"), input_spec=[InputSpec([None, 2], "float32")], trainable=False)
    loaded = load(str(tmp_path / "m"))
    assert loaded.a.weight is not loaded.b.weight


@pytest.mark.parametrize("norm", [nn.utils.weight_norm, nn.utils.spectral_norm])
def test_the_layers_own_hooks_are_in_the_program(norm, tmp_path):
    """A weight that a hook computes is computed from what is trained, in the loaded model too."""
    net = norm(nn.Linear(4, 3))
    save(net, str(tmp_path / "m"), input_spec=[InputSpec(["n", 4], "float32")])
    loaded, found = load(str(tmp_path / "m")), []
    for model in (net, loaded):
        model.train()
        opt = paddle.optimizer.SGD(0.1, parameters=model.parameters())
        losses = []
        for _ in range(3):
            loss = (model(paddle.arange(8, dtype="float32").reshape([2, 4]) / 8) ** 2).mean()
            loss.backward()
            opt.step()
            opt.clear_grad()
            losses.append(float(loss))
        found.append(losses)
    np.testing.assert_allclose(found[1], found[0], rtol=1e-5)
    assert found[0][-1] < found[0][0]


def test_hooks_may_be_left_out(tmp_path):
    net = nn.Linear(2, 2)
    net.register_forward_post_hook(lambda layer, inputs, outputs: outputs * 2)
    x = paddle.ones([1, 2])
    for with_hook, factor in ((True, 1), (False, 0.5)):
        save(net, str(tmp_path / "m"), input_spec=[InputSpec([1, 2])], with_hook=with_hook, trainable=False)
        np.testing.assert_allclose(load(str(tmp_path / "m"))(x).numpy(), net(x).numpy() * factor, rtol=1e-6)
