"""``paddle.quantization.observers``: what finds scales after training."""
from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from kayax.bridge.convert import to_tensor
from kayax.bridge.registry import op
from kayax.quantization.base import BaseObserver
from kayax.quantization.factory import ObserverFactory

__all__ = ["AbsmaxObserver", "GroupWiseWeightObserver"]


@op(name="quantization.absmax", differentiable=False)
def _absmax(x, before):
    return jnp.maximum(jnp.max(jnp.abs(x)), before.astype(x.dtype))


@op(name="quantization.group_absmax", differentiable=False)
def _group_absmax(x, group):
    most = jnp.max(jnp.abs(x.reshape(-1, group, x.shape[1])), 1).astype(jnp.float32)
    return jnp.where(most == 0, 1e-8, most)


class _Observer(BaseObserver):
    """What the observers share: the scale is the largest magnitude seen."""

    def __init__(self, quant_bits: int):
        super().__init__()
        self._quant_bits = quant_bits
        self._zero_point: Any = None
        self.register_buffer("_max", to_tensor(0.0), persistable=False)

    def bit_length(self) -> int:
        """The bits of a quantized value."""
        return self._quant_bits

    def quant_axis(self) -> int:
        """-1: not by axis."""
        return -1

    def cal_thresholds(self) -> None:
        """Take the largest magnitude as the scale, and 0 as zero."""
        self._zero_point = to_tensor(jnp.zeros_like(self._max.storage.array))

    def scales(self) -> Any:
        """The largest magnitude seen."""
        return self._max

    def zero_points(self) -> Any:
        """Zeros."""
        if self._zero_point is None:
            self.cal_thresholds()
        return self._zero_point


class AbsmaxObserverLayer(_Observer):
    """The largest magnitude of all values that it has seen."""

    def __init__(self, layer: Any, quant_bits: int = 8):
        super().__init__(quant_bits)

    def forward(self, input: Any) -> Any:
        """The value itself."""
        self._max.storage.array = _absmax(input, self._max).storage.array
        return input


class GroupWiseWeightObserverLayer(_Observer):
    """The largest magnitudes of the last weight [in, out] that it has seen, by groups of inputs: [groups, out]."""

    def __init__(self, layer: Any, quant_bits: int = 8, group_size: int = 128):
        super().__init__(quant_bits)
        if group_size not in (64, 128):
            raise AssertionError(f"group_size must be 64 or 128, but got {group_size}.")
        self.group_size = group_size

    def forward(self, inputs: Any) -> Any:
        """The weight itself."""
        if inputs.ndim != 2 or inputs.shape[0] % self.group_size:
            raise AssertionError(f"A weight must be [in, out] with a multiple of {self.group_size} inputs, but its "
                                 f"shape is {list(inputs.shape)}.")
        self._max = _group_absmax(inputs, self.group_size)
        return inputs


class AbsmaxObserver(ObserverFactory):
    """Makes `AbsmaxObserverLayer`: one scale, the largest magnitude seen."""

    def __init__(self, quant_bits: int = 8):
        super().__init__(quant_bits=quant_bits)

    def _get_class(self) -> type:
        return AbsmaxObserverLayer


class GroupWiseWeightObserver(ObserverFactory):
    """Makes `GroupWiseWeightObserverLayer`: a scale for each group of inputs and each output."""

    def __init__(self, quant_bits: int = 8, group_size: int = 128):
        super().__init__(quant_bits=quant_bits, group_size=group_size)

    def _get_class(self) -> type:
        return GroupWiseWeightObserverLayer
