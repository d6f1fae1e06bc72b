"""The loss of a transducer: sequences aligned with labels."""
from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax

from kayax.bridge.ops.bounds import known_values
from kayax.bridge.ops.loss import check_reduction
from kayax.bridge.registry import op

_NAME = "nn.functional."


def _check_labels(input, label, input_lengths, label_lengths, *rest):
    values, lengths = known_values(label), known_values(label_lengths)
    if values is None or lengths is None or values.ndim != 2:
        return
    used = [row[:n] for row, n in zip(values, lengths.reshape(-1), strict=False)]
    if any(((row < 0) | (row >= input.shape[-1])).any() for row in used):
        raise ValueError(f"The values of label must be in [0, {input.shape[-1]}), but some are not.")


def _forward_variables(empty: Any, emit: Any) -> Any:
    """The log-probability of each place [time, batch, labels + 1] of the lattice (Graves 2012, equation 16).

    Within a time step the recurrence over labels is a cumulative sum: each place is reached from all those below it.
    """
    climb = jnp.pad(jnp.cumsum(emit, -1), ((0, 0), (0, 0), (1, 0)))

    def step(before: Any, now: tuple) -> tuple:
        stay, up = now
        here = up + lax.cumlogsumexp(before + stay - up, before.ndim - 1)
        return here, here

    later: Any
    _, later = lax.scan(step, climb[0], (empty[:-1], climb[1:]))
    return jnp.concatenate([climb[:1], later])


@op(name=_NAME + "rnnt_loss", amp="warprnnt", check=_check_labels)
def rnnt_loss(input, label, input_lengths, label_lengths, blank=0, fastemit_lambda=0.001, reduction="mean", name=None):
    """The negative log-likelihood of the labels under an RNN transducer (Graves 2012).

    input: log-probabilities [batch, time, longest label + 1, classes] (as Paddle's on the CPU: no softmax is applied).
    label: [batch, longest label]. input_lengths, label_lengths: [batch]. blank: the class of "nothing".
    fastemit_lambda: gradients of label emissions are larger by this share, the loss is not (Yu et al. 2021).
    reduction: "mean" over the batch, "sum" or "none" ([batch]).
    Raises ValueError for labels that are no classes; inside of a converted function their loss is nan.
    """
    check_reduction(reduction)
    if input.ndim != 4 or label.ndim != 2 or tuple(input.shape[::2]) != (label.shape[0], label.shape[1] + 1):
        raise ValueError("input must be [batch, time, longest label + 1, classes] and label [batch, longest label], "
                         f"but their shapes are {list(input.shape)} and {list(label.shape)}.")
    if not 0 <= blank < input.shape[3]:
        raise ValueError(f"blank must be in [0, {input.shape[3]}), but got {blank}.")
    x = jnp.moveaxis(input.astype(jnp.float32) if input.dtype.itemsize < 4 else input, 1, 0)
    used = jnp.arange(label.shape[1]) < label_lengths.reshape(-1, 1)
    label = jnp.where(used, label, 0)
    label = jnp.where(label < 0, x.shape[-1], label)
    emit = jnp.take_along_axis(x[:, :, :-1], label[None, ..., None], -1, mode="fill")[..., 0]
    emit = jnp.where(used, emit + fastemit_lambda * (emit - lax.stop_gradient(emit)), 0)
    empty = x[..., blank]
    last = (input_lengths.reshape(-1) - 1, jnp.arange(label.shape[0]), label_lengths.reshape(-1))
    loss = -(_forward_variables(empty, emit) + empty)[last].astype(input.dtype)
    return loss if reduction == "none" else jnp.sum(loss) if reduction == "sum" else jnp.mean(loss)


__all__ = ["rnnt_loss"]
