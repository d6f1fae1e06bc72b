"""What a user's function names besides its arguments: globals and closed-over variables, of its callees too."""
from __future__ import annotations

import argparse
import enum
import functools
import inspect
import sys
import types
import weakref
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from kayax.bridge.errors import is_foreign, is_ours

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
        if isinstance(self.place, (Fields, Items)):
            return self.place.label(self.key)
        if self.key is not None:
            return f"the global `{self.key}`"
        return f"a variable it closes over ({type(self.value()).__name__})"

    def is_plain(self) -> bool:
        """Whether the value is a number, a string or the like, not a container or an object."""
        return type(self.value()) in _PLAIN

    def renew(self) -> None:
        """Take the present value for the fact."""
        self.then = snapshot(self.value(), self.attributes)

    def holds(self) -> bool:
        then, value = self.then, self.value()
        if type(then) is Same:
            return value is then.value
        now = snapshot(value, self.attributes)
        return now == then or (bool(self.left_out) and _without(now, self.left_out) == _without(then, self.left_out))


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


def snapshot(value: Any, attributes: frozenset[str], depth: int = 4) -> Any:
    """What a program takes for granted of a value it names: the object itself, and what a container or record holds.

    Records are instances of users' own classes, of which the given attributes count; of a large array only which it is.
    """
    kind = type(value)
    if kind in _PLAIN:
        return (kind, value.hex() if kind is float else value)      # hex: nan equals itself, and -0.0 is not 0.0
    if depth == 0:
        return Same(value)
    if kind in (list, tuple, deque):
        return (kind, tuple([snapshot(v, attributes, depth - 1) for v in value]))
    if kind in (dict, OrderedDict, defaultdict):
        return (kind, tuple(value), tuple([snapshot(v, attributes, depth - 1) for v in value.values()]))
    if kind in (set, frozenset) and all([type(v) in _PLAIN for v in value]):
        return (kind, frozenset(value))
    if kind is np.ndarray and value.size <= _SMALL and value.dtype.kind in "biufc":
        return (kind, value.dtype, value.shape, value.tobytes())
    if is_record(kind):
        fields = {name: v for name, v in vars(value).items() if name in attributes}
        return (Same(value), tuple(fields), tuple([snapshot(v, attributes, depth - 1) for v in fields.values()]))
    return Same(value)


def _without(then: Any, left_out: set[tuple]) -> Any:
    """A snapshot without some attributes of records."""
    if not isinstance(then, tuple):
        return then
    if len(then) == 3 and isinstance(then[0], Same):
        kept = [i for i, name in enumerate(then[1]) if (id(then[0].value), name) not in left_out]
        then = (then[0], tuple([then[1][i] for i in kept]), tuple([then[2][i] for i in kept]))
    return tuple([_without(part, left_out) for part in then])


class Same:
    """Stands for an object and equals only the same object."""

    __slots__ = ("value",)

    def __init__(self, value: Any):
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.value is other.value

    __hash__ = None             # type: ignore[assignment]


_CODE = (types.FunctionType, types.MethodType, functools.partial)
_PLAIN = frozenset({bool, int, float, complex, str, bytes, type(None)})
_SMALL = 16384
_MUTABLE = (list, deque, dict, OrderedDict, defaultdict, set, np.ndarray)
_records: dict[type, bool] = {argparse.Namespace: True, types.SimpleNamespace: True}


def can_change(value: Any) -> bool:
    """Whether a value can change and stay the same object, in a way that a snapshot sees."""
    return type(value) in _MUTABLE or (type(value) is tuple and any(map(can_change, value)))


def is_noted(owner: Any, name: str, value: Any) -> bool:
    """Whether an attribute that code reads may change between two calls: users' objects, classes and modules."""
    if isinstance(value, _NEVER_REBOUND) or (isinstance(value, _CODE) and not isinstance(owner, types.ModuleType)):
        return False
    if isinstance(owner, types.ModuleType):
        return not is_library(owner.__name__)
    if isinstance(owner, type):
        return not is_library(owner.__module__) and not issubclass(owner, enum.Enum)
    return isinstance(owner, types.FunctionType) or (is_record(type(owner)) and not isinstance(owner, enum.Enum))


def is_record(kind: type) -> bool:
    """Whether instances of a class are plain records of a user's: their fields are what they are."""
    found = _records.get(kind)
    if found is None:
        found = _records[kind] = (
            "__dict__" in dir(kind) and not is_library(kind.__module__) and not any(map(of_ours, kind.__mro__)))
    return found


@functools.cache
def is_library(module: str) -> bool:
    """Whether a module is Python's, an installed package's or ours: nobody changes what it holds."""
    if module.partition(".")[0] in sys.stdlib_module_names - {"__main__"}:
        return True
    file = getattr(sys.modules.get(module), "__file__", None)
    return file is not None and is_foreign(file)


@functools.cache
def of_ours(kind: type) -> bool:
    """Whether a class is defined in this package."""
    return is_ours(getattr(sys.modules.get(kind.__module__), "__file__", None) or "")


def _global_names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _global_names(constant)
