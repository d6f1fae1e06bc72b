"""Recurrent cells and layers (without biases only cells: Paddle 3.3.1 on the CPU crashes on such layers)."""

from __future__ import annotations

from harness import layer, words
from specs import const, f32

STATES = {"SimpleRNN": 1, "GRU": 1, "LSTM": 2}
TIGHT = {"grad_atol": 1e-4}


def with_state(count):
    """Calls the layer with an initial state: one tensor, or a pair for LSTM."""

    def call(P, net, x, *states):
        return net(x, states if count == 2 else states[0])

    return call


for name, count in STATES.items():
    cell = f"nn.{name}Cell"
    layer(cell, lambda P, n=name: getattr(P.nn, n + "Cell")(3, 4), [f32(2, 3)], **TIGHT)
    layer(
        f"{cell}/states",
        lambda P, n=name: getattr(P.nn, n + "Cell")(3, 4),
        [f32(2, 3)] + [f32(2, 4)] * count,
        call=with_state(count),
        **TIGHT,
    )
    layer(
        f"{cell}/no-bias",
        lambda P, n=name: getattr(P.nn, n + "Cell")(3, 4, bias_ih_attr=False, bias_hh_attr=False),
        [f32(2, 3)],
        **TIGHT,
    )
    layer(f"nn.{name}", lambda P, n=name: getattr(P.nn, n)(3, 4), [f32(2, 5, 3)], **TIGHT)
    layer(
        f"nn.{name}/states",
        lambda P, n=name: getattr(P.nn, n)(3, 4),
        [f32(2, 3, 3)] + [f32(1, 2, 4)] * count,
        call=with_state(count),
        **TIGHT,
    )
    layer(
        f"nn.{name}/two-layers-bidirectional",
        lambda P, n=name: getattr(P.nn, n)(3, 2, num_layers=2, direction="bidirect"),
        [f32(2, 3, 3)],
        **TIGHT,
    )
    layer(f"nn.{name}/time-major", lambda P, n=name: getattr(P.nn, n)(3, 4, time_major=True), [f32(4, 2, 3)], **TIGHT)
    layer(
        f"nn.{name}/lengths",
        lambda P, n=name: getattr(P.nn, n)(3, 4),
        [f32(3, 4, 3), const([4, 2, 3], "int64")],
        call=lambda P, net, x, n: net(x, sequence_length=n),
        **TIGHT,
    )
    layer(
        f"nn.{name}/lengths-bidirectional",
        lambda P, n=name: getattr(P.nn, n)(2, 2, direction="bidirectional"),
        [f32(3, 4, 2), const([4, 2, 3], "int64")],
        call=lambda P, net, x, n: net(x, sequence_length=n),
        **TIGHT,
    )
    layer(
        f"nn.{name}/eval-dropout",
        lambda P, n=name: getattr(P.nn, n)(3, 4, num_layers=2, dropout=0.5),
        [f32(2, 3, 3)],
        train=False,
        grad=False,
        **TIGHT,
    )
layer("nn.SimpleRNN/relu", lambda P: P.nn.SimpleRNN(3, 4, activation="relu"), [f32(2, 4, 3)], **TIGHT)
layer("nn.SimpleRNNCell/relu", lambda P: P.nn.SimpleRNNCell(3, 4, activation="relu"), [f32(2, 3)], **TIGHT)
layer("nn.LSTM/proj_size", lambda P: P.nn.LSTM(3, 4, proj_size=2), [f32(2, 3, 3)], **TIGHT)
for name in words("SimpleRNNCell GRUCell LSTMCell"):
    layer(f"nn.RNN/{name}", lambda P, n=name: P.nn.RNN(getattr(P.nn, n)(3, 4)), [f32(2, 4, 3)], **TIGHT)
layer(
    "nn.RNN/reverse-lengths",
    lambda P: P.nn.RNN(P.nn.GRUCell(3, 4), is_reverse=True),
    [f32(3, 4, 3), const([4, 2, 3], "int64")],
    call=lambda P, net, x, n: net(x, sequence_length=n),
    **TIGHT,
)
layer("nn.BiRNN", lambda P: P.nn.BiRNN(P.nn.LSTMCell(3, 4), P.nn.LSTMCell(3, 4)), [f32(2, 4, 3)], **TIGHT)
