"""Objects that a function makes and returns, and no program can put together in every call."""
from __future__ import annotations

import collections
import enum
import functools
import types
from collections.abc import Iterator
from typing import Any

from kayax.bridge.errors import ConversionError
from kayax.bridge.journal import is_born
from kayax.bridge.places import ARRAYS, CONTAINERS
from kayax.bridge.tensor import Tensor
from kayax.bridge.trace import Trace
from kayax.spec import tree

_MOST = 10_000                  # parts that are looked at
_CLOSED = (types.ModuleType, type, str, bytes, bool, int, float, complex, type(None))


def check_returned(spec: tree.Spec, trace: Trace) -> None:
    """Refuse a result with an object in it that the run has made, or that holds a tensor which the run has made."""
    for value in tree.statics(spec):
        if not isinstance(value, _CLOSED) and (_is_new(value) or _holds(value, trace)):
            kind = type(value).__name__
            raise ConversionError(
                f"The function makes and returns {'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind}, which a program "
                "cannot put together in every call.\nReturn lists, dicts, dataclasses or plain objects (of which none "
                "holds itself).")


def _is_new(value: Any) -> bool:
    if isinstance(value, (types.FunctionType, enum.Enum)):          # a member is found, not made
        return False
    mutable = isinstance(value, (*CONTAINERS, *ARRAYS)) or hasattr(value, "__dict__")
    return (mutable or hasattr(type(value), "__next__")) and is_born(value)


def _holds(value: Any, trace: Trace) -> bool:
    stack, seen = [value], {id(value)}
    while stack and len(seen) < _MOST:
        part = stack.pop()
        if isinstance(part, Tensor):
            if part.storage.trace is trace:
                return True
            continue
        for inner in _inside(part):
            if id(inner) not in seen and not isinstance(inner, _CLOSED):
                seen.add(id(inner))
                stack.append(inner)
    return False


def _inside(value: Any) -> Iterator[Any]:
    if hasattr(type(value), "named_sublayers"):                     # made before: its tensors are cells
        return
    if isinstance(value, types.FunctionType):
        yield from (c.cell_contents for c in value.__closure__ or () if c != types.CellType())
        yield from (*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values())
    elif isinstance(value, types.MethodType):
        yield value.__self__
    elif isinstance(value, functools.partial):
        yield from (value.func, *value.args, *value.keywords.values())
    elif isinstance(value, types.GeneratorType):
        yield from value.gi_frame.f_locals.values() if value.gi_frame is not None else ()
    elif isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, (list, tuple, set, frozenset, collections.deque)):
        yield from value
    yield from (getattr(value, name) for name in tree.attributes(value))
