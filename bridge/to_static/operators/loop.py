"""`while`, on a Python value or staged, and the staged loop that every other loop is made of."""
from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Iterator
from typing import Any

import jax

from kayax.bridge.blocks import Block, Operands, stage, write_cells
from kayax.bridge.call import is_inexact
from kayax.bridge.cells import Storage
from kayax.bridge.either import TooManyKinds, tensors_in
from kayax.bridge.errors import ConversionError, at_user_line
from kayax.bridge.journal import attempt, journal, loaded, write
from kayax.bridge.looping import while_loop
from kayax.bridge.merging import ANYTHING, Planner, Split, build, note_copies, signature
from kayax.bridge.places import UNDEFINED, Attribute, Contents, Place
from kayax.bridge.sides import Side
from kayax.bridge.slots import Slot, fill, known_as, note_operands
from kayax.bridge.state import state
from kayax.bridge.tape import Node
from kayax.bridge.tensor import Tensor, wrap
from kayax.bridge.to_static.operators import grown, numbers
from kayax.bridge.to_static.operators import values as v
from kayax.bridge.to_static.operators.branch import alive, holds_others, mergeable, staged_if, then, truth
from kayax.bridge.to_static.operators.outcome import (
    BROKEN,
    CONTINUED,
    NONE,
    NORMAL,
    RETURNED,
    Exit,
    Mixed,
    Outcome,
    Return,
    Variables,
    code_of,
    codes_of,
    outcome_of,
    value_of,
)

_ROUNDS = 8                     # how often a body is run until its variables keep their kinds
UNROLLED = 1024                 # how many rounds may be run one by one where a loop cannot be one operation


def while_(test: Callable, body: Callable, orelse: Callable | None, variables: Variables = NONE) -> Outcome:
    """A `while` statement."""
    outcome: Outcome = None
    going = truth(test())
    refused: ConversionError | None = None      # why the loop cannot be one operation; then Python runs known rounds
    rounds = 0
    while True:
        if v.is_staged(going):
            settled = v.settled_value(going)
            if refused is None or settled is None:
                try:
                    outcome = attempt(functools.partial(staged_while, v.truth(going), test, body, variables))
                    break
                except ConversionError as error:
                    if settled is None:
                        raise
                    refused = error
            rounds += 1
            if rounds > UNROLLED:
                raise refused
            going = settled
        if not going:
            break
        outcome = after_round(body())
        if isinstance(outcome, Mixed):
            outcome = _go_on_staged(outcome, test, body, variables)
            break
        if outcome is not None:
            break
        going = truth(test())
    return after_loop(outcome, orelse, variables)


def _go_on_staged(outcome: Mixed, test: Callable, body: Callable, variables: Variables) -> Outcome:
    """Later rounds of a loop whose first rounds Python ran, and that a tensor may now have left."""
    def rest() -> Outcome:
        going = truth(test())
        if not v.is_staged(going) and not going:
            return None
        return staged_while(v.truth(going) if v.is_staged(going) else True, test, body, variables)

    return then(outcome, rest, variables)


def after_round(outcome: Outcome) -> Outcome:
    """`continue` ends a round like reaching its end."""
    if isinstance(outcome, Exit):
        return None if outcome.code == CONTINUED else outcome
    if isinstance(outcome, Mixed) and CONTINUED in outcome.codes:
        codes = outcome.codes - {CONTINUED} | {NORMAL}
        return outcome_of(_recoded(outcome.code, CONTINUED), outcome.value, codes)
    return outcome


def after_loop(outcome: Outcome, orelse: Callable | None, variables: Variables) -> Outcome:
    """The `else` block runs if the loop was not left by `break`; a break ends here."""
    if orelse is not None:
        outcome = then(outcome, orelse, variables)
    if isinstance(outcome, Exit) and outcome.code == BROKEN:
        return None
    if isinstance(outcome, Mixed) and BROKEN in outcome.codes:
        return outcome_of(_recoded(outcome.code, BROKEN), outcome.value, outcome.codes - {BROKEN} | {NORMAL})
    return outcome


def _recoded(code: Any, old: int) -> Any:
    """The code with `old` replaced by NORMAL."""
    return code * numbers.as_int(code != old)


# ---- the staged loop -------------------------------------------------------------------------------------------


@dataclasses.dataclass
class _Round:
    """One run of the body: the plans for what is carried, and how to get the next values."""

    block: Block
    planner: Planner
    plans: list[Any]
    codes: frozenset[int]
    going: int


class _Loop:
    """A loop being settled: the body is run until what is carried keeps its kinds from round to round."""

    def __init__(self, test: Callable, body: Callable, variables: Variables, bound: int | None, sure: bool):
        self.test, self.body, self.variables = test, body, variables
        self.bound, self.sure = bound, sure         # how many rounds there are at most, and whether that is certain
        self.start = variables.get()
        self.places: dict[tuple, tuple[Place, Any]] = {}
        self.cells: list[Storage] = []
        self.wanting: list[Tensor] = []             # that a round writes something with a gradient into
        self.plans: list[Any] | None = None         # for variables, code and value, then places
        self.slots: list[Slot] = []

    def first(self) -> list[Any]:
        """What is carried, before the first round."""
        return [*self.start, NORMAL, UNDEFINED, *(old for _, old in self.places.values())]

    def settle(self) -> _Round:
        for _ in range(_ROUNDS):
            sizes = self._sizes()
            found = self._round()
            known = self.plans is not None and len(self.plans) == len(found.plans)
            stable = known and [signature(p) for p in self.plans or ()] == [signature(p) for p in found.plans]
            if stable and sizes == self._sizes():
                return found
            self.plans, self.slots = found.plans, found.planner.slots
        raise _unstable(self._changing(found.plans), found.planner)

    def _sizes(self) -> tuple:
        return len(self.cells), len(self.places), len(self.wanting)

    def _names(self) -> list[str]:
        return [f"`{n}`" for n in self.variables.names] or ["what it holds"] * len(self.start)

    @staticmethod
    def _plan_of(name: str, planner: Planner, old: Any, new: Any) -> Any:
        try:
            return planner.plan(old, new)
        except TooManyKinds:
            raise _unstable(name, planner) from None

    def _changing(self, plans: list[Any]) -> str:
        now = [signature(p) for p in self.plans or ()]
        names = [n for n, a, b in zip(self._names(), now, (signature(p) for p in plans), strict=False) if a != b]
        return " and ".join(names) or "what it holds"

    def _round(self) -> _Round:
        n = len(self.start)
        result: dict[str, Any] = {}

        def run(inputs: list[Tensor]) -> list[Tensor]:
            values = self.first()
            filled: dict[int, Any] = {}
            if self.plans is not None:
                filled = {id(s): known_as(s, t) for s, t in zip(self.slots, inputs, strict=True)}
                values = [build(p, filled, True) for p in self.plans] + values[len(self.plans):]
            self.variables.put(values[:n])
            note_copies((self.plans or ())[:n], self.start, values)
            with journal() as notes:
                try:
                    for (place, _), value in zip(self.places.values(), values[n + 2:], strict=True):
                        write(place, value)
                    outcome = after_round(self.body())
                    if not self.sure:
                        now = [self.variables.get(), value_of(outcome), [p.get() for p, _ in notes.old.values()]]
                        grown.check(now, {s.limit for s in grown.series_in(values)})
                    going = self._goes_on(outcome)
                    changed = notes.changed()
                    ends = {k: place.get() for k, (place, _) in self.places.items()}
                finally:
                    notes.undo()
                    result["values"] = alive(self.variables.get())
            for key, (place, old, new) in changed.items():
                if key not in ends:
                    ends[key] = new
                    self.places[key] = (mergeable(place), old)
            result["outcome"], result["ends"] = outcome, [ends[k] for k in self.places]
            result["born"] = notes.born | {id(x): x for x in filled.values() if not isinstance(x, Tensor)}
            leaves = [going, *(t for t in tensors_in([result["values"], code_of(outcome), value_of(outcome),
                                                     result["ends"]]) if t is not going)]
            result["leaves"] = leaves
            return leaves

        inputs = [s.aval for s in self.slots] if self.plans is not None else []
        try:
            with _with_gradient(self.wanting):
                block = Block(run, inputs, self.cells)
        finally:
            self.variables.put(self.start)
        self.cells += [w for w in block.writes if w not in self.cells]
        known = set(map(id, self.wanting))
        self.wanting += [t for t, stop in block.rebound.items() if t._stop_gradient and not stop and id(t) not in known]
        return self._planned(block, result)

    def _goes_on(self, outcome: Outcome) -> Tensor:
        """Whether there is another round, as a tensor."""
        if outcome is None:
            going = truth(self.test())
        elif isinstance(outcome, Mixed) and NORMAL in outcome.codes:
            chosen = staged_if(outcome.code == NORMAL, lambda: Return(v.truth_number(truth(self.test()))),
                               lambda: Return(False), self.variables)
            going = value_of(chosen)
        else:
            going = False
        going = v.truth(going) if isinstance(going, Tensor) else wrap(jax.numpy.asarray(bool(going)))
        trace = state.trace
        bail = trace.root.bail if trace is not None else None
        if bail is not None and bail in trace.writes:                           # type: ignore[union-attr]
            going = v.both(going, v.negated(wrap(bail.array)))
        return going

    def _planned(self, block: Block, result: dict[str, Any]) -> _Round:
        outcome = result["outcome"]
        after = Side(block, result["leaves"], result["born"])
        planner = Planner(Side(), after, loop=True, bound=self.bound)
        codes = codes_of(outcome) | {NORMAL}
        value = value_of(outcome) if RETURNED in codes else UNDEFINED
        plans = [self._plan_of(name, planner, a, b)
                 for name, a, b in zip(self._names(), self.start, result["values"], strict=True)]
        plans.append(planner.plan(NORMAL, code_of(outcome)))
        plans.append(planner.plan(ANYTHING, value) if RETURNED in codes else planner.plan(UNDEFINED, UNDEFINED))
        for (place, old), new in zip(self.places.values(), result["ends"], strict=True):
            held = isinstance(place, Contents)
            plans.append((planner.contents if held else planner.plan)(old, new))
            if held and (isinstance(plans[-1], Split) or holds_others(place, old, new)):
                raise ConversionError(
                    f"A loop that a tensor decides changes {place} in a way that a program cannot hold in one value "
                    f"(its length, keys, structure, shape or dtype).{at_user_line()}\n{_mend(planner)}")
        self._keep_gradients(planner)
        return _Round(block, planner, plans, codes, after.place[id(result["leaves"][0])])

    def _keep_gradients(self, planner: Planner) -> None:
        """What wants a gradient after some round wants one in every round."""
        for old, new in zip(self.slots, planner.slots, strict=False):
            if not old.aval.stop and new.aval.stop and old.aval.shape == new.aval.shape:
                new.aval = dataclasses.replace(new.aval, stop=False)


@contextlib.contextmanager
def _with_gradient(tensors: list[Tensor]) -> Iterator[None]:
    """Tensors that a round writes into have a gradient in the next one, though they have none before the loop."""
    held = [(t, t.node, t.index, t._stop_gradient) for t in tensors]
    for t in tensors:
        t.node, t.index, t._stop_gradient = Node(None, (), (wrap(None, False),), 1, _pass_on), 0, False
    try:
        yield
    finally:
        for t, *fields in held:
            t.node, t.index, t._stop_gradient = fields


def _pass_on(given: Any, cotangents: Any) -> Any:
    return cotangents


def _unstable(what: str, planner: Planner) -> ConversionError:
    return ConversionError(
        f"A loop that a tensor decides changes {what} in shape or structure from round to round, which a program "
        f"cannot express.{at_user_line()}\n{_mend(planner)}")


def _mend(planner: Planner) -> str:
    if planner.grows:
        return "Say how many rounds there are at most: `with paddle.jit.loop_bound(n):` around the loop."
    return "Give it its final shape before the loop."


def staged_while(going: Any, test: Callable, body: Callable, variables: Variables, bound: int | None = None) -> Outcome:
    """The loop as one operation: ``while going: outcome = body(); going = the outcome is None and test()``.

    bound: how many rounds there are at most, if that is certain.
    """
    loop = _Loop(test, body, variables, state.loop_bound if bound is None else bound, bound is not None)
    try:
        found = loop.settle()
    except ConversionError:
        raise
    except Exception:                           # the eager run raises it, if there is a round
        if going is True:
            raise
        v.bail_if(going)
        return None
    for place, _ in loop.places.values():       # after no round, each is what it was
        if isinstance(place, Attribute):
            loaded(place.owner, place.name)
    block, planner = found.block, found.planner
    slots = planner.slots
    operands = Operands([block])
    note_operands(slots, operands)
    cell_places = [operands.cell(s) for s in loop.cells]
    n = len(slots)
    flag = going if isinstance(going, Tensor) else wrap(jax.numpy.asarray(True))
    sources = [flag, *operands.sources]
    wanted = not all(s.aval.stop for s in slots) or bool(block.owners)
    differentiable = wanted and any(
        isinstance(t, Tensor) and not t._stop_gradient and is_inexact(t.storage.array) for t in sources)

    def run(first: Any, *arrays: Any) -> tuple:
        start = (first, *fill(slots, 0, (), {}, arrays), *(arrays[k] for k in cell_places))

        def round_(now: tuple, arrays: tuple) -> tuple:
            outs, cells = operands.run(block, arrays, now[1:])
            kept = zip(loop.cells, now[1 + n:], strict=True)
            return (outs[found.going], *fill(slots, 1, outs, cells, arrays), *(cells.get(s, old) for s, old in kept))

        return while_loop(round_, start, arrays, differentiable)[1:]

    outs = stage(run, "while_loop", sources)
    write_cells(loop.cells, outs[n:], [block])
    filled = planner.filled(outs[:n])
    built = [build(p, filled) for p in found.plans]
    m = len(loop.start)
    variables.put(built[:m])
    note_copies(found.plans[:m], loop.start, built)
    for (place, _), new in zip(loop.places.values(), built[m + 2:], strict=True):
        write(place, new)
    return outcome_of(built[m], built[m + 1], found.codes)


