"""What is known of an array before it exists, and what holds two of them."""
from __future__ import annotations

import dataclasses
from typing import Any

import jax
import numpy as np


class Mismatch(Exception):
    """No one value can stand for these two."""


@dataclasses.dataclass(frozen=True)
class Aval:
    """What is known of an array before it exists. `weak`: it stands for a Python number (bools too, unlike in JAX).

    `stop`: it has no gradient.
    """

    shape: tuple
    dtype: Any
    weak: bool
    stop: bool = True

    @staticmethod
    def of(array: Any, stop: bool = True) -> Aval:
        kind = jax.typeof(array)
        return Aval(tuple(kind.shape), kind.dtype, bool(kind.weak_type), stop)

    def struct(self) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(self.shape, self.dtype, weak_type=self.weak and self.dtype != bool)


_FITS = {("b", "b"), ("i", "i"), ("i", "f"), ("f", "f"), ("c", "c")}    # a number of this kind in a tensor of that


def common(a: Aval, b: Aval) -> Aval:
    """The kind of array that holds both: what is a number on one side is a number on the other, too."""
    if (a.shape, a.dtype, a.weak) != (b.shape, b.dtype, b.weak):
        raise Mismatch
    return dataclasses.replace(a, stop=a.stop and b.stop)


def widened(a: Aval, b: Aval) -> Aval:
    """The same where a number may become a 0-D tensor that it fits in."""
    narrow, wide = (a, b) if a.weak and (not b.weak or _kind(b.dtype) == "f") else (b, a)
    if a.shape != b.shape or not narrow.weak or not fits(narrow.dtype, wide.dtype):
        return common(a, b)
    return dataclasses.replace(wide, stop=a.stop and b.stop)


def fits(number: Any, dtype: Any) -> bool:
    """Whether a 0-D tensor of that dtype may stand for a Python number of the other."""
    return (_kind(number), _kind(dtype)) in _FITS


def _kind(dtype: Any) -> str:
    return {"u": "i", "V": "f"}.get(np.dtype(dtype).kind, np.dtype(dtype).kind)
