"""Structures of values taken apart into leaves and a description, and put together again.

The description is hashable, and compares what is not a leaf by type and value: it is the static part of a cache key.
"""
from __future__ import annotations

import dataclasses
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any


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


Spec = Leaf | Static | Branch
_DICTS: tuple[Any, ...] = (dict, OrderedDict, defaultdict)


def flatten(value: Any, is_leaf: Callable[[Any], bool]) -> tuple[list[Any], Spec]:
    """The leaves of a nested structure of lists, tuples, dicts, named tuples and dataclasses, and its description."""
    leaves: list[Any] = []
    return leaves, _flatten(value, is_leaf, leaves)


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
    return None


def _flatten(value: Any, is_leaf: Callable[[Any], bool], leaves: list[Any]) -> Spec:
    if is_leaf(value):
        leaves.append(value)
        return LEAF
    found = parts(value)
    if found is None:
        return Static(value)
    kind, extra, children = found
    return Branch(kind, extra, tuple([_flatten(v, is_leaf, leaves) for v in children]))


def unflatten(spec: Spec, leaves: Sequence[Any]) -> Any:
    """The structure that `flatten` took apart, with these leaves."""
    return _unflatten(spec, iter(leaves))


def _unflatten(spec: Spec, leaves: Iterator[Any]) -> Any:
    if spec is LEAF:
        return next(leaves)
    if isinstance(spec, Static):
        return spec.value
    assert isinstance(spec, Branch)
    return build(spec.kind, spec.extra, [_unflatten(c, leaves) for c in spec.children])


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
    new: Any = object.__new__(kind)
    for name, child in zip(extra, children, strict=True):
        object.__setattr__(new, name, child)
    return new
