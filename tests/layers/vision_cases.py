"""The models to compare, and how both sides make the same weights and the same input."""
from __future__ import annotations

import numpy as np

# Name of the model, size of the input (channels, height), or None: the parameters alone.
CASES = {
    "LeNet": (1, 28), "alexnet": (3, 224), "vgg11": None, "vgg13": None, "vgg16": None, "vgg19": None,
    "resnet18": (3, 40), "resnet34": None, "resnet50": (3, 40), "resnet101": None, "resnet152": None,
    "resnext50_32x4d": (3, 40), "resnext50_64x4d": None, "resnext101_32x4d": None, "resnext101_64x4d": None,
    "resnext152_32x4d": None, "resnext152_64x4d": None, "wide_resnet50_2": None, "wide_resnet101_2": None,
    "mobilenet_v1": (3, 40), "mobilenet_v2": (3, 40), "mobilenet_v3_small": (3, 40), "mobilenet_v3_large": (3, 40),
    "densenet121": (3, 40), "densenet161": None, "densenet169": None, "densenet201": None, "densenet264": None,
    "inception_v3": (3, 96), "squeezenet1_0": (3, 64), "squeezenet1_1": (3, 64), "googlenet": (3, 224),
    "shufflenet_v2_x0_25": (3, 40), "shufflenet_v2_x0_33": (3, 40), "shufflenet_v2_x0_5": None,
    "shufflenet_v2_x1_0": None, "shufflenet_v2_x1_5": None, "shufflenet_v2_x2_0": None,
    "shufflenet_v2_swish": (3, 40),
}


def make(models, name):
    """The model with ten classes, in evaluation mode."""
    model = getattr(models, name)(num_classes=10)
    model.eval()
    return model


def layout(model):
    """Every entry of the state: its name and shape."""
    return [[key, [int(d) for d in value.shape]] for key, value in model.state_dict().items()]


def weights(model):
    """A value for every entry of the state, the same on both sides."""
    random, values = np.random.RandomState(0), {}
    for key, value in model.state_dict().items():
        shape = [int(d) for d in value.shape]
        if len(shape) == 1:
            positive = key.endswith((".weight", "._variance"))
            values[key] = random.uniform(0.5, 1.5, shape) if positive else random.uniform(-0.1, 0.1, shape)
        else:
            fan = shape[0] if len(shape) == 2 else np.prod(shape[1:])
            values[key] = random.randn(*shape) * np.sqrt(2.0 / fan)
        values[key] = values[key].astype(np.float32)
    return values


def image(size):
    channels, height = size
    return np.random.RandomState(1).randn(1, channels, height, height).astype(np.float32)
