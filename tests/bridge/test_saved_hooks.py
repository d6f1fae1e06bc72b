"""What the tape keeps goes through the user's hooks, and gradients stay the same."""
from __future__ import annotations

import numpy as np
import pytest

import kayax as paddle


def leaf(*shape: int) -> paddle.Tensor:
    return paddle.to_tensor(np.random.RandomState(0).standard_normal(shape).astype("float32"), stop_gradient=False)


@pytest.mark.parametrize(("fn", "kept"), [
    (lambda x: x * x.exp(), 3), (lambda x: x + 1, 0), (lambda x: paddle.matmul(x, x), 2),
    (lambda x: paddle.linalg.inv(x), 1), (lambda x: paddle.nn.functional.dropout(x, 0.5), 1)])
def test_each_kept_tensor_is_packed_and_unpacked_once(fn, kept: int) -> None:
    packed, unpacked = [], []

    def pack(x):
        packed.append(x.shape)
        return x.numpy()

    def unpack(x):
        unpacked.append(x.shape)
        return paddle.to_tensor(x)

    x, plain = leaf(3, 3), leaf(3, 3)
    paddle.seed(1)
    with paddle.autograd.saved_tensors_hooks(pack, unpack):
        y = fn(x)
    assert len(packed) == kept and not unpacked
    y.sum().backward()
    assert len(unpacked) == kept
    paddle.seed(1)
    fn(plain).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), plain.grad.numpy(), rtol=1e-5, atol=1e-5)


def test_what_a_pylayer_saves_goes_through_the_hooks() -> None:
    class Square(paddle.autograd.PyLayer):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, gradient):
            x, = ctx.saved_tensor()
            return gradient * 2 * x

    x, seen = leaf(2), []
    with paddle.autograd.saved_tensors_hooks(lambda t: seen.append("pack") or t.numpy(),
                                             lambda a: seen.append("unpack") or paddle.to_tensor(a)):
        y = Square.apply(x)
    y.sum().backward()
    assert seen == ["pack", "unpack"]
    np.testing.assert_allclose(x.grad.numpy(), 2 * x.numpy())


def test_errors() -> None:
    with pytest.raises(TypeError, match="functions"):
        paddle.autograd.saved_tensors_hooks(None, None)
    x = leaf(2)
    with paddle.autograd.saved_tensors_hooks(lambda t: t, lambda t: 3):
        y = x * x
    with pytest.raises(TypeError, match="must return a Tensor"):
        y.sum().backward()
