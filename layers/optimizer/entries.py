"""How what a rule keeps appears in a state dictionary: the entries, names and shapes of Paddle's files.

Paddle keeps powers such as ``beta1**t`` for every parameter; here one count serves them all. An entry is computed from
what is kept, and what is kept is read back from the entries.
"""
from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from kayax.layers.optimizer import rules
from kayax.layers.optimizer.rules import Rule

_UNDERFLOW = 1e-30


@dataclass(frozen=True)
class Entry:
    """One name in the state of every parameter.

    slot: the array it is. Or else `get(rule, shared)`: the number it is, filled into `shape` (None: the parameter's
    own), and `put(rule, number)`: what that says of the shared scalars, with a weight that tells how precisely.
    """

    name: str
    slot: str | None = None
    get: Callable[[Any, dict[str, Any]], Any] | None = None
    put: Callable[[Any, float], tuple[dict[str, float], float]] | None = None
    shape: tuple[int, ...] | None = None

    def value(self, rule: Rule, slots: dict[str, Any], shared: dict[str, Any], shape: tuple, dtype: Any) -> Any:
        """The entry as an array."""
        if self.slot is not None:
            return slots[self.slot] if self.slot in slots else jnp.zeros(shape, dtype)
        number = self.get(rule, shared)                                         # type: ignore[misc]
        kind = jnp.int64 if self.name == "m" else dtype
        return jnp.full(shape if self.shape is None else self.shape, number, kind)


def _power(name: str, base: str | float, ahead: int, shape: tuple[int, ...] | None) -> Entry:
    """``base ** (count + ahead)``; the count is its logarithm, as long as it has not underflowed."""
    def base_of(rule: Any) -> float:
        return float(np.float32(base if isinstance(base, float) else getattr(rule, base)))

    def get(rule: Any, shared: dict[str, Any]) -> Any:
        return base_of(rule) ** (int(shared["count"]) + ahead)

    def put(rule: Any, number: float) -> tuple[dict[str, float], float]:
        b = base_of(rule)
        if not 0.0 < b < 1.0:
            return {}, 0.0
        count = round(math.log(max(number, _UNDERFLOW)) / math.log(b)) - ahead
        # A small base tells the count exactly until it underflows; then the one that lasts longest is best.
        return {"count": max(count, 0)}, (2.0 - b if number > _UNDERFLOW else b - 2.0)

    return Entry(name, get=get, put=put, shape=shape)


def _number(name: str, key: str, shape: tuple[int, ...] | None) -> Entry:
    """A shared scalar itself."""
    return Entry(name, get=lambda rule, shared: shared[key].item(), put=lambda rule, number: ({key: number}, 1.0),
                 shape=shape)


def _length(name: str) -> Entry:
    """RAdam's "rho", which follows from the count."""
    return Entry(name, get=lambda rule, shared: rule.length(float(shared["count"])) if shared["count"] else 0.0,
                 put=lambda rule, number: ({}, 0.0))


_MOMENTS = [Entry("moment1", "moment1"), Entry("moment2", "moment2")]
_POWERS = [_power("beta1_pow_acc", "beta1", 1, (1,)), _power("beta2_pow_acc", "beta2", 1, (1,))]

# In the order of Paddle's dictionaries.
_ENTRIES: dict[type[Rule], list[Entry]] = {
    rules.SGD: [],
    rules.Momentum: [Entry("velocity", "velocity")],
    rules.Adagrad: [Entry("moment", "moment")],
    rules.Adadelta: [Entry("_avg_squared_grad", "avg_grad"), Entry("_avg_squared_update", "avg_update")],
    rules.RMSProp: [Entry(name, name) for name in ("momentum", "mean_square", "mean_grad")],
    rules.Adam: [*_MOMENTS, Entry("moment2_max", "moment2_max"), *_POWERS],
    rules.Adamax: [Entry("moment", "moment"), Entry("inf_norm", "inf_norm"), _POWERS[0]],
    rules.NAdam: [_power("momentum_decay_pow", 0.96, 0, None), _power("beta2_pow", "beta2", 0, None),
                  _number("mu_product", "mu_product", None), *_MOMENTS],
    rules.RAdam: [_power("beta1_pow", "beta1", 0, None), _power("beta2_pow", "beta2", 0, None), _length("rho"),
                  *_MOMENTS],
    rules.Lamb: [*_MOMENTS, *_POWERS],
    rules.Rprop: [Entry("prevs", "prevs"), Entry("learning_rates", "learning_rates")],
    rules.ASGD: [Entry("d", "d"), Entry("y", "y"), _number("m", "m", (1,))],
}


def entries_of(rule: Rule) -> list[Entry]:
    """The entries of this rule's state, in Paddle's order."""
    found = _ENTRIES[type(rule)]
    if isinstance(rule, rules.Adam) and not rule.amsgrad:
        return [e for e in found if e.name != "moment2_max"]
    return found


def read_shared(rule: Rule, values: dict[str, np.ndarray]) -> dict[str, float]:
    """The shared scalars that these entries tell of: each from the entry that tells it most precisely."""
    best: dict[str, tuple[float, float]] = {}
    for entry in entries_of(rule):
        if entry.put is None or entry.name not in values:
            continue
        number = float(np.asarray(values[entry.name], np.float64).reshape(-1)[0])
        told, weight = entry.put(rule, number)
        for key, value in told.items():
            if key not in best or weight > best[key][1]:
                best[key] = value, weight
    return {key: value for key, (value, _) in best.items()}
