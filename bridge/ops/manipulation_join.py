"""Joining Tensors and taking them apart: concat, stack, split, unbind."""
from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from kayax.bridge.keywords import put_out
from kayax.bridge.layout import taken
from kayax.bridge.open_sizes import need_known
from kayax.bridge.ops.manipulation import atleast_1d, atleast_2d, atleast_3d
from kayax.bridge.ops.promotion import axis_of
from kayax.bridge.registry import function, op
from kayax.bridge.tensor import Tensor


def _meet(arrays: Any, what: str) -> list:
    """The arrays, which must be several and of one type."""
    if not isinstance(arrays, (tuple, list)):
        raise TypeError(f"{what} takes a list of Tensors, but got one Tensor of shape {list(arrays.shape)}.")
    if not arrays:
        raise ValueError(f"{what} needs at least one Tensor, but the list is empty.")
    if any(a.dtype != arrays[0].dtype for a in arrays):
        raise ValueError(f"{what} takes Tensors of one dtype, but got {', '.join(a.dtype.name for a in arrays)}. Cast "
                         "them with .astype().")
    return list(arrays)


@op(name="concat", static=("axis",))
def _concat(x, axis=0, name=None):
    arrays = _meet(x, "concat")
    # Paddle lets an empty vector pass in a list of Tensors with more dimensions.
    ndim = max(a.ndim for a in arrays)
    arrays = [a for a in arrays if a.ndim == ndim or a.size] or arrays
    axis = axis_of(axis, ndim)
    shapes = [a.shape[:axis] + a.shape[axis + 1:] for a in arrays]
    if any(a.ndim != ndim for a in arrays) or any(s != shapes[0] for s in shapes):
        raise ValueError(f"The Tensors must have the same sizes except along axis {axis}, but their shapes are "
                         f"{[list(a.shape) for a in arrays]}.")
    return jnp.concatenate(arrays, axis) if ndim else jnp.stack(arrays)


@op(name="stack")
def _stack(x, axis=0, name=None):
    arrays = _meet(x, "stack")
    if any(a.shape != arrays[0].shape for a in arrays):
        raise ValueError(f"The Tensors must have one shape, but their shapes are {[list(a.shape) for a in arrays]}.")
    return jnp.stack(arrays, axis_of(axis, arrays[0].ndim + 1))


def concat(x: Any, axis: Any = 0, name: str | None = None, *, out: Tensor | None = None) -> Tensor:
    """The Tensors of the list `x` one after the other along `axis`, into `out` if given.

    Their other sizes must be equal, and so must their dtypes.
    """
    return put_out(_concat(x, axis), out)


def stack(x: Any, axis: int = 0, name: str | None = None, *, out: Tensor | None = None) -> Tensor:
    """The Tensors of the list `x`, all of one shape, along a new dimension `axis`, into `out` if given."""
    return put_out(_stack(x, axis), out)


function(concat, method=True)
function(stack, method=True)
cat = concatenate = concat


def _stacker(name: str, lift: Callable | None, axis: Callable[[int], int], doc: str) -> Callable:
    def public(x: Any, name: str | None = None) -> Tensor:
        tensors = [lift(t) for t in x] if lift else list(x)
        return concat(tensors, axis(tensors[0].ndim))

    public.__name__ = public.__qualname__ = name
    public.__doc__ = doc
    return public


def _columns(t: Tensor) -> Tensor:
    return atleast_2d(t).transpose([1, 0]) if t.ndim < 2 else t


hstack = _stacker("hstack", atleast_1d, lambda n: 0 if n == 1 else 1, "The Tensors side by side, along dimension 1.")
vstack = _stacker("vstack", atleast_2d, lambda n: 0, "The Tensors as rows, one below the other.")
dstack = _stacker("dstack", atleast_3d, lambda n: 2, "The Tensors along dimension 2.")
column_stack = _stacker("column_stack", _columns, lambda n: 1, "The Tensors side by side; vectors are columns.")
row_stack = _stacker("row_stack", atleast_2d, lambda n: 0, "The same as `vstack`.")


def _cut(x: Any, sizes: Any, axis: int) -> list:
    ends = list(itertools.accumulate(sizes))
    whole = (slice(None),) * axis
    return [x[(*whole, slice(end - size, end))] for size, end in zip(sizes, ends, strict=True)]


@op(method=True, static=("num_or_sections", "axis"))
def split(x, num_or_sections, axis=0, name=None):
    """`x` in parts along `axis`: that many equal ones, or of the sizes given, of which one may be -1."""
    axis = axis_of(axis, x.ndim)
    length = x.shape[axis]
    if isinstance(num_or_sections, (int, np.integer)):
        if num_or_sections <= 0 or length % num_or_sections != 0:
            raise ValueError(f"The size {length} of axis {axis} does not divide into {num_or_sections} equal parts.")
        return _cut(x, [length // num_or_sections] * num_or_sections, axis)
    sizes = list(num_or_sections)
    if sizes.count(-1) > 1:
        raise ValueError(f"Only one section may be -1, but got {sizes}.")
    if -1 in sizes:
        sizes[sizes.index(-1)] = length - sum(sizes) - 1
    if any(s < 0 for s in sizes) or sum(sizes) != length:
        raise ValueError(f"The sections {list(num_or_sections)} must add up to {length}, the size of axis {axis}.")
    return _cut(x, sizes, axis)


@op(method=True, static=("axis",))
def chunk(x, chunks, axis=0, name=None):
    """`x` in `chunks` equal parts along `axis`."""
    axis = axis_of(axis, x.ndim)
    length = x.shape[axis]
    if chunks <= 0 or length % chunks != 0:
        raise ValueError(f"The size {length} of axis {axis} does not divide into {chunks} equal parts.")
    return _cut(x, [length // chunks] * chunks, axis)


@function(method=True)
def split_with_sizes(self: Tensor, split_sizes: Any, dim: int = 0) -> list[Tensor]:
    """`split` with a list of sizes."""
    return split(self, split_sizes, dim)


@op(method=True, static=("num_or_indices", "axis"))
def tensor_split(x, num_or_indices, axis=0, name=None):
    """`x` in parts along `axis`: that many, as equal as can be, or cut before each of the indices.

    A negative index counts from the end; one beyond the end gives parts without elements.
    """
    if x.ndim < 1:
        raise ValueError("tensor_split needs a Tensor with at least 1 dimension, but x is 0-D.")
    axis = axis_of(axis, x.ndim)
    if isinstance(num_or_indices, int) and num_or_indices <= 0:
        raise ValueError(f"num_or_indices must be above 0, but got {num_or_indices}.")
    if isinstance(num_or_indices, int):
        need_known(x, axis, f"The sizes of tensor_split's {num_or_indices} parts depend on it.")
        return list(jnp.array_split(x, num_or_indices, axis))
    places = [0, *num_or_indices, x.shape[axis]]
    before = (slice(None),) * axis
    return [x[(*before, slice(start, stop))] for start, stop in itertools.pairwise(places)]


def _splitter(name: str, ndim: int, axis: int, doc: str) -> Callable:
    def public(x: Tensor, num_or_indices: Any, name: str | None = None) -> list[Tensor]:
        if x.ndim < ndim:
            raise ValueError(f"{public.__name__} needs a Tensor with at least {ndim} dimensions, but got {x.ndim}.")
        return tensor_split(x, num_or_indices, min(axis, x.ndim - 1))

    public.__name__ = public.__qualname__ = name
    public.__doc__ = doc
    return function(public, method=True)


hsplit = _splitter("hsplit", 1, 1, "`tensor_split` along dimension 1 (of a vector, along dimension 0).")
vsplit = _splitter("vsplit", 2, 0, "`tensor_split` along dimension 0.")
dsplit = _splitter("dsplit", 3, 2, "`tensor_split` along dimension 2.")


@op(method=True, view=(taken, lambda input, axis=0: (axis_of(axis, input.ndim),)))
def unbind(input, axis=0):
    """The slices of a Tensor along `axis`, without that dimension."""
    axis = axis_of(axis, input.ndim)
    need_known(input, axis, "unbind gives one Tensor for each of its elements.")
    return [jnp.squeeze(part, axis) for part in _cut(input, [1] * input.shape[axis], axis)]


@op(method=True)
def unstack(x, axis=0, num=None):
    """The slices of `x` along `axis`, without that dimension; `num`, if given, must be their number."""
    axis = axis_of(axis, x.ndim)
    need_known(x, axis, "unstack gives one Tensor for each of its elements.")
    if num is not None and num != x.shape[axis]:
        raise ValueError(f"num={num} must be {x.shape[axis]}, the size of axis {axis}.")
    return [jnp.squeeze(part, axis) for part in _cut(x, [1] * x.shape[axis], axis)]


@op
def cartesian_prod(x, name=None):
    """Every combination of one element of each vector, as the rows of a matrix (of one vector: itself)."""
    if any(a.ndim != 1 for a in x):
        raise ValueError(f"cartesian_prod takes vectors, but the shapes are {[list(a.shape) for a in x]}.")
    if len(x) == 1:
        return x[0]
    grid = jnp.meshgrid(*_meet(x, "cartesian_prod"), indexing="ij")
    return jnp.stack(grid, -1).reshape((math.prod(a.shape[0] for a in x), len(x)))


@op(method=True)
def combinations(x, r=2, with_replacement=False, name=None):
    """The combinations of `r` elements of a vector, as the rows of a matrix."""
    if x.ndim != 1:
        raise ValueError(f"combinations takes a vector, but x has shape {list(x.shape)}.")
    if not isinstance(r, int) or r < 0:
        raise ValueError(f"r must be an int that is not negative, but got {r!r}.")
    need_known(x, 0, "The number of its combinations depends on it in a way that no program can express.")
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    rows = np.array(list(choose(range(x.shape[0]), r)), np.int64).reshape((-1, r))
    return x[rows] if r else jnp.zeros((0,), x.dtype)


__all__ = [
    "cartesian_prod", "cat", "chunk", "column_stack", "combinations", "concat", "concatenate", "dsplit", "dstack",
    "hsplit", "hstack", "row_stack", "split", "stack", "tensor_split", "unbind", "unstack", "vsplit", "vstack",
]
