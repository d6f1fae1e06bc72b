"""Cells of recurrent networks: one step of time."""
from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp

from kayax.bridge.ops import rnn as rnn_ops
from kayax.bridge.parameter import Parameter
from kayax.bridge.tensor import Tensor, wrap
from kayax.layers import initializer as init
from kayax.layers.layer import Layer
from kayax.spec import dtype as dtypes


def _is_shape(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(not isinstance(d, (list, tuple)) for d in value)


class RNNCellBase(Layer):
    """The base of cells. A subclass defines ``forward(inputs, states)``, which gives ``(outputs, new states)``, and the
    property `state_shape`: the shape of the states without the batch, nested as the states are."""

    @property
    def state_shape(self) -> Any:
        """The shape of the states without the batch; a subclass defines it."""
        raise NotImplementedError(f"{type(self).__name__} does not define the property state_shape, the shape of its "
                                  "states without the batch. Define it, or pass initial states.")

    @property
    def state_dtype(self) -> Any:
        """The data type of the states; a subclass may define it, else it is the layer's."""
        raise NotImplementedError(f"{type(self).__name__} does not define the property state_dtype.")

    def get_initial_states(self, batch_ref: Any, shape: Any = None, dtype: Any = None, init_value: float = 0.0,
                           batch_dim_idx: int = 0) -> Any:
        """States filled with `init_value`, for a batch as large as that of `batch_ref` along `batch_dim_idx`.

        shape, dtype: those of the states without the batch, nested as the states are; `state_shape` and `state_dtype`
        if None.
        """
        batch = jax.tree.leaves(batch_ref)[0].shape[batch_dim_idx]
        shapes = self.state_shape if shape is None else shape
        if dtype is None:
            try:
                dtype = self.state_dtype
            except NotImplementedError:
                dtype = self._dtype

        def fill(size: Any, kind: Any) -> Any:
            size = [d for d in size if d != -1] if isinstance(size, (list, tuple)) else [size]
            return wrap(jnp.full((batch, *size), init_value, dtypes.to_numpy(kind)))

        return _map_shapes(fill, shapes, dtype)


def _map_shapes(fill: Any, shapes: Any, dtype: Any) -> Any:
    if _is_shape(shapes):
        return fill(shapes, dtype)
    dtypes_each = dtype if isinstance(dtype, (list, tuple)) else [dtype] * len(shapes)
    return type(shapes)([_map_shapes(fill, s, d) for s, d in zip(shapes, dtypes_each, strict=True)])


class _Cell(RNNCellBase):
    """What the three cells share: their parameters. `_gates` is how many projections of the state there are."""

    _gates = 1
    _kind = ""

    def _setup(self, input_size: int, hidden_size: int, attrs: tuple[Any, Any, Any, Any], proj_size: int = 0) -> None:
        if hidden_size <= 0:
            raise ValueError(f"hidden_size of {type(self).__name__} must be positive, but got {hidden_size}.")
        if proj_size < 0 or proj_size >= hidden_size:
            raise ValueError(f"proj_size must be at least 0 and below hidden_size={hidden_size}, but got {proj_size}.")
        self.input_size, self.hidden_size = input_size, hidden_size
        rows, state = self._gates * hidden_size, proj_size or hidden_size
        bound = 1.0 / math.sqrt(hidden_size)
        shapes = {"weight_ih": [rows, input_size], "weight_hh": [rows, state], "bias_ih": [rows], "bias_hh": [rows]}
        for (name, shape), attr in zip(shapes.items(), attrs, strict=True):
            setattr(self, name, self._parameter(shape, attr, init.Uniform(-bound, bound)))
        if proj_size:
            self.weight_ho = self.create_parameter([hidden_size, proj_size],
                                                   default_initializer=init.Uniform(-bound, bound))

    def _parameter(self, shape: list[int], attr: Any, initializer: Any) -> Parameter | None:
        """attr False means a frozen parameter that changes nothing: ones for a weight, zeros for a bias."""
        is_bias, frozen = len(shape) == 1, attr is False
        if frozen:
            attr, initializer = None, init.Constant(0.0 if is_bias else 1.0)
        parameter = self.create_parameter(shape, attr=attr, is_bias=is_bias, default_initializer=initializer)
        if frozen and parameter is not None:
            parameter.stop_gradient = True
        return parameter

    def _weights(self) -> list[Tensor]:
        """What the operation needs, in its order."""
        names = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"] + ["weight_ho"] * ("weight_ho" in self._parameters)
        return [getattr(self, name) for name in names]

    def _step(self, inputs: Tensor, states: list[Tensor]) -> tuple[Tensor, ...]:
        return rnn_ops.cell(inputs, states, self._weights(), self._kind)

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}"


class _OneState(_Cell):
    @property
    def state_shape(self) -> tuple[int]:
        """The shape of the state without the batch."""
        return (self.hidden_size,)

    def forward(self, inputs: Tensor, states: Tensor | None = None) -> tuple[Tensor, Tensor]:
        if states is None:
            states = self.get_initial_states(inputs, dtype=inputs.dtype)
        if not isinstance(states, Tensor):
            raise TypeError(f"The states of a {type(self).__name__} must be one Tensor, not {type(states).__name__}.")
        new, = self._step(inputs, [states])
        return new, new


class SimpleRNNCell(_OneState):
    """``h' = act(W_ih x + b_ih + W_hh h + b_hh)``, with tanh or relu (Elman, 1990).

    inputs ``[batch, input_size]``, states ``[batch, hidden_size]``; gives ``(h', h')``. Attrs of False: a parameter
    that is not trained, ones for a weight and zeros for a bias, as in Paddle.
    """

    def __init__(self, input_size: int, hidden_size: int, activation: str = "tanh", weight_ih_attr: Any = None,
                 weight_hh_attr: Any = None, bias_ih_attr: Any = None, bias_hh_attr: Any = None,
                 name: str | None = None):
        super().__init__()
        if activation not in ("tanh", "relu"):
            raise ValueError(f"activation of SimpleRNNCell must be 'tanh' or 'relu', but got {activation!r}.")
        self.activation, self._kind = activation, activation
        self._setup(input_size, hidden_size, (weight_ih_attr, weight_hh_attr, bias_ih_attr, bias_hh_attr))

    def extra_repr(self) -> str:
        return super().extra_repr() + (f", activation={self.activation}" if self.activation != "tanh" else "")


class GRUCell(_OneState):
    """A gated recurrent unit (Cho et al., 2014): ``h' = z * h + (1 - z) * tanh(W_ic x + b_ic + r * (W_hc h + b_hc))``.

    inputs ``[batch, input_size]``, states ``[batch, hidden_size]``; gives ``(h', h')``. The rows of the weights are in
    the order r, z, c.
    """

    _gates, _kind = 3, "gru"

    def __init__(self, input_size: int, hidden_size: int, weight_ih_attr: Any = None, weight_hh_attr: Any = None,
                 bias_ih_attr: Any = None, bias_hh_attr: Any = None,
                 name: str | None = None):
        super().__init__()
        self._setup(input_size, hidden_size, (weight_ih_attr, weight_hh_attr, bias_ih_attr, bias_hh_attr))


class LSTMCell(_Cell):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997): ``c' = f * c + i * g``, ``h' = o * tanh(c')``.

    inputs ``[batch, input_size]``, states a pair ``(h, c)`` of ``[batch, hidden_size]``; gives ``(h', (h', c'))``. The
    rows of the weights are in the order i, f, g, o. proj_size: project h' to this size (Sak et al., 2014).
    """

    _gates, _kind = 4, "lstm"

    def __init__(self, input_size: int, hidden_size: int, weight_ih_attr: Any = None, weight_hh_attr: Any = None,
                 bias_ih_attr: Any = None, bias_hh_attr: Any = None, proj_size: int = 0, name: str | None = None):
        super().__init__()
        self._setup(input_size, hidden_size, (weight_ih_attr, weight_hh_attr, bias_ih_attr, bias_hh_attr), proj_size)
        self.proj_size = proj_size

    @property
    def state_shape(self) -> tuple[tuple[int], tuple[int]]:
        """The shapes of h and c without the batch."""
        return (self.proj_size or self.hidden_size,), (self.hidden_size,)

    def forward(self, inputs: Tensor, states: Any = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        if states is None:
            states = self.get_initial_states(inputs, dtype=inputs.dtype)
        if not isinstance(states, (list, tuple)) or len(states) != 2:
            raise ValueError(f"The states of an LSTMCell must be a pair (h, c), but got {type(states).__name__}"
                             + (f" of {len(states)}." if isinstance(states, (list, tuple)) else "."))
        h, c = self._step(inputs, list(states))
        return h, (h, c)


__all__ = ["GRUCell", "LSTMCell", "RNNCellBase", "SimpleRNNCell"]
