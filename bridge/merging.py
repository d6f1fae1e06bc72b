"""One value out of two: what a variable is after a branch that a tensor decides, or around a loop.

`unify(x, y, ...)` compares two Python values part by part and plans the value that stands for both: parts that are
the same stay as they are, two tensors (or a tensor and a number) of one kind become a `Slot` that the program fills,
and two values of different kinds (undefined or None on one side) an `Either`.
"""
from __future__ import annotations

import dataclasses
import weakref
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from kayax.bridge.blocks import Aval, Block, Operands
from kayax.bridge.cells import Storage
from kayax.bridge.errors import ConversionError, at_user_line
from kayax.bridge.journal import UNDEFINED
from kayax.bridge.state import state
from kayax.bridge.tensor import Tensor, as_number, is_number
from kayax.spec import tree

_NUMBERS = (bool, int, float, complex)
_EQUAL = (*_NUMBERS, str, bytes, type(None))


class Anything:
    """Stands for a value that nobody will look at: it unifies with any other."""


ANYTHING = Anything()


class Either:
    """One of two values of different kinds: `first` where `flag` is true, else `second`.

    Reading a variable that holds one settles it (`kayax.bridge.to_static.operators.undefined.use`).
    """

    __slots__ = ("flag", "first", "second")

    def __init__(self, flag: Any, first: Any, second: Any):
        self.flag, self.first, self.second = flag, first, second

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise unsettled(self)

    __bool__ = __iter__ = __len__ = __call__ = __getitem__ = __add__ = __radd__ = __mul__ = __rmul__ = _refuse
    __sub__ = __rsub__ = __truediv__ = __rtruediv__ = __lt__ = __le__ = __gt__ = __ge__ = __neg__ = __int__ = _refuse
    __float__ = __index__ = __contains__ = __str__ = __repr__ = __matmul__ = __rmatmul__ = __invert__ = _refuse
    __pow__ = __rpow__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _refuse

    def __getattr__(self, name: str) -> Any:
        raise unsettled(self)


def unsettled(either: Either) -> ConversionError:
    """The error for a value that is one thing or another, by a tensor's value."""
    return ConversionError(
        f"A value is {describe(either.first)} on one path and {describe(either.second)} on another, and a tensor "
        f"decides which: a program cannot hold both in one place.{at_user_line()}\nGive it one structure, shape and "
        "dtype on all paths.")


def describe(value: Any) -> str:
    """A value in a message: a tensor by its dtype and shape."""
    if isinstance(value, Tensor):
        try:
            return f"a {value.dtype.name} tensor of shape {list(value.shape)}"
        except RuntimeError:                    # made in a branch, which has ended
            return "a tensor"
    if value is UNDEFINED or value is None or isinstance(value, (*_NUMBERS, str)):
        return repr(value)
    found = tree.parts(value)
    return f"a {type(value).__name__}" + (f" of {len(found[2])}" if found is not None else "")


# ---- the two sides ---------------------------------------------------------------------------------------------

class Side:
    """Where one of the two values comes from: a block's outputs, or (without a block) what was there before it."""

    def __init__(self, block: Block | None = None, tensors: Sequence[Tensor] = ()):
        self.block = block
        self.place = {id(t): i for i, t in enumerate(tensors)}
        self.tensors = list(tensors)            # held, so that their identities stay theirs

    def recipe(self, value: Any) -> tuple:
        """How to get a leaf's array on this side."""
        if not isinstance(value, Tensor):
            return "number", value
        place = self.place.get(id(value))
        return ("outer", value) if place is None else ("out", place)

    def outer(self, value: Tensor) -> bool:
        """Whether a tensor was there before the block."""
        place = self.place.get(id(value))
        return place is None or self.block is None or self.block.leaves[place][0] is value

    def roots(self, value: Tensor) -> list[Storage]:
        """Whose memory a tensor that the block made shares, of what is there after the block."""
        place = self.place.get(id(value))
        return [] if place is None or self.block is None else self.block.roots[place]

    def aval(self, value: Tensor) -> Aval:
        place = self.place.get(id(value))
        if place is None or self.block is None:
            found = Aval.of(value.storage.array, value._stop_gradient)
        else:
            found = dataclasses.replace(self.block.avals[place], stop=self.block.leaves[place][1])
        return dataclasses.replace(found, weak=True) if "is_number" in value.__dict__ else found


@dataclasses.dataclass
class Slot:
    """A place that the program fills; a recipe of None stands for a value that nobody will look at."""

    aval: Aval
    first: tuple | None
    second: tuple | None
    aliases: bool = False           # it may be a tensor that was there before, or share memory with one
    roots: tuple[Storage, ...] = ()         # whose memory it may share


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


class _Mismatch(Exception):
    pass


class Planner:
    """Plans the values that stand for pairs of values; `slots` are all the places to be filled, in order."""

    def __init__(self, first: Side, second: Side):
        self.sides = first, second
        self.slots: list[Slot] = []

    def filled(self, outs: Sequence[Tensor]) -> dict[int, Tensor]:
        """The tensors of the slots, as `build` wants them, out of an operation's outputs."""
        return {id(s): _tensor_of(s, o) for s, o in zip(self.slots, outs, strict=True)}

    def plan(self, x: Any, y: Any) -> Any:
        """The plan for one pair."""
        n = len(self.slots)
        try:
            return self._unify(x, y)
        except _Mismatch:
            del self.slots[n:]
        if isinstance(x, Either) or isinstance(y, Either):
            return self._with_either(x, y)
        return Split(self.plan(True, False), self.plan(x, ANYTHING), self.plan(ANYTHING, y))

    def _with_either(self, x: Any, y: Any) -> Any:
        """One is an Either: the other becomes one of its two."""
        swapped = not isinstance(x, Either)
        either, other = (y, x) if swapped else (x, y)
        for takes_first in (True, False):
            pairs = [(either.flag, takes_first), (either.first, other if takes_first else ANYTHING),
                     (either.second, ANYTHING if takes_first else other)]
            n = len(self.slots)
            try:
                return Split(*(self._unify(b, a) if swapped else self._unify(a, b) for a, b in pairs))
            except _Mismatch:
                del self.slots[n:]
        return Split(self.plan(True, False), self.plan(x, ANYTHING), self.plan(ANYTHING, y))

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
            raise _Mismatch
        a, b = tree.parts(x), tree.parts(y)
        if a is None or b is None or a[:2] != b[:2] or len(a[2]) != len(b[2]):
            raise _Mismatch
        return Group(a[0], a[1], [self._unify(p, q) for p, q in zip(a[2], b[2], strict=True)])

    def _alone(self, value: Any, is_second: bool) -> Any:
        """A value whose other side nobody will look at."""
        found = tree.parts(value)
        if isinstance(value, Either):
            found = (Either, None, [value.flag, value.first, value.second])
        if found is None:
            return Same(value)
        children = [self._unify(ANYTHING, p) if is_second else self._unify(p, ANYTHING) for p in found[2]]
        return Split(*children) if found[0] is Either else Group(found[0], found[1], children)

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
            aval = self._common(x, y)
        slot = Slot(aval, None if x is ANYTHING else first.recipe(x), None if y is ANYTHING else second.recipe(y))
        pairs = [(t, side) for t, side in ((x, first), (y, second)) if isinstance(t, Tensor)]
        slot.roots = tuple([root for t, side in pairs for root in side.roots(t)])
        slot.aliases = bool(slot.roots) or any(side.outer(t) and not is_number(t) for t, side in pairs)
        self.slots.append(slot)
        return slot

    def _is_same(self, x: Any, y: Any) -> bool:
        if isinstance(x, Tensor):
            return x is y and all(side.outer(x) for side in self.sides)
        return type(x) is type(y) and isinstance(x, _NUMBERS) and (x == y or x != x)

    def _common(self, x: Any, y: Any) -> Aval:
        """The kind of array that holds both; a number takes the kind of a 0-D tensor that it loses nothing in."""
        a, b = _aval(x, self.sides[0]), _aval(y, self.sides[1])
        if a.shape != b.shape:
            raise _Mismatch
        if a.weak == b.weak and a.dtype == b.dtype:
            return dataclasses.replace(a, stop=a.stop and b.stop)
        narrow, wide = (a, b) if a.weak and (not b.weak or _kind(b.dtype) == "f") else (b, a)
        if not narrow.weak or (_kind(narrow.dtype), _kind(wide.dtype)) not in _FITS:
            raise _Mismatch
        return dataclasses.replace(wide, stop=a.stop and b.stop)


_FITS = {("b", "b"), ("i", "i"), ("i", "f"), ("f", "f"), ("c", "c")}    # a number of this kind in a tensor of that


def _kind(dtype: Any) -> str:
    return {"u": "i", "V": "f"}.get(np.dtype(dtype).kind, np.dtype(dtype).kind)


def _numbers(x: Any, y: Any) -> bool:
    kinds = (*_NUMBERS, Anything)
    return isinstance(x, kinds) and isinstance(y, kinds) and not (x is ANYTHING and y is ANYTHING)


def _aval(value: Any, side: Side) -> Aval:
    if isinstance(value, Tensor):
        return side.aval(value)
    if not isinstance(value, _NUMBERS):
        raise _Mismatch
    if isinstance(value, bool):
        return Aval((), np.dtype(bool), True)
    return Aval.of(jnp.asarray(value))


def _tensor_of(slot: Slot, out: Tensor) -> Tensor:
    tensor = out.detach() if slot.aval.stop else out
    return known_as(slot, tensor)


def known_as(slot: Slot, tensor: Tensor) -> Tensor:
    """The tensor of a slot, with what is known of it.

    If it stands for one that was there before, or shares memory with it, neither may be written as long as it is there:
    eagerly, the other one would change.
    """
    root: Any = state.trace.root                                                # type: ignore[union-attr]
    if slot.aliases:
        root.aliases.add(tensor.storage)
    for storage in slot.roots:
        root.lent.setdefault(storage, weakref.WeakSet()).add(tensor.storage)
    return as_number(tensor) if slot.aval.weak else tensor


# ---- filling the slots -----------------------------------------------------------------------------------------

def note_operands(slots: Sequence[Slot], operands: Operands) -> None:
    """Make every outer tensor that a slot may take its value from an operand."""
    for slot in slots:
        slot.first, slot.second = _as_operand(slot.first, operands), _as_operand(slot.second, operands)


def _as_operand(recipe: tuple | None, operands: Operands) -> tuple | None:
    if recipe is None or recipe[0] != "outer":
        return recipe
    return "operand", operands.tensor(recipe[1]), recipe[1].storage


def fill(slots: Sequence[Slot], which: int, outs: Sequence[Any], cells: dict[Storage, Any],
         arrays: Sequence[Any]) -> list[Any]:
    """The arrays of one side for all slots: from a block's outputs, its cells, and the operands."""
    return [_array(s.second if which else s.first, s.aval, outs, cells, arrays) for s in slots]


def _array(recipe: tuple | None, aval: Aval, outs: Sequence[Any], cells: dict[Storage, Any],
           arrays: Sequence[Any]) -> Any:
    if recipe is None:
        return jnp.asarray(np.dtype(aval.dtype).type(0).item()) if aval.weak else jnp.zeros(aval.shape, aval.dtype)
    kind, value, *rest = recipe
    if kind == "out":
        array = outs[value]
    elif kind == "number":
        array = jnp.asarray(value)
    else:
        array = cells[rest[0]] if rest[0] in cells else arrays[value]
    kept = Aval.of(array)
    if (kept.dtype, kept.weak) == (aval.dtype, aval.weak) or kept.dtype == bool:
        return array
    return lax.convert_element_type(array, np.dtype(aval.dtype))            # strongly typed


def tensors_in(values: Any) -> list[Tensor]:
    """All Tensors in nested values, Eithers included, each once."""
    found: dict[int, Tensor] = {}
    stack = [values]
    while stack:
        value = stack.pop()
        if isinstance(value, Tensor):
            found.setdefault(id(value), value)
        elif isinstance(value, Either):
            stack += [value.flag, value.first, value.second]
        else:
            parts = tree.parts(value)
            if parts is not None:
                stack += parts[2]
    return list(found.values())


def build(plan: Any, filled: dict[int, Any]) -> Any:
    """The value of a plan, its slots filled: ``filled[id(slot)]``."""
    if isinstance(plan, Same):
        return plan.value
    if isinstance(plan, Slot):
        return filled[id(plan)]
    if isinstance(plan, Group):
        return tree.build(plan.kind, plan.extra, [build(p, filled) for p in plan.parts])
    return Either(build(plan.flag, filled), build(plan.first, filled), build(plan.second, filled))


def signature(plan: Any) -> Any:
    """What two plans have in common if the same values fit both."""
    if isinstance(plan, Same):
        return ("same", id(plan.value)) if not isinstance(plan.value, _EQUAL) else (type(plan.value), repr(plan.value))
    if isinstance(plan, Slot):
        return plan.aval
    if isinstance(plan, Group):
        return plan.kind, plan.extra, tuple(signature(p) for p in plan.parts)
    return Split, signature(plan.flag), signature(plan.first), signature(plan.second)


