"""Norms and distances."""
from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np

from kayax.bridge.layout import is_open
from kayax.bridge.ops.promotion import axes_of, axis_of, cast, magnitude, need, real_of, unify
from kayax.bridge.registry import op
from kayax.spec.dtype import to_numpy

_MATRIX_NORMS = ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf)
_SUMS = (1, -1, math.inf, -math.inf)            # of rows or columns


def _root(total: Any, p: float) -> Any:
    """The p-th root, whose gradient at 0 is 0 here, not nan."""
    zero = total == 0
    safe = jnp.where(zero, 1, total)
    return jnp.where(zero, 0, jnp.sqrt(safe) if p == 2 else safe ** (1 / p)).astype(total.dtype)


def vector_norm_of(x: Any, p: float, axes: tuple[int, ...], keepdim: bool) -> Any:
    """The p-norm over the axes taken as one."""
    if p == 2:
        square = jnp.real(x * jnp.conj(x)) if x.dtype.kind == "c" else x * x
        return _root(jnp.sum(square, axes, keepdims=keepdim), 2)
    size = magnitude(x)
    if p == 1:
        return jnp.sum(size, axes, keepdims=keepdim)
    if p == math.inf:
        return jnp.max(size, axes, keepdims=keepdim)
    if p == -math.inf:
        return jnp.min(size, axes, keepdims=keepdim)
    if p == 0:
        return jnp.sum((size != 0).astype(size.dtype), axes, keepdims=keepdim)
    powers = jnp.where(size == 0, 0 if p > 0 else math.inf, jnp.where(size == 0, 1, size) ** p).astype(size.dtype)
    return _root(jnp.sum(powers, axes, keepdims=keepdim), p)


def matrix_norm_of(x: Any, p: Any, axes: tuple[int, ...], keepdim: bool) -> Any:
    """A norm of the matrices in two of the dimensions."""
    if p not in _MATRIX_NORMS:
        raise ValueError(f"The norm of matrices must be one of 'fro', 'nuc', 1, -1, 2, -2, inf, -inf, but got {p!r}.")
    if p == "fro":
        return vector_norm_of(x, 2, axes, keepdim)
    x = jnp.moveaxis(x, axes, (-2, -1))
    if p in _SUMS:
        sums = jnp.sum(magnitude(x), -2 if abs(p) == 1 else -1)
        out = jnp.max(sums, -1) if p > 0 else jnp.min(sums, -1)
    else:
        out = jnp.linalg.norm(x, p, (-2, -1))
    return jnp.expand_dims(out, axes) if keepdim else out


def _checked(x: Any, dtype: Any) -> Any:
    need(x, "x", (2, 3), "a floating or complex Tensor")
    return x if dtype is None else cast(x, to_numpy(dtype))


@op(method=True)
def norm(x, p=None, axis=None, keepdim=False, out=None, dtype=None, name=None):
    """A norm of a vector or a matrix.

    axis: None, for all elements taken as a vector; an int, for vectors; two ints, for matrices.
    p: for vectors any number, inf or -inf (2 if None); for matrices "fro", "nuc", 1, -1, 2, -2, inf, -inf (2, the
        greatest singular value, if None and `axis` has two ints).
    """
    x = _checked(x, dtype)
    axes = axes_of(axis, x.ndim) if x.ndim else ()
    pair = axis is not None and len(axes) == 2
    if isinstance(p, str):
        if p not in ("fro", "nuc"):
            raise ValueError(f'p must be a number, "fro" or "nuc", but got {p!r}.')
        if p == "nuc" or pair:
            if len(axes) != 2:
                raise ValueError(f'The norm "{p}" needs two dimensions, but got axis={axis} of shape {list(x.shape)}.')
            return matrix_norm_of(x, p, axes, keepdim)
        p = 2
    p = 2 if p is None else p
    if pair:
        return matrix_norm_of(x, p, axes, keepdim)
    return vector_norm_of(x, p, axes, keepdim)


@op(name="vector_norm")
def vector_norm(x, p=2.0, axis=None, keepdim=False, name=None, dtype=None):
    """The p-norm over `axis`: an int, several (taken as one), or None for all."""
    x = _checked(x, dtype)
    return vector_norm_of(x, p, axes_of(axis, x.ndim) if x.ndim else (), keepdim)


@op(name="matrix_norm")
def matrix_norm(x, p="fro", axis=(-2, -1), keepdim=False, name=None):
    """The norm of the matrices in the two dimensions `axis`: "fro", "nuc", 1, -1, 2, -2, inf or -inf."""
    x = _checked(x, None)
    if len(axis) != 2:
        raise ValueError(f"axis must be two ints, but got {list(axis)}.")
    return matrix_norm_of(x, p, tuple(axis_of(a, x.ndim) for a in axis), keepdim)


@op(method=True)
def dist(x, y, p=2, name=None):
    """The p-norm of ``x - y``, which are broadcast, as a 0-D Tensor."""
    x, y = unify(x, y)
    difference = x - y
    if 0 in difference.shape:
        return jnp.zeros((), difference.dtype)
    return vector_norm_of(difference, float(p), tuple(range(difference.ndim)), False)


def _by_products(x: Any, y: Any) -> Any:
    """Euclidean distances from a matrix product: quick for many points, less exact for close ones."""
    squares = jnp.sum(x * x, -1)[..., :, None] + jnp.sum(y * y, -1)[..., None, :] - 2 * x @ jnp.swapaxes(y, -1, -2)
    return _root(jnp.maximum(squares, 0), 2)


@op(method=True)
def cdist(x, y, p=2.0, compute_mode="use_mm_for_euclid_dist_if_necessary", name=None):
    """The p-norm distances between all rows of `x` (..., n, d) and all of `y` (..., m, d): (..., n, m).

    compute_mode: when Euclidean distances are taken from a matrix product, which is quick and less exact:
        "use_mm_for_euclid_dist_if_necessary" (more than 25 rows; not where their number is left open),
        "use_mm_for_euclid_dist" or "donot_use_mm_for_euclid_dist".
    """
    modes = ("use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist")
    if compute_mode not in modes:
        raise ValueError(f"compute_mode must be one of {', '.join(modes)}, but got {compute_mode!r}.")
    x, y = _checked(x, None), _checked(y, None)
    if x.ndim < 2 or y.ndim < 2 or x.shape[-1] != y.shape[-1]:
        raise ValueError(f"cdist needs shapes (..., n, d) and (..., m, d), but got {list(x.shape)} and "
                         f"{list(y.shape)}.")
    if p < 0:
        raise ValueError(f"p must not be negative, but got {p}.")
    if x.dtype != y.dtype:
        x, y = (cast(a, jnp.promote_types(x.dtype, y.dtype)) for a in (x, y))
    many = not is_open(x.shape[-2]) and not is_open(y.shape[-2]) and (x.shape[-2] > 25 or y.shape[-2] > 25)
    if p == 2 and (compute_mode == modes[1] or (compute_mode == modes[0] and many)) and x.dtype.kind != "c":
        return _by_products(x, y)
    return vector_norm_of(x[..., :, None, :] - y[..., None, :, :], float(p), (-1,), False)


@op
def pdist(x, p=2.0, name=None):
    """The p-norm distances between all pairs of rows of the matrix `x` (n, d): n (n - 1) / 2 of them."""
    x = _checked(x, None)
    if x.ndim != 2:
        raise ValueError(f"pdist takes a matrix, but got shape {list(x.shape)}.")
    first, second = np.triu_indices(x.shape[0], 1)
    return vector_norm_of(x[first] - x[second], float(p), (-1,), False)


@op(method=True)
def cond(x, p=None, name=None):
    """The condition number of matrices: the norm `p` (2 if None) of `x` times that of its inverse."""
    x = _checked(x, None)
    if x.ndim < 2:
        raise ValueError(f"cond needs 2 or more dimensions, but got shape {list(x.shape)}.")
    if 0 in x.shape[-2:]:
        return jnp.zeros(x.shape[:-2], real_of(x.dtype))
    if p in (None, 2, -2):
        values = jnp.linalg.svd(x, compute_uv=False)
        low, high = values[..., -1], values[..., 0]
        return cast(low / high if p == -2 else high / low, real_of(x.dtype))
    if x.shape[-1] != x.shape[-2]:
        raise ValueError(f"This norm needs square matrices, but the shape is {list(x.shape)}.")
    axes = (x.ndim - 2, x.ndim - 1)
    return matrix_norm_of(x, p, axes, False) * matrix_norm_of(jnp.linalg.inv(x), p, axes, False)


__all__ = [
    "cdist", "dist", "norm", "pdist",
]
LINALG = ("cond", "matrix_norm", "norm", "vector_norm")
