"""The progress bar and log lines of a Model, as Paddle prints them."""
from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from kayax.hapi.callbacks import Callback, overrides


class ProgressBar:
    """Shows how far a pass is: verbose 1 a bar that is redrawn, 2 and 3 a line each time.

    num: how many steps there are, None if that is not known.
    """

    def __init__(self, num: int | None = None, width: int = 30, verbose: int = 1, name: str = "step"):
        if isinstance(num, int) and num <= 0:
            raise TypeError(f"num must be None or an integer above 0, but got {num}.")
        columns = shutil.get_terminal_size().columns or 80
        self._num, self._verbose, self.name = num, verbose, name
        self._width = min(width, int(columns * 0.6), columns - 50)
        self._shown = 0
        self._start = time.time()
        self._redraws = sys.stdout.isatty() or os.name == "posix" or "ipykernel" in sys.modules

    def start(self) -> None:
        """Set the clock to now."""
        self._start = time.time()

    def update(self, current_num: int, values: Sequence[tuple[str, Any]] = ()) -> None:
        """Show `current_num` steps as done, with these named values."""
        each = (time.time() - self._start) / current_num if current_num else 0.0
        text = "".join(f" - {name}:" + "".join(f" {_shown(v)}" for v in (value if isinstance(value, list) else [value]))
                       for name, value in values)
        pace = f" - {_pace(each)}/{self.name}"
        if self._verbose == 1:
            self._draw(current_num, each, text, pace)
        elif self._verbose in (2, 3):
            self._write(f"{self._count(current_num)}{text}{pace}\n")

    def _draw(self, done: int, each: float, text: str, pace: str) -> None:
        before = self._shown
        self._write("\b" * before + "\r" if self._redraws else "\n")
        line, end = self._count(done), "\n"
        if self._num is not None:
            line += f" [{self._bar(done)}]"
            if done < self._num:
                text += f" - ETA: {_clock(int(each * (self._num - done)))}"
                end = ""
        line += text + pace
        self._shown = len(line)
        self._write(line + " " * max(before - len(line), 0) + end)

    def _count(self, done: int) -> str:
        if not self._num:
            return f"{self.name} {done:3}"
        return f"{self.name} {done:{len(str(self._num))}d}/{self._num}"

    def _bar(self, done: int) -> str:
        assert self._num is not None
        filled = int(self._width * (done / self._num))
        head = "=" * (filled - 1) + (">" if done < self._num else "=") if filled > 0 else ""
        return head + "." * (self._width - filled)

    @staticmethod
    def _write(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


def _shown(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.item()
    if isinstance(value, (float, np.float32, np.float64)):
        number = float(value)
        return f"{number:.4f}" if abs(number) > 1e-3 else f"{number:.4e}"
    return str(value)


def _pace(seconds: float) -> str:
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s"
    return f"{seconds * 1e3:.0f}ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us"


def _clock(seconds: int) -> str:
    if seconds > 3600:
        return f"{seconds // 3600}:{seconds % 3600 // 60:02}:{seconds % 60:02}"
    return f"{seconds // 60}:{seconds % 60:02}" if seconds > 60 else f"{seconds}s"


class _Pass:
    """What is counted during one pass: steps, samples, and the time for data and for batches since the last line."""

    def __init__(self, steps: int | None, metrics: Sequence[str], verbose: int):
        self.steps, self.metrics = steps, list(metrics)
        self.step = self.samples = 0
        self.bar = ProgressBar(num=steps, verbose=verbose)
        self.times: dict[str, Any] = {"data": 0.0, "batch": 0.0, "count": 0, "samples": 0}
        self.mark = time.time()

    def lap(self, name: str) -> None:
        now = time.time()
        self.times[name] += now - self.mark
        self.mark = now

    def count(self, samples: int) -> None:
        self.step += 1
        self.samples += samples
        self.times["count"] += 1
        self.times["samples"] += samples

    def costs(self) -> list[tuple[str, str]]:
        """The average times since the last line, for verbose 3."""
        t, self.times = self.times, dict.fromkeys(self.times, 0)
        batches, spent = t["count"] or 1, t["data"] + t["batch"]
        return [("avg_reader_cost", f"{t['data'] / batches:.5f} sec"),
                ("avg_batch_cost", f"{t['batch'] / batches:.5f} sec"),
                ("ips", f"{(t['samples'] or 1) / spent if spent else 0:.5f} samples/sec")]


class ProgBarLogger(Callback):
    """Prints the values every `log_freq` batches: verbose 1 as a bar, 2 as lines, 3 as lines with times."""

    def __init__(self, log_freq: int = 1, verbose: int = 2):
        super().__init__()
        self.epochs = self.steps = None
        self.verbose, self.log_freq = verbose, log_freq
        self._passes: dict[str, _Pass] = {}

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Say what the values are."""
        self.epochs = self.params["epochs"]
        self._print("The loss value printed in the log is the current step, and the metric is the average value of "
                    "previous steps.")

    def on_epoch_begin(self, epoch: int | None = None, logs: dict[str, Any] | None = None) -> None:
        """Start a pass of training."""
        self.steps, self.epoch = self.params["steps"], epoch or 0
        if self.epochs:
            self._print(f"Epoch {self.epoch + 1}/{self.epochs}")
        self._passes["train"] = _Pass(self.steps, self.params["metrics"], self.verbose)

    def on_eval_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Start an evaluation."""
        self._begin("eval", logs, "Eval begin...")

    def on_predict_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Start predicting."""
        self._begin("predict", logs, "Predict begin...")

    def on_train_batch_begin(self, step: int, logs: dict[str, Any] | None = None) -> None:
        """The data has come."""
        self._passes["train"].lap("data")

    def on_eval_batch_begin(self, step: int, logs: dict[str, Any] | None = None) -> None:
        """The data has come."""
        self._passes["eval"].lap("data")

    def on_predict_batch_begin(self, step: int, logs: dict[str, Any] | None = None) -> None:
        """The data has come."""
        self._passes["predict"].lap("data")

    def on_train_batch_end(self, step: int, logs: dict[str, Any] | None = None) -> None:
        """Print, if it is time."""
        self._end_batch("train", logs or {})

    def on_eval_batch_end(self, step: int, logs: dict[str, Any] | None = None) -> None:
        """Print, if it is time."""
        self._end_batch("eval", logs or {})

    def on_predict_batch_end(self, step: int, logs: dict[str, Any] | None = None) -> None:
        """Print, if it is time."""
        self._end_batch("predict", logs or {})

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Print the values of the whole pass."""
        if self.steps is not None:
            self._show("train", logs or {})

    def on_eval_end(self, logs: dict[str, Any] | None = None) -> None:
        """Print the values of the whole pass."""
        run = self._passes["eval"]
        if run.steps is not None:
            self._show("eval", logs or {})
            self._print(f"Eval samples: {run.samples}")

    def on_predict_end(self, logs: dict[str, Any] | None = None) -> None:
        """Print how many there were."""
        run = self._passes["predict"]
        if run.step % self.log_freq != 0 or self.verbose == 1:
            self._show("predict", logs or {})
        self._print(f"Predict samples: {run.samples}")

    def _begin(self, mode: str, logs: dict[str, Any] | None, text: str) -> None:
        logs = logs or {}
        self._passes[mode] = _Pass(logs.get("steps"), logs.get("metrics", []), self.verbose)
        self._print(text)

    def _end_batch(self, mode: str, logs: dict[str, Any]) -> None:
        run = self._passes[mode]
        run.lap("batch")
        run.count(logs.get("batch_size", 1))
        if run.step % self.log_freq == 0 and (run.steps is None or run.step < run.steps):
            self._show(mode, logs)
        run.mark = time.time()

    def _show(self, mode: str, logs: dict[str, Any]) -> None:
        if not self.verbose:
            return
        run = self._passes[mode]
        values = [(name, logs[name]) for name in run.metrics if name in logs]
        run.bar.update(run.step, values + run.costs() if self.verbose == 3 else values)

    def _print(self, text: str) -> None:
        if self.verbose:
            print(text)

    def _reads_logs(self, mode: str, step: int) -> bool:
        return overrides(self, ProgBarLogger, mode) or (bool(self.verbose) and (step + 1) % self.log_freq == 0)


__all__ = ["ProgBarLogger", "ProgressBar"]
