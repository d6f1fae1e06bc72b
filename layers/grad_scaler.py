"""Loss scaling for float16: its state are cells and nothing waits for a value, so it converts with the whole step."""
from __future__ import annotations

import functools
from typing import Any

import jax.numpy as jnp

from kayax.bridge.cells import Storage, run_update, skip_updates_if
from kayax.bridge.tensor import Tensor, wrap
from kayax.spec.errors import ArgumentError


class GradScaler:
    """Scales a loss so that float16 gradients do not vanish, and skips the steps in which they overflow.

    init_loss_scaling: the first factor. incr_ratio, incr_every_n_steps: how much and after how many good steps in a row
    it grows. decr_ratio, decr_every_n_nan_or_inf: how much and after how many overflows in a row it shrinks.

    Unlike Paddle's, it works inside a converted step, and eagerly it never waits for the device: a skipped step is
    computed and its result dropped.
    """

    def __init__(self, enable: bool = True, init_loss_scaling: float = 65536.0, incr_ratio: float = 2.0,
                 decr_ratio: float = 0.5, incr_every_n_steps: int = 2000, decr_every_n_nan_or_inf: int = 1,
                 use_dynamic_loss_scaling: bool = True):
        if incr_ratio <= 1.0:
            raise ArgumentError(f"incr_ratio must be greater than 1, but got {incr_ratio}.")
        if decr_ratio >= 1.0:
            raise ArgumentError(f"decr_ratio must be less than 1, but got {decr_ratio}.")
        self._enable, self._dynamic = bool(enable), bool(use_dynamic_loss_scaling) and bool(enable)
        self._init, self._incr_ratio, self._decr_ratio = float(init_loss_scaling), incr_ratio, decr_ratio
        self._incr_every, self._decr_every = incr_every_n_steps, decr_every_n_nan_or_inf
        self._scale = Storage(jnp.float32(init_loss_scaling))
        self._good, self._bad = Storage(jnp.int32(0)), Storage(jnp.int32(0))
        self._found_inf = Storage(jnp.asarray(False))
        self._unscaled: set[int] = set()            # optimizers whose gradients are unscaled already in this step

    def scale(self, var: Tensor) -> Tensor:
        """The loss times the present factor."""
        return var * wrap(self._scale.array.astype(var.storage.array.dtype)) if self._enable else var

    def unscale_(self, optimizer: Any) -> None:
        """Divide the gradients of the optimizer's parameters by the factor, and note whether any is infinite or NaN."""
        if not self._enable:
            return
        if id(optimizer) in self._unscaled:
            raise RuntimeError("unscale_() was already called on this optimizer since the last update().")
        self._unscaled.add(id(optimizer))
        grads = [p.grad.storage for p in optimizer._parameter_list_flat() if p.grad is not None]
        run_update(_unscale, [self._found_inf, *grads], [self._scale], [])

    def step(self, optimizer: Any) -> None:
        """Unscale if that has not been done, then take the optimizer's step; an overflow leaves all as it was."""
        if not self._enable:
            optimizer.step()
            return
        if id(optimizer) not in self._unscaled:
            self.unscale_(optimizer)
        with skip_updates_if(self._found_inf.array):
            optimizer.step()

    def update(self) -> None:
        """Adjust the factor after a step."""
        if self._enable and self._dynamic:
            settings = (self._incr_ratio, self._decr_ratio, self._incr_every, self._decr_every)
            run_update(_updates(settings), [self._scale, self._good, self._bad, self._found_inf], [], [])
        elif self._enable:
            self._found_inf.array = jnp.asarray(False)
        self._unscaled.clear()

    def minimize(self, optimizer: Any, *args: Any, **kwargs: Any) -> tuple[None, list]:
        """`step` and `update` in one, after ``scaled_loss.backward()``."""
        self.step(optimizer)
        self.update()
        return None, []

    def is_enable(self) -> bool:
        """Whether losses are scaled at all."""
        return self._enable

    def is_use_dynamic_loss_scaling(self) -> bool:
        """Whether the factor follows overflows."""
        return self._dynamic

    def get_init_loss_scaling(self) -> float:
        """The first factor."""
        return self._init

    def set_init_loss_scaling(self, new_init_loss_scaling: float) -> None:
        """Start again from this factor."""
        self._init = float(new_init_loss_scaling)
        self._scale.array = jnp.float32(new_init_loss_scaling)

    def get_incr_ratio(self) -> float:
        """What the factor grows by."""
        return self._incr_ratio

    def set_incr_ratio(self, new_incr_ratio: float) -> None:
        """Set what the factor grows by, greater than 1."""
        if new_incr_ratio <= 1.0:
            raise ArgumentError(f"incr_ratio must be greater than 1, but got {new_incr_ratio}.")
        self._incr_ratio = new_incr_ratio

    def get_decr_ratio(self) -> float:
        """What the factor shrinks by."""
        return self._decr_ratio

    def set_decr_ratio(self, new_decr_ratio: float) -> None:
        """Set what the factor shrinks by, less than 1."""
        if new_decr_ratio >= 1.0:
            raise ArgumentError(f"decr_ratio must be less than 1, but got {new_decr_ratio}.")
        self._decr_ratio = new_decr_ratio

    def get_incr_every_n_steps(self) -> int:
        """How many good steps in a row make the factor grow."""
        return self._incr_every

    def set_incr_every_n_steps(self, new_incr_every_n_steps: int) -> None:
        """Set how many good steps in a row make the factor grow."""
        self._incr_every = new_incr_every_n_steps

    def get_decr_every_n_nan_or_inf(self) -> int:
        """How many overflows in a row make the factor shrink."""
        return self._decr_every

    def set_decr_every_n_nan_or_inf(self, new_decr_every_n_nan_or_inf: int) -> None:
        """Set how many overflows in a row make the factor shrink."""
        self._decr_every = new_decr_every_n_nan_or_inf

    def state_dict(self) -> dict[str, Any]:
        """The factor and the counts; empty if disabled."""
        if not self._enable:
            return {}
        return {"scale": wrap(self._scale.array).numpy(), "incr_ratio": self._incr_ratio,
                "decr_ratio": self._decr_ratio, "incr_every_n_steps": self._incr_every,
                "decr_every_n_nan_or_inf": self._decr_every, "incr_count": int(wrap(self._good.array)),
                "decr_count": int(wrap(self._bad.array)),
                "use_dynamic_loss_scaling": self._dynamic}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave."""
        if not self._enable:
            return
        if not state_dict:
            raise RuntimeError("The state is empty: it was saved by a disabled GradScaler.")
        self.set_init_loss_scaling(float(jnp.asarray(state_dict["scale"]).reshape(())))
        self._incr_ratio, self._decr_ratio = state_dict["incr_ratio"], state_dict["decr_ratio"]
        self._incr_every, self._decr_every = state_dict["incr_every_n_steps"], state_dict["decr_every_n_nan_or_inf"]
        self._good.array, self._bad.array = jnp.int32(state_dict["incr_count"]), jnp.int32(state_dict["decr_count"])
        self._dynamic = state_dict["use_dynamic_loss_scaling"]


AmpScaler = GradScaler


def _unscale(written: list[Any], read: list[Any], _: list[Any]) -> list[Any]:
    found, *grads = written
    inverse = 1.0 / read[0]
    new = [(g * inverse.astype(jnp.float32)).astype(g.dtype) for g in grads]
    for g in new:
        found = found | ~jnp.isfinite(g).all()
    return [found, *new]


@functools.lru_cache(maxsize=64)
def _updates(settings: tuple) -> Any:
    """The rule for the factor with these settings: one function for equal settings, so it is compiled once."""
    return lambda written, read, grads: _update(settings, written)


def _update(settings: tuple, written: list[Any]) -> list[Any]:
    incr_ratio, decr_ratio, incr_every, decr_every = settings
    scale, good, bad, found = written
    good, bad = jnp.where(found, 0, good + 1), jnp.where(found, bad + 1, 0)
    grow, shrink = good == incr_every, bad == decr_every
    grown = jnp.where(jnp.isfinite(scale * incr_ratio), scale * incr_ratio, scale)
    scale = jnp.where(shrink, jnp.maximum(scale * decr_ratio, 1.0), jnp.where(grow, grown, scale)).astype(jnp.float32)
    return [scale, jnp.where(grow, 0, good).astype(jnp.int32), jnp.where(shrink, 0, bad).astype(jnp.int32),
            jnp.zeros_like(found)]
