"""Gradients of gradients through converted Layers, whose function is run once more for them."""
import jax
import numpy as np
import pytest

import kayax as paddle
from kayax import nn


def penalized(net, x):
    """Parameters' gradients of a gradient penalty, and the buffers after two steps."""
    for _ in range(2):
        x = paddle.to_tensor(x, stop_gradient=False)
        out = net(x)
        slope, = paddle.grad(out.sum(), [x], create_graph=True)
        ((slope.norm(2, axis=1) - 1.0).square().mean() + out.mean()).backward()
    return [p.grad.numpy() for p in net.parameters() if p.grad is not None] + [b.numpy() for b in net.buffers()]


@pytest.mark.parametrize("derive", [lambda layer: layer, nn.utils.weight_norm, nn.utils.spectral_norm],
                         ids=["plain", "weight_norm", "spectral_norm"])
def test_a_gradient_penalty_with_statistics_and_computed_weights(derive):
    def made():
        paddle.seed(1)
        return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1D(4), nn.Tanh(), derive(nn.Linear(4, 2)))

    x = np.random.RandomState(0).standard_normal((5, 3)).astype("float32")
    wanted, found = penalized(made(), x), penalized(paddle.jit.to_static(made()), x)
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=1e-5)


class Bank(nn.Layer):
    def __init__(self, rows):
        super().__init__()
        self.register_buffer("rows", paddle.zeros([rows, 256]))
        self.linear = nn.Linear(2, 1)

    def forward(self, x):
        with paddle.no_grad():
            self.rows[0] = x.mean()
        return paddle.tanh(self.linear(x)) * (1 + self.rows[:3, 0].sum())


def test_a_large_tensor_that_is_overwritten_is_named():
    x = np.ones((2, 2), "float32")
    small = Bank(4)
    again = Bank(4)
    again.set_state_dict(small.state_dict())
    for a, b in zip(penalized(paddle.jit.to_static(again), x), penalized(small, x), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4)
    with pytest.raises(RuntimeError, match=r"Second derivatives through `forward`.*\n.*not_to_static"):
        penalized(paddle.jit.to_static(Bank(2048)), x)


def test_what_is_traced_once_more_leaves_nothing_behind():
    seen = []

    class Last(nn.Layer):
        def forward(self, x):
            self.last = x * 2
            if not seen:
                seen.append(1)
            return self.last.square()

    net = paddle.jit.to_static(Last())
    net(paddle.ones([2]))
    jax.clear_caches()
    x = paddle.to_tensor([1.0, 2.0], stop_gradient=False)
    slope, = paddle.grad(net(x).sum(), [x], create_graph=True)
    slope.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [8.0, 8.0])
    np.testing.assert_array_equal(net.last.numpy(), [2.0, 4.0])
    assert seen == [1]
