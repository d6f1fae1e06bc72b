"""Callbacks: what happens around the epochs and batches of `Model.fit`, `evaluate` and `predict`."""
from __future__ import annotations

import numbers
import os
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from kayax.optimizer import lr

_MODES = ("train", "eval", "predict")


class Callback:
    """The base of callbacks: override what you need.

    `self.model` is the Model, `self.params` a dict with "epochs", "steps", "verbose", "metrics" and "batch_size".
    `logs` holds the values so far by name ("loss" is a list), "step" and "batch_size". Epochs and steps count from 0.
    """

    def __init__(self) -> None:
        self.model: Any = None
        self.params: dict[str, Any] = {}

    def set_params(self, params: dict[str, Any]) -> None:
        """Take over the facts of the run."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Take over the Model."""
        self.model = model

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Before training."""

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """After training."""

    def on_eval_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Before each evaluation; `logs` holds "steps" and "metrics"."""

    def on_eval_end(self, logs: dict[str, Any] | None = None) -> None:
        """After each evaluation."""

    def on_predict_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Before predicting."""

    def on_predict_end(self, logs: dict[str, Any] | None = None) -> None:
        """After predicting."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Before each epoch of training."""

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """After each epoch of training, before the evaluation."""

    def on_train_batch_begin(self, step: int, logs: dict[str, Any] | None = None) -> None:
        """Before each batch of training."""

    def on_train_batch_end(self, step: int, logs: dict[str, Any] | None = None) -> None:
        """After each batch of training."""

    def on_eval_batch_begin(self, step: int, logs: dict[str, Any] | None = None) -> None:
        """Before each batch of an evaluation."""

    def on_eval_batch_end(self, step: int, logs: dict[str, Any] | None = None) -> None:
        """After each batch of an evaluation."""

    def on_predict_batch_begin(self, step: int, logs: dict[str, Any] | None = None) -> None:
        """Before each batch to predict."""

    def on_predict_batch_end(self, step: int, logs: dict[str, Any] | None = None) -> None:
        """After each batch to predict."""

    def _reads_logs(self, mode: str, step: int) -> bool:
        """Whether this callback may look at the values after a batch: they are brought from the device only then."""
        return overrides(self, Callback, mode)


def overrides(callback: Callback, base: type, mode: str) -> bool:
    """Whether a callback does something at batches that `base` does not."""
    names = (f"on_{mode}_batch_begin", f"on_{mode}_batch_end")
    return any(getattr(getattr(callback, n), "__func__", None) is not getattr(base, n) for n in names)


class CallbackList:
    """Several callbacks as one, in their order."""

    def __init__(self, callbacks: Sequence[Any]):
        self.callbacks = list(callbacks)

    def append(self, callback: Any) -> None:
        """Add one at the end."""
        self.callbacks.append(callback)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.callbacks)

    def set_params(self, params: dict[str, Any]) -> None:
        """Tell all the facts of the run."""
        self._call("set_params", params)

    def set_model(self, model: Any) -> None:
        """Tell all the Model."""
        self._call("set_model", model)

    def read_logs(self, mode: str, step: int) -> bool:
        """Whether one of them may look at the values after this batch."""
        return any(not isinstance(c, Callback) or c._reads_logs(mode, step) for c in self.callbacks)

    def on_begin(self, mode: str, logs: dict[str, Any] | None = None) -> None:
        """Before training ("train"), an evaluation ("eval") or predicting ("predict")."""
        self._call(f"on_{_checked(mode)}_begin", logs)

    def on_end(self, mode: str, logs: dict[str, Any] | None = None) -> None:
        """After it."""
        self._call(f"on_{_checked(mode)}_end", logs)

    def on_epoch_begin(self, epoch: int | None = None, logs: dict[str, Any] | None = None) -> None:
        """Before an epoch of training."""
        self._call("on_epoch_begin", epoch, logs)

    def on_epoch_end(self, epoch: int | None = None, logs: dict[str, Any] | None = None) -> None:
        """After an epoch of training."""
        self._call("on_epoch_end", epoch, logs)

    def on_batch_begin(self, mode: str, step: int | None = None, logs: dict[str, Any] | None = None) -> None:
        """Before a batch."""
        self._call(f"on_{_checked(mode)}_batch_begin", step, logs)

    def on_batch_end(self, mode: str, step: int | None = None, logs: dict[str, Any] | None = None) -> None:
        """After a batch."""
        self._call(f"on_{_checked(mode)}_batch_end", step, logs)

    def _call(self, name: str, *args: Any) -> None:
        for callback in self.callbacks:
            getattr(callback, name)(*args)


def _checked(mode: str) -> str:
    if mode not in _MODES:
        raise AssertionError(f"mode must be one of {', '.join(_MODES)}, but got {mode!r}.")
    return mode


def config_callbacks(callbacks: Any = None, model: Any = None, batch_size: int | None = None,
                     epochs: int | None = None, steps: int | None = None, log_freq: int = 2, verbose: int = 2,
                     save_freq: int = 1, save_dir: str | None = None, metrics: list[str] | None = None,
                     mode: str = "train") -> CallbackList:
    """The user's callbacks with the standard ones that are missing: a progress bar, checkpoints, learning rates."""
    from kayax.hapi.progress import ProgBarLogger
    found = list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks] if callbacks else []
    if verbose and not any(isinstance(c, ProgBarLogger) for c in found):
        found.insert(0, ProgBarLogger(log_freq, verbose=verbose))
    if not any(isinstance(c, ModelCheckpoint) for c in found):
        found.append(ModelCheckpoint(save_freq, save_dir))
    if not any(isinstance(c, LRScheduler) for c in found):
        found.append(LRScheduler())
    for callback in found:
        if isinstance(callback, EarlyStopping):
            callback.save_dir = save_dir
    listeners = CallbackList(found)
    listeners.set_model(model)
    listeners.set_params({"batch_size": batch_size, "epochs": epochs, "steps": steps, "verbose": verbose,
                          "metrics": (metrics or []) if mode != "test" else []})
    return listeners


class ModelCheckpoint(Callback):
    """Saves the model as ``save_dir/<epoch>`` every `save_freq` epochs, and as ``save_dir/final`` at the end."""

    def __init__(self, save_freq: int = 1, save_dir: str | None = None):
        super().__init__()
        self.save_freq, self.save_dir = save_freq, save_dir

    def on_epoch_begin(self, epoch: int | None = None, logs: dict[str, Any] | None = None) -> None:
        """Note the epoch."""
        self.epoch = epoch

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Save, if it is time."""
        if epoch % self.save_freq == 0:
            self._save(str(epoch))

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Save the end."""
        self._save("final")

    def _save(self, name: str) -> None:
        if self.model and self.save_dir:
            path = f"{self.save_dir}/{name}"
            print(f"save checkpoint at {os.path.abspath(path)}")
            self.model.save(path)


class LRScheduler(Callback):
    """Steps the optimizer's learning-rate scheduler, if it has one, after each batch or after each epoch."""

    def __init__(self, by_step: bool = True, by_epoch: bool = False):
        super().__init__()
        if by_step and by_epoch:
            raise ValueError("LRScheduler steps by_step or by_epoch, not both.")
        self.by_step, self.by_epoch = by_step, by_epoch

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Step, if by epoch."""
        if self.by_epoch:
            self._step()

    def on_train_batch_end(self, step: int, logs: dict[str, Any] | None = None) -> None:
        """Step, if by batch."""
        if self.by_step:
            self._step()

    def _step(self) -> None:
        schedule = getattr(self.model._optimizer, "_learning_rate", None)
        if isinstance(schedule, lr.LRScheduler):
            schedule.step()

    def _reads_logs(self, mode: str, step: int) -> bool:
        return overrides(self, LRScheduler, mode)


def _mode_of(name: str, mode: str) -> str:
    if mode in ("auto", "min", "max"):
        return mode
    warnings.warn(f"{name} knows the modes auto, min and max, but got {mode!r}: it takes auto.", stacklevel=4)
    return "auto"


def _monitored(name: str, monitor: str, logs: dict[str, Any] | None) -> Any:
    """The value to look at after an evaluation: a number, or None."""
    if logs is None or monitor not in logs:
        warnings.warn(f"{name} monitors {monitor!r}, but the evaluation gives {sorted(logs or ())}.", stacklevel=4)
        return None
    value = logs[monitor]
    value = value[0] if isinstance(value, (list, tuple)) else value
    return value if isinstance(value, numbers.Number) else None


class EarlyStopping(Callback):
    """Stops training when an evaluation's value has not improved for `patience` evaluations.

    monitor: "loss" or a metric's name. mode: "min", "max", or "auto" (max for names with "acc"). min_delta: the least
    change that counts. baseline: the value to beat from the start. save_best_model: save the best as
    ``save_dir/best_model``, if `fit` has a save_dir.
    """

    def __init__(self, monitor: str = "loss", mode: str = "auto", patience: int = 0, verbose: int = 1,
                 min_delta: float = 0, baseline: float | None = None, save_best_model: bool = True):
        super().__init__()
        mode = _mode_of("EarlyStopping", mode)
        self.monitor, self.patience, self.verbose, self.baseline = monitor, patience, verbose, baseline
        self.wait_epoch = self.stopped_epoch = 0
        self.best_weights = None
        self.save_best_model = save_best_model
        self.save_dir: str | None = None
        self.best_value: Any = baseline
        larger = mode == "max" or (mode == "auto" and "acc" in monitor)
        self.monitor_op = np.greater if larger else np.less
        self.min_delta = abs(min_delta) if larger else -abs(min_delta)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Start afresh."""
        self.wait_epoch = 0
        self.best_value = self.baseline
        if self.best_value is None:
            self.best_value = np.inf if self.monitor_op is np.less else -np.inf

    def on_eval_end(self, logs: dict[str, Any] | None = None) -> None:
        """Compare with the best so far."""
        current = _monitored("EarlyStopping", self.monitor, logs)
        if current is None:
            return
        saving = self.save_best_model and self.save_dir is not None
        if self.monitor_op(current - self.min_delta, self.best_value):
            self.best_value, self.wait_epoch = current, 0
            if saving:
                self.model.save(os.path.join(str(self.save_dir), "best_model"))
        else:
            self.wait_epoch += 1
        if self.wait_epoch >= self.patience:
            self.model.stop_training = True
            if self.verbose > 0:
                print(f"Epoch {self.stopped_epoch + 1}: Early stopping.")
                if saving:
                    print(f"Best checkpoint has been saved at {os.path.abspath(f'{self.save_dir}/best_model')}")
        self.stopped_epoch += 1


class ReduceLROnPlateau(Callback):
    """Multiplies a constant learning rate by `factor` when a value has not improved for `patience` evaluations.

    monitor, mode: as in `EarlyStopping`. min_delta: the least change that counts. cooldown: evaluations to wait after a
    reduction. min_lr: where it ends.
    """

    def __init__(self, monitor: str = "loss", factor: float = 0.1, patience: int = 10, verbose: int = 1,
                 mode: str = "auto", min_delta: float = 1e-4, cooldown: int = 0, min_lr: float = 0):
        super().__init__()
        if factor >= 1.0:
            raise ValueError(f"ReduceLROnPlateau needs a factor below 1, but got {factor}.")
        self.monitor, self.factor, self.patience, self.verbose = monitor, factor, patience, verbose
        self.mode, self.min_delta, self.cooldown, self.min_lr = mode, min_delta, cooldown, min_lr
        self.epoch = 0
        self._reset()

    def _reset(self) -> None:
        self.mode = _mode_of("ReduceLROnPlateau", self.mode)
        self._larger = self.mode == "max" or (self.mode == "auto" and "acc" in self.monitor)
        self.best = -np.inf if self._larger else np.inf
        self.cooldown_counter = self.wait = 0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Start afresh."""
        self._reset()

    def on_eval_end(self, logs: dict[str, Any] | None = None) -> None:
        """Compare with the best so far."""
        optimizer = self.model._optimizer
        current = _monitored("ReduceLROnPlateau", self.monitor, logs)
        if current is None:
            return
        if not isinstance(getattr(optimizer, "_learning_rate", None), float):
            warnings.warn("ReduceLROnPlateau needs an optimizer whose learning rate is a number, not a scheduler.",
                          stacklevel=3)
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        better = current > self.best + self.min_delta if self._larger else current < self.best - self.min_delta
        if better:
            self.best, self.wait = current, 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(optimizer)
        self.epoch += 1

    def _reduce(self, optimizer: Any) -> None:
        old = optimizer.get_lr()
        if old <= np.float32(self.min_lr):
            return
        new = max(old * self.factor, self.min_lr)
        optimizer.set_lr(new)
        if self.verbose > 0:
            print(f"\nEpoch {self.epoch + 1}: ReduceLROnPlateau reducing learning rate to {new}.")
        self.cooldown_counter, self.wait = self.cooldown, 0

    def in_cooldown(self) -> bool:
        """Whether a reduction was just made."""
        return self.cooldown_counter > 0


__all__ = ["Callback", "CallbackList", "EarlyStopping", "LRScheduler", "ModelCheckpoint", "ReduceLROnPlateau",
           "config_callbacks"]
