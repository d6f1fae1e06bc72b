"""A program: one function for one kind of arguments, compiled, with the cells that it reads and writes."""
from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from kayax.bridge import journal
from kayax.bridge.call import Call, Saving, is_inexact
from kayax.bridge.cells import owned
from kayax.bridge.errors import ConversionError
from kayax.bridge.facts import Guard
from kayax.bridge.forms import expanded
from kayax.bridge.functionalize import FREED, INPUT, NEW, OUTER, SAME, Functionalized
from kayax.bridge.state import Epoch, state
from kayax.bridge.tape import Arrays, Node, edge_of, run_hooks, walk
from kayax.bridge.tensor import Tensor, wrap
from kayax.bridge.to_static.fallback import untouched
from kayax.bridge.trace import EMPTY, HELD, ZERO, Rolls
from kayax.bridge.views import link
from kayax.spec import tree

_serials = itertools.count()

# Bytes that a program overwrites from which the next call waits for them, on CPU: a queue behind a program that takes
# milliseconds does not make it sooner, and its threads compete for the cores (1.15 times the time of an 8-layer MLP).
_LARGE = 1 << 20


class Bail(Exception):
    """The program gave up: nothing has changed, and the call has to be done eagerly."""


class Program:
    """The compiled form of ``body(tensors)`` for tensors like `examples`, run in the eager world.

    A call gathers the arrays of the inputs and of the cells, runs one XLA program, writes the cells back, and leaves
    one node on the tape if a gradient may be asked for.
    """

    def __init__(self, body: Callable, examples: Sequence[Tensor], name: str,
                 compiler_options: dict | None = None, made_for: str = "", rolls: Rolls | None = None):
        self.name, self.serial, self.made_for = name, next(_serials), made_for
        self.fact = fact = Functionalized(body, examples, can_bail=True, rolls=rolls)
        self.example: Any = None                # the arguments that it was made for, as InputSpecs
        self.has_effects = False                # it returns what it leaves in arguments' containers and attributes, too
        self.n_inputs, self.n_reads = len(examples), len(fact.reads)
        self.guards = [*fact.guards, Guard("shapes and dtypes of its tensors", self._cell_types, None)]
        self.names = fact.names
        self.grad_guards = list(fact.grad_guards.items())
        if not self._input_grads_hold(examples):
            raise ConversionError(
                "The function reads or clears the .grad of an argument that has a gradient or hooks already, which the "
                "program would not see.\nClear it before the call, or use paddle.grad(...) inside.")
        self.epoch = Epoch.value
        self.reads, self.writes = fact.reads, fact.writes
        self.guards[-1].value = self._cell_types()
        differentiable = [not t._stop_gradient and is_inexact(t.storage.array) for t in examples]
        self.records = state.grad_enabled and fact.has_differentiable and (bool(fact.captured) or any(differentiable))
        self._place_captured()
        self.bail = fact.bail
        self.simple = len(fact.outs) == 1 and fact.out_spec is tree.LEAF and fact.outs[0][-1] is False and not (
            fact.views or fact.written_inputs or fact.input_grads or fact.set_grads or fact.grad_changes or
            fact.flag_changes or fact.set_flags)
        self.options = compiler_options
        self.used_up = Node(Call(self._flat, name), (), (), 1)      # behind what backward() inside went back from
        self.used_up.free()
        self._compile(differentiable)

    def _cell_types(self) -> list[tuple]:
        return [(a.shape, a.dtype) for a in (s._array for s in (*self.reads, *self.writes))]

    def _place_captured(self) -> None:
        """For each cell whose Tensor wants a gradient: its place among the program's arrays."""
        base = self.n_inputs
        place = {s: base + i for i, s in enumerate((*self.reads, *self.writes))}
        self.captured = [(place[t.storage], t) for t in self.fact.captured if t.storage in place]

    def _compile(self, differentiable: list[bool]) -> None:
        first_written = self.n_inputs + self.n_reads
        self.waits = jax.default_backend() == "cpu" and sum(s._array.nbytes for s in self.writes) > _LARGE
        total = first_written + len(self.writes)
        if not self.records:
            self.run = jax.jit(self._grouped, donate_argnums=2, compiler_options=self.options)
            return
        # A second differentiation starts from what was there before: statistics and the like are kept for it.
        donate = tuple([i for i, s in enumerate(self.writes, first_written) if s._array.nbytes > _LARGE])
        captured = {i for i, _ in self.captured}
        self.wanted = tuple([i in captured or (i < self.n_inputs and differentiable[i]) for i in range(total)])
        self.call = Call(self._flat, self.name)
        self.saving = Saving(self._flat, self.wanted, donate, self.options)

    def _grouped(self, inputs: list, read: list, written: list) -> tuple[list, list]:
        return self._pure(inputs, read, written)

    def _flat(self, *arrays: Any) -> tuple:
        a, b = self.n_inputs, self.n_inputs + self.n_reads
        outputs, new = self._pure(arrays[:a], arrays[a:b], arrays[b:])
        return (*outputs, *new)

    def _pure(self, inputs: Sequence[Any], read: Sequence[Any], written: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """The function. Where JAX wants it once more later (a second derivative), it leaves nothing behind."""
        if journal.is_open():
            return self.fact.pure(inputs, read, written)
        with untouched(keep=False) as attempt:
            found = self.fact.pure(inputs, read, written)
        if attempt.error is not None:
            raise attempt.error
        return found

    # ---- whether it applies ----------------------------------------------------------------------------------

    def _input_grads_hold(self, tensors: Sequence[Tensor]) -> bool:
        for i, kind in self.fact.input_grad_guards:
            tensor = tensors[i]
            if not _grad_is(tensor._grad, kind) or tensor._hooks or (tensor.node is not None and tensor.node.kept):
                return False
        return True

    def applies(self, tensors: Sequence[Tensor]) -> bool:
        """Whether every fact that the program was traced under still holds."""
        if self.fact.input_grad_guards and not self._input_grads_hold(tensors):
            return False
        for tensor, kind in self.grad_guards:
            if not _grad_is(tensor._grad, kind):
                return False
        for named in self.names:
            if not named.holds():
                return False
        if self.epoch == Epoch.value:
            return True
        if all([g.holds() for g in self.guards]):
            self.epoch = Epoch.value
            return True
        return False

    def broken(self) -> list[str]:
        """The facts that do not hold any more, in words."""
        labels = [f".grad of {t.name}" for t, kind in self.grad_guards if not _grad_is(t._grad, kind)]
        guards = self.guards[:-1] if labels else self.guards            # the types of a gradient that is gone are too
        labels += [n.label for n in self.names if not n.holds()]
        return labels + [g.label for g in guards if not g.holds()]

    # ---- running ---------------------------------------------------------------------------------------------

    def trace(self, tensors: Sequence[Tensor]) -> None:
        """Run the function into the program, before anything is computed; the first call goes on from there."""
        inputs = [t.storage._array for t in tensors]
        read, written = [s._array for s in self.reads], [s._array for s in self.writes]
        if self.records:
            self.saving.forward.trace(*inputs, *read, *written)
        else:
            self.run.trace(inputs, read, written)

    def __call__(self, tensors: Sequence[Tensor]) -> Any:
        inputs = [t.storage._array for t in tensors]
        read = [s._array for s in self.reads]
        written = owned([s._array for s in self.writes])
        if self.waits:
            written[0].block_until_ready()
        if self.records:
            return self._run_recorded(tensors, [*inputs, *read, *written])
        outputs, new = self.run(inputs, read, written)
        for storage, array in zip(self.writes, new, strict=True):
            storage._array = array
            storage.version += 1
        self._finish_run(outputs)
        if self.simple and self.fact.outs[0][0] is NEW:
            return self._stopped(outputs[0], self.fact.outs[0][1])
        return self._restore(tensors, outputs, None)

    def _finish_run(self, outputs: Sequence[Any]) -> None:
        bails = self.bail is not None and bool(outputs[self.bail])
        if self.fact.prints:
            jax.effects_barrier()
            printed = "".join(self.fact.printed)
            self.fact.printed.clear()
            if not bails:                       # otherwise the eager run prints it
                sys.stdout.write(printed)
        if bails:
            raise Bail
        if self.fact.modes:
            self.fact.put_modes()

    def _run_recorded(self, tensors: Sequence[Tensor], arrays: list[Any]) -> Any:
        edges: list[Any] = [None] * len(arrays)
        for i, tensor in enumerate(tensors):
            edges[i] = edge_of(tensor, arrays[i])
        for i, tensor in self.captured:
            edges[i] = (tensor.node, tensor.index) if tensor.node is not None else tensor
        flat, residuals = self.saving.forward(*arrays)
        n = len(flat) - len(self.writes)
        saving = self.saving
        for i in saving.donated:                # those arrays are gone
            arrays[i] = None

        def pullback(given: tuple[bool, ...], cotangents: Sequence[Any]) -> Sequence[Any]:
            return saving.backward(given, residuals, arrays, cotangents)

        storages = [t.storage for t in tensors] + [None] * (len(arrays) - len(tensors))
        for i, _, _ in self.fact.written_inputs:
            storages[i] = None                  # the node keeps the old array, which is the right one
        for i, tensor in self.captured:
            storages[i] = tensor.storage if i < self.n_inputs + self.n_reads else None
        node = Node(self.call, arrays, tuple(edges), len(flat), pullback, storages)
        for storage, array in zip(self.writes, flat[n:], strict=True):
            storage._array = array
            storage.version += 1
        self._finish_run(flat)
        for tensor in self.fact.rebound:
            tensor.node, tensor.index = node, n + self.writes.index(tensor.storage)
            tensor.stop_gradient = False
        if self.simple and self.fact.outs[0][0] is NEW:
            out = flat[0]
            stopped = self.fact.outs[0][1]
            return self._stopped(out, stopped) if stopped or not is_inexact(out) else wrap(out, False, node, 0)
        return self._restore(tensors, flat, node)

    def _stopped(self, array: Any, stopped: Any) -> Tensor:
        """A result that no gradient can be asked for."""
        return wrap(array, False, self.used_up) if stopped == FREED else wrap(array, stopped)

    def _restore(self, tensors: Sequence[Tensor], outputs: Sequence[Any], node: Node | None) -> Any:
        """What the function would have returned and done to its inputs and gradients, eagerly."""
        fact = self.fact

        def tensor_of(array: Any, stopped: bool, index: int) -> Tensor:
            if stopped or node is None or not is_inexact(array):
                return self._stopped(array, stopped)
            return wrap(array, False, node, index)

        edges = [edge_of(t, t.storage._array) for t in tensors] if fact.input_grads else ()    # before they are written
        for i, index, stopped in fact.written_inputs:
            new = tensor_of(outputs[index], stopped, index)
            tensor = tensors[i]
            _write(tensor, new)
            tensor.node, tensor.index, tensor._stop_gradient = new.node, new.index, new._stop_gradient
        for i, stopped in fact.flag_changes:
            tensors[i].stop_gradient = stopped
        for tensor, stopped in fact.set_flags.items():
            tensor.stop_gradient = stopped
        for i, index in fact.input_grads:
            _arrive(tensors[i], edges[i], outputs[index])
        for i, change in fact.set_grads:
            tensors[i]._grad = wrap(outputs[change], False) if isinstance(change, int) else change
        for tensor, change in fact.grad_changes:
            if tensor.node is not None:
                if isinstance(change, int):
                    _arrive(tensor, (tensor.node, tensor.index), outputs[change])
                continue
            tensor._grad = wrap(outputs[change], False) if isinstance(change, int) else change
        leaves = []
        for kind, *rest in fact.outs:
            if kind is NEW:
                stopped, index, number = rest
                array = outputs[index]
                leaves.append(np.asarray(array).item() if number else tensor_of(array, stopped, index))
            elif kind is INPUT:
                leaves.append(tensors[rest[0]])
            else:
                assert kind is OUTER
                leaves.append(rest[0])
        for i, (kind, source), steps in fact.views:
            if steps is SAME:
                leaves[i] = leaves[source]
            else:
                link(leaves[i], source if kind is OUTER else (tensors if kind is INPUT else leaves)[source], steps)
        if not fact.grown:
            return tree.unflatten(fact.out_spec, leaves)
        with tree.records():
            return expanded(tree.unflatten(fact.out_spec, leaves))


def _write(tensor: Tensor, new: Tensor) -> None:
    """Write what a program gives for an argument that its function wrote in place."""
    storage, array = tensor.storage, new.storage.array
    if (storage.is_view or storage.shared) and array.shape != storage.array.shape:
        raise RuntimeError("A converted function cannot change the shape of an argument that shares memory with "
                           "another tensor: pass a clone() of it.")
    if not (storage.is_view and storage.rebind(tensor, new)):
        storage.array = array


def _grad_is(grad: Any, kind: Any) -> bool:
    """Whether a `.grad` is what a program assumes of it."""
    if kind is EMPTY:
        return grad is None or grad is ZERO
    return grad is not None and grad is not ZERO if kind is HELD else grad is kind


def _arrive(tensor: Tensor, edge: Any, gradient: Any) -> None:
    """A gradient that backward() inside a program left: a leaf keeps it, through anything else it goes on."""
    if isinstance(edge, tuple):
        walk([edge], [gradient], retain_graph=False, create_graph=False)
    else:
        tensor._accumulate(run_hooks(tensor._hooks.values(), gradient, Arrays) if tensor._hooks else gradient)
