"""Learning rates that fall with the epoch by a formula. `t` is the epoch, `lr` the rate given at the start."""
from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

from kayax.layers.optimizer.lr_base import LRScheduler, require, require_callable, require_type


class NoamDecay(LRScheduler):
    """``lr * d_model**-0.5 * min(t**-0.5, t * warmup_steps**-1.5)``, of "Attention Is All You Need".

    d_model: the width of the model. warmup_steps: after so many steps the rate is highest.
    """

    def __init__(self, d_model: int, warmup_steps: int, learning_rate: float = 1.0, last_epoch: int = -1,
                 verbose: bool = False):
        require(d_model > 0, f"d_model must be positive, but got {d_model}.")
        self.d_model, self.warmup_steps = d_model, warmup_steps
        super().__init__(learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        falling = 1 if self.last_epoch == 0 else self.last_epoch**-0.5
        rising = self.warmup_steps**-1.5 * self.last_epoch
        return self.base_lr * self.d_model**-0.5 * min(falling, rising)


class PiecewiseDecay(LRScheduler):
    """``values[i]`` between the boundaries ``boundaries[i - 1] <= t < boundaries[i]``.

    boundaries: increasing epochs. values: one learning rate more than there are boundaries.
    """

    def __init__(self, boundaries: Sequence[int], values: Sequence[float], last_epoch: int = -1, verbose: bool = False):
        require(len(boundaries) > 0, "boundaries must not be empty.")
        require(len(values) > len(boundaries), "values must have one element more than boundaries, but there are "
                f"{len(values)} values and {len(boundaries)} boundaries.")
        self.boundaries, self.values = boundaries, values
        super().__init__(last_epoch=last_epoch, verbose=verbose)

    def get_lr(self) -> float:
        for boundary, value in zip(self.boundaries, self.values):
            if self.last_epoch < boundary:
                return value
        return self.values[len(self.values) - 1]


class NaturalExpDecay(LRScheduler):
    """``lr * exp(-gamma * t)``, gamma positive."""

    def __init__(self, learning_rate: float, gamma: float, last_epoch: int = -1, verbose: bool = False):
        require(gamma > 0.0, f"gamma must be positive, or the rate would not decay, but got {gamma}.", AssertionError)
        self.gamma = gamma
        super().__init__(learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        return self.base_lr * math.exp(-self.gamma * self.last_epoch)


class InverseTimeDecay(LRScheduler):
    """``lr / (1 + gamma * t)``."""

    def __init__(self, learning_rate: float, gamma: float, last_epoch: int = -1, verbose: bool = False):
        self.gamma = gamma
        super().__init__(learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        return self.base_lr / (1 + self.gamma * self.last_epoch)


class PolynomialDecay(LRScheduler):
    """``(lr - end_lr) * (1 - t / decay_steps)**power + end_lr``, and `end_lr` after `decay_steps`.

    With `cycle` the rate rises again instead, each time over a multiple of `decay_steps`.
    """

    def __init__(self, learning_rate: float, decay_steps: int, end_lr: float = 0.0001, power: float = 1.0,
                 cycle: bool = False, last_epoch: int = -1, verbose: bool = False):
        require(isinstance(decay_steps, int) and decay_steps > 0,
                f"decay_steps must be a positive integer, but got {decay_steps!r}.", AssertionError)
        require(power > 0.0, f"power must be positive, or the rate would not decay, but got {power}.", AssertionError)
        self.decay_steps, self.end_lr, self.power, self.cycle = decay_steps, end_lr, power, cycle
        super().__init__(learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        epoch, steps = self.last_epoch, self.decay_steps
        if self.cycle:
            steps *= math.ceil(epoch / steps) if epoch else 1
        else:
            epoch = min(epoch, steps)
        return (self.base_lr - self.end_lr) * ((1 - float(epoch) / float(steps)) ** self.power) + self.end_lr


class LinearWarmup(LRScheduler):
    """From `start_lr` to `end_lr` in equal steps over `warmup_steps`, then another learning rate.

    learning_rate: what comes afterwards, a float or a scheduler, which is stepped along.
    """

    def __init__(self, learning_rate: float | LRScheduler, warmup_steps: int, start_lr: float, end_lr: float,
                 last_epoch: int = -1, verbose: bool = False):
        if not isinstance(learning_rate, (int, float, LRScheduler)):
            raise TypeError(f"learning_rate must be a float or an LRScheduler, but got {type(learning_rate).__name__}.")
        require(isinstance(warmup_steps, int) and warmup_steps > 0,
                f"warmup_steps must be a positive integer, but got {warmup_steps!r}.", AssertionError)
        require(end_lr > start_lr, f"end_lr must be greater than start_lr, but got {end_lr} and {start_lr}.",
                AssertionError)
        self.learning_rate, self.warmup_steps = learning_rate, warmup_steps
        self.start_lr, self.end_lr = start_lr, end_lr
        super().__init__(start_lr, last_epoch, verbose)

    def get_lr(self) -> float:
        if self.last_epoch < self.warmup_steps:
            return (self.end_lr - self.start_lr) * float(self.last_epoch) / float(self.warmup_steps) + self.start_lr
        if isinstance(self.learning_rate, LRScheduler):
            self.learning_rate.step(self.last_epoch - self.warmup_steps)
            return self.learning_rate()
        return self.learning_rate

    def state_dict(self) -> dict[str, Any]:
        """What is needed to go on from here, with the inner scheduler's state under "LinearWarmup_LR"."""
        state = super().state_dict()
        if isinstance(self.learning_rate, LRScheduler):
            state["LinearWarmup_LR"] = self.learning_rate.state_dict()
        return state

    def set_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a saved state, the inner scheduler too."""
        own = dict(state_dict)
        if isinstance(self.learning_rate, LRScheduler):
            require("LinearWarmup_LR" in own, "The state of this LinearWarmup needs 'LinearWarmup_LR', that of its "
                    f"inner scheduler, but it holds {list(own)}.", RuntimeError)
            self.learning_rate.set_state_dict(own.pop("LinearWarmup_LR"))
        super().set_state_dict(own)

    set_dict = set_state_dict


class ExponentialDecay(LRScheduler):
    """``lr * gamma**t``, gamma between 0 and 1."""

    def __init__(self, learning_rate: float, gamma: float, last_epoch: int = -1, verbose: bool = False):
        require(0.0 < gamma < 1.0, f"gamma must lie between 0 and 1, or the rate would not decay, but got {gamma}.",
                AssertionError)
        self.gamma = gamma
        super().__init__(learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        return self.base_lr * self.gamma**self.last_epoch


class MultiStepDecay(LRScheduler):
    """``lr * gamma**n``, where n of the milestones have been reached. milestones: increasing epochs; gamma < 1."""

    def __init__(self, learning_rate: float, milestones: Sequence[int], gamma: float = 0.1, last_epoch: int = -1,
                 verbose: bool = False):
        require_type(milestones, (tuple, list), "milestones")
        require(all(a < b for a, b in itertools.pairwise(milestones)),
                f"milestones must be increasing, but got {list(milestones)}.")
        require(gamma < 1.0, f"gamma must be less than 1, but got {gamma}.")
        self.milestones, self.gamma = milestones, gamma
        super().__init__(learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        return self.base_lr * self.gamma ** bisect.bisect_right(self.milestones, self.last_epoch)


class StepDecay(LRScheduler):
    """``lr * gamma**(t // step_size)``, gamma less than 1."""

    def __init__(self, learning_rate: float, step_size: int, gamma: float = 0.1, last_epoch: int = -1,
                 verbose: bool = False):
        require_type(step_size, int, "step_size")
        require(gamma < 1.0, f"gamma must be less than 1, but got {gamma}.")
        require(step_size > 0, f"step_size must be positive, but got {step_size}.", AssertionError)
        self.step_size, self.gamma = step_size, gamma
        super().__init__(learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        return self.base_lr * self.gamma ** (self.last_epoch // self.step_size)


class LambdaDecay(LRScheduler):
    """``lr * lr_lambda(t)``."""

    def __init__(self, learning_rate: float, lr_lambda: Callable[[int], float], last_epoch: int = -1,
                 verbose: bool = False):
        require_callable(lr_lambda, "lr_lambda")
        self.lr_lambda = lr_lambda
        super().__init__(learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        return self.base_lr * self.lr_lambda(self.last_epoch)


class MultiplicativeDecay(LRScheduler):
    """``lr * lr_lambda(1) * ... * lr_lambda(t)``."""

    def __init__(self, learning_rate: float, lr_lambda: Callable[[int], float], last_epoch: int = -1,
                 verbose: bool = False):
        require_callable(lr_lambda, "lr_lambda")
        self.lr_lambda = lr_lambda
        super().__init__(learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        rate = self.base_lr
        for epoch in range(1, self.last_epoch + 1):
            rate *= self.lr_lambda(epoch)
        return rate


class LinearLR(LRScheduler):
    """`lr` times a factor that goes in equal steps from `start_factor` to `end_factor` over `total_steps`.

    It computes each rate from the one before, as Paddle does: step through the epochs in order.
    """

    def __init__(self, learning_rate: float, total_steps: int, start_factor: float = 1.0 / 3, end_factor: float = 1.0,
                 last_epoch: int = -1, verbose: bool = False):
        require(0 < start_factor <= 1, f"start_factor must lie between 0 and 1, but got {start_factor}.")
        require(0 <= end_factor <= 1, f"end_factor must lie between 0 and 1, but got {end_factor}.")
        require(total_steps > 0, f"total_steps must be positive, but got {total_steps}.")
        self.start_factor, self.end_factor, self.total_steps = start_factor, end_factor, total_steps
        super().__init__(learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        if self.last_epoch == 0:
            return self.base_lr * self.start_factor
        if self.last_epoch > self.total_steps:
            return self.last_lr
        rise = self.end_factor - self.start_factor
        before = self.total_steps * self.start_factor + (self.last_epoch - 1) * rise
        return self.last_lr * (1.0 + rise / before)
