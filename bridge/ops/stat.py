"""Statistics: spread, medians and quantiles, histograms, covariance."""
from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np

from kayax.bridge.open_sizes import is_one, is_open
from kayax.bridge.ops import order
from kayax.bridge.ops.promotion import axes_of, cast, need, rank, to_float
from kayax.bridge.registry import function, op
from kayax.bridge.tensor import Tensor


def _variance(x: Any, axis: Any, correction: float, keepdim: bool) -> Any:
    need(x, "x", (1, 2), "an integer or floating Tensor")
    axes = axes_of(axis, x.ndim)
    count = math.prod([x.shape[a] for a in axes if x.ndim])
    wide = x if rank(x.dtype) == 2 else cast(x, np.float64)
    deviation = wide - jnp.mean(wide, axes, keepdims=True)
    freedom = jnp.maximum(jnp.asarray(count, wide.dtype) - np.asarray(correction, wide.dtype), 0)
    return jnp.sum(deviation * deviation, axes, keepdims=keepdim) / freedom


@op(method=True)
def var(x, axis=None, unbiased=None, keepdim=False, name=None, *, correction=1):
    """The variance over `axis`: the squared deviations, summed, by the count less `correction`.

    unbiased: True is the correction 1, False 0.
    """
    if unbiased is not None:
        correction = 1 if unbiased else 0
    return cast(_variance(x, axis, correction, keepdim), x.dtype)


@op(method=True)
def std(x, axis=None, unbiased=True, keepdim=False, name=None):
    """The standard deviation over `axis`: the root of `var` (which for integers is rounded towards 0)."""
    return jnp.sqrt(to_float(cast(_variance(x, axis, 1 if unbiased else 0, keepdim), x.dtype)))


def _flattened(x: Any, axis: Any) -> tuple[Any, tuple[int, ...]]:
    """`x` with the axes moved to one last dimension, and these axes."""
    axes = axes_of(axis, x.ndim)
    if not x.ndim:
        return x.reshape(1), ()
    x = jnp.moveaxis(x, axes, range(-len(axes), 0))
    kept = x.ndim - len(axes)
    return x.reshape(*x.shape[:kept], math.prod(x.shape[kept:])), axes


def _put_back(values: Any, axes: tuple[int, ...], keepdim: bool) -> Any:
    return jnp.expand_dims(values, axes) if keepdim and axes else values


def _median(x: Any, axis: Any, keepdim: bool, mode: str, skip_nan: bool) -> Any:
    if mode not in ("avg", "min"):
        raise ValueError(f'mode must be "avg" or "min", but got {mode!r}.')
    flat, axes = _flattened(x, axis)
    if 0 in flat.shape[-1:]:
        value = _put_back(jnp.full(flat.shape[:-1], jnp.nan, to_float(flat).dtype), axes, keepdim)
        return (value, jnp.zeros(value.shape, np.int64)) if mode == "min" and axis is not None else value
    missing = jnp.isnan(flat)
    places = order.argsort(flat, -1)
    count = jnp.sum(~missing, -1, keepdims=True) if skip_nan else jnp.full((*flat.shape[:-1], 1), flat.shape[-1])
    low, high = jnp.maximum(count - 1, 0) // 2, jnp.minimum(count // 2, flat.shape[-1] - 1)
    low_place, high_place = (jnp.take_along_axis(places, i, -1) for i in (low, high))
    lower = jnp.take_along_axis(flat, low_place, -1)
    void = (count == 0) if skip_nan else missing.any(-1, keepdims=True)
    if mode == "avg":
        value = (to_float(lower) + to_float(jnp.take_along_axis(flat, high_place, -1))) / 2
        value = jnp.where(void, jnp.nan, value).astype(value.dtype)
        return _put_back(value[..., 0], axes, keepdim)
    place = jnp.where(void, jnp.argmax(missing, -1, keepdims=True), low_place)
    value = jnp.take_along_axis(flat, place, -1)
    value = _put_back(value[..., 0], axes, keepdim)
    return (value, cast(_put_back(place[..., 0], axes, keepdim), np.int64)) if axis is not None else value


@op(method=True)
def median(x, axis=None, keepdim=False, mode="avg", name=None):
    """The median over `axis`; nan if there is one.

    mode: "avg" takes the mean of the two middle elements (float64 stays, all else gives float32); "min" the lesser of
    them, and with an `axis` gives its index too.
    """
    if not (axis is None or isinstance(axis, int)):
        raise ValueError(f"axis must be an int or None, but got {axis!r}.")
    if mode == "avg" and x.dtype != np.float64:
        x = cast(x, np.float32)
    return _median(x, axis, keepdim, mode, skip_nan=False)


@op(method=True)
def nanmedian(x, axis=None, keepdim=False, mode="avg", name=None):
    """The median over `axis` of the elements that are not nan; see `median`. The dtype is that of `x`."""
    out = _median(x, axis, keepdim, mode, skip_nan=True)
    if isinstance(out, tuple):          # over several axes there is no index
        return out if isinstance(axis, int) else out[0]
    return cast(out, x.dtype)


_BETWEEN = {
    "linear": lambda low, high, part: low.astype(part.dtype) * (1 - part) + high.astype(part.dtype) * part,
    "lower": lambda low, high, part: low,
    "higher": lambda low, high, part: high,
    "midpoint": lambda low, high, part: (low + high) * np.asarray(0.5, low.dtype),
    "nearest": lambda low, high, part: jnp.where(part <= 0.5, low, high),
}


def _quantile(skip_nan: bool, x: Any, q: Any, axis: Any, keepdim: bool, interpolation: str) -> Any:
    need(x, "x", (2,), "a floating Tensor")
    numbers = [q] if isinstance(q, (int, float)) else list(q) if isinstance(q, tuple) else []
    if any(not 0 <= value <= 1 for value in numbers):
        raise ValueError(f"q must be in [0, 1], but got {q}.")
    if isinstance(q, tuple) and not q:
        raise ValueError("q must not be empty.")
    axes = axes_of(axis, x.ndim) if x.ndim else None
    if axes is not None and 0 in [x.shape[a] for a in axes]:
        raise ValueError(f"x of shape {list(x.shape)} has no elements along axis={list(axes)}, and so no quantiles.")
    if interpolation not in _BETWEEN:
        raise ValueError(f"interpolation must be one of {', '.join(_BETWEEN)}, but got {interpolation!r}.")
    flat, axes = _flattened(x, axis)
    ordered, missing = order.sort(flat, -1), jnp.isnan(flat)            # nan comes last
    q = jnp.asarray(q, np.float64 if numbers else None)
    last = jnp.sum(~missing, -1) - 1 if skip_nan else jnp.full(flat.shape[:-1], flat.shape[-1] - 1)
    place = q.reshape(*q.shape, *(1,) * last.ndim) * last
    low, high = (jnp.clip(end(place), 0, jnp.maximum(last, 0)).astype(np.int64) for end in (jnp.floor, jnp.ceil))

    def at(places: Any) -> Any:
        rows = jnp.moveaxis(places.reshape(q.size, *last.shape), 0, -1)
        return jnp.moveaxis(jnp.take_along_axis(ordered, rows, -1), -1, 0).reshape(place.shape)

    out = _BETWEEN[interpolation](at(low), at(high), place - jnp.floor(place))
    void = (last < 0) if skip_nan else missing.any(-1)
    out = jnp.where(void, jnp.nan, out)
    return cast(jnp.expand_dims(out, tuple(a + q.ndim for a in axes)) if keepdim and axes else out, x.dtype)


@op(method=True)
def quantile(x, q, axis=None, keepdim=False, interpolation="linear", name=None):
    """The quantiles `q` (a number in [0, 1], or a list: a new first dimension) over `axis`; nan if there is one.

    interpolation: between two neighbours, "linear", "lower", "higher", "midpoint" or "nearest".
    """
    return _quantile(False, x, q, axis, keepdim, interpolation)


@op(method=True)
def nanquantile(x, q, axis=None, keepdim=False, interpolation="linear"):
    """The quantiles over `axis` of the elements that are not nan; see `quantile`."""
    return _quantile(True, x, q, axis, keepdim, interpolation)


def _range(x: Any, low: Any, high: Any, apart: float = 1) -> tuple[Any, Any]:
    """The ends of a histogram: the data's if both are 0, `apart` to each side if they are equal."""
    if isinstance(low, (int, float)) and isinstance(high, (int, float)):
        if low > high:
            raise ValueError(f"max must not be less than min, but got min={low} and max={high}.")
        if low == high == 0 and x.size:
            low, high = jnp.min(x), jnp.max(x)
    wide = np.float64
    low, high = cast(low, wide), cast(high, wide)
    return jnp.where(low == high, low - apart, low), jnp.where(low == high, high + apart, high)


@op(method=True, differentiable=False)
def histogram(input, bins=100, min=0.0, max=0.0, weight=None, density=False, name=None):
    """How many elements lie in each of `bins` equal intervals between `min` and `max` (if equal, the data's own).

    The last interval includes its upper end. weight: counts each element so many times. density: the counts divided by
    their sum and the interval's width. int64, or floating with `weight` (its dtype) or `density` (float32).
    """
    if not isinstance(bins, int) or bins < 1:
        raise ValueError(f"bins must be an int of 1 or more, but got {bins!r}.")
    low, high = _range(input, *((0, 0) if isinstance(min, (int, float)) and min == max else (min, max)))
    values = cast(input.reshape(-1), np.float64)
    inside = (values >= low) & (values <= high)
    place = jnp.minimum(((values - low) * bins / (high - low)).astype(np.int64), bins - 1)
    ones = jnp.ones(values.shape, np.int64 if weight is None else weight.dtype)
    counted = jnp.where(inside, ones if weight is None else weight.reshape(-1), 0).astype(ones.dtype)
    counts = jnp.zeros((bins,), ones.dtype).at[jnp.where(inside, place, 0)].add(counted)
    if not density:
        return counts
    counts = cast(counts, np.float64)
    return cast(counts / jnp.sum(counts) * bins / (high - low), np.float32)


@op(method=True, differentiable=False)
def histogram_bin_edges(input, bins=100, min=0.0, max=0.0, name=None):
    """The `bins` + 1 ends of the intervals that `histogram` counts in, as float32."""
    low, high = _range(input, min, max, 0.5)
    return cast(jnp.linspace(low, high, bins + 1), np.float32)


@op(name="histogramdd", differentiable=False)
def _histogramdd(x, bins, ranges, density, weights):
    need(x, "x", (2,), "a floating Tensor")
    if x.ndim != 2:
        x = x.reshape(-1, x.shape[-1])
    if ranges is not None:
        ranges = [tuple(ranges[i:i + 2]) for i in range(0, len(ranges), 2)]
    bins = bins if isinstance(bins, int) else list(bins)
    counts, edges = jnp.histogramdd(x, bins, ranges, None if weights is None else weights.reshape(-1), density)
    return cast(counts, x.dtype), *[cast(e, x.dtype) for e in edges]


@function(method=True)
def histogramdd(x: Tensor, bins: Any = 10, ranges: Any = None, density: bool = False, weights: Tensor | None = None,
                name: str | None = None) -> tuple[Tensor, list[Tensor]]:
    """How many rows of `x` (n, d) lie in each cell of a grid: the counts, with d dimensions, and the list of d edges.

    bins: a number, d numbers, or d Tensors of edges. ranges: 2 d numbers, the ends in each dimension.
    """
    counts, *edges = _histogramdd(x, list(bins) if isinstance(bins, (list, tuple)) else bins,
                                  None if ranges is None else list(ranges), density, weights)
    return counts, edges


@op(method=True, eager=True)
def bincount(x, weights=None, minlength=0, name=None):
    """How often each of 0, 1, 2, ... occurs in the vector `x` of integers, or the sums of their `weights`.

    The result is as long as the greatest value plus 1, at least `minlength`: this depends on the values, so that a
    function that is converted cannot use it.
    """
    need(x, "x", (1,), "an integer Tensor")
    if x.ndim != 1:
        raise ValueError(f"bincount takes a vector, but got shape {list(x.shape)}.")
    values = np.asarray(x)
    if values.size and values.min() < 0:
        raise ValueError("bincount needs values that are not negative.")
    if weights is not None and weights.shape != x.shape:
        raise ValueError(f"weights must have the shape of x, {list(x.shape)}, but has {list(weights.shape)}.")
    counts = np.bincount(values, None if weights is None else np.asarray(weights, np.float64), int(minlength))
    dtype = np.int64 if weights is None else np.float32 if weights.dtype == np.float32 else np.float64
    return jnp.asarray(counts.astype(dtype))


def _cov(x: Any, rowvar: bool, ddof: int, fweights: Any = None, aweights: Any = None) -> Any:
    """`jnp.cov`, for matrices of open sizes too. Of one variable it would give a number: there must be more."""
    if x.ndim < 2 or not any(map(is_open, x.shape)):
        return jnp.cov(x, rowvar=rowvar, ddof=ddof, fweights=fweights, aweights=aweights)
    x = x if rowvar or is_one(x.shape[0]) else x.T
    if is_one(x.shape[0]):
        return jnp.cov(x, ddof=ddof, fweights=fweights, aweights=aweights)
    weights = jnp.ones(x.shape[1:], x.dtype)
    for given in (fweights, aweights):
        weights = weights if given is None else weights * given.astype(x.dtype)
    total = weights.sum()
    freedom = total - ddof * (1 if aweights is None else (weights * aweights).sum() / total)
    apart = x - (x * weights).sum(1, keepdims=True) / total
    return jnp.matmul(apart * weights, apart.T.conj()) / freedom


def _covariance(x: Any, rowvar: bool, ddof: bool, fweights: Any, aweights: Any) -> Any:
    need(x, "x", (2,), "a floating Tensor")
    if x.ndim > 2:
        raise ValueError(f"cov takes a vector or a matrix, but got shape {list(x.shape)}.")
    fweights = None if fweights is None else cast(fweights, np.int64)
    return cast(_cov(x, rowvar, 1 if ddof else 0, fweights, aweights), x.dtype)


@op(method=True)
def cov(x, rowvar=True, ddof=True, fweights=None, aweights=None, name=None):
    """The covariance matrix of variables that are the rows of `x` (columns if not `rowvar`).

    ddof: divide by the count less 1. fweights: how often each observation counts. aweights: its relative weight.
    """
    return _covariance(x, rowvar, ddof, fweights, aweights)


@op(method=True)
def corrcoef(x, rowvar=True, name=None):
    """The matrix of correlation coefficients of variables that are the rows of `x` (columns if not `rowvar`)."""
    need(x, "x", (2, 3), "a floating Tensor")
    if not any(map(is_open, x.shape)):
        return cast(jnp.corrcoef(x, rowvar=rowvar), x.dtype)
    found = _cov(x, rowvar, 1)
    spread = jnp.sqrt(jnp.diagonal(found).real)
    found = found / spread[:, None] / spread
    return jnp.clip(found, -1, 1) if found.dtype.kind != "c" else found


__all__ = [
    "bincount", "histogram", "histogram_bin_edges", "histogramdd", "median", "nanmedian", "nanquantile", "quantile",
    "std", "var",
]
LINALG = ("corrcoef", "cov")
