"""``paddle.incubate``: fused operations and layers, averaging optimizers, and graph operations under older names."""
from __future__ import annotations

import importlib
from typing import Any

import jax
import jax.numpy as jnp

from kayax.absent import absent
from kayax.bridge.registry import op
from kayax.bridge.tensor import Tensor
from kayax.geometric import (
    reindex_graph,
    sample_neighbors,
    segment_max,
    segment_mean,
    segment_min,
    segment_sum,
    send_u_recv,
)
from kayax.incubate import autograd, nn, optimizer
from kayax.incubate.optimizer import LookAhead, ModelAverage
from kayax.layers import ops


@op(name="incubate.softmax_mask_fuse", amp="softmax")
def softmax_mask_fuse(x, mask, name=None):
    """``softmax(x + mask)`` over the last axis: [batch, heads, queries, keys], the mask with one head for all."""
    return jax.nn.softmax(x + mask, -1)


@op(name="incubate.softmax_mask_fuse_upper_triangle", amp="softmax")
def softmax_mask_fuse_upper_triangle(x):
    """The softmax over the last axis without what lies above the diagonal, which is 0."""
    return jax.nn.softmax(jnp.where(jnp.tril(jnp.ones(x.shape[-2:], bool)), x, -jnp.inf), -1)


def identity_loss(x: Tensor, reduction: Any = "none") -> Tensor:
    """`x`, or its sum or mean. reduction: "sum" or 0, "mean" or 1, "none" or 2."""
    kinds = {"sum": ops.sum, 0: ops.sum, "mean": ops.mean, 1: ops.mean, "none": ops.assign, 2: ops.assign}
    kind = reduction.lower() if isinstance(reduction, str) else reduction
    if kind not in kinds:
        raise TypeError(f"reduction must be 'sum', 'mean' or 'none', but got {reduction!r}.")
    return kinds[kind](x)


def graph_send_recv(x: Tensor, src_index: Tensor, dst_index: Tensor, pool_type: str = "sum", out_size: Any = None,
                    name: str | None = None) -> Tensor:
    """`paddle.geometric.send_u_recv` under its older name."""
    return send_u_recv(x, src_index, dst_index, pool_type, out_size)


def graph_reindex(x: Tensor, neighbors: Tensor, count: Tensor, value_buffer: Any = None, index_buffer: Any = None,
                  flag_buffer_hashtable: bool = False, name: str | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """`paddle.geometric.reindex_graph` under its older name."""
    return reindex_graph(x, neighbors, count)


def graph_sample_neighbors(row: Tensor, colptr: Tensor, input_nodes: Tensor, eids: Tensor | None = None,
                           perm_buffer: Any = None, sample_size: int = -1, return_eids: bool = False,
                           flag_perm_buffer: bool = False, name: str | None = None) -> tuple[Tensor, ...]:
    """`paddle.geometric.sample_neighbors` under its older name."""
    return sample_neighbors(row, colptr, input_nodes, sample_size, eids, return_eids)


def __getattr__(name: str) -> Any:
    if name == "asp":
        return importlib.import_module("kayax.incubate.asp")
    return absent("incubate")(name)


__all__ = ["LookAhead", "ModelAverage", "asp", "autograd", "graph_reindex", "graph_sample_neighbors", "graph_send_recv",
           "identity_loss", "nn", "optimizer", "segment_max", "segment_mean", "segment_min", "segment_sum",
           "softmax_mask_fuse", "softmax_mask_fuse_upper_triangle"]
