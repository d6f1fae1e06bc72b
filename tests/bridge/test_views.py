"""Views share memory: gradients through what is written, and converted functions against eager ones.

What shares memory with what, and the values, are compared with real Paddle in tests/parity/cases_views.py.
"""
import copy
import gc
import pickle
import warnings
import weakref

import numpy as np
import pytest

import kayax as paddle
from kayax.bridge.errors import ConversionError, FallbackWarning

X = np.arange(6, dtype="float32").reshape(2, 3)


def tensor(stop=True):
    return paddle.to_tensor(X, stop_gradient=stop)


def three():
    return paddle.to_tensor([3.0, 3.0, 3.0])


# ---- gradients: those of the same computation without in-place writes --------------------------------------------


def gradient(compute):
    a = tensor(stop=False)
    compute(a).backward()
    return a.grad.numpy()


def through_a_view(a):
    x = a * 2
    x[0].multiply_(three())
    return (x * x).sum()


def through_a_view_of_a_view(a):
    x = a * 2
    x.t()[:, 0].multiply_(three())
    return (x * x).sum()


def view_made_before(a):
    x = a * 2
    y = x[0]
    x.multiply_(paddle.full([2, 3], 3.0))
    return (y * y).sum()


def written_and_read(a):
    x = a * 2
    y, z = x[0], x.reshape([6])
    y.multiply_(three())
    z.add_(paddle.ones([6]))
    return (x * x).sum() + (y * z[:3]).sum()


@pytest.mark.parametrize("compute, value", [
    (through_a_view, lambda a: ((a * np.array([[6.0], [2.0]])) ** 2).sum()),
    (through_a_view_of_a_view, lambda a: ((a * np.array([[6.0], [2.0]])) ** 2).sum()),
    (view_made_before, lambda a: ((a[0] * 6) ** 2).sum()),
    (written_and_read, lambda a: ((a * np.array([[6.0], [2.0]]) + 1) ** 2).sum() + ((a[0] * 6 + 1) ** 2).sum()),
])
def test_gradients_go_through_a_write(compute, value):
    def differences(a, eps=1e-4):
        found = np.zeros_like(a)
        for i in np.ndindex(a.shape):
            step = np.zeros_like(a)
            step[i] = eps
            found[i] = (value(a + step) - value(a - step)) / (2 * eps)
        return found

    wanted = differences(X.astype("float64"))
    np.testing.assert_allclose(gradient(compute), wanted, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(gradient(paddle.jit.to_static(compute, full_graph=True)), wanted, rtol=1e-4, atol=1e-3)


def test_what_is_written_may_want_a_gradient():
    x = tensor()
    w = paddle.to_tensor([1.0, 2.0, 3.0], stop_gradient=False)
    y, z = x[0], x[:, 1]
    y.add_(w)
    assert not x.stop_gradient and not y.stop_gradient
    (z * 2).sum().backward()                                # z sees w's second element
    assert w.grad.numpy().tolist() == [0.0, 2.0, 0.0]


def test_an_old_value_that_a_gradient_needs():
    a = tensor(stop=False)
    x = a * 1
    y = x[0]
    loss = (y * y).sum()
    x[1].add_(three())
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()


def test_the_elements_of_windows_share_memory():
    windows = paddle.arange(5).unfold(0, 3, 1)
    with pytest.raises(RuntimeError, match="share memory with each other"):
        windows.add_(paddle.ones([3, 3], "int64"))


# ---- what else holds tensors ---------------------------------------------------------------------------------------


def test_copies_share_nothing():
    x = tensor()
    y = x[0]
    for other in (copy.deepcopy(y), pickle.loads(pickle.dumps(y)), y.clone()):
        other.zero_()
        assert other.numpy().tolist() == [0, 0, 0]
    np.testing.assert_array_equal(x.numpy(), X)


def test_an_optimizer_step_is_seen():
    layer = paddle.nn.Linear(2, 2)
    flat = layer.weight.reshape([-1])
    optimizer = paddle.optimizer.SGD(1.0, parameters=layer.parameters())
    layer(paddle.ones([1, 2])).sum().backward()
    optimizer.step()
    np.testing.assert_array_equal(flat.numpy(), layer.weight.numpy().ravel())


def test_a_copy_keeps_nothing_alive():
    """A view keeps the memory that it shares; the rows of a transposed matrix in order are a copy."""
    def held(make):
        x = tensor()
        base = weakref.ref(x.storage)
        out = make(x)
        del x
        gc.collect()
        return base() is not None and out is not None

    assert held(lambda x: x.t()) and held(lambda x: x.reshape([6]).reshape([3, 2]))
    assert not held(lambda x: x.t().reshape([6]))
    assert not held(lambda x: x.t()[0] + 1)


# ---- converted functions ---------------------------------------------------------------------------------------------


def values(found):
    return [t.numpy().tolist() for t in (found if isinstance(found, (list, tuple)) else [found])]


def same(function, *arguments, fallback=False):
    """Run twice eagerly and converted, and compare the results, the arguments and what is written to the results."""
    found = []
    for f in (function, paddle.jit.to_static(function, full_graph=not fallback)):
        given = [argument() for argument in arguments]
        rounds = []
        for _ in range(2):
            out = f(*given)
            rounds.append(values(out))
        first = out[0] if isinstance(out, (list, tuple)) else out
        first.add_(paddle.ones(first.shape))
        found.append((rounds, values(out), values(given)))
    assert found[0] == found[1]


def write_a_part(x):
    y = x * 2
    z = y[0]
    z.add_(three())
    y[:, 1].fill_(7.0)
    return y, z


def write_an_argument(x):
    x[0].add_(three())
    return x * 1


def part_of_an_argument(x):
    return x.t()[1:]


def parts_of_a_result(x):
    y = x * 2
    return y[0], y


def detached(x):
    return x.detach(), x[0]


def twice(x):
    y = x * 2
    return y, y, y.detach()


def written_on_one_path(x, flag):
    y = x * 2
    z = y[0]
    if flag:
        z.add_(three())
    else:
        y.add_(three())
    return y * 1, z * 1


def written_in_a_loop(x, n):
    y = x * 1
    z = y[0]
    total = paddle.zeros([3])
    i = paddle.zeros([], "int64")
    while i < n:
        y[i].add_(three())
        total = total + z
        i = i + 1
    return y * 1, total


@pytest.mark.parametrize("function, arguments", [
    (write_a_part, []), (write_an_argument, []), (part_of_an_argument, []), (parts_of_a_result, []), (detached, []),
    (twice, []), (written_on_one_path, [True]), (written_in_a_loop, [2]),
])
def test_converted(function, arguments):
    same(function, tensor, *(lambda v=v: paddle.to_tensor(v) for v in arguments))


def one_or_the_other(x, flag):
    y = x * 2
    if flag:
        z = y[0]
    else:
        z = y[1]
    y.add_(three())
    return z * 1


def test_what_a_program_cannot_tell_runs_eagerly():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FallbackWarning)
        same(one_or_the_other, tensor, lambda: paddle.to_tensor(True), fallback=True)
    with pytest.raises(ConversionError, match="changed in place"):
        paddle.jit.to_static(one_or_the_other, full_graph=True)(tensor(), paddle.to_tensor(True))


def test_arguments_that_share_memory():
    def write_the_first(a, b):
        a.add_(three())
        return b * 2

    converted = paddle.jit.to_static(write_the_first)
    assert values(converted(tensor(), tensor()[0])) == [[0, 2, 4]]
    x = tensor()
    with pytest.warns(FallbackWarning):
        assert values(converted(x, x[0])) == [[6, 8, 10]]
    assert values(converted(tensor(), tensor()[0])) == [[0, 2, 4]]


def test_a_buffer_and_its_view_outside():
    def step(x):
        part.add_(three())
        return x + buffer

    found = []
    for f in (step, paddle.jit.to_static(step, full_graph=True)):
        buffer = tensor()
        part = buffer[0]
        found.append([values(f(tensor())), values(f(tensor())), values([buffer, part])])
    assert found[0] == found[1]


def test_an_argument_that_is_part_of_a_buffer():
    def step(x):
        buffer.add_(three())
        return x * 2

    converted = paddle.jit.to_static(step)
    buffer = tensor()
    assert values(converted(tensor()[0])) == [[0, 2, 4]]
    with pytest.warns(FallbackWarning):
        assert values(converted(buffer[0])) == [[12, 14, 16]]


def test_a_part_that_the_program_chose_is_not_written():
    row = paddle.jit.to_static(lambda x, i: x[i])(tensor(), paddle.to_tensor(1))
    assert values(row * 1) == [[3, 4, 5]]
    with pytest.raises(RuntimeError, match="clone"):
        row.add_(three())


def test_a_whole_step_with_views():
    def step(x):
        hidden = weight * 1
        hidden[0].multiply_(x)
        loss = (hidden * hidden).sum()
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()
        return loss

    found = []
    for f in (step, paddle.jit.to_static(step, full_graph=True)):
        weight = paddle.create_parameter([2, 3], "float32", default_initializer=paddle.nn.initializer.Assign(X))
        flat = weight.reshape([-1])
        optimizer = paddle.optimizer.SGD(0.1, parameters=[weight])
        losses = [f(three()).item() for _ in range(2)]
        found.append((losses, flat.numpy()))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-5)
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-5)
