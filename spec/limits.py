"""The limits of the data types: ``paddle.finfo`` and ``paddle.iinfo``."""
from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from kayax.spec.dtype import find

_REAL = {"complex64": "float32", "complex128": "float64"}


class _Limits:
    _fields: tuple[str, ...] = ()

    def __repr__(self) -> str:
        shown = [f"{name}={value:.6g}" if isinstance(value, float) else f"{name}={value}"
                 for name, value in ((name, getattr(self, name)) for name in self._fields)]
        return f"paddle.{type(self).__name__}({', '.join(shown)})"


class finfo(_Limits):
    """The limits of a floating type (of a complex type: of its parts).

    min, max: the least and the greatest number. eps: the step from 1 to the next number. resolution: the decimal
    precision. tiny, smallest_normal: the smallest positive number of full precision. bits: how many one takes up.
    """

    _fields = ("min", "max", "eps", "resolution", "smallest_normal", "tiny", "bits", "dtype")

    def __init__(self, dtype: Any):
        found = find(dtype)
        if found is None or not found.is_differentiable:
            raise ValueError(f"finfo takes a floating or complex type, but got {dtype!r}.")
        self.dtype = _REAL.get(found.name, found.name)
        limits = ml_dtypes.finfo(self.dtype)
        self.min, self.max, self.eps = float(limits.min), float(limits.max), float(limits.eps)
        self.resolution, self.bits = float(limits.resolution), int(limits.bits)
        self.tiny = self.smallest_normal = float(limits.tiny)


class iinfo(_Limits):
    """The limits of an integer type: min, max, and how many bits one takes up."""

    _fields = ("min", "max", "bits", "dtype")

    def __init__(self, dtype: Any):
        found = find(dtype)
        if found is None or not found.is_integer:
            raise ValueError(f"iinfo takes an integer type, but got {dtype!r}.")
        limits = np.iinfo(found.numpy)
        self.min, self.max, self.bits, self.dtype = int(limits.min), int(limits.max), int(limits.bits), found.name


__all__ = ["finfo", "iinfo"]
