"""Sparse tensors: facts, printing, errors, gradients that Paddle lacks. Values are compared in tests/parity."""
import numpy as np
import pytest

import kayax as paddle
from kayax import sparse

DENSE = np.array([[0, 1, 0, 2], [0, 0, 3, 0], [4, 0, 0, 0]], np.float32)


def coo(**options):
    return sparse.sparse_coo_tensor([[0, 0, 1, 2], [1, 3, 2, 0]], [1.0, 2.0, 3.0, 4.0], [3, 4], **options)


def test_facts_and_conversions():
    x = coo(stop_gradient=False)
    assert x.shape == [3, 4] and x.dtype == paddle.float32 and x.nnz() == 4 and x.ndim == 2 and len(x) == 3
    assert x.is_sparse() and x.is_sparse_coo() and not x.is_sparse_csr() and not x.stop_gradient
    assert x.sparse_dim() == 2 and x.dense_dim() == 0 and not x.is_coalesced() and x.coalesce().is_coalesced()
    for same in (x, x.to_sparse_csr(), x.to_sparse_csr().to_sparse_coo(2), paddle.to_tensor(DENSE).to_sparse_csr()):
        np.testing.assert_array_equal(same.numpy(), DENSE)
    assert x.detach().stop_gradient and x.astype("float64").dtype == paddle.float64


def test_dimensions_of_compressed_rows():
    rows = paddle.sparse.sparse_csr_tensor([0, 1, 2], [1, 0], [1.0, 2.0], [2, 2])
    assert (rows.sparse_dim(), rows.dense_dim()) == (2, 0)


def test_printing():
    assert repr(coo()) == (
        "Tensor(shape=[3, 4], dtype=paddle.float32, place=Place(cpu), stop_gradient=True, \n"
        "       indices=[[0, 0, 1, 2],\n"
        "                [1, 3, 2, 0]], \n"
        "       values=[1., 2., 3., 4.])")
    assert "crows=[0, 2, 3, 4]" in repr(coo().to_sparse_csr())


def test_gradients_of_compressed_rows():
    values = paddle.to_tensor([1.0, 2.0, 3.0, 4.0], stop_gradient=False)
    x = sparse.sparse_csr_tensor([0, 2, 3, 4], [1, 3, 2, 0], values, [3, 4], stop_gradient=False)
    (sparse.square(x).to_dense() * paddle.to_tensor(DENSE)).sum().backward()
    np.testing.assert_array_equal(values.grad.numpy(), [2, 8, 18, 32])
    np.testing.assert_array_equal(x.grad.numpy(), DENSE * DENSE * 2)


def test_a_batch_of_matrices():
    batch = np.stack([DENSE, 2 * DENSE[::-1]])
    x = paddle.to_tensor(batch).to_sparse_csr()
    assert x.crows().shape == [8]
    y = np.random.RandomState(0).standard_normal((2, 4, 2)).astype("float32")
    np.testing.assert_allclose(sparse.matmul(x, paddle.to_tensor(y)).numpy(), batch @ y, rtol=1e-6)
    np.testing.assert_array_equal(sparse.transpose(x, [0, 2, 1]).numpy(), batch.transpose(0, 2, 1))


def test_principal_components():
    u, s, v = sparse.pca_lowrank(coo(), q=2)
    centred = DENSE - DENSE.mean(0)
    np.testing.assert_allclose(s.numpy(), np.linalg.svd(centred.astype(float))[1][:2], rtol=1e-5)
    np.testing.assert_allclose((u * s).numpy(), centred @ v.numpy(), atol=1e-5)


def test_empty():
    x = paddle.zeros([2, 3]).to_sparse_coo(2)
    assert x.nnz() == 0 and x.to_dense().sum() == 0 and x.to_sparse_csr().crows().tolist() == [0, 0, 0]
    assert sparse.add(x, x).nnz() == 0


@pytest.mark.parametrize("call, error, message", [
    (lambda: sparse.sparse_coo_tensor([0, 1], [1.0, 2.0]), ValueError, r"\[sparse dimensions, nnz\]"),
    (lambda: sparse.sparse_coo_tensor([[0, 1]], [1.0]), ValueError, "a value for each place"),
    (lambda: sparse.sparse_coo_tensor([[0, 5]], [1.0, 2.0], [3]), ValueError, r"at least \[6\]"),
    (lambda: sparse.sparse_coo_tensor([[0.5]], [1.0]), TypeError, "indices must be of dtype"),
    (lambda: sparse.sparse_csr_tensor([0, 2, 1], [0, 1], [1.0, 2.0], [2, 2]), ValueError, "must rise from 0"),
    (lambda: sparse.sin(paddle.ones([2])), TypeError, "A sparse tensor was expected"),
    (lambda: sparse.add(coo(), coo().to_sparse_csr()), ValueError, "of one kind"),
    (lambda: sparse.matmul(coo(), paddle.ones([3, 2])), ValueError, "takes matrices"),
    (lambda: sparse.reshape(coo(), [5, -1]), ValueError, "has not the elements"),
    (lambda: paddle.exp(coo()), TypeError, "x.to_dense"),
    (lambda: paddle.ones([3, 4]) + coo(), TypeError, "unsupported operand"),
    (lambda: np.asarray(coo()), TypeError, "not an array"),
])
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_in_a_converted_function():
    @paddle.jit.to_static(full_graph=True)
    def product(x):
        return sparse.matmul(x.to_sparse_coo(2), x.transpose([1, 0]))

    with pytest.raises(RuntimeError, match="Where the values of a sparse tensor lie"):
        product(paddle.to_tensor(DENSE))
