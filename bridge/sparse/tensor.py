"""Sparse tensors in coordinates (COO) and in compressed rows (CSR)."""
from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from kayax.bridge.convert import to_tensor
from kayax.bridge.ops.manipulation import cast
from kayax.bridge.printing import body_of
from kayax.bridge.sparse.values import host, pick, place
from kayax.bridge.tensor import Tensor
from kayax.spec.dtype import DType
from kayax.spec.size import Size


def _index(array: Any, dtype: Any = np.int64) -> Tensor:
    return to_tensor(np.asarray(array, dtype))


class SparseTensor:
    """What both kinds share. `values` is a Tensor: gradients go through it, and no other memory is used.

    A sparse tensor is not a `paddle.Tensor` here: functions of dense Tensors refuse it, and `to_dense()` makes one.
    """

    __slots__ = ("_shape", "_values", "name")
    __array_priority__ = 200
    _shape: tuple[int, ...]
    _values: Tensor

    # ---- facts -----------------------------------------------------------------------------------------------

    @property
    def shape(self) -> Size:
        """The sizes of the dimensions."""
        return Size(self._shape)

    @property
    def ndim(self) -> int:
        return len(self._shape)

    @property
    def dtype(self) -> DType:
        """The data type of the values."""
        return self._values.dtype

    @property
    def place(self) -> Any:
        return self._values.place

    @property
    def stop_gradient(self) -> bool:
        """Whether no gradient goes through the values."""
        return self._values.stop_gradient

    @stop_gradient.setter
    def stop_gradient(self, value: bool) -> None:
        self._values.stop_gradient = value

    @property
    def is_leaf(self) -> bool:
        return self._values.is_leaf

    @property
    def grad(self) -> SparseTensor | None:
        """The gradient, at the same places, or None."""
        grad = self._values.grad
        return None if grad is None else self.with_values(grad)

    def values(self) -> Tensor:
        """The values, [nnz, ...]."""
        return self._values

    def nnz(self) -> int:
        """How many values there are."""
        return self._values.shape[0]

    def dim(self) -> int:
        """The number of dimensions."""
        return self.ndim

    def is_sparse(self) -> bool:
        """True."""
        return True

    def is_dense(self) -> bool:
        """False."""
        return False

    def is_sparse_coo(self) -> bool:
        """Whether the values lie in coordinates."""
        return isinstance(self, SparseCooTensor)

    def is_sparse_csr(self) -> bool:
        """Whether the values lie in compressed rows."""
        return isinstance(self, SparseCsrTensor)

    def is_same_shape(self, y: Any) -> bool:
        """Whether two tensors have the same shape."""
        return tuple(self.shape) == tuple(y.shape)

    def __len__(self) -> int:
        return self._shape[0]

    def __jax_array__(self) -> Any:
        raise TypeError("A sparse tensor was given to a function of dense Tensors. Use the one of paddle.sparse, or "
                        "pass x.to_dense().")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        raise TypeError("A sparse tensor is not an array: use x.numpy() for all of it, or x.values().numpy().")

    # ---- made from it ----------------------------------------------------------------------------------------

    def with_values(self, values: Tensor) -> Any:
        """Other values at the same places."""
        raise NotImplementedError

    def to_dense(self) -> Tensor:
        """All of it as a Tensor."""
        raise NotImplementedError

    def to_sparse_coo(self, sparse_dim: int | None = None) -> SparseCooTensor:
        """The same in coordinates."""
        raise NotImplementedError

    def numpy(self) -> np.ndarray:
        """All of it as a NumPy array."""
        return self.to_dense().numpy()

    def detach(self) -> Any:
        """The same without a gradient."""
        return self.with_values(self._values.detach())

    def clone(self) -> Any:
        """A copy of the values at the same places, with a gradient."""
        return self.with_values(self._values.clone())

    def astype(self, dtype: Any) -> Any:
        """The values in another dtype."""
        return self.with_values(cast(self._values, dtype))

    cast = astype

    def backward(self, grad_tensor: Any = None, retain_graph: bool = False) -> None:
        """Gradients of what the values depend on; `grad_tensor` is a sparse tensor with values at the same places."""
        self._values.backward(None if grad_tensor is None else grad_tensor.values(), retain_graph)

    def _text(self, **parts: Tensor) -> str:
        head = (f"Tensor(shape={list(self._shape)}, dtype=paddle.{self.dtype.name}, place={self.place}, "
                f"stop_gradient={self.stop_gradient}")
        bodies = (f"{name}={body_of(part, 8 + len(name))}" for name, part in parts.items())
        return ", \n       ".join([head, *bodies]) + ")"


class SparseCooTensor(SparseTensor):
    """Values [nnz, ...dense] at indices int64 [sparse dimensions, nnz]."""

    __slots__ = ("_coalesced", "_indices")

    def __init__(self, indices: Tensor, values: Tensor, shape: Sequence[int], coalesced: bool = False):
        self._indices, self._values, self._shape, self._coalesced = indices, values, tuple(shape), coalesced
        self.name = None

    def __repr__(self) -> str:
        return self._text(indices=self._indices, values=self._values)

    def indices(self) -> Tensor:
        """The places of the values, [sparse dimensions, nnz]."""
        return self._indices

    def sparse_dim(self) -> int:
        """How many dimensions have indices."""
        return self._indices.shape[0]

    def dense_dim(self) -> int:
        """How many dimensions each value has."""
        return self.ndim - self.sparse_dim()

    def is_coalesced(self) -> bool:
        """Whether it is known that places are in order and differ."""
        return self._coalesced

    def with_values(self, values: Tensor) -> SparseCooTensor:
        """Other values at the same places."""
        return SparseCooTensor(self._indices, values, self._shape, self._coalesced)

    # ---- places on the host ----------------------------------------------------------------------------------

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes of the sparse dimensions."""
        return self._shape[:self.sparse_dim()]

    def keys(self) -> np.ndarray:
        """Each place as one number: its position in the flattened sparse dimensions."""
        return np.ravel_multi_index(tuple(host(self._indices)), self.sizes) if self.nnz() else np.zeros(0, np.int64)

    @classmethod
    def at_keys(cls, keys: np.ndarray, values: Tensor, sizes: Sequence[int], like: Any = np.int64,
                ordered: bool = True) -> SparseCooTensor:
        """Values at places that are given as numbers."""
        indices = np.stack(np.unravel_index(keys, tuple(sizes))) if keys.size else np.zeros((len(sizes), 0))
        return cls(_index(indices, like), values, (*sizes, *values.shape[1:]), ordered)

    # ---- made from it ----------------------------------------------------------------------------------------

    def to_dense(self) -> Tensor:
        """All of it as a Tensor; values at equal places add up."""
        return place(self._values, self.keys(), math.prod(self.sizes)).reshape(list(self._shape))

    def coalesce(self) -> SparseCooTensor:
        """The same with places in order, each once: values at equal places add up."""
        if self._coalesced:
            return self
        keys, positions = np.unique(self.keys(), return_inverse=True)
        dtype = self._indices.dtype.numpy
        return SparseCooTensor.at_keys(keys, place(self._values, positions, len(keys)), self.sizes, dtype)

    def to_sparse_coo(self, sparse_dim: int | None = None) -> SparseCooTensor:
        """The tensor itself."""
        return self

    def to_sparse_csr(self) -> SparseCsrTensor:
        """The same in compressed rows, with 2 or 3 sparse dimensions."""
        if self.ndim not in (2, 3) or self.dense_dim():
            raise ValueError(f"Only matrices and batches of them have compressed rows, but the shape is {self.shape} "
                             f"with {self.dense_dim()} dense dimensions.")
        keys = self.keys()
        order = np.argsort(keys, kind="stable")
        rows, cols = np.divmod(keys[order], self._shape[-1])
        counts = np.bincount(rows, minlength=math.prod(self._shape[:-1])).reshape(-1, self._shape[-2])
        crows = np.concatenate([np.zeros((len(counts), 1), np.int64), np.cumsum(counts, 1)], 1).ravel()
        dtype = self._indices.dtype.numpy
        return SparseCsrTensor(_index(crows, dtype), _index(cols, dtype), pick(self._values, order), self._shape)


class SparseCsrTensor(SparseTensor):
    """Values [nnz] of a matrix, or of a batch of them, row by row.

    crows: [batch * (rows + 1)], where each row starts. cols: [nnz], the columns.
    """

    __slots__ = ("_cols", "_crows")

    def __init__(self, crows: Tensor, cols: Tensor, values: Tensor, shape: Sequence[int]):
        self._crows, self._cols, self._values, self._shape = crows, cols, values, tuple(shape)
        self.name = None

    def __repr__(self) -> str:
        return self._text(crows=self._crows, cols=self._cols, values=self._values)

    def crows(self) -> Tensor:
        """Where each row starts."""
        return self._crows

    def cols(self) -> Tensor:
        """The columns of the values."""
        return self._cols

    def sparse_dim(self) -> int:
        """2: rows and columns."""
        return 2

    def dense_dim(self) -> int:
        """0: each value is a number."""
        return 0

    def with_values(self, values: Tensor) -> SparseCsrTensor:
        """Other values at the same places."""
        return SparseCsrTensor(self._crows, self._cols, values, self._shape)

    def rows(self) -> np.ndarray:
        """The row of each value, numbered on through the batch."""
        counts = np.diff(host(self._crows).reshape(-1, self._shape[-2] + 1), axis=1).ravel()
        return np.repeat(np.arange(len(counts)), counts)

    def to_sparse_coo(self, sparse_dim: int | None = None) -> SparseCooTensor:
        """The same in coordinates."""
        rows = self.rows()
        before = [rows] if self.ndim == 2 else np.divmod(rows, self._shape[-2])
        indices = np.stack([*before, host(self._cols)])
        return SparseCooTensor(_index(indices, self._crows.dtype.numpy), self._values, self._shape)

    def to_sparse_csr(self) -> SparseCsrTensor:
        """The tensor itself."""
        return self

    def to_dense(self) -> Tensor:
        """All of it as a Tensor."""
        return self.to_sparse_coo().to_dense()


def from_dense(x: Tensor, sparse_dim: int) -> SparseCooTensor:
    """The values that are not zero, in coordinates of the first `sparse_dim` dimensions."""
    if not 0 < sparse_dim <= x.ndim:
        raise ValueError(f"sparse_dim must be from 1 to {x.ndim}, but got {sparse_dim}.")
    array, sizes = host(x), x.shape[:sparse_dim]
    flat = array.reshape(math.prod(sizes), -1)
    keys = np.flatnonzero(np.any(flat != 0, 1))
    return SparseCooTensor.at_keys(keys, pick(x.reshape([math.prod(sizes), *x.shape[sparse_dim:]]), keys), sizes)
