"""Functions that a static graph notes as a whole, code that runs at once, and users' functions that ours call."""
from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

from kayax.bridge.state import state


def staged(fn: Any = None, *, notes: bool = False) -> Any:
    """Mark a function of Tensors that writes cells, takes functions, or differs between training and evaluation.

    While a static graph is being built, a call of it is one instruction, in place of those of the operations in it.
    notes: the functions among its arguments are called once, when they are noted, as graphs of their own.
    """
    if fn is None:
        return functools.partial(staged, notes=notes)

    @functools.wraps(fn)
    def run(*args: Any, **kwargs: Any) -> Any:
        graph = state.graph
        if graph is None:
            return fn(*args, **kwargs)
        return graph.record(fn, *(graph.noted(fn, args, kwargs) if notes else (args, kwargs)))

    run.staged_function = fn                    # type: ignore[attr-defined]
    return run


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
