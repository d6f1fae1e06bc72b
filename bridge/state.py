"""What is true of the current thread: the function being converted, whether gradients are recorded, the AMP policy."""
from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import jax

if TYPE_CHECKING:
    from kayax.bridge.trace import Trace


class _State(threading.local):
    trace: Trace | None = None
    grad_enabled: bool = True
    amp: Any = None                 # bridge.amp.Policy while auto_cast is on
    saved_hooks: Any = None         # bridge.saved_hooks.saved_tensors_hooks while one is open
    compiles: bool = False          # a converted function runs eagerly: the layers that it calls are compiled
    skip_updates: Any = None        # a boolean array: where it is true, `run_update` changes nothing
    loop_bound: int | None = None   # how many rounds the loops of the code that runs have at most (jit.loop_bound)
    portable: str = ""              # "plain" or "choices": the program being made leaves the process (see `portable`)
    sizes: Any = None               # the sizes of open dims by name, while a static graph runs
    graph: Any = None               # bridge.graph.Graph while a static graph is being built


state = _State()


class Epoch:
    """Counts changes to anything that a program may guard; while it stands still no guard needs a look."""

    value = 0


def bump() -> None:
    Epoch.value += 1


def tracing() -> bool:
    """Whether a function is being converted in this thread."""
    return state.trace is not None


def root_trace() -> Trace:
    """The trace of the whole program that is being made."""
    assert state.trace is not None
    return state.trace.root


@contextlib.contextmanager
def portable(choices: bool = False) -> Iterator[None]:
    """Programs made inside have operations as every machine and framework knows them.

    choices: with other forms beside them for some machines; such a program cannot be differentiated well.
    """
    held, state.portable = state.portable, "choices" if choices else "plain"
    try:
        yield
    finally:
        state.portable = held


@contextlib.contextmanager
def outside_traces() -> Iterator[None]:
    """State that outlives a program but is made in its first run (an optimizer's slots) is made here, as arrays."""
    held, state.trace = state.trace, None
    try:
        with jax.ensure_compile_time_eval():
            yield
    finally:
        state.trace = held
