"""An optimizer's state as a dictionary: the names and shapes of Paddle's `.pdopt` files, both ways."""
from __future__ import annotations

import re
import warnings
from collections import defaultdict
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kayax.bridge.convert import owned
from kayax.bridge.tensor import Tensor
from kayax.layers.optimizer.entries import entries_of, read_shared
from kayax.layers.optimizer.lr_base import LRScheduler
from kayax.layers.optimizer.slots import Clock, Kept

_SPECIAL = ("master_weights", "LR_Scheduler")


def state_dict(optimizer: Any) -> dict[str, Any]:
    """The entries of all parameters, kind after kind, then the master copies, then the scheduler."""
    kept = [k for k in map(optimizer._keeper.kept.get, map(id, optimizer._parameter_list)) if k is not None]
    tables = [k.entries() for k in kept]
    kinds = list(dict.fromkeys(kind for table in tables for kind in table))
    found: dict[str, Any] = {table[kind].name: table[kind] for kind in kinds for table in tables if kind in table}
    masters = {k.param.name: k.master_tensor() for k in kept if k.master is not None}
    if masters:
        found["master_weights"] = masters
    if isinstance(optimizer._learning_rate, LRScheduler):
        found["LR_Scheduler"] = optimizer._learning_rate.state_dict()
    return found


def set_state_dict(optimizer: Any, values: dict[str, Any]) -> None:
    """Copy the entries into the slots, which are made if there are none yet."""
    if not isinstance(values, dict):
        raise TypeError(f"set_state_dict takes the dict that state_dict() gave, but got {type(values).__name__}.")
    schedule = values.get("LR_Scheduler")
    if schedule is not None and isinstance(optimizer._learning_rate, LRScheduler):
        optimizer._learning_rate.set_state_dict(schedule)
    masters = values.get("master_weights") or {}
    by_kind: dict[str, list[str]] = defaultdict(list)
    for key in values:
        if key not in _SPECIAL:
            by_kind[_plain(key)].append(key)
    used: set[str] = set()
    lacking = []
    loads = []
    for param, group in zip(optimizer._parameter_list, optimizer._group_of, strict=True):
        rule = optimizer._rule(optimizer._param_groups[group], param)
        kept = optimizer._keeper.kept.get(id(param))
        found = {}
        for entry in entries_of(rule):
            keys = by_kind.get(f"{param.name}_{entry.name}", [])
            used.update(keys)
            own = kept.names[entry.name] if kept is not None else None
            if keys:
                found[entry.name] = _array(values[own if own in keys else keys[-1]])
        if found or param.name in masters:
            loads.append((param, group, found))
        elif entries_of(rule):
            lacking.append(param.name)
    _check_unused([k for k in values if k not in used and k not in _SPECIAL], lacking)
    for param, group, found in loads:
        _load(optimizer, param, optimizer._param_groups[group], found, masters.get(param.name))
    _share_clocks([optimizer._keeper.kept[id(param)] for param, _, _ in loads])


def _plain(key: str) -> str:
    """An entry's key without what only makes it unique: ``w_fp32_master_0_moment1_0`` is ``w_moment1``."""
    return re.sub(r"_\d+$", "", re.sub(r"_fp32_master_\d+(?=_)", "", key))


def _check_unused(unused: list[str], lacking: list[str]) -> None:
    if unused and lacking:
        raise ValueError(
            f"The state does not fit this optimizer: nothing in it belongs to {_some(lacking)}, and {_some(unused)} "
            "belong to none of its parameters. States are found by the parameters' names: build the model as it was "
            "when the state was saved, in the same order, or in a new process.")
    if unused:
        warnings.warn(f"The optimizer's state holds entries that it does not use: {_some(unused)}.", stacklevel=4)


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _array(value: Any) -> np.ndarray:
    return np.asarray(value.storage.array if isinstance(value, Tensor) else value)


def _load(optimizer: Any, param: Tensor, options: dict[str, Any], found: dict[str, np.ndarray], master: Any) -> None:
    kept = optimizer._keep(param, options)
    optimizer._keeper._fresh.clear()
    for entry in entries_of(kept.rule):
        if entry.slot in kept.slots and entry.name in found:
            _write(kept.slots[entry.slot], found[entry.name], kept.names[entry.name])
    if master is not None and kept.master is not None:
        _write(kept.master, _array(master), kept.prefix)
    told = read_shared(kept.rule, found)
    old = {name: cell.array for name, cell in kept.clock.cells.items()}
    kept.clock = Clock(kept.rule)
    for name, cell in kept.clock.cells.items():
        cell.array = jnp.asarray(told.get(name, old[name]), cell.array.dtype)


def _write(cell: Any, value: Any, name: str) -> None:
    shape = cell.array.shape
    if tuple(value.shape) != tuple(shape) and not (value.size == 1 and cell.array.size == 1):
        raise ValueError(f"The optimizer's entry {name} must have the shape {list(shape)}, but the state has "
                         f"{list(value.shape)}.")
    cell.array = jax.device_put(jnp.array(owned(value), dtype=cell.array.dtype).reshape(shape), cell.array.sharding)


def _share_clocks(loaded: list[Kept]) -> None:
    """Parameters that show the same time again have one clock again."""
    known: dict[Any, Clock] = {}
    for kept in loaded:
        time = tuple(cell.array.item() for cell in kept.clock.cells.values())
        kept.clock = known.setdefault((kept.rule, time), kept.clock)
