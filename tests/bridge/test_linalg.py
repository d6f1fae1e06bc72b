"""Linear algebra against NumPy in float64, and the errors."""
import numpy as np
import pytest

import kayax as paddle

RNG = np.random.default_rng(0)
SQUARE = RNG.standard_normal((2, 4, 4)) + 4 * np.eye(4)
TALL = RNG.standard_normal((5, 3))
POSITIVE = SQUARE @ np.swapaxes(SQUARE, -1, -2)


def test_factors_multiply_to_the_matrix():
    q, r = paddle.linalg.qr(paddle.to_tensor(TALL))
    np.testing.assert_allclose((q @ r).numpy(), TALL, atol=1e-12)
    u, s, vh = paddle.linalg.svd(paddle.to_tensor(TALL))
    np.testing.assert_allclose((u * s @ vh).numpy(), TALL, atol=1e-12)
    p, lower, upper = paddle.linalg.lu_unpack(*paddle.linalg.lu(paddle.to_tensor(SQUARE)))
    np.testing.assert_allclose((p @ lower @ upper).numpy(), SQUARE, atol=1e-12)
    values, vectors = paddle.linalg.eigh(paddle.to_tensor(POSITIVE[0]))
    np.testing.assert_allclose((vectors * values @ vectors.t()).numpy(), POSITIVE[0], atol=1e-10)


@pytest.mark.parametrize("upper", [False, True])
def test_cholesky_and_its_solutions(upper):
    a, b = paddle.to_tensor(POSITIVE), paddle.to_tensor(SQUARE)
    factor = paddle.linalg.cholesky(a, upper=upper)
    product = paddle.matmul(factor, factor, transpose_x=upper, transpose_y=not upper)
    np.testing.assert_allclose(product.numpy(), POSITIVE, atol=1e-10)
    solution = paddle.linalg.cholesky_solve(b, factor, upper=upper)
    np.testing.assert_allclose(solution.numpy(), np.linalg.solve(POSITIVE, SQUARE), rtol=1e-6)
    inverse = paddle.linalg.cholesky_inverse(factor, upper)
    np.testing.assert_allclose(inverse.numpy(), np.linalg.inv(POSITIVE), rtol=1e-6)


@pytest.mark.parametrize("trans", ["N", "T"])
def test_lu_solve(trans):
    factors, pivots = paddle.linalg.lu(paddle.to_tensor(SQUARE))
    b = RNG.standard_normal((2, 4, 3))
    matrix = SQUARE if trans == "N" else np.swapaxes(SQUARE, -1, -2)
    got = paddle.linalg.lu_solve(paddle.to_tensor(b), factors, pivots, trans)
    np.testing.assert_allclose(got.numpy(), np.linalg.solve(matrix, b), rtol=1e-8)


def test_solve_takes_matrices_and_batches_of_vectors_from_either_side():
    a, b = paddle.to_tensor(SQUARE), RNG.standard_normal((2, 4))
    expected = np.linalg.solve(SQUARE, b[..., None])[..., 0]
    np.testing.assert_allclose(paddle.linalg.solve(a, paddle.to_tensor(b)).numpy(), expected)
    right = RNG.standard_normal((2, 3, 4))
    out = paddle.linalg.solve(a, paddle.to_tensor(right), left=False)
    np.testing.assert_allclose((out @ a).numpy(), right, atol=1e-12)


def test_least_squares_and_rank():
    y = RNG.standard_normal((5, 2))
    solution, residuals, rank, values = paddle.linalg.lstsq(paddle.to_tensor(TALL), paddle.to_tensor(y), driver="gelsd")
    expected = np.linalg.lstsq(TALL, y, rcond=None)
    for got, wanted in zip((solution, residuals, rank, values), expected, strict=True):
        np.testing.assert_allclose(got.numpy(), wanted)
    low = paddle.to_tensor(np.outer(TALL[:, 0], TALL[:, 1]))
    assert int(paddle.linalg.matrix_rank(low)) == 1


@pytest.mark.parametrize("p", [1, 2, 3.5, np.inf, -np.inf, 0])
def test_vector_norms(p):
    got = paddle.norm(paddle.to_tensor(TALL), p, axis=1)
    np.testing.assert_allclose(got.numpy(), np.linalg.norm(TALL, p, axis=1))


@pytest.mark.parametrize("p", ["fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf])
def test_matrix_norms(p):
    got = paddle.linalg.matrix_norm(paddle.to_tensor(SQUARE), p, keepdim=True)
    np.testing.assert_allclose(got.numpy()[:, 0, 0], np.linalg.norm(SQUARE, p, axis=(1, 2)))


def test_distances_by_products_agree_with_the_direct_ones():
    x = paddle.to_tensor(RNG.standard_normal((30, 3)))
    quick = paddle.cdist(x, x)
    direct = paddle.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist")
    np.testing.assert_allclose(quick.numpy(), direct.numpy(), atol=1e-6)


@pytest.mark.parametrize("call", [
    lambda x: paddle.inverse(x), lambda x: paddle.linalg.det(x), lambda x: paddle.mm(x, x), lambda x: paddle.bmm(x, x),
    lambda x: paddle.linalg.matrix_norm(x, 3), lambda x: paddle.cross(x, x, axis=0), lambda x: paddle.t(x[None]),
    lambda x: paddle.linalg.qr(x, "full"),
])
def test_wrong_shapes_are_value_errors(call):
    with pytest.raises(ValueError, match=r"must|need|takes"):
        call(paddle.to_tensor(TALL))
