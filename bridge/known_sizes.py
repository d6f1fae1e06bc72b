"""Tensors of open sizes: what `paddle.shape` gives while a program is saved for any size, and what is computed of it.

Each is a part of the program like any other Tensor; where Python needs a size (of a new Tensor, a slice), it is here.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from kayax.bridge import known
from kayax.bridge.open_sizes import has_open, shown
from kayax.bridge.state import state


class _Unknown(Exception):
    """An argument is not known."""


def note_shape(tensor: Any, shape: Sequence[Any]) -> None:
    """Note what a Tensor holds that was made of a shape, if that is open."""
    if state.trace is not None and has_open(tuple(shape)):
        found = np.empty(len(shape), object)
        found[:] = [shown(n) for n in shape]
        known.note_open(tensor.storage.array, found)


def follow(compute: Callable, args: Sequence[Any], out: Any) -> None:
    """Note what an operation gave, if an argument holds open sizes and the others are known."""
    if not any(known.open_of(x.storage.array) is not None for x in _tensors(args)):
        return
    try:
        values = compute(*map(_values, args))
    except (_Unknown, ValueError, TypeError, IndexError, ArithmeticError):      # Paddle's rules, and not NumPy's
        return
    if not isinstance(values, np.ndarray):
        found = np.empty((), object)
        found[()] = values
        values = found
    if values.shape == out.storage.array.shape:
        known.note_open(out.storage.array, values)


def _tensors(args: Sequence[Any]) -> list[Any]:
    return [x for arg in args for x in (arg if type(arg) in (list, tuple) else (arg,)) if hasattr(x, "storage")]


def _values(arg: Any) -> Any:
    if type(arg) in (list, tuple):
        return type(arg)(map(_values, arg))
    if not hasattr(arg, "storage"):
        return arg
    array = arg.storage.array
    found = known.open_of(array)
    if found is None:
        found = known.value_of(array) if isinstance(array, jax.core.Tracer) else np.asarray(array)
    if found is None or (found.dtype != object and found.dtype.kind not in "iu"):
        raise _Unknown
    return found.astype(object)


def bounds(index: Any) -> Any:
    """An index with open sizes in place of Tensors of them that begin or end its slices."""
    if type(index) is tuple:
        return tuple(map(bounds, index))
    return slice(*map(_bound, (index.start, index.stop, index.step))) if type(index) is slice else index


def _bound(value: Any) -> Any:
    found = known.open_of(value.storage.array) if hasattr(value, "storage") else None
    return found.item() if found is not None and found.size == 1 else value


# ---- operations that are followed ------------------------------------------------------------------------------


def _arithmetic(compute: Callable) -> Callable:
    def run(x: Any, y: Any, name: Any = None, alpha: Any = 1) -> Any:
        if alpha != 1 or isinstance(x, float) or isinstance(y, float):
            raise _Unknown
        return compute(x, y)

    return run


def _cast(x: Any, dtype: Any) -> Any:
    from kayax.spec.dtype import to_numpy
    if to_numpy(dtype) not in (np.int32, np.int64):
        raise _Unknown
    return x


def item(x: np.ndarray, index: Any) -> Any:
    """``x[index]``, of numbers and slices."""
    if not isinstance(index, (int, slice, type(None), type(Ellipsis), tuple, list)):
        raise _Unknown
    return x[index]


FOLLOWED: dict[str, Callable] = {
    "add": _arithmetic(lambda x, y: x + y), "subtract": _arithmetic(lambda x, y: x - y),
    "multiply": _arithmetic(lambda x, y: x * y), "floor_divide": _arithmetic(lambda x, y: x // y),
    "remainder": _arithmetic(lambda x, y: x % y), "cast": _cast,
    "concat": lambda x, axis=0, name=None: np.concatenate(x, axis),
    "stack": lambda x, axis=0, name=None: np.stack(x, axis),
    "reshape": lambda x, shape, name=None: np.reshape(x, shape),
    "squeeze": lambda x, axis=None, name=None: np.squeeze(x, axis),
    "unsqueeze": lambda x, axis, name=None: np.expand_dims(x, axis),
}
