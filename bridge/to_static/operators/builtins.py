"""Python's built-in functions on tensors without a value: what each becomes."""
from __future__ import annotations

import builtins
import functools
import math
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from kayax.bridge import known
from kayax.bridge.call import Call
from kayax.bridge.dispatch import run_call
from kayax.bridge.errors import ConversionError, at_user_line
from kayax.bridge.journal import loaded, touch
from kayax.bridge.open_sizes import is_open, plain, shown
from kayax.bridge.places import Attribute
from kayax.bridge.reads import note_reads
from kayax.bridge.series import Series
from kayax.bridge.tensor import Tensor, as_number, is_number
from kayax.bridge.to_static.operators import (
    arithmetic,
    dicts,
    grown,
    iterate,
    iterators,
    logic,
    numbers,
    sorting,
    text,
    totals,
)
from kayax.bridge.to_static.operators import values as v
from kayax.bridge.to_static.operators.filtered import Filtered
from kayax.bridge.to_static.operators.stacked import Stacked


def _number(wide: str, zero: Any) -> Call:
    """A staged tensor as a staged Python number: weakly typed, as JAX's own Python numbers are."""
    def run(array: Any) -> Any:
        array = jnp.trunc(array) if wide == "int64" and array.dtype.kind in "fV" else array
        return jnp.asarray(zero).at[()].set(array.astype(wide))     # an update keeps the weak type of what it updates

    return Call(run, wide, folds="values")


_as_int, _as_float = _number("int64", 0), _number("float64", 0.0)


def _scalar(x: Tensor, what: str) -> Tensor:
    if x.size != 1:
        raise TypeError(f"{what}(tensor) needs a Tensor with one element, but this one has shape {list(x.shape)}.")
    return x.detach().reshape([])


def to_int(*args: Any, **kwargs: Any) -> Any:
    """`int`."""
    if len(args) == 1 and v.is_staged(args[0]):
        x = _scalar(args[0], "int")
        sizes = known.open_of(args[0].storage.array)
        if sizes is not None:
            return sizes.item()
        if x.storage.array.dtype.kind in "fV" and v.can_bail():
            v.bail_if(v.negated(x.isfinite()))                  # ValueError, OverflowError
        found = run_call(_as_int, [x], False)
        if x.storage.array.dtype.kind in "iu":
            found.__dict__["offset"] = arithmetic.place_of(args[0])     # so that x[int(i):int(i) + 2] has two rows
        return found
    if len(args) == 1 and is_open(args[0]):
        return args[0]
    return int(*args, **kwargs)


def to_float(*args: Any) -> Any:
    """`float`."""
    if len(args) == 1 and v.is_staged(args[0]):
        return run_call(_as_float, [_scalar(args[0], "float")], False)
    if len(args) == 1 and is_open(args[0]):
        found = run_call(_as_float, [jnp.asarray(plain(args[0]))], False)
        found.__dict__["is_size"] = True
        return found
    return float(*args)


def sqrt(x: Any) -> Any:
    """`math.sqrt`, of an open size too."""
    return arithmetic.binary("Pow", x, 0.5) if is_open(x) else math.sqrt(x)


def to_bool(*args: Any) -> Any:
    """`bool`."""
    args = tuple(map(grown.truth, args))
    return as_number(v.truth(args[0]).detach()) if len(args) == 1 and v.is_staged(args[0]) else bool(*args)


def length(x: Any) -> Any:
    """`len`; a dimension of any size is a symbol while a program is saved."""
    if isinstance(x, Tensor) and v.is_staged(x) and x.ndim:
        return shown(x.storage.array.shape[0])
    if grown.is_grown(x):
        return grown.length(x)
    if isinstance(x, Stacked):
        return x.shape.sizes[0]
    return to_int(x.length) if isinstance(x, iterate.Staged) and x.plain() is None else len(x)


def range_(*args: Any) -> Any:
    """`range`."""
    return iterate.Range(*args) if any(map(v.is_staged, args)) else range(*args)


def enumerate_(iterable: Any, start: Any = 0) -> Any:
    """`enumerate`."""
    iterable = iterate.staged(iterable)
    return (iterate.Enumerated if isinstance(iterable, iterate.Staged) else iterate.Counting)(iterable, start)


def zip_(*iterables: Any, **kwargs: Any) -> Any:
    """`zip`."""
    iterables = tuple(map(iterate.staged, iterables))
    if any(isinstance(i, iterate.Staged) for i in iterables):
        return iterate.Zipped(iterables)
    return zip(*iterables, **kwargs)


def reversed_(sequence: Any) -> Any:
    """`reversed`; of a tensor, its rows from the last."""
    sequence = iterate.staged(sequence)
    if isinstance(sequence, iterate.Staged):
        return iterate.Reversed(sequence)
    if isinstance(sequence, Tensor):
        return (sequence[i] for i in range(len(sequence) - 1, -1, -1))
    return reversed(sequence)


def _extreme(builtin: Callable, better: str) -> Callable:
    def run(*args: Any, key: Callable | None = None, **kwargs: Any) -> Any:
        from kayax.bridge.to_static.operators.call import call
        if not args or isinstance(args[0], (str, bytes, dict)):
            return builtin(*args, key=key, **kwargs) if key is not None else builtin(*args, **kwargs)
        if grown.is_grown(args[0]) and len(args) == 1 and not kwargs and key is None:
            return totals.extreme(args[0], numbers.BINARY[better])
        items = args if len(args) > 1 else list(args[0])
        marks = items if key is None else [call(key, item) for item in items]
        if not items or not any(map(v.is_staged, marks)) or (kwargs and len(args) > 1):
            place = builtin(range(len(items)), key=marks.__getitem__) if items and not kwargs else None
            return items[place] if place is not None else builtin(items, key=key, **kwargs)
        best, mark = items[0], marks[0]
        for item, other in zip(items[1:], marks[1:], strict=True):
            wins = logic.compared(other, better, mark)
            best = logic.choose(wins, lambda item=item: item, lambda best=best: best)               # type: ignore[misc]
            mark = best if key is None else logic.choose(wins, lambda x=other: x, lambda x=mark: x)     # type: ignore[misc]
        return best

    return run


def sum_(iterable: Any, start: Any = 0) -> Any:
    """`sum`."""
    if grown.is_grown(iterable):
        return totals.total(iterable, start)
    items = [start, *iterable]
    if not any(v.is_staged(x) and numbers.counts(x) for x in items):
        return sum(items[1:], start)
    return functools.reduce(functools.partial(arithmetic.binary, "Add"), items)


def pow_(base: Any, exponent: Any, modulus: Any = None) -> Any:
    """`pow`."""
    if modulus is not None and any(map(v.is_staged, (base, exponent, modulus))):
        raise ConversionError(f"pow() with a modulus, of numbers that a tensor decides.{at_user_line()}\n"
                              "Use `**` and `%`.")
    return arithmetic.binary("Pow", base, exponent) if modulus is None else pow(base, exponent, modulus)


def abs_(x: Any) -> Any:
    """`abs`."""
    return arithmetic.unary("abs", x)


def all_(iterable: Any) -> Any:
    """`all`."""
    if grown.is_grown(iterable):
        return totals.truth(iterable, all)
    items = list(iterable)
    if not any(map(v.is_staged, items)):
        return all(items)
    return to_bool(logic.and_(True, *(lambda x=x: to_bool(x) for x in items)))       # type: ignore[misc]


def any_(iterable: Any) -> Any:
    """`any`."""
    if grown.is_grown(iterable):
        return totals.truth(iterable, any)
    items = list(iterable)
    if not any(map(v.is_staged, items)):
        return any(items)
    return to_bool(logic.or_(False, *(lambda x=x: to_bool(x) for x in items)))       # type: ignore[misc]


def map_(function: Any, *iterables: Any) -> Any:
    """`map`: the function is converted as one that is called by name."""
    from kayax.bridge.to_static.operators.call import call
    return (call(function, *items) for items in zip(*iterables, strict=False))


def reduce_(function: Any, iterable: Any, *start: Any) -> Any:
    """`functools.reduce`."""
    from kayax.bridge.to_static.operators.call import call
    return functools.reduce(lambda a, b: call(function, a, b), iterable, *start)


def isinstance_(value: Any, kinds: Any) -> bool:
    """`isinstance`; what is a Python number eagerly is one here, too."""
    value = value.tensor if isinstance(value, Stacked) else value
    if v.is_staged(value) and is_number(value):
        like = {"b": False, "i": 0, "f": 0.0, "c": 0j}[value.storage.array.dtype.kind]
        return isinstance(like, kinds)
    return isinstance(0 if is_open(value) else value, kinds)


def type_(*args: Any, **kwargs: Any) -> Any:
    """`type`; an open size is a number as any other."""
    return int if len(args) == 1 and is_open(args[0]) else type(*args, **kwargs)


def setattr_(owner: Any, name: str, value: Any) -> None:
    """`setattr`."""
    from kayax.bridge.to_static.operators.stores import set_attribute
    set_attribute(value, owner, name)


def getattr_(owner: Any, name: str, *default: Any) -> Any:
    """`getattr`."""
    from kayax.bridge.to_static.operators.stores import attribute
    return attribute(owner, name, *default)


def hasattr_(owner: Any, name: str) -> bool:
    """`hasattr`."""
    loaded(owner, name)
    note_reads([owner], "lookup", frozenset([name]))
    return hasattr(owner, name) and dicts.is_there(getattr(owner, name))


def delattr_(owner: Any, name: str) -> None:
    """`delattr`."""
    touch(Attribute(owner, name))
    delattr(owner, name)


def vars_(owner: Any) -> Any:
    """`vars` of an object."""
    return getattr_(owner, "__dict__")


def next_(iterator: Any, *default: Any) -> Any:
    """`next`: an iterator moves on once, whatever a tensor decides."""
    from kayax.bridge.state import state
    iterators.check(iterator)
    if type(iterator) is Filtered:
        return iterator.first(*default)
    if state.trace is not None and state.trace.root is not state.trace:
        raise ConversionError(f"next() in a branch or loop that a tensor decides.{at_user_line()}\nUse an index.")
    return next(iterator, *default)


TABLE: dict[Any, Callable] = {
    builtins.print: text.print, builtins.str: text.to_text, builtins.repr: text.to_repr,
    builtins.format: text.to_format, builtins.len: length, builtins.range: range_, builtins.enumerate: enumerate_,
    builtins.zip: zip_, builtins.reversed: reversed_, builtins.int: to_int, builtins.float: to_float,
    builtins.bool: to_bool, builtins.isinstance: isinstance_, builtins.sorted: sorting.sorted_, builtins.next: next_,
    builtins.max: _extreme(max, "Gt"), builtins.min: _extreme(min, "Lt"),
    builtins.all: all_, builtins.any: any_, builtins.map: map_, builtins.filter: Filtered, builtins.setattr: setattr_,
    functools.reduce: reduce_, builtins.delattr: delattr_, builtins.getattr: getattr_, builtins.hasattr: hasattr_,
    builtins.sum: sum_, builtins.pow: pow_, builtins.abs: abs_, builtins.divmod: numbers.divmod,
    builtins.round: numbers.round, builtins.type: type_, builtins.vars: vars_,
    math.sqrt: sqrt,
}

# They know lists whose length a tensor decides.
GROWN = {length, to_bool, enumerate_, zip_, reversed_, isinstance_, sum_, all_, any_, TABLE[max], TABLE[min],
         sorting.sorted_, list, tuple, type_, id, Filtered}
# They know tensors that are stacked out of such lists.
STACKED = {length, enumerate_, zip_, reversed_, isinstance_}


def knows(function: Any, args: tuple) -> bool:
    """Whether a built-in function, or what stands for it, may be given a list of staged length, or these arguments."""
    return function in (STACKED if grown.has_single(args) else GROWN) and not any(type(a) is Series for a in args)
