"""SqueezeNet (Iandola et al. 2016)."""
from __future__ import annotations

from typing import Any

from kayax import nn
from kayax.layers import functional as F
from kayax.layers import ops
from kayax.vision.models._common import no_download

# Squeezed channels and channels of each path, of the eight fire modules.
_FIRES = ((16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256))
# After which of them (0: the first convolution) there is a pooling.
_POOLS = {"1.0": (0, 3, 7), "1.1": (0, 2, 4)}


class MakeFireConv(nn.Layer):
    """A convolution and ReLU."""

    def __init__(self, channels: int, outputs: int, kernel: int, padding: int = 0):
        super().__init__()
        self._conv = nn.Conv2D(channels, outputs, kernel, padding=padding)

    def forward(self, x: Any) -> Any:
        return F.relu(self._conv(x))


class MakeFire(nn.Layer):
    """A 1x1 convolution that squeezes, then 1x1 and 3x3 ones side by side."""

    def __init__(self, channels: int, squeezed: int, outputs: int):
        super().__init__()
        self._conv = MakeFireConv(channels, squeezed, 1)
        self._conv_path1 = MakeFireConv(squeezed, outputs, 1)
        self._conv_path2 = MakeFireConv(squeezed, outputs, 3, 1)

    def forward(self, inputs: Any) -> Any:
        x = self._conv(inputs)
        return ops.concat([self._conv_path1(x), self._conv_path2(x)], axis=1)


class SqueezeNet(nn.Layer):
    """version: "1.0" or "1.1" (fewer computations). num_classes: outputs. with_pool: average over the image."""

    def __init__(self, version: str, num_classes: int = 1000, with_pool: bool = True):
        super().__init__()
        if version not in _POOLS:
            raise ValueError(f"version must be '1.0' or '1.1', but got {version!r}.")
        self.version, self.num_classes, self.with_pool = version, num_classes, with_pool
        channels = 96 if version == "1.0" else 64
        self._conv = (nn.Conv2D(3, 96, 7, stride=2) if version == "1.0" else nn.Conv2D(3, 64, 3, stride=2, padding=1))
        self._pool = nn.MaxPool2D(3, 2, 0)
        for i, (squeezed, outputs) in enumerate(_FIRES):
            setattr(self, f"_conv{i + 1}", MakeFire(channels, squeezed, outputs))
            channels = 2 * outputs
        self._drop = nn.Dropout(p=0.5, mode="downscale_in_infer")
        self._conv9 = nn.Conv2D(512, num_classes, 1)
        self._avg_pool = nn.AdaptiveAvgPool2D(1)

    def forward(self, inputs: Any) -> Any:
        x = F.relu(self._conv(inputs))
        for i in range(len(_FIRES) + 1):
            x = getattr(self, f"_conv{i}")(x) if i else x
            if i in _POOLS[self.version]:
                x = self._pool(x)
        if self.num_classes > 0:
            x = F.relu(self._conv9(self._drop(x)))
        return ops.squeeze(self._avg_pool(x), [2, 3]) if self.with_pool else x


def squeezenet1_0(pretrained: bool = False, **kwargs: Any) -> SqueezeNet:
    """`SqueezeNet` 1.0. Arguments: those of `SqueezeNet`."""
    no_download("squeezenet1_0", pretrained)
    return SqueezeNet("1.0", **kwargs)


def squeezenet1_1(pretrained: bool = False, **kwargs: Any) -> SqueezeNet:
    """`SqueezeNet` 1.1. Arguments: those of `SqueezeNet`."""
    no_download("squeezenet1_1", pretrained)
    return SqueezeNet("1.1", **kwargs)


__all__ = ["SqueezeNet", "squeezenet1_0", "squeezenet1_1"]
