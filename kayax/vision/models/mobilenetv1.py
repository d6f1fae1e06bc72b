"""MobileNet, first version (Howard et al. 2017)."""
from __future__ import annotations

from typing import Any

from kayax import nn
from kayax.vision.models._common import ConvNormActivation, flatten, no_download

# Name, channels in, channels out, stride.
_BLOCKS = (("conv2_1", 32, 64, 1), ("conv2_2", 64, 128, 2), ("conv3_1", 128, 128, 1), ("conv3_2", 128, 256, 2),
           ("conv4_1", 256, 256, 1), ("conv4_2", 256, 512, 2), *((f"conv5_{i}", 512, 512, 1) for i in range(1, 6)),
           ("conv5_6", 512, 1024, 2), ("conv6", 1024, 1024, 1))


class DepthwiseSeparable(nn.Layer):
    """A 3x3 convolution of each channel by itself, and a 1x1 convolution across them."""

    def __init__(self, channels: int, outputs: int, stride: int):
        super().__init__()
        self._depthwise_conv = ConvNormActivation(channels, channels, 3, stride, 1, groups=channels)
        self._pointwise_conv = ConvNormActivation(channels, outputs, 1, 1, 0)

    def forward(self, x: Any) -> Any:
        return self._pointwise_conv(self._depthwise_conv(x))


class MobileNetV1(nn.Layer):
    """scale: factor of all channels. num_classes: outputs; none if not positive. with_pool: average over the image."""

    def __init__(self, scale: float = 1.0, num_classes: int = 1000, with_pool: bool = True):
        super().__init__()
        self.scale, self.num_classes, self.with_pool = scale, num_classes, with_pool
        self.conv1 = ConvNormActivation(3, int(32 * scale), 3, 2, 1)
        self.dwsl = []
        for name, channels, outputs, stride in _BLOCKS:
            block = DepthwiseSeparable(int(channels * scale), int(outputs * scale), stride)
            self.dwsl.append(self.add_sublayer(name, block))
        if with_pool:
            self.pool2d_avg = nn.AdaptiveAvgPool2D(1)
        if num_classes > 0:
            self.fc = nn.Linear(int(1024 * scale), num_classes)

    def forward(self, x: Any) -> Any:
        x = self.conv1(x)
        for block in self.dwsl:
            x = block(x)
        if self.with_pool:
            x = self.pool2d_avg(x)
        return self.fc(flatten(x)) if self.num_classes > 0 else x


def mobilenet_v1(pretrained: bool = False, scale: float = 1.0, **kwargs: Any) -> MobileNetV1:
    """`MobileNetV1`. Arguments: those of `MobileNetV1`."""
    no_download("mobilenet_v1", pretrained)
    return MobileNetV1(scale=scale, **kwargs)


__all__ = ["MobileNetV1", "mobilenet_v1"]
