"""Resizing: every mode is, per axis, a gather (nearest) or a small matrix of weights."""
from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np

from kayax.bridge.errors import OpenDimensionError, at_user_line
from kayax.bridge.layout import is_open
from kayax.bridge.ops.pool_adaptive import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d
from kayax.bridge.registry import op
from kayax.bridge.staging import staged
from kayax.bridge.tensor import Tensor

_NAME = "nn.functional."
_DIMS = {"nearest": (1, 2, 3), "linear": (1,), "bilinear": (2,), "bicubic": (2,), "trilinear": (3,), "area": (1, 2, 3)}
_LAST = ("NWC", "NLC", "NHWC", "NDHWC")
_FORMATS = {1: ("NCW", "NWC", "NCL", "NLC"), 2: ("NCHW", "NHWC"), 3: ("NCDHW", "NDHWC")}


def _ratio(size: Any, out: Any, scale: float | None, align: bool) -> Any:
    """The step in the input per step in the output, in float32 as Paddle computes it."""
    if scale and not align:
        return np.float32(1 / scale)
    if is_open(size) or is_open(out):
        size, out = (jnp.asarray(n, jnp.float32) for n in (size, out))
        return jnp.where(out > 1, (size - 1) / jnp.maximum(out - 1, 1), 0) if align else size / out
    if align:
        return np.float32(np.float32(size - 1) / np.float32(out - 1)) if out > 1 else np.float32(0)
    return np.float32(np.float32(size) / np.float32(out))


# The tables below are made by NumPy, or by the program itself (xp is jax.numpy) where a size is open.


def _nearest(xp: Any, size: Any, out: Any, ratio: Any, align: bool) -> Any:
    at = xp.arange(out, dtype=np.float32) * ratio
    return xp.minimum((at + np.float32(0.5) if align else at).astype(np.int64), size - 1)


def _positions(xp: Any, out: Any, ratio: Any, half: bool) -> Any:
    at = xp.arange(out, dtype=np.float32)
    return (at + np.float32(0.5)) * ratio - np.float32(0.5) if half else at * ratio


def _weights(size: int, taps: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The matrix [out, size] with `values` [out, k] at the columns `taps`, those beyond the ends added to the edge."""
    matrix = np.zeros((len(taps), size), np.float64)
    np.add.at(matrix, (np.arange(len(taps))[:, None], np.clip(taps, 0, size - 1)), values)
    return matrix


def _linear(xp: Any, size: Any, out: Any, ratio: Any, half: bool) -> tuple[Any, Any]:
    at = xp.maximum(_positions(xp, out, ratio, half), 0)
    low = xp.minimum(xp.floor(at).astype(np.int64), size - 1)
    part = xp.where(low == size - 1, 0, at.astype(np.float64) - low)
    return xp.stack([low, low + 1], 1), xp.stack([1 - part, part], 1)


def _cubic(xp: Any, out: Any, ratio: Any, half: bool) -> tuple[Any, Any]:
    """Keys' cubic convolution with a = -0.75."""
    a, at = -0.75, _positions(xp, out, ratio, half)
    low = xp.floor(at)
    t = (at - low).astype(np.float64)

    def near(d):
        return ((a + 2) * d - (a + 3)) * d * d + 1

    def far(d):
        return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a

    taps = low.astype(np.int64)[:, None] + np.arange(-1, 3)
    return taps, xp.stack([far(t + 1), near(t), near(1 - t), far(2 - t)], 1)


def _smooth(xp: Any, size: Any, out: Any, ratio: Any, mode: str) -> Any:
    """The matrix [out, size] of a filter as wide as an output element (as in Pillow): no aliasing on shrinking."""
    ratio = xp.asarray(ratio, np.float64)
    stretch, reach = xp.maximum(ratio, 1.0), {"bilinear": 1, "bicubic": 2}[mode]
    centres = (xp.arange(out) + 0.5)[:, None] * ratio
    low = xp.maximum((centres - reach * stretch + 0.5).astype(np.int64), 0)
    high = xp.minimum((centres + reach * stretch + 0.5).astype(np.int64), size)
    at = xp.arange(size)
    d = xp.abs(at + 0.5 - centres) / stretch
    if mode == "bilinear":
        values = xp.maximum(1 - d, 0)
    else:                                                               # Keys' cubic convolution with a = -0.5
        values = xp.where(d < 1, (1.5 * d - 2.5) * d * d + 1, xp.where(d < 2, ((-0.5 * d + 2.5) * d - 4) * d + 2, 0))
    values = xp.where((at >= low) & (at < high), values, 0)
    return values / values.sum(1, keepdims=True)


def _resize_axis(x: Any, axis: int, out: Any, mode: str, align: bool, align_mode: int, scale: float | None,
                 antialias: bool) -> Any:
    size = x.shape[axis]
    ratio, xp = _ratio(size, out, scale, align), jnp if is_open(size) or is_open(out) else np
    if xp is np and size == out and ratio == 1:
        return x
    if mode == "nearest":
        if xp is np and out % size == 0 and not align and ratio * out == size:
            return jnp.repeat(x, out // size, axis)
        return jnp.take(x, _nearest(xp, size, out, ratio, align), axis)
    if antialias:
        return _times(x, axis, _smooth(xp, size, out, ratio, mode))
    half = not align and (mode == "bicubic" or align_mode == 0)
    taps, values = (_cubic(xp, out, ratio, half) if mode == "bicubic" else
                    _linear(xp, size, out, ratio, half))
    if xp is np:
        return _times(x, axis, _weights(size, taps, values))
    values = values.astype(x.dtype).reshape(out, -1, *[1] * (x.ndim - axis - 1))
    return sum(jnp.take(x, jnp.clip(taps[:, k], 0, size - 1), axis) * values[:, k] for k in range(taps.shape[1]))


def _times(x: Any, axis: int, matrix: Any) -> Any:
    return jnp.moveaxis(jnp.tensordot(x, jnp.asarray(matrix, x.dtype), [[axis], [1]]), -1, axis)


def _resize(x, sizes, mode, align_corners, align_mode, scales, last, antialias):
    first = 1 if last else 2
    dtype = x.dtype
    wide = x.astype(jnp.float32) if mode != "nearest" and dtype.itemsize < 4 else x
    for i, (out, scale) in enumerate(zip(sizes, scales, strict=True)):
        wide = _resize_axis(wide, first + i, out, mode, align_corners, align_mode, scale, antialias)
    return wide.astype(dtype)


def _mode_op(mode: str) -> Any:
    """One operation per mode: the AMP lists name them apart."""
    def body(x, sizes, align_corners, align_mode, scales, last, antialias):
        return _resize(x, sizes, mode, align_corners, align_mode, scales, last, antialias)

    body.__name__ = f"{mode}_interp"
    return op(body, name=f"{_NAME}{mode}_interp", amp=f"{mode}_interp_v2")


_OPS = {mode: _mode_op(mode) for mode in _DIMS if mode != "area"}
_AREA = {1: adaptive_avg_pool1d, 2: adaptive_avg_pool2d, 3: adaptive_avg_pool3d}


def _numbers(value: Any, n: int, what: str) -> list | None:
    if value is None:
        return None
    if isinstance(value, Tensor):
        value = value.tolist()
    if not isinstance(value, (list, tuple, np.ndarray)):
        value = [value] * n
    value = [v.item() if isinstance(v, (Tensor, np.generic)) else v for v in value]
    if len(value) == 1:
        value = value * n
    if len(value) != n:
        raise ValueError(f"{what} must be a number or a list of {n}, but got {value}.")
    return value


@staged
def interpolate(x, size=None, scale_factor=None, mode="nearest", align_corners=False, align_mode=0, data_format=None,
                recompute_scale_factor=None, antialias=False, name=None):
    """Resize the spatial dimensions of a batch.

    size: the output's size per spatial dimension; or scale_factor: what to multiply the input's with.
    mode: "nearest", "area", "linear" (3-D input), "bilinear", "bicubic" (4-D) or "trilinear" (5-D).
    align_corners: the corner elements of input and output coincide. align_mode: 0, source positions are those of
    element centres; 1, of their left edges. data_format: NCW, NWC, NCHW, NHWC, NCDHW or NDHWC.
    recompute_scale_factor: use the rounded output's scale instead of `scale_factor`. antialias: on shrinking, let every
    element of the input count ("bilinear" and "bicubic").
    """
    n = len(x.shape) - 2
    mode = mode.lower()
    if mode not in _DIMS:
        raise ValueError(f"mode must be one of {', '.join(_DIMS)}, but got {mode!r}.")
    if n not in _FORMATS or n not in _DIMS[mode]:
        raise ValueError(f"mode {mode!r} needs an input with {' or '.join(str(d + 2) for d in _DIMS[mode])} dimensions"
                         f", but the shape is {list(x.shape)}.")
    data_format = data_format or _FORMATS[n][0]
    if data_format not in _FORMATS[n]:
        raise ValueError(f"data_format must be one of {', '.join(_FORMATS[n])}, but got {data_format!r}.")
    if align_mode not in (0, 1):
        raise ValueError(f"align_mode must be 0 or 1, but got {align_mode!r}.")
    if align_corners and mode == "nearest":
        raise ValueError("align_corners=True does not go with mode 'nearest'.")
    if antialias and mode not in ("bilinear", "bicubic"):
        raise ValueError(f"antialias goes with the modes 'bilinear' and 'bicubic', but mode is {mode!r}.")
    last = data_format in _LAST
    sizes, scales = _target(x.shape[1:-1] if last else x.shape[2:], size, scale_factor, recompute_scale_factor, n)
    if mode == "area":
        return _AREA[n](x, sizes[0]) if n == 1 else _AREA[n](x, sizes, data_format)
    return _OPS[mode](x, tuple(sizes), bool(align_corners), align_mode, tuple(scales), last,
                      bool(antialias))


def _target(old: Any, size: Any, scale_factor: Any, recompute: Any, n: int) -> tuple[list, list]:
    """The output's sizes, and the scales that were given (None where the sizes say it)."""
    if (size is None) == (scale_factor is None):
        raise ValueError(f"Give one of size and scale_factor, but got size={size!r} and scale_factor={scale_factor!r}.")
    sizes, scales = _numbers(size, n, "size"), _numbers(scale_factor, n, "scale_factor")
    if sizes is not None:
        if any(s <= 0 for s in sizes):
            raise ValueError(f"size must be positive, but got {sizes}.")
        return [s if is_open(s) and not isinstance(s, float) else int(s) for s in sizes], [None] * n
    if any(s <= 0 for s in scales):             # type: ignore[union-attr]
        raise ValueError(f"scale_factor must be positive, but got {scales}.")
    sizes = [_scaled(o, s) for o, s in zip(old, scales, strict=True)]           # type: ignore[arg-type]
    return sizes, [None] * n if recompute else [float(s) for s in scales]       # type: ignore[union-attr]


def _scaled(size: Any, scale: float) -> Any:
    """The whole part of their product: of an open size for scales that are quotients of whole numbers in binary."""
    if not is_open(size):
        return math.floor(size * scale)
    over, under = float(scale).as_integer_ratio()
    if under > 1024:
        raise OpenDimensionError(
            f"interpolate(scale_factor={scale}) of the open size {size}: how {scale} * {size} is rounded cannot be "
            f"told for all sizes.{at_user_line()}\n  1. Give size=, computed from the input's shape, such as "
            "[x.shape[2] * 3 // 10, x.shape[3] * 3 // 10]; or\n  2. a scale_factor that is exact in binary (0.5, 1.25, "
            "2); or\n  3. save with a fixed size.")
    return size * over // under


@staged
def upsample(x, size=None, scale_factor=None, mode="nearest", align_corners=False, align_mode=0, data_format=None,
             name=None):
    """The same as `interpolate`."""
    return interpolate(x, size, scale_factor, mode, align_corners, align_mode, data_format)


__all__ = ["interpolate", "upsample"]
