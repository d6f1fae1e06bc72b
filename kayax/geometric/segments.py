"""Sums, means and extremes of rows that belong together."""
from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kayax.bridge import known
from kayax.bridge.errors import DataDependentShapeError, at_user_line
from kayax.bridge.registry import op
from kayax.bridge.tensor import Tensor

_EXTREMES = {"max": jax.ops.segment_max, "min": jax.ops.segment_min}


def reduce_segments(data: Any, segments: Any, count: int, how: str) -> Any:
    """The rows of an array reduced by segment; a segment without rows gives 0. Equal extremes share the gradient."""
    if how == "sum":
        return jax.ops.segment_sum(data, segments, count)
    sizes = jax.ops.segment_sum(jnp.ones(data.shape[:1], data.dtype), segments, count)
    sizes = sizes.reshape(-1, *[1] * (data.ndim - 1))
    if how == "mean":
        return jax.ops.segment_sum(data, segments, count) / jnp.maximum(sizes, 1)
    extreme = _EXTREMES[how](jax.lax.stop_gradient(data), segments, count)
    chosen = data == extreme[segments]
    total = jax.ops.segment_sum(jnp.where(chosen, data, 0), segments, count)
    return total / jnp.maximum(jax.ops.segment_sum(chosen.astype(data.dtype), segments, count), 1).astype(data.dtype)


@op(name="geometric.segments", amp="segment_pool")
def _segments(data, segment_ids, count, how):
    return reduce_segments(data, segment_ids, count, how).astype(data.dtype)


def _reduce(data: Tensor, segment_ids: Tensor, how: str) -> Tensor:
    if segment_ids.ndim != 1 or not data.ndim or data.shape[0] != segment_ids.shape[0]:
        raise ValueError(f"segment_ids must be [rows], one for each row of data, but got {segment_ids.shape} and "
                         f"{data.shape}.")
    ids = segment_ids.storage.array
    ids = known.value_of(ids) if isinstance(ids, jax.core.Tracer) else ids
    if ids is None:
        raise DataDependentShapeError(
            f"segment_{how} has as many rows as its largest segment number says, which an XLA program cannot express."
            f"{at_user_line()}\nUse paddle.geometric.send_u_recv with out_size, or keep this function eager "
            "(`paddle.jit.not_to_static`).")
    return _segments(data, segment_ids, int(np.max(np.asarray(ids), initial=-1)) + 1, how)


def segment_sum(data: Tensor, segment_ids: Tensor, name: str | None = None) -> Tensor:
    """The sum of the rows of each segment, [segments, ...]; a segment without rows gives 0.

    data: [rows, ...]. segment_ids: int [rows], in order. The number of segments is the last one plus 1.
    """
    return _reduce(data, segment_ids, "sum")


def segment_mean(data: Tensor, segment_ids: Tensor, name: str | None = None) -> Tensor:
    """The mean of the rows of each segment: arguments as for `segment_sum`."""
    return _reduce(data, segment_ids, "mean")


def segment_min(data: Tensor, segment_ids: Tensor, name: str | None = None) -> Tensor:
    """The smallest values of the rows of each segment: arguments as for `segment_sum`."""
    return _reduce(data, segment_ids, "min")


def segment_max(data: Tensor, segment_ids: Tensor, name: str | None = None) -> Tensor:
    """The largest values of the rows of each segment: arguments as for `segment_sum`."""
    return _reduce(data, segment_ids, "max")
