"""Descriptions of test inputs: what an array is like, never the array itself.

The array is drawn from the case's name, so that the recorder (real Paddle) and the tests (Kayax) see the same numbers
without storing them. `RandomState` is used because its streams are frozen across NumPy versions.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np


def random_state(*words: object) -> np.random.RandomState:
    """A random stream that depends on nothing but `words`."""
    return np.random.RandomState(zlib.crc32("/".join(str(word) for word in words).encode()))


@dataclass(frozen=True)
class Spec:
    """One input: how to draw it, its dtype (by name, since NumPy has no bfloat16), and whether it wants a gradient."""

    draw: Callable[[np.random.RandomState], np.ndarray]
    dtype: str = "float32"
    grad: bool = True

    def array(self, *words: object) -> np.ndarray:
        """The input's values (bfloat16 as float32: the caller casts the tensor)."""
        host = "float32" if self.dtype == "bfloat16" else self.dtype
        return np.asarray(self.draw(random_state(*words))).astype(host)

    @property
    def differentiable(self) -> bool:
        return self.grad and ("float" in self.dtype or "complex" in self.dtype)

    def fixed(self) -> Spec:
        """The same input with stop_gradient=True."""
        return replace(self, grad=False)

    def astype(self, dtype: str) -> Spec:
        return replace(self, dtype=dtype)


def f32(*shape: int, dtype: str = "float32") -> Spec:
    """Standard normal."""
    return Spec(lambda r: r.standard_normal(shape), dtype)


def f64(*shape: int) -> Spec:
    return f32(*shape, dtype="float64")


def bf16(*shape: int) -> Spec:
    return f32(*shape, dtype="bfloat16")


def c64(*shape: int, dtype: str = "complex64") -> Spec:
    return Spec(lambda r: r.standard_normal(shape) + 1j * r.standard_normal(shape), dtype)


def pos(*shape: int, low: float = 0.2, high: float = 3.0) -> Spec:
    """Uniform in [low, high)."""
    return Spec(lambda r: r.uniform(low, high, shape))


def unit(*shape: int) -> Spec:
    """Inside the unit interval, away from its ends: probabilities, arcs."""
    return pos(*shape, low=0.05, high=0.95)


def sym(*shape: int, high: float = 0.95) -> Spec:
    """Uniform in (-high, high)."""
    return pos(*shape, low=-high, high=high)


def wide(*shape: int, scale: float = 4.0) -> Spec:
    """Normal with a large spread: reaches the flat parts of clipped activations."""
    return Spec(lambda r: scale * r.standard_normal(shape))


def distinct(*shape: int, dtype: str = "float32") -> Spec:
    """A shuffled arithmetic progression: no ties, so sorting and maxima are well defined."""

    def draw(r: np.random.RandomState) -> np.ndarray:
        size = int(np.prod(shape))
        values = (np.arange(size) - size // 2) * (1 if "int" in dtype else 0.37)
        return r.permutation(values).reshape(shape)

    return Spec(draw, dtype)


def ints(low: int, high: int, *shape: int, dtype: str = "int64") -> Spec:
    """Integers in [low, high)."""
    return Spec(lambda r: r.randint(low, high, shape), dtype)


def bools(*shape: int) -> Spec:
    return Spec(lambda r: r.uniform(size=shape) < 0.5, "bool")


def simplex(*shape: int) -> Spec:
    """Positive, sums to one along the last axis."""

    def draw(r: np.random.RandomState) -> np.ndarray:
        raw = r.uniform(0.2, 1.0, shape)
        return raw / raw.sum(-1, keepdims=True)

    return Spec(draw)


def spd(*shape: int) -> Spec:
    """Symmetric positive definite matrices in the last two dimensions."""

    def draw(r: np.random.RandomState) -> np.ndarray:
        root = r.standard_normal(shape)
        return root @ np.swapaxes(root, -1, -2) + 2.0 * np.eye(shape[-1])

    return Spec(draw)


def const(values: object, dtype: str = "float32", grad: bool = False) -> Spec:
    """Given values."""
    return Spec(lambda r: np.asarray(values), dtype, grad)
