"""What the recorder of the model zoo and its test agree on: parameters drawn from names, inputs, sizes."""
import zlib

import numpy as np


def drawn(name, shape, dtype="float32"):
    """The values of a parameter of the zoo: from its name alone, so that no file has to keep them."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    if name.endswith((".w_2", ".b_0", ".w_1")) and len(shape) == 1:
        return rng.uniform(0.5, 1.5, shape).astype(dtype) if name.endswith(".w_2") else \
            rng.normal(0, 0.1, shape).astype(dtype)
    if len(shape) == 1:
        return rng.uniform(0.8, 1.2, shape).astype(dtype)
    fan = shape[0] if len(shape) == 2 else int(np.prod(shape[1:]))
    return (rng.normal(0, 1, shape) * np.sqrt(2 / fan)).astype(dtype)


def pixels(size):
    """The input of the zoo's models."""
    return np.random.default_rng(7).normal(0, 1, [1, 3, size, size]).astype("float32")


ZOO = {"resnet18": 32, "resnet50": 32, "mobilenet_v1": 32, "mobilenet_v2": 32, "mobilenet_v3_small": 32,
       "mobilenet_v3_large": 32, "vgg11": 32, "densenet121": 32, "shufflenet_v2_x0_25": 32, "googlenet": 224,
       "inception_v3": 80, "squeezenet1_1": 32}
