"""Convolutions and pooling as Layers. A weight is [kernel sizes, in channels, out channels]."""
from __future__ import annotations

import math
from typing import Any

from kayax.layers import initializer as init
from kayax.layers.layer import Layer
from kayax.sparse.nn import functional as F
from kayax.sparse.nn.functional.conv import _sizes


class _Conv(Layer):
    """What the convolutions share; subclasses give the dimensions and the function."""

    def _setup(self, dims: int, function: Any, in_channels: int, out_channels: int, kernel_size: Any, stride: Any,
               padding: Any, dilation: Any, groups: int, padding_mode: str, weight_attr: Any, bias_attr: Any,
               data_format: str, backend: str | None = None) -> None:
        if weight_attr is False:
            raise AssertionError("weight_attr must not be False: a convolution needs its weight.")
        for name, value, wanted in (("padding_mode", padding_mode, ("zeros",)), ("groups", groups, (1,)),
                                    ("backend", backend, (None, "igemm"))):
            if value not in wanted:
                raise AssertionError(f"{name} must be {' or '.join(map(repr, wanted))} for sparse tensors, but got "
                                     f"{value!r}.")
        if data_format != {2: "NHWC", 3: "NDHWC"}[dims]:
            raise ValueError(f"data_format must be {'NHWC' if dims == 2 else 'NDHWC'!r}, but got {data_format!r}.")
        self._function, self._in_channels, self._out_channels = function, in_channels, out_channels
        self._kernel_size, self._stride, self._dilation = (
            _sizes(value, dims, name) for name, value in (("kernel_size", kernel_size), ("stride", stride),
                                                          ("dilation", dilation)))
        self._padding, self._data_format = padding, data_format
        deviation = math.sqrt(2.0 / (math.prod(self._kernel_size) * in_channels))
        self.weight = self.create_parameter([*self._kernel_size, in_channels, out_channels], attr=weight_attr,
                                            default_initializer=init.Normal(0.0, deviation))
        self.bias = self.create_parameter([out_channels], attr=bias_attr, is_bias=True)

    def forward(self, x: Any) -> Any:
        """The convolution of a sparse tensor [N, ..., in channels]."""
        return self._function(x, self.weight, self.bias, self._stride, self._padding, self._dilation,
                              data_format=self._data_format)

    def extra_repr(self) -> str:
        """The arguments, for printing."""
        shown = [f"{self._in_channels}, {self._out_channels}, kernel_size={self._kernel_size}"]
        shown += [f"stride={self._stride}"] if set(self._stride) != {1} else []
        shown += [f"padding={self._padding}"] if self._padding != 0 else []
        shown += [f"dilation={self._dilation}"] if set(self._dilation) != {1} else []
        return ", ".join([*shown, f"data_format={self._data_format}"])


class Conv3D(_Conv):
    """`functional.conv3d` with a weight [kD, kH, kW, in, out] and a bias of its own."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
                 dilation: Any = 1, groups: int = 1, padding_mode: str = "zeros", weight_attr: Any = None,
                 bias_attr: Any = None, data_format: str = "NDHWC"):
        super().__init__()
        self._setup(3, F.conv3d, in_channels, out_channels, kernel_size, stride, padding, dilation, groups,
                    padding_mode, weight_attr, bias_attr, data_format)


class Conv2D(_Conv):
    """`functional.conv2d` with a weight [kH, kW, in, out] and a bias of its own."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
                 dilation: Any = 1, groups: int = 1, padding_mode: str = "zeros", weight_attr: Any = None,
                 bias_attr: Any = None, data_format: str = "NHWC"):
        super().__init__()
        self._setup(2, F.conv2d, in_channels, out_channels, kernel_size, stride, padding, dilation, groups,
                    padding_mode, weight_attr, bias_attr, data_format)


class SubmConv3D(_Conv):
    """`functional.subm_conv3d` with a weight [kD, kH, kW, in, out] and a bias of its own. key, backend: accepted."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
                 dilation: Any = 1, groups: int = 1, padding_mode: str = "zeros", key: str | None = None,
                 weight_attr: Any = None, bias_attr: Any = None, data_format: str = "NDHWC",
                 backend: str | None = None):
        super().__init__()
        self._setup(3, F.subm_conv3d, in_channels, out_channels, kernel_size, stride, padding, dilation, groups,
                    padding_mode, weight_attr, bias_attr, data_format, backend)


class SubmConv2D(_Conv):
    """`functional.subm_conv2d` with a weight [kH, kW, in, out] and a bias of its own. key, backend: accepted."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
                 dilation: Any = 1, groups: int = 1, padding_mode: str = "zeros", key: str | None = None,
                 weight_attr: Any = None, bias_attr: Any = None, data_format: str = "NHWC", backend: str | None = None):
        super().__init__()
        self._setup(2, F.subm_conv2d, in_channels, out_channels, kernel_size, stride, padding, dilation, groups,
                    padding_mode, weight_attr, bias_attr, data_format, backend)


class MaxPool3D(Layer):
    """`functional.max_pool3d` with fixed windows. return_mask: must be False."""

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0, return_mask: bool = False,
                 ceil_mode: bool = False, data_format: str = "NDHWC", name: str | None = None):
        super().__init__()
        if return_mask:
            raise ValueError("return_mask=True is not possible for sparse tensors.")
        self.ksize, self.stride, self.padding, self.return_mask = kernel_size, stride, padding, return_mask
        self.ceil_mode, self.data_format, self.name = ceil_mode, data_format, name

    def forward(self, x: Any) -> Any:
        """The largest values of a sparse tensor [N, D, H, W, C]."""
        return F.max_pool3d(x, self.ksize, self.stride, self.padding, self.ceil_mode, self.data_format)

    def extra_repr(self) -> str:
        """The arguments, for printing."""
        return f"kernel_size={self.ksize}, stride={self.stride}, padding={self.padding}"
