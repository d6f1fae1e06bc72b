"""Windows whose places are computed: read and written by operations of this project's own."""
from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from kayax.bridge.ops.public import TOP_LEVEL as P
from kayax.bridge.registry import op
from kayax.bridge.tensor import Tensor
from kayax.io.paddle.known import Known, Mixed


def is_known(value: Any) -> bool:
    """Whether the bounds of a slice are numbers now: a Tensor that is being converted has none yet."""
    if isinstance(value, list):
        return all(is_known(v) for v in value)
    if isinstance(value, Tensor):
        return not isinstance(value.storage.array, jax.core.Tracer)
    return not isinstance(value, Mixed)


def parts_of(value: Any, count: int) -> list[Any]:
    """The elements of a vector of bounds: numbers where they are known, else Tensors."""
    if isinstance(value, Mixed):
        return value.parts
    if isinstance(value, Known):
        return value.array.reshape(-1).tolist()
    if isinstance(value, list):
        return [p for item in value for p in parts_of(item, 1)]
    flat = value.reshape([-1])
    return [flat[i] for i in range(count)]


def starts_of(value: Any) -> Tensor:
    """Starts as one vector, whatever the program gives: a vector, or numbers one by one."""
    items = value if isinstance(value, list) else [value]
    tensors = [i.tensor() if isinstance(i, (Known, Mixed)) else i for i in map(_as_known, items)]
    return P["concat"]([t.reshape([-1]).astype("int64") for t in tensors])


def _as_known(value: Any) -> Any:
    return value if isinstance(value, (Known, Mixed, Tensor)) else Known([value], "int64")


@op(name="paddle_window")
def window(x, starts, axes, sizes):
    """Elements `starts` to ``starts + sizes`` of some axes; a negative start counts from the end."""
    for i, (axis, size) in enumerate(zip(axes, sizes)):
        start = jnp.where(starts[i] < 0, starts[i] + x.shape[axis], starts[i])
        x = lax.dynamic_slice_in_dim(x, start, size, axis)
    return x


@op(name="paddle_write_window")
def write_window(x, values, starts, axes):
    """`x` with `values` at `starts` of some axes."""
    places = [jnp.zeros((), starts.dtype)] * x.ndim
    for i, axis in enumerate(axes):
        places[axis] = jnp.where(starts[i] < 0, starts[i] + x.shape[axis], starts[i])
    return lax.dynamic_update_slice(x, values.astype(x.dtype), places)
