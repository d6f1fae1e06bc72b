"""What tells when it is changed, since programs take for granted what they found there: containers and settings."""
from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from kayax.bridge.state import bump

_CHANGES = """__setitem__ __delitem__ __ior__ __iadd__ __imul__ append clear extend insert move_to_end pop popitem
    remove reverse setdefault sort update""".split()


def _told(change: Callable) -> Callable:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        bump()
        return change(self, *args, **kwargs)

    return method


def _telling(kind: type) -> type:
    """Make the methods of a kind of container that change it tell so."""
    for name in _CHANGES:
        if hasattr(kind, name):
            setattr(kind, name, _told(getattr(kind, name)))
    return kind


@_telling
class Table(OrderedDict):
    """The parameters, buffers or sublayers of a Layer by name, in the order in which they came."""


@_telling
class ToldDict(dict):
    """The ``__dict__`` of a Layer, or options by name."""


@_telling
class ToldList(list):
    """Parameters, or groups of them."""


class Setting:
    """An attribute that a user may set from step to step; a dict that is set is told of, too."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        try:
            return instance.__dict__[self._name]
        except KeyError:
            raise AttributeError(f"{type(instance).__name__!r} object has no attribute {self._name!r}") from None

    def __set__(self, instance: Any, value: Any) -> None:
        bump()
        instance.__dict__[self._name] = ToldDict(value) if type(value) is dict else value


class Settings:
    """A base of classes all of whose attributes are settings."""

    holds_settings = True

    def __setattr__(self, name: str, value: Any) -> None:
        bump()
        super().__setattr__(name, value)
