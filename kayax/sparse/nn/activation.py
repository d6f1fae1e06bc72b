"""Activations as Layers."""
from __future__ import annotations

from typing import Any

from kayax.layers.layer import Layer
from kayax.sparse.nn import functional as F


class _Activation(Layer):
    """An activation of the values; its arguments are attributes."""

    def __init__(self, name: str | None = None):
        super().__init__()
        self._name = name

    def extra_repr(self) -> str:
        """The name, for printing."""
        return f"name={self._name}" if self._name else ""


class ReLU(_Activation):
    """``max(x, 0)`` of the values of a sparse tensor."""

    def __init__(self, name: str | None = None):
        super().__init__(name)

    def forward(self, x: Any) -> Any:
        """The activation, at the same places."""
        return F.relu(x)


class ReLU6(_Activation):
    """``min(max(x, 0), 6)`` of the values of a sparse tensor."""

    def __init__(self, name: str | None = None):
        super().__init__(name)

    def forward(self, x: Any) -> Any:
        """The activation, at the same places."""
        return F.relu6(x)


class LeakyReLU(_Activation):
    """Negative values of a sparse tensor times `negative_slope`, others as they are."""

    def __init__(self, negative_slope: float = 0.01, name: str | None = None):
        super().__init__(name)
        self._negative_slope = negative_slope

    def forward(self, x: Any) -> Any:
        """The activation, at the same places."""
        return F.leaky_relu(x, self._negative_slope)


class Softmax(_Activation):
    """The softmax of the values of each row of a sparse tensor."""

    def __init__(self, axis: int = -1, name: str | None = None):
        super().__init__(name)
        self._axis = axis

    def forward(self, x: Any) -> Any:
        """The softmax, at the same places."""
        return F.softmax(x, self._axis)
