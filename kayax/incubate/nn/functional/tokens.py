"""Counting tokens."""
from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from kayax.bridge.registry import op
from kayax.spec.dtype import to_numpy


@op(name="incubate.nn.functional.int_bincount", differentiable=False)
def int_bincount(x: Any, low: int, high: int, dtype: Any = None, name: str | None = None) -> Any:
    """How often each integer from `low` up to, not including, `high` is in `x`; others are not counted."""
    if high <= low:
        raise ValueError(f"low must be less than high, but got {low} and {high}.")
    counts = jnp.where(x[..., None] == jnp.arange(low, high), 1, 0).reshape(-1, high - low).sum(0)
    return counts.astype(x.dtype if dtype is None else to_numpy(dtype))
