"""``paddle.compat.nn.functional``: functions with PyTorch's arguments."""
from __future__ import annotations

from typing import Any

from kayax.bridge.ops.public import FUNCTIONAL_NAMES as _F
from kayax.bridge.ops.public import TOP_LEVEL as _TOP
from kayax.bridge.tensor import Tensor

softmax = _TOP["softmax"]


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``input @ weight.T + bias``: input [..., in], weight [out, in], bias [out]."""
    out = _TOP["matmul"](input, weight, transpose_y=True)
    return out if bias is None else out + bias


def pad(input: Tensor, pad: Any, mode: str = "constant", value: float = 0.0) -> Tensor:
    """Extend the last axes of `input`: `pad` holds (before, after) of the last axis, then of the one before it.

    mode: "constant" (any axes), "reflect", "replicate" or "circular" (up to the last three of 2 to 5 axes).
    """
    if mode not in ("constant", "reflect", "replicate", "circular"):
        raise AssertionError(f'mode must be "constant", "reflect", "replicate" or "circular", but got {mode!r}.')
    sizes = pad.tolist() if isinstance(pad, Tensor) else list(pad)
    most = 2 * input.ndim if mode == "constant" else 2 * min(input.ndim - 1, 3)
    if len(sizes) % 2 or len(sizes) > most:
        raise ValueError(f"pad must hold pairs, {most} numbers at the most for {input.ndim} axes and mode {mode!r}, "
                         f"but got {sizes}.")
    if mode == "constant":
        pairs = list(zip(sizes[::2], sizes[1::2], strict=True))
        pairs += [(0, 0)] * (input.ndim - len(pairs))
        return _F["pad"](input, [n for pair in reversed(pairs) for n in pair], "constant", value)
    lead = list(range(5 - input.ndim))
    out = _F["pad"](_TOP["unsqueeze"](input, lead) if lead else input, sizes + [0] * (6 - len(sizes)), mode,
                    data_format="NCDHW")
    return _TOP["squeeze"](out, lead) if lead else out


def unfold(input: Tensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Tensor:
    """The patches of images as columns (im2col): [N, C, H, W] becomes [N, C kh kw, number of patches]."""
    return _F["unfold"](input, kernel_size, stride, padding, dilation)


def scaled_dot_product_attention(query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None,
                                 dropout_p: float = 0.0, is_causal: bool = False, scale: float | None = None,
                                 enable_gqa: bool = False) -> Tensor:
    """``softmax(query key^T * scale + mask) value`` for every head: query [..., heads, queries, size], key and value
    [..., heads, keys, size] (Vaswani et al. 2017).

    attn_mask: boolean (True takes part) or floating (added). dropout_p: the share of weights that is dropped.
    enable_gqa: key and value may have fewer heads, shared by groups of query heads.
    """
    lead = query.shape[:-3]
    if query.ndim < 3:
        raise ValueError(f"query must be [..., heads, queries, size], but its shape is {list(query.shape)}.")
    if not enable_gqa and key.shape[-3] != query.shape[-3]:
        raise ValueError(f"query has {query.shape[-3]} heads and key {key.shape[-3]}: pass enable_gqa=True.")

    def inward(x: Tensor) -> Tensor:
        return x.reshape([-1, *x.shape[-3:]]).transpose([0, 2, 1, 3])

    if attn_mask is not None and attn_mask.ndim > 4:
        attn_mask = attn_mask.reshape([-1, *attn_mask.shape[-3:]])
    out = _F["scaled_dot_product_attention"](inward(query), inward(key), inward(value), attn_mask, dropout_p, is_causal,
                                             scale=scale, enable_gqa=enable_gqa)
    return out.transpose([0, 2, 1, 3]).reshape([*lead, query.shape[-3], query.shape[-2], value.shape[-1]])


__all__ = ["linear", "pad", "scaled_dot_product_attention", "softmax", "unfold"]
