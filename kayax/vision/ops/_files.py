"""Image files as Tensors."""
from __future__ import annotations

import io

import jax.numpy as jnp
import numpy as np

from kayax.bridge.convert import to_tensor
from kayax.bridge.registry import op
from kayax.bridge.tensor import Tensor
from kayax.vision.image import pillow

_MODES = {"unchanged": None, "gray": "L", "rgb": "RGB"}


def read_file(filename: str, name: str | None = None) -> Tensor:
    """The bytes of a file, uint8 [size]."""
    return to_tensor(np.fromfile(filename, np.uint8))


@op(name="vision.ops.decode_jpeg", eager=True, differentiable=False)
def decode_jpeg(x, mode="unchanged", name=None):
    """The image in the bytes of a JPEG file (any format that Pillow reads), uint8 [C, H, W].

    x: uint8 [size], as from `read_file`. mode: "unchanged", "gray" or "rgb". Paddle does this on GPUs alone.
    """
    if mode not in _MODES:
        raise ValueError(f"mode must be one of {', '.join(_MODES)}, but got {mode!r}.")
    image = pillow().open(io.BytesIO(np.asarray(x).tobytes()))
    pixels = np.asarray(image if mode == "unchanged" else image.convert(_MODES[mode]))
    return jnp.asarray(pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1))
