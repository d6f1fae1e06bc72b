"""Where the elements of a view lie in the memory that it shares: sizes, strides and an offset, all in elements.

A rule is what an operation does to a NumPy array that it gives a view of. It is tried on an array without memory of its
own, whose strides say the rest; so NumPy decides what can be a view.
"""
from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from kayax.bridge.errors import ConversionError


class Layout(NamedTuple):
    """The element at position i lies at ``offset + sum(i[d] * strides[d])``; the offset may be a program's value."""

    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: Any = 0

    @property
    def contiguous(self) -> bool:
        """Whether the elements lie in order, one after the other."""
        return all(n == 1 or a == b for n, a, b in zip(self.shape, self.strides, in_order(self.shape), strict=True))

    @property
    def end(self) -> int:
        """The size that the memory has at least (as far as it is known)."""
        if 0 in self.shape or not isinstance(self.offset, int):
            return 0
        return self.offset + sum(max(0, (n - 1) * s) for n, s in zip(self.shape, self.strides, strict=True)) + 1

    @property
    def overlaps(self) -> bool:
        """Whether two positions may share one element."""
        reach = 0
        for stride, n in sorted((abs(s), n) for s, n in zip(self.strides, self.shape, strict=True) if n > 1):
            if stride <= reach:
                return True
            reach += stride * (n - 1)
        return False

    def step(self, shape: tuple[int, ...], rule: Callable, args: tuple, given: tuple = ()) -> Layout | None:
        """The layout of what a rule gives here, of this shape; None if it has to copy.

        given: the run-time numbers of an index, each of which moves the offset by its stride.
        """
        if any(map(is_open, (*self.shape, *shape))):
            dims = ", ".join(dict.fromkeys(str(n) for n in (*self.shape, *shape) if is_open(n)))
            raise ConversionError("A tensor that shares memory with another one is written in place, and has "
                                  f"dimensions that are left open: {dims}.\nWrite the whole tensor, clone() the part "
                                  "first, or give these dimensions a fixed size.")
        found = _tried(self.shape, self.strides, shape, rule, args)
        if found is None:
            return None
        strides, offset, weights = found
        offset += self.offset + sum(i * w for i, w in zip(given, weights, strict=True))
        return Layout(shape, strides, offset)


def is_open(n: Any) -> bool:
    """Whether a dimension has any size: a symbol, while a function is saved."""
    return not isinstance(n, (int, np.integer))


@functools.lru_cache(maxsize=4096)
def in_order(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The strides of an array whose elements lie in order."""
    return tuple(math.prod(shape[d + 1:]) for d in range(len(shape)))


@functools.lru_cache(maxsize=4096)
def _tried(shape: tuple, strides: tuple, new: tuple, rule: Callable, args: tuple) -> tuple | None:
    ghost = as_strided(np.empty(1, np.int8), shape, strides)            # its memory is never touched
    try:
        view = rule(ghost, new, *args)
    except ValueError:
        return None
    offset = view.__array_interface__["data"][0] - ghost.__array_interface__["data"][0]
    return _shown(rule, view), offset, weights(strides, *args) if rule is indexed else ()


def _shown(rule: Callable, view: np.ndarray) -> tuple[int, ...]:
    """The strides; those of new dimensions of size 1, which mean nothing, as Paddle shows them."""
    strides, after = list(view.strides), 1
    for d in reversed(range(view.ndim)):
        if view.shape[d] == 1 and (rule is reshaped or strides[d] == 0):
            strides[d] = after
        after = view.shape[d] * strides[d]
    return tuple(strides)


# ---- the rules: (array, shape of the result, the operation's own arguments) -> a view of the array -------------------

def reshaped(a: np.ndarray, shape: tuple) -> np.ndarray:
    return np.reshape(a, shape, copy=False)


def permuted(a: np.ndarray, shape: tuple, perm: tuple | None = None) -> np.ndarray:
    return np.transpose(a, perm)


def moved(a: np.ndarray, shape: tuple, source: Any, destination: Any) -> np.ndarray:
    return np.moveaxis(a, source, destination)


def exchanged(a: np.ndarray, shape: tuple) -> np.ndarray:
    return np.swapaxes(a, -1, -2)


def diagonal(a: np.ndarray, shape: tuple, offset: int = 0, axis1: int = 0, axis2: int = 1) -> np.ndarray:
    return np.diagonal(a, offset, axis1, axis2)


def cut(a: np.ndarray, shape: tuple, *slices: tuple) -> np.ndarray:
    return a[tuple([slice(*s) for s in slices])]


def taken(a: np.ndarray, shape: tuple, axis: int, i: int) -> np.ndarray:
    return a[(slice(None),) * axis + (i, ...)]


def windows(a: np.ndarray, shape: tuple, axis: int, size: int, step: int) -> np.ndarray:
    axis %= a.ndim
    return sliding_window_view(a, size, axis)[(slice(None),) * axis + (slice(None, None, step),)]


def strided(a: np.ndarray, shape: tuple, strides: tuple, offset: int) -> np.ndarray:
    if a.strides != in_order(a.shape):
        raise ValueError("counts the elements in order")
    return as_strided(as_strided(a, (offset + 1,), (1,))[offset:], shape, strides)


# The parts of an index, beside ("start", length) for a slice of step 1 and ("cut", *slice) for any other.
WHOLE, INT, NEW = ":", "int", "new"


def indexed(a: np.ndarray, shape: tuple, parts: tuple) -> np.ndarray:
    """``a[index]``, where ints and the starts of slices are zero: `weights` says what they add."""
    index: list[Any] = []
    for part in parts:
        if part == WHOLE:
            index.append(slice(None))
        elif part == NEW:
            index.append(None)
        elif part == INT:
            index.append(0)
        else:
            index.append(slice(0, part[1]) if part[0] == "start" else slice(*part[1:]))
    return a[(*index, ...)]


def weights(strides: tuple[int, ...], parts: tuple) -> tuple[int, ...]:
    """By how much each run-time number of an index moves the offset."""
    dims = [p for p in parts if p != NEW]
    return tuple([s for s, p in zip(strides, dims, strict=True) if p == INT or p[0] == "start"])
