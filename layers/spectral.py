"""Spectral normalization of a weight that is given at each call."""
from __future__ import annotations

import math
from typing import Any

from kayax.bridge.errors import ArgumentError
from kayax.bridge.ops import reparametrize
from kayax.bridge.tensor import Tensor
from kayax.layers import initializer as init
from kayax.layers.layer import Layer


class SpectralNorm(Layer):
    """A weight divided by its largest singular value (Miyato et al., 2018), found by `power_iters` steps of the power
    iteration from `weight_u` and `weight_v`, which stay as they are. dim: the axis that counts as rows.

    The vectors count as constants in the gradient, which agrees with finite differences; Paddle 3.3's does not.
    """

    def __init__(self, weight_shape: Any, dim: int = 0, power_iters: int = 1, eps: float = 1e-12,
                 dtype: Any = "float32"):
        super().__init__(dtype=dtype)
        shape = list(weight_shape)
        if not shape or math.prod(shape) <= 0:
            raise ValueError(f"weight_shape must have positive sizes, but got {shape}.")
        if not -len(shape) <= dim < len(shape):
            raise ArgumentError(f"dim must be within [-{len(shape)}, {len(shape)}), but got {dim}.")
        self._shape, self._dim, self._power_iters, self._eps = shape, dim % len(shape), power_iters, eps
        rows = shape[self._dim]
        self.weight_u = self.create_parameter([rows], default_initializer=init.Normal(0.0, 1.0))
        self.weight_v = self.create_parameter([math.prod(shape) // rows], default_initializer=init.Normal(0.0, 1.0))
        self.weight_u.stop_gradient = self.weight_v.stop_gradient = True

    def forward(self, x: Tensor) -> Tensor:
        if list(x.shape) != self._shape:
            raise ValueError(f"The weight must have the shape {self._shape}, but got {list(x.shape)}.")
        u, v = reparametrize.power_iteration(x, self.weight_u, self.weight_v, self._dim, self._power_iters, self._eps)
        return reparametrize.spectral_norm(x, u, v, self._dim)


__all__ = ["SpectralNorm"]
