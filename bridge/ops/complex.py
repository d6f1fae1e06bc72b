"""Complex numbers: parts, making and taking apart; and questions about a Tensor's type."""
from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax

from kayax.bridge.ops.promotion import cast, need, real_of, unify
from kayax.bridge.registry import function, op
from kayax.bridge.tensor import Tensor
from kayax.spec.dtype import DType, convert
from kayax.spec.errors import ArgumentError


@op(method=True)
def real(x, name=None):
    """The real part, elementwise; a real Tensor as it is."""
    return jnp.real(x)


@op(method=True)
def imag(x, name=None):
    """The imaginary part, elementwise."""
    need(x, "x", (3,), "a complex Tensor")
    return jnp.imag(x)


@op(method=True)
def conj(x, name=None):
    """The complex conjugate, elementwise; a real Tensor as it is."""
    return jnp.conj(x)


@op(method=True)
def angle(x, name=None):
    """The angle in radians, elementwise; of real numbers, 0 or pi."""
    need(x, "x", (2, 3), "a floating or complex Tensor")
    return cast(jnp.angle(x if x.dtype.kind == "c" else lax.stop_gradient(x)), real_of(x.dtype))


@op
def complex(real, imag, name=None):
    """``real + 1j * imag``, elementwise with broadcasting."""
    real, imag = unify(real, imag)
    need(real, "real", (2,), "a floating Tensor")
    return lax.complex(*jnp.broadcast_arrays(real, imag))


@op(method=True)
def polar(abs, angle, name=None):
    """The complex number with this magnitude and angle in radians, elementwise."""
    abs, angle = unify(abs, angle)
    need(abs, "abs", (2,), "a floating Tensor")
    return lax.complex(*jnp.broadcast_arrays(abs * jnp.cos(angle), abs * jnp.sin(angle)))


def _as_complex(x):
    need(x, "x", (2,), "a floating Tensor")
    if not x.ndim or x.shape[-1] != 2:
        raise ValueError(f"The last dimension must be 2, for the real and the imaginary part, but the shape is "
                         f"{list(x.shape)}.")
    return lax.complex(x[..., 0], x[..., 1])


@op(method=True)
def as_complex(x, name=None):
    """The complex Tensor whose parts lie in the last dimension of `x`, which is 2."""
    return _as_complex(x)


@op(method=True)
def view_as_complex(input):
    """The complex Tensor whose parts lie in the last dimension of `input`, which is 2."""
    return _as_complex(input)


def _as_real(x):
    need(x, "x", (3,), "a complex Tensor")
    return jnp.stack([jnp.real(x), jnp.imag(x)], -1)


@op(method=True)
def as_real(x, name=None):
    """The real and imaginary parts, in a new last dimension."""
    return _as_real(x)


@op(method=True)
def view_as_real(input):
    """The real and imaginary parts, in a new last dimension."""
    return _as_real(input)


@function(method=True)
def is_complex(x: Tensor) -> bool:
    """Whether the dtype is complex."""
    return _dtype(x, "is_complex").is_complex


@function(method=True)
def is_floating_point(x: Tensor) -> bool:
    """Whether the dtype is floating (not complex)."""
    return _dtype(x, "is_floating_point").is_floating


@function(method=True)
def is_integer(x: Tensor) -> bool:
    """Whether the dtype is an integer."""
    return _dtype(x, "is_integer").is_integer


def _dtype(x: Any, name: str) -> DType:
    if not hasattr(x, "dtype"):
        raise ArgumentError(f"{name} is asked of a Tensor, but got {type(x).__name__}.")
    return convert(x.dtype)


__all__ = [
    "angle", "as_complex", "as_real", "complex", "conj", "imag", "is_complex", "is_floating_point", "is_integer",
    "polar", "real", "view_as_complex", "view_as_real",
]
