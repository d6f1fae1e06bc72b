"""Transforms of image Tensors [C, H, W] or [N, C, H, W], as operations: they have gradients and can be converted.

Colours are red, green, blue; floating images lie in [0, 1], bytes in [0, 255].
"""
from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from kayax.bridge.ops.padding import pad as extend
from kayax.bridge.ops.resample import interpolate
from kayax.bridge.ops.vision import grid_sample
from kayax.bridge.registry import op
from kayax.bridge.tensor import Tensor
from kayax.vision.transforms import _geometry

INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "area")
_NAME = "vision.transforms."
_PAD_MODES = {"constant": "constant", "edge": "replicate", "reflect": "reflect"}
_LUMA = (0.2989, 0.587, 0.114)


def need_image(image: Any) -> None:
    """Refuse a Tensor that is no image or batch of images."""
    if image.ndim not in (3, 4):
        raise RuntimeError("An image Tensor must be [C, H, W] or [N, C, H, W], but its shape is "
                           f"{list(image.shape)}.")


def size(image: Any) -> tuple[int, int]:
    """(width, height)."""
    need_image(image)
    return image.shape[-1], image.shape[-2]


def to_tensor(image: Any, data_format: str) -> Any:
    return image if data_format == "CHW" else image.transpose([1, 2, 0])


def resize(image: Any, new: tuple[int, int], interpolation: str) -> Any:
    batch = image if image.ndim == 4 else image.unsqueeze(0)
    out = interpolate(batch, size=list(new), mode=interpolation)
    return out if image.ndim == 4 else out.squeeze(0)


def pad(image: Any, sides: tuple[int, int, int, int], fill: Any, mode: str) -> Any:
    if mode not in _PAD_MODES:
        raise ValueError(f"padding_mode of a Tensor must be one of {', '.join(_PAD_MODES)}, but got {mode!r}.")
    left, top, right, bottom = sides
    batch = image if image.ndim == 4 else image.unsqueeze(0)
    out = extend(batch, [left, right, top, bottom], _PAD_MODES[mode], float(fill))
    return out if image.ndim == 4 else out.squeeze(0)


@op(name=_NAME + "crop", amp="slice", scalars=("top", "left"))
def _crop(x, top, left, height, width):
    rows, columns = top + jnp.arange(height), left + jnp.arange(width)
    return jnp.take(jnp.take(x, rows, -2), columns, -1)


def crop(image: Any, top: int, left: int, height: int, width: int) -> Any:
    rows = range(*slice(top, top + height).indices(image.shape[-2]))
    columns = range(*slice(left, left + width).indices(image.shape[-1]))
    return _crop(image, rows.start, columns.start, len(rows), len(columns))


def hflip(image: Any) -> Any:
    return image.flip([-1])


def vflip(image: Any) -> Any:
    return image.flip([-2])


# ---- colour --------------------------------------------------------------------------------------------------------

def _gray(x: Any) -> Any:
    luma = jnp.asarray(_LUMA, x.dtype if jnp.issubdtype(x.dtype, jnp.floating) else jnp.float32)
    gray = jnp.sum(x * luma[:, None, None], -3, keepdims=True)
    return gray if jnp.issubdtype(x.dtype, jnp.floating) else jnp.floor(gray)


def _blend(x: Any, other: Any, ratio: Any) -> Any:
    """`x` moved away from (or towards) another image, within the range of its dtype."""
    high = 1.0 if jnp.issubdtype(x.dtype, jnp.floating) else 255.0
    return jnp.clip(other + ratio * (x - other), 0, high).astype(x.dtype)


@op(name=_NAME + "to_grayscale", amp="to_grayscale")
def to_grayscale(x, channels):
    """The luma of red, green and blue, once or three times."""
    gray = _gray(x).astype(x.dtype)
    return jnp.broadcast_to(gray, (*x.shape[:-3], channels, *x.shape[-2:]))


@op(name=_NAME + "brightness", amp="adjust", scalars=("factor",))
def _brightness(x, factor):
    return _blend(x, 0, factor)


@op(name=_NAME + "contrast", amp="adjust", scalars=("factor",))
def _contrast(x, factor):
    gray = x if x.shape[-3] == 1 else _gray(x)
    dtype = x.dtype if jnp.issubdtype(x.dtype, jnp.floating) else jnp.float32
    return _blend(x, jnp.mean(gray.astype(dtype), (-3, -2, -1), keepdims=True), factor)


@op(name=_NAME + "saturation", amp="adjust", scalars=("factor",))
def _saturation(x, factor):
    return _blend(x, _gray(x), factor)


def _need(image: Any, factor: float, name: str) -> None:
    need_image(image)
    if image.shape[-3] not in (1, 3):
        raise ValueError(f"An image Tensor must have 1 or 3 channels here, but its shape is {list(image.shape)}.")
    if factor < 0:
        raise AssertionError(f"{name} must not be negative, but got {factor}.")


def adjust_brightness(image: Any, factor: float) -> Any:
    _need(image, factor, "brightness_factor")
    return _brightness(image, factor)


def adjust_contrast(image: Any, factor: float) -> Any:
    _need(image, factor, "contrast_factor")
    return _contrast(image, factor)


def adjust_saturation(image: Any, factor: float) -> Any:
    _need(image, factor, "saturation_factor")
    return image if image.shape[-3] == 1 else _saturation(image, factor)


@op(name=_NAME + "hue", amp="adjust", scalars=("shift",))
def _hue(x, shift):
    """The hues moved by `shift` turns: to hue, saturation, value (Smith 1978), and back."""
    bytes_ = not jnp.issubdtype(x.dtype, jnp.floating)
    rgb = x.astype(jnp.float32) / 255 if bytes_ else x
    high, low = jnp.max(rgb, -3), jnp.min(rgb, -3)
    span, gray = high - low, high == low
    saturation = span / jnp.where(gray, 1, high)
    red, green, blue = (rgb[..., i, :, :] for i in range(3))
    far_red, far_green, far_blue = ((high - c) / jnp.where(gray, 1, span) for c in (red, green, blue))
    sixth = jnp.where(high == red, far_blue - far_green,
                      jnp.where(high == green, 2 + far_red - far_blue, 4 + far_green - far_red))
    hue = sixth / 6 + shift
    hue = (hue - jnp.floor(hue)) * 6
    sector = jnp.floor(hue)
    f, sector = hue - sector, sector.astype(jnp.int32) % 6
    p, q, t = (jnp.clip(high * (1 - saturation * part), 0, 1) for part in (1.0, f, 1 - f))
    channels = [(high, q, p, p, t, high), (t, high, high, q, p, p), (p, p, t, high, high, q)]
    out = jnp.stack([jnp.select([sector == i for i in range(6)], channel) for channel in channels], -3)
    return (out * 255).astype(x.dtype) if bytes_ else out


def adjust_hue(image: Any, factor: float) -> Any:
    _need(image, 0, "hue_factor")
    return image if image.shape[-3] == 1 else _hue(image, factor)


@op(name=_NAME + "normalize", amp="normalize")
def _normalize(x, mean, std, channels_first):
    mean, std = (jnp.asarray(v, jnp.promote_types(x.dtype, jnp.float32)) for v in (mean, std))
    shape = (-1, 1, 1) if channels_first else (-1,)
    return (x - mean.reshape(shape)) / std.reshape(shape)


def normalize(image: Any, mean: Any, std: Any, data_format: str, to_rgb: bool) -> Any:
    need_image(image)
    return _normalize(image, mean, std, data_format == "CHW")


# ---- maps ----------------------------------------------------------------------------------------------------------

@op(name=_NAME + "warp", amp="grid_sampler")
def _warp(x, matrix, fill, size, interpolation, perspective):
    """The image [N, C, H, W] through a map of output pixels (x, y) to input pixels, [2, 3] or [3, 3]."""
    height, width = x.shape[-2:]
    new_height, new_width = size
    dtype = matrix.dtype
    # An affine map starts at the centres of both images, a perspective one at their corners.
    start = (0.5, 0.5) if perspective else (0.5 - new_width * 0.5, 0.5 - new_height * 0.5)
    columns, rows = jnp.arange(new_width, dtype=dtype) + start[0], jnp.arange(new_height, dtype=dtype) + start[1]
    at = jnp.stack([*jnp.meshgrid(columns, rows), jnp.ones((new_height, new_width), dtype)], -1)
    place = at @ matrix.T
    place = place[..., :2] / place[..., 2:] if perspective else place
    grid = place / jnp.asarray([0.5 * width, 0.5 * height], dtype) - (1 if perspective else 0)
    grid = jnp.broadcast_to(grid, (x.shape[0], *grid.shape))
    if fill is None:
        return grid_sample.op.fn(x, grid, interpolation, "zeros", False)
    covered = jnp.concatenate([x, jnp.ones((x.shape[0], 1, height, width), x.dtype)], 1)
    sampled = grid_sample.op.fn(covered, grid, interpolation, "zeros", False)
    out, share = sampled[:, :-1], sampled[:, -1:]
    share = jnp.round(share) if interpolation == "nearest" else share
    return out * share + jnp.asarray(fill, x.dtype).reshape(-1, 1, 1) * (1 - share)


def _through(image: Any, matrix: Any, fill: Any, size: tuple[int, int], interpolation: str,
             perspective: bool = False) -> Any:
    need_image(image)
    if interpolation not in ("nearest", "bilinear"):
        raise ValueError(f"interpolation of a Tensor must be 'nearest' or 'bilinear' here, but got {interpolation!r}.")
    batch = image if image.ndim == 4 else image.unsqueeze(0)
    whole = image.dtype.name == "uint8"
    batch = batch.astype("float32") if whole else batch
    fill = (float(fill),) if isinstance(fill, (int, float)) else tuple(fill)
    matrix = np.asarray(matrix, batch.dtype.name).reshape(-1, 3)
    out = _warp(batch, matrix, fill, size, interpolation, perspective)
    out = out.round().astype("uint8") if whole else out
    return out if image.ndim == 4 else out.squeeze(0)


def affine(image: Any, angle: float, translate: Any, scale: float, shear: Any, interpolation: str, fill: Any,
           center: Any) -> Any:
    width, height = size(image)
    middle = [0.0, 0.0] if center is None else [center[0] - width * 0.5, center[1] - height * 0.5]
    matrix = _geometry.affine_coefficients(middle, angle, translate, scale, shear)
    return _through(image, matrix, fill, (height, width), interpolation)


def rotate(image: Any, angle: float, interpolation: str, expand: bool, center: Any, fill: Any) -> Any:
    width, height = size(image)
    middle = [0.0, 0.0] if center is None else [center[0] - width * 0.5, center[1] - height * 0.5]
    inverse = _geometry.rotation(middle, -angle, 1.0)
    new = (height, width)
    if expand:
        corners = np.array([[x, y, 1.0] for x in (-0.5 * width, 0.5 * width) for y in (-0.5 * height, 0.5 * height)])
        turned = np.round((corners @ inverse.T).astype(np.float32), 4)
        new_width, new_height = np.ceil(turned.max(0)) - np.floor(turned.min(0))
        new = (int(new_height), int(new_width))
    return _through(image, inverse, fill, new, interpolation)


def perspective(image: Any, startpoints: Any, endpoints: Any, interpolation: str, fill: Any) -> Any:
    width, height = size(image)
    matrix = np.append(_geometry.perspective_coefficients(startpoints, endpoints), 1.0)
    return _through(image, matrix, fill, (height, width), interpolation, perspective=True)


@op(name=_NAME + "erase", amp="set_value", scalars=("top", "left", "height", "width"))
def _erase(x, value, top, left, height, width):
    rows, columns = jnp.arange(x.shape[-2])[:, None], jnp.arange(x.shape[-1])
    inside = (rows >= top) & (rows < top + height) & (columns >= left) & (columns < left + width)
    return jnp.where(inside, value.astype(x.dtype), x)


def erase(image: Any, top: int, left: int, height: int, width: int, value: Any, inplace: bool) -> Any:
    need_image(image)
    value = value if isinstance(value, Tensor) else np.asarray(value, image.dtype.name)
    if value.ndim and value.shape[-1] != 1:                         # a picture of the part: laid into a whole one
        whole = np.zeros((*value.shape[:-2], *image.shape[-2:]), image.dtype.name)
        whole[..., top:top + height, left:left + width] = value.numpy() if isinstance(value, Tensor) else value
        value = whole
    out = _erase(image, value, top, left, height, width)
    return image._rebind(out) if inplace else out
