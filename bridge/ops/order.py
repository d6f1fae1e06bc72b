"""The order of numbers along an axis.

XLA's CPU compiler sorts one array of integers with a fast kernel, and all else through a comparison that it calls for
each pair: 5 times slower. A number of at most 32 bits and its place fit into one integer of 64, so their order is that
of such integers. Programs that leave the process, and other machines, have the plain sort.
"""
from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from kayax.bridge.state import state

_PLACES = 32                    # bits of a packed integer that hold an element's place


def argsort(x: Any, axis: int, descending: bool = False) -> Any:
    """The order that sorts x along an axis; equal elements keep theirs, nan comes last (descending: first)."""
    if not _packs(x.dtype):
        return jnp.argsort(x, axis, stable=True, descending=descending)
    axis, keys = axis % x.ndim, _ranks(x)
    keys = ~keys if descending else keys
    packed = (keys << _PLACES) | lax.broadcasted_iota(np.int64, x.shape, axis)
    return lax.sort(packed, axis, is_stable=False) & ((1 << _PLACES) - 1)


def sort(x: Any, axis: int, descending: bool = False) -> Any:
    """x sorted along an axis."""
    if not _packs(x.dtype):
        return jnp.sort(x, axis, stable=True, descending=descending)
    return jnp.take_along_axis(x, argsort(x, axis, descending), axis)


def top(x: Any, k: int, largest: bool) -> tuple[Any, Any]:
    """The k largest (or smallest) elements along the last axis, in order, and their places."""
    # There is a heap for floats of 32 bits, which is the fastest for few of many.
    heap = _here() and x.dtype == np.float32 and k <= x.shape[-1] // 16
    if largest and (heap or not _packs(x.dtype)):
        return lax.top_k(x, k)
    if heap:
        places = lax.cond(jnp.isnan(x).any(), lambda: argsort(x, -1)[..., :k],
                          lambda: lax.top_k(-x, k)[1].astype(np.int64))
    else:
        places = argsort(x, -1, largest)[..., :k]
    return jnp.take_along_axis(x, places, -1), places


def permutation(key: Any, n: int) -> Any:
    """The integers below n in random order: that of random numbers of at least 33 bits each."""
    if not _here() or n >= 1 << 31:
        return jax.random.permutation(key, n)
    bits = max(int(n - 1).bit_length(), 1)
    drawn = jax.random.bits(key, (n,), np.uint64) >> bits << bits
    return lax.sort(drawn | lax.iota(np.uint64, n), is_stable=False) & ((1 << bits) - 1)


def _here() -> bool:
    """Whether what is computed now, or the program that is made now, runs on this machine's CPU alone."""
    return not state.portable and jax.default_backend() == "cpu"


def _packs(dtype: Any) -> bool:
    return _here() and dtype.itemsize <= 4 and not jnp.issubdtype(dtype, np.complexfloating)


def _ranks(x: Any) -> Any:
    """Integers (int64, below 2 ** 31 in size) in the order of x: 0.0 and -0.0 are equal, nan is the largest."""
    if not jnp.issubdtype(x.dtype, np.floating):
        return x.astype(np.int64) if x.dtype != np.uint32 else x.astype(np.int64) - (1 << 31)
    bits = lax.bitcast_convert_type(x.astype(np.float32), np.int32).astype(np.int64)
    ordered = jnp.where(bits < 0, -(bits & 0x7FFFFFFF), bits)
    return jnp.where(jnp.isnan(x), (1 << 31) - 1, ordered)
