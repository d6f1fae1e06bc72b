"""What code that is not rewritten may read of users' objects: noted before it runs, since it does not say."""
from __future__ import annotations

import functools
import types
from collections.abc import Iterable
from typing import Any

from kayax.bridge.journal import is_born
from kayax.bridge.places import CONTAINERS
from kayax.bridge.snapshots import PLAIN, is_library, is_record
from kayax.bridge.state import state
from kayax.spec import tree

_DEEP, _MANY = 3, 10_000        # how far it is looked into containers, and at how many objects
# By what Python does with a value: the special methods that it may run. Anything else may run any of them.
_RUN = {doing: frozenset(f"__{name}__" for name in names.split()) for doing, names in {
    "truth": "bool len", "compare": "eq ne lt le gt ge", "in": "contains iter getitem next len eq",
    "iterate": "iter next getitem len", "key": "index hash eq", "lookup": "", "text": "str repr format"}.items()}
_OUTSIDE = ("truth", "iterate", "lookup")         # of a list, this runs no method of what it holds
# Special methods that are rewritten where they run, and those that make an object or change it.
_NOT_READING = frozenset(f"__{name}__" for name in """init new post_init init_subclass class_getitem set_name setattr
    getattribute delattr setitem delitem call enter exit del""".split())


@functools.cache
def special_methods(kind: type) -> frozenset[str]:
    """The special methods that a user has written for a class, of those that look at an object."""
    return frozenset(name for base in kind.__mro__ if not is_library(base.__module__)
                     for name, method in vars(base).items()
                     if isinstance(method, types.FunctionType) and name.startswith("__") and name.endswith("__")
                     and name not in _NOT_READING)


def note_reads(values: Iterable[Any], doing: str = "", names: frozenset[str] = frozenset(),
               whole: bool = False) -> None:
    """Note what special methods read of these objects and of those in containers, and their attributes of these names.

    doing: what Python does with them (a key of `_RUN`). whole: all their attributes are read.
    """
    if state.trace is None:
        return
    stack, left = [(value, 0 if doing in _OUTSIDE else _DEEP) for value in values], _MANY
    while stack and left:
        value, depth = stack.pop()
        kind: Any = type(value)
        left -= 1
        if kind in PLAIN:
            continue
        if isinstance(value, (*CONTAINERS, tuple)):
            parts = value.values() if isinstance(value, dict) else value
            stack += [(part, depth - 1) for part in parts] if depth else []
        if is_record(kind) and not is_born(value):
            found = names | frozenset(tree.attributes(value)) if whole else names
            methods = special_methods(kind)
            state.trace.root.note_object(value, methods & _RUN[doing] if doing else methods, found)


__all__ = ["note_reads", "special_methods"]
