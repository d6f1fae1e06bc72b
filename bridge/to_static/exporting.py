"""Programs that leave the process: a function exported as bytes with its gradient, and such bytes as a function again.

Three programs are written: `predict`, and, if a gradient may be asked for, `forward` (with residuals as more outputs)
and `backward` (from residuals and cotangents to gradients). Together they make one differentiable JAX function.
"""
from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import numpy as np
from jax import export

from kayax.bridge.call import Call, Saving, is_inexact
from kayax.bridge.cells import Storage
from kayax.bridge.errors import ConversionError
from kayax.bridge.functionalize import INPUT, NEW, Abstract, Functionalized
from kayax.bridge.journal import journal
from kayax.bridge.state import portable
from kayax.bridge.to_static import kept
from kayax.bridge.to_static.operators.values import settled
from kayax.bridge.trace import Rolls
from kayax.spec.constraints import Constraint, symbolic_forms
from kayax.spec.input_spec import InputSpec

PLATFORMS = ("cpu", "cuda", "rocm", "tpu")
_PROGRAMS = ({"predict"}, {"predict", "forward", "backward"})


def symbolic_shapes(specs: Sequence[InputSpec], constraints: Sequence[Constraint] = ()) -> list[tuple]:
    """The shapes with their open dims as symbols: equal names are one symbol, each None is a symbol of its own.

    Raises ValueError if JAX cannot use a constraint.
    """
    try:
        scope = export.SymbolicScope(symbolic_forms(constraints))
    except ValueError as error:
        reason = str(error).split(chr(10))[0]
        raise ValueError(f"The constraints {[c.text for c in constraints]} contradict each other, or cannot be used: "
                         f"{reason}") from None
    shapes = []
    for i, spec in enumerate(specs):
        dims = []
        for j, dim in enumerate(spec.shape):
            if isinstance(dim, str):
                dims.append(dim)
            elif dim is None or dim < 0:
                dims.append(f"_d{i}_{j}")
            else:
                dims.append(str(dim))
        shapes.append(tuple(export.symbolic_shape(", ".join(dims), scope=scope)) if dims else ())
    return shapes


class Exported:
    """A function exported for one set of input specs.

    programs: "predict", and if differentiable "forward" and "backward", as bytes. cells: the storages whose arrays
    follow the inputs; the last `n_written` of them get new values from the last outputs. wanted: which arrays have
    a gradient.
    """

    def __init__(self, body: Callable, specs: Sequence[InputSpec], name: str, trainable: bool,
                 constraints: Sequence[Constraint] = ()):
        self.name = name
        with portable():
            self._export(body, specs, trainable, constraints)

    def _export(self, body: Callable, specs: Sequence[InputSpec], trainable: bool,
                constraints: Sequence[Constraint]) -> None:
        shapes = symbolic_shapes(specs, constraints)
        dtypes = [s.dtype.numpy if s.dtype is not None else np.dtype("float32") for s in specs]
        examples = [Abstract(shape, d, d.kind not in "fcV") for shape, d in zip(shapes, dtypes, strict=True)]

        def whole(inputs: list) -> Any:
            with journal() as notes:
                try:
                    out = settled(body(inputs))
                except Exception:
                    notes.undo()
                    raise
                kept.take()                     # what is left in attributes is no output of a saved function
            return out

        self.fact = fact = _functionalized(whole, examples)
        self._check(fact)
        self.cells: list[Storage] = [*fact.reads, *fact.writes]
        self.n_inputs, self.n_written = len(specs), len(fact.writes)
        avals = [jax.ShapeDtypeStruct(s, d) for s, d in zip(shapes, dtypes, strict=True)]
        avals += [jax.ShapeDtypeStruct(c._array.shape, c._array.dtype) for c in self.cells]
        self.reads_training = any(g.label.endswith(".training") for g in fact.guards)
        self.out_stops = [self._stops(o, examples) for o in fact.outs]
        with portable(choices=True):
            self.programs = {"predict": _to_bytes(jax.jit(self._flat), avals)}
        captured = {t.storage for t in fact.captured}
        self.wanted = [not e._stop_gradient for e in examples]
        self.wanted += [c in captured and is_inexact(c._array) for c in self.cells]
        self.differentiable = trainable and not all(self.out_stops) and any(self.wanted)
        if self.differentiable:
            self._export_gradient(avals)

    def _check(self, fact: Functionalized) -> None:
        if fact.written_inputs or fact.input_grads or fact.set_grads or fact.grad_changes:
            raise ConversionError(f"`{self.name}` changes its inputs or the gradients of tensors. A saved function can "
                                  "only compute outputs from inputs and update buffers: save forward alone.")

    @staticmethod
    def _stops(out: tuple, examples: Sequence[Abstract]) -> bool:
        """Whether no gradient goes into this output."""
        kind, where, *_ = out
        if kind is NEW:
            return bool(where)
        return examples[where]._stop_gradient if kind is INPUT else where._stop_gradient

    def _flat(self, *arrays: Any) -> tuple:
        n, m = self.n_inputs, len(arrays) - self.n_written
        outputs, new = self.fact.pure(arrays[:n], arrays[n:m], arrays[m:])
        return (*self._all_outputs(arrays[:n], arrays[n:], outputs), *new)

    def _all_outputs(self, inputs: Sequence[Any], cells: Sequence[Any], outputs: Sequence[Any]) -> list[Any]:
        """An array for every output; one that is an input or a parameter itself is passed through."""
        found = []
        for kind, *rest in self.fact.outs:
            if kind is NEW:
                found.append(outputs[rest[1]])
            elif kind is INPUT:
                found.append(inputs[rest[0]])
            else:
                storage = rest[0].storage
                found.append(cells[self.cells.index(storage)] if storage in self.cells else storage._array)
        return found

    def _export_gradient(self, avals: list[Any]) -> None:
        saving = Saving(self._flat, tuple(self.wanted))
        self.programs["forward"] = _to_bytes(saving.forward, avals)
        outs, residuals = jax.eval_shape(saving.forward, *avals)
        used = {i for i in saving.source if i is not None}
        # Residuals may show open sizes only in products (batch * seq): the inputs tell them apart.
        used |= {i for i, aval in enumerate(avals[:self.n_inputs]) if any(type(d) is not int for d in aval.shape)}
        sources = sorted(used)
        given = tuple(is_inexact(o) and i < len(self.out_stops) and not self.out_stops[i] for i, o in enumerate(outs))
        cotangents = [jax.ShapeDtypeStruct(o.shape, o.dtype) for o, g in zip(outs, given, strict=True) if g]

        def backward(residuals: list, inputs: list, cotangents: list) -> tuple:
            return saving._run_backward(given, residuals, dict(zip(sources, inputs, strict=True)), cotangents)

        self.sources, self.given = sources, list(given)
        self.programs["backward"] = _to_bytes(jax.jit(backward, keep_unused=True), residuals,
                                              [avals[i] for i in sources], cotangents, star=False)


def _functionalized(body: Callable, examples: list[Abstract]) -> Functionalized:
    """The function as a pure one; its long loops are loops of the program, if they can be."""
    rolls = Rolls()
    try:
        return Functionalized(body, examples, rolls=rolls)
    except ConversionError:
        if not rolls.used:
            raise
    return Functionalized(body, examples)


def _to_bytes(function: Any, *args: Any, star: bool = True) -> bytes:
    """Lowered for every platform; for this machine's alone where some operation exists on no other."""
    arguments = args[0] if star else args
    with without_locations():
        try:
            exported = export.export(function, platforms=PLATFORMS)(*arguments)
        except NotImplementedError:
            exported = export.export(function)(*arguments)
    return bytes(exported.serialize())


@contextlib.contextmanager
def without_locations() -> Iterator[None]:
    """Programs exported inside do not name the lines of this machine's files that made them, and are smaller."""
    held = jax.config.values["jax_traceback_in_locations_limit"]
    jax.config.update("jax_traceback_in_locations_limit", 0)
    try:
        yield
    finally:
        jax.config.update("jax_traceback_in_locations_limit", held)


class ProgramError(ValueError):
    """The bytes of a program are no program."""


def _from_bytes(name: str, data: bytes | None) -> Any:
    if data is None:
        raise ProgramError(f"the program {name!r} is missing.")
    try:
        return export.deserialize(bytearray(data))
    except Exception as error:              # JAX's reader of flatbuffers raises whatever bad bytes lead it to
        reason = f"{type(error).__name__}: {str(error)[:200]}"
        raise ProgramError(f"the program {name!r} cannot be read ({reason}).") from None


class Imported:
    """An exported function read back: `call` runs it at the door, gradients included."""

    def __init__(self, programs: dict[str, bytes], name: str, wanted: Sequence[bool], sources: Sequence[int],
                 given: Sequence[bool]):
        self.exported = {k: _from_bytes(k, programs.get(k)) for k in programs.keys() | {"predict"}}
        self.wanted, self.sources, self.given = tuple(wanted), list(sources), tuple(given)
        predict = self.exported["predict"]
        if self.exported.keys() not in _PROGRAMS:
            raise ProgramError(f"the programs are {sorted(self.exported)} instead of {[sorted(p) for p in _PROGRAMS]}.")
        if "forward" in self.exported:
            self._gradient = _once(self.exported["backward"].call, name)
            fn: Any = jax.custom_vjp(lambda *arrays: tuple(predict.call(*arrays)))
            fn.defvjp(self._forward, self._backward)
        else:
            fn = functools.partial(_without_gradient, predict, name)
        self.call = Call(fn, name, residuals="forward" in self.exported)

    def _forward(self, *arrays: Any) -> tuple[tuple, tuple]:
        outs, residuals = self.exported["forward"].call(*arrays)
        return tuple(outs), (residuals, [arrays[i] for i in self.sources])

    def _backward(self, saved: tuple, cotangents: tuple) -> tuple:
        residuals, inputs = saved
        present = [c for c, g in zip(cotangents, self.given, strict=True) if g]
        rest = iter(self._gradient(residuals, inputs, present))
        return tuple(next(rest) if w else None for w in self.wanted)


def _once(backward: Callable, name: str) -> Callable:
    """The gradient program, with an error in the user's terms when it would have to be differentiated itself."""
    once = jax.custom_vjp(lambda *arguments: backward(*arguments))

    def refuse(*_: Any) -> Any:
        raise ConversionError(f"`{name}` is a saved model, and its file has the first gradient alone: a gradient of "
                              "its gradient (create_graph=True) needs the original model.")

    once.defvjp(lambda *arguments: (backward(*arguments), None), refuse)
    return once


def _without_gradient(predict: Any, name: str, *arrays: Any) -> tuple:
    return tuple(predict.call(*jax.lax.stop_gradient(arrays)))
