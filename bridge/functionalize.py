"""From a function of cells to a pure function: the one mechanism behind everything that is compiled.

`functionalize(body, examples)` runs `body` once over abstract values and notes which cells it reads and writes. What it
gives back is a pure function of arrays with the lists of those cells, to be jitted, differentiated, exported or staged.
"""
from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from kayax.bridge.cells import Storage, raw_array, root_of
from kayax.bridge.errors import ConversionError
from kayax.bridge.facts import Guard
from kayax.bridge.journal import modes_set
from kayax.bridge.layout import is_open, reshaped
from kayax.bridge.leaking import check_returned
from kayax.bridge.places import STORES
from kayax.bridge.series import mentions
from kayax.bridge.state import bump
from kayax.bridge.tape import Node
from kayax.bridge.tensor import Tensor, is_number, view, wrap
from kayax.bridge.trace import GradCell, Rolls, Trace
from kayax.bridge.views import chain_of
from kayax.spec import tree

NEW, INPUT, OUTER, SAME = "new", "input", "outer", "same"
FREED = "freed"             # in place of True: no gradient can be asked for, as backward() inside has used the graph up


@dataclasses.dataclass
class Abstract:
    """An input that has no value: its shape (perhaps symbolic), its dtype, and whether a gradient may be asked for."""

    shape: tuple
    dtype: Any
    _stop_gradient: bool = True


class Functionalized:
    """A pure function ``pure(inputs, read, written) -> (outputs, new values of the written cells)`` and its facts.

    reads, writes: the cells, in the order of the arrays. captured: outer tensors that a gradient may go to. guards:
    facts that must hold. `outs` and `out_spec` say how the outputs make up what the function returned. bail: with
    `can_bail`, the output that says that the results are void and the call has to be done eagerly (what Python does
    there, no program can: raise, or leave a variable unbound), or None; then the cells keep their old values. prints:
    whether it prints when it runs; `printed` is where the text goes, until it is known that the run counts.
    """

    def __init__(self, body: Callable[[list[Tensor]], Any], examples: Sequence[Any], can_bail: bool = False,
                 rolls: Rolls | None = None):
        self.body, self.can_bail, self.rolls = body, can_bail, rolls
        self.printed: list[str] = []
        self.rebound: list[Tensor] = []
        self.flags = [getattr(x, "_stop_gradient", True) for x in examples]
        self.computed = [not flag and getattr(x, "node", None) is not None
                         for flag, x in zip(self.flags, examples, strict=True)]
        storages = [getattr(x, "storage", x) for x in examples]
        self.aliases = [next(j for j, s in enumerate(storages) if s is storage) for storage in storages]
        self.roots = [root_of(s) if isinstance(s, Storage) else None for s in storages]
        sources = [x if isinstance(x, Abstract) else x.storage.array for x in examples]
        avals = [jax.ShapeDtypeStruct(x.shape, x.dtype) for x in sources]
        trace = Trace()
        jax.eval_shape(lambda arrays: self._run(trace, arrays)[0], avals)
        self.uses_tape = trace.used_tape
        self._check_shared(trace)
        self.writes = list(trace.writes)
        self.reads = [s for s in trace.reads if s not in trace.writes]
        self.captured = list(trace.captured)
        self.written_beside = trace.written_beside
        self.kept = list(trace.kept)
        self._leave_out_kept(trace)
        self._leave_out_modes(trace)
        # What the function changed itself is no longer a fact to hold it to. It may set a value for good, as a first
        # call does; one that it changes again when it is run again would have to change in every call.
        self.guards: list[Guard] = [g for g in trace.guards.values() if g.lasting or g.holds()]
        self.names = [n for n in trace.names.values() if n.holds()]
        self.changed: list[Any] = [g for g in trace.guards.values() if g not in self.guards]
        self.changed += [n for n in trace.names.values() if n not in self.names and n.is_plain()]
        for fact in self.changed:
            fact.renew()
        self.grad_guards = dict(trace.grad_guards)
        self.grad_cells: dict[Tensor, GradCell] = dict(trace.grad_cells)
        self.prints = trace.prints
        self.functions = list(trace.functions)
        self._check_captured()

    def _leave_out_kept(self, trace: Trace) -> None:
        """Attributes that every run leaves a tensor in, and none reads before, are no facts to hold the program to."""
        for place in self.kept:
            owner = id(place.owner)
            trace.guards.pop((owner, place.name), None)
            trace.names.pop((owner, place.name), None)
            for store in STORES:
                if (owner, store) in trace.guards:
                    trace.guards[owner, store].left_out.add(place.name)
            for named in trace.names.values():
                named.left_out.add((owner, place.name))

    def _leave_out_modes(self, trace: Trace) -> None:
        """Modes that the function sets are what they were: each call of the program sets them, in the end."""
        for place, old, _ in self.modes:
            guard = trace.guards.get((id(place.owner), "training"))
            if guard is not None and guard.value is not old:        # it was read after it was set
                del trace.guards[id(place.owner), "training"]

    def _check_captured(self) -> None:
        owners: dict[Storage, Tensor] = self.written_beside | {t.storage: t for t in self.rebound}
        for tensor in self.captured:
            if owners.setdefault(tensor.storage, tensor) is not tensor:
                raise ConversionError(
                    f"The function uses two tensors that share one storage and both want a gradient ({tensor.name} and "
                    f"{owners[tensor.storage].name}). Set stop_gradient=True on the detached one, or clone() it.")

    def put_modes(self) -> None:
        """Leave the layers in the modes that the function leaves them in."""
        for place, _, new in self.modes:
            if place.get() is not new:
                place.put(new)
                bump()

    def _check_shared(self, trace: Trace) -> None:
        """Nothing is written that shares memory with something else that is used: a program has them apart."""
        cells = {root_of(s) for s in (*trace.reads, *trace.writes)}
        written = {root_of(s) for s in trace.writes} | {self.roots[i] for i, _, _ in self.written_inputs}
        if any(root in cells and root in written for root in self.roots):
            raise ConversionError("An argument shares memory with a tensor that the function takes from outside, and "
                                  "one of them is written in place.\nPass a clone() of it.")

    def _run(self, trace: Trace, arrays: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """The body over these arrays: flat outputs and the new values of written cells, as the trace ends."""
        with trace, tree.records():
            trace.printed, trace.rolls = self.printed, self.rolls
            if self.can_bail:
                trace.bail = Storage(jnp.zeros((), bool))
            storages = [Storage(a) for a in arrays]
            tensors: list[Tensor] = []
            sources: list[Tensor] = []          # where the gradient of each input ends
            for i, flag in enumerate(self.flags):
                tensor = wrap(arrays[i], flag)
                tensor.storage = storages[self.aliases[i]]
                sources.append(tensor)
                if self.computed[i]:
                    sources[i] = wrap(None, False)
                    tensor.node = Node(None, (), (sources[i],), 1, _pass_on)
                tensors.append(tensor if self.aliases[i] == i else _same(tensors, self.aliases[i], tensor))
            trace.inputs = {t: i for i, t in reversed(list(enumerate(tensors)))}
            for i, j in itertools.permutations(range(len(storages)), 2):        # two views of one memory, set apart
                if self.roots[i] is self.roots[j] is not None and self.aliases[i] != self.aliases[j]:
                    trace.aliases.add(storages[i])
            try:
                out = self.body(tensors)
                self.input_grad_guards = list(trace.input_grad_guards.items())
                outputs = self._collect(trace, tensors, sources, out)
                # Tensors from outside that what was written into them put into the graph; leaves stay leaves.
                self.rebound = [t for t, (node, _, stop) in trace.rebound.items() if (node is not None or stop)
                                and t.node is not None and not t._stop_gradient and t.storage in trace.writes
                                and t.storage.trace is None and not t.storage.is_view]
                self.modes = modes_set()
            finally:
                self.set_flags = trace.undo_flags()
                trace.undo_rebound(leaves=True)
                for t in self.rebound:
                    t.node, t.index, t._stop_gradient = trace.rebound.get(t, (t.node, t.index, t._stop_gradient))
            return outputs, [trace.values[s] for s in trace.writes]

    def _collect(self, trace: Trace, tensors: list[Tensor], sources: list[Tensor], out: Any) -> list[Any]:
        """Sort what came out: new values, inputs written in place, gradients, and tensors that were there before."""
        leaves, self.out_spec = tree.flatten(out, lambda v: isinstance(v, Tensor), self.can_bail)
        check_returned(self.out_spec, trace)
        self.grown = mentions(self.out_spec)    # a tensor decides the length of a list that is returned
        if self.grown and not self.can_bail:
            raise ConversionError(
                "A saved program cannot return a list whose length a tensor decides, or what is stacked out of one.\n"
                "Write the items into a tensor of fixed size (`for i, x in enumerate(items): out[i] = x`), and return "
                "that with the length.")
        # One for each leaf: (NEW, stop (or FREED), output, whether it is a number), (INPUT, i) or (OUTER, tensor).
        self.outs: list[tuple] = []
        outputs: list[Any] = []
        for leaf in leaves:
            index = next((i for i, t in enumerate(tensors) if t is leaf), None)
            if index is not None:
                self.outs.append((INPUT, index))
            elif leaf.storage.trace is not trace:
                self.outs.append((OUTER, leaf))
            else:
                array = leaf.storage.array          # of a view, read anew before its gradient is looked at
                freed = FREED if leaf.node is not None and leaf.node.freed else False
                self.outs.append((NEW, leaf._stop_gradient or freed, len(outputs), is_number(leaf)))
                outputs.append(array)
        self._note_views(trace, tensors, leaves)
        self.written_inputs = []                # (input, output, stop_gradient)
        for i, tensor in enumerate(tensors):
            if self.aliases[i] == i and tensor.storage.version:
                self.written_inputs.append((i, len(outputs), tensor._stop_gradient))
                outputs.append(tensor.storage.array)
        self.flag_changes = [(i, t._stop_gradient) for i, t in enumerate(tensors)
                             if t._stop_gradient != self.flags[i] and not t.storage.version]
        self.input_grads = []                   # gradients that backward() inside left on the inputs
        self.set_grads = []                     # (input, None | ZERO | output): its .grad is another one afterwards
        for tensor, i in trace.inputs.items():
            if tensor in trace.set_input_grads:
                value = tensor._grad
                self.set_grads.append((i, len(outputs) if isinstance(value, Tensor) else value))
                outputs += [value.storage.array] if isinstance(value, Tensor) else []
        for i, source in enumerate(sources):
            if isinstance(source._grad, Tensor) and source not in trace.set_input_grads:
                self.input_grads.append((i, len(outputs)))
                outputs.append(source._grad.storage.array)
        self.grad_changes = []                  # (tensor, None | ZERO | output)
        for tensor, value in trace.grads.items():
            if value is trace.first_grads[tensor]:
                continue
            if isinstance(value, Tensor):
                self.grad_changes.append((tensor, len(outputs)))
                outputs.append(value.storage.array)
            else:
                self.grad_changes.append((tensor, value))
        self.bail = None
        if trace.bail is not None and trace.bail.version:
            self.bail = len(outputs)
            outputs.append(trace.bail.array)
        self.has_differentiable = any(o[0] == NEW and not o[1] for o in self.outs) or any(
            not w[2] for w in self.written_inputs)
        return outputs

    def _note_views(self, trace: Trace, tensors: list[Tensor], leaves: list[Any]) -> None:
        """Which results share memory with an argument, a tensor from outside, or another result, and how."""
        # (leaf, (INPUT, i), (NEW, leaf) or (OUTER, Tensor), steps; or SAME for one Tensor that is returned again)
        self.views: list[tuple] = []
        inputs = {t.storage: i for i, t in reversed(list(enumerate(tensors)))}
        results = {leaf.storage: i for i, leaf in reversed(list(enumerate(leaves)))}
        for i, leaf in enumerate(leaves):
            storage: Any = leaf.storage
            if self.outs[i][0] is not NEW or self.outs[i][-1] or _is_open(storage):
                continue
            is_view = storage.is_view and not storage.is_copy()
            first = results[storage]
            root = storage.root if is_view else storage
            steps: Any = chain_of(storage) if is_view else [(tuple(storage.array.shape), reshaped, (), ())]
            if leaves[first] is leaf and first < i:
                self.views.append((i, (NEW, first), SAME))
            elif root in inputs:
                self.views.append((i, (INPUT, inputs[root]), steps))
            elif root.trace is not trace:
                self.views.append((i, (OUTER, storage.owner if storage.owner is not None else view(root)), steps))
            elif root in results and results[root] != i:
                self.views.append((i, (NEW, results[root]), steps))

    def pure(self, inputs: Sequence[Any], read: Sequence[Any], written: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """The function itself, free of side effects: for jit, vjp and export."""
        values = dict(zip(self.reads, read, strict=True)) | dict(zip(self.writes, written, strict=True))
        trace = Trace(values, self.uses_tape, self.grad_cells)
        trace.kept = list(self.kept)
        outputs, new = self._run(trace, inputs)
        moving = [f.label for f in self.changed if not f.holds()]
        if moving:
            raise ConversionError(
                f"The function changes {' and '.join(moving)} in every call, which a program would do only once, when "
                f"it is made.\nKeep such a count in a buffer (`register_buffer(name, paddle.zeros([]))`), change it "
                "outside of the function, or keep the function eager (`paddle.jit.not_to_static`).")
        unknown = [s for s in trace.reads if s not in values] + [s for s in trace.writes if s not in self.writes]
        if unknown or list(trace.writes) != self.writes:
            values = {**values, **{s: trace.values[s] for s in trace.writes}}
            if unknown:
                raise ConversionError("The function read or wrote other tensors when it was run again with the same "
                                      "arguments: its Python part must do the same in every call.")
            new = [trace.values.get(s, values[s]) for s in self.writes]
        if self.bail is not None:
            new = [jnp.where(outputs[self.bail], old, n) for old, n in zip(written, new, strict=True)]
        return outputs, new


def _is_open(storage: Storage) -> bool:
    """Whether a dimension of a cell, or of what it is a view of, has any size: saved functions link no results."""
    return any(is_open(n) for s in (storage, root_of(storage)) for n in raw_array.__get__(s).shape)


def _pass_on(given: Any, cotangents: Sequence[Any]) -> Sequence[Any]:
    """The pullback of an input that was computed outside: its gradient leaves the program as it is."""
    return cotangents


def _same(tensors: list[Tensor], i: int, tensor: Tensor) -> Tensor:
    """Two arguments that are one Tensor are one Tensor inside as well."""
    return tensors[i] if tensors[i]._stop_gradient == tensor._stop_gradient else tensor
