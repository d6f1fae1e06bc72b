"""Transforms: maps between Tensors, with the logarithm of the determinant of their Jacobians."""
from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from kayax.bridge.tensor import Tensor
from kayax.distribution import variable
from kayax.distribution.distribution import Distribution, sum_rightmost
from kayax.layers import functional as F
from kayax.layers import ops


class Transform:
    """The base: a subclass defines `_forward` and `_inverse`, and one of `_forward_log_det_jacobian` and
    `_inverse_log_det_jacobian`; where shapes change also `_forward_shape` and `_inverse_shape`.

    Called with a Tensor it maps it, with a distribution it gives the one of the mapped draws, with another transform
    the chain of both.
    """

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
        return self._forward_shape(_shape(shape))

    def inverse_shape(self, shape: Sequence[int]) -> Sequence[int]:
        """The shape of what is mapped to a Tensor of this shape."""
        return self._inverse_shape(_shape(shape))

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


def _shape(shape: Any) -> Sequence[int]:
    if isinstance(shape, str) or not isinstance(shape, Sequence):
        raise TypeError(f"A shape must be a list or tuple of ints, but got {type(shape).__name__}.")
    return shape


def _need_tensors(**values: Any) -> None:
    for name, value in values.items():
        if not isinstance(value, Tensor):
            raise TypeError(f"{name} must be a Tensor, but got {type(value).__name__}.")


def _need_transforms(transforms: Any) -> None:
    if not isinstance(transforms, Sequence) or not all(isinstance(t, Transform) for t in transforms):
        raise TypeError(f"transforms must be a list of Transforms, but got {transforms!r}.")


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
        return np.broadcast_shapes(tuple(shape), tuple(self._loc.shape), tuple(self._scale.shape))

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
        return np.broadcast_shapes(tuple(shape), tuple(self._power.shape))

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
        self._in_event_shape, self._out_event_shape = tuple(_shape(in_event_shape)), tuple(_shape(out_event_shape))
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


class ChainTransform(Transform):
    """One transform after the other."""

    def __init__(self, transforms: Sequence[Transform]):
        _need_transforms(transforms)
        self.transforms = transforms
        if transforms:
            self._domain, self._codomain = _chained(transforms)

    def _is_injective(self) -> bool:
        return all(t._is_injective() for t in self.transforms)

    def _forward(self, x: Tensor) -> Tensor:
        for transform in self.transforms:
            x = transform.forward(x)
        return x

    def _inverse(self, y: Tensor) -> Tensor:
        for transform in reversed(self.transforms):
            y = transform.inverse(y)
        return y

    def _forward_log_det_jacobian(self, x: Tensor) -> Any:
        total: Any = 0.0
        rank = self._domain.event_rank
        for t in self.transforms:
            total = total + sum_rightmost(t.forward_log_det_jacobian(x), rank - t._domain.event_rank)
            x = t.forward(x)
            rank += t._codomain.event_rank - t._domain.event_rank
        return total

    def _forward_shape(self, shape: Sequence[int]) -> Sequence[int]:
        for transform in self.transforms:
            shape = transform.forward_shape(shape)
        return shape

    def _inverse_shape(self, shape: Sequence[int]) -> Sequence[int]:
        for transform in reversed(self.transforms):
            shape = transform.inverse_shape(shape)
        return shape


def _chained(transforms: Sequence[Transform]) -> tuple[variable.Variable, variable.Variable]:
    """The domain and the codomain of a chain: events are as large as the largest that one of them needs."""
    first, last = transforms[0]._domain, transforms[-1]._codomain
    rank = last.event_rank
    for t in reversed(transforms):
        rank = max(rank + t._domain.event_rank - t._codomain.event_rank, t._domain.event_rank)
    domain = variable.Independent(first, rank - first.event_rank)
    rank = first.event_rank
    for t in transforms:
        rank = max(rank + t._codomain.event_rank - t._domain.event_rank, t._codomain.event_rank)
    return domain, variable.Independent(last, rank - last.event_rank)


class IndependentTransform(Transform):
    """`base`, with the last `reinterpreted_batch_rank` axes as part of one event: their determinants multiply."""

    def __init__(self, base: Transform, reinterpreted_batch_rank: int):
        if not isinstance(base, Transform):
            raise TypeError(f"base must be a Transform, but got {type(base).__name__}.")
        if reinterpreted_batch_rank <= 0:
            raise ValueError(f"reinterpreted_batch_rank must be positive, but got {reinterpreted_batch_rank}.")
        self._base, self._rank = base, reinterpreted_batch_rank
        self._domain = variable.Independent(base._domain, reinterpreted_batch_rank)
        self._codomain = variable.Independent(base._codomain, reinterpreted_batch_rank)

    def _is_injective(self) -> bool:
        return self._base._is_injective()

    def _forward(self, x: Tensor) -> Tensor:
        return self._base.forward(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return self._base.inverse(y)

    def _forward_log_det_jacobian(self, x: Tensor) -> Tensor:
        return sum_rightmost(self._base.forward_log_det_jacobian(x), self._rank)

    def _forward_shape(self, shape: Sequence[int]) -> Sequence[int]:
        return self._base.forward_shape(shape)

    def _inverse_shape(self, shape: Sequence[int]) -> Sequence[int]:
        return self._base.inverse_shape(shape)


class StackTransform(Transform):
    """Each slice along `axis` by a transform of its own."""

    def __init__(self, transforms: Sequence[Transform], axis: int = 0):
        _need_transforms(transforms)
        if not transforms:
            raise TypeError("StackTransform needs at least one transform.")
        if not isinstance(axis, int):
            raise TypeError(f"axis must be an int, but got {type(axis).__name__}.")
        self._transforms, self._axis = transforms, axis
        self._domain = variable.Stack([t._domain for t in transforms], axis)
        self._codomain = variable.Stack([t._codomain for t in transforms], axis)

    @property
    def transforms(self) -> Sequence[Transform]:
        """The transform of each slice."""
        return self._transforms

    @property
    def axis(self) -> int:
        """The axis that the slices are stacked along."""
        return self._axis

    def _is_injective(self) -> bool:
        return all(t._is_injective() for t in self._transforms)

    def _each(self, method: str, value: Tensor) -> Tensor:
        ndim = len(value.shape)
        if not -ndim <= self._axis < ndim or value.shape[self._axis] != len(self._transforms):
            raise ValueError(f"The value must have {len(self._transforms)} slices along axis {self._axis}, one for "
                             f"each transform, but its shape is {list(value.shape)}.")
        slices = ops.unstack(value, self._axis)
        return ops.stack([getattr(t, method)(v) for t, v in zip(self._transforms, slices, strict=True)], self._axis)

    def _forward(self, x: Tensor) -> Tensor:
        return self._each("forward", x)

    def _inverse(self, y: Tensor) -> Tensor:
        return self._each("inverse", y)

    def _forward_log_det_jacobian(self, x: Tensor) -> Tensor:
        return self._each("forward_log_det_jacobian", x)
