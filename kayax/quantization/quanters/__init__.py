"""``paddle.quantization.quanters``: what simulates quantization while a model is trained."""
from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from kayax.bridge.registry import op
from kayax.layers import initializer as init
from kayax.layers.param_attr import ParamAttr
from kayax.quantization.base import BaseQuanter
from kayax.quantization.factory import QuanterFactory
from kayax.spec import unique_name

__all__ = ["FakeQuanterWithAbsMaxObserver"]


def _rounded(x: Any, scale: Any, bits: int) -> Any:
    """Values cut at the scale and rounded to its whole parts; the gradient passes through unchanged."""
    most = (1 << (bits - 1)) - 1
    step = jnp.where(scale <= 1e-6, scale + 1e-6, scale)
    parts = jnp.clip(x, -scale, scale) / step * most
    near = jnp.sign(parts) * jnp.floor(jnp.abs(parts) + 0.5) * scale / most
    return x + jax.lax.stop_gradient(near.astype(x.dtype) - x)


@op(name="quantization.fake_quant", amp="fake_quantize")
def _fake_quant(x, scale, bits):
    return _rounded(x, scale, bits)


@op(name="quantization.fake_quant_moving", amp="fake_quantize")
def _fake_quant_moving(x, state, accum, rate, bits):
    """The rounded values, and the new scale, count and sum of the moving average of the largest magnitude."""
    largest = jnp.max(jnp.abs(jax.lax.stop_gradient(x))).astype(state.dtype)
    state, accum = rate * state + 1, rate * accum + largest
    scale = accum / state
    return _rounded(x, scale, bits), scale, state, accum


class FakeQuanterWithAbsMaxObserverLayer(BaseQuanter):
    """Rounds values to whole parts of a scale, a moving average of their largest magnitude.

    In training the average moves, in evaluation it stays. Gradients pass through as if nothing were rounded.
    """

    def __init__(self, layer: Any, name: str | None = None, moving_rate: float = 0.9, bit_length: int = 8,
                 dtype: str = "float32"):
        super().__init__()
        self._moving_rate, self._bit_length = moving_rate, bit_length
        prefix = name or "quant_dequant"
        self._scale = self._fixed(f"{prefix}.scale", 0.001, dtype)
        self._state = self._fixed(f"{prefix}.state", 1.0, dtype)
        self._accum = self._fixed(f"{prefix}.accum", 1.0, dtype)

    def _fixed(self, name: str, value: float, dtype: str) -> Any:
        attr = ParamAttr(name=unique_name.generate(name), trainable=False)
        parameter = self.create_parameter([1], attr=attr, dtype=dtype, default_initializer=init.Constant(value))
        parameter.stop_gradient = True
        return parameter

    def forward(self, input: Any) -> Any:
        """The rounded values."""
        if not self.training:
            return _fake_quant(input, self._scale, self._bit_length)
        out, *moved = _fake_quant_moving(input, self._state, self._accum, self._moving_rate, self._bit_length)
        for cell, value in zip((self._scale, self._state, self._accum), moved, strict=True):
            cell.storage.array = value.storage.array
        return out

    def bit_length(self) -> int:
        """The bits of a quantized value."""
        return self._bit_length

    def quant_axis(self) -> int:
        """-1: one scale."""
        return -1

    def scales(self) -> Any:
        """The moving average of the largest magnitude."""
        return self._scale

    def zero_points(self) -> None:
        """None: zero is 0."""


class FakeQuanterWithAbsMaxObserver(QuanterFactory):
    """Makes `FakeQuanterWithAbsMaxObserverLayer`. moving_rate: what an old value counts after each new one."""

    def __init__(self, moving_rate: float = 0.9, bit_length: int = 8, dtype: str = "float32", name: str | None = None):
        super().__init__(name=name, moving_rate=moving_rate, bit_length=bit_length, dtype=dtype)

    def _get_class(self) -> type:
        return FakeQuanterWithAbsMaxObserverLayer
