"""GoogLeNet (Szegedy et al. 2014), with its two auxiliary outputs."""
from __future__ import annotations

import math
from typing import Any

from kayax import nn
from kayax.layers import functional as F
from kayax.layers import ops
from kayax.layers.param_attr import ParamAttr
from kayax.nn.initializer import Uniform
from kayax.vision.models._common import flatten, no_download

# Channels in; out of 1x1; reduced for and out of 3x3; of 5x5; of the projected pooling.
_BLOCKS = {"3a": (192, 64, 96, 128, 16, 32, 32), "3b": (256, 128, 128, 192, 32, 96, 64),
           "4a": (480, 192, 96, 208, 16, 48, 64), "4b": (512, 160, 112, 224, 24, 64, 64),
           "4c": (512, 128, 128, 256, 24, 64, 64), "4d": (512, 112, 144, 288, 32, 64, 64),
           "4e": (528, 256, 160, 320, 32, 128, 128), "5a": (832, 256, 160, 320, 32, 128, 128),
           "5b": (832, 384, 192, 384, 48, 128, 128)}


class ConvLayer(nn.Layer):
    """A convolution that keeps the image's size (at stride 1), without a bias."""

    def __init__(self, channels: int, outputs: int, kernel: int, stride: int = 1):
        super().__init__()
        self._conv = nn.Conv2D(channels, outputs, kernel, stride, (kernel - 1) // 2, bias_attr=False)

    def forward(self, inputs: Any) -> Any:
        return self._conv(inputs)


class Inception(nn.Layer):
    """Convolutions of three sizes and a pooling, side by side."""

    def __init__(self, channels: int, one: int, reduce3: int, three: int, reduce5: int, five: int, projected: int):
        super().__init__()
        self._conv1 = ConvLayer(channels, one, 1)
        self._conv3r = ConvLayer(channels, reduce3, 1)
        self._conv3 = ConvLayer(reduce3, three, 3)
        self._conv5r = ConvLayer(channels, reduce5, 1)
        self._conv5 = ConvLayer(reduce5, five, 5)
        self._pool = nn.MaxPool2D(3, 1, 1)
        self._convprj = ConvLayer(channels, projected, 1)

    def forward(self, inputs: Any) -> Any:
        parts = [self._conv1(inputs), self._conv3(self._conv3r(inputs)), self._conv5(self._conv5r(inputs)),
                 self._convprj(self._pool(inputs))]
        return F.relu(ops.concat(parts, axis=1))


def _linear(inputs: int, outputs: int, fan: int) -> nn.Linear:
    bound = math.sqrt(3.0 / fan)
    return nn.Linear(inputs, outputs, ParamAttr(initializer=Uniform(-bound, bound)))


class GoogLeNet(nn.Layer):
    """On 224x224 images. Gives the output and those of the two auxiliary classifiers.

    num_classes: outputs; none if not positive. with_pool: average over the image.
    """

    def __init__(self, num_classes: int = 1000, with_pool: bool = True):
        super().__init__()
        self.num_classes, self.with_pool = num_classes, with_pool
        self._conv = ConvLayer(3, 64, 7, 2)
        self._pool = nn.MaxPool2D(3, 2)
        self._conv_1 = ConvLayer(64, 64, 1)
        self._conv_2 = ConvLayer(64, 192, 3)
        for name, sizes in _BLOCKS.items():
            setattr(self, f"_ince{name}", Inception(*sizes))
        if with_pool:
            self._pool_5 = nn.AdaptiveAvgPool2D(1)
            self._pool_o1, self._pool_o2 = nn.AvgPool2D(5, 3), nn.AvgPool2D(5, 3)
        if num_classes > 0:
            self._drop = nn.Dropout(p=0.4, mode="downscale_in_infer")
            self._fc_out = _linear(1024, num_classes, 1024)
            for i, channels in ((1, 512), (2, 528)):
                setattr(self, f"_conv_o{i}", ConvLayer(channels, 128, 1))
                setattr(self, f"_fc_o{i}", _linear(1152, 1024, 2048))
                setattr(self, f"_drop_o{i}", nn.Dropout(p=0.7, mode="downscale_in_infer"))
                setattr(self, f"_out{i}", _linear(1024, num_classes, 1024))

    def _auxiliary(self, x: Any, i: int) -> Any:
        part: dict[str, Any] = {name: getattr(self, f"_{name}{i}", None)
                                for name in ("pool_o", "conv_o", "fc_o", "drop_o", "out")}
        x = part["pool_o"](x) if self.with_pool else x
        if self.num_classes <= 0:
            return x
        x = part["fc_o"](flatten(part["conv_o"](x)))
        x = F.relu(x) if i == 1 else x          # the second has none in Paddle, whose trained weights expect that
        return part["out"](part["drop_o"](x))

    def forward(self, inputs: Any) -> Any:
        x = self._pool(self._conv(inputs))
        x = self._pool(self._conv_2(self._conv_1(x)))
        x = self._pool(self._ince3b(self._ince3a(x)))
        a = self._ince4a(x)
        d = self._ince4d(self._ince4c(self._ince4b(a)))
        x = self._ince5b(self._ince5a(self._pool(self._ince4e(d))))
        x = self._pool_5(x) if self.with_pool else x
        if self.num_classes > 0:
            x = self._fc_out(flatten(self._drop(x)))
        return x, self._auxiliary(a, 1), self._auxiliary(d, 2)


def googlenet(pretrained: bool = False, **kwargs: Any) -> GoogLeNet:
    """`GoogLeNet`. Arguments: those of `GoogLeNet`."""
    no_download("googlenet", pretrained)
    return GoogLeNet(**kwargs)


__all__ = ["GoogLeNet", "googlenet"]
