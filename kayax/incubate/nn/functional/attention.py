"""Attention blocks and rotary position embedding."""
from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp

from kayax.bridge.ops.attention import attend
from kayax.bridge.registry import op
from kayax.bridge.tensor import Tensor
from kayax.layers import functional as F
from kayax.layers import ops
from kayax.layers.attention import additive_mask

_NAME = "incubate.nn.functional."


def _turned(x, sin, cos, adjacent):
    """`x` with every pair of its last axis turned: neighbours, or the two halves."""
    if adjacent:
        partner = jnp.stack([-x[..., 1::2], x[..., ::2]], -1).reshape(x.shape)
    else:
        first, second = jnp.split(x, 2, -1)
        partner = jnp.concatenate([-second, first], -1)
    return x * cos + partner * sin


def _angles(length, size, base):
    """Sines and cosines of position times frequency, each frequency twice in a row."""
    frequency = base ** (-jnp.arange(0, size, 2, dtype=jnp.float32) / size)
    angle = jnp.repeat(jnp.arange(length, dtype=jnp.float32)[:, None] * frequency, 2, -1)
    return jnp.sin(angle), jnp.cos(angle)


@op(name=_NAME + "fused_rotary_position_embedding", amp="fused_rotary_position_embedding")
def _rotary(tensors, sin, cos, position_ids, adjacent, time_major, base):
    time = 0 if time_major else 1
    length, size = tensors[0].shape[time], tensors[0].shape[-1]
    if size % 2:
        raise ValueError(f"The head size must be even, but it is {size}.")
    if sin is None or cos is None:
        sin, cos = _angles(length, size, base)
    sin, cos = sin.reshape(-1, size), cos.reshape(-1, size)
    if position_ids is not None:
        sin, cos = sin[position_ids], cos[position_ids]             # [batch, time, size]
        sin, cos = (jnp.swapaxes(a, 0, 1) if time_major else a for a in (sin, cos))
    else:
        sin, cos = (a[:length][:, None] if time_major else a[:length][None] for a in (sin, cos))
    sin, cos = (a[:, :, None].astype(jnp.float32) for a in (sin, cos))
    return tuple([_turned(x.astype(jnp.promote_types(x.dtype, jnp.float32)), sin, cos, adjacent).astype(x.dtype)
                  for x in tensors])


def fused_rotary_position_embedding(q: Tensor, k: Tensor | None = None, v: Tensor | None = None,
                                    sin: Tensor | None = None, cos: Tensor | None = None,
                                    position_ids: Tensor | None = None, use_neox_rotary_style: bool = True,
                                    time_major: bool = False, rotary_emb_base: float = 10000.0) -> tuple[Any, Any, Any]:
    """Rotary position embedding (Su et al., 2021) of up to three Tensors [batch, time, heads, size]; None stays None.

    sin, cos: [time, size] or [1, time, 1, size], computed from `rotary_emb_base` if None. position_ids: [batch, time],
    rows of them. use_neox_rotary_style: turn pairs of neighbours, else of the two halves. time_major: time comes first.
    """
    if (sin is None or cos is None) and (position_ids is not None or not use_neox_rotary_style):
        raise AssertionError("position_ids and use_neox_rotary_style=False need sin and cos.")
    given = [x for x in (q, k, v) if x is not None]
    found = iter(_rotary(given, sin, cos, position_ids, bool(use_neox_rotary_style), bool(time_major),
                         float(rotary_emb_base)))
    return tuple(None if x is None else next(found) for x in (q, k, v))                 # type: ignore[return-value]


@op(name=_NAME + "qkv", amp="matmul")
def _qkv(x, weight, bias, heads, flat):
    """Query, key and value [batch, time, heads, size] each, of one product."""
    if flat:
        out = x @ weight if bias is None else x @ weight + bias
        out = out.reshape(*out.shape[:-1], 3, heads, -1)
    else:
        out = jnp.einsum("btd,chsd->btchs", x, weight)
        out = out if bias is None else out + bias
    return out[:, :, 0], out[:, :, 1], out[:, :, 2]


def fused_multi_head_attention(x: Tensor, qkv_weight: Tensor, linear_weight: Tensor, pre_layer_norm: bool = False,
                               pre_ln_scale: Tensor | None = None, pre_ln_bias: Tensor | None = None,
                               ln_scale: Tensor | None = None, ln_bias: Tensor | None = None,
                               pre_ln_epsilon: float = 1e-5, qkv_bias: Tensor | None = None,
                               linear_bias: Tensor | None = None, cache_kv: Tensor | None = None,
                               attn_mask: Tensor | None = None, dropout_rate: float = 0.5,
                               attn_dropout_rate: float = 0.5, ln_epsilon: float = 1e-5, training: bool = True,
                               mode: str = "upscale_in_train", ring_id: int = -1, add_residual: bool = True,
                               num_heads: int = -1, transpose_qkv_wb: bool = False, name: str | None = None) -> Any:
    """A Transformer's self-attention block, [batch, time, features]: layer norm before it (`pre_layer_norm`) or behind.

    qkv_weight: [3, heads, size, features], or with `transpose_qkv_wb` [features, 3 * heads * size] and `num_heads`.
    linear_weight: [heads * size, features]. attn_mask: broadcast to [batch, heads, time, keys]. cache_kv: [2, batch,
    heads, past, size], keys and values to see before these; then the result is ``(out, new cache_kv)``. `ring_id` is
    accepted and has no effect.
    """
    if transpose_qkv_wb and num_heads <= 0:
        raise ValueError("transpose_qkv_wb=True needs num_heads.")
    size = [x.shape[-1]]
    inner = F.layer_norm(x, size, pre_ln_scale, pre_ln_bias, pre_ln_epsilon) if pre_layer_norm else x
    query, key, value = _qkv(inner, qkv_weight, qkv_bias, num_heads, bool(transpose_qkv_wb))
    cache = None
    if cache_kv is not None:
        key = ops.concat([ops.transpose(cache_kv[0], [0, 2, 1, 3]), key], 1)
        value = ops.concat([ops.transpose(cache_kv[1], [0, 2, 1, 3]), value], 1)
        cache = ops.stack([ops.transpose(t, [0, 2, 1, 3]) for t in (key, value)], 0)
    if attn_dropout_rate and training and mode != "upscale_in_train":
        raise NotImplementedError("Dropout of attention weights is in the mode 'upscale_in_train' alone.")
    out = attend(query, key, value, additive_mask(attn_mask, x.dtype), attn_dropout_rate, False, training, None)
    out = F.linear(ops.reshape(out, [*out.shape[:2], -1]), linear_weight, linear_bias)
    out = F.dropout(out, dropout_rate, training=training, mode=mode)
    out = x + out if add_residual else out
    out = out if pre_layer_norm else F.layer_norm(out, size, ln_scale, ln_bias, ln_epsilon)
    return out if cache is None else (out, cache)


def _within(lengths, size):
    """Which of `size` positions each sequence has."""
    return jnp.arange(size)[None, :] < lengths.reshape(-1, 1)


@op(name=_NAME + "length_mask")
def _length_mask(kv_seq_lens, queries, keys, causal, mask):
    allowed = _within(kv_seq_lens, keys)[:, None, None, :]
    if causal:
        allowed &= jnp.tril(jnp.ones((queries, keys), bool), keys - queries)
    return allowed if mask is None else jnp.where(allowed, mask, jnp.finfo(mask.dtype).min / 2)


@op(name=_NAME + "without_padding")
def _without_padding(x, seq_lens):
    return jnp.where(_within(seq_lens, x.shape[2])[:, None, :, None], x, 0)


def variable_length_memory_efficient_attention(query: Tensor, key: Tensor, value: Tensor, seq_lens: Tensor,
                                               kv_seq_lens: Tensor, mask: Tensor | None = None,
                                               scale: float | None = None, causal: bool = False,
                                               pre_cache_length: int = 0) -> Tensor:
    """Attention of padded sequences, [batch, heads, time, size] each.

    seq_lens, kv_seq_lens: how many queries and keys each batch element has, [batch, 1]. mask: added to the logits,
    [batch, heads, time, keys]. scale: ``1 / sqrt(size)`` if None. Queries beyond a length give 0.
    """
    if pre_cache_length:
        raise NotImplementedError("pre_cache_length is not available: concatenate the cache with key and value.")
    every = _length_mask(kv_seq_lens, query.shape[2], key.shape[2], bool(causal), mask)
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    q, k, v = (ops.transpose(t, [0, 2, 1, 3]) for t in (query, key, value))
    out = ops.transpose(attend(q, k, v, every, 0.0, False, False, scale), [0, 2, 1, 3])
    return _without_padding(out, seq_lens)
