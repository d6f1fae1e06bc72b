"""The update rules: pure functions of one parameter, its gradient, its slots and the learning rate.

Built on optax wherever optax computes what Paddle does; a rule of our own says where they part.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import jax.numpy as jnp
import optax

Slots = Mapping[str, Any]


@dataclass(frozen=True)
class Rule:
    """How one parameter moves: ``rule(p, g, slots, lr) -> (new p, new slots)``, in p's dtype.

    `slots` names the arrays shaped like the parameter that it keeps and their first value (an attribute's name means
    its value). `shared` are scalars, the same for all parameters updated together, with their dtype and first value.
    """

    slots: ClassVar[dict[str, float | str]] = {}
    shared: ClassVar[dict[str, tuple[str, float]]] = {}

    def used_slots(self) -> dict[str, float | str]:
        """The slots that these hyperparameters need."""
        return self.slots

    def first(self, name: str, p: Any, lr: Any) -> Any:
        """A slot before the first step."""
        value = self.slots[name]
        return jnp.full(p.shape, getattr(self, value) if isinstance(value, str) else value, p.dtype)

    def __call__(self, p: Any, g: Any, s: Slots, lr: Any) -> tuple[Any, Slots]:
        raise NotImplementedError


@dataclass(frozen=True)
class SGD(Rule):
    """``p - lr * g``."""

    def __call__(self, p: Any, g: Any, s: Slots, lr: Any) -> tuple[Any, Slots]:
        return p - lr * g, {}


@dataclass(frozen=True)
class Momentum(Rule):
    momentum: float
    nesterov: bool
    slots: ClassVar = {"velocity": 0.0}

    def __call__(self, p: Any, g: Any, s: Slots, lr: Any) -> tuple[Any, Slots]:
        step, new = optax.trace(self.momentum, self.nesterov).update(g, optax.TraceState(s["velocity"]))
        return p - lr * step, {"velocity": new.trace}


@dataclass(frozen=True)
class Adagrad(Rule):
    epsilon: float
    initial: float
    slots: ClassVar = {"moment": "initial"}

    def __call__(self, p: Any, g: Any, s: Slots, lr: Any) -> tuple[Any, Slots]:
        # optax.scale_by_rss adds epsilon inside of the root.
        moment = s["moment"] + g * g
        return p - lr * g / (jnp.sqrt(moment) + self.epsilon), {"moment": moment}


@dataclass(frozen=True)
class Adadelta(Rule):
    rho: float
    epsilon: float
    slots: ClassVar = {"avg_grad": 0.0, "avg_update": 0.0}

    def __call__(self, p: Any, g: Any, s: Slots, lr: Any) -> tuple[Any, Slots]:
        state = optax.ScaleByAdaDeltaState(s["avg_grad"], s["avg_update"])
        step, new = optax.scale_by_adadelta(self.rho, self.epsilon).update(g, state)
        return p - lr * step, {"avg_grad": new.e_g, "avg_update": new.e_x}


@dataclass(frozen=True)
class RMSProp(Rule):
    rho: float
    epsilon: float
    momentum: float
    centered: bool
    slots: ClassVar = {"momentum": 0.0, "mean_square": 0.0, "mean_grad": 0.0}

    def used_slots(self) -> dict[str, float | str]:
        return {name: value for name, value in self.slots.items() if self.centered or name != "mean_grad"}

    def __call__(self, p: Any, g: Any, s: Slots, lr: Any) -> tuple[Any, Slots]:
        out = {}
        state: Any
        if self.centered:
            state = optax.ScaleByRStdDevState(mu=s["mean_grad"], nu=s["mean_square"])
            step, state = optax.scale_by_stddev(self.rho, self.epsilon).update(g, state)
            out["mean_grad"] = state.mu
        else:
            step, state = optax.scale_by_rms(self.rho, self.epsilon).update(g, optax.ScaleByRmsState(s["mean_square"]))
        out["mean_square"] = state.nu
        step, trace = optax.trace(self.momentum).update(lr * step, optax.TraceState(s["momentum"]))
        return p - step, {**out, "momentum": trace.trace}


@dataclass(frozen=True)
class _Moments(Rule):
    """What Adam and its kin keep: two moments, and how many steps were made."""

    beta1: float
    beta2: float
    epsilon: float
    slots: ClassVar = {"moment1": 0.0, "moment2": 0.0}
    shared: ClassVar = {"count": ("int32", 0)}

    def moments(self, g: Any, s: Slots) -> dict[str, Any]:
        """The moments and the count after this gradient."""
        return {"moment1": self.beta1 * s["moment1"] + (1 - self.beta1) * g,
                "moment2": self.beta2 * s["moment2"] + (1 - self.beta2) * g * g, "count": s["count"] + 1}

    def adam(self, g: Any, s: Slots) -> tuple[Any, dict[str, Any]]:
        """optax's Adam direction."""
        state = optax.ScaleByAdamState(s["count"], s["moment1"], s["moment2"])
        step, new = optax.scale_by_adam(self.beta1, self.beta2, self.epsilon).update(g, state)
        return step, {"moment1": new.mu, "moment2": new.nu, "count": new.count}


@dataclass(frozen=True)
class Adam(_Moments):
    """Adam. With `decay` it is AdamW: the parameter shrinks by ``lr * decay`` of itself, apart from the gradient."""

    amsgrad: bool = False
    decay: float = 0.0
    slots: ClassVar = {"moment1": 0.0, "moment2": 0.0, "moment2_max": 0.0}

    def used_slots(self) -> dict[str, float | str]:
        return self.slots if self.amsgrad else _Moments.slots

    def __call__(self, p: Any, g: Any, s: Slots, lr: Any) -> tuple[Any, Slots]:
        if self.amsgrad:
            # optax.scale_by_amsgrad corrects the bias before taking the maximum, Paddle after it.
            out = self.moments(g, s)
            out["moment2_max"] = jnp.maximum(s["moment2_max"], out["moment2"])
            correct1, correct2 = _corrections(self, out["count"], p.dtype)
            step = (out["moment1"] / correct1) / (jnp.sqrt(out["moment2_max"] / correct2) + self.epsilon)
        else:
            step, out = self.adam(g, s)
        if self.decay:
            step, _ = optax.add_decayed_weights(self.decay).update(step, optax.EmptyState(), p)
        return p - lr * step, out


@dataclass(frozen=True)
class Adamax(_Moments):
    slots: ClassVar = {"moment": 0.0, "inf_norm": 0.0}

    def __call__(self, p: Any, g: Any, s: Slots, lr: Any) -> tuple[Any, Slots]:
        # optax.scale_by_adamax adds epsilon to the gradient's size, Paddle to the decayed norm.
        count = s["count"] + 1
        moment = self.beta1 * s["moment"] + (1 - self.beta1) * g
        norm = jnp.maximum(jnp.abs(g), self.beta2 * s["inf_norm"] + self.epsilon)
        correct = (1 - self.beta1**count).astype(p.dtype)
        return p - lr / correct * moment / norm, {"moment": moment, "inf_norm": norm, "count": count}


@dataclass(frozen=True)
class NAdam(_Moments):
    momentum_decay: float
    shared: ClassVar = {"count": ("int32", 0), "mu_product": ("float32", 1.0)}

    def __call__(self, p: Any, g: Any, s: Slots, lr: Any) -> tuple[Any, Slots]:
        # optax.nadam has no momentum schedule; this is Dozat's, which Paddle has.
        out = self.moments(g, s)
        count = out["count"]
        mu, mu_next = (self.beta1 * (1 - 0.5 * 0.96 ** (t * self.momentum_decay)) for t in (count, count + 1))
        product = s["mu_product"] * mu
        out["mu_product"] = product.astype(s["mu_product"].dtype)
        _, correct2 = _corrections(self, count, p.dtype)
        of_moment = (mu_next / (1 - product * mu_next)).astype(p.dtype)
        of_gradient = ((1 - mu) / (1 - product)).astype(p.dtype)
        step = of_moment * out["moment1"] + of_gradient * g
        return p - lr * step / (jnp.sqrt(out["moment2"] / correct2) + self.epsilon), out


@dataclass(frozen=True)
class RAdam(_Moments):
    def __call__(self, p: Any, g: Any, s: Slots, lr: Any) -> tuple[Any, Slots]:
        # optax.scale_by_radam adds epsilon to the corrected root, Paddle to the uncorrected one.
        out = self.moments(g, s)
        correct1, correct2 = _corrections(self, out["count"], p.dtype)
        length_limit = 2 / (1 - self.beta2) - 1
        length = length_limit - 2 * self.length(out["count"])
        rect = jnp.sqrt(jnp.maximum((length - 4) * (length - 2) * length_limit, 0.0)
                        / ((length_limit - 4) * (length_limit - 2) * length)).astype(p.dtype)
        step = out["moment1"] / correct1
        rectified = step * rect * jnp.sqrt(correct2) / (jnp.sqrt(out["moment2"]) + self.epsilon)
        return p - lr * jnp.where(length > 5, rectified, step), out

    def length(self, count: Any) -> Any:
        """``t * beta2**t / (1 - beta2**t)`` after t steps."""
        power = self.beta2**count
        return count * power / (1 - power)


@dataclass(frozen=True)
class Lamb(_Moments):
    decay: float
    always_adapt: bool

    def __call__(self, p: Any, g: Any, s: Slots, lr: Any) -> tuple[Any, Slots]:
        step, out = self.adam(g, s)
        if self.decay:
            step, _ = optax.add_decayed_weights(self.decay).update(step, optax.EmptyState(), p)
        if self.decay or self.always_adapt:
            step, _ = optax.scale_by_trust_ratio().update(step, optax.EmptyState(), p)
        return p - lr * step, out


@dataclass(frozen=True)
class Rprop(Rule):
    """Each element has a learning rate of its own, which grows while the gradient keeps its sign."""

    smallest: float
    largest: float
    shrink: float
    grow: float
    slots: ClassVar = {"prevs": 0.0, "learning_rates": 0.0}

    def first(self, name: str, p: Any, lr: Any) -> Any:
        return jnp.full(p.shape, lr if name == "learning_rates" else 0.0, p.dtype)

    def __call__(self, p: Any, g: Any, s: Slots, lr: Any) -> tuple[Any, Slots]:
        # optax.scale_by_rprop remembers the step instead of the gradient, and takes it one step later.
        turned = g * s["prevs"]
        factor = jnp.where(turned > 0, self.grow, jnp.where(turned < 0, self.shrink, 1.0)).astype(p.dtype)
        g = jnp.where(turned < 0, 0, g)
        rates = jnp.clip(s["learning_rates"] * factor, self.smallest, self.largest)
        return p - jnp.sign(g) * rates, {"prevs": g, "learning_rates": rates}


@dataclass(frozen=True)
class ASGD(Rule):
    """The mean of the last gradient of each of `batch_num` batches (stochastic average gradient)."""

    batch_num: int
    slots: ClassVar = {"d": 0.0, "y": 0.0}
    shared: ClassVar = {"m": ("int64", 0)}

    def first(self, name: str, p: Any, lr: Any) -> Any:
        return jnp.zeros((self.batch_num, *p.shape) if name == "y" else p.shape, p.dtype)

    def __call__(self, p: Any, g: Any, s: Slots, lr: Any) -> tuple[Any, Slots]:
        place = s["m"] % self.batch_num
        total = s["d"] - s["y"][place] + g
        seen = jnp.minimum(s["m"] + 1, self.batch_num).astype(p.dtype)
        return p - lr / seen * total, {"d": total, "y": s["y"].at[place].set(g), "m": s["m"] + 1}


def _corrections(rule: _Moments, count: Any, dtype: Any) -> tuple[Any, Any]:
    return (1 - rule.beta1**count).astype(dtype), (1 - rule.beta2**count).astype(dtype)
