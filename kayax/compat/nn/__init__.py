"""``paddle.compat.nn``: layers with PyTorch's arguments and layouts, where Paddle's of the same name differ."""
from __future__ import annotations

import math
from typing import Any

from kayax.absent import absent
from kayax.bridge.ops.public import FUNCTIONAL_NAMES as _F
from kayax.bridge.tensor import Tensor
from kayax.compat.nn import functional
from kayax.layers.initializer import Uniform
from kayax.layers.layer import Layer
from kayax.layers.param_attr import ParamAttr
from kayax.spec.dtype import get_default_dtype


class _AvgPool(Layer):
    def extra_repr(self) -> str:
        """The sizes that it was made with."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1D(_AvgPool):
    """The mean of each window of [N, C, L]; padding counts if `count_include_pad`."""

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
                 count_include_pad: bool = True):
        super().__init__()
        self.kernel_size, self.stride, self.padding = kernel_size, stride or kernel_size, padding
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        """The means of `input`."""
        return _F["avg_pool1d"](input, self.kernel_size, self.stride, self.padding, not self.count_include_pad,
                                self.ceil_mode)


class AvgPool2D(_AvgPool):
    """The mean of each window of [N, C, H, W]; padding counts if `count_include_pad`.

    divisor_override: what the sums are divided by, instead of the size of the window.
    """

    _pool = staticmethod(_F["avg_pool2d"])

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
                 count_include_pad: bool = True, divisor_override: int | None = None):
        super().__init__()
        self.kernel_size, self.stride, self.padding = kernel_size, stride or kernel_size, padding
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        """The means of `input`."""
        return self._pool(input, self.kernel_size, self.stride, self.padding, self.ceil_mode,
                          not self.count_include_pad, self.divisor_override)


class AvgPool3D(AvgPool2D):
    """The mean of each window of [N, C, D, H, W]; padding counts if `count_include_pad`."""

    _pool = staticmethod(_F["avg_pool3d"])


class Unfold(Layer):
    """The patches of images as columns (im2col): [N, C, H, W] becomes [N, C kh kw, number of patches]."""

    def __init__(self, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1):
        super().__init__()
        self.arguments = kernel_size, dilation, padding, stride

    def forward(self, input: Tensor) -> Tensor:
        """The patches of `input`."""
        return functional.unfold(input, *self.arguments)


class Linear(Layer):
    """``input @ weight.T + bias``; the weight is [out_features, in_features], as in PyTorch.

    Both are drawn uniformly from plus and minus 1 / sqrt(in_features).
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None):
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        dtype = get_default_dtype() if dtype is None else dtype
        attr = ParamAttr(initializer=self._initial())
        self.weight = self.create_parameter([out_features, in_features], attr, dtype, device=device)
        self.bias = self.create_parameter([out_features], attr, dtype, True, device=device) if bias else None

    def _initial(self) -> Uniform:
        bound = 1 / math.sqrt(self.in_features) if self.in_features else 0.0
        return Uniform(-bound, bound)

    def reset_parameters(self) -> None:
        """Draw the parameters again."""
        for parameter in (self.weight, self.bias):
            if parameter is not None:
                self._initial()(parameter)

    def forward(self, input: Tensor) -> Tensor:
        """The map of `input` [..., in_features]."""
        return functional.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The sizes that it was made with."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Softmax(Layer):
    """``exp(x) / sum(exp(x))`` along `dim`; None means 0 for 0, 1 or 3 axes and 1 for any other number."""

    def __init__(self, dim: int | None = None):
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """The shares of `input`."""
        return functional.softmax(input, self.dim)

    def extra_repr(self) -> str:
        """The dimension."""
        return f"dim={self.dim}"


AvgPool1d, AvgPool2d, AvgPool3d = AvgPool1D, AvgPool2D, AvgPool3D
__getattr__ = absent("compat.nn")

__all__ = ["AvgPool1D", "AvgPool1d", "AvgPool2D", "AvgPool2d", "AvgPool3D", "AvgPool3d", "Linear", "Softmax", "Unfold",
           "functional"]
