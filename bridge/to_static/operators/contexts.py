"""`with`: what a manager does is rewritten as any call is; it does not swallow the error that nothing converts."""
from __future__ import annotations

import contextlib
from typing import Any

from kayax.bridge.either import Either
from kayax.bridge.errors import ConversionError
from kayax.bridge.snapshots import of_ours
from kayax.bridge.state import state
from kayax.bridge.to_static.convert import converted
from kayax.bridge.to_static.operators import values as v

_GENERATED = contextlib.contextmanager(lambda: None).__code__               # type: ignore[arg-type, return-value]


class _Entered:
    """A manager, whose methods are called by an operator."""

    def __init__(self, manager: Any):
        self.manager = manager

    def __enter__(self) -> Any:
        from kayax.bridge.to_static.operators.call import call
        return call(type(self.manager).__enter__, self.manager)

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> Any:
        from kayax.bridge.to_static.operators.call import call
        held = call(type(self.manager).__exit__, self.manager, kind, error, traceback)
        return False if isinstance(error, ConversionError) else held


def entered(manager: Any) -> Any:
    """What `with` enters in place of a manager."""
    manager = v.use(manager)
    kind: Any = type(manager)
    if state.trace is None or kind is Either or of_ours(kind) or not hasattr(kind, "__exit__"):
        return manager
    return _Entered(manager)


def is_manager(function: Any) -> bool:
    """Whether a function was made by `contextlib.contextmanager`, of one that is rewritten."""
    if function.__code__ is not _GENERATED or state.trace is None:
        return False
    inner = function.__wrapped__
    return converted(inner) is not inner


def manager(function: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
    """What such a function gives, of the rewritten generator."""
    inner = function.__wrapped__
    state.trace.note_function(inner)                                        # type: ignore[union-attr]
    return contextlib.contextmanager(converted(inner))(*args, **kwargs)
