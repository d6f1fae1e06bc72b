"""Transforms made of others: one after the other, side by side, with larger events."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kayax.bridge.tensor import Tensor
from kayax.distribution import variable
from kayax.distribution.distribution import sum_rightmost
from kayax.distribution.transform_base import Transform
from kayax.layers import ops


def _need_transforms(transforms: Any) -> None:
    if not isinstance(transforms, Sequence) or not all(isinstance(t, Transform) for t in transforms):
        raise TypeError(f"transforms must be a list of Transforms, but got {transforms!r}.")


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
