"""What the items of a list of staged length have in common, so that they can be rows of stacked tensors.

A form is an `Aval` for a tensor or number, `Fixed` for what is the same in all items, a `Node` for a container of
parts, or a `Run` for a list that has another length in each item. Its *leaves* are the tensors and numbers that an
item is made of; those of a Run are stacks of its own, and its length.
"""
from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from kayax.bridge.kinds import Aval, Mismatch, widened
from kayax.bridge.places import UNDEFINED
from kayax.bridge.series import LENGTH, Counted, Series, capacity, is_grown
from kayax.bridge.tensor import Tensor, wrap
from kayax.spec import tree

_PLAIN = (str, bytes, type(None))


@dataclasses.dataclass(frozen=True)
class Node:
    """A container of parts."""

    kind: type
    extra: Any
    parts: tuple


@dataclasses.dataclass(frozen=True)
class Fixed:
    """What is no tensor, and the same in all items."""

    value: Any


@dataclasses.dataclass(frozen=True)
class Run:
    """A list of at most `capacity` parts of one form."""

    form: Any
    capacity: int


@dataclasses.dataclass(frozen=True)
class Rows:
    """A leaf that has to be put together: rows in order, ``(leaf, None)`` for one, ``(stack, length)`` for several."""

    aval: Aval
    parts: list


@dataclasses.dataclass(frozen=True)
class Count:
    """A leaf that is the sum of a number and of lengths."""

    known: int
    lengths: list


def form_of(item: Any, aval: Callable[[Any], Aval]) -> Any:
    """The form of an item of a list (that of its items for a Series).

    What Python code could change in place is copied here: see `kayax.bridge.slots.note_items`.
    """
    if type(item) is Series:
        return _refit(item.form, iter([aval(s) for s in item.stacks]))
    if isinstance(item, (Tensor, bool, int, float, complex)):
        return aval(item)
    if isinstance(item, _PLAIN):
        return Fixed(item)
    if is_grown(item) and type(item) is list:
        return Run(joined([form_of(p, aval) for p in item]), capacity(item))
    found = tree.parts(item)
    if found is None or isinstance(item, Counted) or is_grown(item):
        raise Mismatch
    return Node(found[0], found[1], tuple([form_of(p, aval) for p in found[2]]))


def _refit(form: Any, stacks: Iterator[Aval]) -> Any:
    """The form of a Series' items, with what is known now of whether they have a gradient."""
    if isinstance(form, Aval):
        return dataclasses.replace(form, stop=next(stacks).stop)
    if isinstance(form, Run):
        inner = _refit(form.form, stacks)
        next(stacks)                            # its length
        return Run(inner, form.capacity)
    return form if isinstance(form, Fixed) else Node(form.kind, form.extra, tuple([_refit(p, stacks)
                                                                                     for p in form.parts]))


def joined(forms: Sequence[Any]) -> Any:
    """The form that items of all these forms fit in."""
    first, *rest = forms
    for other in rest:
        first = _join(first, other)
    return first


def _join(a: Any, b: Any) -> Any:
    if isinstance(a, Aval) and isinstance(b, Aval):
        return widened(a, b)
    if isinstance(a, Fixed) and isinstance(b, Fixed) and type(a.value) is type(b.value) and a.value == b.value:
        return a
    if isinstance(a, (Node, Run)) and isinstance(b, (Node, Run)):
        if isinstance(a, Node) and isinstance(b, Node) and (a.kind, a.extra, len(a.parts)) == (b.kind, b.extra,
                                                                                              len(b.parts)):
            return Node(a.kind, a.extra, tuple([_join(p, q) for p, q in zip(a.parts, b.parts, strict=True)]))
        (first, n), (second, m) = _as_run(a), _as_run(b)
        return Run(joined([*first, *second]), max(n, m))
    raise Mismatch


def _as_run(form: Node | Run) -> tuple[list, int]:
    """The forms of a list's parts, and how many there are at most."""
    if isinstance(form, Run):
        return [form.form], form.capacity
    if form.kind is not list:
        raise Mismatch
    return list(form.parts), len(form.parts)


def stacked(aval: Aval, n: int) -> Aval:
    """What a stack of n such tensors is. Numbers lose their weak type in it, and get it back as items."""
    return Aval((n, *aval.shape), aval.dtype, False, aval.stop)


def leaves(form: Any) -> list[Aval]:
    """What is known of the leaves of an item."""
    if isinstance(form, Aval):
        return [form]
    if isinstance(form, Run):
        return [*(stacked(leaf, form.capacity) for leaf in leaves(form.form)), LENGTH]
    return [leaf for part in getattr(form, "parts", ()) for leaf in leaves(part)]


def leaves_of(item: Any, form: Any) -> list[Any]:
    """The leaves of an item: tensors, numbers, `Rows`, `Count`."""
    if isinstance(form, Aval):
        return [item]
    if isinstance(form, Fixed):
        return []
    if isinstance(form, Run):
        kinds = leaves(form)
        return [*(Rows(kind, rows) for kind, rows in zip(kinds, columns(item, form.form), strict=False)), count(item)]
    found = tree.parts(item)
    return [leaf for part, inner in zip(found[2], form.parts, strict=True)                  # type: ignore[index]
            for leaf in leaves_of(part, inner)]


def columns(items: list, form: Any) -> list[list[tuple]]:
    """For each leaf of the items' form, its rows in order, as in `Rows`."""
    found: list[list[tuple]] = [[] for _ in leaves(form)]
    if any(type(item) is Series and not _alike(item.form, form) for item in items):
        raise Mismatch
    for item in items:
        several = type(item) is Series
        for column, leaf in zip(found, item.stacks if several else leaves_of(item, form), strict=True):
            column.append((leaf, item.length if several else None))
    return found


def _alike(a: Any, b: Any) -> bool:
    """Whether items of form `a` have the leaves of form `b`, but for their dtypes, and room in lists among them."""
    if isinstance(a, Run) and isinstance(b, Run):
        return a.capacity <= b.capacity and _alike(a.form, b.form)
    if isinstance(a, Node) and isinstance(b, Node):
        return all(map(_alike, a.parts, b.parts))
    return type(a) is type(b)


def count(items: list) -> Count:
    """How many items a list has."""
    lengths = [x.length for x in items if type(x) is Series]
    return Count(len(items) - len(lengths), lengths)


def item_of(form: Any, rows: Iterator[Any]) -> Any:
    """An item, given its leaves."""
    if isinstance(form, Aval):
        return next(rows)
    if isinstance(form, Fixed):
        return form.value
    if isinstance(form, Run):
        stacks = [next(rows) for _ in leaves(form.form)]
        return [Series(form.form, stacks, next(rows), form.capacity)]
    return tree.build(form.kind, form.extra, [item_of(p, rows) for p in form.parts])


# ---- leaving the program ---------------------------------------------------------------------------------------


@dataclasses.dataclass(eq=False, repr=False)
class Choice(Counted):
    """What a program returns where a tensor decides between values of different kinds."""

    flag: Any
    first: Any
    second: Any

    def whole(self) -> Any:
        return expanded(self.first if bool(self.flag) else self.second)


def expanded(value: Any) -> Any:
    """A program's result with every Series replaced by its items, now that its length is known."""
    if isinstance(value, Counted) and hasattr(type(value), "whole"):
        return value.whole()
    found = tree.parts(value)
    if found is None or isinstance(value, Tensor):
        return value
    kind, extra, children = found
    new: list[Any] = []
    for child in children:
        new += _items(child) if type(child) is Series else [expanded(child)]
    if type(value) is dict and any(x is UNDEFINED for x in new):
        return {key: x for key, x in zip(extra, new, strict=True) if x is not UNDEFINED}
    return value if all(a is b for a, b in zip(new, children, strict=False)) and len(new) == len(children) else (
        tree.build(kind, extra, new))


def _items(series: Series) -> list[Any]:
    n = int(series.length)
    kinds = leaves(series.form)
    rows = [[_row(stack, i, kind) for i in range(n)] for stack, kind in zip(series.stacks, kinds, strict=True)]
    return [expanded(item_of(series.form, iter([c[i] for c in rows]))) for i in range(n)]


def _row(stack: Tensor, i: int, kind: Aval) -> Any:
    if kind.weak:
        return np.asarray(stack.storage.array[i]).item()
    return stack[i].clone() if not stack._stop_gradient else wrap(stack.storage.array[i])
