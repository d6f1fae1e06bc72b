"""Messages from node to node along the edges of a graph: u are sources, v destinations, e edges."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from kayax.bridge.registry import op
from kayax.bridge.tensor import Tensor
from kayax.geometric.segments import reduce_segments

_MESSAGES: dict[str, Callable] = {
    "add": jnp.add, "sub": jnp.subtract, "mul": jnp.multiply, "div": lambda x, y: x * (1.0 / (y + 1e-12))}
_REDUCTIONS = ("sum", "mean", "max", "min")


def _known(value: str, known: Any, name: str) -> None:
    if value not in known:
        raise ValueError(f"{name} must be one of {', '.join(known)}, but got {value!r}.")


def _aligned(x: Any, y: Any) -> tuple[Any, Any]:
    """Two arrays of equally many dimensions: ones are put behind the first dimension."""
    ndim = max(x.ndim, y.ndim, 2)
    return tuple(t.reshape(t.shape[0], *[1] * (ndim - t.ndim), *t.shape[1:]) for t in (x, y))   # type: ignore


def _rows(x: Tensor, out_size: Any) -> int:
    size = out_size.item() if isinstance(out_size, Tensor) else out_size
    return x.shape[0] if size is None or int(size) <= 0 else int(size)


@op(name="geometric.send_u_recv", amp="graph_send_recv")
def _send_u(x, src_index, dst_index, how, count):
    return reduce_segments(x[src_index], dst_index, count, how).astype(x.dtype)


def send_u_recv(x: Tensor, src_index: Tensor, dst_index: Tensor, reduce_op: str = "sum", out_size: Any = None,
                name: str | None = None) -> Tensor:
    """What each node receives from its neighbours: their rows of `x`, reduced.

    x: [nodes, ...]. src_index, dst_index: int [edges], where each edge starts and ends. reduce_op: "sum", "mean",
    "max" or "min". out_size: the rows of the result, those of x by default. A node that receives nothing gets 0.
    """
    _known(reduce_op, _REDUCTIONS, "reduce_op")
    return _send_u(x, src_index, dst_index, reduce_op, _rows(x, out_size))


@op(name="geometric.send_ue_recv", amp="graph_send_ue_recv")
def _send_ue(x, y, src_index, dst_index, message, how, count):
    x, y = _aligned(x, y)
    return reduce_segments(_MESSAGES[message](x[src_index], y), dst_index, count, how).astype(x.dtype)


def send_ue_recv(x: Tensor, y: Tensor, src_index: Tensor, dst_index: Tensor, message_op: str = "add",
                 reduce_op: str = "sum", out_size: Any = None, name: str | None = None) -> Tensor:
    """What each node receives: the rows of `x` of its neighbours, combined with the rows of `y` of the edges, reduced.

    x: [nodes, ...]. y: [edges, ...], broadcast with x. message_op: "add", "sub", "mul" or "div". Else as
    `send_u_recv`.
    """
    _known(message_op, _MESSAGES, "message_op")
    _known(reduce_op, _REDUCTIONS, "reduce_op")
    return _send_ue(x, y, src_index, dst_index, message_op, reduce_op, _rows(x, out_size))


@op(name="geometric.send_uv", amp="graph_send_uv")
def _send_uv(x, y, src_index, dst_index, message):
    x, y = _aligned(x, y)
    return _MESSAGES[message](x[src_index], y[dst_index])


def send_uv(x: Tensor, y: Tensor, src_index: Tensor, dst_index: Tensor, message_op: str = "add",
            name: str | None = None) -> Tensor:
    """A row for each edge: that of its source in `x` combined with that of its destination in `y`.

    x, y: [nodes, ...], broadcast with each other. message_op: "add", "sub", "mul" or "div". Returns [edges, ...].
    """
    _known(message_op, _MESSAGES, "message_op")
    return _send_uv(x, y, src_index, dst_index, message_op)
