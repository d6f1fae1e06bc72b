"""What a user's function names besides its arguments: globals and closed-over variables, of its callees too."""
from __future__ import annotations

import enum
import functools
import inspect
import types
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from kayax.bridge.errors import is_ours
from kayax.bridge.snapshots import PLAIN, Same, can_change, is_library, is_record, of_ours, snapshot, without

_CODE = (types.FunctionType, types.MethodType, functools.partial)
_NEVER_REBOUND = (types.ModuleType, type, types.BuiltinFunctionType)


class Fields:
    """The attributes of an object, as a place for a name. Whoever can reach a layer keeps it alive: this does not."""

    def __init__(self, owner: Any):
        self._owner = weakref.ref(owner) if hasattr(type(owner), "note_all") else lambda: owner

    def get(self, key: str) -> Any:
        return getattr(self._owner(), key, None)

    def label(self, key: str) -> str:
        owner = self._owner()
        kind = owner if isinstance(owner, (type, types.ModuleType, types.FunctionType)) else type(owner)
        return f"the attribute `{key}` of {kind.__name__}"


class Items:
    """The items of an array or a mapping, as a place for a name."""

    def __init__(self, owner: Any):
        self._owner = owner

    def get(self, key: Any) -> Any:
        try:
            value = self._owner[key]
        except (LookupError, TypeError):
            return None
        return value.item() if isinstance(value, np.generic) else value

    def label(self, key: Any) -> str:
        return f"[{key!r}] of a {type(self._owner).__name__}"


class Given:
    """An argument itself, as a place for a name."""

    def __init__(self, value: Any):
        self._value = value

    def get(self, key: Any) -> Any:
        return self._value

    def label(self, key: Any) -> str:
        return f"an argument, a {type(self._value).__name__}"


class Named:
    """A name that a program depends on.

    The place is a module's dict (for a global), an object's Fields or Items, or a variable's cell (the key is None).
    """

    __slots__ = ("place", "key", "attributes", "then", "left_out")

    def __init__(self, place: Any, key: Any, attributes: frozenset[str] = frozenset()):
        self.place, self.key, self.attributes = place, key, attributes
        self.left_out: set[tuple] = set()               # (id(object), attribute) that are not to be looked at
        self.then = snapshot(self.value(), attributes)

    def value(self) -> Any:
        try:
            return self.place.cell_contents if self.key is None else self.place.get(self.key)
        except ValueError:                                          # a variable that is not bound
            return None

    @property
    def label(self) -> str:
        if isinstance(self.place, (Fields, Given, Items)):
            return self.place.label(self.key)
        if self.key is not None:
            return f"the global `{self.key}`"
        return f"a variable it closes over ({type(self.value()).__name__})"

    def is_plain(self) -> bool:
        """Whether the value is a number, a string or the like, not a container or an object."""
        return type(self.value()) in PLAIN

    def renew(self) -> None:
        """Take the present value for the fact."""
        self.then = snapshot(self.value(), self.attributes)

    def holds(self) -> bool:
        then, value = self.then, self.value()
        if type(then) is Same:
            return value is then.value
        now = snapshot(value, self.attributes, keep=False)
        return now == then or (bool(self.left_out) and without(now, self.left_out) == without(then, self.left_out))


class Code:
    """The code of a function that ran, and the defaults of its parameters: all can be replaced. As a `Named`."""

    __slots__ = ("function", "then", "defaults", "left_out")

    def __init__(self, function: types.FunctionType):
        self.function = weakref.ref(function)               # nobody can call one that is gone
        self.left_out: set[tuple] = set()
        self.renew()

    @property
    def label(self) -> str:
        return f"the code or the defaults of `{getattr(self.function(), '__qualname__', 'a function')}`"

    def is_plain(self) -> bool:
        """Whether it is a plain value."""
        return False

    def renew(self) -> None:
        """Take the present code for the fact."""
        function = self.function()
        self.then = function and (function.__code__, function.__defaults__, function.__kwdefaults__)
        given = () if function is None else (function.__defaults__, function.__kwdefaults__)
        self.defaults = [(place, snapshot(place, _NONE)) for place in given if place and can_change(place)]

    def holds(self) -> bool:
        function = self.function()
        if function is None:
            return True
        code, defaults, keywords = self.then or (None, None, None)
        if function.__code__ is not code or function.__defaults__ is not defaults or (
                function.__kwdefaults__ is not keywords):
            return False
        return not self.defaults or all([snapshot(p, _NONE, keep=False) == then for p, then in self.defaults])


_NONE: frozenset[str] = frozenset()


def surroundings(function: Callable, owner: Any = None) -> list[Named]:
    """The names that a program made from `function` (a method of `owner`) depends on, those of its callees included."""
    places: list[tuple[Any, Any]] = []
    attributes: set[str] = set()
    if owner is not None:
        kind: Any = type(owner)
        attributes.update(attribute_names(getattr(function, "__func__", function), kind))
    _collect(function, places, attributes, set())
    if owner is not None:
        places.append((types.CellType(owner), None))
    used = frozenset(attributes)
    return [Named(place, key, used) for place, key in places]


@functools.lru_cache(maxsize=4096)
def attribute_names(function: Any, owner: type) -> frozenset[str]:
    """The names of all attributes that a method looks at, itself or in the methods of `owner` that it names."""
    found: set[str] = set()
    todo = [function]
    while todo:
        method = todo.pop()
        code = getattr(getattr(method, "_function", method), "__code__", None)
        new = set(_global_names(code)) - found if code is not None else set()
        found |= new
        todo += [m for m in (inspect.getattr_static(owner, name, None) for name in new)
                 if hasattr(getattr(m, "_function", m), "__code__")]
    return frozenset(found)


def _collect(function: Any, found: list[tuple[Any, Any]], attributes: set[str], seen: set[int]) -> None:
    function = getattr(function, "_function", function)             # a StaticFunction's own
    function = getattr(function, "__func__", function)
    if isinstance(function, types.FunctionType) and is_ours(function.__code__.co_filename):
        function = inspect.unwrap(function)                         # a decorator of ours
    if not isinstance(function, types.FunctionType) or id(function) in seen or is_ours(function.__code__.co_filename):
        return
    seen.add(id(function))
    attributes.update(_global_names(function.__code__))
    table = function.__globals__
    places: list[tuple[Any, Any, Any]] = [(table, n, table[n]) for n in _global_names(function.__code__) if n in table]
    for cell in function.__closure__ or ():
        try:
            places.append((cell, None, cell.cell_contents))
        except ValueError:                                          # not bound yet
            continue
    for place, key, value in places:
        if not isinstance(value, _NEVER_REBOUND):
            found.append((place, key))
            _collect(value, found, attributes, seen)


def is_noted(owner: Any, name: str, value: Any) -> bool:
    """Whether an attribute that code reads may change between two calls: users' objects, classes and modules."""
    if isinstance(value, _NEVER_REBOUND) or (isinstance(value, _CODE) and not isinstance(owner, types.ModuleType)):
        return False
    if isinstance(owner, types.ModuleType):
        return not is_library(owner.__name__)
    if isinstance(owner, type):
        return not is_library(owner.__module__) and not issubclass(owner, enum.Enum)
    kind = type(owner)
    held = name in getattr(owner, "__dict__", ()) and not any(map(of_ours, kind.__mro__))        # of a library's object
    return isinstance(owner, types.FunctionType) or ((is_record(kind) or held) and not isinstance(owner, enum.Enum))


def _global_names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _global_names(constant)
