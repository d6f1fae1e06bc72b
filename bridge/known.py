"""Tensors of a program whose values are settled while it is made: sizes, constants, and what is computed of these.

They are part of the program like all others. Where Python needs a value that a program does not have (a size, an index,
how often a loop runs), it is found here.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from kayax.bridge.layout import is_open
from kayax.bridge.state import state

if TYPE_CHECKING:
    from kayax.bridge.call import Call

_MOST = 64                      # elements: sizes and numbers are meant, not weights


class _Entry:
    """How to get the value of an array of a program. It is kept, so that nothing else gets its id."""

    __slots__ = ("array", "call", "inputs", "place", "value")

    def __init__(self, array: Any, call: Call | None, inputs: Sequence[Any], place: int | None, value: Any = None):
        self.array, self.call, self.inputs, self.place, self.value = array, call, inputs, place, value


def note(array: Any, value: Any) -> None:
    """Note the value of an array that was just made. (A copy of it: what is a user's may change.)"""
    if state.trace is not None and isinstance(array, jax.core.Tracer) and np.size(value) <= _MOST:
        state.trace.root.known[id(array)] = _Entry(array, None, (), None, np.array(value))


def note_open(array: Any, sizes: np.ndarray) -> None:
    """Note the open sizes (and numbers) that an array holds (`kayax.bridge.known_sizes`)."""
    if state.trace is not None and isinstance(array, jax.core.Tracer) and sizes.size <= _MOST:
        state.trace.root.open_known[id(array)] = array, sizes


def open_of(array: Any) -> np.ndarray | None:
    """The open sizes that an array holds, as an array of objects, or None."""
    found = state.trace.root.open_known.get(id(array)) if state.trace is not None else None
    return None if found is None else found[1]


def note_copy(array: Any, source: Any) -> None:
    """Note that an array is a copy of another one."""
    entry = _entry(source)
    if entry is not None:
        state.trace.root.known[id(array)] = _Entry(array, entry.call, entry.inputs, entry.place,   # type: ignore[union-attr]
                                                   entry.value)


def note_call(call: Call, inputs: Sequence[Any], outs: Any) -> None:
    """Note what a call gave, if its inputs are known."""
    several = isinstance(outs, (tuple, list))
    arrays = outs if several else (outs,)
    if call.folds == "shape":
        if any(is_open(n) for x in inputs for n in x.shape):
            return
        inputs = [jax.ShapeDtypeStruct(x.shape, x.dtype) for x in inputs]
    elif not all(_entry(x) is not None if isinstance(x, jax.core.Tracer) else _is_small(x) for x in inputs):
        return
    if not all(map(_is_small, arrays)):
        return
    for i, array in enumerate(arrays):
        if isinstance(array, jax.core.Tracer):
            state.trace.root.known[id(array)] = _Entry(array, call, inputs, i if several else None)   # type: ignore[union-attr]


def _is_small(array: Any) -> bool:
    size = np.size(array)
    return not is_open(size) and size <= _MOST


def value_of(array: Any) -> np.ndarray | None:
    """The value of an array of a program, or None."""
    entry = _entry(array)
    if entry is None:
        return None
    stack = [entry]
    while stack:
        last = stack[-1]
        needed = [e for e in map(_entry, last.inputs) if e is not None and e.value is None]
        if needed and last.value is None:
            stack += needed
            continue
        stack.pop()
        if last.value is None:
            last.value = _run(last)
    return np.asarray(entry.value)


def _run(entry: _Entry) -> Any:
    call: Any = entry.call
    with jax.ensure_compile_time_eval():
        if call.folds == "shape":
            outs = call.fn(*entry.inputs)
        else:
            found = [_entry(x) for x in entry.inputs]
            outs = call.forward(*(x if e is None else e.value for x, e in zip(entry.inputs, found, strict=True)))
    return outs if entry.place is None else outs[entry.place]


def _entry(array: Any) -> _Entry | None:
    if state.trace is None or not isinstance(array, jax.core.Tracer):
        return None
    return state.trace.root.known.get(id(array))
