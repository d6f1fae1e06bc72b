"""Jacobians and Hessians, against the derivatives of polynomials in NumPy."""
import numpy as np
import pytest

import kayax as paddle
from kayax.autograd import hessian, jacobian

X, Y = np.array([1.0, 2.0, 3.0]), np.array([2.0, -1.0, 0.5])


def leaves():
    return paddle.to_tensor(X, stop_gradient=False), paddle.to_tensor(Y, stop_gradient=False)


def test_jacobian_of_several_inputs():
    x, y = leaves()
    by_x, by_y = jacobian(x * x * y, (x, y))
    np.testing.assert_allclose(by_x.numpy(), np.diag(2 * X * Y))
    np.testing.assert_allclose(by_y.numpy(), np.diag(X * X))


def test_hessian():
    x, y = leaves()
    (xx, xy), (yx, yy) = hessian((x * x * y).sum(), (x, y))
    for got, wanted in ((xx, 2 * Y), (xy, 2 * X), (yx, 2 * X), (yy, 0 * X)):
        np.testing.assert_allclose(got.numpy(), np.diag(wanted))


def test_samples_are_independent():
    x = paddle.to_tensor(np.stack([X, Y]), stop_gradient=False)
    np.testing.assert_allclose(jacobian((x * x)[:, :2], x, batch_axis=0)[1].numpy(), np.diag(2 * Y)[:2])
    np.testing.assert_allclose(hessian((x ** 3).sum(1), x, batch_axis=0)[0].numpy(), np.diag(6 * X))


def test_wrong_shapes():
    x, _ = leaves()
    with pytest.raises(ValueError, match="dimensions"):
        jacobian(paddle.ones([2, 2]) * 1, x)
    with pytest.raises(ValueError, match="one number"):
        hessian(x * x, x)
