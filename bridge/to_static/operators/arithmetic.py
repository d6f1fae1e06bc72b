"""Division and powers: of Python numbers they may raise, or change their type, as the values decide."""
from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from kayax.bridge.tensor import Tensor, is_number
from kayax.bridge.to_static.operators import values as v

_PLAIN: dict[str, Callable] = {"Div": operator.truediv, "FloorDiv": operator.floordiv, "Mod": operator.mod,
                               "Pow": operator.pow}


def divide(sign: str, a: Any, b: Any) -> Any:
    """``a / b``, ``a // b``, ``a % b`` or ``a ** b``."""
    a, b = v.use(a), v.use(b)
    check(sign, a, b)
    return _PLAIN[sign](a, b)


def check(sign: str, a: Any, b: Any) -> None:
    """Give the program up where Python would raise, or give another type."""
    if sign in _PLAIN and (v.is_staged(a) or v.is_staged(b)) and _counts(b):
        if sign == "Pow" and _counts(a):
            _check_power(a, b)
        elif sign != "Pow" and (_counts(a) or sign != "Div") and v.can_bail():      # a saved program gives inf or nan
            v.bail_if(b == 0)                                   # ZeroDivisionError


def _counts(x: Any) -> bool:
    """Whether something is a Python number eagerly."""
    return is_number(x) if isinstance(x, Tensor) else isinstance(x, (bool, int, float))


def _kind(x: Any) -> str:
    return x.storage.array.dtype.kind if isinstance(x, Tensor) else "f" if isinstance(x, float) else "i"


def _check_power(a: Any, b: Any) -> None:
    """Ints to a negative power are floats, 0 has none, and a negative number to a broken power is complex."""
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
