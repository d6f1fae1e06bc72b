"""Python's operators on staged Python numbers: they give numbers of the type that Python gives.

Integers of a program have 64 bits. Where Python would raise, the program is given up.
"""
from __future__ import annotations

import builtins
import functools
import operator
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from kayax.bridge import known
from kayax.bridge.call import Call
from kayax.bridge.dispatch import run_call
from kayax.bridge.errors import ConversionError, at_user_line
from kayax.bridge.tensor import Tensor, as_number, is_number
from kayax.bridge.to_static.operators import values as v

BINARY: dict[str, Callable] = {
    "Add": operator.add, "Sub": operator.sub, "Mult": operator.mul, "Div": operator.truediv,
    "FloorDiv": operator.floordiv, "Mod": operator.mod, "Pow": operator.pow, "MatMult": operator.matmul,
    "LShift": operator.lshift, "RShift": operator.rshift, "BitAnd": operator.and_, "BitOr": operator.or_,
    "BitXor": operator.xor, "Eq": operator.eq, "NotEq": operator.ne, "Lt": operator.lt, "LtE": operator.le,
    "Gt": operator.gt, "GtE": operator.ge,
}
UNARY: dict[str, Callable] = {"USub": operator.neg, "UAdd": operator.pos, "Invert": operator.invert, "abs": abs}
_COMPUTE: dict[str, Callable] = {
    "Div": jnp.true_divide, "FloorDiv": jnp.floor_divide, "Mod": jnp.remainder, "Pow": jnp.power,
    "LShift": lambda a, b: jnp.left_shift(a, jnp.clip(b, 0, 63)),
    "RShift": lambda a, b: jnp.right_shift(a, jnp.clip(b, 0, 63)), "abs": jnp.abs,
}
_ONES: dict[type, Any] = {bool: True, int: 1, float: 1.0}       # Python says with them what type a result has
_TYPES: dict[str, type] = {"b": bool, "i": int, "u": int, "f": float, "V": float}


def counts(x: Any) -> bool:
    """Whether something is a Python number eagerly."""
    return is_number(x) if isinstance(x, Tensor) else type(x) in _ONES


def type_of(x: Any) -> type | None:
    """The type that a number has eagerly; None for a complex one."""
    return _TYPES.get(x.storage.array.dtype.kind) if isinstance(x, Tensor) else type(x)


def are(*values: Any) -> bool:
    """Whether these are Python numbers, and some of them staged."""
    return any(map(v.is_staged, values)) and all([counts(x) and type_of(x) is not None for x in values])


def binary(sign: str, a: Any, b: Any) -> Any:
    """``a + b`` and the like, by the name of the operator's node."""
    kinds: Any = type_of(a), type_of(b)
    result: Any = type(BINARY[sign](*(_ONES[k] for k in kinds)))
    if sign in ("LShift", "RShift"):
        _check_shift(sign, b)
    return as_number(run_call(_call(sign, *kinds, result), [_array(a), _array(b)], False))


def unary(sign: str, a: Any) -> Any:
    """``-a``, ``+a``, ``~a`` or ``abs(a)``."""
    kind: Any = type_of(a)
    if sign == "Invert" and kind is bool:
        kind, a = int, binary("Mult", a, 1)                     # Python warns of it
    result: Any = type(UNARY[sign](_ONES[kind]))
    return run_call(_unary_call(sign, kind, result), [_array(a)], False)


def as_int(flag: Any) -> Any:
    """A truth value as 0 or 1, perhaps staged."""
    return binary("Mult", as_number(flag), 1) if isinstance(flag, Tensor) else int(flag)


def is_whole(x: Any) -> Any:
    """``x.is_integer()``."""
    return binary("Eq", x, binary("FloorDiv", x, 1))


def divmod(a: Any, b: Any) -> Any:
    """`divmod` of numbers and tensors."""
    from kayax.bridge.to_static.operators import arithmetic
    if not are(a, b):
        return builtins.divmod(a, b)
    return arithmetic.binary("FloorDiv", a, b), arithmetic.binary("Mod", a, b)


def round(x: Any, ndigits: Any = None) -> Any:
    """`round`."""
    if not are(x):
        return builtins.round(x) if ndigits is None else builtins.round(x, ndigits)
    if type_of(x) is not float and (ndigits is None or (type(ndigits) is int and ndigits >= 0)):
        return binary("Mult", x, 1)
    if ndigits is not None:
        raise ConversionError(f"round() to a number of digits looks at a number's decimal digits, which a program does "
                              f"not have.{at_user_line()}\nUse paddle.round on a Tensor.")
    if v.can_bail():
        v.bail_if(v.negated(x.isfinite()))                      # ValueError, OverflowError
    return run_call(_round, [x], False)


def _check_shift(sign: str, by: Any) -> None:
    """Python refuses a negative shift, and has as many bits as it takes."""
    if v.is_staged(by):
        if v.can_bail():
            v.bail_if(v.either(by < 0, by > 62) if sign == "LShift" else by < 0)
    elif by < 0 or (sign == "LShift" and by > 62):
        v.bail_if(True)


def _array(x: Any) -> Any:
    if isinstance(x, Tensor):
        return x
    array = jnp.asarray(x)
    known.note(array, x)
    return array


@functools.cache
def _call(sign: str, a: type, b: type, result: type) -> Call:
    wide = float if float in (a, b) or sign == "Div" else int
    bits = bool if a is b is bool and sign in ("BitAnd", "BitOr", "BitXor") else wide
    compute = _COMPUTE.get(sign, BINARY[sign])
    return Call(lambda x, y: _weak(compute(_as(x, bits), _as(y, bits)), result), sign.lower(), folds="values")


@functools.cache
def _unary_call(sign: str, kind: type, result: type) -> Call:
    compute = _COMPUTE.get(sign, UNARY[sign])
    return Call(lambda x: _weak(compute(_as(x, result)), result), sign.lower(), folds="values")


_round = Call(lambda x: _weak(jnp.round(x), int), "round", folds="values")


def _as(array: Any, kind: type) -> Any:
    return array.astype(jnp.asarray(_ONES[kind]).dtype)


def _weak(array: Any, kind: type) -> Any:
    """The array as JAX's own Python numbers are, weakly typed; there is no such bool."""
    if kind is bool:
        return array
    return jnp.asarray(kind(0)).at[()].set(_as(array, kind))    # an update keeps the weak type of what it updates
