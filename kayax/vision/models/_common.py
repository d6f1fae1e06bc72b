"""What the models share."""
from __future__ import annotations

from typing import Any

from kayax import nn
from kayax.layers import ops


def no_download(name: str, pretrained: bool) -> None:
    """Pretrained weights are not downloaded: an error says what to do instead."""
    if pretrained:
        raise NotImplementedError(
            f"{name}(pretrained=True): weights are not downloaded here. Make the model with pretrained=False and give "
            f"it weights from a file: model.set_state_dict(paddle.load('{name}.pdparams')).")


def flatten(x: Any) -> Any:
    """All axes after the batch as one."""
    return ops.flatten(x, 1)


class ConvNormActivation(nn.Sequential):
    """A convolution, a normalization and an activation.

    padding: half of the (dilated) kernel if None. norm_layer, activation_layer: None for none. bias: True, False, or
    None for "if there is no normalization".
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int = 3, stride: int = 1,
                 padding: int | None = None, groups: int = 1, norm_layer: Any = nn.BatchNorm2D,
                 activation_layer: Any = nn.ReLU, dilation: int = 1, bias: bool | None = None):
        padding = (kernel_size - 1) // 2 * dilation if padding is None else padding
        bias = norm_layer is None if bias is None else bias
        layers = [nn.Conv2D(in_channels, out_channels, kernel_size, stride, padding, dilation=dilation, groups=groups,
                            bias_attr=None if bias else False)]
        if norm_layer is not None:
            layers.append(norm_layer(out_channels))
        if activation_layer is not None:
            layers.append(activation_layer())
        super().__init__(*layers)


def divisible(value: float, divisor: int = 8, least: int | None = None) -> int:
    """The multiple of `divisor` nearest to a number of channels, at least `least`, never less than 90 % of it."""
    new = max(divisor if least is None else least, int(value + divisor / 2) // divisor * divisor)
    return new + divisor if new < 0.9 * value else new
