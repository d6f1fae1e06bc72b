"""MobileNet, third version (Howard et al. 2019)."""
from __future__ import annotations

import functools
from typing import Any

from kayax import nn
from kayax.vision.models._common import ConvNormActivation, divisible, flatten, no_download

# Channels in, kernel, expanded channels, channels out, squeeze-and-excitation, activation, stride.
_LARGE = (
    (16, 3, 16, 16, False, "relu", 1), (16, 3, 64, 24, False, "relu", 2), (24, 3, 72, 24, False, "relu", 1),
    (24, 5, 72, 40, True, "relu", 2), (40, 5, 120, 40, True, "relu", 1), (40, 5, 120, 40, True, "relu", 1),
    (40, 3, 240, 80, False, "hardswish", 2), (80, 3, 200, 80, False, "hardswish", 1),
    (80, 3, 184, 80, False, "hardswish", 1), (80, 3, 184, 80, False, "hardswish", 1),
    (80, 3, 480, 112, True, "hardswish", 1), (112, 3, 672, 112, True, "hardswish", 1),
    (112, 5, 672, 160, True, "hardswish", 2), (160, 5, 960, 160, True, "hardswish", 1),
    (160, 5, 960, 160, True, "hardswish", 1))
_SMALL = (
    (16, 3, 16, 16, True, "relu", 2), (16, 3, 72, 24, False, "relu", 2), (24, 3, 88, 24, False, "relu", 1),
    (24, 5, 96, 40, True, "hardswish", 2), (40, 5, 240, 40, True, "hardswish", 1),
    (40, 5, 240, 40, True, "hardswish", 1), (40, 5, 120, 48, True, "hardswish", 1),
    (48, 5, 144, 48, True, "hardswish", 1), (48, 5, 288, 96, True, "hardswish", 2),
    (96, 5, 576, 96, True, "hardswish", 1), (96, 5, 576, 96, True, "hardswish", 1))
_ACTIVATIONS = {"relu": nn.ReLU, "hardswish": nn.Hardswish}
_norm = functools.partial(nn.BatchNorm2D, epsilon=0.001, momentum=0.99)


class SqueezeExcitation(nn.Layer):
    """Channels weighted by what their averages say (Hu et al. 2017)."""

    def __init__(self, channels: int, squeezed: int):
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2D(1)
        self.fc1 = nn.Conv2D(channels, squeezed, 1)
        self.fc2 = nn.Conv2D(squeezed, channels, 1)
        self.activation = nn.ReLU()
        self.scale_activation = nn.Hardsigmoid()

    def forward(self, x: Any) -> Any:
        scale = self.fc2(self.activation(self.fc1(self.avgpool(x))))
        return x * self.scale_activation(scale)


class InvertedResidual(nn.Layer):
    """1x1 up, a convolution of each channel by itself, 1x1 down; the input is added if the shape allows."""

    def __init__(self, channels: int, expanded: int, outputs: int, kernel: int, stride: int, squeeze: bool,
                 activation: Any):
        super().__init__()
        self.use_res_connect = stride == 1 and channels == outputs
        self.use_se, self.expand = squeeze, channels != expanded
        if self.expand:
            self.expand_conv = ConvNormActivation(channels, expanded, 1, norm_layer=_norm, activation_layer=activation)
        self.bottleneck_conv = ConvNormActivation(expanded, expanded, kernel, stride, groups=expanded, norm_layer=_norm,
                                                  activation_layer=activation)
        if squeeze:
            self.mid_se = SqueezeExcitation(expanded, divisible(expanded // 4))
        self.linear_conv = ConvNormActivation(expanded, outputs, 1, norm_layer=_norm, activation_layer=None)

    def forward(self, x: Any) -> Any:
        out = self.expand_conv(x) if self.expand else x
        out = self.bottleneck_conv(out)
        if self.use_se:
            out = self.mid_se(out)
        out = self.linear_conv(out)
        return x + out if self.use_res_connect else out


class MobileNetV3(nn.Layer):
    """blocks: a table of blocks. last_channel: the width before the last layer. scale, num_classes, with_pool: as in
    `MobileNetV3Large`."""

    def __init__(self, blocks: tuple, last_channel: int, scale: float = 1.0, num_classes: int = 1000,
                 with_pool: bool = True):
        super().__init__()
        self.scale, self.num_classes, self.with_pool = scale, num_classes, with_pool
        first = divisible(blocks[0][0] * scale)
        self.lastconv_in_channels = divisible(blocks[-1][3] * scale)
        self.lastconv_out_channels, self.last_channel = self.lastconv_in_channels * 6, last_channel
        self.conv = ConvNormActivation(3, first, 3, 2, 1, norm_layer=_norm, activation_layer=nn.Hardswish)
        self.blocks = nn.Sequential(*[
            InvertedResidual(divisible(channels * scale), divisible(expanded * scale), divisible(outputs * scale),
                             kernel, stride, squeeze, _ACTIVATIONS[activation])
            for channels, kernel, expanded, outputs, squeeze, activation, stride in blocks])
        self.lastconv = ConvNormActivation(self.lastconv_in_channels, self.lastconv_out_channels, 1, 1, 0,
                                           norm_layer=_norm, activation_layer=nn.Hardswish)
        if with_pool:
            self.avgpool = nn.AdaptiveAvgPool2D(1)
        if num_classes > 0:
            self.classifier = nn.Sequential(nn.Linear(self.lastconv_out_channels, last_channel), nn.Hardswish(),
                                            nn.Dropout(0.2), nn.Linear(last_channel, num_classes))

    def forward(self, x: Any) -> Any:
        x = self.lastconv(self.blocks(self.conv(x)))
        if self.with_pool:
            x = self.avgpool(x)
        return self.classifier(flatten(x)) if self.num_classes > 0 else x


class MobileNetV3Small(MobileNetV3):
    """The small variant: see `MobileNetV3Large`."""

    def __init__(self, scale: float = 1.0, num_classes: int = 1000, with_pool: bool = True):
        super().__init__(_SMALL, divisible(1024 * scale), scale, num_classes, with_pool)


class MobileNetV3Large(MobileNetV3):
    """scale: factor of all channels. num_classes: outputs; none if not positive. with_pool: average over the image."""

    def __init__(self, scale: float = 1.0, num_classes: int = 1000, with_pool: bool = True):
        super().__init__(_LARGE, divisible(1280 * scale), scale, num_classes, with_pool)


def mobilenet_v3_small(pretrained: bool = False, scale: float = 1.0, **kwargs: Any) -> MobileNetV3Small:
    """`MobileNetV3Small`. Arguments: those of `MobileNetV3Small`."""
    no_download("mobilenet_v3_small", pretrained)
    return MobileNetV3Small(scale=scale, **kwargs)


def mobilenet_v3_large(pretrained: bool = False, scale: float = 1.0, **kwargs: Any) -> MobileNetV3Large:
    """`MobileNetV3Large`. Arguments: those of `MobileNetV3Large`."""
    no_download("mobilenet_v3_large", pretrained)
    return MobileNetV3Large(scale=scale, **kwargs)


__all__ = ["MobileNetV3Large", "MobileNetV3Small", "mobilenet_v3_large", "mobilenet_v3_small"]
