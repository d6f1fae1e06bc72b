"""`paddle.Model`: a network with its loss, optimizer and metrics, and the loops that train, evaluate and predict."""
from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from kayax import Tensor, jit, load, save, to_tensor
from kayax.bridge.staging import suspended
from kayax.hapi import loops
from kayax.hapi.inputs import input_specs, named_specs
from kayax.hapi.precision import Precision
from kayax.hapi.steps import Steps, as_list
from kayax.metric import Metric

_FILES = (".pdparams", ".pdopt", ".pdmodel", ".pdscaler")


class Model:
    """A network that is trained, evaluated and used for prediction by calling methods instead of writing loops.

    network: a Layer. inputs, labels: InputSpecs with names; `inputs` says how many of a batch's values are inputs (the
    rest are labels) and what `save(training=False)` writes. Without it they are the parameters of `network.forward`.

    Training runs each batch as one converted program: forward, loss, backward, update and metrics. A network that
    cannot be converted, or whose forward is marked by `jit.not_to_static`, runs eagerly with the same values. In static
    mode it works in the same way.
    """

    def __init__(self, network: Any, inputs: Any = None, labels: Any = None):
        self.mode = "train"
        self.network = network
        self.stop_training = False
        self._inputs: list[Any] = named_specs(inputs, "inputs") if inputs is not None else input_specs(network)
        self._labels = named_specs(labels, "labels") if labels is not None else []
        self._given = inputs is not None
        self._seen: list[Any] | None = None
        self._optimizer: Any = None
        self._loss: Any = None
        self._metrics: list[Any] = []
        self._precision = Precision()
        self._made: Steps | None = None
        self._accumulate = 1

    @suspended()
    def prepare(self, optimizer: Any = None, loss: Any = None, metrics: Any = None,
                amp_configs: str | dict[str, Any] | None = None) -> None:
        """Say how to train: an optimizer, ``loss(*outputs, *labels)``, a Metric or a list of them, and the precision.

        amp_configs: a level "O0", "O1" or "O2", or a dict with "level" and arguments of `amp.auto_cast` (the custom
        lists, "dtype") and `amp.GradScaler`.
        """
        if loss is not None and not callable(loss):
            raise TypeError(f"loss must be a Layer or a function, but got {type(loss).__name__}.")
        for metric in as_list(metrics):
            if not isinstance(metric, Metric):
                raise AssertionError(f"metrics must be of the class Metric, but got {type(metric).__name__}.")
        self._optimizer, self._loss, self._metrics = optimizer, loss, as_list(metrics)
        self._precision = Precision(amp_configs)
        self._precision.prepare(self.network, optimizer)
        self._made = None

    # ---- one batch -------------------------------------------------------------------------------------------

    @suspended()
    def train_batch(self, inputs: Any, labels: Any = None, update: bool = True) -> Any:
        """Train on one batch: its losses as a list of arrays, and with metrics a pair of these and the metrics' values.

        update: False to add up the gradients for a later update.
        """
        return self._results(*self._train(as_list(inputs), as_list(labels), update))

    @suspended()
    def eval_batch(self, inputs: Any, labels: Any = None) -> Any:
        """Evaluate one batch: losses, metrics, or a pair of both, as `train_batch`."""
        return self._results(*self._evaluate(as_list(inputs), as_list(labels)))

    @suspended()
    def predict_batch(self, inputs: Any) -> list[np.ndarray]:
        """The network's outputs for one batch, in evaluation mode, as arrays."""
        return [np.array(o) for o in self._predict(as_list(inputs))]

    def _train(self, inputs: list, labels: list, update: bool) -> tuple[list, list]:
        if self._optimizer is None or self._loss is None:
            raise AssertionError("Training needs an optimizer and a loss: call Model.prepare(optimizer, loss) first.")
        self.mode = "train"
        return self._steps.train(self._see(inputs), _tensors(labels), bool(update))

    def _evaluate(self, inputs: list, labels: list) -> tuple[list, list]:
        self.mode = "eval"
        return self._steps.evaluate(self._see(inputs), _tensors(labels))

    def _predict(self, inputs: list) -> list:
        self.mode = "test"
        return self._steps.predict(self._see(inputs))

    @property
    def _steps(self) -> Steps:
        made = self._made
        if made is None or made.network is not self.network:
            made = self._made = Steps(self.network, self._loss, self._optimizer, self._metrics, self._precision)
        return made

    def _see(self, inputs: list) -> list[Tensor]:
        self._seen = _tensors(inputs)
        return self._seen

    def _results(self, losses: list, measured: list[list]) -> Any:
        values = self._update_metrics(measured)
        arrays = [np.array(loss) for loss in losses]
        if not self._loss:
            return values
        return (arrays, values) if values else arrays

    def _update_metrics(self, measured: list[list]) -> list:
        return [metric.update(*[np.array(m) if isinstance(m, Tensor) else m for m in values])
                for metric, values in zip(self._metrics, measured, strict=True)]

    def _names(self) -> list[str]:
        """The names of what is reported: the loss, and each value of each metric."""
        return (["loss"] if self._loss else []) + [n for m in self._metrics for n in as_list(m.name())]

    # ---- all batches -----------------------------------------------------------------------------------------

    @suspended()
    def fit(self, train_data: Any = None, eval_data: Any = None, batch_size: int | Sequence[int] = 1, epochs: int = 1,
            eval_freq: int = 1, log_freq: int = 10, save_dir: str | None = None, save_freq: int = 1, verbose: int = 2,
            drop_last: bool = False, shuffle: bool = True, num_workers: int = 0, callbacks: Any = None,
            accumulate_grad_batches: int = 1, num_iters: int | None = None) -> None:
        """Train over `epochs` passes of `train_data`, evaluating after each `eval_freq` of them.

        train_data, eval_data: Datasets, or loaders: anything that iterates over batches of inputs followed by labels.
        batch_size: for Datasets; a pair for training and evaluation. drop_last, shuffle: for a training Dataset.
        save_dir, save_freq: where checkpoints go, every so many epochs. verbose: 0 silent, 1 a bar, 2 lines every
        `log_freq` batches, 3 lines with times. accumulate_grad_batches: batches whose gradients add up to one update.
        num_iters: stop after so many batches.

        The loop runs ahead of the device: values are read only where a callback or the log looks at them.
        """
        loops.fit(self, train_data, eval_data, batch_size, epochs, eval_freq, drop_last, shuffle, num_workers,
                  accumulate_grad_batches, num_iters, callbacks, log_freq=log_freq, save_dir=save_dir,
                  save_freq=save_freq, verbose=verbose)

    @suspended()
    def evaluate(self, eval_data: Any, batch_size: int = 1, log_freq: int = 10, verbose: int = 2, num_workers: int = 0,
                 callbacks: Any = None, num_iters: int | None = None) -> dict[str, Any]:
        """The loss of the last batch (as a list) and the metrics over all batches, by name. Arguments as in `fit`."""
        return loops.evaluate(self, eval_data, batch_size, num_workers, callbacks, num_iters, log_freq=log_freq,
                              verbose=verbose)

    @suspended()
    def predict(self, test_data: Any, batch_size: int = 1, num_workers: int = 0, stack_outputs: bool = False,
                verbose: int = 1, callbacks: Any = None) -> list[Any]:
        """For each output of the network its arrays over all batches: a tuple, or one array with `stack_outputs`."""
        return loops.predict(self, test_data, batch_size, num_workers, stack_outputs, callbacks, verbose=verbose)

    # ---- files -----------------------------------------------------------------------------------------------

    @suspended()
    def save(self, path: str, training: bool = True) -> None:
        """Write ``path.pdparams``, ``.pdopt`` and, under AMP, ``.pdscaler``; or the program, with ``training=False``.

        The program is what `jit.save` writes, for the InputSpecs given to `Model`, else for the shapes last seen.
        """
        if not training:
            self._save_program(path)
            return
        if not os.path.basename(path):
            raise ValueError(f"path must end in a file name without extension, but got {path!r}.")
        save(self.network.state_dict(), path + ".pdparams")
        for holder, extension in ((self._optimizer, ".pdopt"), (self._precision.scaler, ".pdscaler")):
            values = holder.state_dict() if holder is not None else None
            if values:
                save(values, path + extension)

    def _save_program(self, path: str) -> None:
        specs = self._inputs
        if not self._given:
            if self._seen is None:
                raise RuntimeError("Saving the program needs the shapes of the inputs: give InputSpecs to "
                                   "Model(network, inputs), or run a batch first.")
            specs = input_specs(self.network, self._seen)
            shapes = [list(s.shape) for s in specs]
            warnings.warn(f"Model was made without inputs, so the program is saved for the shapes seen last, {shapes}. "
                          "Give InputSpecs to Model(network, inputs) for others.", stacklevel=3)
        jit.save(self.network, path, input_spec=specs)

    @suspended()
    def load(self, path: str, skip_mismatch: bool = False, reset_optimizer: bool = False) -> None:
        """Read what `save` wrote. path: with or without an extension.

        skip_mismatch: leave parameters alone that are missing or of another shape (the optimizer starts afresh then).
        reset_optimizer: do not read the optimizer's state.
        """
        base, extension = os.path.splitext(path)
        if extension and extension not in _FILES:
            raise AssertionError(f"path must end without extension or in one of {', '.join(_FILES)}, but got {path!r}.")
        path = base if extension else path
        if not os.path.exists(path + ".pdparams"):
            raise AssertionError(f"There is no file {path}.pdparams to load parameters from.")
        saved = load(path + ".pdparams")
        renamed = {}
        for name, own in self.network.state_dict().items():
            problem = _mismatch(name, own, saved)
            if problem is None:
                own.set_value(saved[name])
                renamed[getattr(saved[name], "name", own.name)] = own.name
            elif skip_mismatch:
                warnings.warn(f"{problem} It is skipped.", stacklevel=2)
                reset_optimizer = True
            else:
                raise ValueError(problem)
        if self._precision.scaler is not None and os.path.exists(path + ".pdscaler"):
            self._precision.scaler.load_state_dict(load(path + ".pdscaler"))
        if self._optimizer is not None and not reset_optimizer and os.path.exists(path + ".pdopt"):
            self._optimizer.set_state_dict(_renamed(load(path + ".pdopt"), renamed))

    # ---- looking at it ---------------------------------------------------------------------------------------

    def parameters(self, *args: Any, **kwargs: Any) -> list[Tensor]:
        """The network's parameters."""
        return self.network.parameters(*args, **kwargs)

    @suspended()
    def summary(self, input_size: Any = None, dtype: Any = None) -> dict[str, int]:
        """Print the layers with their shapes and parameters, as `paddle.summary` does."""
        if input_size is None and not self._given:
            raise AssertionError("summary needs input_size, or InputSpecs given to Model(network, inputs).")
        from kayax.hapi.summary import summary
        return summary(self.network, self._inputs if input_size is None else input_size, dtypes=dtype)


def _tensors(values: Sequence[Any]) -> list[Tensor]:
    return [v if isinstance(v, Tensor) else to_tensor(v) for v in values]


def _mismatch(name: str, own: Tensor, saved: dict[str, Any]) -> str | None:
    if name not in saved:
        return f"{name} is not in the file."
    if list(saved[name].shape) != list(own.shape):
        return f"{name} has the shape {list(saved[name].shape)} in the file, but {list(own.shape)} in the network."
    return None


def _renamed(state: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """An optimizer's state for parameters that had other names when it was saved."""
    found: dict[str, Any] = {}
    for key, value in state.items():
        if isinstance(value, dict) and key == "master_weights":
            found[key] = {names.get(name, name): v for name, v in value.items()}
            continue
        owner = max((n for n in names if key.startswith(n + "_")), key=len, default="")
        found[names[owner] + key[len(owner):] if owner else key] = value
    return found


__all__ = ["Model"]
