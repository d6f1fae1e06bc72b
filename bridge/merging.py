"""One value out of two: what a variable is after a branch that a tensor decides, or around a loop.

`unify(x, y, ...)` compares two Python values part by part and plans the value that stands for both: parts that are
the same stay as they are, two tensors (or a tensor and a number) of one kind become a `Slot` that the program fills,
and two values of different kinds (undefined or None on one side) an `Either`.
"""
from __future__ import annotations

import dataclasses
import functools
import sys
from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from kayax.bridge.either import Either, TooManyKinds, depth, named
from kayax.bridge.errors import ConversionError, at_user_line
from kayax.bridge.forms import Count, Rows, columns, count, form_of, joined, leaves, stacked
from kayax.bridge.journal import births, born
from kayax.bridge.kinds import Aval, Mismatch, common
from kayax.bridge.places import UNDEFINED
from kayax.bridge.series import LENGTH, Series, capacity, is_grown, least, limit
from kayax.bridge.sides import Side
from kayax.bridge.slots import Slot, note_items, tensor_of
from kayax.bridge.state import root_trace
from kayax.bridge.tensor import Tensor, is_number
from kayax.spec import tree

_NUMBERS = (bool, int, float, complex)
_EQUAL = (*_NUMBERS, str, bytes, type(None))


class Anything:
    """Stands for a value that nobody will look at: it unifies with any other."""


ANYTHING = Anything()


@dataclasses.dataclass
class Same:
    value: Any


@dataclasses.dataclass
class Group:
    kind: type
    extra: Any
    parts: list[Any]


@dataclasses.dataclass
class Split:
    """The plan of an `Either`."""

    flag: Any
    first: Any
    second: Any


@dataclasses.dataclass
class Grown:
    """The plan of a `Series` in a list: a slot for each stack, and one for the length."""

    form: Any
    stacks: list[Slot]
    length: Slot
    capacity: int
    limit: int                      # how many items a loop around it carries the list with
    least: int                      # how many there are certainly


class Planner:
    """Plans the values that stand for pairs of values; `slots` are all the places to be filled, in order.

    flag: what decides between them, if that is known. loop: the first value is there before a loop, the second after a
    round, of which there are at most `bound`.
    """

    def __init__(self, first: Side, second: Side, flag: Tensor | None = None, loop: bool = False,
                 bound: int | None = None):
        self.sides = first, second
        self.slots: list[Slot] = []
        self.loop, self.bound = loop, bound
        self.grows = False                      # some list grows in a loop without a bound
        self.decided = flag is not None
        self._flag: Any = Same(flag) if self.decided else None
        self._containers: dict[tuple[int, int], Any] = {}       # those of two sides that one container stands for

    def filled(self, outs: Sequence[Tensor]) -> dict[int, Tensor]:
        """The tensors of the slots, as `build` wants them, out of an operation's outputs."""
        return {id(s): tensor_of(s, o) for s, o in zip(self.slots, outs, strict=True)}

    def plan(self, x: Any, y: Any) -> Any:
        """The plan for one pair."""
        held = len(self.slots), dict(self._containers)
        try:
            return self._unify(x, y)
        except Mismatch:
            self._forget(*held)
        if isinstance(x, Either) or isinstance(y, Either):
            return self._with_either(x, y)
        return self._split(x, y)

    def contents(self, x: Any, y: Any) -> Any:
        """The plan for what one container holds, which is a list, dict or set that nobody else has."""
        held = len(self.slots), dict(self._containers)
        try:
            return Same(x) if x is y else self._parts(x, y)
        except Mismatch:
            self._forget(*held)
        return self._split(x, y)

    def _forget(self, n: int, containers: dict) -> None:
        """Take back what was planned last."""
        gone = self.slots[n:]
        del self.slots[n:]
        self._containers = containers
        if any(slot is self._flag for slot in gone):
            self._flag = None

    def _split(self, x: Any, y: Any) -> Split:
        if depth(x) + depth(y) > (_DEEPEST_IN_LOOPS if self.loop else _DEEPEST):
            raise TooManyKinds(
                f"{named(x, y)} has too many types, shapes or dtypes on the paths to this place, and a tensor decides "
                f"between them.{at_user_line()}\nGive it one of them in the branches.")
        if self._flag is None:
            self._flag = self.plan(True, False)
        return Split(self._flag, self.plan(x, ANYTHING), self.plan(ANYTHING, y))

    def _with_either(self, x: Any, y: Any) -> Any:
        """One is an Either: the other becomes one of its two."""
        swapped = not isinstance(x, Either)
        either, other = (y, x) if swapped else (x, y)
        for takes_first in (True, False):
            pairs = [(either.flag, takes_first), (either.first, other if takes_first else ANYTHING),
                     (either.second, ANYTHING if takes_first else other)]
            held = len(self.slots), dict(self._containers)
            try:
                return Split(*(self._unify(b, a) if swapped else self._unify(a, b) for a, b in pairs))
            except Mismatch:
                self._forget(*held)
        return self._split(x, y)

    def _unify(self, x: Any, y: Any) -> Any:
        if isinstance(x, Tensor) or isinstance(y, Tensor) or _numbers(x, y):
            return self._leaf(x, y)
        if x is y:
            return Same(x)
        if x is ANYTHING or y is ANYTHING:
            return self._alone(y if x is ANYTHING else x, x is ANYTHING)
        if isinstance(x, Either) and isinstance(y, Either):
            return Split(self._unify(x.flag, y.flag), self._unify(x.first, y.first), self._unify(x.second, y.second))
        if type(x) is type(y) and isinstance(x, _EQUAL):
            if x == y:
                return Same(x)
            raise Mismatch
        if any(_is_mutable(v) and side.was_there(v) for v, side in zip((x, y), self.sides, strict=True)):
            raise Mismatch
        return self._once((id(x), id(y)), x, functools.partial(self._parts, x, y))

    def _once(self, key: tuple[int, int], value: Any, plan: Callable[[], Any]) -> Any:
        """The plan for containers that can change: the same for the same ones, so that they stay one."""
        if not _is_mutable(value):
            return plan()
        if key not in self._containers:
            others = [pair for known in self._containers for pair in zip(key, known, strict=True)]
            if self.decided and any(a and a == b for a, b in others):
                raise ConversionError(
                    f"Two names stand for one {type(value).__name__} on one path, and for two on the other, and a "
                    f"tensor decides which.{at_user_line()}\nMake a copy for each.")
            self._containers[key] = plan()
        return self._containers[key]

    def _parts(self, x: Any, y: Any) -> Any:
        if type(x) is type(y) and type(x) in (list, tuple) and (len(x) != len(y) or is_grown(x) or is_grown(y)):
            return self._lists(x, y)
        a, b = tree.parts(x), tree.parts(y)
        if type(x) is dict and type(y) is dict and list(x) != list(y):
            keys = _joined_keys(list(x), list(y))
            return Group(dict, keys, [self.plan(x.get(k, UNDEFINED), y.get(k, UNDEFINED)) for k in keys])
        if a is None or b is None or a[:2] != b[:2] or len(a[2]) != len(b[2]):
            raise Mismatch
        return Group(a[0], a[1], [self.plan(p, q) for p, q in zip(a[2], b[2], strict=True)])

    def _alone(self, value: Any, is_second: bool) -> Any:
        """A value whose other side nobody will look at."""
        if isinstance(value, Either):
            return Split(*(self._one(p, is_second) for p in (value.flag, value.first, value.second)))
        found = tree.parts(value)
        if found is None or (_is_mutable(value) and self.sides[is_second].was_there(value)):
            return Same(value)
        key = (0, id(value)) if is_second else (id(value), 0)
        return self._once(key, value, lambda: Group(found[0], found[1], [self._one(p, is_second) for p in found[2]]))

    def _one(self, value: Any, is_second: bool) -> Any:
        return self._unify(ANYTHING, value) if is_second else self._unify(value, ANYTHING)

    # ---- lists of different lengths --------------------------------------------------------------------------

    def _lists(self, x: Any, y: Any) -> Group:
        """What both branches have at the beginning stays as it is; of a loop, the whole list is carried."""
        n = 0
        while not self.loop and n < min(len(x), len(y)) and x[n] is y[n]:
            n += 1
        a, b = x[n:], y[n:]
        same = len(a) == len(b) and not is_grown(a) and not is_grown(b)
        rest = [self._unify(p, q) for p, q in zip(a, b, strict=True)] if same else [self._series(a, b)]
        return Group(type(x), None, [*map(Same, x[:n]), *rest])

    def _series(self, x: list, y: list) -> Grown:
        sides = list(zip((x, y), self.sides, strict=True))
        form = joined([form_of(item, functools.partial(_aval, side=side)) for items, side in sides for item in items])
        n = self._capacity(x, y)
        pairs = zip(*([[_part(p, side) for p in column] for column in columns(items, form)] for items, side in sides),
                    strict=True)
        stacks = [Slot(stacked(aval, n), ("stack", a), ("stack", b))
                  for aval, (a, b) in zip(leaves(form), pairs, strict=True)]
        first, second = (_recipe(count(items), side) for items, side in sides)
        length = Slot(LENGTH, first, second)
        note_items([*x, *y])
        self.slots += [*stacks, length]
        root_trace().grown = True
        fewer = self.loop and least(y) < least(x)           # in some round; how many rounds, nobody knows
        return Grown(form, stacks, length, n, limit(x), 0 if fewer else min(least(x), least(y)))

    def _capacity(self, x: list, y: list) -> int:
        """How many items the list that stands for both holds at most."""
        before, after, held = capacity(x), capacity(y), limit(y)
        if not self.loop:
            return max(before, after)
        carried = held if held != limit(x) else 0       # by this loop, since a former run of its body
        grown = after - (carried or before)
        if grown <= 0:
            return carried or before
        if self.bound is None:
            self.grows = True
            raise Mismatch
        return max(carried, before + self.bound * grown)

    # ---- leaves ----------------------------------------------------------------------------------------------

    def _leaf(self, x: Any, y: Any) -> Any:
        first, second = self.sides
        if x is ANYTHING or y is ANYTHING:
            value, side = (y, second) if x is ANYTHING else (x, first)
            if not isinstance(value, Tensor) or side.outer(value):
                return Same(value)
            aval = side.aval(value)
        elif self._is_same(x, y):
            return Same(x)
        else:
            aval = common(_aval(x, first), _aval(y, second))
        slot = Slot(aval, None if x is ANYTHING else first.recipe(x), None if y is ANYTHING else second.recipe(y))
        pairs = [(t, side) for t, side in ((x, first), (y, second)) if isinstance(t, Tensor)]
        slot.roots = tuple([root for t, side in pairs for root in side.roots(t)])
        slot.sources = [t.storage for t, side in pairs if side.outer(t) and not is_number(t)]
        self.slots.append(slot)
        return slot

    def _is_same(self, x: Any, y: Any) -> bool:
        if isinstance(x, Tensor):
            return x is y and all(side.outer(x) for side in self.sides)
        return type(x) is type(y) and isinstance(x, _NUMBERS) and (x == y or x != x)


def _joined_keys(first: list, second: list) -> tuple:
    """The keys of two dicts, in an order that holds for both."""
    keys, rest = [], list(second)
    for key in first:
        if key in rest:
            keys += rest[:rest.index(key)]
            del rest[:rest.index(key) + 1]
        keys.append(key)
    keys += rest
    if len(set(keys)) < len(keys):
        raise Mismatch
    return tuple(keys)


def _recipe(leaf: Any, side: Side) -> tuple:
    """How to get a leaf of an item's form on this side."""
    if isinstance(leaf, Rows):
        return "rows", leaf.aval, [_part(p, side) for p in leaf.parts]
    if isinstance(leaf, Count):
        return "count", leaf.known, [side.recipe(n) for n in leaf.lengths]
    return side.recipe(leaf)


def _part(part: tuple, side: Side) -> tuple:
    leaf, length = part
    return _recipe(leaf, side), None if length is None else side.recipe(length)


_DEEPEST, _DEEPEST_IN_LOOPS = 6, 3              # how many Eithers may be in one another


def _is_mutable(value: Any) -> bool:
    """Whether a container can be changed, so that it matters which one it is."""
    return not isinstance(value, (tuple, Tensor)) and tree.parts(value) is not None


def _numbers(x: Any, y: Any) -> bool:
    kinds = (*_NUMBERS, Anything)
    return isinstance(x, kinds) and isinstance(y, kinds) and not (x is ANYTHING and y is ANYTHING)


def kind_of(value: Any) -> Aval:
    """What is known of a tensor or number outside of blocks."""
    return _aval(value, Side())


def _aval(value: Any, side: Side) -> Aval:
    if isinstance(value, Tensor):
        return side.aval(value)
    if not isinstance(value, _NUMBERS):
        raise Mismatch
    if isinstance(value, bool):
        return Aval((), np.dtype(bool), True)
    return Aval.of(jnp.asarray(value))


def build(plan: Any, filled: dict[int, Any], carried: bool = False) -> Any:
    """The value of a plan, its slots filled: ``filled[id(slot)]``. carried: it is a loop's, inside of the body."""
    if isinstance(plan, Same):
        return plan.value
    if isinstance(plan, Slot):
        return filled[id(plan)]
    if isinstance(plan, Group):
        if id(plan) not in filled:
            made = tree.build(plan.kind, plan.extra, [build(p, filled, carried) for p in plan.parts])
            filled[id(plan)] = made if carried else born(made)
        return filled[id(plan)]
    if isinstance(plan, Grown):
        stacks = [filled[id(s)] for s in plan.stacks]
        kept = plan.capacity if carried else plan.limit
        return Series(plan.form, stacks, filled[id(plan.length)], plan.capacity, kept, plan.least)
    root_trace().split = True
    return Either(*(build(p, filled, carried) for p in (plan.flag, plan.first, plan.second)))


def note_copies(plans: Sequence[Any], old: list[Any], new: Sequence[Any], holders: int = 1) -> None:
    """Note the containers of `old` that a loop has made copies of, if somebody else has them.

    holders: who is known to hold what is in `old`. It is not to be in a variable here.
    """
    for i, plan in enumerate(plans):
        if not isinstance(plan, (Group, Grown)):
            continue
        known = births(old[i]) + tree.is_record(old[i])
        if _is_mutable(old[i]) and sys.getrefcount(old[i]) - known > holders + _COUNTING:
            copied = root_trace().copied
            copied[id(old[i])], copied[id(new[i])] = old[i], new[i]
        if isinstance(plan, Group):
            note_copies(plan.parts, tree.parts(old[i])[2], tree.parts(new[i])[2], 2)        # type: ignore[index]


_COUNTING = sys.getrefcount(object())           # the references that asking takes


def signature(plan: Any) -> Any:
    """What two plans have in common if the same values fit both."""
    if isinstance(plan, Same):
        return ("same", id(plan.value)) if not isinstance(plan.value, _EQUAL) else (type(plan.value), repr(plan.value))
    if isinstance(plan, Slot):
        return plan.aval
    if isinstance(plan, Group):
        return plan.kind, plan.extra, tuple(signature(p) for p in plan.parts)
    if isinstance(plan, Grown):
        return Grown, plan.form, plan.capacity, plan.least, tuple(s.aval for s in plan.stacks)
    return Split, signature(plan.flag), signature(plan.first), signature(plan.second)
