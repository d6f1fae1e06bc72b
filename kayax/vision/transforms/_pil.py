"""Transforms of PIL images, by Pillow itself."""
from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from kayax.bridge.convert import to_tensor as _tensor
from kayax.vision.transforms import _geometry

_INTERPOLATIONS = {mode.name.lower(): mode for mode in Image.Resampling}
INTERPOLATIONS = tuple(_INTERPOLATIONS)
_WIDE = {"I": np.int32, "I;16": np.int32, "F": np.float32}             # modes whose pixels are not bytes
_NO_HUE = ("L", "1", "I", "F")


def size(image: Any) -> tuple[int, int]:
    """(width, height)."""
    return image.size


def to_tensor(image: Any, data_format: str) -> Any:
    pixels = np.asarray(image, _WIDE.get(image.mode))
    if pixels.dtype in (np.uint8, np.bool_):
        pixels = pixels.astype(np.float32) / np.float32(1 if pixels.dtype == np.bool_ else 255)
    pixels = pixels[:, :, None] if pixels.ndim == 2 else pixels
    return _tensor(np.ascontiguousarray(pixels.transpose(2, 0, 1)) if data_format == "CHW" else pixels)


def resize(image: Any, new: tuple[int, int], interpolation: str) -> Any:
    return image.resize((new[1], new[0]), _INTERPOLATIONS[interpolation])


def pad(image: Any, sides: tuple[int, int, int, int], fill: Any, mode: str) -> Any:
    if mode == "constant":
        padded = ImageOps.expand(image, border=sides, fill=fill)
    else:
        left, top, right, bottom = sides
        pixels: Any = np.asarray(image)
        padded = Image.fromarray(np.pad(pixels, ((top, bottom), (left, right), (0, 0))[:pixels.ndim], mode))  # type: ignore
    if image.mode == "P":
        padded.putpalette(image.getpalette())
    return padded


def crop(image: Any, top: int, left: int, height: int, width: int) -> Any:
    return image.crop((left, top, left + width, top + height))


def hflip(image: Any) -> Any:
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def vflip(image: Any) -> Any:
    return image.transpose(Image.Transpose.FLIP_TOP_BOTTOM)


def adjust_brightness(image: Any, factor: float) -> Any:
    return ImageEnhance.Brightness(image).enhance(factor)


def adjust_contrast(image: Any, factor: float) -> Any:
    return ImageEnhance.Contrast(image).enhance(factor)


def adjust_saturation(image: Any, factor: float) -> Any:
    return ImageEnhance.Color(image).enhance(factor)


def adjust_hue(image: Any, factor: float) -> Any:
    if image.mode in _NO_HUE:
        return image
    hue, saturation, value = image.convert("HSV").split()
    turned = (np.asarray(hue, np.int16) + int(factor * 255)) % 256
    return Image.merge("HSV", (Image.fromarray(turned.astype(np.uint8)), saturation, value)).convert(image.mode)


def _fill_of(image: Any, fill: Any) -> Any:
    return (fill,) * len(image.getbands()) if isinstance(fill, int) and len(image.getbands()) > 1 else fill


def affine(image: Any, angle: float, translate: Any, scale: float, shear: Any, interpolation: str, fill: Any,
           center: Any) -> Any:
    center = [0.5 * side for side in image.size] if center is None else center
    coefficients = _geometry.affine_coefficients(center, angle, translate, scale, shear)
    return image.transform(image.size, Image.Transform.AFFINE, coefficients, _INTERPOLATIONS[interpolation],
                           fillcolor=_fill_of(image, fill))


def rotate(image: Any, angle: float, interpolation: str, expand: bool, center: Any, fill: Any) -> Any:
    return image.rotate(angle, _INTERPOLATIONS[interpolation], expand, center, fillcolor=_fill_of(image, fill))


def perspective(image: Any, startpoints: Any, endpoints: Any, interpolation: str, fill: Any) -> Any:
    coefficients = list(_geometry.perspective_coefficients(startpoints, endpoints))
    return image.transform(image.size, Image.Transform.PERSPECTIVE, coefficients, _INTERPOLATIONS[interpolation],
                           fillcolor=_fill_of(image, fill))


def to_grayscale(image: Any, channels: int) -> Any:
    gray = image.convert("L")
    return gray if channels == 1 else Image.merge("RGB", (gray,) * 3)


def erase(image: Any, top: int, left: int, height: int, width: int, value: Any, inplace: bool) -> Any:
    pixels = np.array(image, np.uint8)
    pixels[top:top + height, left:left + width] = value
    return Image.fromarray(pixels)
