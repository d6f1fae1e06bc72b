"""AlexNet (Krizhevsky 2014: the one-tower variant)."""
from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

from kayax import nn
from kayax.layers import functional as F
from kayax.layers.param_attr import ParamAttr
from kayax.nn.initializer import Uniform
from kayax.vision.models._common import flatten, no_download


def _attr(fan: int) -> Any:
    bound = 1.0 / math.sqrt(fan)
    return ParamAttr(initializer=Uniform(-bound, bound))


def _conv(inputs: int, outputs: int, kernel: int, stride: int, padding: int) -> nn.Conv2D:
    attr = _attr(inputs * kernel * kernel)
    return nn.Conv2D(inputs, outputs, kernel, stride, padding, weight_attr=attr, bias_attr=attr)


class ConvPoolLayer(nn.Layer):
    """A convolution, ReLU and a 3x3 pooling with stride 2."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, padding: int):
        super().__init__()
        self.relu = nn.ReLU()
        self._conv = _conv(inputs, outputs, kernel, stride, padding)
        self._pool = nn.MaxPool2D(3, 2, 0)

    def forward(self, inputs: Any) -> Any:
        return self._pool(self.relu(self._conv(inputs)))


class AlexNet(nn.Layer):
    """Five convolutions and three linear layers, on 224x224 images. num_classes: outputs; none if not positive."""

    def __init__(self, num_classes: int = 1000):
        super().__init__()
        self.num_classes = num_classes
        self._conv1 = ConvPoolLayer(3, 64, 11, 4, 2)
        self._conv2 = ConvPoolLayer(64, 192, 5, 1, 2)
        self._conv3 = _conv(192, 384, 3, 1, 1)
        self._conv4 = _conv(384, 256, 3, 1, 1)
        self._conv5 = ConvPoolLayer(256, 256, 3, 1, 1)
        if num_classes > 0:
            sizes = (256 * 6 * 6, 4096, 4096, num_classes)
            for i, (a, b) in enumerate(pairwise(sizes)):
                if i < 2:
                    setattr(self, f"_drop{i + 1}", nn.Dropout(p=0.5, mode="downscale_in_infer"))
                setattr(self, f"_fc{i + 6}", nn.Linear(a, b, _attr(sizes[0]), _attr(sizes[0])))

    def forward(self, inputs: Any) -> Any:
        x = self._conv2(self._conv1(inputs))
        x = F.relu(self._conv4(F.relu(self._conv3(x))))
        x = self._conv5(x)
        if self.num_classes <= 0:
            return x
        x = F.relu(self._fc6(self._drop1(flatten(x))))
        return self._fc8(F.relu(self._fc7(self._drop2(x))))


def alexnet(pretrained: bool = False, **kwargs: Any) -> AlexNet:
    """`AlexNet`. Arguments: those of `AlexNet`."""
    no_download("alexnet", pretrained)
    return AlexNet(**kwargs)


__all__ = ["AlexNet", "alexnet"]
