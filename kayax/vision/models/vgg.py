"""VGG (Simonyan and Zisserman 2014)."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kayax import nn
from kayax.vision.models._common import flatten, no_download

# Channels of the convolutions in each of the five stages, which end with a pooling.
_STAGES = {
    11: ((64,), (128,), (256,) * 2, (512,) * 2, (512,) * 2),
    13: ((64,) * 2, (128,) * 2, (256,) * 2, (512,) * 2, (512,) * 2),
    16: ((64,) * 2, (128,) * 2, (256,) * 3, (512,) * 3, (512,) * 3),
    19: ((64,) * 2, (128,) * 2, (256,) * 4, (512,) * 4, (512,) * 4),
}


class VGG(nn.Layer):
    """Convolutions (`features`), a pooling to 7x7, and three linear layers.

    num_classes: outputs; no linear layers if not positive. with_pool: the pooling to 7x7.
    """

    def __init__(self, features: nn.Layer, num_classes: int = 1000, with_pool: bool = True):
        super().__init__()
        self.features = features
        self.num_classes, self.with_pool = num_classes, with_pool
        if with_pool:
            self.avgpool = nn.AdaptiveAvgPool2D((7, 7))
        if num_classes > 0:
            self.classifier = nn.Sequential(
                nn.Linear(512 * 7 * 7, 4096), nn.ReLU(), nn.Dropout(),
                nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(), nn.Linear(4096, num_classes))

    def forward(self, x: Any) -> Any:
        x = self.features(x)
        if self.with_pool:
            x = self.avgpool(x)
        return self.classifier(flatten(x)) if self.num_classes > 0 else x


def _features(depth: int, batch_norm: bool) -> nn.Sequential:
    layers: list[nn.Layer] = []
    channels = 3
    for stage in _STAGES[depth]:
        for size in stage:
            layers.append(nn.Conv2D(channels, size, 3, padding=1))
            layers += [nn.BatchNorm2D(size)] if batch_norm else []
            layers.append(nn.ReLU())
            channels = size
        layers.append(nn.MaxPool2D(2, 2))
    return nn.Sequential(*layers)


def _model(depth: int) -> Callable[..., VGG]:
    def make(pretrained: bool = False, batch_norm: bool = False, **kwargs: Any) -> VGG:
        no_download(f"vgg{depth}", pretrained)
        return VGG(_features(depth, batch_norm), **kwargs)

    make.__name__ = make.__qualname__ = f"vgg{depth}"
    make.__doc__ = f"`VGG` with {depth} layers, with batch normalization if `batch_norm`. Arguments: those of `VGG`."
    return make


vgg11, vgg13, vgg16, vgg19 = _model(11), _model(13), _model(16), _model(19)

__all__ = ["VGG", "vgg11", "vgg13", "vgg16", "vgg19"]
