"""Functions of one sparse tensor: of its values alone, or of their places."""
from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kayax.bridge.convert import to_tensor
from kayax.bridge.ops.manipulation import cast as _cast
from kayax.bridge.ops.public import LINALG, TOP_LEVEL
from kayax.bridge.sparse.tensor import SparseCooTensor, SparseCsrTensor, SparseTensor
from kayax.bridge.sparse.values import host, pick, place
from kayax.bridge.tensor import Tensor


def need_sparse(x: Any) -> None:
    """Refuse what is no sparse tensor."""
    if not isinstance(x, SparseTensor):
        raise TypeError(f"A sparse tensor was expected, but got {type(x).__name__}: make one with x.to_sparse_coo() or "
                        "paddle.sparse.sparse_coo_tensor.")


def of_values(function: Callable, x: Any, *args: Any) -> Any:
    """A function of each value, at the same places."""
    need_sparse(x)
    return x.with_values(function(x.values(), *args))


def _of_values(name: str) -> Callable:
    dense = TOP_LEVEL[name]

    def function(x: Any, name: str | None = None) -> Any:
        return of_values(dense, x)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"`paddle.{name}` of the values of a sparse tensor, at the same places."
    return function


sin, tan, asin, atan = map(_of_values, ("sin", "tan", "asin", "atan"))
sinh, tanh, asinh, atanh = map(_of_values, ("sinh", "tanh", "asinh", "atanh"))
sqrt, square, log1p, abs = map(_of_values, ("sqrt", "square", "log1p", "abs"))
neg, expm1, isnan, rad2deg, deg2rad = map(_of_values, ("neg", "expm1", "isnan", "rad2deg", "deg2rad"))


def pow(x: Any, factor: float, name: str | None = None) -> Any:
    """The values to the power `factor`."""
    return of_values(TOP_LEVEL["pow"], x, float(factor))


def cast(x: Any, index_dtype: Any = None, value_dtype: Any = None, name: str | None = None) -> Any:
    """The tensor with other dtypes of its indices and values; None leaves one as it is."""
    need_sparse(x)
    values = x.values() if value_dtype is None else _cast(x.values(), value_dtype)
    if index_dtype is None:
        return x.with_values(values)
    if x.is_sparse_csr():
        return SparseCsrTensor(_cast(x.crows(), index_dtype), _cast(x.cols(), index_dtype), values, x.shape)
    return SparseCooTensor(_cast(x.indices(), index_dtype), values, x.shape, x.is_coalesced())


def coalesce(x: SparseCooTensor, name: str | None = None) -> SparseCooTensor:
    """The tensor with its places in order, each once: values at equal places add up."""
    need_sparse(x)
    return x.coalesce()


def _as_kind(coo: SparseCooTensor, like: Any) -> Any:
    return coo.to_sparse_csr() if like.is_sparse_csr() else coo


def transpose(x: Any, perm: Sequence[int], name: str | None = None) -> Any:
    """The dimensions in another order; dense ones stay behind the sparse ones."""
    need_sparse(x)
    perm = [p % x.ndim for p in perm]
    coo = x.to_sparse_coo()
    split = coo.sparse_dim()
    if sorted(perm) != list(range(x.ndim)) or sorted(perm[:split]) != list(range(split)):
        raise ValueError(f"perm must order the {split} sparse dimensions and then the {coo.dense_dim()} dense ones, "
                         f"but got {perm}.")
    dense = [p - split + 1 for p in perm[split:]]
    values = coo.values().transpose([0, *dense]) if dense else coo.values()
    indices = host(coo.indices())[perm[:split]]
    return _as_kind(SparseCooTensor(to_tensor(indices), values, [x.shape[p] for p in perm]), x)


def reshape(x: Any, shape: Sequence[int], name: str | None = None) -> Any:
    """The sparse dimensions in another shape; one size may be -1, 0 keeps the one there. Dense dimensions stay."""
    need_sparse(x)
    coo = x.to_sparse_coo()
    dense = list(x.shape[coo.sparse_dim():])
    sizes = [int(s) or x.shape[i] for i, s in enumerate(shape)]
    if dense and sizes[-len(dense):] != dense:
        raise ValueError(f"shape must end with the dense dimensions {dense}, but got {sizes}.")
    sizes = sizes[:len(sizes) - len(dense)]
    total = math.prod(coo.sizes)
    known = math.prod(s for s in sizes if s != -1)
    sizes = [total // known if s == -1 and known else s for s in sizes]
    if math.prod(sizes) != total:
        raise ValueError(f"A tensor of the shape {x.shape} has not the elements of {list(shape)}.")
    return _as_kind(SparseCooTensor.at_keys(coo.keys(), coo.values(), sizes, coo.indices().dtype.numpy,
                                            coo.is_coalesced()), x)


def sum(x: Any, axis: Any = None, dtype: Any = None, keepdim: bool = False, name: str | None = None) -> Any:
    """The sum of all values, or along axes: a sparse tensor of the same kind, at the places that have values.

    The sum of all has the shape [1]; sums of compressed rows keep their dimensions.
    """
    need_sparse(x)
    coo = x.to_sparse_coo().coalesce()
    values = coo.values() if dtype is None else _cast(coo.values(), dtype)
    keep = keepdim or x.is_sparse_csr()
    axes = range(x.ndim) if axis is None else [a % x.ndim for a in ([axis] if isinstance(axis, int) else axis)]
    split = coo.sparse_dim()
    dense = [a - split + 1 for a in axes if a >= split]
    values = values.sum(dense, keepdim=keep) if dense else values
    gone = [a for a in axes if a < split]
    if not gone:
        shape = [*coo.sizes, *values.shape[1:]]
        return _as_kind(SparseCooTensor(coo.indices(), values, shape, True), x)
    left = [1 if a in gone else size for a, size in enumerate(coo.sizes) if keep or a not in gone] or [1]
    rows = [np.zeros(coo.nnz(), np.int64) if a in gone else row for a, row in enumerate(host(coo.indices()))
            if keep or a not in gone] or [np.zeros(coo.nnz(), np.int64)]
    keys, positions = np.unique(np.ravel_multi_index(tuple(rows), left), return_inverse=True)
    out = SparseCooTensor.at_keys(keys, place(values, positions, len(keys)), left, coo.indices().dtype.numpy)
    return _as_kind(out, x)


def slice(x: Any, axes: Sequence[int], starts: Sequence[int], ends: Sequence[int], name: str | None = None) -> Any:
    """The part from `starts` to `ends` along `axes`, of the sparse dimensions."""
    need_sparse(x)
    coo = x.to_sparse_coo()
    low, high = [0] * coo.sparse_dim(), list(coo.sizes)
    for axis, start, end in zip(axes, starts, ends, strict=True):
        axis %= x.ndim
        if axis >= coo.sparse_dim():
            raise ValueError(f"Axis {axis} is dense: slice the values.")
        low[axis], high[axis], _ = builtins.slice(int(start), int(end)).indices(coo.sizes[axis])
    indices, first = host(coo.indices()), np.array(low)[:, None]
    chosen = np.flatnonzero(np.all((indices >= first) & (indices < np.array(high)[:, None]), 0))
    shape = [max(h - lo, 0) for h, lo in zip(high, low, strict=True)]
    out = SparseCooTensor(to_tensor((indices - first)[:, chosen]), pick(coo.values(), chosen),
                          [*shape, *x.shape[coo.sparse_dim():]], coo.is_coalesced())
    return _as_kind(out, x)


def pca_lowrank(x: Any, q: int | None = None, center: bool = True, niter: int = 2,
                name: str | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """The first `q` principal components of a sparse matrix [m, n]: U [m, q], S [q], V [n, q].

    They are computed exactly from the dense matrix, so `niter` has no effect; Paddle, on GPUs alone, approximates
    them.
    """
    if not isinstance(x, SparseTensor):
        raise ValueError(f"A sparse tensor was expected, but got {type(x).__name__}.")
    if x.ndim != 2:
        raise ValueError(f"A matrix was expected, but the shape is {x.shape}.")
    most = min(x.shape)
    q = min(6, most) if q is None else q
    if not 0 <= q <= most:
        raise ValueError(f"q must be from 0 to {most}, but got {q}.")
    dense = x.to_dense()
    u, s, vh = LINALG["svd"](dense - dense.mean(0, keepdim=True) if center else dense, full_matrices=False)
    return u[:, :q], s[:q], vh[:q].transpose([1, 0])
