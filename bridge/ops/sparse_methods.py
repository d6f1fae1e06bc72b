"""Methods of dense Tensors that make sparse ones. What a sparse tensor is, is loaded when first used."""
from __future__ import annotations

from typing import Any

from kayax.bridge.registry import attach
from kayax.bridge.tensor import Tensor


def _to_sparse_coo(self: Tensor, sparse_dim: int) -> Any:
    """The values that are not zero, in coordinates of the first `sparse_dim` dimensions: a sparse tensor."""
    from kayax.bridge.sparse.tensor import from_dense
    return from_dense(self, sparse_dim)


def _to_sparse_csr(self: Tensor) -> Any:
    """The values that are not zero, in compressed rows: a sparse tensor of 2 or 3 dimensions."""
    return _to_sparse_coo(self, self.ndim).to_sparse_csr()


def _to_dense(self: Tensor) -> Tensor:
    """The Tensor itself: it is dense."""
    return self


def _only_sparse(name: str) -> Any:
    def method(self: Tensor) -> Any:
        raise TypeError(f"{name}() is a method of sparse tensors, and this one is dense: make it sparse with "
                        "to_sparse_coo(sparse_dim) or to_sparse_csr().")

    method.__name__ = method.__qualname__ = name
    method.__doc__ = "An error: it is a method of sparse tensors."
    return method


def _sparse_dim(self: Tensor) -> int:
    """0: all dimensions are dense."""
    return 0


def _dense_dim(self: Tensor) -> int:
    """The number of dimensions, all of which are dense."""
    return self.ndim


for _name in ("indices", "values", "nnz", "crows", "cols", "rows", "coalesce", "is_coalesced"):
    attach(_name, _only_sparse(_name))
attach("sparse_dim", _sparse_dim)
attach("dense_dim", _dense_dim)
attach("to_sparse_coo", _to_sparse_coo)
attach("to_sparse_csr", _to_sparse_csr)
attach("to_dense", _to_dense)
