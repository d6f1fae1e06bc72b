"""Transforms of each element by itself."""
from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from kayax.bridge.open_sizes import common_shape
from kayax.bridge.tensor import Tensor
from kayax.distribution import variable
from kayax.distribution.transform_base import Transform
from kayax.layers import functional as F
from kayax.layers import ops


def _need_tensors(**values: Any) -> None:
    for name, value in values.items():
        if not isinstance(value, Tensor):
            raise TypeError(f"{name} must be a Tensor, but got {type(value).__name__}.")


class AbsTransform(Transform):
    """``|x|``. Not injective: the inverse gives both ``(-y, y)``."""

    _injective = False
    _codomain = variable.positive

    def _forward(self, x: Tensor) -> Tensor:
        return ops.abs(x)

    def _inverse(self, y: Tensor) -> tuple[Tensor, Tensor]:
        return -y, y

    def _inverse_log_det_jacobian(self, y: Tensor) -> tuple[Tensor, Tensor]:
        zero = ops.zeros([], y.dtype)
        return zero, zero


class AffineTransform(Transform):
    """``loc + scale * x``."""

    def __init__(self, loc: Tensor, scale: Tensor):
        _need_tensors(loc=loc, scale=scale)
        self._loc, self._scale = loc, scale

    @property
    def loc(self) -> Tensor:
        """What is added."""
        return self._loc

    @property
    def scale(self) -> Tensor:
        """The factor."""
        return self._scale

    def _forward(self, x: Tensor) -> Tensor:
        return self._loc + self._scale * x

    def _inverse(self, y: Tensor) -> Tensor:
        return (y - self._loc) / self._scale

    def _forward_log_det_jacobian(self, x: Tensor) -> Tensor:
        return ops.log(ops.abs(self._scale))

    def _forward_shape(self, shape: Sequence[int]) -> Sequence[int]:
        return common_shape(tuple(shape), tuple(self._loc.shape), tuple(self._scale.shape))

    _inverse_shape = _forward_shape


class ExpTransform(Transform):
    """``exp(x)``."""

    _codomain = variable.positive

    def _forward(self, x: Tensor) -> Tensor:
        return ops.exp(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return ops.log(y)

    def _forward_log_det_jacobian(self, x: Tensor) -> Tensor:
        return x


class PowerTransform(Transform):
    """``x ** power``, for positive `x`."""

    _codomain = variable.positive

    def __init__(self, power: Tensor):
        _need_tensors(power=power)
        self._power = power

    @property
    def power(self) -> Tensor:
        """The exponent."""
        return self._power

    def _forward(self, x: Tensor) -> Tensor:
        return ops.pow(x, self._power)

    def _inverse(self, y: Tensor) -> Tensor:
        return ops.pow(y, 1 / self._power)

    def _forward_log_det_jacobian(self, x: Tensor) -> Tensor:
        return ops.log(ops.abs(self._power * ops.pow(x, self._power - 1)))

    def _forward_shape(self, shape: Sequence[int]) -> Sequence[int]:
        return common_shape(tuple(shape), tuple(self._power.shape))

    _inverse_shape = _forward_shape


class SigmoidTransform(Transform):
    """``1 / (1 + exp(-x))``."""

    _codomain = variable.unit

    def _forward(self, x: Tensor) -> Tensor:
        return F.sigmoid(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return ops.log(y) - ops.log1p(-y)

    def _forward_log_det_jacobian(self, x: Tensor) -> Tensor:
        return -F.softplus(-x) - F.softplus(x)


class TanhTransform(Transform):
    """The hyperbolic tangent."""

    _codomain = variable.symmetric_unit

    def _forward(self, x: Tensor) -> Tensor:
        return ops.tanh(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return ops.atanh(y)

    def _forward_log_det_jacobian(self, x: Tensor) -> Tensor:
        return 2.0 * (math.log(2.0) - x - F.softplus(-2.0 * x))
