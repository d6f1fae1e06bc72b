"""Writing at places: scatter, put_along_axis, index_add, index_put, masked_fill. The twins with `_` write in place."""
from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kayax.bridge.errors import ArgumentError
from kayax.bridge.keywords import put_out
from kayax.bridge.ops.checks import along, check_range, points, true_positions
from kayax.bridge.ops.manipulation import sizes_of
from kayax.bridge.ops.manipulation_gather import aligned, need_index
from kayax.bridge.ops.promotion import axis_of, is_number
from kayax.bridge.registry import attach, function, op
from kayax.bridge.tensor import Tensor


def _typed(value: Any, x: Any, name: str) -> Any:
    """The value as an array of the type of `x`: numbers are cast, another Tensor type is an error."""
    if is_number(value):
        return jnp.asarray(value).astype(x.dtype)
    if value.dtype != x.dtype:
        raise ArgumentError(f"{name} must have the dtype of x, {x.dtype.name}, but it has {value.dtype.name}.")
    return value


def _scatter(x, index, updates, overwrite=True):
    need_index(index)
    updates = _typed(updates, x, "updates")
    if not index.ndim and updates.ndim < x.ndim:
        updates = updates[None]
    index = index.reshape((-1,))
    if updates.shape[:1] != index.shape and updates.ndim:
        raise ValueError(f"updates {list(updates.shape)} must have a slice for each of the {index.shape[0]} indices.")
    # The last of several writes to a place wins in Paddle; JAX leaves it open, so the earlier ones are sent nowhere.
    if overwrite:
        order = jnp.arange(index.shape[0])
        last = jnp.full((x.shape[0],), -1).at[index].max(order)
        return x.at[jnp.where(last[index] == order, index, x.shape[0])].set(updates, mode="drop")
    return x.at[index].set(jnp.zeros((), x.dtype)).at[index].add(updates)


_scatter_op = op(_scatter, name="scatter", check=along(0, 1))


@function(method=True, inplace=True)
def scatter(x: Tensor, index: Tensor, updates: Tensor, overwrite: bool = True, name: str | None = None,
            out: Tensor | None = None) -> Tensor:
    """`x` with its rows at `index` replaced by the rows of `updates`, the last of several for a row.

    overwrite: if False, the rows at `index` become the sums of their updates.
    """
    return put_out(_scatter_op(x, index, updates, overwrite), out)


@op(method=True, check=points(0, 1))
def scatter_nd_add(x, index, updates, name=None):
    """`x` with `updates` added at the positions in the last dimension of `index`."""
    need_index(index)
    if index.shape[-1] > x.ndim:
        raise ValueError(f"index names {index.shape[-1]} dimensions, but x {list(x.shape)} has only {x.ndim}.")
    return x.at[tuple(jnp.moveaxis(index, -1, 0))].add(_typed(updates, x, "updates"))


@op(method=True, static=("shape",), check=points(2, 0))
def scatter_nd(index, updates, shape, name=None):
    """Zeros of this shape with `updates` added at the positions in the last dimension of `index`."""
    need_index(index)
    return jnp.zeros(sizes_of(shape), updates.dtype).at[tuple(jnp.moveaxis(index, -1, 0))].add(updates)


_REDUCE = {"assign": "set", "add": "add", "sum": "add", "mul": "multiply", "multiply": "multiply", "prod": "multiply",
           "amin": "min", "amax": "max", "mean": "mean"}


def _put(arr, indices, values, axis, reduce="assign", include_self=True, broadcast=True):
    if reduce not in _REDUCE:
        raise ValueError(f"reduce must be one of {', '.join(_REDUCE)}, but got {reduce!r}.")
    axis = axis_of(axis, arr.ndim)
    where, shape = aligned(arr, indices, axis, broadcast)
    values = _typed(values, arr, "values")
    if not broadcast and values.ndim and any(v < s for v, s in zip(values.shape, shape, strict=True)):
        raise ValueError(f"values {list(values.shape)} must be at least as large as indices {list(shape)}.")
    values = jnp.broadcast_to(values, shape) if broadcast or not values.ndim else values[tuple(map(_first, shape))]
    kind = _REDUCE[reduce]
    if kind == "set":
        return arr.at[where].set(values)
    if kind == "mean":
        start = arr if include_self else arr.at[where].set(0)
        count = jnp.full(arr.shape, int(include_self), arr.dtype).at[where].add(1)
        total = start.at[where].add(values)
        count = jnp.maximum(count, 1)
        return jnp.floor_divide(total, count) if arr.dtype.kind in "iu" else total / count
    if not include_self:
        arr = arr.at[where].set(_neutral(kind, arr.dtype))
    return _multiplied(arr, where, values) if kind == "multiply" else getattr(arr.at[where], kind)(values)


@jax.custom_vjp
def _multiplied(arr, where, values):
    """`arr` with `values` multiplied in; JAX has no gradient of this where a place is named twice."""
    return arr.at[where].multiply(values)


def _multiplied_backward(inputs, gradient):
    """The gradient of a factor is the product of the others, also where one of them is 0."""
    arr, where, values = inputs
    product = _multiplied(jnp.where(arr == 0, 1, arr), where, jnp.where(values == 0, 1, values))
    zeros = (arr == 0).astype(np.int32).at[where].add((values == 0).astype(np.int32))

    def others(factor: Any, product: Any, zeros: Any) -> Any:
        rest = jnp.where(zeros == 0, product / jnp.where(factor == 0, 1, factor), 0)
        return jnp.where(factor == 0, jnp.where(zeros == 1, product, 0), rest)

    return (gradient * others(arr, product, zeros), None,
            gradient[where] * others(values, product[where], zeros[where]))


_multiplied.defvjp(lambda *inputs: (_multiplied(*inputs), inputs), _multiplied_backward)


def _first(n: Any) -> slice:
    return slice(0, n)


def _neutral(kind: str, dtype: Any) -> Any:
    if kind in ("add", "multiply"):
        return int(kind == "multiply")
    limits = jnp.iinfo(dtype) if dtype.kind in "iu" else jnp.finfo(dtype)
    return limits.max if kind == "min" else limits.min


_put_op = op(_put, name="put_along_axis", scalars=("values",), check=along(0, 1, axis=3))


@function(method=True, inplace=True)
def put_along_axis(arr: Tensor, indices: Tensor, values: Any, axis: int, reduce: str = "assign",
                   include_self: bool = True, broadcast: bool = True) -> Tensor:
    """`arr` with `values` (a Tensor or a number) written along `axis` at `indices`.

    reduce: "assign", or how the values for a place are combined: "add", "mul", "mean", "amin", "amax"; `include_self`
    says whether the old element takes part. broadcast: the other sizes of `indices` grow to those of `arr`.
    """
    return _put_op(arr, indices, values, axis, reduce, include_self, broadcast)


@function(method=True, inplace=True)
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """A Tensor with the elements of `src` added along `dim` at `index`."""
    return _put_op(input, index, src, dim, "add", True, False)


@function(method=True)
def scatter_reduce(input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *,
                   include_self: bool = True) -> Tensor:
    """A Tensor with the elements of `src` combined into it along `dim` at `index`: sum, prod, mean, amin or amax."""
    return _put_op(input, index, src, dim, reduce, include_self, False)


def _along(x: Any, axis: Any, index: Any) -> tuple:
    need_index(index)
    return (slice(None),) * axis_of(axis, x.ndim) + (index,)


@op(name="index_add", scalars=("alpha",), check=along(0, 1, axis=2))
def _index_add(x, index, axis, value, alpha=1):
    return x.at[_along(x, axis, index)].add(_typed(value, x, "value") * jnp.asarray(alpha).astype(x.dtype))


@function(method=True, inplace=True)
def index_add(x: Tensor, index: Tensor, axis: int, value: Tensor, alpha: float = 1, name: str | None = None, *,
              out: Tensor | None = None) -> Tensor:
    """`x` with ``alpha * value`` added to its slices along `axis` that the vector `index` names.

    The axis may also stand before the index.
    """
    index, axis = (axis, index) if isinstance(index, int) else (index, axis)     # type: ignore[assignment]
    return put_out(_index_add(x, index, axis, value, alpha), out)


@op(method=True, inplace=True, scalars=("value",), check=along(0, 1, axis=2))
def index_fill(x, index, axis, value, name=None):
    """`x` with its slices along `axis` that the vector `index` names filled with a number."""
    return x.at[_along(x, axis, index)].set(jnp.asarray(value).astype(x.dtype))


@op(name="index_put")
def _index_put(x, indices, value, accumulate=False):
    value = _typed(value, x, "value")
    return x.at[tuple(indices)].add(value) if accumulate else x.at[tuple(indices)].set(value)


@function(method=True, inplace=True)
def index_put(x: Tensor, indices: Any, value: Tensor, accumulate: bool = False, name: str | None = None) -> Tensor:
    """`x` with `value` written (or added, with `accumulate`) at the positions that the Tensors `indices` name."""
    flat: list[Any] = []
    for i in indices:
        flat += true_positions(i) if i.dtype == "bool" else [i]
    for dim, i in enumerate(flat[:x.ndim]):
        check_range(i, x.shape[dim], dim, x.shape)
    return _index_put(x, flat, value, accumulate)


@op(method=True, inplace=True, scalars=("value",))
def masked_fill(x, mask, value, name=None):
    """`x` with a number (or a 0-D or one-element Tensor) where the mask is true (not 0), with broadcasting."""
    return jnp.where(mask if mask.dtype == np.bool_ else mask != 0, jnp.asarray(value).astype(x.dtype), x)


@op(method=True, inplace=True)
def masked_scatter(x, mask, value, name=None):
    """`x` with the elements of `value`, one after the other, where the mask is true."""
    if mask.dtype != np.bool_:
        raise ArgumentError(f"mask must be a bool Tensor, but its dtype is {mask.dtype.name}.")
    mask = jnp.broadcast_to(mask, x.shape)
    place = jnp.cumsum(mask.reshape((-1,))).reshape(x.shape) - 1
    flat = _typed(value, x, "value").reshape((-1,))
    return jnp.where(mask, jnp.take(flat, place, mode="clip"), x) if flat.shape[0] else x


def _diagonal_places(shape: tuple, offset: int, axis1: int, axis2: int) -> tuple:
    """Where the diagonal is, as the index of a Tensor whose first two dimensions are those axes."""
    rows, columns = shape[axis1], shape[axis2]
    length = max(0, min(rows + min(offset, 0), columns - max(offset, 0)))
    return np.arange(length) - min(offset, 0), np.arange(length) + max(offset, 0)


def _set_diagonal(x, y, offset=0, axis1=0, axis2=1, name=None):
    axis1, axis2 = axis_of(axis1, x.ndim, "axis1"), axis_of(axis2, x.ndim, "axis2")
    where = _diagonal_places(x.shape, offset, axis1, axis2)
    moved = jnp.moveaxis(x, (axis1, axis2), (0, 1))
    wanted = (*moved.shape[2:], len(where[0]))
    if tuple(y.shape) != wanted:
        raise ValueError(f"y must have the shape of the diagonal, {list(wanted)}, but its shape is {list(y.shape)}.")
    moved = moved.at[where].set(jnp.moveaxis(_typed(y, x, "y"), -1, 0))
    return jnp.moveaxis(moved, (0, 1), (axis1, axis2))


@op(method=True)
def diagonal_scatter(x, y, offset=0, axis1=0, axis2=1, name=None):
    """`x` with the diagonal of the planes of two axes replaced by `y`."""
    return _set_diagonal(x, y, offset, axis1, axis2)


@op(method=True, inplace=True)
def fill_diagonal_tensor(x, y, offset=0, dim1=0, dim2=1, name=None):
    """`x` with the diagonal of the planes of two dimensions replaced by `y`."""
    return _set_diagonal(x, y, offset, dim1, dim2)


@op(scalars=("value",))
def _fill_diagonal(x, value, offset=0, wrap=False):
    if x.ndim < 2:
        raise ValueError(f"fill_diagonal_ needs at least 2 dimensions, but x has shape {list(x.shape)}.")
    if x.ndim > 2:
        if any(n != x.shape[0] for n in x.shape):
            raise ValueError(f"With more than 2 dimensions all sizes must be equal, but x has shape {list(x.shape)}.")
        where = (np.arange(x.shape[0]),) * x.ndim
    else:
        rows, columns = x.shape
        flat = np.arange(0, rows * columns if wrap else min(rows, columns) * columns, columns + 1)
        where = (flat // columns, flat % columns + offset)
        inside = (where[1] >= 0) & (where[1] < columns)
        where = (where[0][inside], where[1][inside])
    return x.at[where].set(jnp.asarray(value).astype(x.dtype))


def fill_diagonal_(x: Tensor, value: float, offset: int = 0, wrap: bool = False, name: str | None = None) -> Tensor:
    """Write a number on the diagonal of `x` in place; `wrap` goes on after the end of a tall matrix."""
    return x._rebind(_fill_diagonal(x, value, offset, wrap))


attach("fill_diagonal_", fill_diagonal_)


@op(method=True)
def select_scatter(x, values, axis, index, name=None):
    """`x` with the slice `index` along `axis` replaced by `values`."""
    axis = axis_of(axis, x.ndim)
    n = x.shape[axis]
    if not -n <= index < n:
        raise IndexError(f"index must be in [{-n}, {n}), but got {index}.")
    wanted = x.shape[:axis] + x.shape[axis + 1:]
    if values.shape != wanted:
        raise ValueError(f"values must have shape {list(wanted)}, but its shape is {list(values.shape)}.")
    return x.at[(slice(None),) * axis + (index,)].set(values.astype(x.dtype))


@op(method=True, static=("starts", "ends", "strides"))
def slice_scatter(x, value, axes, starts, ends, strides, name=None):
    """`x` with the part from `starts[i]` to `ends[i]` by `strides[i]` along each `axes[i]` replaced by `value`."""
    index = [slice(None)] * x.ndim
    for axis, *bounds in zip(axes, starts, ends, strides, strict=True):
        index[axis_of(axis, x.ndim)] = slice(*bounds)
    return x.at[tuple(index)].set(value.astype(x.dtype))


__all__ = [
    "diagonal_scatter", "index_add", "index_fill", "index_put", "masked_fill", "masked_scatter", "put_along_axis",
    "scatter", "scatter_add", "scatter_nd", "scatter_nd_add", "scatter_reduce", "select_scatter", "slice_scatter",
]
