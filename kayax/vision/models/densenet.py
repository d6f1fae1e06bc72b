"""DenseNet (Huang et al. 2016)."""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from kayax import nn
from kayax.layers import ops
from kayax.layers.param_attr import ParamAttr
from kayax.nn.initializer import Uniform
from kayax.vision.models._common import flatten, no_download

# First channels, growth, layers of each block.
_VARIANTS = {121: (64, 32, (6, 12, 24, 16)), 161: (96, 48, (6, 12, 36, 24)), 169: (64, 32, (6, 12, 32, 32)),
             201: (64, 32, (6, 12, 48, 32)), 264: (64, 32, (6, 12, 64, 48))}


class BNACConvLayer(nn.Layer):
    """Batch normalization, ReLU, convolution."""

    def __init__(self, channels: int, outputs: int, kernel: int, padding: int = 0):
        super().__init__()
        self._batch_norm = nn.BatchNorm(channels, act="relu")
        self._conv = nn.Conv2D(channels, outputs, kernel, 1, padding, bias_attr=False)

    def forward(self, x: Any) -> Any:
        return self._conv(self._batch_norm(x))


class DenseLayer(nn.Layer):
    """1x1 and 3x3 convolutions; the result is appended to the channels."""

    def __init__(self, channels: int, growth: int, bn_size: int, dropout: float):
        super().__init__()
        self.dropout = dropout
        self.bn_ac_func1 = BNACConvLayer(channels, bn_size * growth, 1)
        self.bn_ac_func2 = BNACConvLayer(bn_size * growth, growth, 3, 1)
        if dropout:
            self.dropout_func = nn.Dropout(p=dropout, mode="downscale_in_infer")

    def forward(self, x: Any) -> Any:
        new = self.bn_ac_func2(self.bn_ac_func1(x))
        if self.dropout:
            new = self.dropout_func(new)
        return ops.concat([x, new], axis=1)


class DenseBlock(nn.Layer):
    """Dense layers, one after the other."""

    def __init__(self, channels: int, count: int, growth: int, bn_size: int, dropout: float, name: str):
        super().__init__()
        for i in range(count):
            self.add_sublayer(f"{name}_{i + 1}", DenseLayer(channels + i * growth, growth, bn_size, dropout))

    def forward(self, x: Any) -> Any:
        for layer in self.children():
            x = layer(x)
        return x


class TransitionLayer(nn.Layer):
    """A 1x1 convolution and a pooling that halves the image."""

    def __init__(self, channels: int, outputs: int):
        super().__init__()
        self.conv_ac_func = BNACConvLayer(channels, outputs, 1)
        self.pool2d_avg = nn.AvgPool2D(2, 2, 0)

    def forward(self, x: Any) -> Any:
        return self.pool2d_avg(self.conv_ac_func(x))


class ConvBNLayer(nn.Layer):
    """Convolution, batch normalization, ReLU."""

    def __init__(self, channels: int, outputs: int, kernel: int, stride: int, padding: int):
        super().__init__()
        self._conv = nn.Conv2D(channels, outputs, kernel, stride, padding, bias_attr=False)
        self._batch_norm = nn.BatchNorm(outputs, act="relu")

    def forward(self, x: Any) -> Any:
        return self._batch_norm(self._conv(x))


class DenseNet(nn.Layer):
    """layers: 121, 161, 169, 201 or 264. bn_size: width of the 1x1 convolutions in growths. dropout: of what each layer
    adds. num_classes: outputs; none if not positive. with_pool: average over the image."""

    def __init__(self, layers: int = 121, bn_size: int = 4, dropout: float = 0.0, num_classes: int = 1000,
                 with_pool: bool = True):
        super().__init__()
        if layers not in _VARIANTS:
            raise ValueError(f"layers must be one of {', '.join(map(str, _VARIANTS))}, but got {layers}.")
        self.num_classes, self.with_pool = num_classes, with_pool
        channels, growth, counts = _VARIANTS[layers]
        self.conv1_func = ConvBNLayer(3, channels, 7, 2, 3)
        self.pool2d_max = nn.MaxPool2D(3, 2, 1)
        self._blocks = []
        for i, count in enumerate(counts):
            block = DenseBlock(channels, count, growth, bn_size, dropout, f"conv{i + 2}")
            self._blocks.append(self.add_sublayer(f"db_conv_{i + 2}", block))
            channels += count * growth
            if i < len(counts) - 1:
                self._blocks.append(self.add_sublayer(f"tr_conv{i + 2}_blk", TransitionLayer(channels, channels // 2)))
                channels //= 2
        self.batch_norm = nn.BatchNorm(channels, act="relu")
        if with_pool:
            self.pool2d_avg = nn.AdaptiveAvgPool2D(1)
        if num_classes > 0:
            bound = 1.0 / math.sqrt(channels)
            self.out = nn.Linear(channels, num_classes, ParamAttr(initializer=Uniform(-bound, bound)))

    def forward(self, input: Any) -> Any:
        x = self.pool2d_max(self.conv1_func(input))
        for block in self._blocks:
            x = block(x)
        x = self.batch_norm(x)
        if self.with_pool:
            x = self.pool2d_avg(x)
        return self.out(flatten(x)) if self.num_classes > 0 else x


def _model(depth: int) -> Callable[..., DenseNet]:
    def make(pretrained: bool = False, **kwargs: Any) -> DenseNet:
        no_download(f"densenet{depth}", pretrained)
        return DenseNet(layers=depth, **kwargs)

    make.__name__ = make.__qualname__ = f"densenet{depth}"
    make.__doc__ = f"`DenseNet` with {depth} layers. Arguments: those of `DenseNet`."
    return make


densenet121, densenet161, densenet169, densenet201, densenet264 = map(_model, _VARIANTS)

__all__ = ["DenseNet", "densenet121", "densenet161", "densenet169", "densenet201", "densenet264"]
