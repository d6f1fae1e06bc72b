"""Softmax losses with a margin between classes."""
from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from kayax.bridge.ops.bounds import need_range
from kayax.bridge.ops.loss import hard_labels, pick
from kayax.bridge.registry import op

_NAME = "nn.functional."


def _check_label(logits, label, *rest):
    need_range(label, logits.shape[-1] if logits.shape else 0, "label")


def _angle(cosine: Any) -> Any:
    """The angle of a cosine; rounding may have taken it past 1, and at 1 its gradient, which has no limit, is 0."""
    inside = jnp.abs(cosine) < 1
    return jnp.where(inside, jnp.arccos(jnp.where(inside, cosine, 0)), jnp.where(cosine > 0, 0, jnp.pi))


@op(name=_NAME + "margin_cross_entropy", amp="margin_cross_entropy", check=_check_label)
def _margin_cross_entropy(logits, label, margin1, margin2, margin3, scale, reduction):
    if logits.ndim != 2:
        raise ValueError(f"logits must be [N, C], but their shape is {list(logits.shape)}.")
    label = hard_labels(logits, label, 1)
    x = logits.astype(jnp.float32) if logits.dtype.itemsize < 4 else logits
    target = jnp.cos(margin1 * _angle(pick(x, label, 1)) + margin2) - margin3
    is_label = jax.lax.broadcasted_iota(label.dtype, x.shape, 1) == label[:, None]
    log_softmax = jax.nn.log_softmax(scale * jnp.where(is_label, target[:, None].astype(x.dtype), x), 1)
    known = (label >= 0) & (label < x.shape[1])
    loss = jnp.where(known, -pick(log_softmax, label, 1), jnp.nan)[:, None].astype(logits.dtype)
    loss = jnp.mean(loss) if reduction == "mean" else jnp.sum(loss) if reduction == "sum" else loss
    return loss, jnp.exp(log_softmax).astype(logits.dtype)


def margin_cross_entropy(logits, label, margin1=1.0, margin2=0.5, margin3=0.0, scale=64.0, group=None,
                         return_softmax=False, reduction="mean"):
    """Cross entropy in which the label's cosine ``cos(t)`` counts as ``cos(margin1 * t + margin2) - margin3``.

    That is ArcFace (Deng et al. 2019) by default, SphereFace with margin1 alone, CosFace with margin3 alone.

    logits: cosines [N, C], within [-1, 1]. label: classes [N] or [N, 1]. scale: the factor before the softmax.
    group: None or False; classes that are divided over processes are not supported.
    return_softmax: give (loss, softmax). reduction: "mean", "sum" or None (losses [N, 1]).
    Raises IndexError for a label that is no class; inside of a converted function its loss is nan.
    """
    if group is not None and group is not False:
        raise ValueError("margin_cross_entropy takes all classes in one process: group must be None or False.")
    if reduction not in ("mean", "sum", "none", None):
        raise ValueError(f"reduction must be 'mean', 'sum', 'none' or None, but got {reduction!r}.")
    margins = (float(margin1), float(margin2), float(margin3))
    loss, softmax = _margin_cross_entropy(logits, label, *margins, float(scale), reduction)
    return (loss, softmax) if return_softmax else loss


__all__ = ["margin_cross_entropy"]
