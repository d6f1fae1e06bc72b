"""Structures of values taken apart into leaves and a description, and put together again.

The description is hashable, and compares what is not a leaf by type and value: it is the static part of a cache key.
"""
from __future__ import annotations

import contextlib
import dataclasses
import threading
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from kayax.spec.size import Size


class Leaf:
    """Stands where a leaf was."""

    def __repr__(self) -> str:
        return "*"


LEAF = Leaf()


class Static:
    """A value that is not a leaf. Two are equal if type and value are; what cannot be hashed equals only itself."""

    __slots__ = ("value", "_hash")

    def __init__(self, value: Any):
        self.value = value
        try:
            self._hash = hash((type(value), value))
        except TypeError:
            self._hash = id(value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Static):
            return False
        a, b = self.value, other.value
        return a is b or (type(a) is type(b) and self._hash == other._hash and bool(a == b) and repr(a) == repr(b))

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return repr(self.value)


class Branch:
    """A container: its type, what else is needed to make it (keys, fields), and its children's descriptions."""

    __slots__ = ("kind", "extra", "children", "_hash")

    def __init__(self, kind: type, extra: Any, children: tuple):
        self.kind, self.extra, self.children = kind, extra, children
        self._hash = hash((kind, extra, children))

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Branch) and self._hash == other._hash and self.kind is other.kind
                                 and self.extra == other.extra and self.children == other.children)

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        keys = self.extra if isinstance(self.extra, tuple) else ()
        inner = ((f"{k!r}: {c!r}" for k, c in zip(keys, self.children, strict=True)) if keys
                 else map(repr, self.children))
        return f"{self.kind.__name__}({', '.join(inner)})"


class Again:
    """Stands for a container that was there before: the `number`-th of those that can change and are complete."""

    __slots__ = ("number",)

    def __init__(self, number: int):
        self.number = number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Again) and self.number == other.number

    def __hash__(self) -> int:
        return hash((Again, self.number))

    def __repr__(self) -> str:
        return f"<{self.number}>"


Spec = Leaf | Static | Branch | Again
_DICTS: tuple[Any, ...] = (dict, OrderedDict, defaultdict)


class _Open(threading.local):
    records: dict[int, Any] | None = None           # by identity; they are held, so that it stays theirs


_open = _Open()


@contextlib.contextmanager
def records() -> Iterator[None]:
    """Objects that are noted inside (`note_record`), or made by `build`, are containers of their attributes there."""
    held = _open.records
    _open.records = {} if held is None else held
    try:
        yield
    finally:
        _open.records = held


def note_record(value: Any) -> Any:
    """Take an object for a container of its attributes, where `records` is open. Gives the object."""
    if _open.records is not None:
        _open.records[id(value)] = value
    return value


def is_record(value: Any) -> bool:
    """Whether an object was noted, and so is held."""
    return bool(_open.records) and id(value) in _open.records           # type: ignore[operator]


def attributes(value: Any) -> list[str]:
    """The names of all attributes that an object has of its own."""
    slots = [s for c in type(value).__mro__ for s in _names(c.__dict__.get("__slots__", ()))]
    return [*getattr(value, "__dict__", ()), *(s for s in slots if s not in _NO_SLOTS and hasattr(value, s))]


_NO_SLOTS = ("__dict__", "__weakref__")


def _names(slots: Any) -> Sequence[str]:
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _is_special(value: Any) -> bool:
    """Whether a property or the like stands before an attribute that an object has in its `__dict__`."""
    return any(hasattr(getattr(type(value), name, None), "__set__") for name in getattr(value, "__dict__", ()))


def _holds_itself(value: Any) -> bool:
    stack, seen = [getattr(value, name) for name in attributes(value)], set()
    while stack:
        part = stack.pop()
        if part is value:
            return True
        noted = is_record(part)
        if id(part) in seen or not (noted or isinstance(part, (list, tuple, dict))):
            continue
        seen.add(id(part))
        stack += [getattr(part, n) for n in attributes(part)] if noted else part.values() if isinstance(
            part, dict) else part
    return False


def flatten(value: Any, is_leaf: Callable[[Any], bool], shared: bool = False) -> tuple[list[Any], Spec]:
    """The leaves of a nested structure of lists, tuples, dicts, named tuples and dataclasses, and its description.

    shared: a list, dict or object that is in it twice is one again when it is put together.
    """
    leaves: list[Any] = []
    return leaves, _flatten(value, is_leaf, leaves, {} if shared else None)


def parts(value: Any) -> tuple[type, Any, list[Any]] | None:
    """A container's type, what else is needed to make it (keys, fields), and its children; None for anything else."""
    kind = type(value)
    if kind in (list, tuple):
        return kind, None, list(value)
    if kind in _DICTS:
        keys = tuple(value)
        return kind, (keys, value.default_factory) if kind is defaultdict else keys, [value[k] for k in keys]
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        return kind, None, list(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = tuple(f.name for f in dataclasses.fields(value))
        return kind, names, [getattr(value, n) for n in names]
    if is_record(value) and not _is_special(value) and not _holds_itself(value):
        names = tuple(attributes(value))
        return kind, names, [getattr(value, n) for n in names]
    return None


def _more(value: Any, is_leaf: Callable[[Any], bool]) -> tuple[type, Any, list[Any]] | None:
    """As `parts`, of what only a result is taken apart for: nobody cares which one it is."""
    if type(value) is deque:
        return deque, value.maxlen, list(value)
    if type(value) is Size:
        return Size, tuple(value), []
    return (set, tuple(value), []) if type(value) is set and not any(map(is_leaf, value)) else None


def _flatten(value: Any, is_leaf: Callable[[Any], bool], leaves: list[Any], known: dict[int, int] | None) -> Spec:
    if is_leaf(value):
        leaves.append(value)
        return LEAF
    if known and id(value) in known:
        return Again(known[id(value)])
    found = parts(value) if known is None else parts(value) or _more(value, is_leaf)
    if found is None:
        return Static(value)
    kind, extra, children = found
    branch = Branch(kind, extra, tuple([_flatten(v, is_leaf, leaves, known) for v in children]))
    if known is not None and not issubclass(kind, tuple):
        known[id(value)] = len(known)
    return branch


def statics(spec: Spec) -> Iterator[Any]:
    """The values that are no leaves and no containers."""
    if isinstance(spec, Static):
        yield spec.value
    elif isinstance(spec, Branch):
        for child in spec.children:
            yield from statics(child)


def unflatten(spec: Spec, leaves: Sequence[Any]) -> Any:
    """The structure that `flatten` took apart, with these leaves."""
    return _unflatten(spec, iter(leaves), [])


def _unflatten(spec: Spec, leaves: Iterator[Any], made: list[Any]) -> Any:
    if spec is LEAF:
        return next(leaves)
    if isinstance(spec, Static):
        return spec.value
    if isinstance(spec, Again):
        return made[spec.number]
    assert isinstance(spec, Branch)
    new = build(spec.kind, spec.extra, [_unflatten(c, leaves, made) for c in spec.children])
    if not issubclass(spec.kind, tuple):
        made.append(new)
    return new


def build(kind: Any, extra: Any, children: list[Any]) -> Any:
    """The container that `parts` took apart, with these children."""
    if kind in (list, tuple):
        return kind(children)
    if kind is defaultdict:
        return defaultdict(extra[1], zip(extra[0], children, strict=True))
    if kind in _DICTS:
        return kind(zip(extra, children, strict=True))
    if hasattr(kind, "_fields"):
        return kind(*children)
    if kind in (deque, set, Size):
        return deque(children, extra) if kind is deque else kind(extra)
    new: Any = kind.__new__(kind) if kind.__new__ is not object.__new__ else object.__new__(kind)
    for name, child in zip(extra, children, strict=True):
        object.__setattr__(new, name, child)
    return note_record(new)
