"""`jit.loop_bound`, and lists of staged length in saved programs."""
import numpy as np
import pytest

import kayax as paddle
from kayax.bridge.errors import ConversionError
from kayax.static import InputSpec


@pytest.mark.parametrize("n", [-1, 1.5, True, None])
def test_a_bound_is_a_whole_number(n):
    with pytest.raises(TypeError, match="loop_bound takes a Python int"):
        paddle.jit.loop_bound(n)


def test_bounds_hold_inside_of_their_block():
    @paddle.jit.to_static(full_graph=True)
    def count(n, x):
        items = []
        with paddle.jit.loop_bound(3):
            with paddle.jit.loop_bound(1):
                pass
            for _ in range(n):
                x = x + 1.0
                items.append(x)
        for _ in range(n):
            x = x + 1.0
            items.append(x)
        return len(items)

    with pytest.raises(ConversionError, match="loop_bound"):
        count(paddle.to_tensor(2), paddle.ones([1]))


def test_a_saved_program_uses_lists_whose_bound_is_certain(tmp_path):
    def some(x, n):
        items = [x.sum()]
        for v in x:
            items.append(v * 2.0)
            if v > n:
                break
        left = [v for v in items if v > 1.0]
        total = x * 0.0
        for i, v in enumerate(left):
            total = total + v * i
        return total, items[-1], len(left) + x[0], paddle.stack(items).mean(), max(items), sum(left)

    specs = [InputSpec([3]), InputSpec([])]
    path = str(tmp_path / "some")
    paddle.jit.save(paddle.jit.to_static(some, input_spec=specs, full_graph=True), path)
    loaded = paddle.jit.load(path)
    for n in (0.0, 9.0):
        arguments = paddle.to_tensor([1.0, -2.0, 3.0]), paddle.to_tensor(n)
        for a, b in zip(some(*arguments), loaded(*arguments), strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6)


def returned(x):
    return [v for v in x if v > 0]


def stacked(x):
    return paddle.stack([x[0], *[v for v in x if v > 0]])


def perhaps_empty(x):
    return max(v for v in x if v > 0)


def perhaps_too_short(x):
    return [x[0], *[v for v in x if v > 0]][1]


def perhaps_too_long(x):
    items = [x]
    with paddle.jit.loop_bound(3):
        while items[-1].sum() < 9.0:
            items.append(items[-1] * 2.0)
    return items[-1]


@pytest.mark.parametrize("function, mend", [
    (returned, "tensor of fixed size"), (stacked, "tensor of fixed size"), (perhaps_empty, "always there"),
    (perhaps_too_short, "Go over the list"), (perhaps_too_long, "known length")])
def test_what_a_saved_program_cannot_check_is_an_error(function, mend, tmp_path):
    with pytest.raises(ConversionError, match=f"A saved program cannot.*\n(.*\n)*.*{mend}"):
        paddle.jit.save(paddle.jit.to_static(function, input_spec=[InputSpec([2])]), str(tmp_path / "some"))
