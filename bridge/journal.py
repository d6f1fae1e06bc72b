"""What Python code changes in objects that were there before: noted, so that it can be taken back.

A branch that a tensor decides is run while the program is made, whether it will be taken or not; so what it does to
lists, dicts, attributes and variables is undone, and put in place again as a value that the program chooses.
"""
from __future__ import annotations

import contextlib
import dis
import functools
import threading
import types
from collections.abc import Callable, Iterator
from typing import Any

from kayax.bridge.errors import ConversionError, at_user_line
from kayax.bridge.places import (
    ARRAYS,
    CONTAINERS,
    MODE,
    Attribute,
    Contents,
    Elements,
    Fields,
    Global,
    Place,
    Variable,
)
from kayax.bridge.state import state


class Journal:
    """The places that were changed while it was open, with what they held before."""

    def __init__(self, parent: Journal | None = None) -> None:
        self.parent = parent                    # the one that was open before
        self.old: dict[tuple, tuple[Place, Any]] = {}
        self.born: dict[int, Any] = {}          # objects made while it is open
        self.loaded: set[tuple] = set()         # keys of attributes that were read before they were stored
        self.names: set[str] = set()            # attributes that code which is not rewritten may have read

    def changed(self) -> dict[tuple, tuple[Place, Any, Any]]:
        """For each place that holds something else now: the place, what it held, what it holds."""
        found: dict[tuple, tuple[Place, Any, Any]] = {}
        seen = set()
        for place, old in self.old.values():
            parts = place.parts(old) if isinstance(place, Fields) else [(place, old, place.get())]
            for part, was, new in parts:
                if part.key not in seen and not _alike(part, was, new):
                    found[part.key] = (part, was, new)
                seen.add(part.key)              # what was noted first knows what was there at first
        return found

    def keys(self) -> set[tuple]:
        """The keys of all places that were noted, whether they have changed or not."""
        fields = [part.key for place, old in self.old.values() if isinstance(place, Fields)
                  for part, _, _ in place.parts(old)]
        return {*self.old, *fields}

    def undo(self) -> None:
        """Put everything back."""
        for place, old in reversed(self.old.values()):
            if not _alike(place, old, place.get()):
                place.put(old)


def _alike(place: Place, a: Any, b: Any) -> bool:
    """Whether a place holds the very same objects."""
    if isinstance(place, Elements):
        return type(a) is type(b) and _bits(a) == _bits(b)
    if not isinstance(place, (Contents, Fields)) or a is b:
        return a is b
    if len(a) != len(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(x is y for x, y in zip(a.values(), b.values(), strict=True))
    return a == b if isinstance(a, set) else all(x is y for x, y in zip(a, b, strict=True))


def _bits(value: Any) -> Any:
    return value if isinstance(value, bytes) else (value.dtype, value.shape, value.tobytes())


class _Open(threading.local):
    journal: Journal | None = None
    frozen: dict[int, Any] | None = None        # objects of which the program holds copies


_open = _Open()


@contextlib.contextmanager
def journal() -> Iterator[Journal]:
    """Note changes from here on; a journal inside of another one hands nothing on."""
    held, _open.journal = _open.journal, Journal(_open.journal)
    if held is None:
        _open.frozen = {}
    try:
        yield _open.journal
    finally:
        _open.journal = held


def is_open() -> bool:
    """Whether changes are noted now."""
    return _open.journal is not None


def attempt(run: Callable[[], Any]) -> Any:
    """What ``run()`` gives; if it cannot be converted, what it noted of copies is forgotten."""
    trace, frozen = state.trace, dict(_open.frozen or {})
    root = trace.root if trace is not None else None
    copied = dict(root.copied) if root is not None else {}
    try:
        return run()
    except ConversionError:
        if root is not None:
            root.copied = copied
        if _open.frozen is not None:
            _open.frozen = frozen
        raise


def touch(place: Place) -> None:
    """Note a place that is about to be changed."""
    notes = _open.journal
    if notes is not None and _open.frozen and id(place.owner) in _open.frozen:
        raise ConversionError(
            f"A {type(place.owner).__name__} changes of which the program holds a copy, which would not change with "
            f"it: an item that a tensor chose, or of a list whose length a tensor decides.{at_user_line()}\nMake a new "
            "one, and put that in its place.")
    if notes is not None and place.key not in notes.old and id(place.owner) not in notes.born:
        notes.old[place.key] = (place, place.get())


def note(place: Place) -> None:
    """Note a place that may be changed by code which does not say so."""
    notes = _open.journal
    if notes is not None and place.key not in notes.old and id(place.owner) not in notes.born:
        notes.old[place.key] = (place, place.get())


def loaded(owner: Any, name: str) -> None:
    """Note that an attribute is read: where it was not stored before, it is what former calls left there."""
    notes, first = _open.journal, None
    key = (id(owner), "attribute", name)
    while notes is not None:
        if key in notes.old or id(owner) in notes.born:
            return
        first, notes = notes, notes.parent
    if first is not None:
        first.loaded.add(key)


def unseen(code: types.CodeType) -> None:
    """Note that code runs which is not rewritten: what it reads is not known."""
    notes = _open.journal
    while notes is not None:
        notes.names.update(code.co_names)
        notes = notes.parent


def changed_attributes() -> list[tuple[Attribute, Any]]:
    """The attributes that were stored since the outermost journal was opened, with what they held."""
    notes = _open.journal
    return [] if notes is None else [(p, old) for p, old, _ in notes.changed().values() if isinstance(p, Attribute)]


def modes_set() -> list[tuple[Attribute, bool, bool]]:
    """The layers' modes that were set since the outermost journal was opened: which, what each was, and is now.

    They get back what they were: a program sets them in every call. One that a tensor decides stays, as it is.
    """
    notes, found = _open.journal, []
    for place, old in list(notes.old.values()) if notes is not None else ():
        if isinstance(place, Attribute) and place.name == MODE and isinstance(new := place.get(), bool):
            found.append((place, old, new))
            place.put(old)
    return found


def was_loaded(place: Attribute) -> bool:
    """Whether an attribute may have been read before it was stored."""
    notes = _open.journal
    return notes is None or place.key in notes.loaded or place.name in notes.names


def touch_outer(function: Any) -> None:
    """Note the variables of outer functions and the globals that a function which is about to run may store."""
    function = getattr(function, "__func__", function)
    if _open.journal is None or not isinstance(function, types.FunctionType):
        return
    code = function.__code__
    cells = dict(zip(code.co_freevars, function.__closure__ or (), strict=True))
    for name in _stored(code):
        touch(Variable(cells[name], name) if name in cells else Global(function.__globals__, name))


@functools.lru_cache(maxsize=4096)
def _stored(code: types.CodeType) -> tuple[str, ...]:
    """The outer variables and globals that a code object, or one inside of it, stores."""
    names = {i.argval for i in dis.get_instructions(code)
             if i.opname in ("STORE_GLOBAL", "DELETE_GLOBAL")
             or (i.opname in ("STORE_DEREF", "DELETE_DEREF") and i.argval in code.co_freevars)}
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= {n for n in _stored(constant) if n in code.co_freevars or n not in constant.co_freevars}
    return tuple(sorted(names))


def freeze(value: Any) -> None:
    """Note that the program holds a copy of an object, so that a change of it would be missed."""
    if _open.frozen is not None:
        _open.frozen[id(value)] = value


def is_frozen(value: Any) -> bool:
    """Whether an object is a copy of one, or has one, that the program holds."""
    return bool(_open.frozen) and id(value) in _open.frozen                     # type: ignore[operator]


def fresh(value: Any) -> Any:
    """Note that a container was made just now, if it is one: what is done to it concerns nobody outside."""
    if _open.journal is not None and isinstance(value, CONTAINERS):
        _open.journal.born[id(value)] = value
    return value


def born(value: Any) -> Any:
    """The same for any object that was made just now."""
    if _open.journal is not None:
        _open.journal.born[id(value)] = value
    return value


def unborn(value: Any) -> None:
    """Take back that an object was made just now, for whoever asks from here on."""
    notes = _open.journal
    while notes is not None:
        notes.born.pop(id(value), None)
        notes = notes.parent


def is_born(value: Any) -> bool:
    """Whether an object is known to have been made just now."""
    return _open.journal is not None and id(value) in _open.journal.born


def may_be_older(value: Any) -> bool:
    """Whether a program is being made, and an object is not known to have been made just now."""
    return _open.journal is not None and id(value) not in _open.journal.born


def touch_contents(owner: Any) -> None:
    """Note a container that is about to be changed."""
    if _open.journal is not None and isinstance(owner, (*CONTAINERS, *ARRAYS)):
        check_single(owner)
        touch(Contents(owner) if isinstance(owner, CONTAINERS) else Elements(owner))


def check_single(owner: Any) -> None:
    """Refuse to change what may be the same as another object: a loop gives a copy where eagerly it may be itself."""
    if state.trace is not None and id(owner) in state.trace.root.copied:
        raise ConversionError(
            f"A {type(owner).__name__} is changed that was another one before a loop which a tensor decides, or may be "
            f"that one still if the loop had no round.{at_user_line()}\nMake a copy before the loop.")


def births(value: Any) -> int:
    """How many journals hold an object as one that was made just now."""
    notes, n = _open.journal, 0
    while notes is not None:
        n += id(value) in notes.born
        notes = notes.parent
    return n


def write(place: Place, value: Any) -> None:
    """Change a place, noted."""
    touch(place)
    place.put(value)
