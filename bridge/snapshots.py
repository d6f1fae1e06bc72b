"""What a program takes for granted of the values that its function names, to be compared in every call."""
from __future__ import annotations

import argparse
import array
import functools
import sys
import types
from collections import ChainMap, UserDict, UserList, deque
from collections.abc import Callable
from typing import Any

import numpy as np

from kayax.bridge.errors import ConversionError, at_user_line, is_foreign, is_ours

PLAIN = frozenset({bool, int, float, complex, str, bytes, type(None)})
_BY_VALUE = PLAIN | {tuple, frozenset}
_SMALL = 16384                  # numbers of an array that are compared as bytes
_MOST = 1_000_000               # parts of one value
_SEQUENCES = (list, tuple, deque)
_MUTABLE = (list, deque, dict, set, bytearray, np.ndarray)
# Library classes around a container, and how to get at that.
_AROUND: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (UserDict, lambda v: v.data), (UserList, lambda v: v.data), (ChainMap, lambda v: v.maps),
    (types.MappingProxyType, dict), (array.array, bytes))
_records: dict[type, bool] = {argparse.Namespace: True, types.SimpleNamespace: True}


class Same:
    """Stands for an object and equals only the same object."""

    __slots__ = ("value",)

    def __init__(self, value: Any):
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.value is other.value

    __hash__ = None             # type: ignore[assignment]


class Numbers:
    """What a large array holds: a copy in what is taken for granted, the array itself in what is compared with it."""

    __slots__ = ("array",)

    def __init__(self, array: np.ndarray):
        self.array = array

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Numbers):
            return False
        a, b = self.array, other.array
        if a.dtype != b.dtype or a.shape != b.shape:
            return False
        words = next(f"u{n}" for n in (8, 4, 2, 1) if a.itemsize % n == 0)      # by bits: nan equals itself
        return bool((a.view(words) == b.view(words)).all())

    __hash__ = None             # type: ignore[assignment]


def snapshot(value: Any, attributes: frozenset[str], keep: bool = True) -> Any:
    """What a program takes for granted of a value it names: the object itself, and what a container or record holds.

    Records are instances of users' own classes, of which the given attributes count. keep: large arrays are copied.
    """
    kind = type(value)
    if kind in PLAIN:
        return (kind, value.hex() if kind is float else value)      # hex: nan equals itself, and -0.0 is not 0.0
    return _Snapshot(attributes, keep).of(value)


class _Snapshot:
    def __init__(self, attributes: frozenset[str], keep: bool):
        self.attributes, self.keep = attributes, keep
        self.seen: set[int] = set()
        self.parts = 0

    def of(self, value: Any) -> Any:
        kind = type(value)
        if kind in PLAIN:
            return (kind, value.hex() if kind is float else value)
        if isinstance(value, np.ndarray):
            return self._array(value)
        inside = next((look(value) for around, look in _AROUND if isinstance(value, around)), None)
        if inside is not None:
            return (kind, self.of(inside))
        record = is_record(kind)
        container = isinstance(value, (*_SEQUENCES, dict, set, frozenset, bytearray))
        if not container and not record:
            return Same(value)
        if id(value) in self.seen:                                  # compared where it was met first
            return Same(value)
        self.seen.add(id(value))
        held = self._contents(kind, value) if container else Same(value)
        if not record:
            return held
        fields = settings_of(value) if holds_settings(kind) else fields_of(value, self.attributes)
        return (held, tuple(fields), tuple([self.of(v) for v in fields.values()]))

    def _contents(self, kind: type, value: Any) -> Any:
        self.parts += len(value)
        if self.parts > _MOST and self.keep:
            raise ConversionError(
                f"The function uses a {kind.__name__} with more than a million parts, too many to see in every call "
                f"whether they are the same.{at_user_line()}\nHold them in an array or a Tensor.")
        if isinstance(value, dict):
            return (kind, tuple(value), tuple([self.of(v) for v in value.values()]))
        if isinstance(value, bytearray):
            return (kind, bytes(value))
        if isinstance(value, (set, frozenset)):
            return (kind, frozenset([(type(v), v) if type(v) in _BY_VALUE else id(v) for v in value]))
        return (kind, tuple([self.of(v) for v in value]))

    def _array(self, value: np.ndarray) -> Any:
        kind = type(value)
        if value.dtype.hasobject:
            return (kind, value.shape, tuple([self.of(v) for v in value.flat]))
        if value.size <= _SMALL:
            return (kind, value.dtype, value.shape, value.tobytes())
        if not value.flags.c_contiguous:
            value = np.ascontiguousarray(value)
        elif self.keep:
            value = value.copy()
        return (kind, Numbers(value))


def without(then: Any, left_out: set[tuple]) -> Any:
    """A snapshot without some attributes of records."""
    if not isinstance(then, tuple):
        return then
    if len(then) == 3 and isinstance(then[0], Same):
        kept = [i for i, name in enumerate(then[1]) if (id(then[0].value), name) not in left_out]
        then = (then[0], tuple([then[1][i] for i in kept]), tuple([then[2][i] for i in kept]))
    return tuple([without(part, left_out) for part in then])


def fields_of(value: Any, names: frozenset[str]) -> dict[str, Any]:
    """The attributes of a record that have these names."""
    fields = {name: v for name, v in getattr(value, "__dict__", {}).items() if name in names}
    slots = _slots(type(value))         # type: ignore[arg-type]
    return fields | {name: getattr(value, name) for name in slots & names if hasattr(value, name)}


def settings_of(value: Any) -> dict[str, Any]:
    """The public attributes of an object."""
    return {name: held for name, held in vars(value).items() if not name.startswith("_")}


@functools.cache
def _slots(kind: type) -> frozenset[str]:
    found: list[str] = []
    for base in kind.__mro__:
        slots = base.__dict__.get("__slots__", ())
        found += [slots] if isinstance(slots, str) else slots
    return frozenset(found) - {"__dict__", "__weakref__"}


def can_change(value: Any) -> bool:
    """Whether a value can change and stay the same object, in a way that a snapshot sees."""
    return isinstance(value, _MUTABLE) or holds_settings(type(value)) or (
        isinstance(value, tuple) and any(map(can_change, value)))


def is_record(kind: type) -> bool:
    """Whether instances of a class are records: plain ones of a user's, or such that hold settings."""
    found = _records.get(kind)
    if found is None:
        fields = "__dict__" in dir(kind) or bool(_slots(kind))                          # type: ignore[arg-type]
        found = _records[kind] = holds_settings(kind) or (
            fields and not is_library(kind.__module__) and not any(map(of_ours, kind.__mro__)))
    return found


def holds_settings(kind: type) -> bool:
    """Whether this package's code computes with the public attributes of such objects, which a user may set."""
    return getattr(kind, "holds_settings", False)


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
