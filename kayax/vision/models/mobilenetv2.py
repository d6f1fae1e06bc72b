"""MobileNet, second version (Sandler et al. 2018)."""
from __future__ import annotations

from typing import Any

from kayax import nn
from kayax.vision.models._common import ConvNormActivation, divisible, flatten, no_download

# Expansion, channels, repetitions, first stride.
_STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))


class InvertedResidual(nn.Layer):
    """1x1 up, 3x3 of each channel by itself, 1x1 down; the input is added if the shape allows."""

    def __init__(self, channels: int, outputs: int, stride: int, expansion: int):
        super().__init__()
        self.stride = stride
        hidden = round(channels * expansion)
        self.use_res_connect = stride == 1 and channels == outputs
        layers: list[nn.Layer] = []
        if expansion != 1:
            layers.append(ConvNormActivation(channels, hidden, 1, activation_layer=nn.ReLU6))
        layers += [ConvNormActivation(hidden, hidden, stride=stride, groups=hidden, activation_layer=nn.ReLU6),
                   nn.Conv2D(hidden, outputs, 1, 1, 0, bias_attr=False), nn.BatchNorm2D(outputs)]
        self.conv = nn.Sequential(*layers)

    def forward(self, x: Any) -> Any:
        return x + self.conv(x) if self.use_res_connect else self.conv(x)


class MobileNetV2(nn.Layer):
    """scale: factor of all channels. num_classes: outputs; none if not positive. with_pool: average over the image."""

    def __init__(self, scale: float = 1.0, num_classes: int = 1000, with_pool: bool = True):
        super().__init__()
        self.num_classes, self.with_pool = num_classes, with_pool
        channels = divisible(32 * scale)
        self.last_channel = divisible(1280 * max(1.0, scale))
        layers: list[nn.Layer] = [ConvNormActivation(3, channels, stride=2, activation_layer=nn.ReLU6)]
        for expansion, size, count, stride in _STAGES:
            outputs = divisible(size * scale)
            for i in range(count):
                layers.append(InvertedResidual(channels, outputs, stride if i == 0 else 1, expansion))
                channels = outputs
        layers.append(ConvNormActivation(channels, self.last_channel, 1, activation_layer=nn.ReLU6))
        self.features = nn.Sequential(*layers)
        if with_pool:
            self.pool2d_avg = nn.AdaptiveAvgPool2D(1)
        if num_classes > 0:
            self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(self.last_channel, num_classes))

    def forward(self, x: Any) -> Any:
        x = self.features(x)
        if self.with_pool:
            x = self.pool2d_avg(x)
        return self.classifier(flatten(x)) if self.num_classes > 0 else x


def mobilenet_v2(pretrained: bool = False, scale: float = 1.0, **kwargs: Any) -> MobileNetV2:
    """`MobileNetV2`. Arguments: those of `MobileNetV2`."""
    no_download("mobilenet_v2", pretrained)
    return MobileNetV2(scale=scale, **kwargs)


__all__ = ["MobileNetV2", "mobilenet_v2"]
