"""Adaptive pooling: windows that follow from the output's size."""
from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from kayax.bridge.layout import is_open
from kayax.bridge.ops.pool import lowest
from kayax.bridge.ops.windows import channels_last, need_rank, spatial
from kayax.bridge.registry import op

_NAME = "nn.functional."


def _targets(output_size: Any, sizes: tuple, n: int) -> tuple:
    """The output's spatial sizes: None keeps the input's."""
    given = tuple(output_size) if isinstance(output_size, (list, tuple)) else (output_size,) * n
    if len(given) != n:
        raise ValueError(f"output_size must be an integer or a list of {n}, but got {list(given)}.")
    out = tuple(s if g is None else g for g, s in zip(given, sizes, strict=True))
    if any(isinstance(o, int) and o <= 0 for o in out):
        raise ValueError(f"output_size must be positive, but got {list(given)}.")
    return out


def _bounds(size: Any, out: Any, xp: Any = np) -> tuple[Any, Any]:
    """Where each window starts and ends: from floor(i * size / out) to ceil((i + 1) * size / out)."""
    i = xp.arange(out)
    return i * size // out, -((i + 1) * -size // out)


def _mean_axis(x: Any, axis: int, out: Any) -> Any:
    size = x.shape[axis]
    if out == size:
        return x
    if out == 1:
        return jnp.mean(x, axis, keepdims=True)
    if size % out == 0:
        return jnp.mean(x.reshape(*x.shape[:axis], out, size // out, *x.shape[axis + 1:]), axis + 1)
    xp = jnp if is_open(size) or is_open(out) else np
    start, end = _bounds(size, out, xp)
    position = xp.arange(size)
    inside = (position >= start[:, None]) & (position < end[:, None])
    weights = jnp.asarray(inside / (end - start)[:, None], x.dtype)
    return jnp.moveaxis(jnp.tensordot(x, weights, [[axis], [1]]), -1, axis)


def _adaptive_avg(n: int, x: Any, output_size: Any, data_format: str) -> Any:
    need_rank(x, n)
    last = channels_last(data_format, n)
    targets = _targets(output_size, spatial(x, last), n)
    first = 1 if last else 2
    if all(isinstance(t, int) and t == 1 for t in targets):
        return jnp.mean(x, tuple(range(first, first + n)), keepdims=True)
    for axis, out in enumerate(targets, first):
        x = _mean_axis(x, axis, out)
    return x


@op(name=_NAME + "adaptive_avg_pool1d", amp="pool2d")
def adaptive_avg_pool1d(x, output_size, name=None):
    """The means of `output_size` windows that cover x [N, C, L] evenly."""
    return _adaptive_avg(1, x, output_size, "NCL")


@op(name=_NAME + "adaptive_avg_pool2d", amp="pool2d")
def adaptive_avg_pool2d(x, output_size, data_format="NCHW", name=None):
    """The means of windows that cover x, [N, C, H, W] or [N, H, W, C], evenly.

    output_size: the output's height and width, one integer for both, or None for the input's own.
    """
    return _adaptive_avg(2, x, output_size, data_format)


@op(name=_NAME + "adaptive_avg_pool3d", amp="pool3d")
def adaptive_avg_pool3d(x, output_size, data_format="NCDHW", name=None):
    """The means of windows that cover x, [N, C, D, H, W] or [N, D, H, W, C], evenly; None keeps a size."""
    return _adaptive_avg(3, x, output_size, data_format)


def _windows(x: Any, bounds: list[tuple[Any, Any]]) -> tuple[Any, Any, Any]:
    """The elements of every window of the last n axes: [..., *out, *window], which are inside, their flat positions."""
    n = len(bounds)
    sizes = x.shape[-n:]
    inside, position = np.ones((1,) * 2 * n, bool), np.zeros((1,) * 2 * n, np.int64)
    index = []
    for i, (start, end) in enumerate(bounds):
        known = isinstance(start, np.ndarray)
        widest = (end - start).max() if known else sizes[i] // start.shape[0] + 2
        at = start[:, None] + (np if known else jnp).arange(widest)
        shape = [1] * 2 * n
        shape[i], shape[n + i] = at.shape
        inside = inside & (at < end[:, None]).reshape(shape)
        at = at.clip(max=sizes[i] - 1).reshape(shape)
        position = position * jnp.asarray(sizes[i]) + at if is_open(sizes[i]) else position * sizes[i] + at
        index.append(at)
    return x[(..., *index)], inside, position


def max_of_windows(x: Any, bounds: list[tuple[Any, Any]], return_mask: bool) -> Any:
    """The maximum of every window of the last n axes, and with `return_mask` where it is in those axes flattened."""
    n = len(bounds)
    values, inside, position = _windows(x, bounds)
    values = jnp.where(inside, values, jnp.asarray(lowest(x.dtype), x.dtype))
    flat = values.reshape(*values.shape[:-n], math.prod(values.shape[-n:]))
    best = jnp.argmax(flat, -1)
    out = jnp.take_along_axis(flat, best[..., None], -1)[..., 0]
    if not return_mask:
        return out
    each = jnp.broadcast_to(jnp.asarray(position, jnp.int32), inside.shape).reshape(*inside.shape[:n], flat.shape[-1])
    places = jnp.broadcast_to(each, flat.shape)
    return out, jnp.take_along_axis(places, best[..., None], -1)[..., 0]


def _adaptive_max(n: int, x: Any, output_size: Any, return_mask: bool) -> Any:
    need_rank(x, n)
    sizes = tuple(x.shape[2:])
    targets = _targets(output_size, sizes, n)
    pairs = list(zip(sizes, targets, strict=True))
    if any(is_open(s) for s in sizes):
        if not return_mask and all(type(t) is int and t == 1 for t in targets):
            return x.max(tuple(range(2, 2 + n)), keepdims=True)
        return max_of_windows(x, [_bounds(s, t, jnp if is_open(s) else np) for s, t in pairs], return_mask)
    if not return_mask and all(s % t == 0 for s, t in pairs):
        window = (1, 1, *(s // t for s, t in pairs))
        return lax.reduce_window(x, np.asarray(lowest(x.dtype), x.dtype)[()], lax.max, window, window, "VALID")
    return max_of_windows(x, [_bounds(s, t) for s, t in pairs], return_mask)


@op(name=_NAME + "adaptive_max_pool1d", amp="max_pool1d")
def adaptive_max_pool1d(x, output_size, return_mask=False, name=None):
    """The maxima of `output_size` windows that cover x [N, C, L] evenly; with `return_mask` also where they are."""
    return _adaptive_max(1, x, output_size, return_mask)


@op(name=_NAME + "adaptive_max_pool2d", amp="max_pool2d_with_index")
def adaptive_max_pool2d(x, output_size, return_mask=False, name=None):
    """The maxima of windows that cover x [N, C, H, W] evenly; with `return_mask` also their index in flattened H, W."""
    return _adaptive_max(2, x, output_size, return_mask)


@op(name=_NAME + "adaptive_max_pool3d", amp="max_pool3d_with_index")
def adaptive_max_pool3d(x, output_size, return_mask=False, name=None):
    """The maxima of windows that cover x [N, C, D, H, W] evenly; with `return_mask` also their index in D, H, W."""
    return _adaptive_max(3, x, output_size, return_mask)


def _fractional_bounds(size: int, out: int, kernel: int | None, u: float) -> tuple[np.ndarray, np.ndarray]:
    """Windows at pseudo-random steps: at ceil(alpha * (i + u)) with alpha near size / out (Graham 2014)."""
    if kernel is None:
        alpha = size / out
        base = size // out
        u_max = min((base + 2) / alpha - 1, (size + 1 - base) / alpha - (out - 1))
        shift = u * u_max
        edges = [int((i + shift) * alpha) - int(shift * alpha) for i in range(out + 1)]
        return np.array(edges[:-1]), np.minimum(np.array(edges[1:]), size)
    alpha = (size - kernel) / (out - 1 if out > 1 else 1)
    start = np.array([int((i + u) * alpha) - int(u * alpha) for i in range(out)])
    start[-1] = size - kernel
    return start, start + kernel


def _fractional(n: int, x: Any, output_size: Any, kernel: Any, u: Any, return_mask: bool) -> Any:
    need_rank(x, n)
    targets = _targets(output_size, tuple(x.shape[2:]), n)
    kernels = tuple(kernel) if isinstance(kernel, (list, tuple)) else (kernel,) * n
    bounds = [_fractional_bounds(s, t, k, u) for s, t, k in zip(x.shape[2:], targets, kernels, strict=True)]
    return max_of_windows(x, bounds, return_mask)


@op(name=_NAME + "fractional_max_pool", amp="fractional_max_pool2d")
def _fractional_max_pool(x, output_size, kernel_size, u, return_mask, n):
    return _fractional(n, x, output_size, kernel_size, u, return_mask)


def _fractional_public(n: int, x: Any, output_size: Any, kernel_size: Any, random_u: Any, return_mask: bool) -> Any:
    if random_u is None:
        from kayax.bridge.rng import numpy_generator
        random_u = numpy_generator().uniform(0.0, 1.0)
    if not 0 < random_u < 1:
        raise ValueError(f"random_u must be in (0, 1), but got {random_u}.")
    return _fractional_max_pool(x, output_size, kernel_size, float(random_u), return_mask, n)


def fractional_max_pool2d(x, output_size, kernel_size=None, random_u=None, return_mask=False, name=None):
    """Maxima over windows of pseudo-random size, or of `kernel_size` (overlapping) (Graham 2014).

    random_u: the number in (0, 1) the windows follow from; drawn if None (once per program while converting).
    """
    return _fractional_public(2, x, output_size, kernel_size, random_u, return_mask)


def fractional_max_pool3d(x, output_size, kernel_size=None, random_u=None, return_mask=False, name=None):
    """The same as `fractional_max_pool2d` for x [N, C, D, H, W]."""
    return _fractional_public(3, x, output_size, kernel_size, random_u, return_mask)


__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d", "adaptive_max_pool2d",
    "adaptive_max_pool3d", "fractional_max_pool2d", "fractional_max_pool3d",
]
