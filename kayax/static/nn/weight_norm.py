"""Weights of two parameters, direction and length: what `static.WeightNormParamAttr` asks for."""
from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from kayax.bridge.ops import reparametrize
from kayax.bridge.parameter import Parameter
from kayax.layers.initializer import Initializer
from kayax.layers.param_attr import WeightNormParamAttr
from kayax.layers.parameter import new_parameter


class NormOf(Initializer):
    """The norms of another parameter, over all dimensions but one (all, if None)."""

    def __init__(self, direction: Parameter, dim: int | None):
        self.direction, self.dim = direction, dim

    def __call__(self, param: Any, block: Any = None) -> None:
        array = self.direction.storage.array
        axes = tuple(i for i in range(array.ndim) if i != self.dim)
        param.storage.array = jnp.sqrt((array**2).sum(axes)).reshape(param.storage.array.shape)


def normed(direction: Parameter, attr: WeightNormParamAttr, name: str) -> Any:
    """``g * v / norm(v)``, with a new parameter of this name for the length g, at first that of v."""
    dim = None if attr.dim is None else attr.dim % direction.ndim
    shape = [n if i == dim else 1 for i, n in enumerate(direction.shape)]
    length: Any = new_parameter(shape, direction.dtype, None, attr.part(name, NormOf(direction, dim)), False, None, "")
    weight = reparametrize.weight_norm(direction, length if dim is not None else length.reshape([1]), dim)
    WeightNormParamAttr.params_with_weight_norm.append(weight)
    return weight


__all__ = ["normed"]
