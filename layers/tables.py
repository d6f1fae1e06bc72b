"""What a Layer keeps its parts in. Each change is told, since programs take for granted what they found there."""
from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from kayax.bridge.state import bump

_CHANGES = "__setitem__ __delitem__ __ior__ clear move_to_end pop popitem setdefault update".split()


def _told(change: Callable) -> Callable:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        bump()
        return change(self, *args, **kwargs)

    return method


def _telling(kind: type) -> type:
    """Make the methods of a kind of dict that change it tell so."""
    for name in _CHANGES:
        if hasattr(kind, name):
            setattr(kind, name, _told(getattr(kind, name)))
    return kind


@_telling
class Table(OrderedDict):
    """The parameters, buffers or sublayers of a Layer by name, in the order in which they came."""


@_telling
class Attributes(dict):
    """The ``__dict__`` of a Layer."""
