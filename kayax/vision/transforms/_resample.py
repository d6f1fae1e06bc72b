"""Resizing and warping of NumPy images [H, W] or [H, W, C], with the sample positions and rounding of OpenCV."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Taps = tuple[Any, Any]                              # for each output position: indices [n, k] of inputs, weights [n, k]


def _cubic(f: np.ndarray) -> np.ndarray:
    """Weights of four neighbours for a position `f` after the second (Keys 1981, a = -0.75)."""
    a = -0.75
    w0 = ((a * (f + 1) - 5 * a) * (f + 1) + 8 * a) * (f + 1) - 4 * a
    w1 = ((a + 2) * f - (a + 3)) * f * f + 1
    w2 = ((a + 2) * (1 - f) - (a + 3)) * (1 - f) * (1 - f) + 1
    return np.stack([w0, w1, w2, 1 - w0 - w1 - w2], 1)


def _lanczos(f: np.ndarray) -> np.ndarray:
    """Weights of eight neighbours for a position `f` after the fourth: a windowed sinc, normalized."""
    at = f[:, None] - np.arange(-3, 5)
    weights = np.sinc(at) * np.sinc(at / 4)
    return weights / weights.sum(1, keepdims=True)


_KERNELS: dict[str, tuple[int, Callable[[np.ndarray], np.ndarray]]] = {         # mode: first neighbour, weights
    "bilinear": (0, lambda f: np.stack([1 - f, f], 1)),
    "bicubic": (-1, _cubic),
    "lanczos": (-3, _lanczos),
}
RESIZE_MODES = ("nearest", "area", *_KERNELS)


def _kernel_taps(size: int, new: int, mode: str) -> Taps:
    first, weights = _KERNELS[mode]
    at = ((np.arange(new) + 0.5) * (size / new) - 0.5).astype(np.float32)
    low = np.floor(at).astype(np.int64)
    index = low[:, None] + first + np.arange(1 - 2 * first + 1 if mode != "bilinear" else 2)
    return np.clip(index, 0, size - 1), weights(at - low.astype(np.float32))


def _area_taps(size: int, new: int) -> Taps:
    """How much of each input lies under each output, as a share of the output."""
    scale = size / new
    start, end = np.arange(new) * scale, np.minimum((np.arange(new) + 1) * scale, size)
    index = np.floor(start).astype(np.int64)[:, None] + np.arange(int(np.ceil(scale)) + 1)
    covered = np.minimum(end[:, None], index + 1) - np.maximum(start[:, None], index)
    weights = np.where(covered > 1e-3, covered, 0.0)
    return np.minimum(index, size - 1), weights / weights.sum(1, keepdims=True)


def _area_between_taps(size: int, new: int) -> Taps:
    """The area mode of OpenCV for enlarging: each input keeps its area, with a blend at the joints alone."""
    scale = size / new
    low = np.floor(np.arange(new) * scale).astype(np.int64)
    f = (np.arange(new) + 1) - (low + 1) / scale
    f = np.where(f <= 0, 0.0, f - np.floor(f))
    return np.clip(low[:, None] + np.arange(2), 0, size - 1), np.stack([1 - f, f], 1)


def _taps(sizes: tuple[int, int], new: tuple[int, int], mode: str) -> list[Taps]:
    pairs = list(zip(sizes, new, strict=True))
    if mode == "area":
        shrinks = all(size >= n for size, n in pairs)
        return [(_area_taps if shrinks else _area_between_taps)(size, n) for size, n in pairs]
    return [_kernel_taps(size, n, mode) for size, n in pairs]


def _weigh(image: Any, taps: Taps, axis: int) -> Any:
    """The weighted sum of an image's rows (axis 0) or columns (axis 1)."""
    index, weights = taps
    shape = [1] * image.ndim
    shape[axis] = len(index)
    return sum(np.take(image, index[:, k], axis) * weights[:, k].reshape(shape) for k in range(index.shape[1]))


def _linear_bytes(image: Any, rows: Taps, columns: Taps) -> Any:
    """Bilinear resizing of bytes in OpenCV's fixed-point arithmetic: weights of 11 bits, two roundings."""
    rows, columns = ((index, np.rint(shares * np.float32(2048)).astype(np.int32)) for index, shares in (rows, columns))
    wide = _weigh(image, columns, 1) >> 4
    weights = rows[1].reshape(*rows[1].shape, *[1] * (image.ndim - 1))
    parts = [(weights[:, k] * wide[rows[0][:, k]]) >> 16 for k in range(2)]
    return ((parts[0] + parts[1] + 2) >> 2).astype(np.uint8)


def to_dtype(values: Any, dtype: Any) -> Any:
    """Floating values as `dtype`: integers rounded, half to even, and kept in their range."""
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        values = np.clip(np.rint(values), limits.min, limits.max)
    return values.astype(dtype)


def resize(image: np.ndarray, size: tuple[int, int], mode: str) -> np.ndarray:
    """The image [H, W] or [H, W, C] at another size (height, width), as `cv2.resize`; no antialiasing but by "area"."""
    sizes = image.shape[:2]
    if sizes == size:
        return image.copy()
    if mode == "nearest":
        rows, columns = (np.minimum((np.arange(n) * (old / n)).astype(np.int64), old - 1)
                         for old, n in zip(sizes, size, strict=True))
        return image[rows][:, columns]
    if mode in ("bilinear", "area") and sizes == (2 * size[0], 2 * size[1]):
        wide = image.astype(np.result_type(image.dtype, np.float32))
        mean = (wide[::2, ::2] + wide[::2, 1::2] + wide[1::2, ::2] + wide[1::2, 1::2]) / 4
        return (np.floor(mean + 0.5) if image.dtype.kind in "iu" else mean).astype(image.dtype)
    rows, columns = _taps(sizes, size, mode)
    if image.dtype == np.uint8 and mode == "bilinear":
        return _linear_bytes(image, rows, columns)
    wide = image.astype(np.result_type(image.dtype, np.float32))
    return to_dtype(_weigh(_weigh(wide, columns, 1), rows, 0), image.dtype)


# ---- warps ---------------------------------------------------------------------------------------------------------

def _positions(inverse: np.ndarray, size: tuple[int, int], precision: Any) -> Any:
    """Where in the input each output pixel lies: rows and columns [h, w]."""
    x, y = np.arange(size[1], dtype=precision), np.arange(size[0], dtype=precision)[:, None]
    columns, rows, *depth = [a * x + (b * y + c) for a, b, c in np.asarray(inverse, precision)]
    if not depth:
        return rows, columns
    with np.errstate(divide="ignore", invalid="ignore"):
        return tuple(np.where(depth[0] == 0, 0, at / depth[0]) for at in (rows, columns))


def _sample(image: Any, rows: Any, columns: Any, fill: Any) -> Any:
    """The pixels at whole positions [h, w], and `fill` outside."""
    height, width = image.shape[:2]
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    out = np.empty((*inside.shape, *image.shape[2:]), image.dtype)
    out[...] = fill
    out[inside] = image[rows[inside].astype(np.intp), columns[inside].astype(np.intp)]
    return out


def warp(image: np.ndarray, inverse: np.ndarray, size: tuple[int, int], mode: str, fill: Any) -> np.ndarray:
    """The image seen through a map: an output pixel (x, y) shows the input at `inverse` (x, y), or `fill`.

    inverse: a matrix [2, 3] of an affine map, or [3, 3] of a perspective one. size: (height, width) of the output.
    """
    fill = to_dtype(np.resize(np.asarray(fill, np.float64), image.shape[2:]) if np.ndim(fill) else np.float64(fill),
                    image.dtype)
    if mode == "nearest":                           # in OpenCV's precision, which decides between neighbours
        rows, columns = _positions(inverse, size, np.float32)
        return _sample(image, np.rint(rows), np.rint(columns), fill)
    mode = "bilinear" if mode == "area" else mode   # as in OpenCV: areas are for resizing
    rows, columns = _positions(inverse, size, np.float64)
    if mode == "lanczos":                           # OpenCV keeps a table of its weights at 32 positions
        rows, columns = (np.floor(at * 32 + 0.5) / 32 for at in (rows, columns))
    first, weights = _KERNELS[mode]
    count = 2 - 2 * first
    low = [np.floor(at) for at in (rows, columns)]
    per_axis = [weights((at - lo).astype(np.float32).ravel()).reshape(*at.shape, count)
                for at, lo in zip((rows, columns), low)]
    out: Any = 0.0
    for i in range(count):
        for j in range(count):
            weight = per_axis[0][..., i] * per_axis[1][..., j]
            pixels = _sample(image, low[0] + first + i, low[1] + first + j, fill)
            out = out + pixels * weight.reshape(*weight.shape, *[1] * (image.ndim - 2))
    return to_dtype(out, image.dtype)
