"""Callbacks that record the values of a run: for TensorBoard, and for Weights & Biases."""
from __future__ import annotations

import numbers
import warnings
from typing import Any

from kayax.hapi.callbacks import Callback
from kayax.hapi.event_file import EventFile


class _Tracker(Callback):
    """Gathers the values after each batch of training and after each evaluation."""

    def __init__(self) -> None:
        super().__init__()
        self.epochs = self.steps = None
        self.epoch = self.train_step = 0
        self._fitting = False

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Start a run."""
        self.epochs, self.train_metrics = self.params["epochs"], self.params["metrics"]
        self.train_step, self._fitting = 0, True

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the epoch."""
        self.steps, self.epoch = self.params["steps"], epoch

    def on_train_batch_end(self, step: int, logs: dict[str, Any] | None = None) -> None:
        """Record the values of a batch."""
        self.train_step += 1
        self._record("train", _numbers(self.train_metrics, logs), self.train_step)

    def on_eval_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Note what is measured."""
        self.eval_steps, self.eval_metrics = (logs or {}).get("steps"), (logs or {}).get("metrics", [])

    def on_eval_end(self, logs: dict[str, Any] | None = None) -> None:
        """Record the values of an evaluation."""
        self._record("eval", _numbers(self.eval_metrics, logs), self.epoch)
        if not self._fitting:
            self._finish()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """End the run."""
        self._fitting = False
        self._finish()

    def _record(self, mode: str, values: dict[str, float], step: int) -> None:
        raise NotImplementedError

    def _finish(self) -> None:
        raise NotImplementedError


def _numbers(names: list[str], logs: dict[str, Any] | None) -> dict[str, Any]:
    """The values of these names that are numbers; of a list the first."""
    found = {name: (logs or {}).get(name) for name in names}
    found = {n: v[0] if isinstance(v, (list, tuple)) and v else v for n, v in found.items()}
    return {n: v for n, v in found.items() if isinstance(v, numbers.Number)}


class VisualDL(_Tracker):
    """Writes the values to TensorBoard event files in `log_dir`: "train/<name>" by batch, "eval/<name>" by epoch.

    Paddle writes VisualDL's own format; event files are read by TensorBoard and everything that reads its files.
    """

    def __init__(self, log_dir: str):
        super().__init__()
        self.log_dir = log_dir
        self._file: EventFile | None = None

    def _record(self, mode: str, values: dict[str, Any], step: int) -> None:
        if self._file is None:
            self._file = EventFile(self.log_dir)
        for name, value in values.items():
            self._file.add_scalar(f"{mode}/{name}", float(value), step)

    def _finish(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


class WandbCallback(_Tracker):
    """Sends values to Weights & Biases (``pip install "kayax[wandb]"``). The arguments are those of `wandb.init`."""

    def __init__(self, project: str | None = None, entity: str | None = None, name: str | None = None,
                 dir: str | None = None, mode: str | None = None, job_type: str | None = None, **kwargs: Any):
        super().__init__()
        try:
            import wandb
        except ImportError as error:
            raise ImportError('WandbCallback needs the package wandb: pip install "kayax[wandb]".') from error
        self.wandb = wandb
        self.wandb_args = {"project": project, "name": name, "entity": entity, "dir": dir, "mode": mode,
                           "job_type": job_type, **kwargs}
        self._run: Any = None
        _ = self.run

    @property
    def run(self) -> Any:
        """The run that values go to: the one in progress, or a new one."""
        if self._run is None:
            if self.wandb.run is not None:
                warnings.warn("A wandb run is in progress, and WandbCallback goes on with it. Call wandb.finish() "
                              "before making the callback for a run of its own.", stacklevel=3)
                self._run = self.wandb.run
            else:
                self._run = self.wandb.init(**self.wandb_args)
        return self._run

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Start a run, with the axes of its curves."""
        super().on_train_begin(logs)
        self.run.define_metric("train/step")
        self.run.define_metric("train/*", step_metric="train/step")
        self.run.define_metric("epoch")
        self.run.define_metric("eval/*", step_metric="epoch")

    def _record(self, mode: str, values: dict[str, Any], step: int) -> None:
        axis = "train/step" if mode == "train" else "epoch"
        self.run.log({axis: step, **{f"{mode}/{name}": value for name, value in values.items()}})

    def _finish(self) -> None:
        self.run.finish()
        self._run = None


__all__ = ["VisualDL", "WandbCallback"]
