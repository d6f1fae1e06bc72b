"""Comparisons, and logical and bitwise operations."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from kayax.bridge.open_sizes import is_size
from kayax.bridge.ops.promotion import broadcastable, cast, is_number, need, rank, unify
from kayax.bridge.registry import attach, function, inplace_twin, op
from kayax.bridge.tensor import Tensor
from kayax.spec.dtype import convert

_XY: dict[str, Any] = {"scalars": ("x", "y"), "differentiable": False}


def _comparison(name: str, fn: Callable, doc: str, names: tuple[str, ...]) -> Any:
    def body(x, y, name=None):
        x, y = unify(x, y)
        if rank(x.dtype) == 3 and fn not in (jnp.equal, jnp.not_equal):
            x, y = jnp.real(x), jnp.real(y)
        return fn(x, y)

    body.__name__ = body.__qualname__ = name
    body.__doc__ = doc
    return op(body, method=names, **_XY)


equal = _comparison("equal", jnp.equal, "``x == y``, elementwise with broadcasting.", ("equal", "eq"))
not_equal = _comparison("not_equal", jnp.not_equal, "``x != y``, elementwise with broadcasting.", ("not_equal", "ne"))
less_than = _comparison("less_than", jnp.less, "``x < y``, elementwise with broadcasting.", ("less_than", "less", "lt"))
less_equal = _comparison("less_equal", jnp.less_equal, "``x <= y``, elementwise with broadcasting.",
                         ("less_equal", "le"))
greater_than = _comparison("greater_than", jnp.greater, "``x > y``, elementwise with broadcasting.",
                           ("greater_than", "greater", "gt"))
greater_equal = _comparison("greater_equal", jnp.greater_equal, "``x >= y``, elementwise with broadcasting.",
                            ("greater_equal", "ge"))
eq, ne, lt, less, le, gt, greater, ge = (equal, not_equal, less_than, less_than, less_equal, greater_than, greater_than,
                                         greater_equal)


def _logical(name: str, fn: Callable, doc: str) -> Any:
    def body(x, y, name=None):
        x, y = unify(x, y)
        return fn(x != 0, y != 0)

    body.__name__ = body.__qualname__ = name
    body.__doc__ = doc
    return op(body, method=True, **_XY)


logical_and = _logical("logical_and", jnp.logical_and, "Whether `x` and `y` are both nonzero, elementwise.")
logical_or = _logical("logical_or", jnp.logical_or, "Whether `x` or `y` is nonzero, elementwise.")
logical_xor = _logical("logical_xor", jnp.logical_xor, "Whether just one of `x` and `y` is nonzero, elementwise.")


@op(method=True, differentiable=False)
def logical_not(x, name=None):
    """Whether `x` is zero, elementwise."""
    return jnp.logical_not(x)


def _whole_pair(x: Any, y: Any) -> tuple[Any, Any]:
    """Both operands in the Tensor's integer type; unlike arithmetic, two integer types do not meet at all."""
    for value in (x, y):
        if not is_number(value):
            need(value, "x", (0, 1), "an integer or bool Tensor")
    if is_number(x) or is_number(y):
        x, y = (x, cast(y, x.dtype)) if is_number(y) else (cast(x, y.dtype), y)
    if x.dtype != y.dtype:
        raise ValueError(f"x and y must have one dtype, but got {convert(x.dtype).name} and {convert(y.dtype).name}.")
    broadcastable(x, y)
    return x, y


def _bitwise(name: str, fn: Callable, doc: str) -> Any:
    def body(x, y, out=None, name=None):
        return fn(*_whole_pair(x, y))

    body.__name__ = body.__qualname__ = name
    body.__doc__ = doc
    return op(body, method=True, inplace=True, **_XY)


bitwise_and = _bitwise("bitwise_and", jnp.bitwise_and, "The bits set in both, elementwise; of bools, logical and.")
bitwise_or = _bitwise("bitwise_or", jnp.bitwise_or, "The bits set in either, elementwise; of bools, logical or.")
bitwise_xor = _bitwise("bitwise_xor", jnp.bitwise_xor, "The bits set in just one, elementwise.")


@op(method=("bitwise_not", "bitwise_invert"), inplace=True, differentiable=False)
def bitwise_not(x, out=None, name=None):
    """The bits inverted, elementwise; of bools, logical not."""
    need(x, "x", (0, 1), "an integer or bool Tensor")
    return jnp.bitwise_not(x)


bitwise_invert = bitwise_not


@op(method=True, inplace=True, **_XY)
def bitwise_left_shift(x, y, is_arithmetic=True, out=None, name=None):
    """The bits of `x` moved left by `y`, elementwise; 0 where that is the type's width or more."""
    x, y = _whole_pair(x, y)
    need(x, "x", (1,), "an integer Tensor")
    return lax.shift_left(*jnp.broadcast_arrays(x, y))


@op(method=True, inplace=True, **_XY)
def bitwise_right_shift(x, y, is_arithmetic=True, out=None, name=None):
    """The bits of `x` moved right by `y`, elementwise; filled with the sign if `is_arithmetic`, else with 0."""
    x, y = _whole_pair(x, y)
    need(x, "x", (1,), "an integer Tensor")
    shift = lax.shift_right_arithmetic if is_arithmetic and np.issubdtype(x.dtype, np.signedinteger) else (
        lax.shift_right_logical)
    return shift(*jnp.broadcast_arrays(x, y))


def _predicate(name: str, fn: Callable, whole: bool, doc: str, ranks: tuple[int, ...] = (0, 1, 2, 3)) -> Any:
    """A question about floating and complex numbers, whose answer for integers is `whole`."""
    def body(x, name=None):
        need(x, "x", ranks, "of another type for this question")
        return fn(x) if rank(x.dtype) > 1 else jnp.full(x.shape, whole)

    body.__name__ = body.__qualname__ = name
    body.__doc__ = doc
    return op(body, method=True, differentiable=False)


isnan = _predicate("isnan", jnp.isnan, False, "Where `x` is not a number, elementwise.")
isinf = _predicate("isinf", jnp.isinf, False, "Where `x` is plus or minus infinity, elementwise.")
isfinite = _predicate("isfinite", jnp.isfinite, True, "Where `x` is neither infinite nor nan, elementwise.")
isposinf = _predicate("isposinf", jnp.isposinf, False, "Where `x` is plus infinity, elementwise.", (0, 1, 2))
isneginf = _predicate("isneginf", jnp.isneginf, False, "Where `x` is minus infinity, elementwise.", (0, 1, 2))
isreal = _predicate("isreal", jnp.isreal, True, "Where the imaginary part is 0, elementwise.")


def _close(x: Any, y: Any, rtol: Any, atol: Any, equal_nan: Any) -> Any:
    x, y = unify(x, y)
    return jnp.isclose(x, y, rtol=rtol, atol=atol, equal_nan=equal_nan)


@op(method=True, differentiable=False)
def isclose(x, y, rtol=1e-05, atol=1e-08, equal_nan=False, name=None):
    """Where ``abs(x - y) <= atol + rtol * abs(y)``, elementwise; nan equals nan only with `equal_nan`."""
    return _close(x, y, rtol, atol, equal_nan)


@op(method=True, differentiable=False)
def allclose(x, y, rtol=1e-05, atol=1e-08, equal_nan=False, name=None):
    """Whether ``abs(x - y) <= atol + rtol * abs(y)`` everywhere, as a 0-D bool Tensor."""
    return jnp.all(_close(x, y, rtol, atol, equal_nan))


@op(method=True, differentiable=False)
def equal_all(x, y, name=None):
    """Whether `x` and `y` have one shape and are equal everywhere, as a 0-D bool Tensor."""
    if x.ndim != y.ndim or not all(map(is_size, x.shape, y.shape)):
        return jnp.zeros((), bool)
    return jnp.all(jnp.equal(*unify(x, y)))


@op(method=True, differentiable=False)
def is_empty(x, name=None):
    """Whether `x` has no elements, as a 0-D bool Tensor."""
    return jnp.asarray(0 in x.shape)


@function
def is_tensor(x: Any) -> bool:
    """Whether `x` is a Tensor."""
    return isinstance(x, Tensor)


_TWINS = {name + "_": globals()[name] for name in (
    "equal", "not_equal", "less_than", "less_equal", "greater_than", "greater_equal", "less", "logical_and",
    "logical_or", "logical_xor", "logical_not")}
for _name, _public in _TWINS.items():
    globals()[_name] = inplace_twin(_public, "dtype")
    attach(_name, globals()[_name])

__all__ = [
    *_TWINS, "allclose", "bitwise_and", "bitwise_invert", "bitwise_left_shift", "bitwise_not", "bitwise_or",
    "bitwise_right_shift", "bitwise_xor", "eq", "equal", "equal_all", "ge", "greater", "greater_equal",
    "greater_than", "gt", "is_empty", "is_tensor", "isclose", "isfinite", "isinf", "isnan", "isneginf", "isposinf",
    "isreal", "le", "less", "less_equal", "less_than", "logical_and", "logical_not", "logical_or", "logical_xor",
    "lt", "ne", "not_equal",
]
