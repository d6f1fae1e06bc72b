"""Shapes: reshape, transpose, flatten, squeeze, expand, tile, flip, roll."""
from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from kayax.bridge.known_sizes import note_shape
from kayax.bridge.layout import moved, permuted, reshaped
from kayax.bridge.open_sizes import is_one, plain
from kayax.bridge.ops.promotion import axes_of, axis_of
from kayax.bridge.registry import attach, function, op
from kayax.bridge.state import state
from kayax.bridge.tensor import Tensor
from kayax.spec.dtype import DType, convert, find, to_numpy

_DTYPES = (str, DType, type, np.dtype)


def _is_int(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) or (isinstance(value, Tensor) and value.ndim == 0)


def with_varargs(public: Callable, name: str, apart: bool = True) -> Callable:
    """`public(x, ints)` that also takes a NumPy array and, if `apart`, the ints one by one."""
    @functools.wraps(public)
    def spread(*args: Any, **kwargs: Any) -> Any:
        if apart and len(args) > 1 and _is_int(args[1]):
            args = (args[0], list(args[1:]))
        elif len(args) > 1 and isinstance(args[1], np.ndarray):
            args = (args[0], args[1].tolist(), *args[2:])
        return public(*args, **kwargs)

    spread.__signature__ = inspect.signature(public)        # type: ignore[attr-defined]
    attach(name, spread)
    return spread


def sizes_of(shape: Any, what: str = "shape") -> tuple:
    """A shape argument as a tuple."""
    if isinstance(shape, (int, np.integer)):
        return (shape,)
    if not isinstance(shape, (list, tuple)):
        raise TypeError(f"{what} must be a list of ints or a Tensor, but got {shape!r}.")
    return tuple(shape)


def _is(size: Any, value: int) -> bool:
    return isinstance(size, (int, np.integer)) and size == value


@op(method=True, inplace="reshape")
def cast(x, dtype):
    """`x` as another data type; a complex number loses its imaginary part on the way to a real one."""
    dtype = to_numpy(dtype)
    if x.dtype.kind == "c" and dtype.kind not in "cb":
        x = x.real
    return x.astype(dtype)


@function(method=True)
def astype(x: Tensor, dtype: Any) -> Tensor:
    """`x` as another data type; itself if it is of that already."""
    return x if state.graph is None and x.dtype == convert(dtype) else cast(x, dtype)


@op(static=("shape",), inplace="reshape", view=reshaped)
def reshape(x, shape, name=None):
    """`x` in another shape with the same number of elements.

    One size may be -1: it follows from the others. A size 0 takes the size of that dimension of `x`. The result shares
    memory with `x`, if the elements of `x` lie in order.
    """
    wanted = list(sizes_of(shape))
    for i, size in enumerate(wanted):
        if _is(size, 0) and math.prod(x.shape) != 0:
            if i >= x.ndim:
                raise ValueError(f"shape={wanted} has a 0 at dimension {i}, but x has only {x.ndim} dimensions.")
            wanted[i] = x.shape[i]
        elif isinstance(size, (int, np.integer)) and size < -1:
            raise ValueError(f"The sizes of a shape must not be below -1, but shape={wanted}.")
    if sum(_is(s, -1) for s in wanted) > 1:
        raise ValueError(f"Only one size of a shape may be -1, but shape={wanted}.")
    if 0 in x.shape and 0 in wanted and -1 in wanted and all(isinstance(s, int) for s in (*x.shape, *wanted)):
        left, given = (math.prod(s for s in sizes if s > 0) for sizes in (x.shape, wanted))
        wanted = [left // given if _is(s, -1) and left % given == 0 else s for s in wanted]
    try:
        return jnp.reshape(x, wanted)
    except (TypeError, ValueError, ZeroDivisionError):
        raise ValueError(f"x of shape {list(x.shape)} has {math.prod(x.shape)} elements, which do not fit into "
                         f"shape={wanted}.") from None


reshape = with_varargs(reshape, "reshape")
reshape_ = reshape.inplace                                  # type: ignore[attr-defined]
with_varargs(reshape_, "reshape_")


@op
def _bitcast(x, dtype):
    wanted = to_numpy(dtype)
    ratio = wanted.itemsize / x.dtype.itemsize
    if ratio == 1:
        return x if x.dtype == wanted else x.view(wanted)
    if not x.ndim or (ratio > 1 and x.shape[-1] % int(ratio)):
        raise ValueError(f"The last dimension of {list(x.shape)} does not divide into elements of {wanted.name}.")
    return x.view(wanted)


@function
def view(x: Tensor, shape_or_dtype: Any, name: str | None = None) -> Tensor:
    """`x` in another shape, sharing its memory, or its bytes read as another dtype.

    Differs from Paddle: with another dtype the result is a copy.
    """
    is_dtype = isinstance(shape_or_dtype, _DTYPES) and find(shape_or_dtype) is not None
    return _bitcast(x, shape_or_dtype) if is_dtype else reshape(x, shape_or_dtype)


view = with_varargs(view, "view")


@function(method=True)
def view_as(x: Tensor, other: Tensor, name: str | None = None) -> Tensor:
    """`x` in the shape of `other`."""
    return reshape(x, other.shape)


@op(method=True, inplace="reshape", view=reshaped)
def flatten(x, start_axis=0, stop_axis=-1, name=None):
    """`x` with the dimensions from `start_axis` to `stop_axis` (included) made one."""
    if x.ndim == 0:
        return x.reshape((1,))
    start, stop = axis_of(start_axis, x.ndim, "start_axis"), axis_of(stop_axis, x.ndim, "stop_axis")
    if start > stop:
        raise ValueError(f"start_axis={start_axis} must not come after stop_axis={stop_axis}.")
    return x.reshape((*x.shape[:start], math.prod(x.shape[start:stop + 1]), *x.shape[stop + 1:]))


@op(method=True, view=reshaped)
def ravel(input):
    """`input` in one dimension."""
    return input.reshape((math.prod(input.shape),))


@op(method=True, static=("shape",), view=reshaped)
def unflatten(x, axis, shape, name=None):
    """`x` with the dimension `axis` split into `shape`, of which one size may be -1."""
    axis = axis_of(axis, x.ndim)
    shape = sizes_of(shape)
    return x.reshape((*x.shape[:axis], *shape, *x.shape[axis + 1:]))


@op(method=True, inplace="reshape", static=("axis",), view=reshaped)
def squeeze(x, axis=None, name=None):
    """`x` without its dimensions of size 1: all of them, or those in `axis` (of another size: they stay)."""
    axes = axes_of(axis, x.ndim) if x.ndim else ()
    return jnp.squeeze(x, tuple(a for a in axes if is_one(x.shape[a])))


@op(method=True, inplace="reshape", static=("axis",), view=reshaped)
def unsqueeze(x, axis, name=None):
    """`x` with new dimensions of size 1 at `axis`, put in one after the other."""
    for a in (axis,) if isinstance(axis, (int, np.integer)) else axis:
        x = jnp.expand_dims(x, axis_of(a, x.ndim + 1))
    return x


def _perm(x: Tensor, perm: Any, name: Any = None) -> tuple:
    return (tuple(perm.tolist() if isinstance(perm, Tensor) else perm),)


@op(inplace="reshape", view=(permuted, _perm))
def transpose(x, perm, name=None):
    """`x` with its dimensions in the order `perm`."""
    if len(perm) != x.ndim:
        raise ValueError(f"perm={list(perm)} must name each of the {x.ndim} dimensions of x {list(x.shape)} once.")
    return jnp.transpose(x, axes_of(perm, x.ndim) if perm else ())


def with_pairs(public: Callable, *names: str) -> Callable:
    """`public(x, perm)` that also exchanges two dimensions: ``public(x, 0, 1)``, by keyword dim0, dim1, axis0, axis1.

    Three and more ints are an error, since Paddle would take the first two of them alone.
    """
    def as_perm(args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
        pair = [kwargs.pop(k) for k in ("dim0", "axis0", "dim1", "axis1") if k in kwargs]
        if len(args) > 1 and _is_int(args[1]):
            args, pair = args[:1], [*args[1:], *pair]
        if pair:
            x: Any = args[0] if args else kwargs.get("x", kwargs.get("input"))
            if len(pair) != 2:
                raise TypeError(f"{public.__name__} takes a list of all dimensions, or the two to exchange, but got "
                                f"{len(pair)} ints: write them as a list.")
            one, other = (axis_of(int(p), x.ndim) for p in pair)
            kwargs["perm"] = [{one: other, other: one}.get(d, d) for d in range(x.ndim)]
        return args, kwargs

    @functools.wraps(public)
    def exchanging(*args: Any, **kwargs: Any) -> Any:
        if kwargs or len(args) < 2 or not isinstance(args[1], (list, tuple)):
            args, kwargs = as_perm(args, kwargs)
        return public(*args, **kwargs)

    exchanging.__signature__ = inspect.signature(public)    # type: ignore[attr-defined]
    exchanging.accepts = frozenset()                        # type: ignore[attr-defined]
    for name in names:
        attach(name, exchanging)
    return exchanging


transpose_ = with_pairs(transpose.inplace, "transpose_")    # type: ignore[attr-defined]
transpose = swapaxes = swapdims = with_pairs(transpose, "transpose", "swapaxes", "swapdims")
transpose.inplace = transpose_                              # type: ignore[attr-defined]


def permute(input: Tensor, dims: Any) -> Tensor:
    """The same as `transpose`."""
    return transpose(input, list(dims))


permute = with_varargs(permute, "permute")


def _axes(*values: Any) -> tuple:
    return tuple([tuple(v) if isinstance(v, list) else v for v in values])


@op(method=True, view=(moved, lambda x, source, destination, name=None: _axes(source, destination)))
def moveaxis(x, source, destination, name=None):
    """`x` with the dimensions `source` moved to the places `destination`."""
    return jnp.moveaxis(x, source, destination)


def expanded_shape(shape: tuple, wanted: Any) -> tuple:
    """The sizes that `shape` is expanded to: -1 keeps a size."""
    wanted = sizes_of(wanted)
    lead = len(wanted) - len(shape)
    if lead < 0:
        raise ValueError(f"shape={list(wanted)} has fewer dimensions than x {list(shape)}.")
    out = []
    for i, size in enumerate(wanted):
        old = shape[i - lead] if i >= lead else 1
        if _is(size, -1):
            if i < lead:
                raise ValueError(f"shape={list(wanted)}: a new dimension in front cannot be -1.")
            size = old
        elif not _is(old, 1) and old != size:
            raise ValueError(f"A Tensor of shape {list(shape)} cannot be expanded to {list(wanted)}: only sizes of 1 "
                             "grow.")
        out.append(size)
    return tuple(out)


@op(static=("shape",))
def expand(x, shape, name=None):
    """`x` repeated along its dimensions of size 1, and along new ones in front, to `shape`; -1 keeps a size."""
    return jnp.broadcast_to(x, expanded_shape(x.shape, shape))


expand = with_varargs(expand, "expand")


@op(method=True, static=("shape",))
def broadcast_to(x, shape, name=None):
    """The same as `expand`."""
    return jnp.broadcast_to(x, expanded_shape(x.shape, shape))


@op(method=True)
def expand_as(x, y, name=None):
    """`x` expanded to the shape of `y`."""
    return jnp.broadcast_to(x, expanded_shape(x.shape, y.shape))


@op(method=True)
def broadcast_tensors(input, name=None):
    """The Tensors, all expanded to the shape they broadcast to."""
    return list(jnp.broadcast_arrays(*input))


@function(method="broadcast_shapes")
def broadcast_shapes(*shapes: Any) -> list[int]:
    """The shape that these shapes broadcast to."""
    given = [s.tolist() if isinstance(s, (Tensor, np.ndarray)) else s for s in shapes]
    return list(jnp.broadcast_shapes(*(tuple(plain(s)) for s in given)))


@function(method="broadcast_shape")
def broadcast_shape(x_shape: Any, y_shape: Any) -> list[int]:
    """The shape that two shapes broadcast to."""
    return broadcast_shapes(x_shape, y_shape)


@op(static=("repeat_times",))
def tile(x, repeat_times, name=None):
    """`x` repeated `repeat_times[i]` times along dimension i, counted from the last."""
    return jnp.tile(x, sizes_of(repeat_times, "repeat_times"))


tile = with_varargs(tile, "tile", apart=False)        # Paddle's tile(2, 1) is tile(2, name=1)


def repeat(input: Tensor, repeats: Any) -> Tensor:
    """The same as `tile`, with the numbers as a list or as arguments."""
    return tile(input, repeats)


with_varargs(repeat, "repeat")


@op(method=("flip", "reverse"))
def flip(x, axis, name=None):
    """`x` with the elements along `axis` (an int or several) in reverse order."""
    return jnp.flip(x, axes_of(axis, x.ndim) if axis != () else ())


reverse = flip


@op(method=True)
def rot90(x, k=1, axes=(0, 1), name=None):
    """`x` turned by 90 degrees `k` times in the plane of two axes, from the first towards the second."""
    if len(axes) != 2 or x.ndim < 2:
        raise ValueError(f"rot90 turns in a plane of 2 axes, but got axes={list(axes)} for x {list(x.shape)}.")
    return jnp.rot90(x, k, (axis_of(axes[0], x.ndim), axis_of(axes[1], x.ndim)))


@op(method=True, static=("shifts",))
def roll(x, shifts, axis=None, name=None):
    """`x` with its elements moved by `shifts` along `axis` (None: flattened); they come in again at the start."""
    return jnp.roll(x, shifts, axis)


@op(name="shape", differentiable=False, of_shape=True)
def _shape(input):
    return jnp.asarray(input.shape, np.int64)


@function
def shape(input: Tensor) -> Tensor:
    """The shape of a Tensor as a Tensor (int64)."""
    sizes = _shape(input)
    if state.trace is not None:
        note_shape(sizes, input.storage.array.shape)
    return sizes


@op(method=True, differentiable=False, of_shape=True)
def rank(input):
    """The number of dimensions as a 0-D int32 Tensor."""
    return jnp.asarray(input.ndim, np.int32)


@function(method=False)
def tolist(x: Tensor) -> Any:
    """The value as nested lists of Python numbers."""
    return x.tolist()


def _at_least(n: int) -> Callable:
    @op(name=f"atleast_{n}d_one", view=reshaped)
    def one(x):
        if n == 3 and x.ndim < 3:
            x = jnp.atleast_1d(x)
            return x[None, :, None] if x.ndim == 1 else x[:, :, None]
        return x.reshape((1,) * (n - x.ndim) + x.shape) if x.ndim < n else x

    def public(*inputs: Any, name: str | None = None) -> Any:
        made = [one(x if isinstance(x, Tensor) else Tensor(x)) for x in (
            inputs[0] if len(inputs) == 1 and isinstance(inputs[0], (list, tuple)) else inputs)]
        return made[0] if len(made) == 1 else made

    public.__name__ = public.__qualname__ = f"atleast_{n}d"
    public.__doc__ = f"The Tensors with at least {n} dimension{'s' * (n > 1)}, new ones of size 1 in NumPy's places."
    return function(public, method=True)


atleast_1d, atleast_2d, atleast_3d = (_at_least(n) for n in (1, 2, 3))

__all__ = [
    "atleast_1d", "atleast_2d", "atleast_3d", "broadcast_shape", "broadcast_shapes", "broadcast_tensors",
    "broadcast_to", "cast", "expand", "expand_as", "flatten", "flip", "moveaxis", "permute", "rank", "ravel",
    "reshape", "reshape_", "reverse", "roll", "rot90", "shape", "squeeze", "swapaxes", "swapdims", "tile",
    "tolist", "transpose", "transpose_", "unflatten", "unsqueeze", "view", "view_as",
]
