"""What an optimizer keeps for its parameters from step to step, as cells."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from kayax.bridge.cells import Storage
from kayax.bridge.state import outside_traces, state
from kayax.bridge.tensor import Tensor, wrap
from kayax.layers.optimizer.entries import entries_of
from kayax.layers.optimizer.rules import Rule
from kayax.spec import unique_name


class Clock:
    """The scalars shared by parameters that have always been updated together: the count of steps, above all."""

    def __init__(self, rule: Rule, cells: dict[str, Storage] | None = None):
        self.rule = rule
        self.cells = cells if cells is not None else {
            name: Storage(jnp.full((), first, dtype)) for name, (dtype, first) in rule.shared.items()}

    def copy(self) -> Clock:
        """Another with the same time, made outside of any trace."""
        with outside_traces():
            clock = Clock(self.rule, {name: Storage(jnp.copy(cell.array)) for name, cell in self.cells.items()})
        if state.trace is not None:
            # Here it may have moved on already; the program is traced again before it runs a second time.
            for name, cell in self.cells.items():
                clock.cells[name].array = cell.array
        return clock


class Kept:
    """What is kept for one parameter: its rule, slots, float32 master copy and clock."""

    def __init__(self, param: Tensor, rule: Rule, lr: Any, mixed: bool, clock: Clock):
        array = param.storage.array
        half = array.dtype.itemsize < 4
        wide = jnp.promote_types(array.dtype, jnp.float32)
        self.param, self.rule, self.clock = param, rule, clock
        self.master: Storage | None = None
        prefix = param.name
        if mixed and half:
            prefix = unique_name.generate(f"{param.name}_fp32_master")
            self.master = Storage(array.astype(wide))
        self.prefix = prefix
        aval = jax.ShapeDtypeStruct(array.shape, wide)
        self.slots = {name: Storage(rule.first(name, aval, lr)) for name in rule.used_slots()}
        self.names = {e.name: unique_name.generate(f"{prefix}_{e.name}") for e in entries_of(rule)}
        self._tensors: dict[str, Tensor] = {}

    def entries(self) -> dict[str, Tensor]:
        """The state of this parameter by Paddle's kinds ("moment1"); slots are live, computed entries are snapshots."""
        array = self.param.storage.array
        wide = jnp.promote_types(array.dtype, jnp.float32)
        slots = {name: cell.array for name, cell in self.slots.items()}
        shared = {name: cell.array for name, cell in self.clock.cells.items()}
        found = {}
        for entry in entries_of(self.rule):
            if entry.slot in self.slots:
                tensor = self._live(entry.name, self.slots[entry.slot])
            else:
                tensor = wrap(entry.value(self.rule, slots, shared, tuple(array.shape), wide))
            tensor.name, tensor.persistable = self.names[entry.name], True
            found[entry.name] = tensor
        return found

    def master_tensor(self) -> Tensor | None:
        """The master copy, live."""
        if self.master is None:
            return None
        tensor = self._live("", self.master)
        tensor.name, tensor.persistable = self.prefix, True
        return tensor

    def _live(self, key: str, cell: Storage) -> Tensor:
        tensor = self._tensors.get(key)
        if tensor is None:
            tensor = wrap(None)
            tensor.storage = cell
            self._tensors[key] = tensor
        return tensor


class Keeper:
    """All that an optimizer keeps."""

    def __init__(self) -> None:
        self.kept: dict[int, Kept] = {}
        self._fresh: dict[Rule, Clock] = {}             # clocks of this round of first steps

    def of(self, param: Tensor, rule: Rule, lr: Any, mixed: bool) -> Kept:
        """What is kept for the parameter; made when there is nothing yet. Call it outside of traces."""
        kept = self.kept.get(id(param))
        if kept is None:
            clock = self._fresh.get(rule)
            if clock is None:
                clock = self._fresh[rule] = Clock(rule)
            kept = self.kept[id(param)] = Kept(param, rule, lr, mixed, clock)
        else:
            kept.rule = rule
        return kept

    def divide(self, chosen: Sequence[Kept]) -> bool:
        """Give those that now move alone a clock of their own; whether any had to be."""
        self._fresh.clear()
        inside = {id(k) for k in chosen}
        divided = False
        for clock in {id(k.clock): k.clock for k in chosen}.values():
            members = [k for k in self.kept.values() if k.clock is clock]
            leaving = [k for k in members if id(k) in inside]
            if len(leaving) < len(members):
                divided = True
                new = clock.copy()
                for k in leaving:
                    k.clock = new
        return divided
