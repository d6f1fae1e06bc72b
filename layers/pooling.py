"""Pooling as layers."""
from __future__ import annotations

from typing import Any

from kayax.layers import functional as F
from kayax.layers.function_layer import FunctionLayer


class MaxPool1D(FunctionLayer):
    """The maximum of each window, in 1 dimension."""

    def __init__(self, kernel_size: Any, stride: Any = None, padding: int = 0, return_mask: bool = False,
                 ceil_mode: bool = False, name: str | None = None):
        super().__init__(F.max_pool1d, shown=("kernel_size", "stride", "padding"), kernel_size=kernel_size,
                         stride=stride, padding=padding, return_mask=return_mask, ceil_mode=ceil_mode)


class MaxPool2D(FunctionLayer):
    """The maximum of each window, in 2 dimensions."""

    def __init__(self, kernel_size: Any, stride: Any = None, padding: int = 0, return_mask: bool = False,
                 ceil_mode: bool = False, data_format: str = "NCHW", name: str | None = None):
        super().__init__(F.max_pool2d, shown=("kernel_size", "stride", "padding"), kernel_size=kernel_size,
                         stride=stride, padding=padding, return_mask=return_mask, ceil_mode=ceil_mode,
                         data_format=data_format)


class MaxPool3D(FunctionLayer):
    """The maximum of each window, in 3 dimensions."""

    def __init__(self, kernel_size: Any, stride: Any = None, padding: int = 0, return_mask: bool = False,
                 ceil_mode: bool = False, data_format: str = "NCDHW", name: str | None = None):
        super().__init__(F.max_pool3d, shown=("kernel_size", "stride", "padding"), kernel_size=kernel_size,
                         stride=stride, padding=padding, return_mask=return_mask, ceil_mode=ceil_mode,
                         data_format=data_format)


class AvgPool1D(FunctionLayer):
    """The mean of each window, in 1 dimension."""

    def __init__(self, kernel_size: Any, stride: Any = None, padding: int = 0, exclusive: bool = True,
                 ceil_mode: bool = False, name: str | None = None):
        super().__init__(F.avg_pool1d, shown=("kernel_size", "stride", "padding"), kernel_size=kernel_size,
                         stride=stride, padding=padding, exclusive=exclusive, ceil_mode=ceil_mode)


class AvgPool2D(FunctionLayer):
    """The mean of each window, in 2 dimensions."""

    def __init__(self, kernel_size: Any, stride: Any = None, padding: int = 0, ceil_mode: bool = False,
                 exclusive: bool = True, divisor_override: Any = None, data_format: str = "NCHW",
                 name: str | None = None):
        super().__init__(F.avg_pool2d, shown=("kernel_size", "stride", "padding"), kernel_size=kernel_size,
                         stride=stride, padding=padding, ceil_mode=ceil_mode, exclusive=exclusive,
                         divisor_override=divisor_override, data_format=data_format)


class AvgPool3D(FunctionLayer):
    """The mean of each window, in 3 dimensions."""

    def __init__(self, kernel_size: Any, stride: Any = None, padding: int = 0, ceil_mode: bool = False,
                 exclusive: bool = True, divisor_override: Any = None, data_format: str = "NCDHW",
                 name: str | None = None):
        super().__init__(F.avg_pool3d, shown=("kernel_size", "stride", "padding"), kernel_size=kernel_size,
                         stride=stride, padding=padding, ceil_mode=ceil_mode, exclusive=exclusive,
                         divisor_override=divisor_override, data_format=data_format)


class LPPool1D(FunctionLayer):
    """The p-norm of each window, in 1 dimension."""

    def __init__(self, norm_type: Any, kernel_size: Any, stride: Any = None, padding: int = 0, ceil_mode: bool = False,
                 data_format: str = "NCL", name: str | None = None):
        super().__init__(F.lp_pool1d, shown=("norm_type", "kernel_size", "stride", "padding"), norm_type=norm_type,
                         kernel_size=kernel_size, stride=stride, padding=padding, ceil_mode=ceil_mode,
                         data_format=data_format)


class LPPool2D(FunctionLayer):
    """The p-norm of each window, in 2 dimensions."""

    def __init__(self, norm_type: Any, kernel_size: Any, stride: Any = None, padding: int = 0, ceil_mode: bool = False,
                 data_format: str = "NCHW", name: str | None = None):
        super().__init__(F.lp_pool2d, shown=("norm_type", "kernel_size", "stride", "padding"), norm_type=norm_type,
                         kernel_size=kernel_size, stride=stride, padding=padding, ceil_mode=ceil_mode,
                         data_format=data_format)


class AdaptiveAvgPool1D(FunctionLayer):
    """The means of windows that give the output size, in 1 dimension."""

    def __init__(self, output_size: Any, name: str | None = None):
        super().__init__(F.adaptive_avg_pool1d, shown=("output_size",), output_size=output_size)


class AdaptiveAvgPool2D(FunctionLayer):
    """The means of windows that give the output size, in 2 dimensions."""

    def __init__(self, output_size: Any, data_format: str = "NCHW", name: str | None = None):
        super().__init__(F.adaptive_avg_pool2d, shown=("output_size",), output_size=output_size,
                         data_format=data_format)


class AdaptiveAvgPool3D(FunctionLayer):
    """The means of windows that give the output size, in 3 dimensions."""

    def __init__(self, output_size: Any, data_format: str = "NCDHW", name: str | None = None):
        super().__init__(F.adaptive_avg_pool3d, shown=("output_size",), output_size=output_size,
                         data_format=data_format)


class AdaptiveMaxPool1D(FunctionLayer):
    """The maxima of windows that give the output size, in 1 dimension."""

    def __init__(self, output_size: Any, return_mask: bool = False, name: str | None = None):
        super().__init__(F.adaptive_max_pool1d, shown=("output_size", "return_mask"), output_size=output_size,
                         return_mask=return_mask)


class AdaptiveMaxPool2D(FunctionLayer):
    """The maxima of windows that give the output size, in 2 dimensions."""

    def __init__(self, output_size: Any, return_mask: bool = False, name: str | None = None):
        super().__init__(F.adaptive_max_pool2d, shown=("output_size", "return_mask"), output_size=output_size,
                         return_mask=return_mask)


class AdaptiveMaxPool3D(FunctionLayer):
    """The maxima of windows that give the output size, in 3 dimensions."""

    def __init__(self, output_size: Any, return_mask: bool = False, name: str | None = None):
        super().__init__(F.adaptive_max_pool3d, shown=("output_size", "return_mask"), output_size=output_size,
                         return_mask=return_mask)


class FractionalMaxPool2D(FunctionLayer):
    """The maxima of windows of random sizes that give the output size (Graham, 2014), in 2 dimensions."""

    def __init__(self, output_size: Any, kernel_size: Any = None, random_u: Any = None, return_mask: bool = False,
                 name: str | None = None):
        super().__init__(F.fractional_max_pool2d, shown=("output_size", "kernel_size", "random_u", "return_mask"),
                         output_size=output_size, kernel_size=kernel_size, random_u=random_u, return_mask=return_mask)


class FractionalMaxPool3D(FunctionLayer):
    """The maxima of windows of random sizes that give the output size (Graham, 2014), in 3 dimensions."""

    def __init__(self, output_size: Any, kernel_size: Any = None, random_u: Any = None, return_mask: bool = False,
                 name: str | None = None):
        super().__init__(F.fractional_max_pool3d, shown=("output_size", "kernel_size", "random_u", "return_mask"),
                         output_size=output_size, kernel_size=kernel_size, random_u=random_u, return_mask=return_mask)


class MaxUnPool1D(FunctionLayer):
    """Values put back to where a max pooling with `return_mask` found them, given ``(x, indices)``, in 1 dimension."""

    def __init__(self, kernel_size: Any, stride: Any = None, padding: int = 0, data_format: str = "NCL",
                 output_size: Any = None, name: str | None = None):
        super().__init__(F.max_unpool1d, shown=("output_size",), kernel_size=kernel_size, stride=stride,
                         padding=padding, data_format=data_format, output_size=output_size)


class MaxUnPool2D(FunctionLayer):
    """Values put back to where a max pooling with `return_mask` found them, given ``(x, indices)``, in 2 dimensions."""

    def __init__(self, kernel_size: Any, stride: Any = None, padding: int = 0, data_format: str = "NCHW",
                 output_size: Any = None, name: str | None = None):
        super().__init__(F.max_unpool2d, shown=("output_size",), kernel_size=kernel_size, stride=stride,
                         padding=padding, data_format=data_format, output_size=output_size)


class MaxUnPool3D(FunctionLayer):
    """Values put back to where a max pooling with `return_mask` found them, given ``(x, indices)``, in 3 dimensions."""

    def __init__(self, kernel_size: Any, stride: Any = None, padding: int = 0, data_format: str = "NCDHW",
                 output_size: Any = None, name: str | None = None):
        super().__init__(F.max_unpool3d, shown=("output_size",), kernel_size=kernel_size, stride=stride,
                         padding=padding, data_format=data_format, output_size=output_size)


__all__ = ["AdaptiveAvgPool1D", "AdaptiveAvgPool2D", "AdaptiveAvgPool3D", "AdaptiveMaxPool1D", "AdaptiveMaxPool2D",
           "AdaptiveMaxPool3D", "AvgPool1D", "AvgPool2D", "AvgPool3D", "FractionalMaxPool2D", "FractionalMaxPool3D",
           "LPPool1D", "LPPool2D", "MaxPool1D", "MaxPool2D", "MaxPool3D", "MaxUnPool1D", "MaxUnPool2D", "MaxUnPool3D"]
