"""ShuffleNet, second version (Ma et al. 2018)."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kayax import nn
from kayax.layers import functional as F
from kayax.layers import ops
from kayax.vision.models._common import ConvNormActivation, flatten, no_download

# Channels: of the first convolution, of the three stages, of the last convolution.
_CHANNELS = {0.25: (24, 24, 48, 96, 512), 0.33: (24, 32, 64, 128, 512), 0.5: (24, 48, 96, 192, 1024),
             1.0: (24, 116, 232, 464, 1024), 1.5: (24, 176, 352, 704, 1024), 2.0: (24, 224, 488, 976, 2048)}
_REPEATS = (4, 8, 4)
_ACTIVATIONS = {"relu": nn.ReLU, "swish": nn.Swish, None: None}


class InvertedResidual(nn.Layer):
    """One half of the channels passes through, the other through convolutions; then the channels are shuffled."""

    def __init__(self, channels: int, activation: Any):
        super().__init__()
        half = channels // 2
        self._conv_pw = ConvNormActivation(half, half, 1, 1, 0, activation_layer=activation)
        self._conv_dw = ConvNormActivation(half, half, 3, 1, 1, groups=half, activation_layer=None)
        self._conv_linear = ConvNormActivation(half, half, 1, 1, 0, activation_layer=activation)

    def forward(self, inputs: Any) -> Any:
        kept, x = ops.split(inputs, 2, axis=1)
        x = self._conv_linear(self._conv_dw(self._conv_pw(x)))
        return F.channel_shuffle(ops.concat([kept, x], axis=1), 2)


class InvertedResidualDS(nn.Layer):
    """Two paths of convolutions that halve the image; then the channels are shuffled."""

    def __init__(self, channels: int, outputs: int, activation: Any):
        super().__init__()
        half = outputs // 2
        self._conv_dw_1 = ConvNormActivation(channels, channels, 3, 2, 1, groups=channels, activation_layer=None)
        self._conv_linear_1 = ConvNormActivation(channels, half, 1, 1, 0, activation_layer=activation)
        self._conv_pw_2 = ConvNormActivation(channels, half, 1, 1, 0, activation_layer=activation)
        self._conv_dw_2 = ConvNormActivation(half, half, 3, 2, 1, groups=half, activation_layer=None)
        self._conv_linear_2 = ConvNormActivation(half, half, 1, 1, 0, activation_layer=activation)

    def forward(self, inputs: Any) -> Any:
        x = self._conv_linear_1(self._conv_dw_1(inputs))
        y = self._conv_linear_2(self._conv_dw_2(self._conv_pw_2(inputs)))
        return F.channel_shuffle(ops.concat([x, y], axis=1), 2)


class ShuffleNetV2(nn.Layer):
    """ShuffleNet V2.

    scale: 0.25, 0.33, 0.5, 1.0, 1.5 or 2.0. act: "relu", "swish" or None. num_classes: outputs; none if not positive.
    with_pool: average over the image.
    """

    def __init__(self, scale: float = 1.0, act: str | None = "relu", num_classes: int = 1000, with_pool: bool = True):
        super().__init__()
        if scale not in _CHANNELS:
            raise NotImplementedError(f"scale must be one of {', '.join(map(str, _CHANNELS))}, but got {scale}.")
        if act not in _ACTIVATIONS:
            raise RuntimeError(f"act must be 'relu', 'swish' or None, but got {act!r}.")
        self.scale, self.num_classes, self.with_pool = scale, num_classes, with_pool
        activation, (first, *stages, last) = _ACTIVATIONS[act], _CHANNELS[scale]
        self._conv1 = ConvNormActivation(3, first, 3, 2, 1, activation_layer=activation)
        self._max_pool = nn.MaxPool2D(3, 2, 1)
        self._blocks, channels = [], first
        for stage, (outputs, repeats) in enumerate(zip(stages, _REPEATS, strict=True)):
            for i in range(repeats):
                block = (InvertedResidualDS(channels, outputs, activation) if i == 0
                         else InvertedResidual(outputs, activation))
                self._blocks.append(self.add_sublayer(f"{stage + 2}_{i + 1}", block))
            channels = outputs
        self._last_conv = ConvNormActivation(channels, last, 1, 1, 0, activation_layer=activation)
        if with_pool:
            self._pool2d_avg = nn.AdaptiveAvgPool2D(1)
        if num_classes > 0:
            self._fc = nn.Linear(last, num_classes)

    def forward(self, inputs: Any) -> Any:
        x = self._max_pool(self._conv1(inputs))
        for block in self._blocks:
            x = block(x)
        x = self._last_conv(x)
        if self.with_pool:
            x = self._pool2d_avg(x)
        return self._fc(flatten(x)) if self.num_classes > 0 else x


def _model(name: str, scale: float, act: str = "relu") -> Callable[..., ShuffleNetV2]:
    def make(pretrained: bool = False, **kwargs: Any) -> ShuffleNetV2:
        no_download(name, pretrained)
        return ShuffleNetV2(scale=scale, act=act, **kwargs)

    make.__name__ = make.__qualname__ = name
    make.__doc__ = f"`ShuffleNetV2` with scale={scale}, act={act!r}. Arguments: those of `ShuffleNetV2`."
    return make


shufflenet_v2_x0_25 = _model("shufflenet_v2_x0_25", 0.25)
shufflenet_v2_x0_33 = _model("shufflenet_v2_x0_33", 0.33)
shufflenet_v2_x0_5 = _model("shufflenet_v2_x0_5", 0.5)
shufflenet_v2_x1_0 = _model("shufflenet_v2_x1_0", 1.0)
shufflenet_v2_x1_5 = _model("shufflenet_v2_x1_5", 1.5)
shufflenet_v2_x2_0 = _model("shufflenet_v2_x2_0", 2.0)
shufflenet_v2_swish = _model("shufflenet_v2_swish", 1.0, "swish")

__all__ = ["ShuffleNetV2", "shufflenet_v2_swish", "shufflenet_v2_x0_25", "shufflenet_v2_x0_33", "shufflenet_v2_x0_5",
           "shufflenet_v2_x1_0", "shufflenet_v2_x1_5", "shufflenet_v2_x2_0"]
