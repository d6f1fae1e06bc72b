"""A learning rate that falls when a metric no longer gets better."""
from __future__ import annotations

from typing import Any

import numpy as np

from kayax.bridge.tensor import Tensor
from kayax.layers.optimizer.lr_base import LRScheduler, require, require_type


class ReduceOnPlateau(LRScheduler):
    """Multiply the learning rate by `factor` when a metric has not got better for more than `patience` epochs.

    mode: "min" if smaller is better, "max" if larger is. threshold: by how much it must be better, relative to the best
    (threshold_mode "rel") or absolute ("abs"). cooldown: epochs to wait after a reduction. min_lr: the lowest rate.
    epsilon: smaller changes of the rate are not made.
    """

    def __init__(self, learning_rate: float, mode: str = "min", factor: float = 0.1, patience: int = 10,
                 threshold: float = 1e-4, threshold_mode: str = "rel", cooldown: int = 0, min_lr: float = 0,
                 epsilon: float = 1e-8, verbose: bool = False):
        require(mode in ("min", "max"), f"mode must be 'min' or 'max', but got {mode!r}.")
        require(factor < 1.0, f"factor must be less than 1, or the rate would not fall, but got {factor}.")
        require(threshold_mode in ("rel", "abs"), f"threshold_mode must be 'rel' or 'abs', but got {threshold_mode!r}.")
        require_type(learning_rate, (float, int), "learning_rate")
        self.mode, self.factor, self.patience, self.cooldown = mode, factor, patience, cooldown
        self.threshold, self.threshold_mode = threshold, threshold_mode
        self.min_lr, self.epsilon = min_lr, epsilon
        self.cooldown_counter = self.num_bad_epochs = 0
        self.best: float | None = None
        self._start(learning_rate, 0, verbose)

    def state_keys(self) -> None:
        self.keys = ["cooldown_counter", "best", "num_bad_epochs", "last_epoch", "last_lr"]

    def step(self, metrics: Any, epoch: int | None = None) -> None:  # type: ignore[override]
        """Move on by one epoch, or to `epoch`, given its metric: a number, or a Tensor or array of one element."""
        self._forbid_tracing()
        value = _number(metrics)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            return
        if self.best is None or self._is_better(value, self.best):
            self.best, self.num_bad_epochs = value, 0
        else:
            self.num_bad_epochs += 1
        if self.num_bad_epochs > self.patience:
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
            rate = max(self.last_lr * self.factor, self.min_lr)
            if self.last_lr - rate > self.epsilon:
                self.last_lr = rate
                self._tell()

    def _is_better(self, current: float, best: float) -> bool:
        sign = -1 if self.mode == "min" else 1
        margin = best * self.threshold if self.threshold_mode == "rel" else self.threshold
        return current > best + margin if sign > 0 else current < best - margin


def _number(metrics: Any) -> float:
    if isinstance(metrics, (Tensor, np.ndarray, np.generic)):
        array = metrics.numpy() if isinstance(metrics, Tensor) else np.asarray(metrics)
        require(array.size == 1, f"metrics must have one element, but has the shape {list(array.shape)}. Take its mean "
                "first (paddle.mean).", AssertionError)
        return float(array.reshape(()))
    require(isinstance(metrics, (int, float)) and not isinstance(metrics, bool),
            f"metrics must be a number, or a Tensor or array of one element, but got {type(metrics).__name__}.",
            TypeError)
    return float(metrics)
