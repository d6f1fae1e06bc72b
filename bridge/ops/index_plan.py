"""An index, taken apart into a plan: what is part of the program, and what is given to it when it runs."""
from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kayax.bridge.layout import INT, NEW, WHOLE
from kayax.bridge.open_sizes import is_open, plain
from kayax.bridge.ops.checks import check_range, true_positions
from kayax.bridge.tensor import Tensor, wrap
from kayax.spec.errors import ArgumentError, RangeError

ARRAY, TRUE = "array", "true"           # parts beside those of `layout.indexed`; TRUE is a mask without dimensions


class Plan:
    """The index, resolved against the tensor's shape."""

    __slots__ = ("parts", "given", "arrays")

    def __init__(self, shape: tuple, index: Any):
        self.parts: list[Any] = []
        self.given: list[Any] = []
        self.arrays = False
        items = _expand_ellipsis(index if type(index) is tuple else (index,), len(shape))
        dim = 0
        for item in items:
            dim = self._take(item, shape, dim)
        self.parts += [WHOLE] * (len(shape) - dim)

    def _take(self, item: Any, shape: tuple, dim: int) -> int:
        kind = type(item)
        if item is None:
            self.parts.append(NEW)
            return dim
        if kind is int:
            self._int(item, shape, dim)
        elif kind is slice:
            self._slice(item, shape[dim], dim)
        elif kind is bool or isinstance(item, np.bool_):
            self.parts.append(TRUE if item else False)
            self.arrays = True
            return dim
        elif isinstance(item, (np.integer, int)):
            self._int(int(item), shape, dim)
        elif is_open(item):
            self._open_int(plain(item), shape[dim])
        else:
            return self._array(item, shape, dim)
        return dim + 1

    def _int(self, i: int, shape: tuple, dim: int) -> None:
        n = shape[dim]
        if type(n) is int and not -n <= i < n:
            raise RangeError(f"Index {i} is out of range for dimension {dim} of a Tensor of shape {list(shape)}: it "
                             f"must be in [{-n}, {n}).")
        self.parts.append(INT)
        self.given.append(i + n if i < 0 else i)

    def _open_int(self, i: Any, n: Any) -> None:
        """A position computed from open sizes; whether it is in range must be the same for all of them."""
        i = i + n if i < 0 else i
        if not 0 <= i < n:
            raise RangeError(f"Index {i} is out of range for a dimension of size {n}.")
        self.parts.append(INT)
        self.given.append(wrap(jnp.asarray(i)))

    def _slice(self, item: slice, n: Any, dim: int) -> None:
        if item.start is None and item.stop is None and item.step is None:
            self.parts.append(WHOLE)
            return
        item = slice(_bound(item.start), _bound(item.stop), _bound(item.step))
        if type(n) is not int or any(map(is_open, (item.start, item.stop, item.step))):
            self.parts.append(("cut", item.start, item.stop, item.step))
            return
        if item.step == 0:
            raise ValueError("The step of a slice cannot be 0.")
        start, stop, step = item.indices(n)
        length = len(range(start, stop, step))
        if length == n and step == 1:
            self.parts.append(WHOLE)
        elif step == 1:
            self.parts.append(("start", length))
            self.given.append(min(start, n - length))
        else:
            self.parts.append(("cut", item.start, item.stop, item.step))

    def _array(self, item: Any, shape: tuple, dim: int) -> int:
        if isinstance(item, (list, tuple, range)):
            item = _from_list(item)
        if (isinstance(item, Tensor) and item.storage.array.dtype == np.bool_) or (
                isinstance(item, np.ndarray) and item.dtype == np.bool_):
            return self._mask(item, shape, dim)
        if not isinstance(item, (Tensor, np.ndarray, jax.Array)):
            raise ValueError(f"An index is an int, a slice, None, ..., a list, an array or a Tensor of ints or bools, "
                             f"or a tuple of these, but got {type(item).__name__}.")
        if item.dtype.kind not in "iu" if not isinstance(item, Tensor) else not item.dtype.is_integer:
            raise ValueError(f"An index Tensor must be of integers or bools, but got {item.dtype}.")
        check_range(item, shape[dim], dim, shape)
        if item.ndim == 0:                      # as an int, but its value is known only when the program runs
            self.parts.append(INT)
            self.given.append(item)
            return dim + 1
        self.parts.append(ARRAY)
        self.given.append(item.copy() if isinstance(item, np.ndarray) else item)    # which the user may change
        self.arrays = True
        return dim + 1

    def _mask(self, mask: Any, shape: tuple, dim: int) -> int:
        if tuple(mask.shape) != tuple(shape[dim:dim + mask.ndim]):
            raise RangeError(f"The mask of shape {list(mask.shape)} does not fit dimensions {dim} to "
                             f"{dim + mask.ndim - 1} of a Tensor of shape {list(shape)}.")
        if mask.ndim == 0:
            self.parts.append(TRUE if bool(mask) else False)
            self.arrays = True
            return dim
        for positions in true_positions(mask):
            self.parts.append(ARRAY)
            self.given.append(positions)
        self.arrays = True
        return dim + mask.ndim


def _expand_ellipsis(items: tuple, ndim: int) -> tuple:
    used = 0
    at = -1
    for i, item in enumerate(items):
        if item is Ellipsis:
            if at >= 0:
                raise RangeError("An index can have only one ellipsis (...).")
            at = i
        elif item is not None and item is not True and item is not False:
            used += _rank(item)
    if used > ndim:
        raise RangeError(f"Too many indices: {used} for a Tensor of {ndim} dimensions.")
    if at < 0:
        return items
    return (*items[:at], *(slice(None),) * (ndim - used), *items[at + 1:])


def _rank(item: Any) -> int:
    """How many dimensions an item uses up."""
    if isinstance(item, (Tensor, np.ndarray)):
        is_bool = item.storage.array.dtype == np.bool_ if isinstance(item, Tensor) else item.dtype == np.bool_
        return item.ndim if is_bool else 1
    if isinstance(item, list):
        depth, first = 1, item
        while first and isinstance(first[0], list):
            depth, first = depth + 1, first[0]
        return depth if first and isinstance(first[0], (bool, np.bool_)) else 1
    return 1


def _bound(value: Any) -> Any:
    if value is None or type(value) is int:
        return value
    if is_open(value):
        return plain(value)
    if not hasattr(value, "__index__"):
        raise ArgumentError(f"The bounds of a slice are integers or None, but got {value!r}.")
    return value.__index__()


def _from_list(items: Any) -> Any:
    if any(isinstance(i, Tensor) for i in items):
        from kayax.bridge.ops.manipulation_join import stack
        return stack([i if isinstance(i, Tensor) else wrap(jnp.asarray(i)) for i in items])
    found = np.asarray(items)
    return found.astype(np.int64) if found.size == 0 else found
