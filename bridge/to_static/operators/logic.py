"""`and`, `or`, `not`, conditional expressions, comparison chains, `is` and `in`."""
from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from kayax.bridge.journal import UNDEFINED
from kayax.bridge.merging import Either
from kayax.bridge.tensor import Tensor, as_number
from kayax.bridge.to_static.operators import grown
from kayax.bridge.to_static.operators import values as v
from kayax.bridge.to_static.operators.branch import staged_if
from kayax.bridge.to_static.operators.outcome import NONE, Return, value_of

_SIGNS: dict[str, Callable] = {
    "Eq": operator.eq, "NotEq": operator.ne,
    "Lt": operator.lt, "LtE": operator.le, "Gt": operator.gt, "GtE": operator.ge,
}


def choose(test: Any, first: Callable, second: Callable) -> Any:
    """``first() if test else second()``."""
    test = grown.truth(test)
    if not v.is_staged(test):
        return first() if test else second()
    return value_of(staged_if(v.truth(test), lambda: Return(first()), lambda: Return(second()), NONE))


def and_(value: Any, *rest: Callable) -> Any:
    """``value and rest[0]() and ...``."""
    for i, later in enumerate(rest):
        value = grown.plain(v.use(value))
        if v.is_staged(value):
            now = value
            return choose(now, lambda: and_(later(), *rest[i + 1:]), lambda: now)      # noqa: B023
        if not value:
            return value
        value = later()
    return value


def or_(value: Any, *rest: Callable) -> Any:
    """``value or rest[0]() or ...``."""
    for i, later in enumerate(rest):
        value = grown.plain(v.use(value))
        if v.is_staged(value):
            now = value
            return choose(now, lambda: now, lambda: or_(later(), *rest[i + 1:]))       # noqa: B023
        if value:
            return value
        value = later()
    return value


def not_(value: Any) -> Any:
    """``not value``."""
    value = grown.truth(value)
    return as_number(v.negated(v.truth(value))) if v.is_staged(value) else not value


def chain(left: Any, signs: tuple[str, ...], *rest: Callable) -> Any:
    """``left < a < b``: each operand is evaluated once, and only if the comparisons before it hold."""
    right = rest[0]()
    value = compared(left, signs[0], right)
    return value if len(rest) == 1 else and_(value, lambda: chain(right, signs[1:], *rest[1:]))


def compared(left: Any, sign: str, right: Any) -> Any:
    """One comparison, of the kind that its node is called by."""
    if sign in _SIGNS:
        return _SIGNS[sign](grown.plain(left), grown.plain(right))
    return {"Is": is_, "IsNot": is_not, "In": in_, "NotIn": not_in}[sign](left, right)


def is_(left: Any, right: Any) -> Any:
    """``left is right``; whether a value is None may depend on a tensor."""
    if isinstance(left, Either) or isinstance(right, Either):
        return _is_either(left, right) if isinstance(left, Either) else _is_either(right, left)
    return left is right


def _is_either(value: Either, other: Any) -> Any:
    if UNDEFINED in (value.first, value.second) or isinstance(other, (Either, Tensor)):
        return is_(v.use(value), v.use(other))
    first, second = is_(value.first, other), is_(value.second, other)
    if first is second:
        return first
    return choose(value.flag, lambda: first, lambda: second)


def is_not(left: Any, right: Any) -> Any:
    """``left is not right``."""
    return not_(is_(left, right))


def in_(item: Any, container: Any) -> Any:
    """``item in container``, where the item, or items of the container, may be staged."""
    grown.plain(container)
    if isinstance(container, Tensor) and (v.is_staged(container) or v.is_staged(item)):
        return as_number(v.truth((container == item).any()).detach())
    if type(container) in (list, tuple) and (v.is_staged(item) or any(map(v.is_staged, container))):
        found = or_(False, *(lambda x=x: True if x is item else x == item for x in container))    # type: ignore[misc]
        return as_number(v.truth(found).detach()) if v.is_staged(found) else bool(found)
    return item in container


def not_in(item: Any, container: Any) -> Any:
    """``item not in container``."""
    return not_(in_(item, container))
