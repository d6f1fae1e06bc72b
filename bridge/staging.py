"""Functions that a static graph notes as a whole, code that runs at once, and users' functions that ours call."""
from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from kayax.bridge.state import state

F = TypeVar("F", bound=Callable)


def staged(fn: F) -> F:
    """Mark a function of Tensors that writes cells, takes functions, or differs between training and evaluation.

    While a static graph is being built, a call of it is one instruction, in place of those of the operations in it.
    """
    @functools.wraps(fn)
    def run(*args: Any, **kwargs: Any) -> Any:
        graph = state.graph
        return fn(*args, **kwargs) if graph is None else graph.record(fn, args, kwargs)

    return run                                  # type: ignore[return-value]


@contextlib.contextmanager
def suspended() -> Iterator[None]:
    """Inside, operations run instead of being noted."""
    held, state.graph = state.graph, None
    try:
        yield
    finally:
        state.graph = held


def run_users(fn: Callable, *args: Any, **kwargs: Any) -> Any:
    """``fn(*args, **kwargs)`` of a function that a user gave to one of ours: rewritten while a program is made."""
    if state.trace is None:
        return fn(*args, **kwargs)
    from kayax.bridge.to_static.operators.call import call
    return call(fn, *args, **kwargs)
