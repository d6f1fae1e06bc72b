"""Attention at the places of a sparse mask."""
from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kayax.bridge.registry import op
from kayax.bridge.tensor import Tensor
from kayax.sparse.nn.functional.activation import segment_softmax
from kayax.sparse.unary import need_sparse


@op(name="sparse.attention", amp="scaled_dot_product_attention")
def _attention(query, key, value, rows, cols, key_padding_mask, attn_mask):
    _, heads, steps, size = query.shape
    q, k, v = (t.reshape(-1, size) for t in (query, key, value))
    scores = jnp.sum(q[rows] * k[cols], -1) / math.sqrt(size)
    if key_padding_mask is not None:
        scores = scores + key_padding_mask[rows // (heads * steps), cols % steps]
    if attn_mask is not None:
        scores = scores + attn_mask[rows % steps, cols % steps]
    shares = segment_softmax.op.fn(scores, rows, q.shape[0])
    return jax.ops.segment_sum(shares[:, None] * v[cols], rows, q.shape[0]).reshape(query.shape)


def attention(query: Tensor, key: Tensor, value: Tensor, sparse_mask: Any, key_padding_mask: Tensor | None = None,
              attn_mask: Tensor | None = None, name: str | None = None) -> Tensor:
    """Scaled dot-product attention (Vaswani et al. 2017) that looks at the places of a sparse mask alone.

    query, key, value: [batch, heads, steps, size]. sparse_mask: in compressed rows, [batch * heads, steps, steps]; its
    values do not count. key_padding_mask: [batch, steps], attn_mask: [steps, steps], both are added to the scores.
    A step that looks at nothing gives 0.
    """
    need_sparse(sparse_mask)
    batch, heads, steps, _ = query.shape
    if list(sparse_mask.shape) != [batch * heads, steps, steps]:
        raise ValueError(f"sparse_mask must be [{batch * heads}, {steps}, {steps}] (batch * heads, steps, steps), but "
                         f"its shape is {sparse_mask.shape}.")
    rows, cols = np.divmod(sparse_mask.to_sparse_coo().keys(), steps)
    return _attention(query, key, value, rows, rows // steps * steps + cols, key_padding_mask, attn_mask)
