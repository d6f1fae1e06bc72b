"""Values as whole numbers and back, with fixed scales: what quanters become when a model is converted."""
from __future__ import annotations

import abc
from typing import Any

import jax.numpy as jnp

from kayax.bridge.convert import to_tensor
from kayax.bridge.registry import op
from kayax.bridge.tensor import Tensor
from kayax.layers import initializer as init
from kayax.layers.layer import Layer
from kayax.layers.param_attr import ParamAttr
from kayax.spec import unique_name


def _spread(scale: Any, x: Any, axis: int, group: int) -> Any:
    """A scale for each element: one for all, one along an axis, or one for each group of rows."""
    if scale.ndim > 1:
        return jnp.repeat(scale, group, 0)
    if scale.size == 1:
        return scale.reshape(())
    return scale.reshape([-1 if a == axis % x.ndim else 1 for a in range(x.ndim)])


@op(name="nn.quant.quantize_linear", differentiable=False)
def quantize_linear(x, scale, zero_point, axis, group, low, high):
    """``clip(round(x / scale * high) + zero_point, low, high)`` in the dtype of x."""
    step = _spread(scale, x, axis, group)
    parts = high * (1 / jnp.where(step <= 1e-6, step + 1e-6, step))
    whole = jnp.round(x.astype(jnp.float32) * parts) + _spread(zero_point, x, axis, group)
    return jnp.clip(whole, low, high).astype(x.dtype)


@op(name="nn.quant.dequantize_linear")
def dequantize_linear(x, scale, zero_point, axis, group, high):
    """``(x - zero_point) * scale / high`` in the dtype of x."""
    moved = x.astype(jnp.float32) - _spread(zero_point, x, axis, group)
    return (moved * _spread(scale, x, axis, group) / high).astype(x.dtype)


class _Linear(Layer):
    """What both directions share: scales and zero points as parameters that are not trained."""

    def __init__(self, scales: Any, zero_point: Any = None, quant_axis: int | None = None, bit_length: int = 8,
                 group_size: int = 128):
        super().__init__()
        if not isinstance(bit_length, int):
            raise NotImplementedError(f"bit_length must be a number of bits, but got {bit_length!r}: float8 is not "
                                      "available here.")
        scales = to_tensor(scales, dtype="float32")
        zeros = to_tensor(0.0 if zero_point is None else zero_point, dtype="float32")
        self._scales, self._zero_point = self._fixed("scale", scales), self._fixed("zero_point", zeros)
        self._quant_axis, self._bit_length = -1 if quant_axis is None else quant_axis, bit_length
        self._group_size, self._qmax = group_size, (1 << (bit_length - 1)) - 1
        self._qmin = -self._qmax - 1

    def _fixed(self, name: str, value: Tensor) -> Any:
        attr = ParamAttr(name=unique_name.generate(f"quant_dequant.{name}"), trainable=False)
        return self.create_parameter(value.shape, attr=attr, dtype="float32", default_initializer=init.Assign(value))

    @classmethod
    def from_quanter(cls, quanter: Any) -> Any:
        """With the scales that a quanter or observer has found."""
        return cls(quanter.scales(), quanter.zero_points(), quanter.quant_axis(), quanter.bit_length())


class LinearQuanter(_Linear):
    """Values as whole numbers: see `quantize_linear`."""

    def forward(self, input: Any) -> Any:
        """Whole numbers in the dtype of the input."""
        return quantize_linear(input, self._scales, self._zero_point, self._quant_axis, self._group_size, self._qmin,
                               self._qmax)


class LinearDequanter(_Linear):
    """Whole numbers as values: see `dequantize_linear`."""

    def forward(self, input: Any) -> Any:
        """Values in the dtype of the input."""
        return dequantize_linear(input, self._scales, self._zero_point, self._quant_axis, self._group_size, self._qmax)


class LinearQuanterDequanter(Layer):
    """To whole numbers and back; either may be None."""

    def __init__(self, quanter: Any, dequanter: Any):
        super().__init__()
        self._quanter, self._dequanter = quanter, dequanter

    def forward(self, input: Any) -> Any:
        """The input through both."""
        out = input if self._quanter is None else self._quanter(input)
        return out if self._dequanter is None else self._dequanter(out)

    @staticmethod
    def from_quanter(quanter: Any) -> LinearQuanterDequanter:
        """With the scales that a quanter or observer has found."""
        return LinearQuanterDequanter(LinearQuanter.from_quanter(quanter), LinearDequanter.from_quanter(quanter))


class ConvertibleQuantedLayer(Layer, metaclass=abc.ABCMeta):
    """A layer with quanters of its weights and inputs, which conversion replaces by fixed scales."""

    def __init__(self) -> None:
        super().__init__()
        self.converted = False

    @abc.abstractmethod
    def weights_to_quanters(self) -> list[tuple[str, str]]:
        """The names of weights, each with that of its quanter."""

    @abc.abstractmethod
    def activation_quanters(self) -> list[str]:
        """The names of the inputs' quanters."""

    def _fix(self, name: str) -> LinearQuanterDequanter | None:
        quanter = getattr(self, name, None)
        if quanter is None:
            return None
        fixed = LinearQuanterDequanter.from_quanter(quanter)
        setattr(self, name, fixed)
        return fixed

    def _convert(self, remain_weight: bool = False) -> None:
        """Fix the scales; weights become whole numbers, unless `remain_weight`."""
        if self.converted:
            raise AssertionError("A layer can be converted only once.")
        for weight_name, quanter_name in self.weights_to_quanters():
            fixed = self._fix(quanter_name)
            if fixed is not None and not remain_weight:
                weight = getattr(self, weight_name)
                weight.set_value(fixed._quanter(weight))
                fixed._quanter = None
        for name in self.activation_quanters():
            self._fix(name)
        self.converted = True
