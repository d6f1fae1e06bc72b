"""Functions of neural networks, against NumPy in float64 or each other; values of real Paddle are in tests/parity."""
import numpy as np
import pytest

from kayax.bridge.convert import to_tensor
from kayax.bridge.ops import common, conv, dropout, norm

RNG = np.random.default_rng(0)


def _array(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


def test_batch_norm_moves_the_running_statistics():
    x, mean, var = to_tensor(_array(8, 3, 4, 4)), to_tensor(np.zeros(3, np.float32)), to_tensor(np.ones(3, np.float32))
    norm.batch_norm(x, mean, var, training=True)
    wide = x.numpy().astype(np.float64)
    np.testing.assert_allclose(mean.numpy(), 0.1 * wide.mean((0, 2, 3)), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(var.numpy(), 0.9 + 0.1 * wide.var((0, 2, 3)), rtol=1e-5)


def test_a_convolution_says_which_channels_it_takes():
    with pytest.raises(ValueError, match="has 4 channels, but a weight"):
        conv.conv2d(to_tensor(_array(1, 4, 5, 5)), to_tensor(_array(2, 3, 3, 3)))


def test_linear_of_one_output():
    x, w = np.arange(6.0).reshape(2, 3), np.array([1.0, 2.0, 3.0])
    found = common.linear(to_tensor(x), to_tensor(w), to_tensor(np.array([5.0])))
    np.testing.assert_allclose(found.numpy(), x @ w + 5)


@pytest.mark.parametrize("name", ["dropout", "alpha_dropout"])
def test_dropout_of_integers_says_to_cast(name):
    with pytest.raises(TypeError, match="Cast it first"):
        getattr(dropout, name)(to_tensor([1, 2]), 0.25)


def test_dropout_keeps_the_mean():
    x = to_tensor(np.ones((100, 100), np.float32))
    out = dropout.dropout(x, 0.25).numpy()
    assert set(np.unique(out)) == {np.float32(0), np.float32(1 / 0.75)}
    assert abs(out.mean() - 1) < 0.05
    same = dropout.dropout(x, 0.25, training=False)         # in Paddle no memory is shared
    same.zero_()
    assert x.numpy().min() == 1 and same.numpy().max() == 0
