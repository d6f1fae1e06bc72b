"""Attention under masks that are given sparsely."""
from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from kayax.bridge import rng
from kayax.bridge.ops.attention import attend
from kayax.bridge.ops.bounds import need_range
from kayax.bridge.registry import op
from kayax.bridge.tensor import Tensor, wrap

_NAME = "nn.functional."


@op(name=_NAME + "flash_mask", differentiable=False)
def _flash_mask(ends, queries, heads, causal):
    """Which query sees which key [batch, heads, queries, keys], of the rows [batch, 1 or heads, keys, 1 to 4] between
    which a key is hidden."""
    ends = jnp.repeat(ends, heads // ends.shape[1], 1)
    keys, count = ends.shape[2:]
    if count not in ((1, 2) if causal else (2, 4)):
        raise ValueError(f"With causal={causal} the last size of startend_row_indices must be "
                         f"{'1 or 2' if causal else '2 or 4'}, but its shape is {list(ends.shape)}.")
    row = jnp.arange(queries)[:, None]
    at = [ends[:, :, None, :, i] for i in range(count)]
    if causal:
        hidden = (row >= at[0]) & (row < at[1] if count == 2 else True)
        hidden |= row + (keys - queries) < jnp.arange(keys)
    elif count == 2:
        hidden = (row >= at[0]) | (row < at[1])
    else:
        hidden = ((row >= at[0]) & (row < at[1])) | ((row >= at[2]) & (row < at[3]))
    return ~hidden


def _window(window_size: Any, length: int, causal: bool) -> Tensor:
    """The rows between which keys are hidden from queries that are further away than the window."""
    left, right = (window_size, window_size) if isinstance(window_size, int) else window_size
    at = np.arange(length)
    ends = [at + left + 1] if causal else [at + left + 1, at - right]
    return wrap(jnp.asarray(np.clip(np.stack(ends, -1), 0, length)[None, None], jnp.int32))


def flashmask_attention(query, key, value, startend_row_indices=None, *, dropout=0.0, causal=False, window_size=None,
                        return_softmax_lse=False, return_seed_offset=False, fixed_seed_offset=None, rng_name="",
                        training=True, name=None, softmax_scale=None, block_mask=None):
    """Attention of [batch, sequence, heads, size] where rows of queries are hidden from keys (Wang et al., 2024).

    startend_row_indices: int32, [batch, heads of key or 1, keys, n]. causal: a key is hidden from the queries before it
    and, n = 1, from those from row [..., 0] on; n = 2, up to row [..., 1]. Otherwise n = 2: from those from row
    [..., 0] on and before row [..., 1]; n = 4: from those within [..., 0:2] and within [..., 2:4].
    window_size: hide keys further away, instead. The mask is made in full; XLA chooses the algorithm.
    """
    if return_softmax_lse or return_seed_offset or block_mask is not None:
        raise NotImplementedError("flashmask_attention has no return_softmax_lse, return_seed_offset and block_mask.")
    if window_size is not None:
        if startend_row_indices is not None:
            raise AssertionError("Give startend_row_indices or window_size, not both.")
        startend_row_indices = _window(window_size, query.shape[1], causal)
    if startend_row_indices is None:
        return attend(query, key, value, None, dropout, causal, training, softmax_scale)
    if len(startend_row_indices.shape) != 4:
        raise AssertionError(f"startend_row_indices must have 4 dimensions, but it is "
                             f"{list(startend_row_indices.shape)}.")
    mask = _flash_mask(startend_row_indices, query.shape[1], query.shape[2], bool(causal))
    return attend(query, key, value, mask, dropout, False, training, softmax_scale)


@op(name=_NAME + "sparse_attention", amp="flash_attn", residuals=True)
def sparse_attention(query, key, value, sparse_csr_offset, sparse_csr_columns, key_padding_mask=None, attn_mask=None,
                     name=None):
    """Attention of [batch, heads, sequence, size] where row i sees the columns that the CSR pattern names.

    sparse_csr_offset: where each row starts, [batch, heads, sequence + 1]; sparse_csr_columns: [batch, heads, entries].
    key_padding_mask [batch, sequence], attn_mask [sequence, sequence]: 0 hides. Computed densely.
    """
    batch, heads, length, size = query.shape
    entry = jnp.arange(sparse_csr_columns.shape[-1])
    # Row of each entry: how many rows have ended before it.
    rows = (entry[:, None] >= sparse_csr_offset[..., None, 1:]).sum(-1)
    b, h = jnp.arange(batch)[:, None, None], jnp.arange(heads)[None, :, None]
    allowed = jnp.zeros((batch, heads, length, length), bool)
    allowed = allowed.at[b, h, rows, sparse_csr_columns].set(True, mode="drop")
    if key_padding_mask is not None:
        allowed &= (key_padding_mask != 0)[:, None, None]
    if attn_mask is not None:
        allowed &= attn_mask != 0
    logits = jnp.einsum("bhqd,bhkd->bhqk", query, key) / np.sqrt(size).astype(query.dtype)
    best = jnp.max(jnp.where(allowed, logits, -jnp.inf), -1, keepdims=True)
    weights = jnp.where(allowed, jnp.exp(logits - jnp.where(jnp.isfinite(best), best, 0)), 0)
    total = weights.sum(-1, keepdims=True)
    return jnp.einsum("bhqk,bhkd->bhqd", weights / jnp.where(total == 0, 1, total), value)


def class_center_sample(label: Tensor, num_classes: int, num_samples: int, group: Any = None) -> tuple[Tensor, Tensor]:
    """The labels [N] as positions in a sample of the classes, and that sample (An et al., 2020).

    It holds all classes in `label` and random others, rising, `num_samples` in all, or more if the labels have more.
    `group` is accepted; there is one process. Runs on the host.
    """
    if num_samples > num_classes:
        raise ValueError(f"num_samples must be at most num_classes={num_classes}, but got {num_samples}.")
    if len(label.shape) != 1 or not label.shape[0]:
        raise ValueError(f"label must have one dimension and an element, but its shape is {list(label.shape)}.")
    need_range(label, num_classes, "label")
    labels = label.numpy()
    present = np.unique(labels)
    others = np.setdiff1d(np.arange(num_classes), present)
    missing = max(num_samples - len(present), 0)
    chosen = np.sort(np.concatenate([present, rng.numpy_generator().choice(others, missing, replace=False)]))
    remapped = np.searchsorted(chosen, labels)
    return wrap(jnp.asarray(remapped.astype(labels.dtype))), wrap(jnp.asarray(chosen.astype(labels.dtype)))


__all__ = ["class_center_sample", "flashmask_attention", "sparse_attention"]
