"""Pieces of code that become parts of a program: run once over tracers, kept as a jaxpr, put together at the door.

A `Block` is a branch or a loop's body. What it reads from outside are the jaxpr's constants, found again by identity;
the operation that blocks are put together in (`stage`) takes them as operands, so that gradients go through it as
through any.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
from jax.extend import core

from kayax.bridge.call import Call
from kayax.bridge.cells import Storage
from kayax.bridge.dispatch import run_call
from kayax.bridge.errors import ConversionError, at_user_line
from kayax.bridge.kinds import Aval
from kayax.bridge.state import state
from kayax.bridge.tensor import ZERO, Tensor, wrap
from kayax.bridge.trace import Trace


class Block:
    """``body(inputs) -> tensors`` as a jaxpr, with the facts about it.

    inputs: what to know of each. cells: storages that are inputs as well (those that a loop carries).
    leaves: for every tensor that came out, the outer tensor that it is, or None, and its stop_gradient.
    roots: for each, the cells that it shares memory with.
    writes: the outer cells that got new values, which follow the leaves among the outputs. owners: the outer tensors
    through which gradients leave. cleared: the outer tensors whose `.grad` it cleared, if it `may_clear`.
    """

    def __init__(self, body: Callable[[list[Tensor]], Sequence[Tensor]], inputs: Sequence[Aval] = (),
                 cells: Sequence[Storage] = (), may_clear: bool = False):
        self.cells, self.may_clear = list(cells), may_clear
        for uses_tape in (False, True):
            self.trace = Trace(uses_tape=uses_tape)
            self._run(body, inputs)
            if not self.trace.used_tape:        # paddle.grad inside needs a run that keeps the tape's own pullbacks
                break
        self._check()

    def _run(self, body: Callable, inputs: Sequence[Aval]) -> None:
        trace = self.trace

        def run(arrays: Sequence[Any], cells: Sequence[Any]) -> tuple[list[Any], list[Any]]:
            trace.values.update(zip(self.cells, cells, strict=True))
            trace.carried.update(self.cells)
            with trace:
                try:
                    tensors = body([wrap(a, i.stop) for a, i in zip(arrays, inputs, strict=True)])
                    outs = [t.storage.array for t in tensors]           # views are read anew: their gradients follow
                    self.leaves = [self._fact(t) for t in tensors]
                    self.roots = [self._roots(t.storage, tensors) for t in tensors]
                    self.rebound = {t: t._stop_gradient for t in trace.rebound}
                finally:
                    trace.undo_rebound()
                return outs, [trace.values[s] for s in trace.writes]

        avals = [i.struct() for i in inputs]
        now = [Aval.of(s.array).struct() for s in self.cells]
        self.closed = jax.make_jaxpr(run)(avals, now)
        self.avals = [Aval(tuple(v.shape), v.dtype, bool(v.weak_type)) for v in self.closed.out_avals]
        self.writes = list(trace.writes)
        self.owners = list(dict.fromkeys([*trace.captured, *(t for t, stop in self.rebound.items() if not stop)]))

    def _fact(self, tensor: Tensor) -> tuple[Tensor | None, bool]:
        outer = tensor.storage.trace is not self.trace
        if outer:
            self.trace.capture(tensor)
        freed = tensor.node is not None and tensor.node.freed
        return tensor if outer else None, tensor._stop_gradient or freed

    def _roots(self, storage: Storage, tensors: Sequence[Tensor]) -> list[Storage]:
        """Whose memory a tensor that came out shares, if somebody can tell."""
        if storage.is_view and storage.trace is self.trace and not storage.is_copy():
            storage = storage.root
            return [storage] if storage.trace is not self.trace or any(t.storage is storage for t in tensors) else []
        return [storage] if any(t.storage.is_view and t.storage.root is storage for t in tensors) else []

    def _check(self) -> None:
        trace = self.trace
        changed = {t: value for t, value in trace.grads.items() if value is not trace.first_grads[t]}
        if changed and not (self.may_clear and all(value is ZERO for value in changed.values())):
            raise ConversionError("The `.grad` of a tensor changes in a branch or loop that a tensor decides (by "
                                  f"backward() or the like), which cannot be part of a program.{at_user_line()}\nCall "
                                  "backward() outside; optimizer.step() and clear_grad() may be in a branch.")
        self.cleared = list(changed)
        if trace.root is not trace:
            trace.root.prints |= trace.prints


class Operands:
    """What blocks take from outside, once each: the operands of the operation that they are put together in."""

    def __init__(self, blocks: Sequence[Block]):
        self.sources: list[Any] = []
        self._place: dict[int, int] = {}
        self._held: list[Any] = []
        self._cut: dict[int, Any] = {}
        self.owners: dict[Storage, Tensor] = {}
        for block in blocks:
            for tensor in block.owners:
                self.owners.setdefault(tensor.storage, tensor)
        for tensor in self.owners.values():
            self.add(tensor.storage.array, tensor)
        for block in blocks:
            for constant in block.closed.consts:
                self.add(constant)

    def add(self, array: Any, source: Tensor | None = None) -> int:
        """The place of an array among the operands; `source` is the tensor that a gradient goes to."""
        place = self._place.get(id(array))
        if place is None:
            place = self._place[id(array)] = len(self.sources)
            self._held.append(array)
            self.sources.append(array if source is None else source)
        return place

    def tensor(self, tensor: Tensor) -> int:
        """The place of an outer tensor's value."""
        if tensor._stop_gradient:
            return self._stopped(tensor.storage.array)
        return self.add(tensor.storage.array, tensor)

    def cell(self, storage: Storage) -> int:
        """The place of a cell's value before the operation."""
        owner = self.owners.get(storage)
        return self._stopped(storage.array) if owner is None else self.tensor(owner)

    def _stopped(self, array: Any) -> int:
        """The place of a value that no gradient goes to, whoever else uses it."""
        if not isinstance(array, jax.core.Tracer):
            return self.add(array)
        if id(array) not in self._cut:
            self._held.append(array)
            self._cut[id(array)] = jax.lax.stop_gradient(array)
        return self.add(self._cut[id(array)])

    def run(self, block: Block, arrays: Sequence[Any], inputs: Sequence[Any] = ()) -> tuple[list[Any], dict]:
        """A block's outputs and the new values of its cells, given the operands and the block's own inputs."""
        constants = [arrays[self._place[id(c)]] for c in block.closed.consts]
        outs = core.jaxpr_as_fun(core.ClosedJaxpr(block.closed.jaxpr, constants))(*inputs)
        n = len(outs) - len(block.writes)
        return list(outs[:n]), dict(zip(block.writes, outs[n:], strict=True))


def stage(run: Callable, name: str, operands: Sequence[Any]) -> list[Tensor]:
    """Run ``run(*arrays) -> tuple of arrays`` at the door, as one operation.

    It is recorded under `no_grad` too: what the blocks computed under it is cut off inside of them, but a tensor that
    they only hand on keeps its place in the graph.
    """
    held, state.grad_enabled = state.grad_enabled, True
    try:
        return list(run_call(Call(run, name), operands))
    finally:
        state.grad_enabled = held


def write_cells(cells: Sequence[Storage], outs: Sequence[Tensor], blocks: Sequence[Block]) -> None:
    """Give the cells that blocks wrote their new values, and their tensors their new place in the graph."""
    rebound = {t: stop for b in blocks for t, stop in b.rebound.items()}
    for storage, out in zip(cells, outs, strict=True):
        for tensor in [t for t in rebound if t.storage is storage]:
            state.trace.note_rebound(tensor)                                    # type: ignore[union-attr]
            stop = all(b.rebound.get(tensor, tensor._stop_gradient) for b in blocks)
            tensor.node, tensor.index = (None, 0) if stop else (out.node, out.index)
            tensor._stop_gradient = stop or out._stop_gradient
        storage.array = out.storage.array
