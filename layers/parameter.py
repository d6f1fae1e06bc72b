"""Making parameters: name, initial value, attributes."""
from __future__ import annotations

import operator
from typing import Any

import jax.numpy as jnp

from kayax.bridge.cells import Unread
from kayax.bridge.errors import ArgumentError
from kayax.bridge.parameter import Parameter
from kayax.bridge.registry import attach
from kayax.bridge.state import outside_traces, state
from kayax.layers import initializer as init
from kayax.layers.param_attr import ParamAttr
from kayax.spec import dtype as dtypes
from kayax.spec import unique_name


def create_parameter(shape: Any, dtype: Any, name: str | None = None, attr: Any = None, is_bias: bool = False,
                     default_initializer: Any = None) -> Parameter | None:
    """A new Parameter, or None if `attr` is False.

    Its value comes from `attr`'s initializer, else `default_initializer`, else the global initializer, else Xavier
    uniform for a weight and zeros for a bias.
    """
    return new_parameter(shape, dtype, name, attr, is_bias, default_initializer, "create_parameter_0")


def new_parameter(shape: Any, dtype: Any, name: str | None, attr: Any, is_bias: bool, default_initializer: Any,
                  prefix: str) -> Parameter | None:
    """As `create_parameter`, with a name that starts with `prefix` if none is given."""
    described = ParamAttr.of(attr)
    if described is False:
        return None
    assert isinstance(described, ParamAttr)
    try:
        shape = tuple(operator.index(d) for d in shape)
    except TypeError:
        raise ArgumentError(f"A parameter's shape is a list of integers, but got {shape!r}.") from None
    if any(d < 0 for d in shape):
        raise ArgumentError(f"A parameter's shape must be non-negative, but got {list(shape)}.")
    initialize = (described.initializer or default_initializer or init.global_initializer(is_bias)
                  or (init.Constant(0.0) if is_bias else init.XavierUniform()))
    facts = {"name": described.name or name or unique_name.generate(f"{prefix}.{'b' if is_bias else 'w'}"),
             "trainable": described.trainable, "optimize_attr": {"learning_rate": described.learning_rate},
             "regularizer": described.regularizer, "need_clip": described.need_clip,
             "do_model_average": described.do_model_average}

    def made() -> Parameter:
        if state.graph is not None:
            held = state.graph.parameter(facts["name"])
            if held is not None and tuple(held.shape) == shape:
                return held
        with outside_traces():
            parameter = Parameter(jnp.zeros(shape, dtypes.to_numpy(dtype)), **facts)
            if state.graph is None or not state.graph.adopt(parameter, initialize):
                initialize(parameter)
        return parameter

    if not LazyGuard.open:
        return made()
    parameter = Parameter([], dtype=dtype, **facts)
    parameter.storage = Unread(lambda: made().storage.array)
    return parameter


class LazyGuard:
    """Parameters made inside get their values, and their memory, when they are first used or `initialize()` is called.
    """

    open = 0

    def __enter__(self) -> None:
        LazyGuard.open += 1

    def __exit__(self, *_: Any) -> None:
        LazyGuard.open -= 1


attach("create_parameter", create_parameter)
