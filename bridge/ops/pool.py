"""Pooling over windows."""
from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from kayax.bridge.open_sizes import is_open
from kayax.bridge.ops.windows import ceil_pads, channels_last, need_rank, per_dim, positive, resolve, spatial
from kayax.bridge.registry import op

_NAME = "nn.functional."


class Windows:
    """The windows of a pool over an array: their sizes, steps and padding, with `ceil_mode` worked in."""

    def __init__(self, x: Any, n: int, kernel: Any, stride: Any, padding: Any, ceil_mode: bool, data_format: str):
        need_rank(x, n)
        self.n, self.last = n, channels_last(data_format, n)
        self.kernel = per_dim(kernel, n, "kernel_size")
        self.stride = self.kernel if stride is None else per_dim(stride, n, "stride")
        positive(self.kernel, "kernel_size")
        positive(self.stride, "stride")
        if isinstance(padding, str) and padding.upper() == "VALID" and ceil_mode:
            raise ValueError("With padding='VALID', ceil_mode must be False.")
        self.sizes = spatial(x, self.last)
        self.given, _ = resolve(padding, n, self.last, self.sizes, self.kernel, self.stride)
        self.pairs = ceil_pads(self.given, self.sizes, self.kernel, self.stride) if ceil_mode else self.given
        for size, k, (before, after) in zip(self.sizes, self.kernel, self.pairs, strict=True):
            if isinstance(size, int) and size + before + after < k:
                raise ValueError(f"A window of {k} does not fit in a padded size of {size + before + after}.")

    def full(self, inner: Any, outer: Any) -> tuple:
        """A value per spatial dimension, with `outer` for batch and channels."""
        return (outer, *inner, outer) if self.last else (outer, outer, *inner)

    def reduce(self, x: Any, initial: Any, fn: Any) -> Any:
        """Each window of an array, or of several at once, as one value."""
        several = isinstance(x, tuple)
        pairs = self.full(self.pairs, (0, 0))
        if any(is_open(p) for pair in self.pairs for p in pair):
            # A part of the reduction, padding of an open size lets XLA's program write out of its memory.
            widths = [(*pair, 0) for pair in pairs]
            padded = [lax.pad(one, jnp.asarray(fill, one.dtype), widths)
                      for one, fill in (zip(x, initial, strict=True) if several else [(x, initial)])]
            x, pairs = tuple(padded) if several else padded[0], ((0, 0),) * len(pairs)
        return lax.reduce_window(x, initial, fn, self.full(self.kernel, 1), self.full(self.stride, 1), pairs)

    def places(self, x: Any, fill: float, out: Any) -> Iterator[Any]:
        """For each place in a window, row by row, the elements of all windows there: arrays of the result's shape."""
        if any(p != (0, 0) for p in self.pairs):
            pads = self.full([(before, after, 0) for before, after in self.pairs], (0, 0, 0))
            x = lax.pad(x, np.asarray(fill, x.dtype)[()], pads)
        strides = self.full(self.stride, 1)
        for place in itertools.product(*map(range, self.kernel)):
            start = self.full(place, 0)
            stop = [first + (size - 1) * step + 1 for first, size, step in zip(start, out.shape, strides, strict=True)]
            yield lax.slice(x, start, stop, strides)

    def sum(self, x: Any) -> Any:
        return self.reduce(x, np.zeros((), x.dtype)[()], lax.add)

    def counts(self, clip: bool) -> Any:
        """How many elements each window covers: of the input (`clip`), or of the input and its padding.

        Paddle takes the padding before also for that after, where the two differ.
        """
        sides = []
        for size, k, s, (before, after) in zip(self.sizes, self.kernel, self.stride, self.pairs, strict=True):
            windows = (size + before + after - k) // s + 1
            start = jnp.arange(windows) * s - before
            end = jnp.minimum(start + k, size if clip else size + before)
            sides.append(end - (jnp.maximum(start, 0) if clip else start))
        out = sides[0]
        for side in sides[1:]:
            out = out[..., None] * side
        return out[..., None] if self.last else out


def lowest(dtype: Any) -> Any:
    return -np.inf if jnp.issubdtype(dtype, jnp.floating) else jnp.iinfo(dtype).min


def window_max(x: Any, windows: Windows) -> Any:
    """The maximum of each window; its gradient goes to the first of equal elements.

    XLA's own gradient of a window's maximum, select-and-scatter, is several times slower on the CPU than a sum over the
    places of a window, as long as these are few.
    """
    if math.prod(windows.kernel) > 9 or not jnp.issubdtype(x.dtype, jnp.floating):
        return windows.reduce(x, np.asarray(lowest(x.dtype), x.dtype)[()], lax.max)
    return _window_max(windows, x)


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def _window_max(windows: Windows, x: Any) -> Any:
    return windows.reduce(x, np.asarray(-np.inf, x.dtype)[()], lax.max)


@_window_max.defjvp
def _window_max_jvp(windows: Windows, primals: tuple, tangents: tuple) -> tuple:
    (x,), (dx,) = primals, tangents
    out = _window_max(windows, x)
    taken, d_out = jnp.zeros(out.shape, bool), jnp.zeros(out.shape, out.dtype)
    for values, steps in zip(windows.places(x, -np.inf, out), windows.places(dx, 0, out), strict=True):
        here = (values == out) & ~taken
        taken, d_out = taken | here, d_out + jnp.where(here, steps, 0)
    return out, d_out


def _max_pool(n: int, x: Any, kernel: Any, stride: Any, padding: Any, return_mask: bool, ceil_mode: bool,
              data_format: str) -> Any:
    if return_mask and data_format[-1] == "C":
        raise ValueError(f"return_mask=True needs the channels second ({'NCHW' if n == 2 else 'NCDHW'}), but "
                         f"data_format is {data_format!r}.")
    windows = Windows(x, n, kernel, stride, padding, ceil_mode, data_format)
    out = window_max(x, windows)
    if ceil_mode and jnp.issubdtype(x.dtype, jnp.floating):
        out = jnp.maximum(out, jnp.finfo(x.dtype).min)      # a window of padding alone, as in Paddle
    return (out, _max_positions(lax.stop_gradient(x), windows)) if return_mask else out


def _max_positions(x: Any, windows: Windows) -> Any:
    """Where each window's maximum is in the flattened spatial dimensions: of equal ones the first."""
    position = jnp.arange(np.prod(windows.sizes), dtype=jnp.int32).reshape(windows.sizes)
    position = jnp.broadcast_to(position, x.shape)

    def choose(a, b):
        take = (b[0] > a[0]) | ((b[0] == a[0]) & (b[1] < a[1]))
        return jnp.where(take, b[0], a[0]), jnp.where(take, b[1], a[1])

    start = (np.asarray(lowest(x.dtype), x.dtype)[()], np.int32(np.iinfo(np.int32).max))
    found = windows.reduce((x, position), start, choose)[1]
    return jnp.where(found == start[1], -1, found)          # -1: a window of padding alone, as in Paddle


def _avg_pool(n: int, x: Any, kernel: Any, stride: Any, padding: Any, ceil_mode: bool, exclusive: bool, divisor: Any,
              data_format: str) -> Any:
    windows = Windows(x, n, kernel, stride, padding, ceil_mode, data_format)
    if divisor is not None and divisor == 0:
        raise ValueError("divisor_override must not be 0.")
    total, area = windows.sum(x), math.prod(windows.kernel)
    factor = 1 if divisor is None else area / divisor
    same = all(before == after for before, after in windows.pairs)
    if all(p == (0, 0) for p in windows.pairs) or (same and not exclusive):
        return total * (factor / area)
    counts = windows.counts(clip=exclusive)
    return total * (factor / jnp.where(counts == 0, 1, counts)).astype(x.dtype)


@op(name=_NAME + "max_pool1d", amp="max_pool1d")
def max_pool1d(x, kernel_size, stride=None, padding=0, return_mask=False, ceil_mode=False, name=None):
    """The maximum of each window of x [N, C, L]; with `return_mask`, also where it is."""
    return _max_pool(1, x, kernel_size, stride, padding, return_mask, ceil_mode, "NCL")


@op(name=_NAME + "max_pool2d", amp="max_pool2d")
def max_pool2d(x, kernel_size, stride=None, padding=0, return_mask=False, ceil_mode=False, data_format="NCHW",
               name=None):
    """The maximum of each window of x, [N, C, H, W] or [N, H, W, C].

    padding: an integer, [h, w], [top, bottom, left, right], pairs per axis, "SAME" or "VALID". ceil_mode: a last,
    partial window counts too. return_mask: also give where the maximum is, as an int32 index into the flattened H, W.
    """
    return _max_pool(2, x, kernel_size, stride, padding, return_mask, ceil_mode, data_format)


@op(name=_NAME + "max_pool3d", amp="max_pool3d")
def max_pool3d(x, kernel_size, stride=None, padding=0, return_mask=False, ceil_mode=False, data_format="NCDHW",
               name=None):
    """The maximum of each window of x, [N, C, D, H, W] or [N, D, H, W, C]; the arguments are those of `max_pool2d`."""
    return _max_pool(3, x, kernel_size, stride, padding, return_mask, ceil_mode, data_format)


@op(name=_NAME + "avg_pool1d", amp="pool2d")
def avg_pool1d(x, kernel_size, stride=None, padding=0, exclusive=True, ceil_mode=False, name=None):
    """The mean of each window of x [N, C, L]; padding is not counted if `exclusive`."""
    return _avg_pool(1, x, kernel_size, stride, padding, ceil_mode, exclusive, None, "NCL")


@op(name=_NAME + "avg_pool2d", amp="pool2d")
def avg_pool2d(x, kernel_size, stride=None, padding=0, ceil_mode=False, exclusive=True, divisor_override=None,
               data_format="NCHW", name=None):
    """The mean of each window of x, [N, C, H, W] or [N, H, W, C].

    exclusive: padding is not counted. divisor_override: multiply the mean by the window's size
    and divide by this. The rest is as in
    `max_pool2d`.
    """
    return _avg_pool(2, x, kernel_size, stride, padding, ceil_mode, exclusive, divisor_override, data_format)


@op(name=_NAME + "avg_pool3d", amp="pool3d")
def avg_pool3d(x, kernel_size, stride=None, padding=0, ceil_mode=False, exclusive=True, divisor_override=None,
               data_format="NCDHW", name=None):
    """The mean of each window of x, [N, C, D, H, W] or [N, D, H, W, C]; the arguments are those of `avg_pool2d`."""
    return _avg_pool(3, x, kernel_size, stride, padding, ceil_mode, exclusive, divisor_override, data_format)


def _lp_pool(n: int, x: Any, norm_type: float, kernel: Any, stride: Any, padding: Any, ceil_mode: bool,
             data_format: str) -> Any:
    if norm_type == 0:
        raise ValueError("norm_type must not be 0.")
    windows = Windows(x, n, kernel, stride, padding, ceil_mode, data_format)
    if norm_type == float("inf"):
        return windows.reduce(x, np.asarray(lowest(x.dtype), x.dtype)[()], lax.max)
    return windows.sum(x ** norm_type) ** (1.0 / norm_type)


@op(name=_NAME + "lp_pool1d", amp="pool2d")
def lp_pool1d(x, norm_type, kernel_size, stride=None, padding=0, ceil_mode=False, data_format="NCL", name=None):
    """``sum(x ** norm_type) ** (1 / norm_type)`` over each window of x; the maximum for an infinite `norm_type`."""
    return _lp_pool(1, x, norm_type, kernel_size, stride, padding, ceil_mode, data_format)


@op(name=_NAME + "lp_pool2d", amp="pool2d")
def lp_pool2d(x, norm_type, kernel_size, stride=None, padding=0, ceil_mode=False, data_format="NCHW", name=None):
    """``sum(x ** norm_type) ** (1 / norm_type)`` over each window of x; the maximum for an infinite `norm_type`."""
    return _lp_pool(2, x, norm_type, kernel_size, stride, padding, ceil_mode, data_format)


__all__ = ["avg_pool1d", "avg_pool2d", "avg_pool3d", "lp_pool1d", "lp_pool2d", "max_pool1d", "max_pool2d", "max_pool3d"]
