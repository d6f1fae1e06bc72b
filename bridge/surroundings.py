"""What a user's function names besides its arguments: globals and closed-over variables, of its callees too."""
from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from typing import Any

from kayax.bridge.errors import is_ours

_NEVER_REBOUND = (types.ModuleType, type, types.BuiltinFunctionType)


def surroundings(function: Callable) -> list[tuple[Any, Any, Any]]:
    """Each name that a program made from `function` depends on: where it is looked up, its key there, its value now.

    A global is looked up in its module's dict; a closed-over variable in its cell, whose key is None.
    """
    found: list[tuple[Any, Any, Any]] = []
    _collect(function, found, set())
    return found


def _collect(function: Any, found: list[tuple[Any, Any, Any]], seen: set[int]) -> None:
    function = getattr(function, "_function", function)             # a StaticFunction's own
    function = getattr(function, "__func__", function)
    if not isinstance(function, types.FunctionType) or id(function) in seen or is_ours(function.__code__.co_filename):
        return
    seen.add(id(function))
    table = function.__globals__
    places = [(table, name, table[name]) for name in _global_names(function.__code__) if name in table]
    for cell in function.__closure__ or ():
        try:
            places.append((cell, None, cell.cell_contents))
        except ValueError:                                          # not bound yet
            continue
    for place, key, value in places:
        if not isinstance(value, _NEVER_REBOUND):
            found.append((place, key, value))
            _collect(value, found, seen)


def _global_names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _global_names(constant)


def value_of(place: Any, key: Any) -> Any:
    """The present value of a name."""
    try:
        return place.cell_contents if key is None else place.get(key)
    except ValueError:
        return None
