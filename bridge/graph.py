"""Static graphs: calls that are noted instead of run, and run later on the same Tensors, filled with values.

While a graph is being built, a Tensor holds a `Symbol`, a value's shape and dtype alone. Every operation, and every
function marked `staged`, is noted as an `Instruction` with its arguments; it is run once over abstract values to learn
the shapes of its results. To run the graph, each symbolic Tensor is filled with its value while the instructions are
called again: so closures, in-place operations, writes to buffers and gradients mean what they mean eagerly, and the
whole is converted like any function.
"""
from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable, Container, Iterable, Sequence
from typing import Any, ClassVar

import jax.numpy as jnp

from kayax.bridge import autograd
from kayax.bridge.cells import Storage
from kayax.bridge.checked import check_choice, check_noted, check_test
from kayax.bridge.convert import as_tensor
from kayax.bridge.examined import examine, put, sizes_known, symbols_kept, tensors_in
from kayax.bridge.staging import suspended
from kayax.bridge.state import state
from kayax.bridge.symbols import (
    Symbol,
    Variable,
    closed,
    dims_in,
    is_new,
    is_symbolic,
    measure,
    plain_values,
    sizes_of,
    variable,
)
from kayax.bridge.tensor import Tensor, wrap
from kayax.spec import tree


class Instruction:
    """A call that was noted: the function and its arguments, the Tensors that hold its results, what it reads."""

    __slots__ = ("fn", "args", "kwargs", "outs", "declared", "stops", "reads", "writes", "effect", "grad_enabled",
                 "amp", "dims")

    def __init__(self, fn: Callable, args: Any, kwargs: dict[str, Any], outs: list[Any], reads: list[Storage],
                 effect: bool, written: Iterable[Storage] = ()):
        self.fn, self.args, self.kwargs, self.outs, self.reads, self.effect = fn, args, kwargs, outs, reads, effect
        self.writes = {*written, *(t.storage for t in outs)}
        self.declared, self.stops = [t.storage._array for t in outs], [t._stop_gradient for t in outs]
        self.grad_enabled, self.amp = state.grad_enabled, state.amp
        self.dims = dims_in((args, kwargs))

    def run(self) -> None:
        """Call it, and fill the Tensors of its results."""
        args, kwargs, sizes = self.args, self.kwargs, state.sizes
        if self.dims and sizes:
            args, kwargs = closed((args, kwargs), sizes)
        held = state.grad_enabled, state.amp
        state.grad_enabled, state.amp = self.grad_enabled, self.amp
        try:
            out = self.fn(*args, **kwargs)
        finally:
            state.grad_enabled, state.amp = held
        for tensor, symbol, stop, value in zip(self.outs, self.declared, self.stops, tensors_in(out), strict=True):
            if tensor is not value and is_symbolic(tensor):
                if sizes:
                    measure(symbol, value.storage.array, sizes, self.fn)
                if tensor._stop_gradient == stop:               # the user has not set it
                    tensor._stop_gradient = value._stop_gradient
                put(tensor, value)

    def for_test(self) -> Instruction | None:
        """The same in evaluation mode; None for what only training does."""
        if self.fn in (_gradients, _apply):
            return None
        if any(isinstance(v, Block) for v in plain_values((self.args, self.kwargs))):
            args, kwargs = each_block((self.args, self.kwargs), Block.for_test)
            return Instruction(self.fn, args, kwargs, self.outs, self.reads, self.effect, self.writes)
        signature = getattr(self.fn, "signature", None) or inspect.signature(self.fn)
        names = [n for n in ("training", "is_test") if n in signature.parameters]
        if not names:
            return self
        bound = signature.bind(*self.args, **self.kwargs)
        bound.arguments.update({n: n == "is_test" for n in names})
        new = Instruction(self.fn, bound.args, bound.kwargs, self.outs, self.reads, self.effect, self.writes)
        new.grad_enabled, new.amp = False, self.amp
        return new


class Graph:
    """Instructions in the order in which they were noted.

    values: those of parameters by name. Parameters of one name are one in a graph, and share their value among graphs.
    """

    values: ClassVar[weakref.WeakValueDictionary[str, Storage]] = weakref.WeakValueDictionary()

    def __init__(self) -> None:
        self.instructions: list[Instruction] = []
        self.data: dict[str, Variable] = {}
        self.persistable: dict[Tensor, None] = {}               # parameters and buffers, in the order of their use
        self.replaced: dict[Storage, str] = {}                  # inputs whose names others have since
        self.measured: dict[str, Storage] = {}                  # where the size of an open dim of no input is found
        self.created: list[tuple[Tensor, Callable]] = []        # parameters made for it, with what sets their values
        self.shared: list[tuple[Tensor, Callable]] = []         # of these, those that another graph made first
        self.outer: Graph | None = None
        self.arguments: list[Tensor] = []                       # of the function that this is the graph of

    def inner(self, arguments: list[Tensor]) -> Graph:
        """A graph within this one."""
        new = Graph()
        new.data, new.persistable, new.measured, new.created = self.data, self.persistable, self.measured, self.created
        new.shared, new.outer, new.arguments = self.shared, self, arguments
        return new

    def parameter(self, name: str) -> Tensor | None:
        """The parameter of this graph with this name."""
        return next((p for p, _ in self.created if p.name == name), None)

    def adopt(self, parameter: Tensor, initialize: Callable) -> bool:
        """Take a parameter that was made for this graph; whether it shares its value with one of another graph."""
        self.created.append((parameter, initialize))
        array = parameter.storage.array
        other = Graph.values.setdefault(parameter.name, parameter.storage)
        if other is parameter.storage or (other.array.shape, other.array.dtype) != (array.shape, array.dtype):
            Graph.values[parameter.name] = parameter.storage
            return False
        parameter.storage = other
        self.shared.append((parameter, initialize))
        return True

    def noted(self, fn: Callable, args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
        """The arguments with a Block for each function in them: of the variables of a loop, or of nothing."""
        bound = inspect.signature(fn).bind(*args, **kwargs)
        if isinstance(bound.arguments.get("loop_vars"), (list, tuple)):
            bound.arguments["loop_vars"] = [_as_tensors(v) for v in bound.arguments["loop_vars"]]
        given = bound.arguments.get("loop_vars", ())
        check_choice(bound.arguments)
        found = each_block((bound.args, bound.kwargs), lambda function: Block(self, function, given))
        if "loop_vars" in bound.arguments and isinstance(found[0][0], Block):
            check_test(found[0][0].outs)
        return found

    def record(self, fn: Callable, args: tuple, kwargs: dict[str, Any]) -> Any:
        """Note a call, and give what it would give: symbolic Tensors for its results."""
        check_noted(fn, args, kwargs)
        with suspended():
            seen = examine(fn, args, kwargs, self._symbols())
        outs = [leaf if isinstance(leaf, Tensor) else variable(*leaf) for leaf in seen.outs]
        held = [t for t in tensors_in((args, kwargs)) if not is_symbolic(t)]
        for tensor in (*held, *seen.captured):
            if tensor.persistable:
                self.persistable.setdefault(tensor)
        written = [t for t in (*held, *seen.captured) if t.storage in seen.writes and "constant" in t.__dict__]
        if any(self._set_anew(t) for t in written if not t.persistable):
            return self.record(fn, args, kwargs)
        reads = [s for s, used in zip(seen.storages, seen.used, strict=True) if used]
        reads += [t.storage for t in (*held, *seen.captured)]
        reads += [self.measured[d] for d in dims_in((args, kwargs)) if d in self.measured]
        effect = seen.effect or getattr(fn, "has_effect", False)
        self.instructions.append(Instruction(fn, args, kwargs, list(outs), reads, effect, seen.rewritten))
        for tensor, symbol, stop in seen.changed():
            tensor.storage._array = symbol
            tensor._stop_gradient = stop
        for tensor in outs:
            for name in filter(is_new, dims_in(list(tensor.storage._array.shape)) if is_symbolic(tensor) else ()):
                self.measured.setdefault(name, tensor.storage)
        return tree.unflatten(seen.spec, outs)

    def _set_anew(self, tensor: Tensor) -> bool:
        """Let a constant that is written be a variable, which each run starts with the same value."""
        root = self
        while root.outer is not None:
            root = root.outer
        array = tensor.storage._array
        tensor.__class__ = Variable
        tensor.storage._array = Symbol(array.shape, array.dtype)
        root.instructions.insert(0, Instruction(_constant, (array,), {}, [tensor], [], False))
        return True

    def gradients(self, targets: list[Tensor], inputs: list[Tensor], given: list[Any] | None,
                  no_grad: Sequence[Any] = ()) -> list[Any]:
        """Note the gradients of the targets with respect to the inputs; None where there is none."""
        reached = self._reaching(targets)
        chosen = [x for x in inputs if x.storage in reached]
        outs = {x: variable(x.storage.array.shape, x.storage.array.dtype, name=f"{x.name}@GRAD") for x in chosen}
        used = [t.storage for t in (*targets, *chosen, *(given or ())) if isinstance(t, Tensor)]
        for instruction in self.instructions:
            if instruction.fn is _gradients:                        # it may be differentiated again
                instruction.args[-1][0] = True
                for out in instruction.outs:
                    out._stop_gradient = False
        call = Instruction(_gradients, (targets, chosen, given, list(no_grad), [False]), {}, list(outs.values()), used,
                           False)
        self.instructions.append(call)
        return [outs.get(x) for x in inputs]

    def append_backward(self, loss: Tensor, parameters: Sequence[Any] | None = None,
                        no_grad: Sequence[Any] | None = None) -> list[tuple[Tensor, Any]]:
        """Note the gradients of a loss, and give the pairs (parameter, gradient)."""
        left_out = {getattr(p, "name", p) for p in no_grad or ()}
        chosen = [p for p in self.persistable if not p._stop_gradient] if parameters is None else [
            next(p for p in self.persistable if p.name == given) if isinstance(given, str) else given
            for given in parameters]
        chosen = [p for p in chosen if p.name not in left_out and not p._stop_gradient]
        found = self.gradients([loss], chosen, None)
        return [(p, g) for p, g in zip(chosen, found, strict=True) if g is not None]

    def apply(self, optimizer: Any, pairs: Sequence[tuple[Tensor, Any]]) -> None:
        """Note an optimizer's update with these gradients."""
        pairs = [(p, g) for p, g in pairs if g is not None]
        used = [g.storage for _, g in pairs]
        self.instructions.append(Instruction(_apply, (optimizer, pairs), {}, [], used, True))

    def optimizers(self) -> list[Any]:
        """The optimizers whose updates were noted."""
        return list({id(i.args[0]): i.args[0] for i in self.instructions if i.fn is _apply}.values())

    def _symbols(self) -> list[Tensor]:
        outer = () if self.outer is None else self.outer._symbols()
        return [*self.data.values(), *self.arguments, *(t for i in self.instructions for t in i.outs), *outer]

    def _reaching(self, targets: Sequence[Tensor]) -> set[Storage]:
        """The storages that the targets depend on."""
        found = {t.storage for t in targets}
        for instruction in reversed(self.instructions):
            if not instruction.writes.isdisjoint(found):
                found.update(instruction.reads)
        return found

    def needed(self, wanted: Sequence[Tensor]) -> list[Instruction]:
        """The instructions that these values depend on, and all that change something."""
        storages, chosen = {t.storage for t in wanted}, []
        for instruction in reversed(self.instructions):
            if instruction.effect or not instruction.writes.isdisjoint(storages):
                chosen.append(instruction)
                storages.update(instruction.reads)
        return chosen[::-1]

    def inputs(self, instructions: Sequence[Instruction], wanted: Sequence[Tensor],
               available: Container[str]) -> list[str]:
        """The names of the inputs that these instructions and values need.

        Of those in `available` also all that have an open dim which is computed with, so that a difference is seen.
        """
        read = {s for i in instructions for s in i.reads} | {v.storage for v in wanted}
        dims = {d for i in instructions for d in i.dims}
        found = []
        for name, tensor in self.data.items():
            mine = dims.intersection(tensor.__dict__["open_dims"])
            if tensor.storage in read or (mine and name in available):
                found.append(name)
        known = {d for name in found for d in self.data[name].__dict__["open_dims"]} | set(filter(is_new, dims))
        return found + [next(n for n, t in self.data.items() if d in t.__dict__["open_dims"]) for d in dims - known]

    def run(self, instructions: Sequence[Instruction], feeds: dict[str, Tensor],
            wanted: Sequence[Tensor]) -> list[Tensor]:
        """Run instructions on these inputs: eagerly, or inside a function that is being converted."""
        touched = [*(self.data[n] for n in feeds), *(t for i in instructions for t in i.outs if is_symbolic(t))]
        sizes = sizes_of([(self.data[n], v) for n, v in feeds.items()])
        with suspended(), symbols_kept(touched), sizes_known({"": 0, **sizes}):
            for name, value in feeds.items():
                put(self.data[name], value)
            for instruction in instructions:
                instruction.run()
            return [wrap(t.storage.array) for t in wanted]


# ---- functions as graphs of their own ----------------------------------------------------------------------------


class Block:
    """A function that was called once, while the graph was built, and noted: called again, it runs what was noted."""

    def __init__(self, graph: Graph, fn: Callable, given: Sequence[Any]):
        leaves, spec = tree.flatten(list(given), lambda v: isinstance(v, Tensor))
        inputs: list[Tensor] = [variable(t.array.shape, t.array.dtype, t._stop_gradient) for t in leaves]
        self.graph = state.graph = graph.inner(inputs)
        try:
            out = fn(*tree.unflatten(spec, inputs))
        finally:
            state.graph = graph
        self.outs, self.spec = tree.flatten(out, lambda v: isinstance(v, Tensor))

    def __call__(self, *args: Any) -> Any:
        instructions, inputs = self.graph.instructions, self.graph.arguments
        own = [*inputs, *(t for i in instructions for t in i.outs if is_symbolic(t))]
        with suspended(), symbols_kept(own):
            for tensor, value in zip(inputs, tensors_in(list(args)), strict=True):
                tensor._stop_gradient = value._stop_gradient
                put(tensor, value)
            for instruction in instructions:
                instruction.run()
            mine = set(map(id, own))
            outs = [wrap(t.storage.array, t._stop_gradient, t.node, t.index) if id(t) in mine else t for t in self.outs]
        return tree.unflatten(self.spec, outs)

    @classmethod
    def of(cls, graph: Graph, outs: list[Any], spec: tree.Spec) -> Block:
        """What this graph, an inner one, computes from its arguments."""
        made: Block = object.__new__(cls)
        made.graph, made.outs, made.spec = graph, outs, spec
        return made

    def for_test(self) -> Block:
        """The same in evaluation mode."""
        assert self.graph.outer is not None
        new = Block.of(self.graph.outer.inner(self.graph.arguments), self.outs, self.spec)
        new.graph.instructions = [i for i in (i.for_test() for i in self.graph.instructions) if i is not None]
        return new


def each_block(value: Any, made: Callable) -> Any:
    """Nested arguments with `made(function)` for each function in them."""
    if isinstance(value, dict):
        return {k: each_block(v, made) for k, v in value.items()}
    if type(value) in (list, tuple):
        return type(value)([each_block(v, made) for v in value])
    return made(value) if callable(value) and not isinstance(value, (type, Tensor)) else value


def _as_tensors(value: Any) -> Any:
    leaves, spec = tree.flatten(value, lambda v: isinstance(v, (Tensor, int, float, bool)))
    return tree.unflatten(spec, [as_tensor(v) for v in leaves])


# ---- gradients and updates, as they run -------------------------------------------------------------------------


def _constant(array: Any) -> Tensor:
    return wrap(array)


def _gradients(targets: list[Tensor], inputs: list[Tensor], given: list[Any] | None, no_grad: list[Any],
               again: list[bool]) -> list[Any]:
    found = autograd.grad(targets, inputs, given, retain_graph=True, create_graph=again[0], allow_unused=True,
                          no_grad_vars=no_grad or None)
    return [wrap(jnp.zeros_like(x.storage.array)) if g is None else g for x, g in zip(inputs, found, strict=True)]


def _apply(optimizer: Any, pairs: Sequence[tuple[Tensor, Tensor]]) -> None:
    with autograd.no_grad():
        optimizer.apply_gradients([(p, g.detach()) for p, g in pairs if not p.stop_gradient])


OWN = (_constant, _gradients, _apply)           # instructions that are no operations
