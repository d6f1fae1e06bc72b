"""LeNet (LeCun et al. 1998), for 28x28 images of one channel."""
from __future__ import annotations

from typing import Any

from kayax import nn
from kayax.vision.models._common import flatten


class LeNet(nn.Layer):
    """Two convolutions and three linear layers. num_classes: outputs; no linear layers if not positive."""

    def __init__(self, num_classes: int = 10):
        super().__init__()
        self.num_classes = num_classes
        self.features = nn.Sequential(
            nn.Conv2D(1, 6, 3, stride=1, padding=1), nn.ReLU(), nn.MaxPool2D(2, 2),
            nn.Conv2D(6, 16, 5, stride=1, padding=0), nn.ReLU(), nn.MaxPool2D(2, 2))
        if num_classes > 0:
            self.fc = nn.Sequential(nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, num_classes))

    def forward(self, inputs: Any) -> Any:
        x = self.features(inputs)
        return self.fc(flatten(x)) if self.num_classes > 0 else x


__all__ = ["LeNet"]
