"""Deformable convolution as a layer."""
from __future__ import annotations

from typing import Any

from kayax.bridge.ops.deformable import deform_conv2d
from kayax.bridge.tensor import Tensor
from kayax.layers.conv import as_list, initial_weights
from kayax.layers.layer import Layer


class DeformConv2D(Layer):
    """Convolution over ``[N, C, H, W]`` whose kernel elements look where `offset` says: see `deform_conv2d`.

    weight: ``[out_channels, in_channels / groups, *kernel]``. Called with ``(x, offset)`` or ``(x, offset, mask)``.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
                 dilation: Any = 1, deformable_groups: int = 1, groups: int = 1, weight_attr: Any = None,
                 bias_attr: Any = None):
        super().__init__()
        if in_channels % groups:
            raise ValueError(f"in_channels must be divisible by groups, but got {in_channels} and {groups}.")
        if weight_attr is False:
            raise AssertionError("A convolution needs a weight: weight_attr must not be False.")
        kernel = as_list(kernel_size, 2, "kernel_size")
        self._stride, self._padding = as_list(stride, 2, "stride"), as_list(padding, 2, "padding")
        self._dilation = as_list(dilation, 2, "dilation")
        self._deformable_groups, self._groups = deformable_groups, groups
        self.weight = self.create_parameter([out_channels, in_channels // groups, *kernel], attr=weight_attr,
                                            default_initializer=initial_weights(in_channels, kernel))
        self.bias = self.create_parameter([out_channels], attr=bias_attr, is_bias=True)

    def forward(self, x: Tensor, offset: Tensor, mask: Tensor | None = None) -> Tensor:
        return deform_conv2d(x, offset, self.weight, self.bias, self._stride, self._padding, self._dilation,
                             self._deformable_groups, self._groups, mask)
