"""Decoding step by step: the protocol of decoders, beam search, and the loop that runs them."""
from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import jax

from kayax.bridge.ops.beams import IMPOSSIBLE, beam_search_step, gather_beams
from kayax.bridge.tensor import Tensor
from kayax.layers import functional as F
from kayax.layers import ops


class Decoder:
    """What `dynamic_decode` runs: a subclass defines `initialize` and `step`, and `finalize` if it has to."""

    holds_settings = True

    def initialize(self, inits: Any) -> tuple[Any, Any, Tensor]:
        """The first inputs, the first states, and which sequences are finished before the first step."""
        raise NotImplementedError(f"{type(self).__name__} does not define initialize(inits).")

    def step(self, time: Tensor, inputs: Any, states: Any, **kwargs: Any) -> tuple[Any, Any, Any, Tensor]:
        """One step: its outputs, the next states, the next inputs, and which sequences are finished."""
        raise NotImplementedError(f"{type(self).__name__} does not define step(time, inputs, states).")

    def finalize(self, outputs: Any, final_states: Any, sequence_lengths: Tensor) -> tuple[Any, Any]:
        """The outputs and states to give to the user, from the outputs of all steps: [time, batch, ...]."""
        raise NotImplementedError(f"{type(self).__name__} does not define finalize.")

    @property
    def tracks_own_finished(self) -> bool:
        """Whether `step` already says what is finished in all; False: `dynamic_decode` adds it up."""
        return False


class _Output(NamedTuple):
    """Of one step, [batch, beams] each."""

    scores: Tensor
    predicted_ids: Tensor
    parent_ids: Tensor


class _State(NamedTuple):
    """Between two steps: the cell's states [batch, beams, ...], the rest [batch, beams]."""

    cell_states: Any
    log_probs: Tensor
    finished: Tensor
    lengths: Tensor


class BeamSearchDecoder(Decoder):
    """The `beam_size` most probable sequences that a recurrent cell produces.

    cell: called with the inputs and states of all beams as one batch. embedding_fn: from token ids [batch, beams] to
    the cell's inputs (the ids themselves if None). output_fn: from the cell's outputs to logits of the vocabulary.
    start_token, end_token: ids. What the cell reads besides must have its batch repeated for every beam:
    `tile_beam_merge_with_batch`.
    """

    OutputWrapper, StateWrapper = _Output, _State

    def __init__(self, cell: Any, start_token: int, end_token: int, beam_size: int,
                 embedding_fn: Callable | None = None, output_fn: Callable | None = None):
        self.cell, self.embedding_fn, self.output_fn = cell, embedding_fn, output_fn
        self.start_token, self.end_token, self.beam_size = start_token, end_token, beam_size

    @staticmethod
    def tile_beam_merge_with_batch(x: Tensor, beam_size: int) -> Tensor:
        """Every batch element `beam_size` times: [batch, ...] to [batch * beam_size, ...]."""
        return ops.repeat_interleave(x, beam_size, 0)

    def initialize(self, initial_cell_states: Any) -> tuple[Any, _State, Tensor]:
        """The first inputs, states and finished beams. Only the first beam counts, since all are alike."""
        state = jax.tree.leaves(initial_cell_states)[0]
        beams = [state.shape[0], self.beam_size]
        states = jax.tree.map(lambda x: self._split(self.tile_beam_merge_with_batch(x, self.beam_size)),
                              initial_cell_states)
        first = ops.cast(ops.arange(self.beam_size) > 0, ops.zeros([]).dtype) * IMPOSSIBLE
        tokens = ops.full(beams, self.start_token, "int64")
        finished = ops.zeros(beams, "bool")
        start = _State(states, ops.expand(first, beams), finished, ops.zeros_like(tokens))
        return self._embedded(tokens), start, finished

    def step(self, time: Any, inputs: Any, states: Any, **kwargs: Any) -> tuple[_Output, _State, Any, Tensor]:
        """Run the cell on all beams, and keep the best continuations."""
        outputs, cells = self.cell(jax.tree.map(_merge, inputs), jax.tree.map(_merge, states.cell_states), **kwargs)
        outputs, cells = jax.tree.map(self._split, outputs), jax.tree.map(self._split, cells)
        logits = outputs if self.output_fn is None else self.output_fn(outputs)
        scores, tokens, parents, finished, lengths = beam_search_step(
            logits, states.log_probs, states.finished, states.lengths, self.end_token)
        cells = jax.tree.map(lambda x: gather_beams(x, parents), cells)
        return (_Output(scores, tokens, parents), _State(cells, scores, finished, lengths), self._embedded(tokens),
                finished)

    def finalize(self, outputs: Any, final_states: Any, sequence_lengths: Tensor) -> tuple[Tensor, Any]:
        """The tokens of the full sequences: [time, batch, beams]."""
        return F.gather_tree(outputs.predicted_ids, outputs.parent_ids), final_states

    @property
    def tracks_own_finished(self) -> bool:
        """True: beams change places, so only the decoder knows."""
        return True

    def _embedded(self, tokens: Tensor) -> Any:
        return tokens if self.embedding_fn is None else self.embedding_fn(tokens)

    def _split(self, x: Tensor) -> Tensor:
        return ops.reshape(x, [-1, self.beam_size, *x.shape[1:]])


def _merge(x: Tensor) -> Tensor:
    return ops.reshape(x, [-1, *x.shape[2:]])


def dynamic_decode(decoder: Decoder, inits: Any = None, max_step_num: int | None = None,
                   output_time_major: bool = False, impute_finished: bool = False, is_test: bool = False,
                   return_length: bool = False, **kwargs: Any) -> tuple[Any, ...]:
    """Run a decoder until every sequence is finished.

    max_step_num: at most this step, counted from 0. output_time_major: outputs [time, batch, ...] instead of
    [batch, time, ...]. impute_finished: states of finished sequences stay (for decoders that do not track them).
    is_test is accepted and has no effect. Gives the outputs, the last states and, with `return_length`, the lengths.
    How many steps there are depends on values, so this cannot be part of a converted function.
    """
    inputs, states, finished = decoder.initialize(inits)
    lengths = ops.cast(ops.zeros_like(finished), "int64")
    steps: list[Any] = []
    while not bool(ops.all(finished)) and (max_step_num is None or len(steps) <= max_step_num):
        time = ops.full([1], len(steps), "int64")
        outputs, new_states, inputs, now = decoder.step(time, inputs, states, **kwargs)
        if decoder.tracks_own_finished:
            if not hasattr(new_states, "lengths"):
                warnings.warn("The decoder's states have no `lengths`: the lengths that are returned are zeros.",
                              stacklevel=2)
            lengths = getattr(new_states, "lengths", lengths)
        else:
            now = ops.logical_or(now, finished)
            lengths = lengths + ops.cast(ops.logical_not(now), "int64")     # as in Paddle, without the last step
            if impute_finished:
                new_states = jax.tree.map(lambda old, new, done=now: _where_finished(done, old, new), states,
                                          new_states)
        steps.append(outputs)
        states, finished = new_states, now
    if not steps:
        raise ValueError("Every sequence was finished before the first step: there is nothing to decode.")
    final = jax.tree.map(lambda *parts: ops.stack(parts, 0), *steps)
    if type(decoder).finalize is not Decoder.finalize:
        final, states = decoder.finalize(final, states, lengths)
    if not output_time_major:
        final = jax.tree.map(lambda x: ops.transpose(x, [1, 0, *range(2, x.ndim)]), final)
    return (final, states, lengths) if return_length else (final, states)


def _where_finished(finished: Tensor, old: Tensor, new: Tensor) -> Tensor:
    return ops.where(ops.reshape(finished, [*finished.shape, *[1] * (new.ndim - finished.ndim)]), old, new)


__all__ = ["BeamSearchDecoder", "dynamic_decode"]
