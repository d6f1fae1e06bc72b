"""The base of transforms: maps between Tensors, with the logarithm of the determinant of their Jacobians."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kayax.bridge.tensor import Tensor
from kayax.distribution import variable
from kayax.distribution.distribution import Distribution


class Transform:
    """The base: a subclass defines `_forward` and `_inverse`, and one of `_forward_log_det_jacobian` and
    `_inverse_log_det_jacobian`; where shapes change also `_forward_shape` and `_inverse_shape`.

    Called with a Tensor it maps it, with a distribution it gives the one of the mapped draws, with another transform
    the chain of both.
    """

    holds_settings = True

    _injective = True
    _domain: variable.Variable = variable.real
    _codomain: variable.Variable = variable.real

    def _is_injective(self) -> bool:
        return self._injective

    def __call__(self, input: Any) -> Any:
        if isinstance(input, Distribution):
            from kayax.distribution.transformed import TransformedDistribution
            return TransformedDistribution(input, [self])
        if isinstance(input, Transform):
            from kayax.distribution.transform_composed import ChainTransform
            return ChainTransform([self, input])
        return self.forward(input)

    def forward(self, x: Tensor) -> Tensor:
        """The image of `x`."""
        return self._forward(_checked(x, self._domain, "x"))

    def inverse(self, y: Tensor) -> Any:
        """What is mapped to `y`."""
        return self._inverse(_checked(y, self._codomain, "y"))

    def forward_log_det_jacobian(self, x: Tensor) -> Tensor:
        """The logarithm of the absolute determinant of the Jacobian at `x`."""
        _checked(x, self._domain, "x")
        if not self._is_injective():
            raise NotImplementedError(f"{type(self).__name__} is not injective: it has no forward_log_det_jacobian.")
        if hasattr(self, "_forward_log_det_jacobian"):
            return self._forward_log_det_jacobian(x)
        if hasattr(self, "_inverse_log_det_jacobian"):
            return -self._inverse_log_det_jacobian(self.forward(x))
        raise self._lacks_jacobian()

    def inverse_log_det_jacobian(self, y: Tensor) -> Any:
        """The logarithm of the absolute determinant of the inverse's Jacobian at `y`."""
        _checked(y, self._codomain, "y")
        if hasattr(self, "_inverse_log_det_jacobian"):
            return self._inverse_log_det_jacobian(y)
        if hasattr(self, "_forward_log_det_jacobian"):
            return -self._forward_log_det_jacobian(self._inverse(y))
        raise self._lacks_jacobian()

    def forward_shape(self, shape: Sequence[int]) -> Sequence[int]:
        """The shape of the image of a Tensor of this shape."""
        return self._forward_shape(checked_shape(shape))

    def inverse_shape(self, shape: Sequence[int]) -> Sequence[int]:
        """The shape of what is mapped to a Tensor of this shape."""
        return self._inverse_shape(checked_shape(shape))

    def _forward(self, x: Tensor) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} does not define _forward.")

    def _inverse(self, y: Tensor) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not define _inverse.")

    def _lacks_jacobian(self) -> NotImplementedError:
        return NotImplementedError(f"{type(self).__name__} defines neither _forward_log_det_jacobian nor "
                                   "_inverse_log_det_jacobian.")

    def _forward_shape(self, shape: Sequence[int]) -> Sequence[int]:
        return shape

    def _inverse_shape(self, shape: Sequence[int]) -> Sequence[int]:
        return shape


def _checked(value: Any, wanted: variable.Variable, name: str) -> Tensor:
    if not isinstance(value, Tensor):
        raise TypeError(f"{name} must be a Tensor, but got {type(value).__name__}.")
    if len(value.shape) < wanted.event_rank:
        raise ValueError(f"{name} must have at least {wanted.event_rank} dimensions, but its shape is "
                         f"{list(value.shape)}.")
    return value


def checked_shape(shape: Any) -> Sequence[int]:
    """`shape`, which must be a list or tuple."""
    if isinstance(shape, str) or not isinstance(shape, Sequence):
        raise TypeError(f"A shape must be a list or tuple of ints, but got {type(shape).__name__}.")
    return shape
