"""Scaled dot-product attention."""
from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp

from kayax.bridge.errors import ArgumentError
from kayax.bridge.open_sizes import is_open
from kayax.bridge.ops.dropout import keep
from kayax.bridge.registry import op
from kayax.bridge.staging import staged
from kayax.bridge.tensor import Tensor

_NAME = "nn.functional."


def _check(query: Any, key: Any, value: Any, mask: Any, gqa: bool = True) -> None:
    for name, x in (("query", query), ("key", key), ("value", value)):
        if x.ndim != 4:
            raise ValueError(f"{name} must have 4 dimensions [batch, sequence, heads, size], but its shape is "
                             f"{list(x.shape)}.")
    if query.shape[3] != key.shape[3] or key.shape[1:3] != value.shape[1:3] or key.shape[0] != query.shape[0]:
        raise ValueError(f"query {list(query.shape)}, key {list(key.shape)} and value {list(value.shape)} do not fit: "
                         "batch and head size must agree, and sequence length and heads of key and value.")
    if query.shape[2] != key.shape[2] and (not gqa or query.shape[2] % key.shape[2]):
        raise ValueError(f"The {query.shape[2]} heads of query must be {'a multiple of ' if gqa else ''}the "
                         f"{key.shape[2]} of key.")
    if mask is not None and mask.dtype.kind not in "bfV":
        raise ArgumentError(f"attn_mask must be boolean or floating, but its dtype is {mask.dtype.name}.")


def _four(mask: Any) -> Any:
    """A mask as [batch, heads, queries, keys], with 1 where it is the same for all."""
    return mask.reshape((1,) * (4 - mask.ndim) + tuple(mask.shape))


def _scale_of(query: Any) -> Any:
    size = query.shape[3]
    return jax.lax.rsqrt(jnp.asarray(size).astype(query.dtype)) if is_open(size) else 1 / math.sqrt(size)


def weights_of(query: Any, key: Any, mask: Any, causal: bool, scale: float | None) -> Any:
    """The attention weights [batch, heads, queries, keys], softmax in float32; a query without keys gives 0."""
    groups = query.shape[2] // key.shape[2]
    key = jnp.repeat(key, groups, 2) if groups > 1 else key
    scale = _scale_of(query) if scale is None else scale
    logits = jnp.einsum("bqhd,bkhd->bhqk", query, key) * scale
    wide = logits.astype(jnp.float32) if logits.dtype.itemsize < 4 else logits
    allowed = None
    if mask is not None and mask.dtype == jnp.bool_:
        allowed = _four(mask)
    elif mask is not None:
        wide = wide + _four(mask)
    if causal:
        q, k = wide.shape[2:]
        lower = (jnp.arange(q)[:, None] + (k - q)) >= jnp.arange(k)
        allowed = lower if allowed is None else allowed & lower
    if allowed is not None:
        wide = jnp.where(allowed, wide, -jnp.inf)
        best = jnp.max(wide, -1, keepdims=True)
        e = jnp.exp(wide - jax.lax.stop_gradient(jnp.where(jnp.isfinite(best), best, 0)))
        total = jnp.sum(e, -1, keepdims=True)
        return (e / jnp.where(total == 0, 1, total)).astype(query.dtype)
    return jax.nn.softmax(wide, -1).astype(query.dtype)


def _weighted(weights: Any, value: Any) -> Any:
    groups = weights.shape[1] // value.shape[2]
    value = jnp.repeat(value, groups, 2) if groups > 1 else value
    return jnp.einsum("bhqk,bkhd->bqhd", weights, value)


@op(name=_NAME + "attention", amp="flash_attn", residuals=True)
def _attention(query, key, value, mask, causal, scale):
    _check(query, key, value, mask)
    plain = mask is None and not is_open(query.shape[3])
    if plain and (not causal or query.shape[1] == key.shape[1]):
        return jax.nn.dot_product_attention(query, key, value, scale=scale, is_causal=causal)
    return _weighted(weights_of(query, key, mask, causal, scale), value)


@op(name=_NAME + "attention_dropout", amp="flash_attn", residuals=True, random=True)
def _attention_dropout(rng, query, key, value, mask, causal, scale, p):
    _check(query, key, value, mask)
    weights = weights_of(query, key, mask, causal, scale)
    kept = jnp.where(keep(rng, 1 - p, weights.shape), weights / (1 - p) if p < 1 else 0, 0).astype(weights.dtype)
    return _weighted(kept, value)


@op(name=_NAME + "attention_weights", amp="flash_attn")
def _attention_weights(query, key, causal, scale):
    return weights_of(query, key, None, causal, scale)


def attend(query: Any, key: Any, value: Any, mask: Any, dropout: float, causal: bool, training: bool,
           scale: float | None) -> Tensor:
    """Attention as one operation, with a random one only where dropout is at work."""
    dropout = float(dropout) if training else 0.0
    if not 0 <= dropout <= 1:
        raise ValueError(f"The dropout must be in [0, 1], but got {dropout}.")
    if dropout:
        return _attention_dropout(query, key, value, mask, bool(causal), scale, dropout)
    return _attention(query, key, value, mask, bool(causal), scale)


@staged
def scaled_dot_product_attention(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, training=True,
                                 backend=None, scale=None, enable_gqa=True, name=None):
    """``softmax(query key^T * scale + mask) value`` for every head (Vaswani et al. 2017).

    query: [batch, queries, heads, size]; key, value: [batch, keys, heads, size], fewer heads being shared by groups of
    query heads; or all three without batch. attn_mask: boolean (True takes part) or floating (added), broadcast to
    [batch, heads, queries, keys].
    dropout_p: the share of weights that is dropped while `training`. is_causal: a query sees no later keys.
    scale: by default ``1 / sqrt(size)``. `backend` is accepted and has no effect.
    """
    if attn_mask is not None and is_causal:
        raise ValueError("Give attn_mask or is_causal=True, not both.")
    if len(query.shape) == len(key.shape) == len(value.shape) == 3:
        return attend(query[None], key[None], value[None], attn_mask, dropout_p, is_causal, training, scale)[0]
    return attend(query, key, value, attn_mask, dropout_p, is_causal, training, scale)


def flash_attention(query, key, value, dropout=0.0, causal=False, return_softmax=False, *, fixed_seed_offset=None,
                    rng_name="", training=True, name=None, softmax_scale=None):
    """Attention of [batch, sequence, heads, size]; returns the result and the weights (None without `return_softmax`).

    XLA chooses the algorithm; `fixed_seed_offset` and `rng_name` are accepted and have no effect.
    """
    out = attend(query, key, value, None, dropout, causal, training, softmax_scale)
    return out, _attention_weights(query, key, bool(causal), softmax_scale) if return_softmax else None


@op(name=_NAME + "unpack_qkv")
def _unpack(qkv):
    """[..., groups + 2, kv heads, size] as query [..., groups * kv heads, size], key and value."""
    if qkv.ndim < 4 or qkv.shape[-3] < 3:
        raise ValueError(f"qkv must be [..., heads / kv heads + 2, kv heads, size], but it is {list(qkv.shape)}.")
    groups = qkv.shape[-3] - 2
    lead = qkv.shape[:-3]
    query = jnp.swapaxes(qkv[..., :groups, :, :], -3, -2).reshape(*lead, groups * qkv.shape[-2], qkv.shape[-1])
    return query, qkv[..., groups, :, :], qkv[..., groups + 1, :, :]


def flash_attn_qkvpacked(qkv, dropout=0.0, causal=False, return_softmax=False, *, fixed_seed_offset=None, rng_name="",
                         training=True, name=None):
    """`flash_attention` of query, key and value as one [batch, sequence, heads / kv heads + 2, kv heads, size]."""
    query, key, value = _unpack(qkv)
    return flash_attention(query, key, value, dropout, causal, return_softmax, training=training)


@op(name=_NAME + "ragged_mask", differentiable=False)
def _ragged_mask(starts_q, starts_k, total_q, total_k, causal):
    """Which key each query of a packed batch sees: those of its own sequence, aligned at its end if `causal`."""
    q, k = jnp.arange(total_q), jnp.arange(total_k)
    of_q, of_k = jnp.searchsorted(starts_q, q, side="right"), jnp.searchsorted(starts_k, k, side="right")
    allowed = of_q[:, None] == of_k[None]
    if causal:
        end_q = starts_q[jnp.clip(of_q, 0, starts_q.shape[0] - 1)]
        end_k = starts_k[jnp.clip(of_q, 0, starts_k.shape[0] - 1)]
        allowed &= (q - end_q)[:, None] >= k[None] - end_k[:, None]
    return allowed[None, None]


@op(name=_NAME + "add_batch")
def _add_batch(x):
    return x[None]


@op(name=_NAME + "drop_batch")
def _drop_batch(x):
    return x[0]


def flash_attn_unpadded(query, key, value, cu_seqlens_q, cu_seqlens_k, max_seqlen_q, max_seqlen_k, scale, dropout=0.0,
                        causal=False, return_softmax=False, fixed_seed_offset=None, rng_name="", training=True,
                        name=None):
    """Attention within each sequence of a packed batch [total tokens, heads, size].

    cu_seqlens_q, cu_seqlens_k: where each sequence starts, and the total: [batch + 1]. The maximal lengths are accepted
    and not needed. Returns the result and None.
    """
    if return_softmax:
        raise ValueError("flash_attn_unpadded: return_softmax=True is not available for packed sequences.")
    mask = _ragged_mask(cu_seqlens_q, cu_seqlens_k, query.shape[0], key.shape[0], bool(causal))
    out = attend(_add_batch(query), _add_batch(key), _add_batch(value), mask, dropout, False, training, float(scale))
    return _drop_batch(out), None


def flash_attn_varlen_qkvpacked(qkv, cu_seqlens_q, cu_seqlens_k, max_seqlen_q, max_seqlen_k, scale, dropout=0.0,
                                causal=False, return_softmax=False, fixed_seed_offset=None, rng_name="",
                                varlen_padded=True, training=True, name=None):
    """`flash_attn_unpadded` of one Tensor [total tokens, heads / kv heads + 2, kv heads, size]."""
    query, key, value = _unpack(qkv)
    return flash_attn_unpadded(query, key, value, cu_seqlens_q, cu_seqlens_k, max_seqlen_q, max_seqlen_k, scale,
                               dropout, causal, return_softmax, training=training)


def flash_attention_v3_varlen(query, key, value, cu_seqlens_q, cu_seqlens_k, max_seqlen_q, max_seqlen_k, seqused_q=None,
                              seqused_k=None, softmax_scale=None, causal=False, qv=None, q_descale=None, k_descale=None,
                              v_descale=None, window_size=(-1, -1), softcap=0.0, num_splits=1, pack_gqa=None,
                              sm_margin=0):
    """`flash_attn_unpadded` without dropout. Windows, soft caps and descaling are not available and give an error."""
    unavailable = (seqused_q, seqused_k, qv, q_descale, k_descale, v_descale)
    if tuple(window_size) != (-1, -1) or softcap or any(v is not None for v in unavailable):
        raise NotImplementedError("flash_attention_v3_varlen has no window_size, softcap, seqused, qv and descale.")
    scale = 1 / math.sqrt(query.shape[-1]) if softmax_scale is None else softmax_scale
    return flash_attn_unpadded(query, key, value, cu_seqlens_q, cu_seqlens_k, max_seqlen_q, max_seqlen_k, scale,
                               causal=causal)


__all__ = ["flash_attention_v3_varlen", "flash_attn_qkvpacked", "flash_attn_varlen_qkvpacked",
           "scaled_dot_product_attention"]
