"""Picking elements: gather, index_select, take, slice, diagonal, unfold."""
from __future__ import annotations

import builtins
import math
from typing import Any

import jax.numpy as jnp
import numpy as np

from kayax.bridge.errors import ArgumentError
from kayax.bridge.keywords import put_out
from kayax.bridge.layout import cut, strided, windows
from kayax.bridge.layout import diagonal as _diagonal
from kayax.bridge.open_sizes import is_open, plain
from kayax.bridge.ops.checks import along, check_range, points
from kayax.bridge.ops.manipulation import sizes_of
from kayax.bridge.ops.promotion import axis_of
from kayax.bridge.registry import function, op
from kayax.bridge.staging import staged
from kayax.bridge.tensor import Tensor

_builtin_slice = builtins.slice


def need_index(index: Any, name: str = "index") -> None:
    """An ArgumentError unless it is an array of integers."""
    if index.dtype.kind not in "iu":
        raise ArgumentError(f"`{name}` must be an integer Tensor, but its dtype is {index.dtype.name}.")


def _vector(index: Any) -> Any:
    need_index(index)
    if index.ndim == 2 and index.shape[1] == 1:
        return index[:, 0]
    if index.ndim > 1:
        raise ValueError(f"index must be a vector, but its shape is {list(index.shape)}.")
    return index


# In a program, which cannot raise, an index out of range reads nan (of integers the least or the greatest number).
@op(name="gather", static=("axis",), check=along(0, 1, axis=2))
def _gather(x, index, axis=None):
    return jnp.take(x, _vector(index), axis_of(axis or 0, x.ndim), mode="fill")


def gather(x: Tensor, index: Tensor, axis: Any = None, name: str | None = None, out: Tensor | None = None) -> Tensor:
    """The slices of `x` along `axis` (None: 0) at the places in the vector `index`; negative ones count from the end.

    An index out of range is an IndexError; in a converted function, which cannot raise, it gives nan.
    """
    return put_out(_gather(x, index, axis), out)


function(gather, method=True)


@op(method=True, check=points(0, 1))
def gather_nd(x, index, name=None):
    """`x` at the positions in the last dimension of `index`: shape ``index.shape[:-1] + x.shape[index.shape[-1]:]``."""
    need_index(index)
    if index.shape[-1] > x.ndim:
        raise ValueError(f"index names {index.shape[-1]} dimensions, but x {list(x.shape)} has only {x.ndim}.")
    if not index.shape[-1]:
        return jnp.broadcast_to(x, (*index.shape[:-1], *x.shape))
    return x.at[tuple(jnp.moveaxis(index, -1, 0))].get(mode="fill")


@op(name="index_select", check=along(0, 1, axis=2))
def _index_select(x, index, axis=0):
    need_index(index)
    if index.ndim != 1:
        raise ValueError(f"index must be a vector, but its shape is {list(index.shape)}.")
    return jnp.take(x, index, axis_of(axis, x.ndim), mode="fill")


def index_select(x: Tensor, index: Tensor, axis: int = 0, name: str | None = None, *,
                 out: Tensor | None = None) -> Tensor:
    """The slices of `x` along `axis` at the places in the vector `index`; a negative one counts from the end.

    The axis may also stand before the index.
    """
    index, axis = (axis, index) if isinstance(index, int) else (index, axis)     # type: ignore[assignment]
    return put_out(_index_select(x, index, axis), out)


function(index_select, method=True)


@op(method=True, check=along(0, 1, default=1))
def index_sample(x, index):
    """From each row of the matrix `x` the elements in the columns that the same row of `index` names."""
    need_index(index)
    if x.ndim != 2 or index.ndim != 2 or x.shape[0] != index.shape[0]:
        raise ValueError(f"x and index must be matrices with equally many rows, but their shapes are {list(x.shape)} "
                         f"and {list(index.shape)}.")
    return jnp.take_along_axis(x, index, 1)


@op(name="take")
def _take(x, index, mode):
    need_index(index)
    flat = x.reshape((-1,))
    if mode == "clip":
        index = jnp.clip(index, 0, flat.shape[0] - 1)
    return jnp.take(flat, index % flat.shape[0])


@function(method=True)
def take(x: Tensor, index: Tensor, mode: str = "raise", name: str | None = None) -> Tensor:
    """The elements of the flattened `x` at `index`, in the shape of `index`.

    mode: for an index out of range, "raise" (an error, where the index is known), "wrap" (count on from the start) or
    "clip" (the nearest; negative ones are 0).
    """
    if mode not in ("raise", "wrap", "clip"):
        raise ValueError(f"mode must be 'raise', 'wrap' or 'clip', but got {mode!r}.")
    if mode == "raise":
        check_range(index, math.prod(x.shape), 0, (math.prod(x.shape),))
    return _take(x, index, mode)


def aligned(arr: Any, indices: Any, axis: int, broadcast: bool) -> tuple:
    """The index of each dimension of `arr` for take_along_axis and put_along_axis, and the shape of the indices."""
    need_index(indices, "indices")
    if arr.ndim != indices.ndim:
        raise ValueError(f"arr {list(arr.shape)} and indices {list(indices.shape)} must have the same number of "
                         "dimensions.")
    if broadcast:
        others = [(1 if d == axis else arr.shape[d]) for d in range(arr.ndim)]
        indices = jnp.broadcast_to(indices, jnp.broadcast_shapes(indices.shape, tuple(others)))
    shape = indices.shape
    where = [jnp.arange(n).reshape([-1 if d == i else 1 for d in range(len(shape))]) for i, n in enumerate(shape)]
    where[axis] = jnp.where(indices < 0, indices + arr.shape[axis], indices)
    return tuple(where), shape


@op(name="take_along_axis", check=along(0, 1, axis=2))
def _take_along_axis(arr, indices, axis, broadcast=True):
    axis = axis_of(axis, arr.ndim)
    where, shape = aligned(arr, indices, axis, broadcast)
    if broadcast:
        arr = jnp.broadcast_to(arr, (*shape[:axis], arr.shape[axis], *shape[axis + 1:]))
    return arr.at[where].get(mode="fill")


def take_along_axis(arr: Tensor, indices: Tensor, axis: int, broadcast: bool = True, *,
                    out: Tensor | None = None) -> Tensor:
    """The elements of `arr` along `axis` at `indices`, which have as many dimensions as `arr`.

    broadcast: their other sizes and those of `arr` are broadcast; without it only the leading part of `arr` is read.
    """
    return put_out(_take_along_axis(arr, indices, axis, broadcast), out)


function(take_along_axis, method=("take_along_axis", "take_along_dim"))
take_along_dim = take_along_axis


def _cuts(x: Any, axes: Any, starts: Any, ends: Any, strides: Any) -> list:
    cuts: list[tuple] = [(None,)] * x.ndim
    for axis, start, end, step in zip(axes, starts, ends, strides, strict=True):
        axis, n = axis_of(axis, x.ndim), x.shape[axis_of(axis, x.ndim)]
        if step < 0 and isinstance(n, int) and end < -n:
            end = None
        cuts[axis] = (start, end, step)
    return cuts


def _cut(x: Any, axes: Any, starts: Any, ends: Any, strides: Any) -> Any:
    return x[tuple([_builtin_slice(*c) for c in _cuts(x, axes, starts, ends, strides)])]


def _cuts_of(x: Tensor, axes: Any, starts: Any, ends: Any, strides: Any = None, name: Any = None) -> tuple:
    """What `layout.cut` needs to know of a slice; any of the bounds may be Tensors."""
    starts, ends, strides = (_plain(v) for v in (starts, ends, [1] * len(_plain(axes)) if strides is None else strides))
    return tuple(_cuts(x, _plain(axes), starts, ends, strides))


def _plain(values: Any) -> list:
    values = values.tolist() if isinstance(values, (Tensor, np.ndarray)) else values
    values = values if isinstance(values, (list, tuple)) else [values]
    return [v.item() if isinstance(v, Tensor) else plain(v) if is_open(v) else int(v) for v in values]


@op(name="slice", method="slice", static=("axes", "starts", "ends"), view=(cut, _cuts_of))
def _slice(input, axes, starts, ends):
    """`input` from `starts[i]` to before `ends[i]` along each axis `axes[i]`; negative ones count from the end."""
    return _cut(input, axes, sizes_of(starts), sizes_of(ends), [1] * len(axes))


@op(method=True, static=("axes", "starts", "ends", "strides"), view=(cut, _cuts_of))
def strided_slice(x, axes, starts, ends, strides, name=None):
    """As `slice`, every `strides[i]`-th element; with a negative stride backwards."""
    return _cut(x, axes, sizes_of(starts), sizes_of(ends), sizes_of(strides))


@op(static=("shape", "offsets"))
def crop(x, shape=None, offsets=None, name=None):
    """The block of `x` of this shape (-1: to the end) that begins at `offsets` (None: 0)."""
    offsets = (0,) * x.ndim if offsets is None else sizes_of(offsets, "offsets")
    shape = x.shape if shape is None else sizes_of(shape)
    if len(shape) != x.ndim or len(offsets) != x.ndim:
        raise ValueError(f"shape={list(shape)} and offsets={list(offsets)} must have {x.ndim} elements each.")
    ends = [n if s == -1 else o + s for n, s, o in zip(x.shape, shape, offsets, strict=True)]
    if any(o < 0 or e > n for o, e, n in zip(offsets, ends, x.shape, strict=True)):
        raise ValueError(f"The block of shape {list(shape)} at {list(offsets)} does not lie in x {list(x.shape)}.")
    return _cut(x, range(x.ndim), offsets, ends, [1] * x.ndim)


def _range(input: Tensor, dim: int, start: Any, length: int) -> tuple:
    start = _plain(start)[0]
    dim = axis_of(dim, input.ndim, "dim")
    start = start + input.shape[dim] if start < 0 else start
    return tuple(_cuts(input, [dim], [start], [start + length], [1]))


@op(method=True, static=("start",), view=(cut, _range))
def narrow(input, dim, start, length):
    """`length` elements of a Tensor along `dim`, from `start`."""
    dim = axis_of(dim, input.ndim, "dim")
    n = input.shape[dim]
    start = start + n if start < 0 else start
    if length < 0 or not 0 <= start <= n - length:
        raise ValueError(f"start={start} and length={length} do not lie in dimension {dim} of size {n}.")
    return _cut(input, [dim], [start], [start + length], [1])


@op(method=True, view=(windows, lambda x, axis, size, step, name=None: (axis, size, step)))
def unfold(x, axis, size, step, name=None):
    """Windows of `size` elements along `axis`, one every `step`; the elements of a window are a new last dimension."""
    axis = axis_of(axis, x.ndim)
    n = x.shape[axis]
    if size > n or size < 0 or step <= 0:
        raise ValueError(f"size={size} must be in [0, {n}] and step={step} above 0.")
    places = np.arange(0, n - size + 1, step)[:, None] + np.arange(size)
    return jnp.moveaxis(jnp.take(x, places, axis), axis + 1, -1)


@op(method=True, view=(strided, lambda x, shape, stride, offset=0, name=None: (tuple(stride), offset)))
def as_strided(x, shape, stride, offset=0, name=None):
    """The elements of the flattened `x` at ``offset + sum(i[d] * stride[d])``, for each position i of `shape`.

    Differs from Paddle: `offset` and `stride` count in the elements of `x` in order, also where `x` is a view; the
    result shares memory if those lie in order, and cannot be written in place where its own elements share it.
    """
    if len(shape) != len(stride):
        raise ValueError(f"shape={list(shape)} and stride={list(stride)} must have the same length.")
    places = np.asarray(offset)
    for n, s in zip(shape, stride, strict=True):
        places = places[..., None] + np.arange(n) * s
    total = math.prod(x.shape)
    if places.size and (places.min() < 0 or places.max() >= total):
        raise ValueError(f"shape={list(shape)}, stride={list(stride)} and offset={offset} reach outside of the {total} "
                         "elements of x.")
    return x.reshape((-1,))[places]


@op(method=True, view=(_diagonal, lambda x, offset=0, axis1=0, axis2=1, name=None: (offset, axis1, axis2)))
def diagonal(x, offset=0, axis1=0, axis2=1, name=None):
    """The diagonal of the planes of two axes, as the last dimension; `offset` > 0 is above the main one."""
    return jnp.diagonal(x, offset, axis_of(axis1, x.ndim, "axis1"), axis_of(axis2, x.ndim, "axis2"))


@op(method=True, differentiable=False)
def shard_index(input, index_num, nshards, shard_id, ignore_value=-1):
    """Labels in [0, index_num) as labels of one of `nshards` equal shards; those of other shards are `ignore_value`."""
    if not 0 <= shard_id < nshards:
        raise ValueError(f"shard_id must be in [0, {nshards}), but got {shard_id}.")
    size = (index_num + nshards - 1) // nshards
    return jnp.where(input // size == shard_id, input % size, ignore_value).astype(input.dtype)


def _repeats(x: Any, repeats: Any, axis: Any, total: Any) -> Any:
    if axis is None:
        x, axis = x.reshape((-1,)), 0
    return jnp.repeat(x, repeats, axis_of(axis, x.ndim), total_repeat_length=total)


_repeat_interleave = op(_repeats, name="repeat_interleave")


@function(method=True)
@staged
def repeat_interleave(x: Tensor, repeats: Any, axis: int | None = None, name: str | None = None, *,
                      output_size: int | None = None) -> Tensor:
    """Each element of `x` along `axis` (None: of the flattened Tensor) repeated.

    repeats: how often, an int or a vector with a number for each. output_size: the sum of `repeats`, to be given
    while converting if `repeats` is a Tensor.
    """
    if isinstance(repeats, Tensor) and output_size is None:
        n = math.prod(x.shape) if axis is None else x.shape[axis]
        counts = np.asarray(repeats._value("repeat_interleave with repeats as a Tensor"))
        output_size = int(counts.sum()) * (n if counts.size == 1 else 1)
    elif isinstance(repeats, (list, tuple)):
        repeats = np.asarray(repeats)
        length = math.prod(x.shape) if axis is None else x.shape[axis]
        output_size = int(repeats.sum()) * (length if repeats.size == 1 else 1)
    return _repeat_interleave(x, repeats, axis, output_size)


_slice.__name__ = _slice.__qualname__ = "slice"
slice = _slice

__all__ = [
    "as_strided", "crop", "diagonal", "gather", "gather_nd", "index_sample", "index_select", "narrow",
    "repeat_interleave", "shard_index", "slice", "strided_slice", "take", "take_along_axis", "take_along_dim", "unfold",
]
