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


attach("to_sparse_coo", _to_sparse_coo)
attach("to_sparse_csr", _to_sparse_csr)
attach("to_dense", _to_dense)
