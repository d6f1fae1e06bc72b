"""Gradient clipping: by value, by each gradient's norm, by the norm of all gradients together."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import optax

from kayax.bridge.tensor import Tensor, wrap
from kayax.bridge.told import Settings


class ClipGradBase(Settings):
    """A way to limit gradients, to be given to an optimizer as `grad_clip`.

    One of your own defines `clip(grads)`, from a list of arrays to a list of arrays, and `settings`, the values that it
    depends on; or it overrides `__call__`, from pairs (parameter, gradient) to such pairs, and is called before the
    update. Parameters with ``need_clip=False`` keep their gradients.
    """

    @property
    def settings(self) -> tuple:
        """What tells two of this kind apart."""
        return (id(self),)

    def clip(self, grads: list[Any]) -> list[Any]:
        """The limited gradients: a pure function of arrays, all floating."""
        raise NotImplementedError(f"{type(self).__name__} must define clip(grads).")

    def __call__(self, params_grads: Sequence[tuple[Tensor, Tensor]]) -> list[tuple[Tensor, Tensor]]:
        """Pairs (parameter, gradient) with limited gradients; a gradient of None is left out of it."""
        chosen = [i for i, (p, g) in enumerate(params_grads) if g is not None and getattr(p, "need_clip", True)]
        limited = self.clip([params_grads[i][1].storage.array for i in chosen]) if chosen else []
        result = list(params_grads)
        for i, array in zip(chosen, limited, strict=True):
            result[i] = (params_grads[i][0], wrap(array))
        return result

    @property
    def is_pure(self) -> bool:
        """Whether it can be a part of the update program."""
        return type(self).__call__ is ClipGradBase.__call__

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.settings == self.settings    # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash((type(self), self.settings))


class ClipGradByValue(ClipGradBase):
    """Limit every element to lie between `min` (by default ``-max``) and `max`."""

    def __init__(self, max: float, min: float | None = None):
        if min is None and not max > 0.0:
            raise AssertionError(f"max must be positive when min is not given, but got {max}.")
        self.max = float(max)
        self.min = -self.max if min is None else float(min)

    @property
    def settings(self) -> tuple:
        return self.min, self.max

    def clip(self, grads: list[Any]) -> list[Any]:
        return [jnp.clip(g, self.min, self.max) for g in grads]

    def __repr__(self) -> str:
        return f"Clip Gradient By Value, min = {self.min:f}, max={self.max:f}"


def _norm(clip_norm: float, zero: bool) -> float:
    """A norm to clip to: positive, or `zero`, which leaves nothing."""
    clip_norm = float(clip_norm)
    if not (clip_norm > 0 or (zero and clip_norm == 0)):
        raise ValueError(f"clip_norm must {'not be negative' if zero else 'be positive'}, but got {clip_norm}.")
    return clip_norm


class ClipGradByNorm(ClipGradBase):
    """Scale each gradient whose L2 norm exceeds `clip_norm` down to that norm."""

    def __init__(self, clip_norm: float):
        self.clip_norm = _norm(clip_norm, zero=False)

    @property
    def settings(self) -> tuple:
        return (self.clip_norm,)

    def clip(self, grads: list[Any]) -> list[Any]:
        return [_by_global_norm([g], self.clip_norm)[0] for g in grads]

    def __repr__(self) -> str:
        return f"Gradient Clip By Norm, clip_norm={self.clip_norm:f}"


class ClipGradByGlobalNorm(ClipGradBase):
    """Scale all gradients together if the L2 norm of them all exceeds `clip_norm`.

    In an optimizer each parameter group has a norm of its own. group_name and auto_skip_clip are accepted and have no
    effect: they serve static graphs and pipelines in Paddle.
    """

    def __init__(self, clip_norm: float, group_name: str = "default_group", auto_skip_clip: bool = False):
        self.clip_norm = _norm(clip_norm, zero=True)
        self.group_name, self.auto_skip_clip = group_name, auto_skip_clip

    @property
    def settings(self) -> tuple:
        return (self.clip_norm,)

    def clip(self, grads: list[Any]) -> list[Any]:
        return _by_global_norm(grads, self.clip_norm)

    def __repr__(self) -> str:
        return f"Gradient Clip By GlobalNorm, global_norm={self.clip_norm:f}"


def _by_global_norm(grads: list[Any], limit: float) -> list[Any]:
    """Computed in float32 at least: the squares of half-precision gradients overflow."""
    wide = [g.astype(jnp.promote_types(g.dtype, jnp.float32)) for g in grads]
    limited, _ = optax.clip_by_global_norm(limit).update(wide, optax.EmptyState())
    return jax.tree.map(lambda new, g: new.astype(g.dtype), limited, grads)
