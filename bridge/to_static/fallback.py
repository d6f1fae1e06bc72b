"""An attempt to make a program, which leaves no trace in Python's objects if it fails; and the word that it failed."""
from __future__ import annotations

import contextlib
import random
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from kayax.bridge.either import tensors_in
from kayax.bridge.errors import ConversionError, FallbackWarning, KeptError, LeakedTensorError
from kayax.bridge.journal import Journal, journal
from kayax.bridge.places import Attribute, Place


class Attempt:
    """What the function did to Python's objects in each of its two runs: over abstract values, and into the program."""

    def __init__(self, notes: Journal):
        self.notes = notes
        self.error: Exception | None = None
        self._first: dict = {}
        self._known: set[tuple] = set()
        self._made: dict[int, Any] = {}
        self._random = _generators()

    def second_run(self) -> None:
        """From here on, what has been changed once should stay."""
        self._first = dict(self.notes.old)
        self._known = self.notes.keys()
        self._made = self.notes.born            # what the first run has made, and left somewhere
        self.notes.old, self.notes.born = {}, {}

    def check(self) -> None:
        """A program would do only once what the function has done in both of its runs."""
        # What both runs have changed was there before: what a run makes itself is another object in each of them.
        places = [place for key, (place, old, new) in self.notes.changed().items()
                  if (key in self._known or id(place.owner) in self._made) and not _is_same(place, old, new)]
        if places:
            raise ConversionError(
                f"The function changes {' and '.join(map(str, places))} in every call, which a program would do only "
                "once, when it is made.\nReturn what changes, keep it in a buffer, or keep the function eager "
                "(`paddle.jit.not_to_static`).")
        if not _equal(self._random, _generators()):
            raise ConversionError(
                "The function draws from NumPy's or Python's global random generator, which a program would do only "
                "once, when it is made.\nUse paddle.rand and the like, or pass the numbers in.")

    def undo(self) -> None:
        self.notes.undo()
        self.notes.old = self._first
        self.notes.undo()
        random.setstate(self._random[0])
        np.random.set_state(self._random[1])


def _is_same(place: Place, old: Any, new: Any) -> bool:
    """Whether a change is none: an equal value, or a tensor kept in an attribute (an error when it is used)."""
    if isinstance(place, Attribute) and tensors_in(new):
        return True
    return type(old) is type(new) and isinstance(new, (bool, int, float, complex, str, bytes)) and old == new


def _generators() -> tuple[Any, Any]:
    return random.getstate(), np.random.get_state()


def _equal(a: tuple, b: tuple) -> bool:
    return a[0] == b[0] and a[1][2:] == b[1][2:] and np.array_equal(a[1][1], b[1][1])


@contextlib.contextmanager
def untouched(keep: bool = True) -> Iterator[Attempt]:
    """Run an attempt; an error is kept in `error`. Everything noted is put back then, or always unless `keep`."""
    with journal() as notes:
        attempt = Attempt(notes)
        try:
            yield attempt
            if not keep:
                attempt.undo()
        except Exception as error:
            attempt.error = error
            attempt.undo()


def why(error: Exception) -> str:
    """The reason for running eagerly, in words."""
    if isinstance(error, ConversionError):
        return f"{error}"
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:               # it is about a tensor of the run that failed, which has no value
        return type(error).__name__


def sets_up(error: Exception) -> bool:
    """Whether a function keeps a tensor for later calls: those may find it there, and be programs."""
    return isinstance(error, (KeptError, LeakedTensorError))


def warn_fallback(name: str, error: Exception) -> None:
    """Say that a function runs eagerly, and why."""
    warnings.warn(f"`{name}` runs eagerly; the Layers that it calls are compiled. The reason:\n{why(error)}\n"
                  "(full_graph=True makes this an error; paddle.jit.not_to_static says that it is meant.)",
                  FallbackWarning, stacklevel=5)


__all__ = ["Attempt", "sets_up", "untouched", "warn_fallback", "why"]
