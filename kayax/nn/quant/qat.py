"""Linear and convolution layers whose input and weight pass through quanters."""
from __future__ import annotations

from typing import Any

from kayax.layers import functional as F
from kayax.nn.quant.format import ConvertibleQuantedLayer


class _Quanted(ConvertibleQuantedLayer):
    """What both share: the weight and bias of a layer, and quanters as configured."""

    def __init__(self, layer: Any, q_config: Any):
        super().__init__()
        self.weight, self.bias = layer.weight, layer.bias
        self.weight_quanter = None if q_config.weight is None else q_config.weight._instance(layer)
        self.activation_quanter = None if q_config.activation is None else q_config.activation._instance(layer)

    def forward(self, input: Any) -> Any:
        """The layer's computation on quantized values."""
        value = input if self.activation_quanter is None else self.activation_quanter(input)
        weight = self.weight if self.weight_quanter is None else self.weight_quanter(self.weight)
        return self._compute(value, weight)

    def _compute(self, value: Any, weight: Any) -> Any:
        raise NotImplementedError

    def weights_to_quanters(self) -> list[tuple[str, str]]:
        """The weight and its quanter."""
        return [("weight", "weight_quanter")]

    def activation_quanters(self) -> list[str]:
        """The input's quanter."""
        return ["activation_quanter"]


class QuantedLinear(_Quanted):
    """`nn.Linear` on quantized values."""

    def _compute(self, value: Any, weight: Any) -> Any:
        return F.linear(value, weight, self.bias)


class QuantedConv2D(_Quanted):
    """`nn.Conv2D` on quantized values, with zeros as padding."""

    def __init__(self, layer: Any, q_config: Any):
        super().__init__(layer, q_config)
        if layer._padding_mode != "zeros":
            raise NotImplementedError(f"A quantized convolution needs padding_mode 'zeros', but has "
                                      f"{layer._padding_mode!r}: use nn.Pad2D before it.")
        self._options = {"stride": layer._stride, "padding": layer._padding, "dilation": layer._dilation,
                         "groups": layer._groups, "data_format": layer._data_format}

    def _compute(self, value: Any, weight: Any) -> Any:
        return F.conv2d(value, weight, self.bias, **self._options)
