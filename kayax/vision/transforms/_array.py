"""Transforms of NumPy images [H, W] or [H, W, C]: the values of OpenCV, which Paddle uses, computed with NumPy."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from kayax.bridge.convert import to_tensor as _tensor
from kayax.vision.transforms import _geometry, _resample
from kayax.vision.transforms._color import gray_of, shift_hue

INTERPOLATIONS = _resample.RESIZE_MODES


def size(image: Any) -> tuple[int, int]:
    """(width, height)."""
    return image.shape[1], image.shape[0]


def to_tensor(image: Any, data_format: str) -> Any:
    image = image[:, :, None] if image.ndim == 2 else image
    image = image.astype(np.float32) / 255 if image.dtype == np.uint8 else image
    return _tensor(np.ascontiguousarray(image.transpose(2, 0, 1)) if data_format == "CHW" else image)


def resize(image: Any, new: tuple[int, int], interpolation: str) -> Any:
    return _resample.resize(image, new, interpolation)


def pad(image: Any, sides: tuple[int, int, int, int], fill: Any, mode: str) -> Any:
    left, top, right, bottom = sides
    widths = ((top, bottom), (left, right), (0, 0))[:image.ndim]
    if mode != "constant":
        return np.pad(image, widths, mode)                          # type: ignore[call-overload]
    return np.stack([np.pad(plane, widths[:2], constant_values=value) for plane, value in _planes(image, fill)],
                    -1) if image.ndim == 3 else np.pad(image, widths, constant_values=np.ravel(fill)[0])


def _planes(image: Any, fill: Any) -> list[tuple[Any, Any]]:
    """Each channel with its fill: as in OpenCV a single number is for the first one, the others get 0."""
    values = [*np.ravel(fill), *[0] * image.shape[-1]]
    return [(image[..., i], values[i]) for i in range(image.shape[-1])]


def crop(image: Any, top: int, left: int, height: int, width: int) -> Any:
    return image[top:top + height, left:left + width]


def hflip(image: Any) -> Any:
    return np.ascontiguousarray(image[:, ::-1])


def vflip(image: Any) -> Any:
    return np.ascontiguousarray(image[::-1])


def _look_up(image: Any, levels: np.ndarray) -> Any:
    """Each byte replaced by its level, cut to a byte."""
    if image.dtype != np.uint8:
        raise TypeError(f"A NumPy image must be of uint8 here, but its dtype is {image.dtype}: image.astype('uint8').")
    return np.clip(levels, 0, 255).astype(np.uint8)[image]


def adjust_brightness(image: Any, factor: float) -> Any:
    return _look_up(image.astype(np.uint8), np.arange(256) * factor)


def adjust_contrast(image: Any, factor: float) -> Any:
    return _look_up(image, (np.arange(256) - 74) * factor + 74)


def adjust_saturation(image: Any, factor: float) -> Any:
    """As in Paddle, the factor of a NumPy image is a range: the true one is drawn from 1 - factor to 1 + factor."""
    alpha = np.random.uniform(max(0, 1 - factor), 1 + factor)
    wide = image.astype(np.float32)
    gray = wide @ np.array([0.114, 0.587, 0.299], np.float32)  # the channels are taken as blue, green, red
    return np.clip(wide * alpha + gray[..., None] * (1 - alpha), 0, 255).astype(image.dtype)


def adjust_hue(image: Any, factor: float) -> Any:
    return shift_hue(image.astype(np.uint8), int(factor * 255)).astype(image.dtype)


def _fill_of(fill: Any) -> Any:
    return (fill,) * 3 if isinstance(fill, int) else fill


def _warp(image: Any, inverse: Any, new: tuple[int, int], interpolation: str, fill: Any) -> Any:
    if image.ndim == 3:
        fill = [value for _, value in _planes(image, fill)]
    else:
        fill = np.ravel(fill)[0]
    return _resample.warp(image, inverse, new, interpolation, fill)


def affine(image: Any, angle: float, translate: Any, scale: float, shear: Any, interpolation: str, fill: Any,
           center: Any) -> Any:
    height, width = image.shape[:2]
    center = (height / 2, width / 2) if center is None else center
    turn = _geometry.rotation(center, angle, scale)
    tan_x, tan_y = (math.tan(math.radians(s)) for s in shear)
    forward = np.stack([turn[0] + tan_y * turn[1], turn[1] + tan_x * turn[0]])
    forward[:, 2] = translate                                       # as in Paddle the turn is about the corner
    return _warp(image, _geometry.inverse(forward), (height, width), interpolation, _fill_of(fill))


def rotate(image: Any, angle: float, interpolation: str, expand: bool, center: Any, fill: Any) -> Any:
    height, width = image.shape[:2]
    center = (width / 2, height / 2) if center is None else center
    forward = _geometry.rotation(center, angle, 1.0)
    new_width, new_height = _geometry.rotated_size(width, height, angle, center) if expand else (width, height)
    forward[:, 2] += (new_width - width) * 0.5, (new_height - height) * 0.5
    return _warp(image, _geometry.inverse(forward), (new_height, new_width), interpolation, fill)


def perspective(image: Any, startpoints: Any, endpoints: Any, interpolation: str, fill: Any) -> Any:
    coefficients = _geometry.perspective_coefficients(startpoints, endpoints)
    return _warp(image, np.append(coefficients, 1.0).reshape(3, 3), image.shape[:2], interpolation, fill)


def to_grayscale(image: Any, channels: int) -> Any:
    gray = gray_of(image)[:, :, None]
    return gray if channels == 1 else np.repeat(gray, 3, 2)


def normalize(image: Any, mean: Any, std: Any, data_format: str, to_rgb: bool) -> Any:
    shape = (-1, 1, 1) if data_format == "CHW" else (1, 1, -1)
    means, stds = (np.asarray(v, np.float32).reshape(shape) for v in (mean, std))
    try:
        return ((image[..., ::-1] if to_rgb else image) - means) / stds
    except ValueError:
        raise ValueError(f"mean and std are for {means.size} and {stds.size} channels of {data_format}, but the image "
                         f"has the shape {list(image.shape)}: data_format says where its channels are.") from None


def erase(image: Any, top: int, left: int, height: int, width: int, value: Any, inplace: bool) -> Any:
    image = image if inplace else image.copy()
    image[top:top + height, left:left + width] = value
    return image
