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


@op(name="nn.utils.spectral_norm")
def spectral_norm(weight, u, v, dim, iterations, eps):
    """The weight divided by its largest singular value (Miyato et al. 2018), and the vectors u and v of that.

    The weight is taken as a matrix, with `dim` for rows. The power iteration starts from u [rows] and v [columns]; no
    gradient flows through it.
    """
    matrix = jnp.moveaxis(weight, dim, 0).reshape(weight.shape[dim], -1)
    fixed = lax.stop_gradient(matrix)
    for _ in range(iterations):
        v = _unit(fixed.T @ u, eps)
        u = _unit(fixed @ v, eps)
    u, v = lax.stop_gradient(u), lax.stop_gradient(v)
    return weight / (u @ matrix @ v), u, v


__all__: list[str] = []
