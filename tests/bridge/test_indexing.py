"""Indexing: what the comparison with Paddle's values does not cover: errors, programs per index, writes into leaves."""
import numpy as np
import pytest

import kayax as paddle
from kayax.bridge.ops import indexing


@pytest.mark.parametrize("index", [5, -4, (0, 4), (0, 0, 0), (..., 9), np.array([3])])
def test_out_of_range_is_an_index_error(index):
    with pytest.raises(IndexError):
        paddle.zeros([3, 4])[index]


@pytest.mark.parametrize("index", [1.0, "a", paddle.to_tensor([0.0, 1.0]), slice(None, None, 0)])
def test_wrong_kinds_of_index(index):
    with pytest.raises(ValueError):
        paddle.zeros([3, 4])[index]


def test_an_integer_that_varies_is_one_program():
    x = paddle.arange(30).reshape([10, 3])
    x[0], x[0:2]
    before = [c.forward._cache_size() for c in indexing._calls.values()]
    assert [x[i].tolist() for i in range(10)] == x.tolist()
    assert [x[i:i + 2].tolist() for i in range(8)] == [x.tolist()[i:i + 2] for i in range(8)]
    assert [c.forward._cache_size() for c in indexing._calls.values()] == before


def test_a_leaf_that_requires_a_gradient_cannot_be_written():
    x = paddle.ones([2, 3])
    x.stop_gradient = False
    with pytest.raises(ValueError, match="in place"):
        x[0] = 1.0
    with paddle.no_grad():
        x[0] = 2.0
    assert x[0].tolist() == [2.0, 2.0, 2.0]


def test_a_complex_value_does_not_lose_its_imaginary_part():
    x = paddle.zeros([2])
    with pytest.raises(ValueError, match="complex"):
        x[0] = 1j


def test_a_detached_tensor_sees_the_write():
    x = paddle.zeros([2, 2])
    y = x.detach()
    x[0] = 1.0
    assert y.tolist() == [[1.0, 1.0], [0.0, 0.0]]
