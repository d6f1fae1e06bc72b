"""Initial values of parameters, drawn with NumPy from the random state (a program per shape would cost more)."""
from __future__ import annotations

import math
import warnings
from typing import Any

import jax.numpy as jnp
import numpy as np

from kayax.bridge import rng
from kayax.bridge.convert import owned
from kayax.bridge.tensor import Tensor
from kayax.spec.errors import ArgumentError


class Initializer:
    """Fills a parameter: a subclass defines `values(shape)`, or `__call__` for full control."""

    def values(self, shape: tuple[int, ...]) -> np.ndarray:
        """The initial value for this shape, in any floating type."""
        raise NotImplementedError(f"{type(self).__name__} defines neither values() nor __call__().")

    def __call__(self, param: Tensor, block: Any = None) -> None:
        array = param.storage.array
        param.storage.array = jnp.asarray(owned(self.values(tuple(array.shape))), dtype=array.dtype)


class Constant(Initializer):
    """Every element is `value`."""

    def __init__(self, value: float = 0.0):
        self.value = value

    def values(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.full(shape, self.value)


class Assign(Initializer):
    """The given value: an array, nested lists or a Tensor.

    Should have the parameter's shape: otherwise the parameter takes the value's, as in Paddle, and a warning says so.
    """

    def __init__(self, value: Any, name: str | None = None):
        self.value = value.numpy() if isinstance(value, Tensor) else np.asarray(value)

    def values(self, shape: tuple[int, ...]) -> np.ndarray:
        if self.value.shape != shape:
            warnings.warn(f"Assign was given a value of shape {list(self.value.shape)} for a parameter of shape "
                          f"{list(shape)}: the parameter has the value's shape now.", stacklevel=4)
        return self.value


class Uniform(Initializer):
    """Uniform between `low` and `high`."""

    def __init__(self, low: float = -1.0, high: float = 1.0, name: str | None = None):
        if low > high:
            raise ArgumentError(f"low must not exceed high, but got {low} and {high}.")
        self.low, self.high = low, high

    def values(self, shape: tuple[int, ...]) -> np.ndarray:
        return rng.numpy_generator().random(shape, np.float32) * (self.high - self.low) + self.low


class Normal(Initializer):
    """Normal with mean `mean` and standard deviation `std`."""

    def __init__(self, mean: float = 0.0, std: float = 1.0, name: str | None = None):
        self.mean, self.std = mean, std

    def values(self, shape: tuple[int, ...]) -> np.ndarray:
        return rng.numpy_generator().standard_normal(shape, np.float32) * np.float32(self.std) + np.float32(self.mean)


class TruncatedNormal(Initializer):
    """Normal, with draws outside of ``[a, b]`` drawn again."""

    def __init__(self, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, name: str | None = None):
        self.mean, self.std, self.a, self.b = mean, std, a, b

    def values(self, shape: tuple[int, ...]) -> np.ndarray:
        generator = rng.numpy_generator()
        drawn = generator.normal(self.mean, self.std, shape)
        outside = (drawn < self.a) | (drawn > self.b)
        for _ in range(1000):
            if not outside.any():
                return drawn
            drawn[outside] = generator.normal(self.mean, self.std, int(outside.sum()))
            outside = (drawn < self.a) | (drawn > self.b)
        raise ArgumentError(f"Normal({self.mean}, {self.std}) hardly ever falls into [{self.a}, {self.b}].")


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """How many inputs and outputs a weight of this shape connects: (in, out) for a matrix, (out, in, *kernel) else."""
    if len(shape) < 2:
        n = shape[0] if shape else 1
        return n, n
    if len(shape) == 2:
        return shape[0], shape[1]
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


class _Scaled(Initializer):
    """Draws whose variance is ``scale² / fan``."""

    uniform: bool

    def _draw(self, shape: tuple[int, ...], std: float) -> np.ndarray:
        if self.uniform:
            limit = math.sqrt(3.0) * std
            return Uniform(-limit, limit).values(shape)
        return Normal(0.0, std).values(shape)


class XavierUniform(_Scaled):
    """Glorot and Bengio (2010): the variance is ``2 gain² / (fan_in + fan_out)``, uniform."""

    uniform = True

    def __init__(self, fan_in: float | None = None, fan_out: float | None = None, gain: float = 1.0,
                 name: str | None = None):
        self.fan_in, self.fan_out, self.gain = fan_in, fan_out, gain

    def values(self, shape: tuple[int, ...]) -> np.ndarray:
        fan_in, fan_out = fans(shape)
        fan_in = fan_in if self.fan_in is None else self.fan_in             # type: ignore[assignment]
        fan_out = fan_out if self.fan_out is None else self.fan_out         # type: ignore[assignment]
        total = fan_in + fan_out
        return self._draw(shape, self.gain * math.sqrt(2.0 / total) if total else 0.0)


class XavierNormal(XavierUniform):
    """As `XavierUniform`, normal."""

    uniform = False


class KaimingUniform(_Scaled):
    """He et al. (2015): the variance is ``gain² / fan``, uniform. `mode` is "fan_in" or "fan_out"."""

    uniform = True

    def __init__(self, fan_in: float | None = None, negative_slope: float = 0.0, nonlinearity: str = "relu",
                 mode: str = "fan_in"):
        if mode not in ("fan_in", "fan_out"):
            raise ArgumentError(f"mode must be 'fan_in' or 'fan_out', but got {mode!r}.")
        self.fan_in, self.negative_slope, self.nonlinearity, self.mode = fan_in, negative_slope, nonlinearity, mode

    def values(self, shape: tuple[int, ...]) -> np.ndarray:
        fan: float = fans(shape)[self.mode == "fan_out"]
        if self.fan_in is not None and self.mode == "fan_in":
            fan = self.fan_in
        gain = calculate_gain(self.nonlinearity, self.negative_slope)
        return self._draw(shape, gain / math.sqrt(fan) if fan else 0.0)


class KaimingNormal(KaimingUniform):
    """As `KaimingUniform`, normal."""

    uniform = False


class Orthogonal(Initializer):
    """A random matrix with orthonormal rows or columns times `gain` (Saxe et al., 2014); the first axis is the rows."""

    def __init__(self, gain: float = 1.0, name: str | None = None):
        self.gain = gain

    def values(self, shape: tuple[int, ...]) -> np.ndarray:
        if len(shape) < 2:
            raise ArgumentError(f"Orthogonal needs a parameter with 2 axes or more, but its shape is {list(shape)}.")
        rows, columns = shape[0], math.prod(shape[1:])
        drawn = rng.numpy_generator().standard_normal((max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(drawn)
        q *= np.sign(np.diag(r))
        return self.gain * (q if rows >= columns else q.T).reshape(shape)


class Dirac(Initializer):
    """A convolution weight that passes its input on unchanged."""

    def __init__(self, groups: int = 1, name: str | None = None):
        if not (isinstance(groups, int) and groups > 0):
            raise ArgumentError(f"groups must be a positive int, but got {groups!r}.")
        self.groups = groups

    def values(self, shape: tuple[int, ...]) -> np.ndarray:
        if len(shape) not in (3, 4, 5) or shape[0] % self.groups:
            raise ArgumentError(f"Dirac needs a weight of 3 to 5 axes, the first divisible by groups={self.groups}, "
                                f"but its shape is {list(shape)}.")
        value = np.zeros(shape)
        center = tuple(k // 2 for k in shape[2:])
        size = shape[0] // self.groups
        for group in range(self.groups):
            for i in range(min(size, shape[1])):
                value[(group * size + i, i, *center)] = 1.0
        return value


class Bilinear(Initializer):
    """A transposed convolution's weight that enlarges by bilinear interpolation.

    Paddle 3.3's values are not symmetric, and so do not interpolate: its rows are counted in fractions. These are.
    """

    def values(self, shape: tuple[int, ...]) -> np.ndarray:
        if len(shape) != 4 or shape[2] != shape[3]:
            raise ArgumentError(f"Bilinear needs a weight with 4 axes and a square kernel, but it is {list(shape)}.")
        size = shape[3]
        f = math.ceil(size / 2.0)
        c = (2 * f - 1 - f % 2) / (2.0 * f)
        line = 1 - np.abs(np.arange(size) / f - c)
        return np.broadcast_to(np.outer(line, line), shape)


_GAINS = {"sigmoid": 1, "linear": 1, "conv1d": 1, "conv2d": 1, "conv3d": 1, "conv1d_transpose": 1,
          "conv2d_transpose": 1, "conv3d_transpose": 1, "tanh": 5.0 / 3, "relu": math.sqrt(2.0), "selu": 3.0 / 4}


def calculate_gain(nonlinearity: str, param: Any = None) -> float:
    """The recommended gain before a nonlinearity; `param` is leaky_relu's slope (0.01 if None)."""
    if nonlinearity == "leaky_relu":
        return math.sqrt(2.0 / (1 + (0.01 if param is None else float(param)) ** 2))
    if nonlinearity not in _GAINS:
        raise ArgumentError(f"nonlinearity must be one of {', '.join([*_GAINS, 'leaky_relu'])}, but got "
                            f"{nonlinearity!r}.")
    return _GAINS[nonlinearity]


_global: list[Initializer | None] = [None, None]


def set_global_initializer(weight_init: Initializer | None, bias_init: Initializer | None = None) -> None:
    """What weights and biases start with where nothing else is said; None for the layers' own defaults."""
    for value in (weight_init, bias_init):
        if value is not None and not isinstance(value, Initializer):
            raise ArgumentError(f"A global initializer must be an Initializer or None, but got {type(value).__name__}.")
    _global[:] = [weight_init, bias_init]


def global_initializer(is_bias: bool) -> Initializer | None:
    """The global initializer for weights or biases, if one is set."""
    return _global[is_bias]
