"""Text with the values of tensors in it, and printing: done when the program runs, in the order of the code."""
from __future__ import annotations

import builtins
import io
import sys
from collections.abc import Callable
from typing import Any

import jax

from kayax.bridge.either import Either, tensors_in
from kayax.bridge.errors import ConversionError, at_user_line
from kayax.bridge.open_sizes import OpenDim, OpenText
from kayax.bridge.reads import note_reads
from kayax.bridge.state import state
from kayax.bridge.tensor import Tensor, is_number, wrap
from kayax.bridge.to_static.operators import values as v
from kayax.bridge.to_static.operators.branch import apart
from kayax.spec import tree

_CONVERSIONS: dict[int, Callable[[Any], str]] = {115: str, 114: repr, 97: ascii}


class StagedText:
    """Text that has tensors in it whose values are not known yet: it can be printed, and put into other text."""

    is_staged_text = True

    def __init__(self, parts: list[Any]):
        self.parts = parts

    def __add__(self, other: Any) -> StagedText:
        return StagedText([*self.parts, *(other.parts if isinstance(other, StagedText) else [other])])

    def __radd__(self, other: str) -> StagedText:
        return StagedText([other, *self.parts])

    def _refuse(self, *_: Any) -> Any:
        raise ConversionError("The text has a tensor's value in it, which is known only when the program runs: it can "
                              f"be printed, not looked at.{at_user_line()}")

    __eq__ = __str__ = __repr__ = __iter__ = __len__ = __getitem__ = __contains__ = __format__ = _refuse    # type: ignore[assignment]
    __hash__ = None             # type: ignore[assignment]


class _Formatted:
    """A value in an f-string, to be formatted later."""

    def __init__(self, value: Any, conversion: int, spec: str):
        self.value, self.conversion, self.spec = value, conversion, spec


def formatted(value: Any, conversion: int, spec: Any) -> Any:
    """One ``{value!conversion:spec}`` of an f-string."""
    value = v.read(value)
    if type(value) is Either:
        return apart(lambda x: formatted(x, conversion, spec), value)
    note_reads([value], "text")
    if isinstance(value, StagedText) or _has_staged(value):
        return _Formatted(value, conversion, spec)
    return _open(format(_CONVERSIONS[conversion](value) if conversion in _CONVERSIONS else value, spec), value)


def text(*parts: Any) -> Any:
    """An f-string."""
    if any(type(p) is Either for p in parts):
        return apart(text, *parts)
    if any(isinstance(p, (_Formatted, StagedText)) for p in parts):
        return StagedText(list(parts))
    return _open("".join(parts), parts)


def to_text(*args: Any, **kwargs: Any) -> Any:
    """`str`."""
    return text(formatted(args[0], 115, "")) if len(args) == 1 and not kwargs else str(*args, **kwargs)


def to_repr(value: Any) -> Any:
    """`repr`."""
    return text(formatted(value, 114, ""))


def to_format(value: Any, spec: str = "") -> Any:
    """`format`."""
    return text(formatted(value, -1, spec))


def _open(text: Any, *made_of: Any) -> Any:
    """The text, which is not to be looked at if there is an open size in what it is made of."""
    return OpenText(text) if state.portable and isinstance(text, str) and _has_open(made_of) else text


def _has_open(value: Any) -> bool:
    return isinstance(value, (OpenDim, OpenText)) or (
        isinstance(value, (list, tuple)) and any(map(_has_open, value))) or (
        isinstance(value, dict) and any(map(_has_open, value.values())))


def method(function: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
    """A method of a string. `"...".format(tensor)` and the like are refused: the text would have no value in it."""
    check(function, args, kwargs)
    args = tuple(list(a) if hasattr(a, "__next__") else a for a in args)
    return _open(function(*args, **kwargs), function.__self__, args, kwargs)


def check(method: Any, args: tuple, kwargs: dict[str, Any]) -> None:
    """Refuse a tensor as a part of a text."""
    if any(isinstance(a, StagedText) or _has_staged(a) for a in (*args, *kwargs.values())):
        raise ConversionError(f"str.{method.__name__} gets a tensor whose value is known only when the program runs."
                              f"{at_user_line()}\nUse an f-string, which can be printed.")


def percent(text: str, value: Any) -> Any:
    """``"..." % value``; a tensor is refused."""
    if isinstance(value, StagedText) or _has_staged(value):
        raise ConversionError(f"% puts a tensor into a text, and its value is known only when the program runs."
                              f"{at_user_line()}\nUse an f-string, which can be printed.")
    return _open(text % value, value)


def _has_staged(value: Any) -> bool:
    return any(map(v.is_staged, tensors_in(value)))


def print(*values: Any, sep: str | None = " ", end: str | None = "\n", file: Any = None, flush: bool = False) -> None:
    """`print`, when the program runs, to standard output only."""
    trace = state.trace
    if trace is None:
        builtins.print(*values, sep=sep, end=end, file=file, flush=flush)
        return
    if file is not None and file is not sys.stdout:
        raise ConversionError(f"print(file=...) in converted code would write only once.{at_user_line()}\nPrint to "
                              "standard output, or keep this function eager (`paddle.jit.not_to_static`).")
    leaves: list[Tensor] = []
    template = [_take(v.use(value), leaves) for value in values]
    if state.portable:
        if leaves:
            raise ConversionError("print() of a tensor, in a function that is saved: its program runs without Python."
                                  f"{at_user_line()}\nLeave it out, or print under `if self.training:`, and save the "
                                  "Layer after eval().")
        builtins.print(*template, sep=sep, end=end, file=file, flush=flush)         # once for each program
        return
    trace.prints = True

    def show(*arrays: Any) -> None:
        given = [a.item() if number else wrap(jax.numpy.asarray(a), stop)
                 for a, (stop, number) in zip(arrays, kinds, strict=True)]
        written = io.StringIO() if into is not None else None
        builtins.print(*(_put(part, given) for part in template), sep=sep, end=end, file=written, flush=flush)
        if into is not None and written is not None:
            into.append(written.getvalue())

    into = trace.root.printed
    kinds = [(t._stop_gradient, is_number(t)) for t in leaves]
    jax.debug.callback(show, *(t.storage.array for t in leaves), ordered=True)


def _take(value: Any, leaves: list[Tensor]) -> Any:
    """The value with its tensors taken out: a function of the tensors at run time."""
    if isinstance(value, StagedText):
        return StagedText([_take(p, leaves) for p in value.parts])
    if isinstance(value, _Formatted):
        return _Formatted(_take(value.value, leaves), value.conversion, value.spec)
    found, spec = tree.flatten(value, lambda x: isinstance(x, Tensor))
    if not found:
        return value
    start = len(leaves)
    for tensor in found:
        if tensor.storage.trace is not state.trace:
            state.trace.capture(tensor)                                         # type: ignore[union-attr]
        leaves.append(tensor)
    return _Later(spec, start, len(found))


class _Later:
    def __init__(self, spec: Any, start: int, n: int):
        self.spec, self.start, self.n = spec, start, n


def _put(part: Any, given: list[Tensor]) -> Any:
    if isinstance(part, StagedText):
        return "".join(str(_put(p, given)) for p in part.parts)
    if isinstance(part, _Formatted):
        value = _put(part.value, given)
        return format(_CONVERSIONS[part.conversion](value) if part.conversion in _CONVERSIONS else value, part.spec)
    if isinstance(part, _Later):
        return tree.unflatten(part.spec, given[part.start:part.start + part.n])
    return part
