"""The loops of a Model: epochs over batches, with callbacks around them."""
from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kayax.hapi.callbacks import CallbackList, EarlyStopping, config_callbacks
from kayax.hapi.steps import as_list
from kayax.io import DataLoader, Dataset, DistributedBatchSampler, IterableDataset

if TYPE_CHECKING:
    from kayax.hapi.model import Model

_AHEAD = 16             # batches that may run before their losses and metrics are read


def fit(model: Model, train_data: Any, eval_data: Any, batch_size: int | Sequence[int], epochs: int, eval_freq: int,
        drop_last: bool, shuffle: bool, num_workers: int, accumulate: int, num_iters: int | None, callbacks: Any,
        **options: Any) -> None:
    """What `Model.fit` does; `options` are for the standard callbacks."""
    if train_data is None:
        raise AssertionError("fit needs train_data: a Dataset or a loader.")
    sizes = [batch_size] * 2 if isinstance(batch_size, int) else list(batch_size)
    if len(sizes) != 2:
        raise AssertionError(f"batch_size must be a number, or two (training, evaluation), but got {batch_size!r}.")
    train_loader = loader_of(train_data, sizes[0], num_workers, shuffle, drop_last)
    eval_loader = None if eval_data is None else loader_of(eval_data, sizes[1], num_workers)
    model.stop_training = False
    model._accumulate = accumulate
    steps = _length(train_loader)
    left = _Budget(num_iters)
    if num_iters is not None and steps is not None:
        epochs = num_iters // steps + 1
        steps = min(num_iters, steps)
    listeners = config_callbacks(callbacks, model=model, epochs=epochs, steps=steps, metrics=model._names(), **options)
    if eval_loader is None and any(isinstance(c, EarlyStopping) for c in listeners):
        warnings.warn("EarlyStopping looks at the results of evaluation: give eval_data to fit.", stacklevel=3)
    listeners.on_begin("train")
    logs: dict[str, Any] = {}
    for epoch in range(epochs):
        listeners.on_epoch_begin(epoch)
        logs, _ = _run(model, train_loader, listeners, "train", left)
        listeners.on_epoch_end(epoch, logs)
        if eval_loader is not None and epoch % eval_freq == 0:
            _evaluate(model, eval_loader, listeners, _length(eval_loader), _Budget(None))
        if model.stop_training or left.spent:
            break
    listeners.on_end("train", logs)


def evaluate(model: Model, eval_data: Any, batch_size: int, num_workers: int, callbacks: Any, num_iters: int | None,
             **options: Any) -> dict[str, Any]:
    """What `Model.evaluate` does."""
    loader = loader_of(eval_data, batch_size, num_workers)
    listeners = config_callbacks(callbacks, model=model, metrics=model._names(), **options)
    steps = _length(loader)
    if num_iters is not None and steps is not None:
        steps = min(num_iters, steps)
    logs = _evaluate(model, loader, listeners, steps, _Budget(num_iters))
    return {name: logs[name] for name in model._names() if name in logs}


def predict(model: Model, test_data: Any, batch_size: int, num_workers: int, stack_outputs: bool, callbacks: Any,
            **options: Any) -> list[Any]:
    """What `Model.predict` does."""
    loader = loader_of(test_data, batch_size, num_workers)
    listeners = config_callbacks(callbacks, model=model, **options)
    listeners.on_begin("predict", {"steps": _length(loader)})
    logs, batches = _run(model, loader, listeners, "predict", _Budget(None))
    outputs: list[Any] = list(zip(*batches, strict=True))
    if stack_outputs:
        outputs = [np.vstack(arrays) for arrays in outputs]
    listeners.on_end("predict", logs)
    return outputs


def _evaluate(model: Model, loader: Any, listeners: CallbackList, steps: int | None, left: _Budget) -> dict[str, Any]:
    listeners.on_begin("eval", {"steps": steps, "metrics": model._names()})
    logs, _ = _run(model, loader, listeners, "eval", left)
    listeners.on_end("eval", logs)
    return logs


def loader_of(data: Any, batch_size: int, num_workers: int, shuffle: bool = False, drop_last: bool = False) -> Any:
    """A DataLoader for a Dataset; anything else iterates over batches itself."""
    if isinstance(data, IterableDataset):
        return DataLoader(data, batch_size=batch_size, drop_last=drop_last, num_workers=num_workers)
    if not isinstance(data, Dataset):
        return data
    sampler = DistributedBatchSampler(data, batch_size, shuffle=shuffle, drop_last=drop_last)
    return DataLoader(data, batch_sampler=sampler, num_workers=num_workers)


def _length(loader: Any) -> int | None:
    try:
        return len(loader)
    except (TypeError, RuntimeError, NotImplementedError):
        return None


class _Budget:
    """How many batches may still run, over all epochs."""

    def __init__(self, batches: int | None):
        if batches is not None and batches <= 0:
            raise AssertionError(f"num_iters must be greater than 0, but got {batches}.")
        self.left = batches

    @property
    def spent(self) -> bool:
        return self.left is not None and self.left <= 0

    def take(self) -> bool:
        """Count one batch; whether it was the last."""
        if self.left is not None:
            self.left -= 1
        return self.spent


def _run(model: Model, loader: Any, listeners: CallbackList, mode: str,
         left: _Budget) -> tuple[dict[str, Any], list[list[np.ndarray]]]:
    """One pass over a loader: the last logs, and when predicting the outputs of every batch."""
    logs: dict[str, Any] = {}
    outputs: list[list[np.ndarray]] = []
    batch = _Batch(model, mode, logs)
    length = _length(loader)
    for step, data in enumerate(loader):
        values = list(_flatten(data))
        listeners.on_batch_begin(mode, step, logs)
        if mode == "predict":
            outputs.append(model.predict_batch(values[:len(model._inputs)] if model._inputs else values))
        else:
            batch.run(values, (step + 1) % model._accumulate == 0 or step + 1 == length)
        logs["step"], logs["batch_size"] = step, values[0].shape[0]
        last = left.take()
        if last or listeners.read_logs(mode, step) or len(batch.pending) >= _AHEAD:
            batch.settle()
        listeners.on_batch_end(mode, step, logs)
        if last:
            break
    batch.settle()
    for metric in model._metrics:
        metric.reset()
    return logs, outputs


class _Batch:
    """Runs the batches of one pass, and reads their results when they are wanted."""

    def __init__(self, model: Model, mode: str, logs: dict[str, Any]):
        self.model, self.mode, self.logs = model, mode, logs
        self.pending: list[tuple[list, list]] = []
        from kayax.hapi.model import Model
        name = "train_batch" if mode == "train" else "eval_batch"
        method = getattr(model, name, None)
        self.own = method if getattr(method, "__func__", None) is not getattr(Model, name) else None

    def run(self, values: list, update: bool) -> None:
        model = self.model
        inputs, labels = values[:len(model._inputs)], values[len(model._inputs):]
        more = (update,) if self.mode == "train" else ()
        if self.own is not None:                            # a method of the user's own
            self._report(self.own(inputs, labels, *more))
        else:
            self.pending.append((model._train if more else model._evaluate)(inputs, labels, *more))

    def settle(self) -> None:
        """Update the metrics with what has run, in its order, and report."""
        if not self.pending:
            return
        for _, measured in self.pending:
            self.model._update_metrics(measured)
        losses, _ = self.pending[-1]
        self.pending.clear()
        self._log([float(loss) for loss in losses])

    def _report(self, results: Any) -> None:
        losses = results[0] if self.model._metrics and self.model._loss else results
        self._log([float(loss) for loss in losses] if self.model._loss else [])

    def _log(self, losses: list[float]) -> None:
        values = [losses] if self.model._loss else []
        for metric in self.model._metrics:
            values += as_list(metric.accumulate())
        self.logs.update(zip(self.model._names(), values, strict=True))


def _flatten(data: Any) -> Iterator[Any]:
    """The arrays of a batch, however it is nested; of a dict in the order of its keys."""
    if isinstance(data, dict):
        data = [data[key] for key in sorted(data)]
    if not isinstance(data, (list, tuple)):
        yield data
        return
    for part in data:
        yield from _flatten(part)
