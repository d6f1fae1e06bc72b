"""Searching and ordering: argmax, sort, topk, where, nonzero, searchsorted."""
from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from kayax.bridge.keywords import put_out
from kayax.bridge.layout import is_open
from kayax.bridge.ops import order
from kayax.bridge.ops.promotion import axis_of, is_number, unify
from kayax.bridge.registry import INPLACE, attach, function, op
from kayax.bridge.tensor import Tensor
from kayax.spec.dtype import default, to_numpy


def _flat_axis(x: Any, axis: Any) -> tuple[Any, int]:
    """`x` and an axis of it; of None, the flattened `x`."""
    return (x.reshape((-1,)), 0) if axis is None else (x, axis_of(axis, x.ndim))


def _index_type(dtype: Any) -> np.dtype:
    wanted = to_numpy(dtype)
    if wanted.name not in ("int32", "int64"):
        raise ValueError(f"dtype must be int32 or int64, but got {wanted.name}.")
    return wanted


def _extreme(find: Any, x: Any, axis: Any, keepdim: bool, dtype: Any) -> Any:
    if axis is not None:
        axis = axis_of(axis, x.ndim)
    if x.ndim == 0:
        return jnp.zeros((1,) if keepdim else (), _index_type(dtype))      # as in Paddle
    return find(x, axis, keepdims=keepdim).astype(_index_type(dtype))


@op(method=True, static=("axis",), differentiable=False)
def argmax(x, axis=None, keepdim=False, dtype="int64", name=None):
    """Where along `axis` (None: in the flattened Tensor) the largest element is, the first of equal ones."""
    return _extreme(jnp.argmax, x, axis, keepdim, dtype)


@op(method=True, static=("axis",), differentiable=False)
def argmin(x, axis=None, keepdim=False, dtype="int64", name=None):
    """Where along `axis` (None: in the flattened Tensor) the smallest element is, the first of equal ones."""
    return _extreme(jnp.argmin, x, axis, keepdim, dtype)


@op(method=True, differentiable=False)
def argsort(x, axis=-1, descending=False, stable=False, name=None):
    """The order that sorts `x` along `axis` (int64); equal elements keep their order."""
    if x.ndim == 0:
        return jnp.zeros((), np.int64)
    return order.argsort(x, axis_of(axis, x.ndim), descending).astype(np.int64)


@op(method=True)
def sort(x, axis=-1, descending=False, stable=False, name=None):
    """`x` sorted along `axis`."""
    return x if x.ndim == 0 else order.sort(x, axis_of(axis, x.ndim), descending)


@function(method=True)
def msort(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """A Tensor sorted along its first dimension."""
    return put_out(sort(input, 0), out)


@op(name="topk", static=("k",))
def _topk(x, k, axis=None, largest=True, sorted=True, name=None):
    if x.ndim == 0:
        return x, jnp.zeros((), np.int64)
    axis = axis_of(-1 if axis is None else axis, x.ndim)
    if not 1 <= k <= x.shape[axis]:
        raise ValueError(f"k must be in [1, {x.shape[axis]}], the size of axis {axis}, but got {k}.")
    moved = jnp.moveaxis(x, axis, -1)
    values, indices = order.top(moved, k, largest)
    return jnp.moveaxis(values, -1, axis), jnp.moveaxis(indices, -1, axis).astype(np.int64)


class TopKRetType(NamedTuple):
    """What `topk` gives."""

    values: Tensor
    indices: Tensor


def topk(x: Tensor, k: Any, axis: int | None = None, largest: bool = True, sorted: bool = True,
         name: str | None = None, *, out: Any = None) -> TopKRetType:
    """The `k` largest (or smallest) elements along `axis`, in order, and where they were (int64).

    axis: None means the last. out: two Tensors that the results are written into.
    """
    values, indices = _topk(x, k, axis, largest, sorted)
    return TopKRetType(*((values, indices) if out is None else (out[0]._rebind(values), out[1]._rebind(indices))))


function(topk, method=True)


@op(method=True)
def kthvalue(x, k, axis=None, keepdim=False, name=None):
    """The `k`-th smallest element along `axis` (counted from 1; None: the last axis) and where it was."""
    if x.ndim == 0:
        return x, jnp.zeros((), np.int64)
    axis = axis_of(-1 if axis is None else axis, x.ndim)
    if not 1 <= k <= x.shape[axis]:
        raise ValueError(f"k must be in [1, {x.shape[axis]}], the size of axis {axis}, but got {k}.")
    indices = jnp.take(order.argsort(x, axis), jnp.array([k - 1]), axis)
    values = jnp.take_along_axis(x, indices, axis)
    if not keepdim:
        values, indices = values.squeeze(axis), indices.squeeze(axis)
    return values, indices.astype(np.int64)


@op(method=True)
def mode(x, axis=-1, keepdim=False, name=None):
    """The most frequent element along `axis` (the smallest of several) and where it is last."""
    if x.ndim == 0:
        return x, jnp.zeros((), np.int64)
    axis = axis_of(axis, x.ndim)
    moved = jnp.moveaxis(x, axis, -1)
    places = order.argsort(moved, -1)
    ordered = jnp.take_along_axis(moved, places, -1)
    here = jax.lax.broadcasted_iota(np.int64, moved.shape, moved.ndim - 1)
    first = (here == 0) | (ordered != jnp.roll(ordered, 1, -1))
    run = here - jax.lax.cummax(jnp.where(first, here, 0), axis=moved.ndim - 1)        # how far into a run of equals
    indices = jnp.take_along_axis(places, jnp.argmax(run, -1, keepdims=True), -1)
    values = jnp.take_along_axis(moved, indices, -1)
    if keepdim:
        return jnp.moveaxis(values, -1, axis), jnp.moveaxis(indices, -1, axis).astype(np.int64)
    return values[..., 0], indices[..., 0].astype(np.int64)


@op(name="searchsorted", differentiable=False)
def _searchsorted(sorted_sequence, values, out_int32=False, right=False, sorter=None):
    if sorter is not None:
        sorted_sequence = jnp.take_along_axis(sorted_sequence, sorter, -1)
    side = "right" if right else "left"
    dtype = np.int32 if out_int32 else np.int64
    values = jnp.asarray(values)
    find = _compared if is_open(sorted_sequence.shape[-1]) else jnp.searchsorted
    if sorted_sequence.ndim == 1:
        return find(sorted_sequence, values, side=side).astype(dtype)
    if sorted_sequence.shape[:-1] != values.shape[:-1]:
        raise ValueError(f"sorted_sequence {list(sorted_sequence.shape)} and values {list(values.shape)} must have the "
                         "same sizes except the last.")
    rows = sorted_sequence.reshape((-1, sorted_sequence.shape[-1]))
    found = jax.vmap(lambda s, v: find(s, v, side=side))(rows, values.reshape((rows.shape[0], -1)))
    return found.reshape(values.shape).astype(dtype)


def _compared(sequence: Any, values: Any, side: str) -> Any:
    """`jnp.searchsorted`, which needs the size, by comparing all elements; nan comes last."""
    def less(a: Any, b: Any) -> Any:
        return (a < b) | (jnp.isnan(b) & ~jnp.isnan(a))

    wide = values[..., None]
    return jnp.sum(less(sequence, wide) if side == "left" else ~less(wide, sequence), -1)


def searchsorted(sorted_sequence: Tensor, values: Tensor, out_int32: bool = False, right: bool = False,
                 name: str | None = None, *, side: str | None = None, out: Tensor | None = None,
                 sorter: Tensor | None = None) -> Tensor:
    """Where in the last dimension of `sorted_sequence` each value would be put to keep it sorted.

    right (or side="right"): behind elements equal to the value, else before them. sorter: the order that sorts the
    sequence, if it is not sorted. Returns int64, or int32 with `out_int32`.
    """
    if side not in (None, "left", "right"):
        raise ValueError(f"side must be 'left' or 'right', but got {side!r}.")
    if side == "left" and right:
        raise ValueError("side='left' contradicts right=True.")
    return put_out(_searchsorted(sorted_sequence, values, out_int32, right or side == "right", sorter), out)


@function(method=True)
def bucketize(x: Tensor, sorted_sequence: Tensor, out_int32: bool = False, right: bool = False,
              name: str | None = None, *, out: Tensor | None = None) -> Tensor:
    """`searchsorted` with the arguments in the other order, for a vector `sorted_sequence`."""
    if sorted_sequence.ndim != 1:
        raise ValueError(f"sorted_sequence must be a vector, but its shape is {sorted_sequence.shape}.")
    return put_out(_searchsorted(sorted_sequence, x, out_int32, right), out)


@op(name="where", scalars=("x", "y"))
def _where(condition, x, y):
    if condition.dtype != np.bool_:
        condition = condition != 0
    return jnp.where(condition, *unify(x, y))


def where(condition: Tensor, x: Any = None, y: Any = None, name: str | None = None, *,
          out: Tensor | None = None) -> Any:
    """`x` where the condition is true and `y` elsewhere, with broadcasting; with the condition alone, where it is true.

    x, y: Tensors or numbers. With neither, the result is ``nonzero(condition, as_tuple=True)``.
    """
    if x is None and y is None:
        return nonzero(condition, as_tuple=True)
    if x is None or y is None:
        raise ValueError("where takes both x and y, or neither.")
    found = _where(condition, x, y)
    if _is_number(x) and _is_number(y) and found.dtype.is_floating:
        found = found.astype(default())
    return put_out(found, out)


def _is_number(x: Any) -> bool:
    return bool(x.storage.array.weak_type) if isinstance(x, Tensor) else is_number(x)


function(where, method=True)


def where_(condition: Tensor, x: Tensor, y: Any, name: str | None = None) -> Tensor:
    """In-place `where`: writes the result into `x`."""
    return x._rebind(_where(condition, x, y))


attach("where_", where_)
INPLACE["where_"] = where_


@op(name="nonzero", eager=True)
def _nonzero(x):
    found = np.nonzero(np.asarray(x))
    return jnp.asarray(np.stack(found, -1).reshape((-1, x.ndim)) if x.ndim else
                       np.zeros((int(bool(x)), 0)), dtype=np.int64)


@function(method=True)
def nonzero(x: Tensor, as_tuple: bool = False, *, out: Tensor | None = None) -> Any:
    """The positions of the elements that are not zero: a row for each, or vectors, one a dimension, with `as_tuple`."""
    found = _nonzero(x)
    if not as_tuple:
        return put_out(found, out)
    return tuple(found[:, i] for i in range(x.ndim))


@function(method=True)
def argwhere(input: Tensor) -> Tensor:
    """The positions of the elements that are not zero, a row for each."""
    return _nonzero(input)


@function(method=True)
def masked_select(x: Tensor, mask: Tensor, name: str | None = None, *, out: Tensor | None = None) -> Tensor:
    """The elements of `x` where the mask (of a shape that broadcasts with it) is true, as a vector."""
    from kayax.bridge.ops.manipulation import expand
    shape = list(jnp.broadcast_shapes(tuple(x.shape), tuple(mask.shape)))
    x, mask = (t if list(t.shape) == shape else expand(t, shape) for t in (x, mask))
    return put_out(x[mask], out)


@op(method=True, differentiable=False)
def isin(x, test_x, assume_unique=False, invert=False, name=None):
    """Whether each element of `x` is among those of `test_x`; with `invert`, whether it is not."""
    return jnp.isin(x, test_x, assume_unique=assume_unique, invert=invert)


__all__ = [
    "argmax", "argmin", "argsort", "argwhere", "bucketize", "isin", "kthvalue", "masked_select", "mode", "msort",
    "nonzero", "searchsorted", "sort", "topk", "where", "where_",
]
