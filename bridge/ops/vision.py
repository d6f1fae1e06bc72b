"""Sampling images along grids."""
from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
from jax import lax

from kayax.bridge.registry import op

_NAME = "nn.functional."


@op(name=_NAME + "affine_grid", amp="affine_grid", static=("out_shape",))
def affine_grid(theta, out_shape, align_corners=True, name=None):
    """The sampling grid of affine maps, for `grid_sample`, in coordinates from -1 to 1.

    theta: [N, 2, 3] with out_shape [N, C, H, W], giving [N, H, W, 2]; or [N, 3, 4] with [N, C, D, H, W], giving
    [N, D, H, W, 3]. align_corners: -1 and 1 are the centres of the corner elements, else their outer edges.
    """
    n = len(out_shape) - 2
    if n not in (2, 3) or theta.ndim != 3 or tuple(theta.shape[1:]) != (n, n + 1):
        raise ValueError("theta must be [N, 2, 3] with an out_shape of 4 numbers, or [N, 3, 4] with 5, but got "
                         f"{list(theta.shape)} and {list(out_shape)}.")
    lines = []
    for size in out_shape[2:]:
        line = (jnp.linspace(-1, 1, size, dtype=theta.dtype) if size > 1
                else jnp.zeros(1, theta.dtype) - (1 if align_corners else 0))
        lines.append(line if align_corners or size == 1 else line * (size - 1) / size)
    coordinates = jnp.meshgrid(*lines, indexing="ij")[::-1]
    base = jnp.stack([*coordinates, jnp.ones_like(coordinates[0])], -1)
    return jnp.einsum("...j,nij->n...i", base, theta)


def _reflect(at: Any, low: float, high: float) -> Any:
    """Positions reflected at `low` and `high` until they lie between."""
    span = high - low
    if span <= 0:
        return jnp.zeros_like(at)
    distance = jnp.abs(at - low)
    turns = jnp.floor(distance / span)
    rest = distance - turns * span
    return jnp.where(turns % 2 == 0, rest + low, high - rest)


def _positions(grid: Any, size: Any, padding_mode: str, align_corners: bool) -> Any:
    """From [-1, 1] to positions in the image, brought inside as the padding mode says."""
    at = (grid + 1) * (size - 1) / 2 if align_corners else ((grid + 1) * size - 1) / 2
    if padding_mode == "reflection":
        at = _reflect(at, 0, size - 1) if align_corners else _reflect(at, -0.5, size - 0.5)
    return at if padding_mode == "zeros" else jnp.clip(at, 0, size - 1)


def _gather(x: Any, index: list) -> Any:
    """[N, C, *sizes] at integer positions [N, *out] per axis, 0 outside: [N, C, *out]."""
    inside = jnp.ones(index[0].shape, bool)
    flat = jnp.zeros(index[0].shape, jnp.int32)
    for at, size in zip(index, x.shape[2:], strict=True):
        inside &= (at >= 0) & (at <= size - 1)
        flat = flat * size + jnp.clip(at, 0, size - 1).astype(jnp.int32)
    pixels = x.reshape(*x.shape[:2], math.prod(x.shape[2:]))
    values = jnp.take_along_axis(pixels, flat.reshape(flat.shape[0], 1, math.prod(flat.shape[1:])), 2, mode="clip")
    return jnp.where(inside[:, None], values.reshape(*x.shape[:2], *flat.shape[1:]), jnp.zeros((), x.dtype))


@op(name=_NAME + "grid_sample", amp="grid_sampler")
def grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=True, name=None):
    """The values of images at the positions of a grid (Jaderberg et al. 2015).

    x: [N, C, H, W] with grid [N, h, w, 2], or [N, C, D, H, W] with [N, d, h, w, 3]; the grid holds (x, y, z) in -1..1.
    mode: "bilinear" or "nearest". padding_mode: outside of the image are "zeros", the "border", or its "reflection".
    """
    n = x.ndim - 2
    if n not in (2, 3) or grid.ndim != x.ndim or grid.shape[-1] != n:
        raise ValueError(f"x must be [N, C, H, W] with a grid [N, h, w, 2], or 5-D with a grid [N, d, h, w, 3], but "
                         f"got {list(x.shape)} and {list(grid.shape)}.")
    if mode not in ("bilinear", "nearest"):
        raise ValueError(f"mode must be 'bilinear' or 'nearest', but got {mode!r}.")
    if padding_mode not in ("zeros", "border", "reflection"):
        raise ValueError(f"padding_mode must be 'zeros', 'border' or 'reflection', but got {padding_mode!r}.")
    at = [_positions(grid[..., n - 1 - i], x.shape[2 + i], padding_mode, align_corners) for i in range(n)]
    if mode == "nearest":
        return _gather(x, [jnp.round(a) for a in at])
    low = [lax.stop_gradient(jnp.floor(a)) for a in at]
    out = jnp.zeros((), x.dtype)
    for corner in range(2 ** n):
        ends = [corner >> i & 1 for i in range(n)]
        weight = jnp.ones((), x.dtype)
        for a, lo, end in zip(at, low, ends, strict=True):
            weight = weight * (a - lo if end else lo + 1 - a)
        out = out + _gather(x, [lo + end for lo, end in zip(low, ends, strict=True)]) * weight[:, None]
    return out


__all__ = ["affine_grid", "grid_sample"]
