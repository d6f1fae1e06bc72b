"""Distinct elements: unique, unique_consecutive. Their shapes depend on values, so they run eagerly."""
from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from kayax.bridge.ops.promotion import axis_of
from kayax.bridge.registry import op
from kayax.spec.dtype import to_numpy


@op(method=True, eager=True)
def unique(x, return_index=False, return_inverse=False, return_counts=False, axis=None, dtype="int64", sorted=True,
           name=None):
    """The distinct elements of `x` in order (or, along `axis`, its distinct slices).

    return_index: also where each is first; return_inverse: also which of them each element is; return_counts: also how
    often each occurs. These have the type `dtype`, int32 or int64.
    """
    axis = axis if axis is None else axis_of(axis, x.ndim)
    outs = np.unique(np.asarray(x), return_index, return_inverse, return_counts, axis)
    if not isinstance(outs, tuple):
        return jnp.asarray(outs)
    wanted = to_numpy(dtype)
    return (jnp.asarray(outs[0]), *(jnp.asarray(o.reshape(-1).astype(wanted)) for o in outs[1:]))


@op(method=True, eager=True)
def unique_consecutive(x, return_inverse=False, return_counts=False, axis=None, dtype="int64", name=None):
    """`x` without elements (along `axis`: slices) that equal the one before them.

    return_inverse: also which of the results each element is; return_counts: also how long each run is.
    """
    values = np.asarray(x)
    axis, values = (0, values.reshape(-1)) if axis is None else (axis_of(axis, values.ndim), values)
    rows = np.moveaxis(values, axis, 0)
    changes = np.ones(len(rows), bool)
    changes[1:] = (rows[1:] != rows[:-1]).any(tuple(range(1, rows.ndim)))
    starts = np.flatnonzero(changes)
    wanted = to_numpy(dtype)
    outs: list[Any] = [jnp.asarray(np.take(values, starts, axis))]
    if return_inverse:
        outs.append(jnp.asarray((np.cumsum(changes) - 1).astype(wanted)))
    if return_counts:
        outs.append(jnp.asarray(np.diff(np.append(starts, len(rows))).astype(wanted)))
    return tuple(outs) if len(outs) > 1 else outs[0]


__all__ = ["unique", "unique_consecutive"]
