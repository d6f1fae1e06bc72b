"""Functions of two sparse tensors, or of a sparse and a dense one."""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kayax.bridge.registry import op
from kayax.bridge.sparse.tensor import SparseCooTensor, SparseTensor
from kayax.bridge.sparse.values import pick, place
from kayax.bridge.tensor import Tensor
from kayax.sparse.unary import _as_kind, need_sparse, of_values


def is_same_shape(x: Any, y: Any) -> bool:
    """Whether two tensors, sparse or dense, have the same shape."""
    return tuple(x.shape) == tuple(y.shape)


# ---- element by element --------------------------------------------------------------------------------------------

def _pair(x: Any, y: Any, name: str) -> tuple[SparseCooTensor, SparseCooTensor]:
    """Two sparse tensors of one kind and shape, in ordered coordinates."""
    need_sparse(x)
    if not isinstance(y, SparseTensor):
        raise TypeError(f"sparse.{name} takes two sparse tensors, but the second is {type(y).__name__}: use "
                        "x.to_dense() or y.to_sparse_coo().")
    if type(x) is not type(y):
        raise ValueError(f"sparse.{name} takes two sparse tensors of one kind, but got {type(x).__name__} and "
                         f"{type(y).__name__}: convert one of them.")
    if x.shape != y.shape:
        raise ValueError(f"sparse.{name} takes tensors of one shape, but got {x.shape} and {y.shape}.")
    return x.to_sparse_coo().coalesce(), y.to_sparse_coo().coalesce()


def _joined(function: Callable, x: Any, y: Any, name: str, everywhere: bool = False) -> Any:
    """A function of the values at all places of either, where the other's missing values are 0."""
    a, b = _pair(x, y, name)
    keys = np.arange(math.prod(a.sizes)) if everywhere else np.union1d(a.keys(), b.keys())
    left, right = (place(t.values(), np.searchsorted(keys, t.keys()), len(keys)) for t in (a, b))
    return _as_kind(SparseCooTensor.at_keys(keys, function(left, right), a.sizes, a.indices().dtype.numpy), x)


def add(x: Any, y: Any, name: str | None = None) -> Any:
    """The sum of two sparse tensors of one kind and shape, or of one with dense channels and their bias [channels]."""
    if isinstance(x, SparseCooTensor) and isinstance(y, Tensor) and x.dense_dim() == 1 and y.ndim == 1:
        return of_values(lambda values: values + y, x)
    return _joined(lambda a, b: a + b, x, y, "add")


def subtract(x: Any, y: Any, name: str | None = None) -> Any:
    """The difference of two sparse tensors of one kind and shape."""
    return _joined(lambda a, b: a - b, x, y, "subtract")


def multiply(x: Any, y: Any, name: str | None = None) -> Any:
    """The product with a number, or of two sparse tensors of one kind and shape (at all places of either)."""
    if isinstance(y, (int, float)):
        return of_values(lambda values: values * y, x)
    return _joined(lambda a, b: a * b, x, y, "multiply")


def divide(x: Any, y: Any, name: str | None = None) -> Any:
    """The quotient by a number, or of two sparse tensors of one kind and shape: everywhere, NaN where both are 0."""
    if isinstance(y, (int, float)):
        return of_values(lambda values: values / y, x)
    return _joined(lambda a, b: a / b, x, y, "divide", everywhere=True)


def mask_as(x: Tensor, mask: Any, name: str | None = None) -> Any:
    """The values of a dense tensor at the places of a sparse one of the same shape."""
    need_sparse(mask)
    if list(x.shape) != list(mask.shape):
        raise ValueError(f"x and mask must have one shape, but got {x.shape} and {mask.shape}.")
    coo = mask.to_sparse_coo()
    flat = x.reshape([math.prod(coo.sizes), *mask.shape[coo.sparse_dim():]])
    return mask.with_values(pick(flat, coo.keys()))


# ---- products ------------------------------------------------------------------------------------------------------

def _places(x: Any) -> tuple[np.ndarray, np.ndarray]:
    """The row and the column of each value, both numbered on through the batch."""
    rows, cols = np.divmod(x.to_sparse_coo().keys(), x.shape[-1])
    return rows, rows // x.shape[-2] * x.shape[-1] + cols


@op(name="sparse.matmul_dense", amp="matmul")
def _times_dense(values, dense, rows, cols, count):
    terms = values[:, None] * jnp.take(dense, cols, 0, mode="clip")
    return jax.ops.segment_sum(terms, rows, count)


def _need_matrices(x: Any, y: Any, name: str) -> None:
    if x.ndim < 2 or y.ndim != x.ndim or list(x.shape[:-2]) != list(y.shape[:-2]) or x.shape[-1] != y.shape[-2]:
        raise ValueError(f"sparse.{name} takes matrices [..., m, k] and [..., k, n], but got {list(x.shape)} and "
                         f"{list(y.shape)}.")


def matmul(x: Any, y: Any, name: str | None = None) -> Any:
    """The matrix product of a sparse x [..., m, k] with y [..., k, n]: dense if y is, sparse if y is sparse."""
    need_sparse(x)
    _need_matrices(x, y, "matmul")
    if isinstance(y, SparseTensor):
        return _times_sparse(x, y)
    dense = y.reshape([-1, y.shape[-1]])
    out = _times_dense(x.values(), dense, *_places(x), math.prod(x.shape[:-1]))
    return out.reshape([*x.shape[:-1], y.shape[-1]])


def _times_sparse(x: Any, y: Any) -> Any:
    """Each value of x meets the values of one row of y; products at equal places add up."""
    if type(x) is not type(y):
        raise ValueError(f"sparse.matmul takes sparse tensors of one kind, but got {type(x).__name__} and "
                         f"{type(y).__name__}.")
    a, b = x.to_sparse_coo().coalesce(), y.to_sparse_coo().coalesce()
    (rows, inner), (b_rows, b_cols) = _places(a), _places(b)
    starts = np.searchsorted(b_rows, np.arange(math.prod(y.shape[:-1]) + 1))
    counts = starts[inner + 1] - starts[inner]
    first = np.repeat(np.arange(len(rows)), counts)
    within = np.arange(len(first)) - np.repeat(np.cumsum(counts) - counts, counts)
    second = starts[inner][first] + within
    columns = b_cols[second] % y.shape[-1]
    keys, positions = np.unique(rows[first] * y.shape[-1] + columns, return_inverse=True)
    products = pick(a.values(), first) * pick(b.values(), second)
    sizes = [*x.shape[:-1], y.shape[-1]]
    return _as_kind(SparseCooTensor.at_keys(keys, place(products, positions, len(keys)), sizes,
                                            a.indices().dtype.numpy), x)


def masked_matmul(x: Tensor, y: Tensor, mask: Any, name: str | None = None) -> Any:
    """The product of dense x [..., m, k] and y [..., k, n] at the places of a sparse mask [..., m, n] alone."""
    need_sparse(mask)
    _need_matrices(x, y, "masked_matmul")
    if list(mask.shape) != [*x.shape[:-1], y.shape[-1]]:
        raise ValueError(f"mask must be {[*x.shape[:-1], y.shape[-1]]}, but its shape is {mask.shape}.")
    rows, cols = _places(mask)
    last = y.ndim - 1
    columns = y.transpose([*range(last - 1), last, last - 1]).reshape([-1, y.shape[-2]])
    products = pick(x.reshape([-1, x.shape[-1]]), rows) * pick(columns, cols)
    return mask.with_values(products.sum(-1))


def mv(x: Any, vec: Tensor, name: str | None = None) -> Tensor:
    """The product of a sparse matrix [m, n] with a vector [n]: dense [m]."""
    need_sparse(x)
    if x.ndim != 2 or list(vec.shape) != [x.shape[1]]:
        raise ValueError(f"sparse.mv takes a matrix [m, n] and a vector [n], but got {x.shape} and {vec.shape}.")
    return matmul(x, vec.unsqueeze(-1)).squeeze(-1)


def addmm(input: Any, x: Any, y: Any, beta: float = 1.0, alpha: float = 1.0, name: str | None = None) -> Any:
    """``beta * input + alpha * (x @ y)`` with a sparse x; input and the result are dense or sparse as ``x @ y`` is."""
    product = matmul(x, y)
    if isinstance(product, SparseTensor):
        return add(multiply(input, float(beta)), multiply(product, float(alpha)))
    return input * beta + product * alpha
