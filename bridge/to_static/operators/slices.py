"""Slices that begin or end where a tensor says.

``x[i:] = value`` and the like are a choice for every element. ``x[i:i + 2]`` is read where its size is known.
"""
from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
from jax import lax

from kayax.bridge.call import Call
from kayax.bridge.convert import as_tensor
from kayax.bridge.dispatch import run_call
from kayax.bridge.errors import ConversionError, at_user_line
from kayax.bridge.known import open_of
from kayax.bridge.slots import note_alias
from kayax.bridge.tensor import Tensor
from kayax.bridge.to_static.operators import values as v
from kayax.bridge.to_static.operators.arithmetic import place_of

_NUMBERS = (int, float, bool)


def has_open_ends(key: Any) -> bool:
    """Whether an index has a slice that begins or ends where a tensor says."""
    return any(type(k) is slice and any(_is_decided(x) for x in (k.start, k.stop))
               for k in (key if type(key) is tuple else (key,)))


def _is_decided(value: Any) -> bool:
    """Whether a tensor decides it when the program runs: an open size is settled, for all sizes."""
    return v.is_staged(v.settled_key(value)) and open_of(value.storage.array) is None


def read(owner: Tensor, key: Any) -> Any:
    """``owner[key]``; of a slice that a tensor begins, the size has to be known, as that of ``i:i + 2`` is."""
    parts = _parts(key if type(key) is tuple else (key,), tuple(owner.shape))
    found = owner
    for dim, part in enumerate(parts):
        if type(part) is not slice or not has_open_ends(part):
            continue
        width = _width(part)
        if width is None:
            raise ConversionError(
                f"A tensor decides how long a slice is that is read.{at_user_line()}\nGive it a size that is known "
                "(`x[i:i + 2]`), or use a mask: paddle.where(paddle.arange(n) < i, x, 0).")
        start, n = _scalar(part.start if part.start is not None else 0), owner.shape[dim]
        v.bail_if(v.either(start < 0, start + width > n) if v.is_staged(start) else start < 0 or start + width > n)
        first = start if isinstance(start, Tensor) else jnp.asarray(start)
        found = run_call(_window(dim, min(width, n)), [found, first])
        parts[dim] = slice(None)
    found = found[tuple(parts)]
    note_alias(found, [owner.storage])          # eagerly they share memory
    return found


def _width(part: slice) -> int | None:
    if part.step not in (None, 1):
        return None
    ends: list[Any] = [0 if part.start is None else part.start, part.stop]
    ends = [place_of(x) if v.is_staged(x) else (None, x) for x in ends]
    (a, first), (b, last) = ends
    return max(last - first, 0) if a is b and isinstance(last, int) else None


@functools.lru_cache(maxsize=256)
def _window(dim: int, width: int) -> Call:
    return Call(lambda x, start: lax.dynamic_slice_in_dim(x, start, width, dim), "slice")


def write(owner: Tensor, key: Any, value: Any) -> None:
    """``owner[key] = value``, for a key of ints, slices of positive step, and `...`."""
    shape = tuple(owner.shape)
    parts = _parts(key if type(key) is tuple else (key,), shape)
    value = as_tensor(value, owner.dtype if isinstance(value, _NUMBERS) else None)
    if value.storage.array.dtype.kind == "c" and owner.storage.array.dtype.kind != "c":
        raise ValueError(f"A complex value cannot be written into a Tensor of {owner.dtype.name}.")
    dims = [d for d, part in enumerate(parts) if type(part) is slice]
    sizes = list(value.shape)
    while len(sizes) > len(dims) and sizes[0] == 1:
        sizes = sizes[1:]
    if len(sizes) > len(dims):
        raise ValueError(f"A value of shape {list(value.shape)} has more dimensions than what the index selects.")
    places = dict(zip(dims[len(dims) - len(sizes):], sizes, strict=True))       # where a dimension of the value belongs
    bounds: list[Any] = []
    for dim, (part, n) in enumerate(zip(parts, shape, strict=True)):
        bounds += _bounds(part, n, places.get(dim, 1))
    numbers = [b if isinstance(b, Tensor) else jnp.asarray(b) for b in bounds]
    steps = tuple([part.step or 1 if type(part) is slice else 1 for part in parts])
    call = Call(_writing(steps, tuple(places.items()), len(shape)), "setitem")
    owner._rebind(run_call(call, [owner, value, *numbers]))


def _parts(key: Sequence[Any], shape: tuple) -> list[Any]:
    """One slice or number for each dimension."""
    i = next((i for i, k in enumerate(key) if k is Ellipsis), None)       # `in` would compare Tensors
    if i is not None:
        key = [*key[:i], *[slice(None)] * (len(shape) - len(key) + 1), *key[i + 1:]]
    parts = [*key, *[slice(None)] * (len(shape) - len(key))]
    for part in parts:
        plain = type(part) is slice and isinstance(part.step, (int, type(None))) and (part.step or 1) > 0
        number = type(part) is int or (v.is_staged(part) and part.storage.array.dtype.kind in "iu" and part.size == 1)
        if not plain and not number:
            raise ConversionError(f"A slice that a tensor ends, beside an index of another kind.{at_user_line()}\n"
                                  "Write with ints, slices of positive step and `...` alone.")
    if len(parts) > len(shape):
        raise IndexError(f"Too many indices for a Tensor with {len(shape)} dimensions.")
    return parts


def _bounds(part: Any, n: int, size: int) -> tuple[Any, Any]:
    """Where the elements begin and end along a dimension of size n; they must be as many as the value has, if not 1."""
    if type(part) is not slice:
        number = _scalar(part)
        if _is_decided(number):
            v.bail_if(v.either(number < -n, number >= n))
        elif not -n <= number < n:
            raise IndexError(f"The index {number} is out of range for a dimension of size {n}.")
        start = _from_end(number, n)
        return start, start + 1
    start, stop = _clamped(part.start, 0, n), _clamped(part.stop, n, n)
    if size != 1:
        step = part.step or 1
        count = (stop - start + step - 1) // step
        differs = count != size
        if v.is_staged(differs):
            v.bail_if(differs)
        elif differs:
            raise ValueError(f"A value with {size} rows cannot be written into a slice of {max(count, 0)}.")
    return start, stop


def _scalar(x: Any) -> Any:
    x = v.settled_key(x)
    return x.detach().reshape([]).astype("int64") if isinstance(x, Tensor) else x


def _from_end(x: Any, n: int) -> Any:
    if v.is_staged(x):
        return x + (x < 0).astype("int64") * n
    return x + n if x < 0 else x


def _clamped(x: Any, default: int, n: int) -> Any:
    x = _from_end(_scalar(default if x is None else x), n)
    return x.clip(0, n) if isinstance(x, Tensor) else min(max(x, 0), n)


def _writing(steps: tuple, places: tuple, ndim: int) -> Any:
    def setitem(x: Any, value: Any, *bounds: Any) -> Any:
        chosen: Any = True
        value = value.astype(x.dtype).reshape([size for _, size in places])
        shape = [1] * ndim
        for axis, (dim, size) in enumerate(places):
            shape[dim] = size
            if size != 1:
                row = (jnp.arange(x.shape[dim]) - bounds[2 * dim]) // steps[dim]
                value = jnp.take(value, jnp.clip(row, 0, size - 1), axis=axis)
                shape[dim] = x.shape[dim]
        for dim in range(ndim):
            start, stop = bounds[2 * dim:2 * dim + 2]
            i = jnp.arange(x.shape[dim])
            here = (i >= start) & (i < stop) & ((i - start) % steps[dim] == 0)
            chosen = chosen & here.reshape([-1 if d == dim else 1 for d in range(ndim)])
        return jnp.where(chosen, value.reshape(shape), x)

    return setitem
