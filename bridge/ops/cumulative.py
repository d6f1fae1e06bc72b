"""Running sums, products and extremes, differences, and the trapezoidal rule."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from kayax.bridge.layout import is_open
from kayax.bridge.ops.promotion import axis_of, cast, common, need, rank, to_float
from kayax.bridge.registry import op
from kayax.spec.dtype import to_numpy


def _along(x: Any, axis: Any) -> tuple[Any, int]:
    """The array and the axis to run along; without an axis, the flat array."""
    return (x.reshape(-1), 0) if axis is None else (x, axis_of(axis, x.ndim))


def _running(fn: Callable, x: Any, axis: Any, combine: Callable | None = None, start: float = 0) -> Any:
    """`combine` and its `start` are used along an axis of open size, where JAX cannot differentiate `fn`."""
    x, axis = _along(x, axis)
    if combine is not None and x.ndim and is_open(x.shape[axis]):
        rest = [n for i, n in enumerate(x.shape) if i != axis]
        return _one_by_one(combine, jnp.full(rest, start, x.dtype), x, axis)
    return fn(x, axis) if x.ndim else x


def _one_by_one(combine: Callable, start: Any, values: Any, axis: int) -> Any:
    """The running `combine` of arrays along an axis, in as many steps."""
    def step(before: Any, value: Any) -> tuple[Any, Any]:
        after = combine(before, value)
        return after, after

    _, found = lax.scan(step, start, jax.tree.map(lambda v: jnp.moveaxis(v, axis, 0), values))
    return jax.tree.map(lambda v: jnp.moveaxis(v, 0, axis), found)


@op(method=True, inplace=True)
def cumsum(x, axis=None, dtype=None, name=None):
    """The running sum along `axis`, or of the flat Tensor if None.

    Integers are summed in int64 unless `dtype` is given.
    """
    if dtype is not None:
        x = cast(x, to_numpy(dtype))
    elif rank(x.dtype) < 2:
        x = cast(x, np.int64)
    return _running(lambda x, axis: jnp.cumsum(x, axis, dtype=x.dtype), x, axis)


@op(method=True, inplace=True)
def cumprod(x, dim=None, *, dtype=None, name=None):
    """The running product along `dim`, or of the flat Tensor if None."""
    if dtype is not None:
        x = cast(x, to_numpy(dtype))
    need(x, "x", (1, 2, 3), "a number, not a bool")
    return _running(lambda x, axis: jnp.cumprod(x, axis, dtype=x.dtype), x, dim, jnp.multiply, 1)


@op(method=True)
def logcumsumexp(x, axis=None, dtype=None, name=None):
    """The logarithm of the running sum of ``exp(x)`` along `axis`, or of the flat Tensor if None."""
    x = to_float(x) if dtype is None else cast(x, to_numpy(dtype))
    return _running(lax.cumlogsumexp, x, axis, jnp.logaddexp, -np.inf)


def _extreme(x: Any, axis: Any, dtype: Any, better: Callable) -> tuple[Any, Any]:
    x, axis = _along(x, axis)
    need(x, "x", (1, 2), "an integer or floating Tensor")
    if to_numpy(dtype).name not in ("int32", "int64"):
        raise TypeError(f"dtype must be int32 or int64, but got {dtype}.")
    if not x.ndim:
        return x, jnp.zeros((), to_numpy(dtype))

    def later(a: Any, b: Any) -> Any:
        take = (better(b[0], a[0]) | jnp.isnan(b[0])) & ~(jnp.isnan(a[0]) & ~jnp.isnan(b[0]))
        return jnp.where(take, b[0], a[0]), jnp.where(take, b[1], a[1])

    places = lax.broadcasted_iota(np.int64, x.shape, axis)
    pairs = lax.stop_gradient(x), places
    if is_open(x.shape[axis]):
        first = jax.tree.map(lambda v: lax.index_in_dim(v, 0, axis, keepdims=False), pairs)
        indices = _one_by_one(later, first, pairs, axis)[1]
    else:
        indices = lax.associative_scan(later, pairs, axis=axis)[1]
    return jnp.take_along_axis(x, indices, axis), cast(indices, to_numpy(dtype))


@op(method=True)
def cummax(x, axis=None, dtype="int64", name=None):
    """The running maximum along `axis` (or of the flat Tensor if None), and the index of its last occurrence."""
    return _extreme(x, axis, dtype, jnp.greater_equal)


@op(method=True)
def cummin(x, axis=None, dtype="int64", name=None):
    """The running minimum along `axis` (or of the flat Tensor if None), and the index of its last occurrence."""
    return _extreme(x, axis, dtype, jnp.less_equal)


@op(method=True)
def diff(x, n=1, axis=-1, prepend=None, append=None, name=None):
    """The differences of neighbours along `axis`, `n` times over; of bools, whether they differ.

    prepend, append: Tensors put before and after `x` first.
    """
    if not x.ndim:
        raise ValueError("diff needs a Tensor with 1 or more dimensions.")
    if n < 0:
        raise ValueError(f"n must not be negative, but got {n}.")
    axis = axis_of(axis, x.ndim)
    parts = [cast(p, x.dtype) for p in (prepend, x, append) if p is not None]
    return jnp.diff(jnp.concatenate(parts, axis) if len(parts) > 1 else x, n, axis)


def _trapezoids(y: Any, x: Any, dx: Any, axis: int) -> tuple[Any, int]:
    """The area under each piece."""
    need(y, "y", (2,), "a floating Tensor")
    if x is not None and dx is not None:
        raise ValueError("Give either x or dx, not both.")
    axis = axis_of(axis, y.ndim)
    if x is None:
        width: Any = 1.0 if dx is None else dx
        if hasattr(width, "ndim") and width.ndim:
            raise ValueError(f"dx must be a number or a 0-D Tensor, but got shape {list(width.shape)}.")
        width = cast(width, y.dtype)
    else:
        need(x, "x", (2,), "a floating Tensor")
        x = x.reshape([-1 if i == axis else 1 for i in range(y.ndim)]) if x.ndim == 1 else x
        width = jnp.diff(x, axis=axis)
        width, y = cast(width, (dtype := common(width.dtype, y.dtype))), cast(y, dtype)
    if y.shape[axis] == 0:
        return y, axis
    before, after = (lax.slice_in_dim(y, a, y.shape[axis] - 1 + a, axis=axis) for a in (0, 1))
    return width * (before + after) / 2, axis


@op(method=True)
def trapezoid(y, x=None, dx=None, axis=-1, name=None):
    """The integral of `y` along `axis` by the trapezoidal rule, over the points `x`, or points `dx` (1) apart."""
    areas, axis = _trapezoids(y, x, dx, axis)
    return jnp.sum(areas, axis)


@op(method=True)
def cumulative_trapezoid(y, x=None, dx=None, axis=-1, name=None):
    """The running integral of `y` along `axis` by the trapezoidal rule: one element less than `y`."""
    areas, axis = _trapezoids(y, x, dx, axis)
    return jnp.cumsum(areas, axis)


__all__ = [
    "cummax", "cummin", "cumprod", "cumsum", "cumulative_trapezoid", "diff", "logcumsumexp", "trapezoid",
]
