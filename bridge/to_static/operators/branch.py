"""`if`, on a Python value or staged; and what follows a statement that control may have left early."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax.numpy as jnp
from jax import lax

from kayax.bridge.blocks import Block, Operands, stage, write_cells
from kayax.bridge.call import Call
from kayax.bridge.cells import Storage, is_leaked
from kayax.bridge.dispatch import run_call
from kayax.bridge.either import Either, tensors_in
from kayax.bridge.errors import ConversionError, at_user_line
from kayax.bridge.journal import born, journal, loaded, write
from kayax.bridge.merging import ANYTHING, Planner, Split, build
from kayax.bridge.places import UNDEFINED, Attribute, Contents, Elements, Place
from kayax.bridge.sides import Side
from kayax.bridge.slots import fill, note_operands
from kayax.bridge.state import root_trace
from kayax.bridge.tensor import Tensor, as_number, wrap
from kayax.bridge.to_static.operators import grown
from kayax.bridge.to_static.operators import values as v
from kayax.bridge.to_static.operators.outcome import (
    NONE,
    NORMAL,
    RETURNED,
    Mixed,
    Outcome,
    Return,
    Variables,
    code_of,
    codes_of,
    outcome_of,
    value_of,
)
from kayax.bridge.watching import watch_objects


def if_(test: Any, body: Callable | None, orelse: Callable | None, variables: Variables = NONE) -> Outcome:
    """Run one of two blocks; where a staged tensor decides, both become parts of the program."""
    test = truth(test)
    if v.is_staged(test):
        return staged_if(v.truth(test), body or nothing, orelse or nothing, variables)
    chosen = body if test else orelse
    return chosen() if chosen is not None else None


def then(outcome: Outcome, rest: Callable, variables: Variables = NONE) -> Outcome:
    """Run what follows a statement, if control got to its end."""
    if outcome is None:
        return rest()
    if not isinstance(outcome, Mixed) or NORMAL not in outcome.codes:
        return outcome
    return staged_if(outcome.code == NORMAL, rest, lambda: outcome, variables)


def finish(outcome: Outcome) -> Any:
    """The value of a function that was left so."""
    if outcome is None:
        return None
    if isinstance(outcome, Mixed):
        value = outcome.value
        outcome = staged_if(outcome.code == RETURNED, lambda: Return(value), lambda: Return(None), NONE)
    return value_of(outcome)


def nothing() -> None:
    return None


# ---- values that differ in kind ----------------------------------------------------------------------------------


def truth(value: Any) -> Any:
    """What `if` and the like ask of a value."""
    from kayax.bridge.to_static.operators.dicts import whole
    value = whole(v.read(value))
    watch_objects(value, doing="truth")
    return apart(lambda x: v.truth_number(truth(x)), value) if type(value) is Either else grown.truth(value)


def apart(run: Callable, *values: Any, depth: int = 0) -> Any:
    """``run(*values)``, where some of the values are Eithers: on each path with its own.

    depth: how many containers around an Either are looked through (and copied).
    """
    return value_of(apart_in(lambda *chosen: Return(run(*chosen)), values, NONE, depth))


def apart_in(run: Callable, values: Sequence[Any], variables: Variables, depth: int = 0) -> Outcome:
    """The outcome of ``run(*values)``, which may change variables."""
    flag = next((flag for value in values for flag in _flags(value, depth)), None)
    if flag is None:
        return run(*values)

    def side(first: bool) -> Callable[[], Outcome]:
        return lambda: apart_in(run, [_chosen(value, flag, first, depth) for value in values], variables, depth)

    if not v.is_staged(flag):
        return side(bool(flag))()
    return staged_if(v.truth(flag), side(True), side(False), variables)


def has_either(value: Any, depth: int = 0) -> bool:
    """Whether a value is an Either, or holds one."""
    return any(True for _ in _flags(value, depth))


def _flags(value: Any, depth: int) -> Iterator[Any]:
    if type(value) is Either:
        yield value.flag
    elif depth:
        for part in _parts(value):
            yield from _flags(part, depth - 1)


def _parts(value: Any) -> Sequence[Any]:
    if type(value) in (list, tuple):
        return value
    if type(value) is dict:
        return list(value.values())
    return (value.start, value.stop, value.step) if type(value) is slice else ()


def _chosen(value: Any, flag: Any, first: bool, depth: int) -> Any:
    """The value on one of the two paths; containers with an Either in them are copied."""
    if type(value) is Either:
        if value.flag is flag:
            return _chosen(value.first if first else value.second, flag, first, depth)
        sides = [_chosen(x, flag, first, depth) for x in (value.first, value.second)]
        return Either(value.flag, sides[0], sides[1], value.name)
    if not has_either(value, depth):
        return value
    parts = [_chosen(part, flag, first, depth - 1) for part in _parts(value)]
    if type(value) is slice:
        return slice(*parts)
    return born(dict(zip(value, parts, strict=True)) if type(value) is dict else type(value)(parts))


class Branch:
    """One side of a staged `if`, run once: its outcome, its variables, the places it changed."""

    def __init__(self, body: Callable, variables: Variables, before: list[Any]):
        self.error: Exception | None = None
        self.outcome: Outcome = None
        self.values: list[Any] = []
        self.places: dict[tuple, tuple[Place, Any, Any]] = {}
        self.born: dict[int, Any] = {}
        try:
            self.block = Block(lambda _: self._run(body, variables, before), may_clear=True)
        finally:
            variables.put(before)
        self.side = Side(self.block, self.tensors, self.born)

    def _run(self, body: Callable, variables: Variables, before: list[Any]) -> list[Tensor]:
        variables.put(before)
        with journal() as notes:
            try:
                self.outcome = body()
                self.values = alive(variables.get())
                self.places, self.born = notes.changed(), notes.born
            except ConversionError:
                raise
            except Exception as error:          # it is raised if the branch is taken: by the eager run
                self.error = error
            finally:
                notes.undo()
        new = [place[2] for place in self.places.values()]
        self.tensors = tensors_in([code_of(self.outcome), value_of(self.outcome), self.values, new])
        return self.tensors

    def place(self, key: tuple, old: Any) -> Any:
        """What a place holds at the end of the branch."""
        return self.places[key][2] if key in self.places else old

    def value(self) -> Any:
        return value_of(self.outcome) if RETURNED in codes_of(self.outcome) else ANYTHING


def staged_if(flag: Tensor, body: Callable, orelse: Callable, variables: Variables) -> Outcome:
    """Both blocks as branches of one operation; afterwards everything is what the chosen one made of it.

    A flag whose value is settled while the program is made chooses one at once.
    """
    chosen = v.settled_value(flag)
    if chosen is not None:
        return (body if chosen else orelse)()
    root_trace().decided += 1
    flag = as_number(wrap(flag.storage.array))      # whatever becomes of the tensor that was asked
    before = variables.get()
    sides = [Branch(fn, variables, before) for fn in (body, orelse)]
    failed = [s for s in sides if s.error is not None]
    if len(failed) == 2:
        raise sides[0].error                    # type: ignore[misc]
    planner = Planner(sides[0].side, sides[1].side, flag)
    pairs = _pairs(sides, len(before))
    plans = [planner.plan(*pair) for pair in pairs]
    codes = frozenset().union(*(codes_of(s.outcome) for s in sides if s.error is None))
    places = _changed_places(sides)
    for place, (old, new) in places.items():
        plans.append(_plan_of(place, planner, old, new))
    blocks = [s.block for s in sides]
    written = [] if failed else list(dict.fromkeys([*blocks[0].writes, *blocks[1].writes]))
    if failed:
        written = [w for s in sides if s.error is None for w in s.block.writes]
    _clear_gradients(flag, blocks)
    built = _run(flag, blocks, [s.error is not None for s in sides], planner, plans, written)
    if failed:
        v.bail_if(flag if sides[0].error is not None else v.negated(flag))
    code, value, *rest = built
    for name, now in zip(variables.names, rest, strict=False):
        if type(now) is Either:
            now.name = name
    variables.put(rest[:len(before)])
    for place, new in zip(places, rest[len(before):], strict=True):
        write(place, new)
    return outcome_of(code, value, codes)


_zeros_if = Call(lambda flag, grad: jnp.where(flag, jnp.zeros_like(grad), grad), "where")


def _clear_gradients(flag: Tensor, blocks: Sequence[Block]) -> None:
    """A `.grad` that one of two blocks clears is zeros afterwards, or what it was."""
    sides = [set(map(id, block.cleared)) for block in blocks]
    for block, chosen in zip(blocks, (flag, v.negated(flag)), strict=True):
        for tensor in block.cleared:
            if id(tensor) in sides[0] & sides[1]:
                tensor.clear_gradient()
            else:
                tensor.grad = run_call(_zeros_if, [chosen, tensor.grad], False)


def alive(values: Sequence[Any]) -> list[Any]:
    """What variables hold; one with a tensor of a block that has ended is not read again: it need not be handed on."""
    return [UNDEFINED if any(is_leaked(t.storage) for t in tensors_in(x)) else x
            for x in values]


def _pairs(sides: Sequence[Branch], n: int) -> list[tuple[Any, Any]]:
    """What the two sides give: how they were left, what they return, their variables."""
    columns = [[ANYTHING] * (n + 2) if s.error is not None else [code_of(s.outcome), s.value(), *s.values]
               for s in sides]
    return [(UNDEFINED, UNDEFINED) if a is ANYTHING and b is ANYTHING else (a, b)
            for a, b in zip(*columns, strict=True)]


def mergeable(place: Place) -> Place:
    """A place that a branch or loop has changed, if a program can choose what it holds."""
    if isinstance(place, Elements):
        raise ConversionError(f"A branch or loop that a tensor decides changes {place}, which a program cannot."
                              f"{at_user_line()}\nUse a Tensor.")
    return place


def _changed_places(sides: Sequence[Branch]) -> dict[Place, tuple[Any, Any]]:
    found: dict[tuple, Place] = {}
    old: dict[tuple, Any] = {}
    for s in sides:
        for key, (place, was, _) in s.places.items():
            found[key], old[key] = mergeable(place), was
            if isinstance(place, Attribute) and any(other.error is None and key not in other.places for other in sides):
                loaded(place.owner, place.name)         # on the other path, it is what it was
    first, second = sides

    def value(s: Branch, key: tuple) -> Any:
        return ANYTHING if s.error is not None else s.place(key, old[key])

    return {place: (value(first, key), value(second, key)) for key, place in found.items()}


def _plan_of(place: Place, planner: Planner, first: Any, second: Any) -> Any:
    """The plan for what a place holds afterwards."""
    if not isinstance(place, Contents) or first is ANYTHING or second is ANYTHING:
        return planner.plan(first, second)
    plan = None if holds_others(place, first, second) else planner.contents(first, second)
    if plan is None or isinstance(plan, Split):
        raise ConversionError(
            f"A branch that a tensor decides changes the length or keys of {place}, and a program cannot hold it in "
            f"one value.{at_user_line()}\nChange it alike in both branches.")
    return plan


def holds_others(place: Place, first: Any, second: Any) -> bool:
    """Whether a container holds more items, or other keys, on one of two paths, and is none that may be counted."""
    if type(place.owner) in (list, dict) or first is ANYTHING or second is ANYTHING:
        return False
    return len(first) != len(second) or (isinstance(first, dict) and list(first) != list(second))


def _run(flag: Tensor, blocks: Sequence[Block], failed: list[bool], planner: Planner, plans: list[Any],
         written: list[Storage]) -> list[Any]:
    """The operation itself: it writes the cells, and gives the built values of the plans."""
    operands = Operands(blocks)
    note_operands(planner.slots, operands)
    before = [operands.cell(s) for s in written]
    slots = planner.slots
    filled: dict[int, Any] = {}
    if not slots and not written and not any(b.closed.effects for b in blocks):
        return [build(p, filled) for p in plans]

    def run(chosen: Any, *arrays: Any) -> tuple:
        def side(i: int) -> Callable[[], tuple]:
            def branch() -> tuple:
                outs, cells = ([], {}) if failed[i] else operands.run(blocks[i], arrays)
                new = [cells.get(s, arrays[k]) for s, k in zip(written, before, strict=True)]
                return (*fill(slots, i, outs, cells, arrays), *new)
            return branch
        return lax.cond(chosen, side(0), side(1))

    outs = stage(run, "cond", [flag, *operands.sources])
    n = len(slots)
    write_cells(written, outs[n:], [b for b, fails in zip(blocks, failed, strict=True) if not fails])
    filled = planner.filled(outs[:n])
    return [build(p, filled) for p in plans]
