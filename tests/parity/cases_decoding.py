"""Decoding: beam search over a recurrent cell, and the loop with a decoder of the user's own."""

from __future__ import annotations

import numpy as np
from harness import fill_layer, program


def search(P, kind, beams, steps, **options):
    net = P.nn.LayerList([P.nn.Embedding(7, 3), getattr(P.nn, kind + "Cell")(3, 4), P.nn.Linear(4, 7)])
    fill_layer(P, net, kind)
    embedding, cell, output = net
    decoder = P.nn.BeamSearchDecoder(cell, 0, 1, beams, lambda ids: embedding(ids) * 4.0, lambda h: output(h) * 4.0)
    start = cell.get_initial_states(P.ones([2, 3]))
    start = start + P.to_tensor([[0.5], [-0.7]]) if kind == "GRU" else start
    return P.nn.dynamic_decode(decoder, start, steps, return_length=True, **options)


@program("nn.BeamSearchDecoder/GRU")
def beam_search(P):
    ids, states, lengths = search(P, "GRU", 3, 5)
    return {"ids": ids, "cells": states.cell_states, "scores": states.log_probs, "finished": states.finished,
            "lengths": lengths}


@program("nn.BeamSearchDecoder/LSTM-time-major")
def beam_search_lstm(P):
    ids, states, lengths = search(P, "LSTM", 2, 3, output_time_major=True)
    return {"ids": ids, "scores": states.log_probs, "cells": list(states.cell_states), "lengths": lengths}


@program("nn.BeamSearchDecoder/tile")
def tile(P):
    return P.nn.BeamSearchDecoder.tile_beam_merge_with_batch(P.arange(6, dtype="float32").reshape([2, 3]), 2)


def counting(P):
    class Counting(P.nn.BeamSearchDecoder.__mro__[1]):
        """Sequence i counts to i + 1."""

        def initialize(self, inits):
            return inits, P.zeros([3, 2]), P.zeros([3], "bool")

        def step(self, time, inputs, states, scale=1.0):
            states = states + 1
            now = {"count": states * scale, "time": inputs + time.astype("float32")}
            return now, states, inputs, states[:, 0] >= inputs

    return Counting()


for impute in (False, True):

    @program(f"nn.dynamic_decode/own-decoder,impute={impute}")
    def own(P, impute=impute):
        ends = P.to_tensor(np.array([1.0, 2.0, 3.0], "float32"))
        outputs, states, lengths = P.nn.dynamic_decode(
            counting(P), ends, impute_finished=impute, return_length=True, scale=0.5
        )
        return {"outputs": outputs, "states": states, "lengths": lengths}
