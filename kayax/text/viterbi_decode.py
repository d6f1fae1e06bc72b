"""The most likely sequences of tags (Viterbi 1967)."""
from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from kayax.bridge.errors import DataDependentShapeError, at_user_line
from kayax.bridge.registry import op
from kayax.bridge.state import tracing
from kayax.bridge.tensor import Tensor
from kayax.layers.layer import Layer


@op(name="text.viterbi_decode", differentiable=False)
def _viterbi(potentials, transitions, lengths, include_bos_eos_tag):
    _, steps, tags = potentials.shape
    start = transitions[-1] if include_bos_eos_tag else 0
    stop = transitions[-2] if include_bos_eos_tag else jnp.zeros(tags, potentials.dtype)
    unmoved = jnp.arange(tags)

    def ends(t: Any) -> Any:
        return jnp.where((lengths == t + 1)[:, None], stop, 0)

    def forward(best: Any, step: Any) -> tuple[Any, Any]:
        t, emitted = step
        reached = best[:, :, None] + transitions
        goes_on = (t < lengths)[:, None]
        origin = jnp.where(goes_on, jnp.argmax(reached, 1), unmoved)
        return jnp.where(goes_on, jnp.max(reached, 1) + emitted + ends(t), best), origin

    def back(tag: Any, origin: Any) -> tuple[Any, Any]:
        return jnp.take_along_axis(origin, tag[:, None], 1)[:, 0], tag

    first = potentials[:, 0] + start + ends(0)
    later = jnp.arange(1, steps), jnp.moveaxis(potentials[:, 1:], 1, 0)
    best, origins = lax.scan(forward, first, later)
    tag, path = lax.scan(back, jnp.argmax(best, 1), origins, reverse=True)
    path = jnp.concatenate([tag[None], path]).T
    return jnp.max(best, 1), jnp.where(jnp.arange(steps) < lengths[:, None], path, 0).astype(jnp.int64)


def viterbi_decode(potentials: Tensor, transition_params: Tensor, lengths: Tensor, include_bos_eos_tag: bool = True,
                   name: str | None = None) -> tuple[Tensor, Tensor]:
    """The best path of tags for each sequence, and its score.

    potentials: [batch, steps, tags]. transition_params: [tags, tags], the score from one tag to the next. lengths:
    int64 [batch]. include_bos_eos_tag: the last row holds the scores of starting, the row before it those of stopping.
    Returns scores [batch] and paths, int64 [batch, longest length], 0 after a sequence's end. The paths' size depends
    on the lengths, so this cannot be part of a program.
    """
    if potentials.ndim != 3 or list(transition_params.shape) != [potentials.shape[2]] * 2:
        raise ValueError("potentials must be [batch, steps, tags] and transition_params [tags, tags], but got "
                         f"{list(potentials.shape)} and {list(transition_params.shape)}.")
    if tracing():
        raise DataDependentShapeError(
            "viterbi_decode gives paths as long as the longest of `lengths`, which an XLA program cannot express."
            f"{at_user_line()}\nKeep the decoding eager (`paddle.jit.not_to_static`).")
    scores, paths = _viterbi(potentials, transition_params, lengths, include_bos_eos_tag)
    return scores, paths[:, :int(np.max(lengths.numpy()))]


class ViterbiDecoder(Layer):
    """`viterbi_decode` with fixed transitions [tags, tags]."""

    def __init__(self, transitions: Tensor, include_bos_eos_tag: bool = True, name: str | None = None):
        super().__init__()
        self.transitions, self.include_bos_eos_tag, self.name = transitions, include_bos_eos_tag, name

    def forward(self, potentials: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Scores [batch] and paths [batch, longest length] of potentials [batch, steps, tags]."""
        return viterbi_decode(potentials, self.transitions, lengths, self.include_bos_eos_tag, self.name)
