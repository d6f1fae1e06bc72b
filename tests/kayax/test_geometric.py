"""Errors and sampling of paddle.geometric. Values are compared in tests/parity."""
import numpy as np
import pytest

import kayax as paddle
from kayax import geometric

ROW, COLPTR = paddle.to_tensor([3, 7, 5, 1, 2, 4, 6, 9]), paddle.to_tensor([0, 3, 3, 7, 8])


def test_samples_are_neighbours_without_repetition():
    for _ in range(5):
        nodes = paddle.to_tensor([2, 0])
        found, counts, edges = geometric.sample_neighbors(ROW, COLPTR, nodes, 2, paddle.arange(8), True)
        assert counts.tolist() == [2, 2]
        assert set(found.tolist()[:2]) <= {1, 2, 4, 6} and set(found.tolist()[2:]) <= {3, 7, 5}
        assert len(set(edges.tolist())) == 4
        np.testing.assert_array_equal(ROW.numpy()[edges.numpy()], found.numpy())


def test_samples_follow_the_seed_and_the_weights():
    def draw():
        paddle.seed(3)
        return geometric.sample_neighbors(ROW, COLPTR, paddle.to_tensor([2, 0]), 2)[0].tolist()

    assert draw() == draw()
    weights = paddle.to_tensor([0.0, 1, 0, 0, 0, 0, 1, 0])
    for _ in range(5):
        found, _ = geometric.weighted_sample_neighbors(ROW, COLPTR, weights, paddle.to_tensor([0, 2]), 1)
        assert found.tolist() == [7, 6]


def test_errors():
    with pytest.raises(ValueError, match="eids must be given"):
        geometric.sample_neighbors(ROW, COLPTR, paddle.to_tensor([0]), return_eids=True)
    with pytest.raises(ValueError, match="reduce_op must be one of sum, mean, max, min"):
        geometric.send_u_recv(paddle.ones([2, 2]), paddle.to_tensor([0]), paddle.to_tensor([1]), "prod")
    with pytest.raises(ValueError, match="one for each row"):
        geometric.segment_sum(paddle.ones([2, 2]), paddle.to_tensor([0]))
    total = paddle.jit.to_static(lambda x, i: geometric.segment_sum(x, i), full_graph=True)
    with pytest.raises(RuntimeError, match="send_u_recv with out_size"):
        total(paddle.ones([2, 2]), paddle.to_tensor([0, 1]))
