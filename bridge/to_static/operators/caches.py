"""`functools.lru_cache` and `cached_property`: what they keep outlives the program, so it is made outside of it."""
from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from kayax.bridge.either import tensors_in
from kayax.bridge.errors import ConversionError, at_user_line
from kayax.bridge.journal import is_born
from kayax.bridge.state import outside_traces, state
from kayax.bridge.surroundings import Items

_CACHED = type(functools.lru_cache(int))


def keeps_results(function: Any) -> bool:
    """Whether this is a function (or method) under `functools.lru_cache` or `cache`, called while a program is made."""
    return type(getattr(function, "__func__", function)) is _CACHED and state.trace is not None


def call(function: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
    """What the cache has for these arguments, or keeps from now on; a saved program has no use for a cache."""
    if state.portable:
        from kayax.bridge.to_static.operators import call as calls
        owner = (function.__self__,) if hasattr(function, "__func__") else ()
        return calls.call(getattr(function, "__func__", function).__wrapped__, *owner, *args, **kwargs)
    if _is_made_here([args, kwargs]):
        raise ConversionError(f"`{function.__name__}` keeps its results by their arguments (functools.lru_cache), and "
                              f"one of these is a Tensor of the program.{at_user_line()}\nCall "
                              f"`{function.__name__}.__wrapped__`, or pass Python values.")
    found = _Kept(function, args, kwargs)
    value = _made_outside(lambda: found.get(None), getattr(function, "__func__", function).cache_clear)
    state.trace.root.note_kept(function, repr((args, kwargs)), found)                       # type: ignore[union-attr]
    return value


class _Kept(Items):
    """What a function's cache has for some arguments, as a fact that a program depends on."""

    def __init__(self, function: Any, args: tuple, kwargs: dict[str, Any]):
        self.function, self.args, self.kwargs = function, args, kwargs

    def get(self, key: Any) -> Any:
        if state.trace is None:
            return self.function(*self.args, **self.kwargs)
        with outside_traces():
            return self.function(*self.args, **self.kwargs)

    def label(self, key: Any) -> str:
        return f"what `{self.function.__name__}` gave (functools.lru_cache)"


def is_first_read(described: Any, owner: Any, name: str) -> bool:
    """Whether reading an attribute would make and keep a `cached_property` of an object that was there before."""
    return (isinstance(described, functools.cached_property) and state.trace is not None
            and name not in vars(owner) and not is_born(owner))


def make_property(owner: Any, name: str) -> None:
    """Compute a `cached_property`, which the object keeps from now on."""
    _made_outside(lambda: getattr(owner, name), lambda: vars(owner).pop(name, None))


def _made_outside(make: Callable[[], Any], forget: Callable[[], Any]) -> Any:
    trace = state.trace
    while trace is not None:
        if trace.writes:
            raise ConversionError("What functools keeps (cached_property, lru_cache) is made after a tensor was "
                                  f"written in place, whose value it might use.{at_user_line()}\nRead it once before.")
        trace = trace.parent
    with outside_traces():
        value = make()
    if _is_made_here(value):
        forget()
        raise ConversionError("What functools keeps (cached_property, lru_cache) would be made of a Tensor of the "
                              f"program.{at_user_line()}\nMake it outside of the function.")
    return value


def _is_made_here(value: Any) -> bool:
    """Whether a tensor of the program is in a value."""
    return any(t.storage.trace is not None for t in tensors_in(value))
