"""Convolutions and transposed convolutions in one, two and three dimensions (`jax.lax`: Flax's are channels-last)."""
from __future__ import annotations

import math
from typing import Any

from kayax.bridge.errors import ArgumentError
from kayax.layers import functional as F
from kayax.layers import initializer as init
from kayax.layers.layer import Layer

_PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


def as_list(value: Any, n: int, name: str) -> list[int]:
    """An int, or a list of `n`, as a list of `n`."""
    if isinstance(value, int):
        return [value] * n
    if isinstance(value, (list, tuple)) and len(value) == n:
        return list(value)
    raise ArgumentError(f"{name} must be an int or a list of {n} ints, but got {value!r}.")


def initial_weights(in_channels: int, kernel_size: Any) -> init.Normal:
    """The default initializer of a convolution's weights: the variance is 2 / (inputs of one output)."""
    if in_channels < 0 or min(kernel_size) < 0:
        raise ArgumentError(f"in_channels and kernel_size must not be negative, but got {in_channels} and "
                            f"{list(kernel_size)}.")
    return init.Normal(0.0, math.sqrt(2.0 / (math.prod(kernel_size) * in_channels)))


class _Conv(Layer):
    """What all convolutions share. weight: ``[out_channels, in_channels / groups, *kernel]``, or for a transposed one
    ``[in_channels, out_channels / groups, *kernel]``."""

    _n: int
    _function: Any
    _transposed = False

    def _setup(self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any, padding: Any, dilation: Any,
               groups: int, weight_attr: Any, bias_attr: Any, data_format: str, dtype: Any = None) -> None:
        if in_channels % groups:
            raise ArgumentError(f"in_channels must be divisible by groups, but got {in_channels} and {groups}.")
        if out_channels % groups:
            raise ArgumentError(f"out_channels must be divisible by groups, but got {out_channels} and {groups}.")
        n = self._n
        self._in_channels, self._out_channels, self._groups = in_channels, out_channels, groups
        self._kernel_size = as_list(kernel_size, n, "kernel_size")
        self._stride, self._dilation = as_list(stride, n, "stride"), as_list(dilation, n, "dilation")
        self._padding, self._data_format = padding, data_format
        if self._transposed:
            shape = [in_channels, out_channels // groups, *self._kernel_size]
            default = None
        else:
            shape = [out_channels, in_channels // groups, *self._kernel_size]
            default = initial_weights(in_channels, self._kernel_size)
        self.weight = self.create_parameter(shape, attr=weight_attr, dtype=dtype, default_initializer=default)
        self.bias = self.create_parameter([out_channels], attr=bias_attr, dtype=dtype, is_bias=True)

    def extra_repr(self) -> str:
        parts = [f"{self._in_channels}, {self._out_channels}, kernel_size={self._kernel_size}"]
        if any(s != 1 for s in self._stride):
            parts.append(f"stride={self._stride}")
        if self._padding != 0:
            parts.append(f"padding={self._padding}")
        if getattr(self, "_padding_mode", "zeros") != "zeros":
            parts.append(f"padding_mode={self._padding_mode}")
        if self._transposed and self._output_padding != 0:
            parts.append(f"output_padding={self._output_padding}")
        if any(d != 1 for d in self._dilation):
            parts.append(f"dilation={self._dilation}")
        if self._groups != 1:
            parts.append(f"groups={self._groups}")
        return ", ".join([*parts, f"data_format={self._data_format}"])


class _ForwardConv(_Conv):
    def __init__(self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any, padding: Any, dilation: Any,
                 groups: int, bias: bool, padding_mode: str, dtype: Any, weight_attr: Any, bias_attr: Any,
                 data_format: str):
        super().__init__()
        if padding_mode not in _PADDING_MODES:
            raise ArgumentError(f"padding_mode must be one of {', '.join(_PADDING_MODES)}, but got {padding_mode!r}.")
        if padding_mode != "zeros" and isinstance(padding, str):
            raise ArgumentError(f"With padding_mode={padding_mode!r} the padding must be ints, but got {padding!r}.")
        self._padding_mode = padding_mode
        self._setup(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, weight_attr,
                    bias_attr if bias else False, data_format, dtype)

    def forward(self, x: Any) -> Any:
        padding = self._padding
        if self._padding_mode != "zeros":
            sides = as_list(padding, self._n, "padding")
            x = F.pad(x, [p for side in reversed(sides) for p in (side, side)], mode=self._padding_mode,
                      data_format=self._data_format)
            padding = 0
        return type(self)._function(x, self.weight, self.bias, self._stride, padding, self._dilation, self._groups,
                                    self._data_format)


class Conv1D(_ForwardConv):
    """Convolution over ``[N, C, L]`` (or ``NLC``)."""

    _n = 1
    _function: Any = staticmethod(F.conv1d)

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
                 dilation: Any = 1, groups: int = 1, *, bias: bool = True, padding_mode: str = "zeros",
                 device: Any = None, dtype: Any = None, weight_attr: Any = None, bias_attr: Any = None,
                 data_format: str = "NCL"):
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode,
                         dtype, weight_attr, bias_attr, data_format)


class Conv2D(_ForwardConv):
    """Convolution over ``[N, C, H, W]`` (or ``NHWC``)."""

    _n = 2
    _function: Any = staticmethod(F.conv2d)

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
                 dilation: Any = 1, groups: int = 1, *, bias: bool = True, padding_mode: str = "zeros",
                 device: Any = None, dtype: Any = None, weight_attr: Any = None, bias_attr: Any = None,
                 data_format: str = "NCHW"):
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode,
                         dtype, weight_attr, bias_attr, data_format)


class Conv3D(_ForwardConv):
    """Convolution over ``[N, C, D, H, W]`` (or ``NDHWC``)."""

    _n = 3
    _function: Any = staticmethod(F.conv3d)

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
                 dilation: Any = 1, groups: int = 1, *, bias: bool = True, padding_mode: str = "zeros",
                 device: Any = None, dtype: Any = None, weight_attr: Any = None, bias_attr: Any = None,
                 data_format: str = "NCDHW"):
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode,
                         dtype, weight_attr, bias_attr, data_format)


class _TransposedConv(_Conv):
    _transposed = True

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any, padding: Any,
                 output_padding: Any, groups: int, dilation: Any, weight_attr: Any, bias_attr: Any, data_format: str):
        super().__init__()
        self._output_padding = output_padding
        self._setup(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, weight_attr, bias_attr,
                    data_format)

    def forward(self, x: Any, output_size: Any = None) -> Any:
        return type(self)._function(x, self.weight, self.bias, stride=self._stride, padding=self._padding,
                                    output_padding=0 if output_size is not None else self._output_padding,
                                    dilation=self._dilation, groups=self._groups, output_size=output_size,
                                    data_format=self._data_format)


class Conv1DTranspose(_TransposedConv):
    """Transposed convolution over ``[N, C, L]`` (or ``NLC``); call with `output_size` to choose the length."""

    _n = 1
    _function: Any = staticmethod(F.conv1d_transpose)

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
                 output_padding: Any = 0, groups: int = 1, dilation: Any = 1, weight_attr: Any = None,
                 bias_attr: Any = None, data_format: str = "NCL"):
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, output_padding, groups, dilation,
                         weight_attr, bias_attr, data_format)


class Conv2DTranspose(_TransposedConv):
    """Transposed convolution over ``[N, C, H, W]`` (or ``NHWC``); call with `output_size` to choose the size."""

    _n = 2
    _function: Any = staticmethod(F.conv2d_transpose)

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
                 output_padding: Any = 0, dilation: Any = 1, groups: int = 1, weight_attr: Any = None,
                 bias_attr: Any = None, data_format: str = "NCHW"):
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, output_padding, groups, dilation,
                         weight_attr, bias_attr, data_format)


class Conv3DTranspose(_TransposedConv):
    """Transposed convolution over ``[N, C, D, H, W]`` (or ``NDHWC``); call with `output_size` to choose the size."""

    _n = 3
    _function: Any = staticmethod(F.conv3d_transpose)

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
                 output_padding: Any = 0, dilation: Any = 1, groups: int = 1, weight_attr: Any = None,
                 bias_attr: Any = None, data_format: str = "NCDHW"):
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, output_padding, groups, dilation,
                         weight_attr, bias_attr, data_format)


__all__ = ["Conv1D", "Conv1DTranspose", "Conv2D", "Conv2DTranspose", "Conv3D", "Conv3DTranspose"]
