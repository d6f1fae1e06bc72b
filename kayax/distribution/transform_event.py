"""Transforms of whole events: vectors to probabilities, other shapes."""
from __future__ import annotations

import math
from collections.abc import Sequence

from kayax.bridge.tensor import Tensor
from kayax.distribution import variable
from kayax.distribution.transform_base import Transform, checked_shape
from kayax.layers import functional as F
from kayax.layers import ops


class SoftmaxTransform(Transform):
    """The softmax over the last axis. Not injective; the inverse gives one of the logits."""

    _injective = False
    _domain, _codomain = variable.Independent(variable.real, 1), variable.simplex

    def _forward(self, x: Tensor) -> Tensor:
        return F.softmax(x, -1)

    def _inverse(self, y: Tensor) -> Tensor:
        return ops.log(y)

    def _forward_shape(self, shape: Sequence[int]) -> Sequence[int]:
        if len(shape) < 1:
            raise ValueError("The softmax needs a shape with at least one axis, but got ().")
        return shape

    _inverse_shape = _forward_shape


class StickBreakingTransform(Transform):
    """From [..., n] numbers to [..., n + 1] positive ones that sum to 1: each sigmoid breaks its share off the rest."""

    _domain, _codomain = variable.Independent(variable.real, 1), variable.simplex

    def _forward(self, x: Tensor) -> Tensor:
        broken = F.sigmoid(x - self._offset(x, x.shape[-1]))
        rest = ops.cumprod(1 - broken, -1)
        one = ops.ones_like(rest[..., :1])
        return ops.concat([broken, one], -1) * ops.concat([one, rest], -1)

    def _inverse(self, y: Tensor) -> Tensor:
        shares = y[..., :-1]
        rest = 1 - ops.cumsum(shares, -1)
        return ops.log(shares) - ops.log(rest) + self._offset(y, y.shape[-1] - 1)

    def _forward_log_det_jacobian(self, x: Tensor) -> Tensor:
        y = self._forward(x)
        centred = x - self._offset(x, x.shape[-1])
        return ops.sum(F.log_sigmoid(centred) - centred + ops.log(y[..., :-1]), -1)

    @staticmethod
    def _offset(like: Tensor, n: int) -> Tensor:
        """With it, zeros are mapped to equal shares."""
        return ops.log(ops.arange(n, 0, -1, dtype=like.dtype))

    def _forward_shape(self, shape: Sequence[int]) -> Sequence[int]:
        return self._longer(shape, 1)

    def _inverse_shape(self, shape: Sequence[int]) -> Sequence[int]:
        return self._longer(shape, -1)

    @staticmethod
    def _longer(shape: Sequence[int], by: int) -> Sequence[int]:
        if not shape:
            raise ValueError("Breaking a stick needs a shape with at least one axis, but got ().")
        return (*shape[:-1], shape[-1] + by)


class ReshapeTransform(Transform):
    """The last axes, `in_event_shape`, in another shape with as many elements."""

    def __init__(self, in_event_shape: Sequence[int], out_event_shape: Sequence[int]):
        self._in_event_shape = tuple(checked_shape(in_event_shape))
        self._out_event_shape = tuple(checked_shape(out_event_shape))
        if math.prod(in_event_shape) != math.prod(out_event_shape):
            raise ValueError(f"The shapes must have as many elements, but are {list(in_event_shape)} and "
                             f"{list(out_event_shape)}.")
        self._domain = variable.Independent(variable.real, len(self._in_event_shape))
        self._codomain = variable.Independent(variable.real, len(self._out_event_shape))

    @property
    def in_event_shape(self) -> tuple[int, ...]:
        """The shape of one event before."""
        return self._in_event_shape

    @property
    def out_event_shape(self) -> tuple[int, ...]:
        """The shape of one event afterwards."""
        return self._out_event_shape

    def _forward(self, x: Tensor) -> Tensor:
        return ops.reshape(x, list(self._forward_shape(x.shape)))

    def _inverse(self, y: Tensor) -> Tensor:
        return ops.reshape(y, list(self._inverse_shape(y.shape)))

    def _forward_log_det_jacobian(self, x: Tensor) -> Tensor:
        return ops.zeros(list(x.shape[:len(x.shape) - len(self._in_event_shape)]), x.dtype)

    def _forward_shape(self, shape: Sequence[int]) -> Sequence[int]:
        return _replace(shape, self._in_event_shape, self._out_event_shape)

    def _inverse_shape(self, shape: Sequence[int]) -> Sequence[int]:
        return _replace(shape, self._out_event_shape, self._in_event_shape)


def _replace(shape: Sequence[int], old: tuple[int, ...], new: tuple[int, ...]) -> tuple[int, ...]:
    batch = len(shape) - len(old)
    if batch < 0 or tuple(shape[batch:]) != old:
        raise ValueError(f"The shape must end in {list(old)}, but is {list(shape)}.")
    return (*shape[:batch], *new)
