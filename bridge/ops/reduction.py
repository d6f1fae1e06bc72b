"""Reductions over axes: sums, means, products, extremes, truth, counts."""
from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from kayax.bridge.layout import is_open
from kayax.bridge.ops.promotion import axes_of, cast, need, rank, to_float
from kayax.bridge.registry import op
from kayax.spec.dtype import to_numpy

_INTEGERS = (np.dtype(np.bool_), np.dtype(np.int32))


def _summable(x: Any, dtype: Any) -> Any:
    """The array in the type it is summed in: that of `dtype`, or int64 for bool and int32."""
    if dtype is not None:
        return cast(x, to_numpy(dtype))
    return cast(x, np.int64) if x.dtype in _INTEGERS else x


@op(method=True)
def sum(x, axis=None, dtype=None, keepdim=False, name=None):
    """The sum over `axis` (an int, a list, or None for all).

    bool and int32 are summed in int64 unless `dtype` is given. As in Paddle, a bool in its place is `keepdim`.
    """
    if isinstance(dtype, bool):
        dtype, keepdim = keepdim or None, dtype
    x = _summable(x, dtype)
    return jnp.sum(x, axes_of(axis, x.ndim), dtype=x.dtype, keepdims=keepdim)


@op(method=True)
def nansum(x, axis=None, dtype=None, keepdim=False, name=None):
    """The sum over `axis`, with nan taken as 0."""
    x = _summable(x, dtype)
    return jnp.nansum(x, axes_of(axis, x.ndim), dtype=x.dtype, keepdims=keepdim)


@op(method=True)
def mean(x, axis=None, keepdim=False, name=None, *, dtype=None):
    """The mean over `axis`, in the type of `x` or in `dtype`."""
    if dtype is not None:
        x = cast(x, to_numpy(dtype))
    axes = axes_of(axis, x.ndim)
    if rank(x.dtype) >= 2:
        return jnp.mean(x, axes, keepdims=keepdim)
    return cast(jnp.mean(cast(x, np.float64), axes, keepdims=keepdim), x.dtype)


@op(method=True)
def nanmean(x, axis=None, keepdim=False, name=None):
    """The mean over `axis` of the elements that are not nan."""
    x = to_float(x)
    return jnp.nanmean(x, axes_of(axis, x.ndim), keepdims=keepdim)


@op(method=True)
def prod(x, axis=None, keepdim=False, dtype=None, out=None, name=None):
    """The product over `axis`, in the type of `x` or in `dtype`."""
    if dtype is not None:
        x = cast(x, to_numpy(dtype))
    need(x, "x", (1, 2, 3), "a number, not a bool")
    axes = axes_of(axis, x.ndim)
    if True in [is_open(x.shape[a]) for a in axes]:
        out = _product(jnp.moveaxis(x, axes, range(len(axes))).reshape(-1, *_without(x.shape, axes)))
        return jnp.expand_dims(out, axes) if keepdim else out
    return jnp.prod(x, axes, dtype=x.dtype, keepdims=keepdim)


def _without(shape: tuple, axes: tuple) -> list:
    return [n for i, n in enumerate(shape) if i not in axes]


@jax.custom_jvp
def _product(x: Any) -> Any:
    """The product over the first axis, whose open size JAX's own derivative cannot deal with."""
    return jnp.prod(x, 0, dtype=x.dtype)


@_product.defjvp
def _product_tangent(values: tuple, tangents: tuple) -> tuple:
    (x,), (tangent,) = values, tangents

    def before(reverse: bool) -> Any:
        return lax.scan(lambda c, v: (c * v, c), jnp.ones(x.shape[1:], x.dtype), x, reverse=reverse)[1]

    return _product(x), jnp.sum(tangent * before(False) * before(True), 0)


def _extreme(name: str, fn: Any, doc: str) -> Any:
    def body(x, axis=None, keepdim=False, name=None):
        axes = axes_of(axis, x.ndim)
        if x.ndim and 0 in [x.shape[a] for a in axes]:
            raise ValueError(f"The Tensor of shape {list(x.shape)} has no elements to compare along axis={list(axes)}.")
        need(x, "x", (0, 1, 2), "a real Tensor")
        return fn(x, axes, keepdims=keepdim)

    body.__name__ = body.__qualname__ = name
    body.__doc__ = doc + " Where several are equal the gradient is shared evenly between them."
    return op(body, method=True)


max = _extreme("max", jnp.max, "The greatest element over `axis` (an int, a list, or None for all).")
min = _extreme("min", jnp.min, "The least element over `axis` (an int, a list, or None for all).")
amax = _extreme("amax", jnp.max, "The greatest element over `axis` (an int, a list, or None for all).")
amin = _extreme("amin", jnp.min, "The least element over `axis` (an int, a list, or None for all).")


@op(method=True, differentiable=False)
def all(x, axis=None, keepdim=False, name=None):
    """Whether every element over `axis` is nonzero."""
    return jnp.all(x, axes_of(axis, x.ndim), keepdims=keepdim)


@op(method=True, differentiable=False)
def any(x, axis=None, keepdim=False, name=None):
    """Whether any element over `axis` is nonzero."""
    return jnp.any(x, axes_of(axis, x.ndim), keepdims=keepdim)


@op(method=True, differentiable=False)
def count_nonzero(x, axis=None, keepdim=False, name=None):
    """The number of nonzero elements over `axis`, as int64."""
    return jnp.sum(x != 0, axes_of(axis, x.ndim), dtype=np.int64, keepdims=keepdim)


@op(method=True)
def logsumexp(x, axis=None, keepdim=False, name=None):
    """``log(sum(exp(x)))`` over `axis`, without overflow."""
    x = to_float(x)
    return jax.scipy.special.logsumexp(x, axes_of(axis, x.ndim), keepdims=keepdim)


@op(method=True, differentiable=False, of_shape=True)
def numel(x, name=None):
    """The number of elements, as a 0-D int64 Tensor."""
    return jnp.asarray(math.prod(x.shape), np.int64)


__all__ = [
    "all", "amax", "amin", "any", "count_nonzero", "logsumexp", "max", "mean", "min", "nanmean", "nansum", "numel",
    "prod", "sum",
]
