"""What the image datasets share: their modes, backends, and how a sample is given."""
from __future__ import annotations

import io
from typing import Any

import numpy as np

from kayax.spec.dtype import get_default_dtype
from kayax.vision.image import get_image_backend, pillow


def need_mode(mode: str, modes: tuple[str, ...]) -> str:
    """The mode in lower case, one of `modes`."""
    if mode.lower() not in modes:
        raise AssertionError(f"mode must be one of {', '.join(modes)}, but got {mode!r}.")
    return mode.lower()


def need_backend(backend: str | None) -> str:
    """The backend of a dataset: "pil" gives PIL images, "cv2" NumPy arrays. Neither needs OpenCV."""
    backend = get_image_backend() if backend is None else backend
    if backend not in ("pil", "cv2"):
        raise ValueError(f"The backend of a dataset must be 'pil' or 'cv2', but got {backend!r}.")
    return backend


def image_sample(pixels: Any, backend: str, transform: Any) -> Any:
    """The image as the backend gives it, then transformed; an array has the default floating type at the end."""
    image = pixels
    if isinstance(pixels, bytes):
        image = pillow().open(io.BytesIO(pixels))
        image = np.array(image) if backend == "cv2" else image
    elif backend == "pil":
        image = pillow().fromarray(pixels)
    image = image if transform is None else transform(image)
    return image.astype(get_default_dtype()) if backend == "cv2" else image
