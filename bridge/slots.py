"""The places that a program fills in what it gives: where their values come from, on either side."""
from __future__ import annotations

import dataclasses
import weakref
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from kayax.bridge.blocks import Operands
from kayax.bridge.cells import Storage, root_of
from kayax.bridge.journal import freeze
from kayax.bridge.kinds import Aval
from kayax.bridge.series import LENGTH, Series, gathered
from kayax.bridge.state import root_trace
from kayax.bridge.tensor import Tensor, as_number
from kayax.spec import tree


@dataclasses.dataclass
class Slot:
    """A place that the program fills; a recipe of None stands for a value that nobody will look at."""

    aval: Aval
    first: tuple | None
    second: tuple | None
    sources: list[Storage] = dataclasses.field(default_factory=list)    # tensors of before that it may be
    roots: tuple[Storage, ...] = ()                                     # whose memory it may share


def tensor_of(slot: Slot, out: Tensor) -> Tensor:
    """The tensor of a slot after the operation."""
    return known_as(slot, out.detach() if slot.aval.stop else out)


def known_as(slot: Slot, tensor: Tensor) -> Tensor:
    """The tensor of a slot, with what is known of it.

    If it shares memory with one that was there before, that one may not be written as long as this is there.
    """
    if slot.sources or slot.roots:
        note_alias(tensor, slot.sources)
    for storage in slot.roots:
        root_trace().lent.setdefault(storage, weakref.WeakSet()).add(tensor.storage)
    return as_number(tensor) if slot.aval.weak else tensor


def note_alias(tensor: Tensor, sources: Sequence[Storage] = ()) -> None:
    """Note that a tensor stands for one that was there before: eagerly, writing one in place would change the other."""
    root = root_trace()
    root.aliases.add(tensor.storage)
    for source in {memory for s in sources for memory in (s, root_of(s))}:
        root.copies.setdefault(source, weakref.WeakSet()).add(tensor.storage)


def copied_from(storage: Storage) -> list[Storage]:
    """The tensors that one may be, by what was chosen in a block."""
    root = root_trace()
    return [s for s, copies in root.copies.items() if storage in copies] if storage in root.aliases else []


def note_items(items: Sequence[Any]) -> None:
    """Note that a list holds copies of these items: eagerly it holds them, and what shares memory with them."""
    aliases = root_trace().aliases
    stack = [x for x in items if type(x) is not Series]
    while stack:
        value = stack.pop()
        if isinstance(value, Tensor):
            aliases.update((value.storage, root_of(value.storage)))
        elif (found := tree.parts(value)) is not None:
            if not isinstance(value, tuple):
                freeze(value)
            stack += [part for part in found[2] if type(part) is not Series]


def note_operands(slots: Sequence[Slot], operands: Operands) -> None:
    """Make every outer tensor that a slot may take its value from an operand."""
    for slot in slots:
        slot.first, slot.second = _as_operand(slot.first, operands), _as_operand(slot.second, operands)


def _as_operand(recipe: tuple | None, operands: Operands) -> tuple | None:
    if recipe is None:
        return None
    if recipe[0] == "stack":
        return "stack", [(_as_operand(a, operands), _as_operand(n, operands)) for a, n in recipe[1]]
    if recipe[0] == "rows":
        return "rows", recipe[1], [(_as_operand(a, operands), _as_operand(n, operands)) for a, n in recipe[2]]
    if recipe[0] == "count":
        return "count", recipe[1], [_as_operand(n, operands) for n in recipe[2]]
    return ("operand", operands.tensor(recipe[1]), recipe[1].storage) if recipe[0] == "outer" else recipe


def fill(slots: Sequence[Slot], which: int, outs: Sequence[Any], cells: dict[Storage, Any],
         arrays: Sequence[Any]) -> list[Any]:
    """The arrays of one side for all slots: from a block's outputs, its cells, and the operands."""
    def value(recipe: tuple, aval: Aval) -> Any:
        kind, what, *rest = recipe
        if kind == "out":
            return outs[what]
        if kind == "number":
            return jnp.asarray(what)
        if kind in ("stack", "rows"):
            aval, listed = (aval, what) if kind == "stack" else (what, rest[0])
            parts = [(value(a, aval), None if n is None else value(n, LENGTH)) for a, n in listed]
            return gathered(aval.shape[0], parts, aval.shape[1:], aval.dtype)
        if kind == "count":
            return sum([value(n, LENGTH) for n in rest[0]], jnp.asarray(what))
        return cells[rest[0]] if rest[0] in cells else arrays[what]

    return [_array(None if r is None else value(r, s.aval), s.aval)
            for s in slots for r in [s.second if which else s.first]]


def _array(array: Any, aval: Aval) -> Any:
    if array is None:
        return jnp.asarray(np.dtype(aval.dtype).type(0).item()) if aval.weak else jnp.zeros(aval.shape, aval.dtype)
    kept = Aval.of(array)
    if (kept.dtype, kept.weak) == (aval.dtype, aval.weak) or kept.dtype == bool:
        return array
    return lax.convert_element_type(array, np.dtype(aval.dtype))            # strongly typed
