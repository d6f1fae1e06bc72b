"""Which library reads images: the backend of `image_load` and of the image datasets."""
from __future__ import annotations

from typing import Any

BACKENDS = ("pil", "cv2", "tensor")
_backend = "pil"


def _known(backend: str) -> str:
    if backend not in BACKENDS:
        raise ValueError(f"The backend must be one of {', '.join(BACKENDS)}, but got {backend!r}.")
    return backend


def set_image_backend(backend: str) -> None:
    """Choose how images are read from now on: "pil" (PIL images), "cv2" (NumPy arrays) or "tensor"."""
    global _backend
    _backend = _known(backend)


def get_image_backend() -> str:
    """The chosen backend; "pil" at first."""
    return _backend


def pillow() -> Any:
    """PIL.Image, or an error that says how to get it."""
    try:
        from PIL import Image
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("Reading images needs Pillow: pip install pillow.", name=error.name) from None
    return Image


def opencv() -> Any:
    """cv2, or an error that says how to get it or do without."""
    try:
        import cv2  # type: ignore[import-not-found]
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("The image backend 'cv2' reads files with OpenCV: pip install opencv-python-headless,"
                                  " or use paddle.vision.set_image_backend('pil').", name=error.name) from None
    return cv2


def image_load(path: str, backend: str | None = None) -> Any:
    """An image from a file.

    backend: the chosen one by default. "pil" gives a PIL image, "cv2" a NumPy array [H, W, 3] of blue, green, red
    (needs opencv-python), "tensor" a uint8 Tensor [C, H, W] of red, green, blue (Paddle gives None).
    """
    backend = _known(backend or _backend)
    if backend == "cv2":
        image = opencv().imread(path)
        if image is None:
            raise FileNotFoundError(f"OpenCV cannot read an image from {path!r}.")
        return image
    if backend == "pil":
        return pillow().open(path)
    import numpy as np

    from kayax.bridge.convert import to_tensor
    with pillow().open(path) as image:
        return to_tensor(np.ascontiguousarray(np.asarray(image.convert("RGB")).transpose(2, 0, 1)))
