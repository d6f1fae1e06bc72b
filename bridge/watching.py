"""What code that is not rewritten may change: noted before it runs, since it does not say what it does."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kayax.bridge.either import Either
from kayax.bridge.errors import ConversionError, at_user_line
from kayax.bridge.journal import note
from kayax.bridge.places import ARRAYS, CLOSED, CONTAINERS, UNDEFINED, Contents, Elements, Fields, Place
from kayax.bridge.reads import note_reads
from kayax.bridge.series import Series
from kayax.bridge.snapshots import PLAIN, is_record
from kayax.bridge.state import state
from kayax.bridge.tensor import Tensor

_DEEP, _MANY = 4, 10_000        # how far it is looked into what values hold, and at how many objects


def watch(values: Iterable[Any]) -> None:
    """Note what may change in these values, and in what they hold."""
    if state.trace is None:
        return
    stack = [(value, _DEEP) for value in values]
    seen: set[int] = set()
    while stack and len(seen) < _MANY:
        value, depth = stack.pop()
        place = _place_of(value)
        if id(value) in seen or (place is None and not isinstance(value, tuple)):
            continue
        seen.add(id(value))
        parts = _parts(value, place)
        if isinstance(place, Contents) and any(map(_is_counted, parts)):
            raise ConversionError(f"Code that is not rewritten is given a {type(value).__name__}, and a tensor decides "
                                  f"what that holds.{at_user_line()}\nTake the items out before.")
        if place is not None:
            note(place)
        stack += [(part, depth - 1) for part in parts] if depth else []


def watch_objects(*values: Any, doing: str = "") -> None:
    """The same of instances of users' classes: what Python does with one may run a method of its own, and read it."""
    if state.trace is not None:
        note_reads(values, doing)
        watch([x for x in values if not isinstance(x, Tensor) and type(x) not in PLAIN and is_record(type(x))])


def _place_of(value: Any) -> Place | None:
    """The place of all that can change in a value; None if nothing can, or it is none of the user's."""
    if isinstance(value, CONTAINERS):
        return Contents(value)
    if isinstance(value, ARRAYS):
        return Elements(value)
    closed = isinstance(value, CLOSED) or type(value).__module__.startswith(("kayax", "jax"))
    return None if closed or not isinstance(getattr(value, "__dict__", None), dict) else Fields(value)


def _parts(value: Any, place: Place | None) -> list[Any]:
    if isinstance(place, Elements):
        return []
    if isinstance(place, Fields):
        return list(vars(value).values())
    return list(value.values() if isinstance(value, dict) else value)


def _is_counted(value: Any) -> bool:
    """Whether this stands for several items, or for one that may not be there."""
    return type(value) is Series or (type(value) is Either and (value.first is UNDEFINED or value.second is UNDEFINED))
