"""Recurrent networks over time: any cell, step by step; the known cells and their stacks as one scan."""
from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from kayax.bridge.ops import rnn as rnn_ops
from kayax.bridge.tensor import Tensor, wrap
from kayax.layers import ops
from kayax.layers.containers import LayerList
from kayax.layers.layer import Layer
from kayax.layers.rnn_cells import GRUCell, LSTMCell, RNNCellBase, SimpleRNNCell, _Cell


def _pair(states: Any) -> bool:
    return isinstance(states, (list, tuple))


def _is_known(cell: Any) -> bool:
    """Whether the operation computes what calling the cell would."""
    return type(cell) in (SimpleRNNCell, GRUCell, LSTMCell) and cell._hooks is None


def _select(mask: Any, new: Any, old: Any) -> Any:
    """The new states where the mask is True, for each sample."""
    def one(n: Tensor, o: Tensor) -> Tensor:
        shaped = ops.reshape(mask, [-1] + [1] * (n.ndim - 1))
        return ops.where(shaped, n, o)

    return jax.tree.map(one, new, old)


def _run_known(cell: _Cell, inputs: Tensor, states: Any, lengths: Any, time_major: bool, reverse: bool) -> Any:
    """One direction by the operation."""
    given = None if states is None else list(states) if _pair(states) else [states]
    expected = 2 if isinstance(cell, LSTMCell) else 1
    if given is not None and len(given) != expected:
        raise ValueError(f"The initial states of a {type(cell).__name__} must be "
                         f"{'a pair (h, c)' if expected == 2 else 'one Tensor'}, but got {len(given)}.")
    outputs, *last = rnn_ops.rnn(inputs, given, cell._weights(), lengths, cell._kind, (reverse,), 1, time_major, False,
                                 False)
    return outputs, tuple(last) if expected == 2 else last[0]


def _run_any(cell: Any, inputs: Any, states: Any, lengths: Any, time_major: bool, reverse: bool, kwargs: dict) -> Any:
    """One direction of any cell, step by step."""
    axis = 0 if time_major else 1
    if states is None:
        states = _initial_states(cell, inputs, 1 - axis)
    steps = jax.tree.leaves(inputs)[0].shape[axis]
    mask = None
    if lengths is not None:
        times = wrap(jnp.arange(steps))
        mask = ops.less_than(ops.unsqueeze(times, 1), ops.unsqueeze(ops.cast(lengths, times.dtype), 0))
    split = jax.tree.map(lambda x: ops.unbind(x, axis), inputs, is_leaf=lambda x: isinstance(x, Tensor))
    is_list = lambda x: isinstance(x, list) and bool(x) and isinstance(x[0], Tensor)           # noqa: E731
    outputs: list[Any] = [None] * steps
    for t in reversed(range(steps)) if reverse else range(steps):
        now = jax.tree.map(lambda x, t=t: x[t], split, is_leaf=is_list)
        outputs[t], new = cell(now, states, **kwargs)
        states = new if mask is None else _select(mask[t], new, states)
    return jax.tree.map(lambda *each: ops.stack(list(each), axis=axis), *outputs), states


def _initial_states(cell: Any, inputs: Any, batch_axis: int) -> Any:
    make = getattr(cell, "get_initial_states", None)
    if make is None:
        make = lambda *args, **kwargs: RNNCellBase.get_initial_states(cell, *args, **kwargs)    # noqa: E731
    return make(inputs, batch_dim_idx=batch_axis)


def _run(cell: Any, inputs: Any, states: Any, lengths: Any, time_major: bool, reverse: bool, kwargs: dict) -> Any:
    if _is_known(cell) and not kwargs and isinstance(inputs, Tensor):
        return _run_known(cell, inputs, states, lengths, time_major, reverse)
    return _run_any(cell, inputs, states, lengths, time_major, reverse, kwargs)


class RNN(Layer):
    """A cell run over time.

    cell: any layer whose ``forward(inputs, states)`` gives ``(outputs, new states)``. is_reverse: from the last step to
    the first. inputs: ``[batch, time, ...]``, or ``[time, batch, ...]`` if `time_major`. sequence_length ``[batch]``:
    beyond it the states stay as they are. Gives ``(outputs, final states)``. More keyword arguments go to the cell.
    """

    def __init__(self, cell: Any, is_reverse: bool = False, time_major: bool = False):
        super().__init__()
        self.cell = cell
        self.is_reverse, self.time_major = is_reverse, time_major

    def forward(self, inputs: Any, initial_states: Any = None, sequence_length: Any = None, **kwargs: Any) -> Any:
        return _run(self.cell, inputs, initial_states, sequence_length, self.time_major, self.is_reverse, kwargs)


class BiRNN(Layer):
    """One cell run forwards and one backwards; the outputs are concatenated along the last axis.

    initial_states: a pair, for both cells. Gives ``(outputs, (final states of the one, of the other))``.
    """

    def __init__(self, cell_fw: Any, cell_bw: Any, time_major: bool = False):
        super().__init__()
        sizes = [getattr(cell, "input_size", None) for cell in (cell_fw, cell_bw)]
        if None not in sizes and sizes[0] != sizes[1]:
            raise ValueError(f"Both cells must take inputs of one size, but got {sizes[0]} and {sizes[1]}.")
        self.cell_fw, self.cell_bw, self.time_major = cell_fw, cell_bw, time_major

    def forward(self, inputs: Any, initial_states: Any = None, sequence_length: Any = None, **kwargs: Any) -> Any:
        if initial_states is None:
            initial_states = (None, None)
        if not _pair(initial_states) or len(initial_states) != 2:
            raise ValueError("The initial states of a BiRNN must be a pair: those of cell_fw and those of cell_bw.")
        runs = [_run(cell, inputs, states, sequence_length, self.time_major, reverse, kwargs)
                for cell, states, reverse in ((self.cell_fw, initial_states[0], False),
                                              (self.cell_bw, initial_states[1], True))]
        outputs = jax.tree.map(lambda a, b: ops.concat([a, b], axis=-1), runs[0][0], runs[1][0])
        return outputs, (runs[0][1], runs[1][1])


_DIRECTIONS = {"forward": (False,), "bidirect": (False, True), "bidirectional": (False, True)}


class RNNBase(LayerList):
    """What SimpleRNN, GRU and LSTM share: a stack of layers, in one or two directions."""

    _cell: Any                  # the kind of cell, a subclass of _Cell

    def _setup(self, input_size: int, hidden_size: int, num_layers: int, direction: str, time_major: bool,
               dropout: float, cell: dict[str, Any]) -> None:
        if direction not in _DIRECTIONS:
            raise ValueError(f"direction must be one of {', '.join(_DIRECTIONS)}, but got {direction!r}.")
        if num_layers < 1:
            raise ValueError(f"num_layers must be at least 1, but got {num_layers}.")
        if not 0 <= dropout <= 1:
            raise ValueError(f"dropout must be within [0, 1], but got {dropout}.")
        self._reverses = _DIRECTIONS[direction]
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.num_directions, self.time_major, self.dropout = len(self._reverses), time_major, dropout
        self.mode, self.state_components = type(self).__name__.upper(), 2 if self._cell is LSTMCell else 1
        self.proj_size = cell.get("proj_size", 0)
        size = input_size
        for _ in range(num_layers):
            cells = [self._cell(size, hidden_size, **cell) for _ in self._reverses]
            self.append(RNN(cells[0], False, time_major) if len(cells) == 1 else BiRNN(cells[0], cells[1], time_major))
            size = len(cells) * (self.proj_size or hidden_size)
        self._name_weights([name for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
                            if not (name.startswith("bias") and cell[f"{name}_attr"] is False)])

    def _name_weights(self, names: list[str]) -> None:
        """Register the cells' parameters on the layer too, as `weight_ih_l0` and so on."""
        held = [p for cell in self._cells() for name, p in cell.named_parameters()
                if name in names or name.startswith("weight")]
        suffixes = [f"_l{i}{'_reverse' * d}" for i in range(self.num_layers) for d in range(self.num_directions)]
        # Paddle pairs names and parameters in their order, and has no name for an LSTM's projection: with one, the
        # names come to stand for other parameters. Saved states depend on it.
        for name, parameter in zip([n + suffix for suffix in suffixes for n in names], held, strict=False):
            setattr(self, name, parameter)

    def _cells(self) -> list[_Cell]:
        return [cell for layer in self for cell in ([layer.cell] if isinstance(layer, RNN)
                                                    else [layer.cell_fw, layer.cell_bw])]

    def flatten_parameters(self) -> None:
        """Nothing: for cuDNN, Paddle puts all weights into one buffer here."""

    def forward(self, inputs: Tensor, initial_states: Any = None, sequence_length: Any = None) -> Any:
        states = None
        if initial_states is not None:
            states = list(initial_states) if _pair(initial_states) else [initial_states]
            if len(states) != self.state_components:
                raise ValueError(f"The initial states of {type(self).__name__} must be "
                                 f"{'a pair (h, c)' if self.state_components == 2 else 'one Tensor'}, but got "
                                 f"{len(states)}.")
        cells = self._cells()
        if not all(map(_is_known, cells)):
            raise TypeError(f"The cells of {type(self).__name__} must be {self._cell.__name__}s without hooks: they "
                            "are computed all at once. Use RNN or BiRNN with cells of your own.")
        weights = [w for cell in cells for w in cell._weights()]
        # Paddle's kernel writes zeros beyond a sequence's length; with a projection it runs the cells, which do not.
        how = (sequence_length, cells[0]._kind, self._reverses, self.num_layers, self.time_major, True,
               not self.proj_size)
        if self.training and self.dropout and self.num_layers > 1:
            outputs, *last = rnn_ops.rnn_dropout(inputs, states, weights, *how, self.dropout)
        else:
            outputs, *last = rnn_ops.rnn(inputs, states, weights, *how)
        return outputs, tuple(last) if self.state_components == 2 else last[0]

    def extra_repr(self) -> str:
        shown = f"{self.input_size}, {self.hidden_size}"
        for name, usual in (("num_layers", 1), ("time_major", False), ("dropout", 0)):
            if getattr(self, name) != usual:
                shown += f", {name}={getattr(self, name)}"
        return shown


class SimpleRNN(RNNBase):
    """Layers of `SimpleRNNCell`. Arguments and results as `LSTM`, with one state h instead of the pair."""

    _cell = SimpleRNNCell

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, direction: str = "forward",
                 time_major: bool = False, dropout: float = 0.0, activation: str = "tanh", weight_ih_attr: Any = None,
                 weight_hh_attr: Any = None, bias_ih_attr: Any = None, bias_hh_attr: Any = None,
                 name: str | None = None):
        super().__init__()
        if activation not in ("tanh", "relu"):
            raise ValueError(f"activation of SimpleRNN must be 'tanh' or 'relu', but got {activation!r}.")
        self.activation = activation
        self._setup(input_size, hidden_size, num_layers, direction, time_major, dropout, {
            "activation": activation, "weight_ih_attr": weight_ih_attr, "weight_hh_attr": weight_hh_attr,
            "bias_ih_attr": bias_ih_attr, "bias_hh_attr": bias_hh_attr})


class LSTM(RNNBase):
    """Layers of `LSTMCell` over a sequence.

    inputs: ``[batch, time, input_size]``, or ``[time, batch, input_size]`` if `time_major`. initial_states: None for
    zeros, or ``(h, c)``, each ``[num_layers * directions, batch, hidden_size]`` (h: `proj_size` if there is one).
    sequence_length ``[batch]``: beyond it the outputs are 0 and the states stay as they are. direction: "forward",
    "bidirect" or "bidirectional". dropout: between the layers, while training.
    Gives the outputs ``[batch, time, directions * hidden_size]`` and ``(h, c)``.
    """

    _cell = LSTMCell

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, direction: str = "forward",
                 time_major: bool = False, dropout: float = 0.0, weight_ih_attr: Any = None, weight_hh_attr: Any = None,
                 bias_ih_attr: Any = None, bias_hh_attr: Any = None, proj_size: int = 0, name: str | None = None):
        super().__init__()
        self._setup(input_size, hidden_size, num_layers, direction, time_major, dropout, {
            "weight_ih_attr": weight_ih_attr, "weight_hh_attr": weight_hh_attr, "bias_ih_attr": bias_ih_attr,
            "bias_hh_attr": bias_hh_attr, "proj_size": proj_size})


class GRU(RNNBase):
    """Layers of `GRUCell`. Arguments and results as `LSTM`, with one state h instead of the pair."""

    _cell = GRUCell

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, direction: str = "forward",
                 time_major: bool = False, dropout: float = 0.0, weight_ih_attr: Any = None, weight_hh_attr: Any = None,
                 bias_ih_attr: Any = None, bias_hh_attr: Any = None, name: str | None = None):
        super().__init__()
        self._setup(input_size, hidden_size, num_layers, direction, time_major, dropout, {
            "weight_ih_attr": weight_ih_attr, "weight_hh_attr": weight_hh_attr, "bias_ih_attr": bias_ih_attr,
            "bias_hh_attr": bias_hh_attr})


__all__ = ["GRU", "GRUCell", "LSTM", "LSTMCell", "RNN", "BiRNN", "RNNCellBase", "SimpleRNN", "SimpleRNNCell"]
