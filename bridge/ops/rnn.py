"""Recurrent networks: a stack of layers over all time steps is one operation, one `jax.lax.scan` a direction."""
from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from kayax.bridge.errors import ArgumentError
from kayax.bridge.ops.dropout import keep
from kayax.bridge.registry import op


def _simple(activation: Any) -> Any:
    def step(x, states, weights):
        (h,), (w, _) = states, weights
        return (activation(x + h @ w),)
    return step


def _lstm(x, states, weights):
    """Hochreiter and Schmidhuber 1997; with a projection of the hidden state, Sak et al. 2014."""
    (h, c), (w, _, *projection) = states, weights
    i, f, g, o = jnp.split(x + h @ w, 4, axis=-1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    h = jax.nn.sigmoid(o) * jnp.tanh(c)
    return (h @ projection[0] if projection else h), c


def _gru(x, states, weights):
    """Cho et al. 2014; the reset gate acts on the projected state."""
    (h,), (w, b) = states, weights
    x_r, x_z, x_c = jnp.split(x, 3, axis=-1)
    h_r, h_z, h_c = jnp.split(h @ w + b, 3, axis=-1)
    z = jax.nn.sigmoid(x_z + h_z)
    c = jnp.tanh(x_c + jax.nn.sigmoid(x_r + h_r) * h_c)
    return ((h - c) * z + c,)


# One step: (projected input [B, gates], states, (weight, bias, ...)) -> states; the first of them is the output.
_STEPS = {"lstm": _lstm, "gru": _gru, "tanh": _simple(jnp.tanh), "relu": _simple(jax.nn.relu)}


def _project(x, w_ih, w_hh, b_ih, b_hh, kind):
    """What the inputs, and the biases that no gate multiplies, add to the gates."""
    if x.shape[-1] != w_ih.shape[1]:
        raise ValueError(f"The last dimension of the inputs must be input_size={w_ih.shape[1]}, but the inputs have "
                         f"the shape {list(x.shape)}.")
    if x.dtype != w_ih.dtype or x.dtype != w_hh.dtype:
        raise ArgumentError(f"Inputs and weights must have one dtype, but got {x.dtype.name}, {w_ih.dtype.name} and "
                        f"{w_hh.dtype.name}. Cast one of them.")
    return jnp.matmul(x, w_ih.T) + (b_ih if kind == "gru" else b_ih + b_hh)


def _sizes(weights):
    """The size of each state: the output's, then that of an LSTM's cell."""
    cell = weights[1].shape[0] // 4
    return weights[1].shape[1], cell


def _check_states(states, shapes):
    for state, shape in zip(states, shapes, strict=True):
        if tuple(state.shape) != tuple(shape):
            raise ValueError(f"The initial states must have the shape {list(shape)}, but got {list(state.shape)}.")


@op(name="rnn_cell")
def cell(x, states, weights, kind):
    """One step of a cell: x [B, input], states a list of [B, size], weights [w_ih, w_hh, b_ih, b_hh, (w_ho)].

    Gives the new states as a tuple.
    """
    if x.ndim != 2:
        raise ValueError(f"The inputs of a cell must be [batch, input_size], but have the shape {list(x.shape)}.")
    w_ih, w_hh, b_ih, b_hh, *projection = weights
    _check_states(states, [(x.shape[0], size) for size in _sizes(weights)[:len(states)]])
    return tuple(_STEPS[kind](_project(x, w_ih, w_hh, b_ih, b_hh, kind), states, (w_hh.T, b_hh, *projection)))


def _direction(x, states, weights, mask, kind, reverse, zero_padding):
    """One direction of one layer over x [T, B, input]: outputs [T, B, size] and the last states."""
    w_ih, w_hh, b_ih, b_hh, *projection = weights
    projected = _project(x, w_ih, w_hh, b_ih, b_hh, kind)           # all time steps in one product
    step, constant = _STEPS[kind], (w_hh.T, b_hh, *projection)

    def body(states, now):
        new = step(now[0], states, constant)
        if mask is None:
            return new, new[0]
        kept = tuple(jnp.where(now[1], n, old) for n, old in zip(new, states, strict=True))
        return kept, jnp.where(now[1], new[0], jnp.zeros((), new[0].dtype)) if zero_padding else new[0]

    over = (projected,) if mask is None else (projected, mask)
    last, outputs = jax.lax.scan(body, tuple(states), over, reverse=reverse)
    return outputs, last


def _stack(x, states, weights, lengths, kind, reverses, layers, time_major, stacked, zero_padding, drop):
    if x.ndim != 3:
        axes = "[time, batch, input_size]" if time_major else "[batch, time, input_size]"
        raise ValueError(f"The inputs must be {axes}, but have the shape {list(x.shape)}.")
    x = x if time_major else jnp.swapaxes(x, 0, 1)
    steps, batch = x.shape[:2]
    each, n_states = len(weights) // (layers * len(reverses)), 2 if kind == "lstm" else 1
    sizes = _sizes(weights)[:n_states]
    if states is None:
        states = [jnp.zeros((layers * len(reverses), batch, size), x.dtype) for size in sizes]
    elif not stacked:
        _check_states(states, [(batch, size) for size in sizes])
        states = [state[None] for state in states]
    _check_states(states, [(layers * len(reverses), batch, size) for size in sizes])
    mask = None
    if lengths is not None:
        if lengths.ndim != 1 or lengths.shape[0] != batch or not jnp.issubdtype(lengths.dtype, jnp.integer):
            raise ValueError(f"sequence_length must be integers of shape [{batch}], the batch, but is "
                             f"{lengths.dtype.name}{list(lengths.shape)}.")
        mask = (jnp.arange(steps)[:, None] < lengths)[..., None]
    finals: list[Any] = []
    for layer in range(layers):
        x = drop(x, layer) if layer else x
        outputs = []
        for d, reverse in enumerate(reverses):
            i = layer * len(reverses) + d
            out, last = _direction(x, [state[i] for state in states], weights[i * each:(i + 1) * each], mask, kind,
                                   reverse, zero_padding)
            outputs.append(out)
            finals.append(last)
        x = outputs[0] if len(outputs) == 1 else jnp.concatenate(outputs, -1)
    last_states = [jnp.stack(group) if stacked else group[0] for group in zip(*finals, strict=True)]
    return (x if time_major else jnp.swapaxes(x, 0, 1), *last_states)


@op(name="rnn", residuals=True)
def rnn(x, states, weights, lengths, kind, reverses, layers, time_major, stacked, zero_padding):
    """A stack of recurrent layers over a sequence.

    x: [B, T, input] ([T, B, input] if time_major). states: None for zeros, or a list of [layers * directions, B, size]
    ([B, size] unless `stacked`: one layer, one direction). weights: a flat list, by layer, then by direction, of w_ih,
    w_hh, b_ih, b_hh and an LSTM's projection if it has one. lengths: [B] or None; steps beyond them leave the states as
    they are, and the outputs there are 0 if zero_padding. kind: lstm, gru, tanh, relu. reverses: for each direction,
    whether it runs from the end. Gives the outputs, then the last states.
    """
    return _stack(x, states, weights, lengths, kind, reverses, layers, time_major, stacked, zero_padding,
                  lambda x, _: x)


@op(name="rnn_dropout", random=True, residuals=True, amp="rnn")
def rnn_dropout(key, x, states, weights, lengths, kind, reverses, layers, time_major, stacked, zero_padding, p):
    """As `rnn`, with dropout of probability `p` between the layers."""
    def drop(x, layer):
        if p == 1:
            return jnp.zeros_like(x)
        return jnp.where(keep(jax.random.fold_in(key, layer), 1 - p, x.shape), x / (1 - p), jnp.zeros((), x.dtype))

    return _stack(x, states, weights, lengths, kind, reverses, layers, time_major, stacked, zero_padding, drop)


__all__: list[str] = []
