"""Iterators move on when a program is made, and in no other run: each has to be made and used by the function itself.

One that a loop goes over which a tensor may leave has moved on by a number of items that only the program knows.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from kayax.bridge.errors import ConversionError, at_user_line
from kayax.bridge.journal import may_be_older, unborn
from kayax.bridge.state import root_trace, state


def is_iterator(value: Any) -> bool:
    return hasattr(type(value), "__next__")


def check(iterator: Any) -> None:
    """Refuse an iterator from outside, and one that a tensor made a loop leave."""
    if not is_iterator(iterator) or not may_be_older(iterator):
        return
    kind = type(iterator).__name__
    if state.trace is not None and id(iterator) in root_trace().left:
        raise ConversionError(f"An iterator ({kind}) is used again after a loop over it that a tensor may have left: "
                              f"how far it has moved on is known only when the program runs.{at_user_line()}\nGo over "
                              "a list or tensor by number.")
    raise ConversionError(f"An iterator ({kind}) moves on that was made outside of the function, or of the branch or "
                          f"loop which a tensor decides.{at_user_line()}\nMake it where it is used, or go over a list "
                          "or tensor by number.")


def check_in(args: Iterable[Any]) -> None:
    """The same for what is given to code that is not rewritten."""
    for arg in args:
        if is_iterator(arg):
            check(arg)


def note_sources(out: Any, args: Iterable[Any]) -> Any:
    """Note which iterators a new one moves on. Gives the new one."""
    sources = [a for a in args if is_iterator(a) and a is not out] if state.trace is not None else []
    if sources:
        root_trace().sources[id(out)] = out, sources
    return out


def leave(iterable: Any) -> None:
    """Note that a tensor decides whether a loop over this was left early."""
    if not is_iterator(iterable) or state.trace is None:
        return
    for iterator in _moved_on(iterable):
        root_trace().left[id(iterator)] = iterator
        unborn(iterator)


def _moved_on(iterator: Any) -> Iterator[Any]:
    yield iterator
    for source in root_trace().sources.get(id(iterator), (None, ()))[1]:
        yield from _moved_on(source)
