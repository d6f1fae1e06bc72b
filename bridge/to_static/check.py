"""`jit.check`: a function run eagerly and converted, from the same state, and everything that came of it compared."""
from __future__ import annotations

import contextlib
import dataclasses
import io
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import numpy as np

from kayax.bridge import rng
from kayax.bridge.autograd import grad as gradients_of
from kayax.bridge.call import is_inexact
from kayax.bridge.cells import Leaked
from kayax.bridge.errors import ConversionError
from kayax.bridge.state import state
from kayax.bridge.tensor import Tensor
from kayax.bridge.to_static.api import to_static
from kayax.bridge.to_static.difference import Comparison, equal_text
from kayax.bridge.to_static.static_function import StaticFunction, Switch
from kayax.bridge.to_static.world import World

_MOST = 8               # differences that a message lists


class Mismatch(AssertionError):
    """A converted function did something else than the function run eagerly."""


@dataclasses.dataclass
class Report:
    """What `check` compared, and how far apart the two runs were. `result` is what the (first) call returned."""

    name: str
    calls: int
    result: Any = None
    outputs: int = 0                    # tensors among what was returned
    gradients: int = 0                  # tensors whose gradients were compared
    cells: int = 0                      # tensors and other cells whose values were compared
    printed: bool = False
    raised: type | None = None          # the exception's, by both runs
    largest: float = 0.0                # the largest absolute difference between two inexact values
    programs: int = 0                   # that the function has now
    fell_back: bool = False             # the converted run ran eagerly
    warnings: list[str] = dataclasses.field(default_factory=list)       # of the converted run: why it fell back
    notes: list[str] = dataclasses.field(default_factory=list)

    def __repr__(self) -> str:
        head = f"{self.name}: converted and eager agree"
        if self.raised is not None:
            return f"{head}, both raise {self.raised.__name__}"
        parts = [_count(self.calls, "call"), _count(self.outputs, "output"), _count(self.gradients, "gradient"),
                 _count(self.cells, "cell"), *(["printed text"] if self.printed else [])]
        text = f"{head} in {', '.join(parts)}; largest difference {self.largest:.2g}; "
        text += "it fell back to eager" if self.fell_back else _count(self.programs, "program")
        return "\n  ".join([text, *(" ".join(w.split("\n")[:2]) for w in self.warnings)])


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def check(fn: Any, *args: Any, rtol: float | None = None, atol: float | None = None, grad: bool = True,
          full_graph: bool | None = None, calls: int = 2, **kwargs: Any) -> Report:
    """Run `fn(*args, **kwargs)` converted and eagerly from the same state, and raise `Mismatch` where they differ.

    fn: a function, bound method, Layer or training step, converted already or not. A converted one keeps the programs
        made here.
    rtol, atol: how far inexact values may be apart; by default what their dtype allows.
    grad: whether to compare gradients too: of the sum of the outputs that want one, to all leaves within reach.
    full_graph: in place of what `fn` was converted with.
    calls: how often each run calls `fn`, one call after another, to catch what a program would do only once.

    Compared are the returned structure (types, values, dtypes, `stop_gradient`), gradients and what is left in `.grad`,
    all that the function can reach afterwards (its arguments, what it closes over, globals that it names, objects,
    layers and optimizers among these, class attributes, random states), printed text, and the type of an exception.
    A difference that no program can avoid is noted in the report only: zeros where eager computes no gradient, a Tensor
    for a number or `stop_gradient=False` where a path that was not taken gives that. Afterwards everything is as one
    call of `fn` leaves it; after a Mismatch, as it was before. A `ConversionError` that eager does not raise is raised.
    """
    if state.trace is not None:
        raise ConversionError("check runs functions eagerly and converted: call it outside of converted functions.")
    if calls < 1:
        raise ValueError(f"check needs at least one call, but got calls={calls}.")
    name = getattr(fn, "__qualname__", None) or type(fn).__name__
    with _converted(fn, full_graph) as static:
        roots = [("the function", fn), *((f"argument {i}", a) for i, a in enumerate(args)),
                 *((f"argument `{k}`", v) for k, v in kwargs.items()), ("the random state", rng.default_generator())]
        before = World([*roots, ("the function", static)])
        leaves = [(path, t) for path, t in before.tensors() if not t._stop_gradient and _has_values(t)]
        try:
            converted = _Run(static, args, kwargs, roots, leaves if grad else [], calls, True)
            programs, fell_back = _programs(static)
            before.restore()
            eager = _Run(fn, args, kwargs, roots, leaves if grad else [], calls, False)
            report = _compare(name, eager, converted, rtol, atol)
        except BaseException:
            before.restore()
            raise
        (converted if report.raised is None else eager).calls[0].world.restore()
        report.result = converted.calls[0].result
        report.programs = programs
        report.fell_back = report.raised is None and fell_back
    sys.stdout.write(eager.calls[0].text)
    return report


def _has_values(tensor: Tensor) -> bool:
    array = tensor.storage._array
    return not isinstance(array, Leaked) and is_inexact(array)


# ---- what runs -------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _converted(fn: Any, full_graph: bool | None) -> Iterator[Any]:
    """What runs `fn` converted. A Layer is converted for as long as the check takes."""
    if hasattr(fn, "named_sublayers") and not isinstance(fn, type):
        own = fn.__dict__.get("forward")
        fn.__dict__["forward"] = _static(fn.forward, full_graph)
        try:
            yield fn
        finally:
            if own is None:
                del fn.__dict__["forward"]
            else:
                fn.__dict__["forward"] = own
        return
    yield _static(fn, full_graph)


def _static(fn: Any, full_graph: bool | None) -> Any:
    if not isinstance(fn, StaticFunction):
        return to_static(fn, full_graph=bool(full_graph))
    if full_graph is None or fn._full_graph == full_graph:
        return fn
    other = fn._copy(fn.__self__)
    other._full_graph = full_graph
    return other


def _programs(converted: Any) -> tuple[int, bool]:
    """How many programs a converted function has, and whether some calls of it fell back."""
    static = converted if isinstance(converted, StaticFunction) else getattr(converted, "forward", None)
    if not isinstance(static, StaticFunction):
        return 0, True
    made = sum(map(len, static.programs.values()))
    return made, not made or bool(static.fallbacks)


class _Call:
    """What one call came to: its result or exception, gradients, printed text, and the state that it left."""

    def __init__(self, fn: Callable, args: tuple, kwargs: dict[str, Any], roots: Sequence[tuple[str, Any]],
                 leaves: Sequence[tuple[str, Tensor]]):
        self.result: Any = None
        self.raised: Exception | None = None
        self.no_gradient: Exception | None = None
        self.gradients: list[Any] = []
        self.roots = roots
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            try:
                self.result = fn(*args, **kwargs)
            except Exception as error:
                self.raised = error
            jax.effects_barrier()
        self.text = out.getvalue()
        self.world = World([*roots, ("the result", self.result)])
        if self.raised is None and leaves:
            self.gradients = self._gradients([t for _, t in leaves])
            self.world.restore()

    def _gradients(self, leaves: list[Tensor]) -> list[Any]:
        """Of the sum of the returned tensors that want one, to each leaf: arrays, None for none."""
        returned = _returned(self.result)
        wanting = [t for t in returned if not t._stop_gradient and _has_values(t)
                   and not (t.node is not None and t.node.freed)]
        if not wanting:
            return [None] * len(leaves)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                found = gradients_of(wanting, leaves, retain_graph=True, allow_unused=True)
        except Exception as error:                              # such as of a value overwritten that it needs
            self.no_gradient = error
            return [None] * len(leaves)
        return [g.storage._array if isinstance(g, Tensor) else None for g in found]


def _returned(value: Any) -> list[Tensor]:
    """The tensors at every place of a returned structure: one that is there twice counts twice."""
    found: list[Tensor] = []
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, Tensor):
            found.append(item)
        elif isinstance(item, (list, tuple)):
            stack += reversed(item)
        elif isinstance(item, dict):
            stack += reversed(list(item.values()))
        elif dataclasses.is_dataclass(item) and not isinstance(item, type):
            stack += [getattr(item, f.name) for f in dataclasses.fields(item)]
    return found


class _Run:
    """The calls of one run, eager or converted."""

    def __init__(self, fn: Any, args: tuple, kwargs: dict[str, Any], roots: Sequence[tuple[str, Any]],
                 leaves: Sequence[tuple[str, Tensor]], calls: int, convert: bool):
        self.leaves = leaves
        self.calls: list[_Call] = []
        held, Switch.on = Switch.on, convert
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                for _ in range(calls):
                    self.calls.append(_Call(fn, args, kwargs, roots, leaves))
                    if self.calls[-1].raised is not None:
                        break
        finally:
            Switch.on = held
        self.warnings = [str(w.message) for w in caught]


# ---- comparing -------------------------------------------------------------------------------------------------


def _compare(name: str, eager: _Run, converted: _Run, rtol: float | None, atol: float | None) -> Report:
    report = Report(name, len(eager.calls), warnings=[w for w in converted.warnings if w not in eager.warnings])
    for i, (a, b) in enumerate(zip(eager.calls, converted.calls, strict=False)):
        if a.raised is not None or b.raised is not None:
            _same_error(name, i, a.raised, b.raised)
            report.raised = type(a.raised or b.raised)
            return report
        _same_error(f"{name} (its gradient)", i, a.no_gradient, b.no_gradient)
        comparison = Comparison(a.world, b.world, rtol, atol)
        comparison.compare("the result", a.result, b.result)
        comparison.noise = max([float(np.max(np.abs(np.nan_to_num(g, posinf=0, neginf=0)), initial=0))
                                for g in a.gradients if g is not None], default=0.0)
        for (path, _), x, y in zip(eager.leaves, a.gradients, b.gradients, strict=True):
            comparison.gradients(f"the gradient to {path}", x, y)
            report.gradients += x is not None
        comparison.noise = 0.0
        for path, value in a.roots:
            comparison.compare(path, value, value)
        comparison.note_sharing()
        comparison.found += [f"{whose} random state: the function draws numbers from it, which a program does only "
                             "when it is made." for whose in a.world.other_draws(b.world)]
        if not equal_text(a.text, b.text, rtol or 1e-5):
            comparison.found.append(f"the printed text: the eager run prints {a.text!r}, the converted run {b.text!r}.")
        if comparison.found:
            raise Mismatch(_message(name, i, len(eager.calls), comparison.found))
        report.outputs += len(_returned(a.result))
        report.cells += comparison.cells
        report.largest = max(report.largest, comparison.largest)
        report.printed |= bool(a.text)
        report.notes += [n for n in comparison.notes if n not in report.notes]
    return report


def _message(name: str, call: int, calls: int, found: list[str]) -> str:
    when = f" in call {call + 1} of {calls}" if calls > 1 else ""
    more = [f"... and {len(found) - _MOST} more."] if len(found) > _MOST else []
    return "\n  ".join([f"The converted run of {name} differs from the eager run{when}:", *found[:_MOST], *more])


def _same_error(name: str, call: int, a: Exception | None, b: Exception | None) -> None:
    if type(a) is type(b):
        return
    if a is None and isinstance(b, ConversionError):
        raise b
    said = ["returns" if e is None else f"raises {type(e).__name__}: {e}" for e in (a, b)]
    raise Mismatch(f"The converted run of {name} differs from the eager run in call {call + 1}:\n"
                   f"  the eager run {said[0]}\n  the converted run {said[1]}") from (b or a)
