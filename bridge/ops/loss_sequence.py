"""Losses of sequences."""
from __future__ import annotations

import jax.numpy as jnp
import optax
from jax import lax

from kayax.bridge.ops.loss import check_reduction, reduced
from kayax.bridge.registry import op

_NAME = "nn.functional."


@op(name=_NAME + "ctc_loss", amp="warpctc")
def ctc_loss(log_probs, labels, input_lengths, label_lengths, blank=0, reduction="mean", norm_by_times=False,
             zero_infinity=False):
    """The connectionist temporal classification loss (Graves et al. 2006).

    log_probs: logits [time, batch, classes], to which a log-softmax is applied. labels: [batch, longest label].
    input_lengths, label_lengths: [batch]. blank: the class of "nothing". reduction: "mean" divides each loss by its
    label's length first. norm_by_times: the gradient is divided by the number of time steps. A label that does not fit
    into its steps (each symbol takes one, and a repeated one another before it) has the loss 0, with or without
    zero_infinity, as in Paddle.
    """
    check_reduction(reduction)
    logits = jnp.swapaxes(log_probs, 0, 1)
    steps, longest = jnp.arange(logits.shape[1]), jnp.arange(labels.shape[1])
    past = (steps >= input_lengths[:, None]).astype(logits.dtype)
    unused = (longest >= label_lengths[:, None]).astype(logits.dtype)
    loss = optax.ctc_loss(logits, past, labels, unused, blank_id=blank)
    repeated = (labels[:, 1:] == labels[:, :-1]) & (longest[1:] < label_lengths[:, None])
    loss = jnp.where(label_lengths + jnp.sum(repeated, 1) <= input_lengths, loss, 0)
    if norm_by_times:
        share = (1 / input_lengths).astype(loss.dtype)
        loss = loss * share + lax.stop_gradient(loss * (1 - share))
    loss = loss.astype(log_probs.dtype)
    if reduction == "mean":
        return jnp.mean(loss / label_lengths.astype(loss.dtype))
    return reduced(loss, reduction)


__all__ = ["ctc_loss"]
