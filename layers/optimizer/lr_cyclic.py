"""Learning rates that go up and down: cosine annealing, one cycle, cyclic, warm restarts."""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from kayax.layers.optimizer.lr_base import LRScheduler, require, require_type


class CosineAnnealingDecay(LRScheduler):
    """``eta_min + (lr - eta_min) * (1 + cos(pi * t / T_max)) / 2``, of "SGDR" (Loshchilov and Hutter), no restarts.

    `step()` computes each rate from the one before, as Paddle does; `step(epoch)` uses the formula.
    """

    def __init__(self, learning_rate: float, T_max: int, eta_min: float = 0, last_epoch: int = -1,
                 verbose: bool = False):
        require_type(T_max, int, "T_max")
        require_type(eta_min, (float, int), "eta_min")
        require(T_max > 0, f"T_max must be positive, but got {T_max}.", AssertionError)
        self.T_max, self.eta_min = T_max, float(eta_min)
        super().__init__(learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        if self.last_epoch == 0:
            return self.base_lr
        if (self.last_epoch - 1 - self.T_max) % (2 * self.T_max) == 0:
            return self.last_lr + (self.base_lr - self.eta_min) * (1 - math.cos(math.pi / self.T_max)) / 2
        now, before = (1 + math.cos(math.pi * t / self.T_max) for t in (self.last_epoch, self.last_epoch - 1))
        return now / before * (self.last_lr - self.eta_min) + self.eta_min

    def _get_closed_form_lr(self) -> float:
        height = (1 + math.cos(math.pi * self.last_epoch / self.T_max)) / 2
        return self.eta_min + (self.base_lr - self.eta_min) * height


class CosineAnnealingWarmRestarts(LRScheduler):
    """Cosine annealing from `lr` to `eta_min` over `T_0` epochs, then over ``T_0 * T_mult``, and so on ("SGDR")."""

    T_i: float
    T_cur: float

    def __init__(self, learning_rate: float, T_0: int, T_mult: int = 1, eta_min: float = 0, last_epoch: int = -1,
                 verbose: bool = False):
        require(isinstance(T_0, int) and T_0 > 0, f"T_0 must be a positive integer, but got {T_0!r}.")
        require(isinstance(T_mult, int) and T_mult >= 1, f"T_mult must be a positive integer, but got {T_mult!r}.")
        self.T_0, self.T_i, self.T_mult, self.eta_min, self.T_cur = T_0, T_0, T_mult, eta_min, last_epoch
        super().__init__(learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        height = (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
        return self.eta_min + (self.base_lr - self.eta_min) * height

    def step(self, epoch: int | float | None = None) -> None:
        """Move on by one epoch, or to `epoch`, which may be a fraction, and set the new learning rate."""
        self._forbid_tracing()
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is None:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur -= self.T_i
                self.T_i *= self.T_mult
        else:
            require(epoch >= 0, f"epoch must not be negative, but got {epoch}.")
            self.T_cur, self.T_i = self._place(epoch)
        self.last_epoch = math.floor(epoch)
        self.last_lr = self.get_lr()
        self._tell()

    def set_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a saved state. The place within the period is found again; in Paddle it is lost."""
        super().set_state_dict(state_dict)
        self.T_cur, self.T_i = self._place(self.last_epoch)

    set_dict = set_state_dict

    def _place(self, epoch: float) -> tuple[float, int]:
        """How far epoch lies within its period, and the period's length."""
        if epoch < self.T_0:
            return epoch, self.T_0
        if self.T_mult == 1:
            return epoch % self.T_0, self.T_0
        n = int(math.log(epoch / self.T_0 * (self.T_mult - 1) + 1, self.T_mult))
        return epoch - self.T_0 * (self.T_mult**n - 1) / (self.T_mult - 1), self.T_0 * self.T_mult**n


def _cosine(start: float, end: float, part: float) -> float:
    return end + (start - end) / 2.0 * (math.cos(math.pi * part) + 1)


def _linear(start: float, end: float, part: float) -> float:
    return (end - start) * part + start


_ANNEALING = {"cos": _cosine, "linear": _linear}


class OneCycleLR(LRScheduler):
    """Up to `max_learning_rate` and down again over `total_steps`, of "Super-Convergence" (Smith and Topin).

    divide_factor: the rate starts at ``max_learning_rate / divide_factor``. end_learning_rate: the last rate.
    phase_pct: the part of the steps in which it rises. anneal_strategy: "cos" or "linear". three_phase: fall to the
    first rate in as many steps as it rose, then to the last.
    """

    def __init__(self, max_learning_rate: float, total_steps: int, divide_factor: float = 25.0,
                 end_learning_rate: float = 0.0001, phase_pct: float = 0.3, anneal_strategy: str = "cos",
                 three_phase: bool = False, last_epoch: int = -1, verbose: bool = False):
        for name, value in (("max_learning_rate", max_learning_rate), ("divide_factor", divide_factor),
                            ("end_learning_rate", end_learning_rate)):
            require_type(value, (float, int), name)
            require(value >= 0 if name != "divide_factor" else value != 0, f"{name} must be positive, but got {value}.")
        require_type(total_steps, int, "total_steps")
        require(total_steps > 0, f"total_steps must be positive, but got {total_steps}.")
        require_type(phase_pct, float, "phase_pct")
        require(0 <= phase_pct <= 1, f"phase_pct must lie between 0 and 1, but got {phase_pct}.")
        require(anneal_strategy in _ANNEALING,
                f"anneal_strategy must be 'cos' or 'linear', but got {anneal_strategy!r}.")
        require(not three_phase or phase_pct < 0.5,
                f"With three_phase=True, phase_pct must be less than 0.5, but got {phase_pct}.")
        self.total_steps, self.anneal_func = total_steps, _ANNEALING[anneal_strategy]
        first = max_learning_rate / float(divide_factor)
        top = float(phase_pct * total_steps) - 1
        ends = [top, float(2 * phase_pct * total_steps) - 2, total_steps - 1] if three_phase else [top, total_steps - 1]
        rates = [first, max_learning_rate, first, end_learning_rate] if three_phase else [
            first, max_learning_rate, end_learning_rate]
        # Each phase: where it starts and ends, and the rates there.
        self._phases = list(zip([0, *ends], ends, rates, rates[1:]))
        super().__init__(first, last_epoch, verbose)

    def get_lr(self) -> float:
        t = self.last_epoch
        require(t <= self.total_steps, f"step() was called {t} times, but total_steps is {self.total_steps}.")
        for phase in self._phases:
            start, end, first, last = phase
            if t <= end or phase is self._phases[-1]:
                break
        return self.anneal_func(first, last, (t - start) / (end - start))


class CyclicLR(LRScheduler):
    """From `base_learning_rate` up to `max_learning_rate` in `step_size_up` steps, down in `step_size_down`, and again.

    mode: "triangular" (the same height always), "triangular2" (half the height each cycle) or "exp_range" (the height
    times ``exp_gamma**iteration``). scale_fn: replaces the mode, a function of the cycle (from 1) or, with scale_mode
    "iterations", of the step. Of "Cyclical Learning Rates" (Smith).
    """

    def __init__(self, base_learning_rate: float, max_learning_rate: float, step_size_up: int,
                 step_size_down: int | None = None, mode: str = "triangular", exp_gamma: float = 1.0,
                 scale_fn: Callable[[float], float] | None = None, scale_mode: str = "cycle", last_epoch: int = -1,
                 verbose: bool = False):
        require_type(max_learning_rate, (float, int), "max_learning_rate")
        require(max_learning_rate >= 0, f"max_learning_rate must be positive, but got {max_learning_rate}.")
        step_size_down = step_size_up if step_size_down is None else step_size_down
        for name, steps in (("step_size_up", step_size_up), ("step_size_down", step_size_down)):
            require_type(steps, int, name)
            require(steps > 0, f"{name} must be positive, but got {steps}.")
        require_type(exp_gamma, float, "exp_gamma")
        require(scale_fn is not None or mode in ("triangular", "triangular2", "exp_range"),
                f"mode must be 'triangular', 'triangular2' or 'exp_range' when there is no scale_fn, but got {mode!r}.")
        require(scale_mode in ("cycle", "iterations"),
                f"scale_mode must be 'cycle' or 'iterations', but got {scale_mode!r}.")
        require(scale_fn is None or callable(scale_fn), "scale_fn must be a function of one number.", TypeError)
        self.cycle_size = float(step_size_up + step_size_down)
        self.step_up_pct = step_size_up / self.cycle_size
        self.max_lr = float(max_learning_rate)
        self.amplitude = self.max_lr - base_learning_rate
        self.mode, self.gamma, self.scale_fn = mode, exp_gamma, scale_fn
        self.scale_mode = scale_mode if scale_fn is not None or mode != "exp_range" else "iterations"
        super().__init__(base_learning_rate, last_epoch, verbose)

    def _scale(self, x: float) -> float:
        if self.scale_fn is not None:
            return self.scale_fn(x)
        return {"triangular": 1.0, "triangular2": 1 / (2.0 ** (x - 1)), "exp_range": self.gamma**x}[self.mode]

    def get_lr(self) -> float:
        cycle = 1 + self.last_epoch // self.cycle_size
        part = 1.0 + self.last_epoch / self.cycle_size - cycle
        up = self.step_up_pct
        height = part / up if part <= up else (1 - part) / (1 - up)
        x = cycle if self.scale_mode == "cycle" else self.last_epoch
        return self.base_lr + self.amplitude * height * self._scale(x)
