"""Making parameters: name, initial value, attributes."""
from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from kayax.bridge.parameter import Parameter
from kayax.bridge.state import outside_traces
from kayax.layers import initializer as init
from kayax.layers.param_attr import ParamAttr
from kayax.spec import dtype as dtypes
from kayax.spec import unique_name


def create_parameter(shape: Any, dtype: Any, name: str | None = None, attr: Any = None, is_bias: bool = False,
                     default_initializer: Any = None, *, prefix: str = "create_parameter_0") -> Parameter | None:
    """A new Parameter, or None if `attr` is False.

    Its value comes from `attr`'s initializer, else `default_initializer`, else the global initializer, else Xavier
    uniform for a weight and zeros for a bias.
    """
    described = ParamAttr.of(attr)
    if described is False:
        return None
    assert isinstance(described, ParamAttr)
    shape = tuple(int(d) for d in shape)
    if any(d < 0 for d in shape):
        raise ValueError(f"A parameter's shape must be non-negative, but got {list(shape)}.")
    initialize = (described.initializer or default_initializer or init.global_initializer(is_bias)
                  or (init.Constant(0.0) if is_bias else init.XavierUniform()))
    name = described.name or name or unique_name.generate(f"{prefix}.{'b' if is_bias else 'w'}")
    with outside_traces():
        parameter = Parameter(jnp.zeros(shape, dtypes.to_numpy(dtype)), name=name, trainable=described.trainable,
                              optimize_attr={"learning_rate": described.learning_rate},
                              regularizer=described.regularizer, need_clip=described.need_clip,
                              do_model_average=described.do_model_average)
        initialize(parameter)
    return parameter
