"""Inception, third version (Szegedy et al. 2015)."""
from __future__ import annotations

import math
from typing import Any

from kayax import nn
from kayax.layers import ops
from kayax.layers.param_attr import ParamAttr
from kayax.nn.initializer import Uniform
from kayax.vision.models._common import ConvNormActivation, flatten, no_download

_ROW: dict[str, Any] = {"kernel_size": (1, 7), "padding": (0, 3)}
_COLUMN: dict[str, Any] = {"kernel_size": (7, 1), "padding": (3, 0)}


def _conv(inputs: int, outputs: int, kernel_size: Any = 1, stride: int = 1, padding: Any = 0) -> ConvNormActivation:
    return ConvNormActivation(inputs, outputs, kernel_size, stride, padding)


def _average() -> nn.AvgPool2D:
    return nn.AvgPool2D(3, 1, 1, exclusive=False)


def _chain(x: Any, *layers: Any) -> Any:
    for layer in layers:
        x = layer(x)
    return x


class InceptionStem(nn.Layer):
    """From the image to 192 channels."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_1a_3x3 = _conv(3, 32, 3, 2)
        self.conv_2a_3x3 = _conv(32, 32, 3)
        self.conv_2b_3x3 = _conv(32, 64, 3, padding=1)
        self.max_pool = nn.MaxPool2D(3, 2, 0)
        self.conv_3b_1x1 = _conv(64, 80)
        self.conv_4a_3x3 = _conv(80, 192, 3)

    def forward(self, x: Any) -> Any:
        x = _chain(x, self.conv_1a_3x3, self.conv_2a_3x3, self.conv_2b_3x3, self.max_pool)
        return _chain(x, self.conv_3b_1x1, self.conv_4a_3x3, self.max_pool)


class InceptionA(nn.Layer):
    """1x1, 5x5, two 3x3, and pooling side by side."""

    def __init__(self, channels: int, pool_features: int):
        super().__init__()
        self.branch1x1 = _conv(channels, 64)
        self.branch5x5_1 = _conv(channels, 48)
        self.branch5x5_2 = _conv(48, 64, 5, padding=2)
        self.branch3x3dbl_1 = _conv(channels, 64)
        self.branch3x3dbl_2 = _conv(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = _conv(96, 96, 3, padding=1)
        self.branch_pool = _average()
        self.branch_pool_conv = _conv(channels, pool_features)

    def forward(self, x: Any) -> Any:
        return ops.concat([self.branch1x1(x), _chain(x, self.branch5x5_1, self.branch5x5_2),
                           _chain(x, self.branch3x3dbl_1, self.branch3x3dbl_2, self.branch3x3dbl_3),
                           _chain(x, self.branch_pool, self.branch_pool_conv)], axis=1)


class InceptionB(nn.Layer):
    """Halves the image: a 3x3, two 3x3, and pooling side by side."""

    def __init__(self, channels: int):
        super().__init__()
        self.branch3x3 = _conv(channels, 384, 3, 2)
        self.branch3x3dbl_1 = _conv(channels, 64)
        self.branch3x3dbl_2 = _conv(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = _conv(96, 96, 3, 2)
        self.branch_pool = nn.MaxPool2D(3, 2)

    def forward(self, x: Any) -> Any:
        double = _chain(x, self.branch3x3dbl_1, self.branch3x3dbl_2, self.branch3x3dbl_3)
        return ops.concat([self.branch3x3(x), double, self.branch_pool(x)], axis=1)


class InceptionC(nn.Layer):
    """1x1, a 7x7 and two 7x7 taken apart into rows and columns, and pooling side by side."""

    def __init__(self, channels: int, inner: int):
        super().__init__()
        self.branch1x1 = _conv(channels, 192)
        self.branch7x7_1 = _conv(channels, inner)
        self.branch7x7_2 = _conv(inner, inner, **_ROW)
        self.branch7x7_3 = _conv(inner, 192, **_COLUMN)
        self.branch7x7dbl_1 = _conv(channels, inner)
        self.branch7x7dbl_2 = _conv(inner, inner, **_COLUMN)
        self.branch7x7dbl_3 = _conv(inner, inner, **_ROW)
        self.branch7x7dbl_4 = _conv(inner, inner, **_COLUMN)
        self.branch7x7dbl_5 = _conv(inner, 192, **_ROW)
        self.branch_pool = _average()
        self.branch_pool_conv = _conv(channels, 192)

    def forward(self, x: Any) -> Any:
        double = _chain(x, *[getattr(self, f"branch7x7dbl_{i}") for i in range(1, 6)])
        return ops.concat([self.branch1x1(x), _chain(x, self.branch7x7_1, self.branch7x7_2, self.branch7x7_3), double,
                           _chain(x, self.branch_pool, self.branch_pool_conv)], axis=1)


class InceptionD(nn.Layer):
    """Halves the image: a 3x3, a 7x7 with a 3x3, and pooling side by side."""

    def __init__(self, channels: int):
        super().__init__()
        self.branch3x3_1 = _conv(channels, 192)
        self.branch3x3_2 = _conv(192, 320, 3, 2)
        self.branch7x7x3_1 = _conv(channels, 192)
        self.branch7x7x3_2 = _conv(192, 192, **_ROW)
        self.branch7x7x3_3 = _conv(192, 192, **_COLUMN)
        self.branch7x7x3_4 = _conv(192, 192, 3, 2)
        self.branch_pool = nn.MaxPool2D(3, 2)

    def forward(self, x: Any) -> Any:
        seven = _chain(x, *[getattr(self, f"branch7x7x3_{i}") for i in range(1, 5)])
        return ops.concat([_chain(x, self.branch3x3_1, self.branch3x3_2), seven, self.branch_pool(x)], axis=1)


class InceptionE(nn.Layer):
    """1x1, two forks of 1x3 and 3x1, and pooling side by side."""

    def __init__(self, channels: int):
        super().__init__()
        row: dict[str, Any] = {"kernel_size": (1, 3), "padding": (0, 1)}
        column: dict[str, Any] = {"kernel_size": (3, 1), "padding": (1, 0)}
        self.branch1x1 = _conv(channels, 320)
        self.branch3x3_1 = _conv(channels, 384)
        self.branch3x3_2a = _conv(384, 384, **row)
        self.branch3x3_2b = _conv(384, 384, **column)
        self.branch3x3dbl_1 = _conv(channels, 448)
        self.branch3x3dbl_2 = _conv(448, 384, 3, padding=1)
        self.branch3x3dbl_3a = _conv(384, 384, **row)
        self.branch3x3dbl_3b = _conv(384, 384, **column)
        self.branch_pool = _average()
        self.branch_pool_conv = _conv(channels, 192)

    def forward(self, x: Any) -> Any:
        one = self.branch3x3_1(x)
        two = _chain(x, self.branch3x3dbl_1, self.branch3x3dbl_2)
        return ops.concat([self.branch1x1(x), self.branch3x3_2a(one), self.branch3x3_2b(one), self.branch3x3dbl_3a(two),
                           self.branch3x3dbl_3b(two), _chain(x, self.branch_pool, self.branch_pool_conv)], axis=1)


class InceptionV3(nn.Layer):
    """num_classes: outputs; none if not positive. with_pool: average over the image."""

    def __init__(self, num_classes: int = 1000, with_pool: bool = True):
        super().__init__()
        self.num_classes, self.with_pool = num_classes, with_pool
        self.inception_stem = InceptionStem()
        self.inception_block_list = nn.LayerList([
            InceptionA(192, 32), InceptionA(256, 64), InceptionA(288, 64), InceptionB(288),
            InceptionC(768, 128), InceptionC(768, 160), InceptionC(768, 160), InceptionC(768, 192), InceptionD(768),
            InceptionE(1280), InceptionE(2048)])
        if with_pool:
            self.avg_pool = nn.AdaptiveAvgPool2D(1)
        if num_classes > 0:
            self.dropout = nn.Dropout(p=0.2, mode="downscale_in_infer")
            bound = 1.0 / math.sqrt(2048)
            self.fc = nn.Linear(2048, num_classes, ParamAttr(initializer=Uniform(-bound, bound)))

    def forward(self, x: Any) -> Any:
        x = _chain(self.inception_stem(x), *self.inception_block_list)
        if self.with_pool:
            x = self.avg_pool(x)
        return self.fc(self.dropout(flatten(x))) if self.num_classes > 0 else x


def inception_v3(pretrained: bool = False, **kwargs: Any) -> InceptionV3:
    """`InceptionV3`. Arguments: those of `InceptionV3`."""
    no_download("inception_v3", pretrained)
    return InceptionV3(**kwargs)


__all__ = ["InceptionV3", "inception_v3"]
