"""Binary and unary operators. Of Python numbers some may raise, or change their type, as the values decide."""
from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from kayax.bridge.either import Either
from kayax.bridge.journal import fresh, touch_contents
from kayax.bridge.open_sizes import is_open, plain
from kayax.bridge.places import CONTAINERS
from kayax.bridge.tensor import Tensor, as_number, wrap
from kayax.bridge.to_static.operators import dicts, numbers, text
from kayax.bridge.to_static.operators import values as v
from kayax.bridge.to_static.operators.branch import apart
from kayax.bridge.watching import watch_objects

_AUGMENTED: dict[str, Callable] = {
    "Add": operator.iadd, "Sub": operator.isub, "Mult": operator.imul, "Div": operator.itruediv,
    "FloorDiv": operator.ifloordiv, "Mod": operator.imod, "Pow": operator.ipow, "MatMult": operator.imatmul,
    "LShift": operator.ilshift, "RShift": operator.irshift, "BitAnd": operator.iand, "BitOr": operator.ior,
    "BitXor": operator.ixor,
}
_DIVISIONS = ("Div", "FloorDiv", "Mod", "Pow")


def binary(sign: str, a: Any, b: Any) -> Any:
    """``a + b`` and the like, by the name of the operator's node."""
    a, b = v.use(a), v.use(b)
    if type(a) is Either or type(b) is Either:
        return apart(lambda x, y: binary(sign, x, y), a, b)
    check(sign, a, b)
    watch_objects(a, b)
    if is_open(a) or is_open(b):
        a, b = _as_floats(sign, a, b)
    if numbers.are(a, b):
        return _offset(sign, a, b, numbers.binary(sign, a, b))
    if sign == "Mod" and isinstance(a, str):
        return text.percent(a, b)
    if sign == "BitOr":
        a, b = dicts.whole(a), dicts.whole(b)
    out = _offset(sign, a, b, numbers.BINARY[sign](a, b))
    return fresh(out) if type(out) in CONTAINERS and type(out) in (type(a), type(b)) else out


def _offset(sign: str, a: Any, b: Any, out: Any) -> Any:
    """Note how far a staged integer is from another one: `x[i:i + 2]` has two rows, whatever `i` is. Gives it back."""
    if sign == "Add" and type(a) is int:
        a, b = b, a
    if sign in ("Add", "Sub") and type(b) is int and v.is_staged(a) and a.size == 1 and _kind(a) in "iu":
        base, k = place_of(a)
        out.__dict__["offset"] = base, k + (b if sign == "Add" else -b)
    return out


def place_of(x: Tensor) -> tuple[Any, int]:
    """The staged integer that one is a known distance from, and the distance."""
    return x.__dict__.get("offset") or (x.storage.array, 0)


def _as_floats(sign: str, a: Any, b: Any) -> tuple[Any, Any]:
    """The operands of a number that is no whole one, if an open size makes it: then that is a staged number."""
    whole = [type(x) is int or is_open(x) for x in (a, b)]
    if all(whole) and (sign == "Div" or (sign == "Pow" and not is_open(b) and b < 0)):
        whole = [False, False]
    if (not any(numbers.counts(x) for x in (a, b)) and not all(map(is_open, (a, b)))) or all(whole):
        return a, b
    return tuple(as_number(wrap(jnp.asarray(plain(x)))) if is_open(x) else x for x in (a, b))       # type: ignore[return-value]


def unary(sign: str, a: Any) -> Any:
    """``-a``, ``+a``, ``~a`` or ``abs(a)``."""
    a = v.use(a)
    if type(a) is Either:
        return apart(lambda x: unary(sign, x), a)
    watch_objects(a)
    return numbers.unary(sign, a) if numbers.are(a) else numbers.UNARY[sign](a)


def augmented(sign: str, old: Any, value: Any) -> Any:
    """What ``old += value`` stores."""
    old, value = v.use(old), v.use(value)
    if type(old) is Either or (type(value) is Either and not isinstance(old, CONTAINERS)):
        return apart(lambda x, y: augmented(sign, x, y), old, value)
    touch_contents(old)
    watch_objects(old, value)
    check(sign, old, dicts.whole(value))
    return numbers.binary(sign, old, value) if numbers.are(old, value) else _AUGMENTED[sign](old, value)


def check(sign: str, a: Any, b: Any) -> None:
    """Give the program up where Python would raise, or give another type."""
    if sign in _DIVISIONS and (v.is_staged(a) or v.is_staged(b)) and numbers.counts(b):
        if sign == "Pow" and numbers.counts(a):
            _check_power(a, b)
        elif sign != "Pow" and (numbers.counts(a) or sign != "Div") and v.can_bail():
            v.bail_if(b == 0)                           # ZeroDivisionError; a saved program gives inf or nan


def _kind(x: Any) -> str:
    return x.storage.array.dtype.kind if isinstance(x, Tensor) else "f" if isinstance(x, float) else "i"


def _check_power(a: Any, b: Any) -> None:
    """Ints to a negative power are floats, 0 has none, and a negative number to a broken power is complex."""
    if isinstance(a, Tensor) and "is_size" in a.__dict__:
        return
    tensors = isinstance(a, Tensor), isinstance(b, Tensor)
    if not tensors[1]:
        if b < 0:
            v.bail_if(True if _kind(a) != "f" else a == 0)
        if b != b // 1:
            v.bail_if(a < 0)
    elif _kind(b) == "f":
        if tensors[0] or a <= 0:
            v.bail_if(a <= 0)
    elif _kind(a) != "f" or (not tensors[0] and a == 0):
        v.bail_if(b < 0)
    elif tensors[0]:
        v.bail_if((a == 0) & (b < 0))
