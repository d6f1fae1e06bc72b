"""Indices and labels out of range: an error where their values can be looked at, before a program runs."""
from __future__ import annotations

import functools
from typing import Any

import jax
import numpy as np

from kayax.bridge.errors import RangeError
from kayax.bridge.tensor import Tensor

_UNSIGNED = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}


@functools.cache
def _values_at_hand() -> bool:
    """Whether arrays are in the host's memory; on a device, looking at them would wait for everything before."""
    return jax.default_backend() == "cpu"


def known_values(x: Any) -> np.ndarray | None:
    """The values of a Tensor, unless a program is being traced or they would have to come from a device."""
    array = x.storage.array if isinstance(x, Tensor) else x
    known = isinstance(array, (np.ndarray, np.generic, jax.Array)) and not isinstance(array, jax.core.Tracer)
    if not known or not _values_at_hand():
        return None
    return np.asarray(array)


def need_range(index: Any, size: Any, name: str, ignore: int | None = None, lowest: int = 0) -> None:
    """A RangeError if a known value of `index` is outside of ``[lowest, size)`` and not `ignore`."""
    values = known_values(index)
    if values is None or values.dtype.kind not in "iu" or not values.size:
        return
    if values.view(_UNSIGNED[values.dtype.itemsize]).max() < size:      # negative is huge: one pass for both
        return
    wrong = (values < lowest) | (values >= size)
    if ignore is not None:
        wrong &= values != ignore
    if wrong.any():
        but = "" if ignore is None else f", or ignore_index {ignore}"
        raise RangeError(f"The values of {name} must be in [{lowest}, {size}){but}, but one is {values[wrong][0]}.")
