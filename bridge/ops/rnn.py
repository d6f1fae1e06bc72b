"""Recurrent layers: one operation runs one direction of one layer over all time steps."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from kayax.bridge.registry import op

_NAME = "nn.functional."


def _gates_of_input(x: Any, w_ih: Any, b_ih: Any, w_hh: Any) -> Any:
    """``x @ w_ih^T + b_ih`` for all steps at once: one large matmul instead of one per step."""
    if x.shape[-1] != w_ih.shape[1]:
        raise ValueError(f"The last dimension of the input must be {w_ih.shape[1]} (input_size), but its shape is {list(x.shape)}.")
    gates = jnp.matmul(x, w_ih.T)
    return gates if b_ih is None else gates + b_ih


def _run(step: Callable, state: Any, gates: Any, lengths: Any, reverse: bool, time_major: bool) -> tuple[Any, Any]:
    """`step` over time; beyond a sequence's length the state stands still and the output is 0."""
    gates = gates if time_major else jnp.swapaxes(gates, 0, 1)

    def body(carry, item):
        t, g = item
        new, out = step(carry, g)
        if lengths is not None:
            alive = (t < lengths)[:, None]
            new = jax.tree.map(lambda a, b: jnp.where(alive, a, b), new, carry)
            out = jnp.where(alive, out, jnp.zeros((), out.dtype))
        return new, out

    final, outs = lax.scan(body, state, (jnp.arange(gates.shape[0]), gates), reverse=reverse)
    return final, outs if time_major else jnp.swapaxes(outs, 0, 1)


def _recurrent(h: Any, w: Any, b: Any) -> Any:
    y = jnp.matmul(h, w)
    return y if b is None else y + b


@op(name=_NAME + "lstm_layer", amp="rnn", residuals=True)
def lstm_layer(x, h, c, w_ih, w_hh, b_ih=None, b_hh=None, w_hr=None, lengths=None, reverse=False, time_major=False):
    """One direction of one LSTM layer. Returns outputs, final h, final c.

    x: [batch, time, in], or [time, batch, in] if `time_major`. h: [batch, hidden (or projection)], c: [batch, hidden].
    w_ih: [4 hidden, in], w_hh: [4 hidden, hidden], gates in the order input, forget, cell, output. w_hr: [hidden, projection].
    lengths: [batch], the number of valid steps. reverse: from the last step to the first.
    """
    w = w_hh.T

    def step(carry, gates):
        h, c = carry
        i, f, g, o = jnp.split(gates + _recurrent(h, w, b_hh), 4, axis=-1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        if w_hr is not None:
            h = jnp.matmul(h, w_hr)
        return (h, c), h

    (h, c), outs = _run(step, (h, c), _gates_of_input(x, w_ih, b_ih, w_hh), lengths, reverse, time_major)
    return outs, h, c


@op(name=_NAME + "gru_layer", amp="rnn", residuals=True)
def gru_layer(x, h, w_ih, w_hh, b_ih=None, b_hh=None, lengths=None, reverse=False, time_major=False):
    """One direction of one GRU layer, gates in the order reset, update, candidate; the arguments are those of `lstm_layer`."""
    w = w_hh.T

    def step(h, gates):
        x_r, x_z, x_c = jnp.split(gates, 3, axis=-1)
        h_r, h_z, h_c = jnp.split(_recurrent(h, w, b_hh), 3, axis=-1)
        z = jax.nn.sigmoid(x_z + h_z)
        candidate = jnp.tanh(x_c + jax.nn.sigmoid(x_r + h_r) * h_c)
        h = (h - candidate) * z + candidate
        return h, h

    h, outs = _run(step, h, _gates_of_input(x, w_ih, b_ih, w_hh), lengths, reverse, time_major)
    return outs, h


@op(name=_NAME + "simple_rnn_layer", amp="rnn", residuals=True)
def simple_rnn_layer(x, h, w_ih, w_hh, b_ih=None, b_hh=None, activation="tanh", lengths=None, reverse=False, time_major=False):
    """One direction of one plain recurrent layer, ``h = activation(W x + b + U h + c)`` with "tanh" or "relu"."""
    if activation not in ("tanh", "relu"):
        raise ValueError(f"activation must be 'tanh' or 'relu', but got {activation!r}.")
    act, w = jnp.tanh if activation == "tanh" else jax.nn.relu, w_hh.T

    def step(h, gates):
        h = act(gates + _recurrent(h, w, b_hh))
        return h, h

    h, outs = _run(step, h, _gates_of_input(x, w_ih, b_ih, w_hh), lengths, reverse, time_major)
    return outs, h


__all__: list[str] = []
