"""What a converted function does where it cannot be one program: it runs eagerly, exactly, and says why once."""
import types
import warnings

import numpy as np
import pytest

import kayax as paddle
from kayax import nn
from kayax.bridge.errors import ConversionError, FallbackWarning
from kayax.jit import explain, to_static


class Body(nn.Layer):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 3)

    def forward(self, x):
        return self.fc(x) if x.sum() > 0 else x


class Picks(nn.Layer):
    """Keeps the rows that NumPy finds: how many, no program can know."""

    def __init__(self):
        super().__init__()
        self.body = Body()

    def forward(self, x):
        y = self.body(x)
        rows = np.nonzero(x.numpy().sum(1) > 0)[0]
        return y[paddle.to_tensor(rows)]


def test_the_function_runs_eagerly_with_one_warning_and_its_layers_are_compiled():
    net, x = Picks(), paddle.to_tensor([[1.0, 2.0, 3.0], [-1.0, -2.0, -2.5]])
    eager = net(x)
    static = to_static(net)
    with pytest.warns(FallbackWarning, match=r"Picks\.forward[\s\S]*test_fallback\.py\", line \d+"):
        first = static(x)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        second = static(x)
    np.testing.assert_allclose(first.numpy(), eager.numpy(), rtol=1e-6)
    np.testing.assert_allclose(second.numpy(), eager.numpy(), rtol=1e-6)
    second.sum().backward()
    assert net.body.fc.weight.grad is not None
    from kayax.layers.compiled import _compiled
    assert len(_compiled[net.body].programs) == 1


def test_full_graph_raises_at_the_line():
    with pytest.raises(ConversionError, match=r"test_fallback\.py\", line \d+[\s\S]*\.numpy\(\)"):
        to_static(Picks(), full_graph=True)(paddle.ones([2, 3]))


def test_an_attempt_leaves_nothing_behind():
    seen = types.SimpleNamespace(calls=0)
    kept, table = [], {"n": 0}

    def fn(x):
        seen.calls += 1
        kept.append(seen.calls)
        table["n"] += 1
        return float(x.numpy())

    with pytest.warns(FallbackWarning):
        assert to_static(fn)(paddle.to_tensor(2.0)) == 2.0
    assert (seen.calls, kept, table) == (1, [1], {"n": 1})


def test_random_numbers_of_numpy_are_drawn_in_every_call():
    def fn(x):
        return x + float(np.random.rand())

    np.random.seed(0)
    want = [1.0 + float(np.random.rand()) for _ in range(3)]
    np.random.seed(0)
    static = to_static(fn)
    with pytest.warns(FallbackWarning, match="random generator"):
        got = [float(static(paddle.to_tensor(1.0)))]
    got += [float(static(paddle.to_tensor(1.0))) for _ in range(2)]
    np.testing.assert_allclose(got, want, rtol=1e-6)


def test_what_a_program_cannot_do_is_done_by_the_eager_run():
    def fn(x):
        if x > 1:
            raise KeyError("mine")
        assert x > 0, "not positive"
        return x * 2

    static = to_static(fn, full_graph=True)
    assert float(static(paddle.to_tensor(1.0))) == 2.0
    with pytest.raises(KeyError, match="mine"):
        static(paddle.to_tensor(3.0))
    with pytest.raises(AssertionError, match="not positive"):
        static(paddle.to_tensor(-1.0))
    report = explain(static)
    assert report.bails == 2 and len(report.programs) == 1


def test_explain_names_what_differed():
    static = to_static(lambda x, k=1: x * k)
    for size in (2, 3):
        static(paddle.ones([size]))
    report = explain(static, paddle.ones([2]), k=5)
    assert len(report.programs) == 2 and "(2,) -> (3,)" in report.programs[1] and not report.fallbacks
    assert "test_fallback.py" in report.converted[0] and "2 programs" in repr(report)


def test_errors_show_the_users_frames_alone():
    def inner(x):
        return paddle.reshape(x, [7])

    def fn(x):
        if x.sum() > 0:
            x = inner(x)
        return x

    with pytest.raises(ValueError, match="reshape") as caught:
        to_static(fn)(paddle.ones([2]))
    names = [entry.name for entry in caught.traceback]
    assert names[-2:] == ["fn", "inner"] and len(names) == 4        # this test, the converted function, fn, inner


def test_a_failed_attempt_has_computed_and_printed_nothing(capsys):
    norm, kept = nn.BatchNorm1D(2), []

    def fn(x):
        print("once")
        kept.append(1)
        return norm(x)

    x = paddle.to_tensor([[1.0, 2.0], [3.0, 5.0]])
    want = nn.BatchNorm1D(2)
    want(x)
    with pytest.warns(FallbackWarning, match="a list in every call"):
        to_static(fn)(x)
    assert capsys.readouterr().out == "once\n" and kept == [1]
    np.testing.assert_allclose(norm._mean.numpy(), want._mean.numpy())


def test_the_function_is_traced_twice_and_no_more():
    runs = types.SimpleNamespace(n=0)

    def fn(x):
        runs.n = runs.n + 1
        return x * 2

    static = to_static(fn)
    with pytest.warns(FallbackWarning):         # each trace counts, the call counts once
        static(paddle.ones([2]))
    assert runs.n == 1
