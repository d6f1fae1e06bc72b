"""Dicts with keys that are there or not as a tensor decides, and attributes of that kind.

The value of such a key is an Either with UNDEFINED on the paths where it is not there, as a variable's is that is
bound on some paths only. What asks for one key knows that; anything else wants to know which keys there are: then the
run is given up if one is missing.
"""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kayax.bridge.either import Either
from kayax.bridge.journal import fresh, touch_contents
from kayax.bridge.places import UNDEFINED
from kayax.bridge.tensor import Tensor
from kayax.bridge.to_static.operators import grown
from kayax.bridge.to_static.operators import values as v
from kayax.bridge.to_static.operators.branch import apart
from kayax.bridge.watching import watch_objects
from kayax.spec import tree


def may_lack(value: Any) -> bool:
    """Whether a value is one that may not be there."""
    return value is UNDEFINED or (type(value) is Either and (may_lack(value.first) or may_lack(value.second)))


def is_there(value: Any) -> Any:
    """Whether a value is there, perhaps staged."""
    from kayax.bridge.to_static.operators.logic import choose
    if not may_lack(value):
        return True
    if value is UNDEFINED:
        return False
    return choose(value.flag, lambda: is_there(value.first), lambda: is_there(value.second))


def or_default(value: Any, default: Any) -> Any:
    """A value, or another one where it is not there."""
    if value is UNDEFINED:
        return default
    if not may_lack(value):
        return value
    from kayax.bridge.to_static.operators.logic import choose
    return choose(value.flag, lambda: or_default(value.first, default), lambda: or_default(value.second, default))


def has_gaps(value: Any) -> bool:
    """Whether a dict has keys that may not be there."""
    return isinstance(value, dict) and any(map(may_lack, value.values()))


def whole(value: Any) -> Any:
    """A dict whose keys are all there, or the run is given up."""
    if has_gaps(value):
        touch_contents(value)
        for key, held in value.items():
            value[key] = v.read(held)
    return value


def whole_in(values: Iterable[Any], depth: int = 3) -> None:
    """The same for all dicts in nested values."""
    for value in values:
        found = None if isinstance(value, Tensor) or not depth else tree.parts(value)
        if found is not None:
            whole(value)
            whole_in(found[2], depth - 1)


def plain(value: Any, parts: bool = False) -> Any:
    """A value for code that cannot deal with what only a tensor decides: how long a list is, which keys a dict has."""
    value = v.read(value)
    if type(value) is Either:
        value = apart(lambda x: fresh(dict(x)) if isinstance(x, dict) else tuple(plain(x)), value)
    watch_objects(value)
    return whole(grown.plain(value, parts))


def check_order(owner: dict, key: Any) -> None:
    """A key that is set where it was not there comes last: the run is given up if others would come after it."""
    held = owner.get(key)
    if may_lack(held):
        keys = list(owner)
        later = [owner[k] for k in keys[keys.index(key) + 1:]]
        if not all(_are_alike(held, other) for other in later):
            v.bail_if(v.negated(there) if v.is_staged(there := is_there(held)) else not there)


def _are_alike(a: Any, b: Any) -> bool:
    """Whether two values are missing on the same paths, for certain."""
    if type(a) is Either and type(b) is Either and a.flag is b.flag:
        return _are_alike(a.first, b.first) and _are_alike(a.second, b.second)
    return (a is UNDEFINED and b is UNDEFINED) or not (may_lack(a) or b is UNDEFINED)


def get(owner: dict, key: Any, default: Any = None) -> Any:
    """``owner.get(key, default)``."""
    return or_default(owner.get(key, default), default)


def setdefault(owner: dict, key: Any, default: Any = None) -> Any:
    """``owner.setdefault(key, default)``."""
    check_order(owner, key)
    owner[key] = value = or_default(owner.get(key, UNDEFINED), default)
    return value


METHODS = {"get": get, "setdefault": setdefault}
