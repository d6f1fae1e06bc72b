"""A whole step as one pure function: clipping, weight decay and the rule of every parameter."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp

from kayax.layers.optimizer.clip import ClipGradBase
from kayax.layers.optimizer.regularizer import WeightDecayRegularizer
from kayax.layers.optimizer.rules import Rule


@dataclass(frozen=True)
class Part:
    """What is static about one parameter in a step.

    factor: scales the learning rate. clock: which of the shared scalars are its own. master: whether a float32 copy is
    kept. rescale: scales the gradient. clip_group: gradients clipped together; None to leave this one alone.
    """

    rule: Rule
    factor: float
    regularizer: WeightDecayRegularizer | None
    clock: int
    master: bool
    rescale: float
    clip_group: int | None


class Update:
    """``update(written, read, grads) -> new written``, equal to another with the same static parts.

    written: the parameters, the master copies, each parameter's slots in turn, each clock's shared scalars in turn.
    read: the learning rate.
    """

    def __init__(self, parts: Sequence[Part], clips: Sequence[ClipGradBase | None]):
        self.parts, self.clips = tuple(parts), tuple(clips)
        self._key = (self.parts, self.clips)
        self._hash = hash(self._key)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Update) and self._key == other._key)

    def __call__(self, written: Sequence[Any], read: Sequence[Any], grads: Sequence[Any]) -> list[Any]:
        parts, rest = self.parts, iter(written)
        params = [next(rest) for _ in parts]
        masters = [next(rest) if part.master else None for part in parts]
        slots = [{name: next(rest) for name in part.rule.used_slots()} for part in parts]
        clocks: dict[int, dict[str, Any]] = {}
        for part in parts:
            if part.clock not in clocks:
                clocks[part.clock] = {name: next(rest) for name in part.rule.shared}
        values = [_wide(p, master) for p, master in zip(params, masters, strict=True)]
        grads = self._clip([g.astype(v.dtype) for g, v in zip(grads, values, strict=True)])
        news, new_clocks = [], {}
        for i, part in enumerate(parts):
            new, state = _move(part, values[i], grads[i], {**slots[i], **clocks[part.clock]}, read[0])
            news.append(new)
            slots[i] = {name: state[name].astype(old.dtype) for name, old in slots[i].items()}
            new_clocks[part.clock] = {name: state[name] for name in part.rule.shared}
        new_written = [new.astype(p.dtype) for new, p in zip(news, params, strict=True)]
        new_written += [new for new, part in zip(news, parts, strict=True) if part.master]
        new_written += [array for table in slots for array in table.values()]
        return new_written + [array for clock in clocks for array in new_clocks[clock].values()]

    def _clip(self, grads: list[Any]) -> list[Any]:
        for group, clip in enumerate(self.clips):
            chosen = [i for i, part in enumerate(self.parts) if part.clip_group == group]
            if clip is not None and chosen:
                for i, new in zip(chosen, clip.clip([grads[i] for i in chosen]), strict=True):
                    grads[i] = new
        return grads


def _wide(p: Any, master: Any) -> Any:
    """The value to compute with: float32 at least.

    Where the parameter is not what its master copy says, somebody has written it (loaded weights): it is right then.
    """
    if master is not None:
        return jnp.where(master.astype(p.dtype) == p, master, p.astype(master.dtype))
    return p.astype(jnp.promote_types(p.dtype, jnp.float32))


def _move(part: Part, p: Any, g: Any, state: dict[str, Any], lr: Any) -> tuple[Any, Any]:
    if part.rescale != 1.0:
        g = g * part.rescale
    if part.regularizer is not None:
        g = g + part.regularizer.gradient(p)
    lr = lr.astype(p.dtype)
    return part.rule(p, g, state, lr * part.factor if part.factor != 1.0 else lr)
