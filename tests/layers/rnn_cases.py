"""Recurrent layers to compare with real Paddle: how they are made, and what is compared."""
from __future__ import annotations

import itertools

import numpy as np

X = np.random.RandomState(0).randn(2, 5, 3).astype(np.float32)
LENGTHS = np.array([3, 5])
CELLS = ("LSTMCell", "GRUCell", "SimpleRNNCell")
NETS = ("LSTM", "GRU", "SimpleRNN")


def cases():
    """(name, expression that makes the layer from `nn`, time-major, with lengths, shapes of initial states or None)."""
    for cell, lengths, reverse in itertools.product(CELLS, (False, True), (False, True)):
        states = None if not reverse else ((2, 4), (2, 4)) if cell == "LSTMCell" else (2, 4)
        made = f"nn.RNN(nn.{cell}(3, 4), is_reverse={reverse})"
        yield f"RNN-{cell}-{lengths}-{reverse}", made, False, lengths, states
    for cell in CELLS:
        yield f"BiRNN-{cell}", f"nn.BiRNN(nn.{cell}(3, 4), nn.{cell}(3, 4))", False, True, None
        yield f"RNN-{cell}-time-major", f"nn.RNN(nn.{cell}(3, 4), time_major=True)", True, True, None
    for net, layers, direction, lengths in itertools.product(NETS, (1, 2), ("forward", "bidirect"), (False, True)):
        count = layers * (1 + (direction != "forward"))
        shape = (count, 2, 4)
        # Paddle's gradients are wrong for states and lengths with a backward direction: see test_rnn.py.
        states = None if not lengths or direction != "forward" else (shape, shape) if net == "LSTM" else shape
        made = f"nn.{net}(3, 4, {layers}, '{direction}')"
        yield f"{net}-{layers}-{direction}-{lengths}", made, False, lengths, states
    for net in NETS:
        yield f"{net}-time-major", f"nn.{net}(3, 4, time_major=True)", True, True, None
    yield "SimpleRNN-relu", "nn.SimpleRNN(3, 4, activation='relu')", False, True, None
    yield "LSTM-projected", "nn.LSTM(3, 4, 2, 'bidirect', proj_size=2)", False, True, ((4, 2, 2), (4, 2, 4))


def fill(layer, put):
    """Give every parameter the same values on both sides."""
    random = np.random.RandomState(1)
    for parameter in layer.parameters():
        put(parameter, random.uniform(-0.5, 0.5, [int(d) for d in parameter.shape]).astype(np.float32))


def flat(values):
    if isinstance(values, (list, tuple)):
        return [part for value in values for part in flat(value)]
    return [values]


def run(paddle, layer, time_major, lengths, states):
    """Outputs, last states, then the gradients of the input and of each parameter."""
    x = paddle.to_tensor(X.transpose(1, 0, 2) if time_major else X, stop_gradient=False)
    random = np.random.RandomState(2)

    def made(shape):
        if isinstance(shape[0], tuple):
            return tuple(made(s) for s in shape)
        return paddle.to_tensor(random.randn(*shape).astype(np.float32))

    more = {"sequence_length": paddle.to_tensor(LENGTHS)} if lengths else {}
    results = flat(layer(x, None if states is None else made(states), **more))
    sum((r ** 3).sum() for r in results).backward()
    return [np.asarray(t.numpy()) for t in (*results, x.grad, *[p.grad for p in layer.parameters()])]
