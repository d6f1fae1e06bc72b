"""Elementwise arithmetic on two operands, and scaling, clipping and interpolation."""
from __future__ import annotations

import functools
import operator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from kayax.bridge.open_sizes import is_open
from kayax.bridge.ops.checks import check_range, no_zero
from kayax.bridge.ops.promotion import (
    FLOAT,
    broadcastable,
    cast,
    common,
    is_number,
    magnitude,
    need,
    rank,
    to_float,
    unify,
    unify_float,
)
from kayax.bridge.registry import function, op
from kayax.bridge.tensor import Tensor

_XY: dict[str, Any] = {"scalars": ("x", "y")}


def _scaled(y: Any, alpha: Any, dtype: Any) -> Any:
    scaled = y if isinstance(alpha, int) and alpha == 1 else y * alpha
    return scaled if scaled.dtype == dtype else cast(scaled, dtype)


@op(method=True, inplace="dtype", **_XY)
def add(x, y, name=None, *, alpha=1):
    """``x + alpha * y``, elementwise with broadcasting."""
    x, y = unify(x, y)
    if x.dtype == np.bool_:
        return jnp.logical_or(x, y)
    return x + _scaled(y, alpha, x.dtype)


@op(method=("subtract", "sub"), inplace="dtype", **_XY)
def subtract(x, y, name=None, *, alpha=1):
    """``x - alpha * y``, elementwise with broadcasting."""
    x, y = unify(x, y)
    need(x, "x", (1, 2, 3), "a number, not a bool, to subtract from")
    return x - _scaled(y, alpha, x.dtype)


@op(method=("multiply", "mul"), inplace="dtype", **_XY)
def multiply(x, y, name=None):
    """``x * y``, elementwise with broadcasting."""
    x, y = unify(x, y)
    return x * y


def _check_divisor(x, y, name=None, rounding_mode=None):
    bools = isinstance(x, Tensor) and isinstance(y, Tensor) and x.dtype == y.dtype == "bool"
    if bools or rounding_mode is not None:
        no_zero(x, y)


@op(method=("divide", "div"), inplace="dtype", check=_check_divisor, **_XY)
def divide(x, y, name=None, *, rounding_mode=None):
    """``x / y``, elementwise with broadcasting; integers give float32.

    rounding_mode: None, "floor" or "trunc", which keep the operands' type.
    """
    if rounding_mode == "floor":
        return _floor_divide(x, y)
    x, y = unify(x, y)
    if rounding_mode == "trunc":
        return lax.div(x, y) if rank(x.dtype) == 1 else jnp.trunc(x / y)
    if rounding_mode is not None:
        raise ValueError(f'rounding_mode must be None, "floor" or "trunc", but got {rounding_mode!r}.')
    if x.dtype == np.bool_:
        return x & y
    return to_float(x) / to_float(y)


def _floor_divide(x: Any, y: Any) -> Any:
    if not is_number(x) and not is_number(y) and x.ndim * y.ndim == 0 and rank(x.dtype) == rank(y.dtype):
        dtype = jnp.promote_types(x.dtype, y.dtype)         # here alone, a 0-D Tensor widens the other operand
        x, y = cast(x, dtype), cast(y, dtype)
    x, y = unify(x, y)
    need(x, "x", (1, 2), "an integer or floating Tensor")
    return jnp.floor_divide(x, y)


@op(method=True, inplace="dtype", check=no_zero, **_XY)
def floor_divide(x, y, name=None):
    """``x // y``, rounded towards minus infinity, elementwise with broadcasting.

    An integer divisor of 0 is a ZeroDivisionError; in a converted function, which cannot raise, it is undefined.
    """
    return _floor_divide(x, y)


@op(method=("remainder", "mod", "floor_mod"), inplace="dtype", check=no_zero, **_XY)
def remainder(x, y, name=None):
    """``x % y`` with the sign of `y`, elementwise with broadcasting. An integer divisor of 0: as for `floor_divide`."""
    x, y = unify(x, y)
    need(x, "x", (1, 2), "an integer or floating Tensor")
    return jnp.remainder(x, y)


def _power(x: Any, y: Any) -> Any:
    if isinstance(y, float) and y.is_integer() and abs(y) < 64 and rank(x.dtype) >= 2:
        y = int(y)                          # products are exact and cheap, also for negative bases
    if isinstance(y, int) and not isinstance(y, bool) and (y >= 0 or rank(x.dtype) >= 2) and rank(x.dtype):
        return lax.integer_pow(x, y)
    if not isinstance(x, jax.Array | np.ndarray) and not isinstance(y, jax.Array | np.ndarray):
        raise TypeError("One of the operands of a power must be a Tensor.")
    x, y = unify(x, y)
    need(x, "x", (1, 2, 3), "a number, not a bool")
    return jnp.power(jnp.where((x == 0) & (y == 0), 1, x), y)      # JAX's gradient of 0 ** 0 is nan


@op(method=True, inplace=True)
def pow(x, y, name=None):
    """`x` to the power of `y`, a number or a Tensor.

    A number takes the type of `x`: a float exponent of integers is rounded towards 0, as in Paddle (``x ** y`` is not).
    """
    if is_number(y) and not is_number(x):
        if isinstance(y, complex):
            raise TypeError("y must be a float, an int or a Tensor, but got a complex number.")
        return _power(x, int(y) if rank(x.dtype) < 2 else y)
    return _power(x, y)


@op(name="__pow__", amp="pow")
def power(x, y):
    """The operator ``x ** y``: a float exponent makes integers floats."""
    return _power(x, y)


def _pairwise(name: str, fn: Any, doc: str, ranks: tuple[int, ...] = (1, 2), **options: Any) -> Any:
    """An operation on two Tensors of one kind."""
    def body(x, y, name=None):
        x, y = unify(x, y)
        need(x, "x", ranks, "of another type for this operation: integer or floating")
        return fn(x, y)

    body.__name__ = body.__qualname__ = name
    body.__doc__ = doc
    return op(body, method=True, **_XY, **options)


maximum = _pairwise("maximum", jnp.maximum, "The greater of `x` and `y`, elementwise; nan if one is nan.", (0, 1, 2))
minimum = _pairwise("minimum", jnp.minimum, "The lesser of `x` and `y`, elementwise; nan if one is nan.", (0, 1, 2))
fmax = _pairwise("fmax", lambda x, y: jnp.where((x >= y) | jnp.isnan(y), x, y),
                 "The greater of `x` and `y`, elementwise; the other one if one is nan.")
fmin = _pairwise("fmin", lambda x, y: jnp.where((x <= y) | jnp.isnan(y), x, y),
                 "The lesser of `x` and `y`, elementwise; the other one if one is nan.")
gcd = _pairwise("gcd", jnp.gcd, "The greatest common divisor, elementwise.", (1,), inplace=True, differentiable=False)
lcm = _pairwise("lcm", jnp.lcm, "The least common multiple, elementwise.", (1,), inplace=True, differentiable=False)
heaviside = _pairwise("heaviside", lambda x, y: jnp.where(jnp.isnan(x), x, jnp.where(x == 0, y, cast(x > 0, x.dtype))),
                      "0 where `x` is negative, 1 where it is positive, `y` where it is 0.")


def _floating_pair(name: str, fn: Any, doc: str, **options: Any) -> Any:
    """An operation on two Tensors, where integers become floats."""
    def body(x, y, name=None):
        x, y = unify_float(x, y)
        need(x, "x", (2,), "a real Tensor")
        return fn(x, y)

    body.__name__ = body.__qualname__ = name
    body.__doc__ = doc
    return op(body, method=True, **_XY, **options)


hypot = _floating_pair("hypot", jnp.hypot, "``sqrt(x**2 + y**2)``, elementwise.", inplace=True)
logaddexp = _floating_pair("logaddexp", jnp.logaddexp, "``log(exp(x) + exp(y))``, elementwise, without overflow.")


@op(method=True, inplace=True, **_XY)
def copysign(x, y, name=None):
    """The magnitude of `x` with the sign of `y`, elementwise, in the type in which they meet."""
    x, y = unify(x, y)
    need(x, "x", (0, 1, 2), "a real Tensor")
    return cast(jnp.copysign(to_float(jnp.where(x == 0, 0, x)), to_float(y)), x.dtype)


nextafter = _floating_pair("nextafter", jnp.nextafter, "The next representable number from `x` towards `y`.",
                           differentiable=False)


@op(method=True)
def atan2(x, y, name=None):
    """The angle of the point (y, x) in radians, in [-pi, pi], elementwise."""
    x, y = unify(x, y)
    if rank(x.dtype) == 1:
        x, y = cast(x, np.float64), cast(y, np.float64)
    need(x, "x", (2,), "a real Tensor")
    return jnp.arctan2(x, y)


@op(method=True, inplace=True)
def ldexp(x, y, name=None):
    """``x * 2**y``, elementwise."""
    need(x, "x", (0, 1, 2), "a real Tensor")
    x = x if x.dtype == np.float64 else cast(x, FLOAT)
    broadcastable(x, y)
    return x * jnp.exp2(cast(y, x.dtype))


@op(method=True, inplace=True, scalars=("scale", "bias"))
def scale(x, scale=1.0, bias=0.0, bias_after_scale=True, act=None, name=None):
    """``scale * x + bias``, or ``scale * (x + bias)`` if not `bias_after_scale`, in the type of `x`.

    scale, bias: numbers or 0-D Tensors. act: None, or the name of an activation: "relu", "sigmoid", "tanh".
    """
    scale, bias = cast(scale, x.dtype), cast(bias, x.dtype)
    out = x * scale + bias if bias_after_scale else (x + bias) * scale
    return cast(out if act is None else _activation(act)(out), x.dtype)


def _activation(act: str) -> Any:
    table = {"relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh, "exp": jnp.exp, "sqrt": jnp.sqrt,
             "abs": magnitude, "square": jnp.square, "relu6": jax.nn.relu6, "softplus": jax.nn.softplus,
             "softsign": jax.nn.soft_sign}
    if act not in table:
        raise ValueError(f"act must be None or one of {', '.join(sorted(table))}, but got {act!r}.")
    return table[act]


def _clip(x: Any, low: Any, high: Any) -> Any:
    low, high = (jnp.asarray(bound) if is_open(bound) else bound for bound in (low, high))
    if isinstance(low, (int, float)) and isinstance(high, (int, float)) and low > high:
        raise ValueError(f"max must not be less than min, but got min={low} and max={high}.")
    need(x, "x", (1, 2), "an integer or floating Tensor")
    dtype = x.dtype
    for bound in (low, high):
        if bound is not None and rank(bound.dtype if hasattr(bound, "dtype") else np.asarray(bound).dtype) == 2 and (
                rank(dtype) == 1):
            dtype = FLOAT
    x = cast(x, dtype)
    # At a bound the gradient is that of `x`, as in Paddle; jnp.clip would halve it.
    if low is not None:
        x = jnp.where(x < cast(low, dtype), cast(low, dtype), x)
    if high is not None:
        x = jnp.where(x > cast(high, dtype), cast(high, dtype), x)
    return x


@op(method=("clip", "clamp"), inplace="cast")
def clip(x, min=None, max=None, name=None):
    """`x` limited to [min, max]; None is no limit. Integers with a floating limit become float32."""
    return _clip(x, min, max)


@op(method=True, inplace=True)
def lerp(x, y, weight, name=None):
    """Linear interpolation ``x + weight * (y - x)``, with broadcasting."""
    x, y = unify(x, y)
    need(x, "x", (2, 3), "a floating Tensor")
    if not isinstance(weight, (int, float)):
        broadcastable(x, y, weight)
        common(x.dtype, weight.dtype)
    return x + cast(weight, x.dtype) * (y - x)


@op(method=True)
def add_n(inputs, name=None):
    """The sum of a Tensor or of a list of Tensors of one shape and dtype."""
    if not isinstance(inputs, (tuple, list)):
        return inputs + jnp.zeros((), inputs.dtype)
    if not inputs:
        raise ValueError("inputs must hold at least one Tensor.")
    if any(x.shape != inputs[0].shape for x in inputs):
        raise ValueError(f"All inputs must have one shape, but got {[list(x.shape) for x in inputs]}.")
    for x in inputs:
        common(inputs[0].dtype, x.dtype)
    return functools.reduce(operator.add, inputs)


def _check_choice(inputs, index, name=None):
    check_range(index, len(inputs), 0, (len(inputs),))


@op(method=True, check=_check_choice)
def multiplex(inputs, index, name=None):
    """Row i of the result is row i of ``inputs[index[i]]``.

    inputs: Tensors of one shape, two or more dimensions. index: int32 or int64, shape (rows, 1).
    """
    stacked = jnp.stack(inputs)
    return stacked[index.reshape(-1), jnp.arange(index.shape[0])]


@op(method=True)
def stanh(x, scale_a=0.67, scale_b=1.7159, name=None):
    """``scale_b * tanh(scale_a * x)``, elementwise."""
    x = to_float(x)
    return cast(scale_b * jnp.tanh(scale_a * x), x.dtype)


def _increment(x, value=1.0, name=None):
    if x.size != 1:
        raise ValueError(f"increment needs a Tensor with one element, but got shape {list(x.shape)}.")
    return x + cast(value, x.dtype)


_increment.__name__ = "increment"
_increased = op(_increment, name="increment", inplace=True, scalars=("value",))


@function(method=True)
def increment(x, value=1.0, name=None):
    """Add `value` to the one-element Tensor `x` in place, and return it."""
    return _increased.inplace(x, value)


@op(method=True)
def reduce_as(x, target, name=None):
    """`x` summed over the dimensions it was broadcast in, so that it has the shape of `target`."""
    if x.dtype == np.bool_:
        x = cast(x, np.int64)
    extra = x.ndim - target.ndim
    same = extra >= 0 and all(t in (1, s) for s, t in zip(x.shape[extra:], target.shape, strict=True))
    if not same:
        raise ValueError(f"The shape {list(x.shape)} cannot be reduced to {list(target.shape)}.")
    x = jnp.sum(x, tuple(range(extra)), dtype=x.dtype)
    axes = tuple(i for i, (s, t) in enumerate(zip(x.shape, target.shape, strict=True)) if t == 1 and s != 1)
    return jnp.sum(x, axes, keepdims=True, dtype=x.dtype) if axes else x


sub, mul, div, mod, floor_mod, clamp = subtract, multiply, divide, remainder, remainder, clip
sub_, div_, mod_, floor_mod_ = subtract.inplace, divide.inplace, remainder.inplace, remainder.inplace


@function(method=True)
def true_divide(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
    """``input / other``, elementwise with broadcasting; integers give float32. The same as `divide`."""
    return divide(input, other, out=out)


__all__ = [
    "add", "add_n", "atan2", "clamp", "clip", "copysign", "div", "div_", "divide", "floor_divide", "floor_mod",
    "floor_mod_", "fmax", "fmin", "gcd", "heaviside", "hypot", "increment", "lcm", "ldexp", "lerp", "logaddexp",
    "maximum", "minimum", "mod", "mod_", "mul", "multiplex", "multiply", "nextafter", "pow", "reduce_as",
    "remainder", "scale", "stanh", "sub", "sub_", "subtract", "true_divide",
]
