"""What a transform takes and gives: how many of the last axes belong to one event, and which values are allowed."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kayax.bridge.tensor import Tensor
from kayax.layers import ops


class Variable:
    """Values of a kind. event_rank: how many axes one of them has. constraint: which elements are allowed."""

    def __init__(self, is_discrete: bool = False, event_rank: int = 0,
                 constraint: Callable[[Any], Any] | None = None):
        self.is_discrete, self.event_rank, self._constraint = is_discrete, event_rank, constraint

    def constraint(self, value: Tensor) -> Tensor:
        """Where `value` is allowed."""
        if self._constraint is None:
            raise NotImplementedError(f"{type(self).__name__} has no constraint.")
        return self._constraint(value)


class Independent(Variable):
    """`base`, with some more axes as part of one event."""

    def __init__(self, base: Variable, reinterpreted_batch_rank: int):
        super().__init__(base.is_discrete, base.event_rank + reinterpreted_batch_rank)
        self._base, self._rank = base, reinterpreted_batch_rank

    def constraint(self, value: Tensor) -> Tensor:
        """Where every element of an event is allowed."""
        allowed = self._base.constraint(value)
        if len(allowed.shape) < self._rank:
            raise ValueError(f"The value must have at least {self._rank} dimensions, but its shape is "
                             f"{list(allowed.shape)}.")
        return ops.all(allowed, list(range(-self._rank, 0)))


class Stack(Variable):
    """Several kinds, stacked along an axis."""

    def __init__(self, vars: Sequence[Variable], axis: int = 0):
        rank = max(v.event_rank for v in vars)
        super().__init__(any(v.is_discrete for v in vars), rank + 1 if axis + rank < 0 else rank)
        self._vars, self._axis = vars, axis

    def constraint(self, value: Tensor) -> Tensor:
        """Where each part is allowed."""
        parts: Any = ops.unstack(value, self._axis)
        return ops.stack([v.constraint(part) for v, part in zip(self._vars, parts, strict=True)], self._axis)


def _between(low: float, high: float) -> Callable[[Any], Any]:
    return lambda x: ops.logical_and(x >= low, x <= high)


def _on_simplex(x: Any) -> Any:
    return ops.logical_and(ops.all(x >= 0, -1), ops.abs(ops.sum(x, -1) - 1) < 1e-6)


def _not_nan(x: Any) -> Any:
    return x == x


def _not_negative(x: Any) -> Any:
    return x >= 0


real, positive = Variable(constraint=_not_nan), Variable(constraint=_not_negative)
unit, symmetric_unit = Variable(constraint=_between(0.0, 1.0)), Variable(constraint=_between(-1.0, 1.0))
simplex = Variable(event_rank=1, constraint=_on_simplex)
