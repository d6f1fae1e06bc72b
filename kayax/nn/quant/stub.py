"""A place in a model where values are to be quantized."""
from __future__ import annotations

from typing import Any

from kayax.layers.layer import Layer


class Stub(Layer):
    """Gives its input, until quantization puts an observer or quanter here: the given one, or the configured one."""

    def __init__(self, observer: Any = None):
        super().__init__()
        self._observer = observer

    def forward(self, input: Any) -> Any:
        """The input."""
        return input


class QuanterStub(Layer):
    """What a `Stub` becomes."""

    def __init__(self, layer: Stub, q_config: Any):
        super().__init__()
        factory = q_config.activation if layer._observer is None else layer._observer
        self._observer = None if factory is None else factory._instance(layer)

    def forward(self, input: Any) -> Any:
        """The input through the observer."""
        return input if self._observer is None else self._observer(input)
