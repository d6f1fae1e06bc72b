"""What rewritten code does with a list whose length a tensor decides (`kayax.bridge.series`)."""
from __future__ import annotations

import dataclasses
import functools
import operator
from collections.abc import Callable, Iterable
from typing import Any

import jax.numpy as jnp
from jax import lax

from kayax.bridge import open_sizes
from kayax.bridge.call import Call
from kayax.bridge.dispatch import run_call
from kayax.bridge.errors import ConversionError, at_user_line
from kayax.bridge.forms import Count, Rows, columns, count, form_of, item_of, joined, leaves, leaves_of
from kayax.bridge.kinds import Aval, Mismatch
from kayax.bridge.merging import kind_of
from kayax.bridge.series import Counted, Series, capacity, gathered, is_grown, least, limit, refusal
from kayax.bridge.slots import note_alias, note_items
from kayax.bridge.tensor import Tensor, as_number
from kayax.bridge.to_static.operators import iterators, numbers
from kayax.bridge.to_static.operators import values as v
from kayax.spec import tree


def length(items: list) -> Any:
    """``len(items)``, a staged Python number that knows what it is at most."""
    found = count(items)
    n: Any = functools.reduce(operator.add, found.lengths, found.known)
    n.at_most = capacity(items)
    return n


def truth(value: Any) -> Any:
    """What `if` and the like ask of a value: for a list of staged length, whether there is an item."""
    value = v.use(value)
    if open_sizes.is_open(value):
        return not open_sizes.equal(value, 0)
    return length(value) > 0 if is_grown(value) else value


def plain(value: Any, parts: bool = False) -> Any:
    """A value for code that cannot deal with a staged length, in it or (with `parts`) in what it holds."""
    iterators.check(value)
    if is_grown(value) or type(value) is Series or (parts and lists_in(value)):
        raise refusal()
    return value


def has_single(args: Iterable[Any]) -> bool:
    """Whether one of these stands for several items, or is a tensor made of them."""
    return any(isinstance(arg, Counted) for arg in args)


def has_counted(args: Iterable[Any]) -> bool:
    """Whether a list of staged length, or a tensor made of one, is among these or in them."""
    return any(isinstance(arg, Counted) or lists_in(arg) for arg in args)


def series_in(values: Any) -> list[Series]:
    """Every Series in nested values."""
    return [s for items in lists_in(values) for s in items if type(s) is Series]


def lists_in(values: Any) -> list[list]:
    """Every list of staged length in nested values."""
    found, stack = [], [values]
    while stack:
        value = stack.pop()
        if is_grown(value):
            found.append(value)
        elif not isinstance(value, Tensor):
            parts = tree.parts(value)
            stack += parts[2] if parts is not None else ()
    return found


def check(values: Any, limits: set[int]) -> None:
    """Give the run up if a list is longer than the loop that carries it can hold."""
    for items in lists_in(values):
        if limit(items) in limits and capacity(items) > limit(items):
            hold(length(items) > limit(items), "that the list grows no more often than paddle.jit.loop_bound says",
                 "Let a `for` over something of known length add the items, and leave it with `break`.")


def hold(wrong: Any, what: str, mend: str) -> None:
    """Give the run up where something is wrong that a saved program could not check."""
    if not v.can_bail():
        raise ConversionError(f"A saved program cannot check {what}.{at_user_line()}\n{mend}")
    v.bail_if(wrong)


def need_item(items: list) -> None:
    """Give the run up if there is no item at all."""
    if not least(items):
        hold(length(items) == 0, "that a list whose length a tensor decides has an item", _AN_ITEM)


_AN_ITEM = "Begin the list with an item that is always there."


# ---- items -----------------------------------------------------------------------------------------------------


def packed(items: list) -> Series:
    """All items as one Series."""
    if len(items) == 1 and type(items[0]) is Series:
        return items[0]
    form = _form(items)
    n = capacity(items)
    stacks = [_gathered(column, n, kind) for column, kind in zip(columns(items, form), leaves(form), strict=True)]
    note_items(items)
    return Series(form, stacks, length(items), n, limit(items), least(items))


def _gathered(parts: list[tuple], n: int, kind: Aval) -> Tensor:
    """The stack of a leaf's rows."""
    rows = [_operand(leaf) for leaf, _ in parts]
    lengths = [m for _, m in parts]

    def run(*arrays: Any) -> Any:
        given = iter(arrays[len(rows):])
        found = [(a, None if m is None else next(given)) for a, m in zip(arrays, lengths, strict=False)]
        return gathered(n, found, kind.shape, kind.dtype)

    return run_call(Call(run, "stack"), [*rows, *(m for m in lengths if m is not None)])


def _operand(leaf: Any) -> Any:
    if isinstance(leaf, Rows):
        return _gathered(leaf.parts, leaf.aval.shape[0], dataclasses.replace(leaf.aval, shape=leaf.aval.shape[1:]))
    if isinstance(leaf, Count):
        leaf = functools.reduce(operator.add, leaf.lengths, leaf.known)
    return leaf if isinstance(leaf, Tensor) else jnp.asarray(leaf)


def _form(items: list) -> Any:
    try:
        form = joined([form_of(x, kind_of) for x in items])
        columns(items, form)
    except Mismatch:
        raise ConversionError(
            f"The items of a list whose length a tensor decides must be alike: tensors of one shape and dtype, "
            f"numbers, or tuples, lists and dicts of them.{at_user_line()}") from None
    return form


def row(series: Series, index: Any) -> Any:
    """The item of that number, which is there."""
    rows = []
    for stack, kind in zip(series.stacks, leaves(series.form), strict=True):
        found = row_of(stack, index, kind.weak)
        if kind.stop and not found._stop_gradient:
            found = found.detach()
            found = as_number(found) if kind.weak else found
        note_alias(found)
        rows.append(found)
    found = item_of(series.form, iter(rows))
    note_items([found])
    return found


def row_of(stack: Tensor, index: Any, weak: bool) -> Tensor:
    """A row of a stack, or a number of one of numbers (which is `weak`)."""
    found = run_call(_weak_row if weak else _row, [stack, _operand(index)])
    return as_number(found) if weak else found


def _take(stack: Any, index: Any) -> Any:
    return lax.dynamic_index_in_dim(stack, index, keepdims=False)


def _take_weak(stack: Any, index: Any) -> Any:
    zero = jnp.asarray(stack.dtype.type(0).item())
    return zero.at[()].set(_take(stack, index)) if stack.dtype != bool else _take(stack, index)


_row, _weak_row = Call(_take, "getitem"), Call(_take_weak, "getitem")


def item(items: list, key: Any) -> Any:
    """``items[key]``."""
    if isinstance(key, slice):
        return type(items)(_slice(items, key))
    if _is_plain(items, key):
        return items[key]
    return row(packed(items), _found(items, key))


def at(items: list, i: Any) -> Any:
    """The item of that number, which is there."""
    return items[i] if _is_plain(items, i) else row(packed(items), i)


def _found(items: list, key: Any) -> Any:
    """The number of an item from the start of the list; without it, the run is given up."""
    n = length(items)
    if v.is_staged(key) or not -least(items) <= key < least(items):
        missing = v.either(n <= key, n + key < 0)
        hold(missing, "that a list whose length a tensor decides has the item that is asked for",
             f"Go over the list with `for`. {_AN_ITEM}")
    if v.is_staged(key):
        return key + numbers.as_int(key < 0) * n
    return key if key >= 0 else n + key


def _is_plain(items: list, key: Any) -> bool:
    """Whether no Series is among the items up to this one, counted from its end of the list."""
    if not isinstance(key, int) or not -len(items) <= key < len(items):
        return False
    return not any(type(x) is Series for x in (items[:key + 1] if key >= 0 else items[key:]))


def set_item(items: list, key: Any, value: Any) -> None:
    """``items[key] = value``."""
    if isinstance(key, slice):
        raise refusal()
    if _is_plain(items, key):
        items[key] = value
        return
    series = packed(items)
    if _form([series, value]) != series.form:
        raise refusal()
    index = _operand(_found(items, key))
    stacks = [run_call(_put, [stack, _operand(leaf), index])
              for stack, leaf in zip(series.stacks, leaves_of(value, series.form), strict=True)]
    note_items([value])
    items[:] = [dataclasses.replace(series, stacks=stacks)]


_put = Call(lambda stack, value, index: stack.at[index].set(value.astype(stack.dtype)), "setitem")


def _slice(items: list, key: slice) -> list:
    if key.start is None and key.stop is None and key.step is None:
        return list(items)
    if (key.start, key.stop, key.step) == (None, None, -1):
        return backwards(items)
    if key.step not in (None, 1) or not all(k is None or _is_whole(k) for k in (key.start, key.stop)):
        raise refusal()
    n, series = length(items), packed(items)
    start, stop = (_clipped(k, n) for k in (0 if key.start is None else key.start, n if key.stop is None else key.stop))
    return [_cut(series, start, (stop - start) * numbers.as_int(stop > start))]


def _is_whole(k: Any) -> bool:
    """Whether a value is an int, or one that a tensor has."""
    if v.is_staged(k):
        return k.storage.array.dtype.kind in "iu" and not k.storage.array.ndim
    return isinstance(k, int)


def _clipped(k: Any, n: Any) -> Any:
    """A place in a list of length n, as Python takes the ends of a slice."""
    if not _is_whole(k):
        raise refusal()
    k = k + numbers.as_int(k < 0) * n if v.is_staged(k) else n * 0 + k if k >= 0 else n + k
    k = k * numbers.as_int(k > 0)
    return k + (n - k) * numbers.as_int(k > n)


def _cut(series: Series, start: Any, n: Any) -> Series:
    """`n` items from `start` on."""
    stacks = [run_call(_roll, [stack, _operand(start)]) for stack in series.stacks]
    return dataclasses.replace(series, stacks=stacks, length=n, least=0)


_roll = Call(lambda stack, by: jnp.roll(stack, -by, axis=0), "roll")


# ---- methods and functions -------------------------------------------------------------------------------------


def pop(items: list, index: Any = -1) -> Any:
    """``items.pop(index)``."""
    if _is_plain(items, index):
        return items.pop(index)
    value = item(items, index)
    series = packed(items)
    if not v.is_staged(index) and index == -1:
        items[:] = [dataclasses.replace(series, length=series.length - 1, least=max(series.least - 1, 0))]
    else:
        delete(items, index)
    return value


def delete(items: list, index: Any) -> None:
    """``del items[index]``."""
    if isinstance(index, slice):
        raise refusal()
    i, series = _operand(_found(items, index)), packed(items)
    stacks = [run_call(_without, [stack, i]) for stack in series.stacks]
    items[:] = [dataclasses.replace(series, stacks=stacks, length=series.length - 1, least=max(series.least - 1, 0))]


def insert(items: list, index: Any, value: Any) -> None:
    """``items.insert(index, value)``."""
    if not v.is_staged(index) and index == 0:
        items.insert(0, value)
        return
    n = length(items)
    i, series = _operand(_clipped(index, n)), packed([*items, value])
    items[:] = [dataclasses.replace(series, stacks=[run_call(_moved, [stack, i, n]) for stack in series.stacks])]


def _close(stack: Any, i: Any) -> Any:
    """The stack without row i."""
    before = (jnp.arange(stack.shape[0]) < i).reshape((-1, *[1] * (stack.ndim - 1)))
    return jnp.where(before, stack, jnp.roll(stack, -1, axis=0))


def _move(stack: Any, i: Any, n: Any) -> Any:
    """The stack with row n moved to place i."""
    j = jnp.arange(stack.shape[0])
    return jnp.take(stack, jnp.where(j < i, j, jnp.where(j == i, n, j - 1)), axis=0, mode="clip")


_without, _moved = Call(_close, "delete"), Call(_move, "insert")


def backwards(items: list) -> list:
    """``items[::-1]``."""
    series = packed(items)
    stacks = [run_call(_flip, [stack, series.length]) for stack in series.stacks]
    return [dataclasses.replace(series, stacks=stacks)]


def reverse(items: list) -> None:
    """``items.reverse()``."""
    items[:] = backwards(items)


_flip = Call(lambda stack, n: jnp.roll(jnp.flip(stack, 0), n, axis=0), "flip")

_METHODS: dict[str, Callable | None] = {"append": None, "extend": None, "clear": None, "copy": None, "__len__": length,
                                        "pop": pop, "insert": insert, "reverse": reverse}


def method(owner: list, name: str, args: tuple, options: dict[str, Any]) -> Any:
    """A call of a list's method."""
    if name == "sort":
        from kayax.bridge.to_static.operators import sorting
        return sorting.sort(owner, **options)
    if name in ("count", "index") and len(args) == 1:
        from kayax.bridge.to_static.operators import totals
        return getattr(totals, name)(owner, *args)
    if name not in _METHODS or options:
        raise refusal()
    found = _METHODS[name]
    return getattr(owner, name)(*args) if found is None else found(owner, *args)


def refuse_in(args: Iterable[Any]) -> None:
    """Refuse arguments that code which is not rewritten would misunderstand."""
    if has_counted(args):
        raise refusal()


__all__ = ["at", "check", "delete", "has_single", "hold", "is_grown", "item", "length", "lists_in", "method",
           "need_item", "plain", "refuse_in", "row", "series_in", "set_item", "truth"]
