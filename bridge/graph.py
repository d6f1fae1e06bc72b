"""Static graphs: calls that are noted instead of run, and run later on the same Tensors, filled with values.

While a graph is being built, a Tensor holds a `Symbol`, a value's shape and dtype alone. Every operation, and every
function marked `staged`, is noted as an `Instruction` with its arguments; it is run once over abstract values to learn
the shapes of its results. To run the graph, each symbolic Tensor is filled with its value while the instructions are
called again: so closures, in-place operations, writes to buffers and gradients mean what they mean eagerly, and the
whole is converted like any function.
"""
from __future__ import annotations

import inspect
from collections.abc import Callable, Container, Iterable, Sequence
from typing import Any

import jax.numpy as jnp

from kayax.bridge import autograd
from kayax.bridge.cells import Storage
from kayax.bridge.examined import examine, put, symbols_kept, tensors_in
from kayax.bridge.staging import suspended
from kayax.bridge.state import state
from kayax.bridge.symbols import Variable, closed, dims_in, is_new, is_symbolic, measure, sizes_of, variable
from kayax.bridge.tensor import Tensor, wrap
from kayax.spec import tree


class Instruction:
    """A call that was noted: the function and its arguments, the Tensors that hold its results, what it reads."""

    __slots__ = ("fn", "args", "kwargs", "outs", "declared", "reads", "writes", "effect", "grad_enabled", "amp",
                 "dims")

    def __init__(self, fn: Callable, args: Any, kwargs: dict[str, Any], outs: list[Any], reads: list[Storage],
                 effect: bool, written: Iterable[Storage] = ()):
        self.fn, self.args, self.kwargs, self.outs, self.reads, self.effect = fn, args, kwargs, outs, reads, effect
        self.writes = {*written, *(t.storage for t in outs)}
        self.declared = [t.storage._array for t in outs]
        self.grad_enabled, self.amp = state.grad_enabled, state.amp
        self.dims = dims_in((args, kwargs))

    def run(self, sizes: dict[str, Any]) -> None:
        """Call it, and fill the Tensors of its results."""
        args, kwargs = self.args, self.kwargs
        if self.dims:
            args, kwargs = closed((args, kwargs), sizes)
        held = state.grad_enabled, state.amp
        state.grad_enabled, state.amp = self.grad_enabled, self.amp
        try:
            out = self.fn(*args, **kwargs)
        finally:
            state.grad_enabled, state.amp = held
        for tensor, symbol, value in zip(self.outs, self.declared, tensors_in(out), strict=True):
            if tensor is not value and is_symbolic(tensor):
                measure(symbol, value.storage.array, sizes, self.fn)
                put(tensor, value)

    def for_test(self) -> Instruction | None:
        """The same in evaluation mode; None for what only training does."""
        if self.fn in (_gradients, _apply):
            return None
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
    """Instructions in the order in which they were noted."""

    def __init__(self) -> None:
        self.instructions: list[Instruction] = []
        self.data: dict[str, Variable] = {}
        self.persistable: dict[Tensor, None] = {}               # parameters and buffers, in the order of their use
        self.measured: dict[str, Storage] = {}                  # where the size of an open dim of no input is found
        self.created: list[tuple[Tensor, Callable]] = []        # parameters made for it, with what sets their values

    def record(self, fn: Callable, args: tuple, kwargs: dict[str, Any]) -> Any:
        """Note a call, and give what it would give: symbolic Tensors for its results."""
        with suspended():
            seen = examine(fn, args, kwargs, self._symbols())
        outs = [leaf if isinstance(leaf, Tensor) else variable(*leaf) for leaf in seen.outs]
        held = [t for t in tensors_in((args, kwargs)) if not is_symbolic(t)]
        for tensor in (*held, *seen.captured):
            if tensor.persistable:
                self.persistable.setdefault(tensor)
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
        return [*self.data.values(), *(t for i in self.instructions for t in i.outs)]

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
        with suspended(), symbols_kept(touched):
            for name, value in feeds.items():
                put(self.data[name], value)
            sizes = sizes_of([(self.data[n], v) for n, v in feeds.items()])
            for instruction in instructions:
                instruction.run(sizes)
            return [wrap(t.storage.array) for t in wanted]


# ---- gradients and updates, as they run -------------------------------------------------------------------------


def _gradients(targets: list[Tensor], inputs: list[Tensor], given: list[Any] | None, no_grad: list[Any],
               again: list[bool]) -> list[Any]:
    found = autograd.grad(targets, inputs, given, retain_graph=True, create_graph=again[0], allow_unused=True,
                          no_grad_vars=no_grad or None)
    return [wrap(jnp.zeros_like(x.storage.array)) if g is None else g for x, g in zip(inputs, found, strict=True)]


def _apply(optimizer: Any, pairs: Sequence[tuple[Tensor, Tensor]]) -> None:
    with autograd.no_grad():
        optimizer.apply_gradients([(p, g.detach()) for p, g in pairs if not p.stop_gradient])
