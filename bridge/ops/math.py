"""Elementwise functions of one Tensor."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from kayax.bridge.layout import reshaped
from kayax.bridge.ops.promotion import FLOAT, cast, magnitude, need, rank, real_of, to_float
from kayax.bridge.registry import op


def _unary(name: str, fn: Callable, doc: str, floating: bool = True, ranks: tuple[int, ...] = (0, 1, 2, 3),
           inplace: bool = True, **options: Any) -> Any:
    """An elementwise operation; with `floating`, integers become float32 first."""
    def body(x, name=None):
        need(x, "x", ranks, "of another type for this operation (cast it with .astype)")
        return fn(to_float(x) if floating else x)

    body.__name__ = body.__qualname__ = name
    body.__doc__ = doc + (" Integers become float32." if floating else "")
    return op(body, method=True, inplace=inplace, **options)


_REAL = (0, 1, 2)

exp = _unary("exp", jnp.exp, "e to the power of `x`, elementwise.")
expm1 = _unary("expm1", jnp.expm1, "``exp(x) - 1``, elementwise, exact near 0.")
log = _unary("log", jnp.log, "The natural logarithm, elementwise.")
log2 = _unary("log2", jnp.log2, "The logarithm to base 2, elementwise.")
log10 = _unary("log10", jnp.log10, "The logarithm to base 10, elementwise.")
log1p = _unary("log1p", jnp.log1p, "``log(1 + x)``, elementwise, exact near 0.")
sqrt = _unary("sqrt", jnp.sqrt, "The square root, elementwise.")
rsqrt = _unary("rsqrt", lax.rsqrt, "``1 / sqrt(x)``, elementwise.")
reciprocal = _unary("reciprocal", jnp.reciprocal, "``1 / x``, elementwise.")
sin = _unary("sin", jnp.sin, "The sine of angles in radians, elementwise.")
cos = _unary("cos", jnp.cos, "The cosine of angles in radians, elementwise.")
tan = _unary("tan", jnp.tan, "The tangent of angles in radians, elementwise.")
asin = _unary("asin", jnp.arcsin, "The arcsine in radians, elementwise.")
acos = _unary("acos", jnp.arccos, "The arccosine in radians, elementwise.")
atan = _unary("atan", jnp.arctan, "The arctangent in radians, elementwise.")
sinh = _unary("sinh", jnp.sinh, "The hyperbolic sine, elementwise.")
cosh = _unary("cosh", jnp.cosh, "The hyperbolic cosine, elementwise.")
tanh = _unary("tanh", jnp.tanh, "The hyperbolic tangent, elementwise.")
asinh = _unary("asinh", jnp.arcsinh, "The inverse hyperbolic sine, elementwise.")
acosh = _unary("acosh", jnp.arccosh, "The inverse hyperbolic cosine, elementwise.")
atanh = _unary("atanh", jnp.arctanh, "The inverse hyperbolic tangent, elementwise.")
sinc = _unary("sinc", jnp.sinc, "``sin(pi x) / (pi x)``, and 1 at 0, elementwise.")
sigmoid = _unary("sigmoid", jax.nn.sigmoid, "The logistic function ``1 / (1 + exp(-x))``, elementwise.")
erf = _unary("erf", jax.scipy.special.erf, "The error function, elementwise.", ranks=_REAL)
erfinv = _unary("erfinv", jax.scipy.special.erfinv, "The inverse of the error function, elementwise.", ranks=_REAL)

abs = _unary("abs", magnitude, "The absolute value, elementwise; of complex numbers, the magnitude.", False, (1, 2, 3))
ceil = _unary("ceil", lambda x: x if rank(x.dtype) == 1 else jnp.ceil(x), "Rounded up, elementwise.", False, (1, 2))
floor = _unary("floor", lambda x: x if rank(x.dtype) == 1 else jnp.floor(x), "Rounded down, elementwise.", False,
               (1, 2))
square = _unary("square", jnp.square, "``x * x``, elementwise.", False, (1, 2, 3))


def _direction(x: Any) -> Any:
    """``x / abs(x)``; the gradient of `jnp.sign` is 0 for complex numbers, too."""
    if x.dtype.kind != "c":
        return jnp.sign(x)
    zero = x == 0
    safe = jnp.where(zero, 1, x)
    return jnp.where(zero, 0, safe / jnp.abs(safe)).astype(x.dtype)


sgn = _unary("sgn", _direction, "The sign; of complex numbers ``x / abs(x)``, and 0 of 0. Elementwise.", False,
             (1, 2, 3), inplace=False)
sign = _unary("sign", jnp.sign, "-1, 0 or 1 by the sign of `x`, elementwise.", False, (1, 2, 3), inplace=False)
signbit = _unary("signbit", lambda x: jnp.signbit(x) if rank(x.dtype) == 2 else x < 0,
                 "Whether the sign is negative (also of -0.0), elementwise.", False, (1, 2), inplace=False,
                 differentiable=False)
_to_angle: dict[str, float] = {"deg2rad": np.pi / 180, "rad2deg": 180 / np.pi}
deg2rad = _unary("deg2rad", lambda x: x * np.asarray(_to_angle["deg2rad"], x.dtype), "Degrees to radians, elementwise.",
                 inplace=False)
rad2deg = _unary("rad2deg", lambda x: x * np.asarray(_to_angle["rad2deg"], x.dtype), "Radians to degrees, elementwise.",
                 inplace=False)


@op(method=True, inplace=True)
def neg(x, name=None):
    """``-x``, elementwise."""
    return x if x.dtype == np.bool_ else -x


@op(method=True)
def negative(x, name=None):
    """``-x``, elementwise; not for bools."""
    need(x, "x", (1, 2, 3), "a number, not a bool")
    return -x


@op(view=reshaped)
def positive(x, name=None):
    """`x` itself; not for bools."""
    need(x, "x", (1, 2, 3), "a number, not a bool")
    return x


@op(method=True, inplace=True)
def round(x, decimals=0, name=None):
    """Rounded to `decimals` digits after the point (before it if negative), halves to the even digit, elementwise."""
    need(x, "x", (1, 2, 3), "a number, not a bool")
    if decimals == 0:
        return x if rank(x.dtype) == 1 else jnp.round(x)
    power = np.asarray(10.0 ** decimals, real_of(x.dtype) if rank(x.dtype) >= 2 else FLOAT)
    return cast(jnp.round(x * power) / power, x.dtype)


@op(method=True, inplace=True)
def trunc(input, name=None):
    """Rounded towards 0, elementwise."""
    need(input, "input", (1, 2), "an integer or floating Tensor")
    return input if rank(input.dtype) == 1 else jnp.trunc(input)


@op(method=True, inplace=True)
def frac(x, name=None):
    """The fractional part ``x - trunc(x)``, elementwise."""
    need(x, "x", (1, 2), "an integer or floating Tensor")
    return jnp.zeros_like(x) if rank(x.dtype) == 1 else x - jnp.trunc(x)


@op(method=True, inplace=True)
def logit(x, eps=None, name=None):
    """``log(x / (1 - x))``, elementwise.

    eps: x is limited to [eps, 1 - eps] first; without it, the result outside of [0, 1] is nan.
    """
    x = to_float(x)
    if eps:
        low, high = np.asarray(eps, x.dtype), np.asarray(1 - eps, x.dtype)
        x = jnp.where(x < low, low, jnp.where(x > high, high, x))
    return jax.scipy.special.logit(x)


@op(method=True, inplace=True)
def nan_to_num(x, nan=0.0, posinf=None, neginf=None, name=None):
    """`x` with nan and the infinities replaced: by default by 0 and by the greatest and lowest number of its type."""
    need(x, "x", (2,), "a floating Tensor")
    return cast(jnp.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf), x.dtype)


@op(method=True)
def frexp(x, name=None):
    """The mantissa in (-1, -0.5] or [0.5, 1), and the exponent of 2 (both in the type of `x`), elementwise."""
    need(x, "x", (2,), "a floating Tensor")
    mantissa, exponent = jnp.frexp(x)
    return mantissa, cast(exponent, x.dtype)


__all__ = [
    "abs", "acos", "acosh", "asin", "asinh", "atan", "atanh", "ceil", "cos", "cosh", "deg2rad", "erf", "erfinv",
    "exp", "expm1", "floor", "frac", "frexp", "log", "log1p", "log2", "log10", "logit", "nan_to_num", "neg",
    "negative", "positive", "rad2deg", "reciprocal", "round", "rsqrt", "sgn", "sigmoid", "sign", "signbit", "sin",
    "sinc", "sinh", "sqrt", "square", "tan", "tanh", "trunc",
]
