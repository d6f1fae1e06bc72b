"""One step of a beam search."""
from __future__ import annotations

import jax
import jax.numpy as jnp

from kayax.bridge.registry import op

_NAME = "nn.functional."
IMPOSSIBLE = -1e9           # the log-probability of what cannot follow


@op(name=_NAME + "gather_beams")
def gather_beams(x, beams):
    """Of each batch element the beams with these indices: [batch, beams, ...]."""
    return jax.vmap(lambda row, index: row[index])(x, beams)


@op(name=_NAME + "beam_search_step", residuals=True)
def beam_search_step(logits, scores, finished, lengths, end_token):
    """The best continuations: their scores, tokens, the beams they continue, which are finished, and their lengths.

    logits: [batch, beams, vocabulary]; scores, finished, lengths: [batch, beams]. A finished beam goes on with
    `end_token` alone, at no cost.
    """
    vocabulary = logits.shape[-1]
    only_end = jnp.where(jnp.arange(vocabulary) == end_token, 0, IMPOSSIBLE).astype(logits.dtype)
    steps = jnp.where(finished[..., None], only_end, jax.nn.log_softmax(logits))
    every = (steps + scores[..., None]).reshape(scores.shape[0], -1)
    best, index = jax.lax.top_k(every, scores.shape[1])
    index = index.astype(jnp.int64)
    parents, tokens = index // vocabulary, index % vocabulary
    was_finished = jnp.take_along_axis(finished, parents, 1)
    new_lengths = jnp.take_along_axis(lengths, parents, 1) + ~was_finished
    return best, tokens, parents, was_finished | (tokens == end_token), new_lengths.astype(lengths.dtype)
