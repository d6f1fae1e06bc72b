"""Activations of sparse tensors."""
from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kayax.bridge.ops.public import FUNCTIONAL_NAMES
from kayax.bridge.registry import op
from kayax.sparse.unary import need_sparse, of_values


def relu(x: Any, name: str | None = None) -> Any:
    """``max(x, 0)`` of the values."""
    return of_values(FUNCTIONAL_NAMES["relu"], x)


def relu6(x: Any, name: str | None = None) -> Any:
    """``min(max(x, 0), 6)`` of the values."""
    return of_values(FUNCTIONAL_NAMES["relu6"], x)


def leaky_relu(x: Any, negative_slope: float = 0.01, name: str | None = None) -> Any:
    """Negative values times `negative_slope`, others as they are."""
    return of_values(FUNCTIONAL_NAMES["leaky_relu"], x, negative_slope)


@op(name="sparse.softmax", amp="softmax")
def segment_softmax(values, segments, count):
    """The softmax within each segment."""
    top = jax.ops.segment_max(values, segments, count)
    raised = jnp.exp(values - jax.lax.stop_gradient(top)[segments])
    return raised / jax.ops.segment_sum(raised, segments, count)[segments]


def softmax(x: Any, axis: int = -1, name: str | None = None) -> Any:
    """The softmax of the values of each row, where places without a value do not count. axis: -1."""
    need_sparse(x)
    if axis not in (-1, x.ndim - 1):
        raise ValueError(f"axis must be -1 for sparse tensors, but got {axis}.")
    keys = x.to_sparse_coo().keys() // x.to_sparse_coo().sizes[-1]
    rows, segments = np.unique(keys, return_inverse=True)
    return x.with_values(segment_softmax(x.values(), segments, len(rows)))
