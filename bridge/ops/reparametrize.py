"""Weights computed from other parameters: weight normalization and spectral normalization."""
from __future__ import annotations

import jax.numpy as jnp
from jax import lax

from kayax.bridge.registry import op


def _others(ndim, dim):
    return tuple(i for i in range(ndim) if i != dim)


def _norm(v, dim):
    """The 2-norm over all axes but `dim` (over all if None), with the axes kept."""
    axes = None if dim is None else _others(v.ndim, dim)
    return jnp.sqrt(jnp.sum(v * v, axes, keepdims=dim is not None))


@op(name="nn.utils.weight_norm_of")
def norm_except(v, dim):
    """The norm of `v` over all axes but `dim` (None: over all), as a vector (a scalar)."""
    return _norm(v, dim).reshape(() if dim is None else (v.shape[dim],))


@op(name="nn.utils.weight_norm")
def weight_norm(v, g, dim):
    """``g * v / |v|`` (Salimans and Kingma 2016), with one norm for each index along `dim`."""
    shape = () if dim is None else tuple(v.shape[i] if i == dim else 1 for i in range(v.ndim))
    return v * (g.reshape(shape) / _norm(v, dim))


def _unit(x, eps):
    return x / jnp.maximum(jnp.sqrt(jnp.sum(x * x)), eps)


def _matrix(weight, dim):
    return jnp.moveaxis(weight, dim, 0).reshape(weight.shape[dim], -1)


@op(name="nn.utils.power_iteration", differentiable=False)
def power_iteration(weight, u, v, dim, iterations, eps):
    """Better singular vectors u [rows] and v [columns] of the weight as a matrix, with `dim` for rows."""
    matrix = _matrix(weight, dim)
    for _ in range(iterations):
        v = _unit(matrix.T @ u, eps)
        u = _unit(matrix @ v, eps)
    return u, v


@op(name="nn.utils.spectral_norm")
def spectral_norm(weight, u, v, dim):
    """The weight divided by its largest singular value (Miyato et al. 2018), given that one's vectors u and v."""
    u, v = lax.stop_gradient(u), lax.stop_gradient(v)
    return weight / (u @ _matrix(weight, dim) @ v)


__all__: list[str] = []
