"""Colours of NumPy images, in OpenCV's integer arithmetic."""
from __future__ import annotations

from typing import Any

import numpy as np

_BYTES = np.arange(1, 256)
# Reciprocals in fixed point, 12 bits: of the value for the saturation, of six times the range for the hue.
_PER_VALUE = np.concatenate([[0], np.rint((255 << 12) / _BYTES)]).astype(np.int32)
_PER_RANGE = np.concatenate([[0], np.rint((256 << 12) / (6.0 * _BYTES))]).astype(np.int32)
# Which of (value, p, q, t) blue, green and red are, in each sixth of the circle of hues.
_SECTORS = np.array([[1, 3, 0], [1, 0, 2], [3, 0, 1], [0, 2, 1], [0, 1, 3], [2, 1, 0]])


def gray_of(image: Any) -> Any:
    """The luma [H, W] of an image [H, W, 3] of red, green and blue (ITU-R BT.601)."""
    if image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"A NumPy image must be [H, W, 3] to become gray, but its shape is {list(image.shape)}.")
    if image.dtype == np.uint8:
        red, green, blue = (image[..., i].astype(np.int32) for i in range(3))
        return ((red * 9798 + green * 19235 + blue * 3735 + (1 << 14)) >> 15).astype(np.uint8)
    return (image @ np.array([0.299, 0.587, 0.114])).astype(image.dtype)


def shift_hue(image: Any, shift: int) -> Any:
    """The hues of an image of bytes [H, W, 3] (blue, green, red) moved by `shift` 256ths of the circle."""
    hue, saturation, value = _hsv(image)
    return _bgr((hue + shift) % 256, saturation, value)


def _hsv(image: Any) -> tuple[Any, Any, Any]:
    """Hue, saturation and value, each 0 to 255."""
    blue, green, red = (image[..., i].astype(np.int32) for i in range(3))
    value = np.maximum(np.maximum(blue, green), red)
    span = value - np.minimum(np.minimum(blue, green), red)
    hue = np.where(value == red, green - blue,
                   np.where(value == green, blue - red + 2 * span, red - green + 4 * span))
    hue = (hue * _PER_RANGE[span] + (1 << 11)) >> 12
    return (hue + 256 * (hue < 0)).clip(0, 255), (span * _PER_VALUE[value] + (1 << 11)) >> 12, value


def _bgr(hue: Any, saturation: Any, value: Any) -> Any:
    sixth = hue.astype(np.float32) * np.float32(6 / 255)
    sector = np.floor(sixth)
    f = sixth - sector
    s, v = saturation.astype(np.float32) / np.float32(255), value.astype(np.float32) / np.float32(255)
    shades = (v, v * (1 - s), v * (1 - s * f), v * (1 - s * (1 - f)))
    levels = [np.rint(shade * 255).astype(np.uint8) for shade in shades]
    which = _SECTORS[sector.astype(np.intp) % 6]
    return np.stack([np.choose(which[..., i], levels) for i in range(3)], -1)
