"""What quanters and observers are: Layers that see a value, and know its scale."""
from __future__ import annotations

import abc
from typing import Any

from kayax.layers.layer import Layer


class BaseQuanter(Layer, metaclass=abc.ABCMeta):
    """Simulates quantization of a value in `forward`; subclasses define all of these."""

    @abc.abstractmethod
    def forward(self, input: Any) -> Any:
        """The value as it would be after quantization."""

    @abc.abstractmethod
    def scales(self) -> Any:
        """The scales found."""

    @abc.abstractmethod
    def zero_points(self) -> Any:
        """What whole number stands for zero; None for 0."""

    @abc.abstractmethod
    def quant_axis(self) -> int:
        """The axis that has a scale for each element; -1 for one scale."""

    @abc.abstractmethod
    def bit_length(self) -> int:
        """The bits of a quantized value."""


class BaseObserver(BaseQuanter):
    """Watches values and passes them on; `cal_thresholds` makes scales of what it saw."""

    @abc.abstractmethod
    def cal_thresholds(self) -> None:
        """Find the scales."""
