"""`and`, `or`, `not`, conditional expressions, comparison chains, `is` and `in`."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kayax.bridge import open_sizes
from kayax.bridge.either import Either
from kayax.bridge.errors import ConversionError, at_user_line
from kayax.bridge.journal import is_frozen
from kayax.bridge.state import state
from kayax.bridge.tensor import Tensor, as_number
from kayax.bridge.to_static.operators import dicts, grown, numbers
from kayax.bridge.to_static.operators import values as v
from kayax.bridge.to_static.operators.branch import apart, apart_in, has_either, staged_if, truth
from kayax.bridge.to_static.operators.outcome import NONE, Return, Variables, value_of
from kayax.bridge.watching import watch_objects

_ARRAYS = (Tensor, np.ndarray)
_SIGNS = frozenset({"Eq", "NotEq", "Lt", "LtE", "Gt", "GtE"})


def choose(test: Any, first: Callable, second: Callable, variables: Variables = NONE) -> Any:
    """``first() if test else second()``."""
    test = truth(test)
    if not v.is_staged(test):
        return first() if test else second()
    return value_of(staged_if(v.truth(test), lambda: Return(first()), lambda: Return(second()), variables))


def and_(value: Any, *rest: Callable, variables: Variables = NONE) -> Any:
    """``value and rest[0]() and ...``."""
    for i, later in enumerate(rest):
        value = grown.plain(v.read(value))
        if type(value) is Either:
            return value_of(apart_in(lambda x: Return(and_(x, *rest[i:], variables=variables)), [value], variables))    # noqa: B023
        if v.is_staged(value):
            now = value
            return choose(now, lambda: and_(later(), *rest[i + 1:], variables=variables), lambda: now, variables)  # noqa: B023
        if not grown.truth(value):
            return value
        value = later()
    return value


def or_(value: Any, *rest: Callable, variables: Variables = NONE) -> Any:
    """``value or rest[0]() or ...``."""
    for i, later in enumerate(rest):
        value = grown.plain(v.read(value))
        if type(value) is Either:
            return value_of(apart_in(lambda x: Return(or_(x, *rest[i:], variables=variables)), [value], variables))    # noqa: B023
        if v.is_staged(value):
            now = value
            return choose(now, lambda: now, lambda: or_(later(), *rest[i + 1:], variables=variables), variables)   # noqa: B023
        if grown.truth(value):
            return value
        value = later()
    return value


def not_(value: Any) -> Any:
    """``not value``."""
    value = truth(value)
    return as_number(v.negated(v.truth(value))) if v.is_staged(value) else not value


def chain(left: Any, signs: tuple[str, ...], *rest: Callable) -> Any:
    """``left < a < b``: each operand is evaluated once, and only if the comparisons before it hold."""
    right = rest[0]()
    value = compared(left, signs[0], right)
    return value if len(rest) == 1 else and_(value, lambda: chain(right, signs[1:], *rest[1:]))


def compared(left: Any, sign: str, right: Any) -> Any:
    """One comparison, of the kind that its node is called by."""
    if sign in ("Eq", "NotEq") and (open_sizes.has_open(left) or open_sizes.has_open(right)) and not (
            isinstance(left, _ARRAYS) or isinstance(right, _ARRAYS)):
        return open_sizes.equal(left, right) is (sign == "Eq")
    if sign in _SIGNS:
        if sign in ("Eq", "NotEq") and (grown.is_grown(left) or grown.is_grown(right)):
            from kayax.bridge.to_static.operators import totals
            same = totals.equal(v.read(left), v.read(right))
            return same if sign == "Eq" else not_(same)
        settle = v.read if sign in ("Eq", "NotEq") else v.use
        left, right = grown.plain(settle(left)), grown.plain(settle(right))
        if type(left) is Either or type(right) is Either:
            return apart(lambda a, b: compared(a, sign, b), left, right)
        watch_objects(left, right, doing="compare")
        return numbers.binary(sign, left, right) if numbers.are(left, right) else numbers.BINARY[sign](left, right)
    return {"Is": is_, "IsNot": is_not, "In": in_, "NotIn": not_in}[sign](left, right)


def is_(left: Any, right: Any) -> Any:
    """``left is right``; whether a value is None may depend on a tensor."""
    if isinstance(left, Either) or isinstance(right, Either):
        return _is_either(left, right) if isinstance(left, Either) else _is_either(right, left)
    if left is not right and type(left) is type(right) and (_may_be_another(left) or _may_be_another(right)):
        raise ConversionError(f"Whether two {type(left).__name__}s are one object depends on a tensor, and a program "
                              f"has a copy.{at_user_line()}\nCompare what they hold, or keep a flag beside them.")
    return left is right


def _may_be_another(value: Any) -> bool:
    """Whether this is a value of the program for one of several objects."""
    root = state.trace.root if state.trace is not None else None
    if root is None:
        return False
    if isinstance(value, Tensor):
        return value.storage in root.aliases
    return is_frozen(value) or id(value) in root.copied


def _is_either(value: Either, other: Any) -> Any:
    value = v.read(value)
    if isinstance(other, Either) or type(value) is not Either:
        return is_(value, v.read(other)) if type(value) is not Either else apart(is_, value, v.read(other))
    first, second = is_(value.first, other), is_(value.second, other)
    if first is second:
        return first
    return choose(value.flag, lambda: first, lambda: second)


def is_not(left: Any, right: Any) -> Any:
    """``left is not right``."""
    return not_(is_(left, right))


def in_(item: Any, container: Any) -> Any:
    """``item in container``, where the item, or items of the container, may be staged."""
    item, container = v.read(item), v.use(container)
    if has_either(item) or (not isinstance(container, dict) and has_either(container, 1)):
        return apart(in_, item, container, depth=1)
    if grown.is_grown(container):
        from kayax.bridge.to_static.operators import totals
        return totals.contains(container, item)
    grown.plain(container)
    from kayax.bridge.to_static.operators.stores import of_users
    asked = of_users(type(container), "__contains__")
    if asked is not None:
        from kayax.bridge.to_static.operators.call import call
        return v.truth_number(truth(call(asked, container, item)))
    if isinstance(container, dict) and not v.is_staged(item) and item in container:
        return dicts.is_there(dict.__getitem__(container, item))
    if isinstance(container, Tensor) and (v.is_staged(container) or v.is_staged(item)):
        return as_number(v.truth((container == item).any()).detach())
    if type(container) in (list, tuple) and (v.is_staged(item) or any(map(v.is_staged, container))):
        found = or_(False, *(lambda x=x: True if x is item else v.truth_number(x == item)        # type: ignore[misc]
                             for x in container))
        return v.truth_number(found)
    if isinstance(container, (list, tuple)) and (open_sizes.is_open(item) or open_sizes.has_open(container)):
        return open_sizes.contains(container, item)
    watch_objects(item, container, doing="in")
    return item in container


def not_in(item: Any, container: Any) -> Any:
    """``item not in container``."""
    return not_(in_(item, container))
