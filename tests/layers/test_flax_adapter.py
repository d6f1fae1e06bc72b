"""Flax modules as Layers: they train, convert, save and load like any other, and layers become Flax modules."""
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen, nnx

import kayax as paddle
from kayax import nn

X = np.random.RandomState(0).randn(8, 3).astype(np.float32)
Y = np.random.RandomState(1).randn(8, 4).astype(np.float32)


class Block(nnx.Module):
    def __init__(self, rngs):
        self.linear = nnx.Linear(3, 4, rngs=rngs)
        self.norm = nnx.BatchNorm(4, rngs=rngs)

    def __call__(self, x):
        return nnx.relu(self.norm(self.linear(x)))


class Compact(linen.Module):
    @linen.compact
    def __call__(self, x, train=True):
        x = linen.Dense(4)(x)
        return linen.BatchNorm(use_running_average=not train)(x)


class Both(nn.Layer):
    def __init__(self, kind):
        super().__init__()
        self.inner = Block(nnx.Rngs(0)) if kind == "nnx" else nn.FlaxLayer(Compact())
        self.head = nn.Linear(4, 4)
        self.kind = kind

    def forward(self, x):
        # An nnx module knows its mode; a linen one is told by its own argument, as in Flax.
        told = {} if self.kind == "nnx" else {"train": self.training}
        return self.head(self.inner(x, **told))


def made(kind):
    paddle.seed(3)
    net = Both(kind)
    net(paddle.to_tensor(X))                # linen makes its parameters on the first call
    return net


def step(net, optimizer, x, y):
    loss = nn.functional.mse_loss(net(x), y)
    loss.backward()
    optimizer.step()
    optimizer.clear_grad()
    return loss


@pytest.mark.parametrize("kind", ["nnx", "linen"])
def test_a_flax_module_trains_eagerly_and_converted_alike(kind):
    losses = []
    for convert in (False, True):
        net = made(kind)
        optimizer = paddle.optimizer.Adam(0.05, parameters=net.parameters())
        call = paddle.jit.to_static(step) if convert else step
        losses.append([float(call(net, optimizer, paddle.to_tensor(X), paddle.to_tensor(Y))) for _ in range(4)])
    assert losses[0][-1] < losses[0][0]
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-4)


@pytest.mark.parametrize("kind", ["nnx", "linen"])
def test_a_flax_module_is_saved_and_loaded(kind, tmp_path):
    net = made(kind)
    net.eval()
    expected = net(paddle.to_tensor(X)).numpy()
    spec = [paddle.static.InputSpec([None, 3], "float32")]
    paddle.jit.save(net, str(tmp_path / "net"), input_spec=spec)
    loaded = paddle.jit.load(str(tmp_path / "net"))
    loaded.eval()
    np.testing.assert_allclose(loaded(paddle.to_tensor(X)).numpy(), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(loaded(paddle.to_tensor(X[:3])).numpy(), expected[:3], rtol=1e-5, atol=1e-6)


def test_the_state_of_a_flax_module_is_in_the_state_dict():
    net = made("nnx")
    other = made("nnx")
    net.head.weight.set_value(np.ones((4, 4), np.float32))
    assert other.set_state_dict(net.state_dict()) == ([], [])
    net.eval()
    other.eval()
    np.testing.assert_array_equal(other(paddle.to_tensor(X)).numpy(), net(paddle.to_tensor(X)).numpy())


def test_a_layer_becomes_a_flax_module():
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh())
    module = net.to_flax()
    np.testing.assert_allclose(np.asarray(module(jnp.asarray(X))), net(paddle.to_tensor(X)).numpy(), rtol=1e-6)
    gradient = nnx.grad(lambda m: m(jnp.asarray(X)).sum())(module)
    (net(paddle.to_tensor(X)).sum()).backward()
    found = [np.asarray(leaf) for leaf in nnx.to_pure_dict(gradient).values() for leaf in (
        leaf.values() if isinstance(leaf, dict) else [leaf])]
    assert any(g.shape == (3, 4) and np.allclose(g, net[0].weight.grad.numpy(), rtol=1e-5) for g in found)
