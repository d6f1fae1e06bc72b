"""Functions that a static graph notes as a whole, and code that runs at once while one is being built."""
from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
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

    return run


@contextlib.contextmanager
def suspended() -> Iterator[None]:
    """Inside, operations run instead of being noted."""
    held, state.graph = state.graph, None
    try:
        yield
    finally:
        state.graph = held
