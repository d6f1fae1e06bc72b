"""The two operations that move values: to places (equal places add up), and from places."""
from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from kayax.bridge.errors import DataDependentShapeError, at_user_line
from kayax.bridge.registry import op
from kayax.bridge.tensor import Tensor


@op(name="sparse.place")
def place(values, positions, count):
    """Zeros [count, ...] with the values [n, ...] added at the positions [n]."""
    return jnp.zeros((count, *values.shape[1:]), values.dtype).at[positions].add(values)


@op(name="sparse.pick")
def pick(values, positions):
    """The values at positions."""
    return jnp.take(values, positions, 0, mode="clip")


def host(indices: Tensor) -> np.ndarray:
    """Indices as a NumPy array; while a function is being converted they have no values yet."""
    array = indices.storage.array
    if isinstance(array, jax.core.Tracer):
        raise DataDependentShapeError(
            "Where the values of a sparse tensor lie is only known when the program runs, but the shapes of what is "
            f"computed depend on it.{at_user_line()}\nKeep this part eager (`paddle.jit.not_to_static`), or use dense "
            "Tensors.")
    return np.asarray(array)
