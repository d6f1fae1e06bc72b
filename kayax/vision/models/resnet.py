"""ResNet (He et al. 2015), ResNeXt (Xie et al. 2016) and wide ResNet (Zagoruyko and Komodakis 2016)."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kayax import nn
from kayax.vision.models._common import flatten, no_download

_BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


class BasicBlock(nn.Layer):
    """Two 3x3 convolutions around which the input is added."""

    expansion = 1

    def __init__(self, inplanes: int, planes: int, stride: Any = 1, downsample: nn.Layer | None = None, groups: int = 1,
                 base_width: int = 64, dilation: int = 1, norm_layer: Callable | None = None):
        super().__init__()
        norm = norm_layer or nn.BatchNorm2D
        if dilation > 1:
            raise NotImplementedError(f"A BasicBlock has no dilation, but got {dilation}. Use BottleneckBlock.")
        self.conv1 = nn.Conv2D(inplanes, planes, 3, padding=1, stride=stride, bias_attr=False)
        self.bn1 = norm(planes)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2D(planes, planes, 3, padding=1, bias_attr=False)
        self.bn2 = norm(planes)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x: Any) -> Any:
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        return self.relu(out + (x if self.downsample is None else self.downsample(x)))


class BottleneckBlock(nn.Layer):
    """1x1, 3x3 and 1x1 convolutions around which the input is added; the stride is in the middle one."""

    expansion = 4

    def __init__(self, inplanes: int, planes: int, stride: Any = 1, downsample: nn.Layer | None = None, groups: int = 1,
                 base_width: int = 64, dilation: int = 1, norm_layer: Callable | None = None):
        super().__init__()
        norm = norm_layer or nn.BatchNorm2D
        width = int(planes * (base_width / 64.0)) * groups
        self.conv1 = nn.Conv2D(inplanes, width, 1, bias_attr=False)
        self.bn1 = norm(width)
        self.conv2 = nn.Conv2D(width, width, 3, padding=dilation, stride=stride, groups=groups, dilation=dilation,
                               bias_attr=False)
        self.bn2 = norm(width)
        self.conv3 = nn.Conv2D(width, planes * self.expansion, 1, bias_attr=False)
        self.bn3 = norm(planes * self.expansion)
        self.relu = nn.ReLU()
        self.downsample = downsample
        self.stride = stride

    def forward(self, x: Any) -> Any:
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        return self.relu(out + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Layer):
    """A residual network on images ``[N, 3, H, W]``.

    block: `BasicBlock` or `BottleneckBlock`. depth: 18, 34, 50, 101 or 152. width: the base width of a group in a
    bottleneck. num_classes: outputs of the last layer; no last layer if not positive. with_pool: average over the image
    before it. groups: of the 3x3 convolution in a bottleneck.
    """

    def __init__(self, block: Any, depth: int = 50, width: int = 64, num_classes: int = 1000, with_pool: bool = True,
                 groups: int = 1):
        super().__init__()
        if depth not in _BLOCKS:
            raise KeyError(f"depth must be one of {', '.join(map(str, _BLOCKS))}, but got {depth}.")
        self.groups, self.base_width = groups, width
        self.num_classes, self.with_pool = num_classes, with_pool
        self.inplanes, self.dilation = 64, 1
        self.conv1 = nn.Conv2D(3, self.inplanes, kernel_size=7, stride=2, padding=3, bias_attr=False)
        self.bn1 = nn.BatchNorm2D(self.inplanes)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2D(kernel_size=3, stride=2, padding=1)
        for i, count in enumerate(_BLOCKS[depth]):
            setattr(self, f"layer{i + 1}", self._make_layer(block, 64 * 2 ** i, count, 1 if i == 0 else 2))
        if with_pool:
            self.avgpool = nn.AdaptiveAvgPool2D((1, 1))
        if num_classes > 0:
            self.fc = nn.Linear(512 * block.expansion, num_classes)

    def _make_layer(self, block: Any, planes: int, count: int, stride: int) -> nn.Sequential:
        downsample = None
        if stride != 1 or self.inplanes != planes * block.expansion:
            downsample = nn.Sequential(
                nn.Conv2D(self.inplanes, planes * block.expansion, 1, stride=stride, bias_attr=False),
                nn.BatchNorm2D(planes * block.expansion))
        blocks = [block(self.inplanes, planes, stride, downsample, self.groups, self.base_width)]
        self.inplanes = planes * block.expansion
        blocks += [block(self.inplanes, planes, groups=self.groups, base_width=self.base_width)
                   for _ in range(1, count)]
        return nn.Sequential(*blocks)

    def forward(self, x: Any) -> Any:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        if self.with_pool:
            x = self.avgpool(x)
        return self.fc(flatten(x)) if self.num_classes > 0 else x


def _model(name: str, block: Any, depth: int, **fixed: Any) -> Callable[..., ResNet]:
    def make(pretrained: bool = False, **kwargs: Any) -> ResNet:
        no_download(name, pretrained)
        return ResNet(block, depth, **{**kwargs, **fixed})

    make.__name__ = make.__qualname__ = name
    shown = "".join(f", {key}={value}" for key, value in fixed.items())
    make.__doc__ = f"`ResNet` of depth {depth}{shown}. Arguments: those of `ResNet`."
    return make


resnet18 = _model("resnet18", BasicBlock, 18)
resnet34 = _model("resnet34", BasicBlock, 34)
resnet50 = _model("resnet50", BottleneckBlock, 50)
resnet101 = _model("resnet101", BottleneckBlock, 101)
resnet152 = _model("resnet152", BottleneckBlock, 152)
resnext50_32x4d = _model("resnext50_32x4d", BottleneckBlock, 50, groups=32, width=4)
resnext50_64x4d = _model("resnext50_64x4d", BottleneckBlock, 50, groups=64, width=4)
resnext101_32x4d = _model("resnext101_32x4d", BottleneckBlock, 101, groups=32, width=4)
resnext101_64x4d = _model("resnext101_64x4d", BottleneckBlock, 101, groups=64, width=4)
resnext152_32x4d = _model("resnext152_32x4d", BottleneckBlock, 152, groups=32, width=4)
resnext152_64x4d = _model("resnext152_64x4d", BottleneckBlock, 152, groups=64, width=4)
wide_resnet50_2 = _model("wide_resnet50_2", BottleneckBlock, 50, width=128)
wide_resnet101_2 = _model("wide_resnet101_2", BottleneckBlock, 101, width=128)

__all__ = ["ResNet", "resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "resnext50_32x4d", "resnext50_64x4d",
           "resnext101_32x4d", "resnext101_64x4d", "resnext152_32x4d", "resnext152_64x4d", "wide_resnet50_2",
           "wide_resnet101_2"]
