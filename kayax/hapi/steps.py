"""What a Model does with one batch, each kind as one converted program; eagerly where conversion is impossible."""
from __future__ import annotations

import contextlib
import random
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from kayax import add_n, jit, no_grad
from kayax.bridge.errors import ConversionError
from kayax.bridge.state import Epoch, state, tracing
from kayax.hapi.precision import Precision


def as_list(value: Any) -> list:
    """None as no value, one value as a list of it."""
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


class Steps:
    """Training, evaluation and prediction of one batch for a network with its loss, optimizer and metrics.

    Each is converted as a whole: training is forward, loss, backward, update and the metrics' `compute` in one XLA
    program. Where something cannot be converted, first the metrics, then everything, runs eagerly; values are equal.
    """

    def __init__(self, network: Any, loss: Any, optimizer: Any, metrics: Sequence[Any], precision: Precision):
        self.network, self.loss, self.optimizer = network, loss, optimizer
        self.metrics, self.precision = list(metrics), precision
        self._mode: tuple[bool, int] | None = None
        kept = getattr(network.forward, "_not_to_static", False)
        self._train = _Converted(self._train_body, bool(metrics), eager=kept)
        self._evaluate = _Converted(self._evaluate_body, bool(metrics), eager=kept)
        self._predict = _Converted(self._predict_body, False, eager=kept)

    def train(self, inputs: list, labels: list, update: bool) -> tuple[list, list]:
        """Losses, and for each metric what its `update` gets. Gradients add up until `update`."""
        self._set_mode(True)
        return self._finish(self._train, self._train(inputs, labels, update), labels)

    def evaluate(self, inputs: list, labels: list) -> tuple[list, list]:
        """The same without gradients, in evaluation mode."""
        self._set_mode(False)
        with no_grad():
            return self._finish(self._evaluate, self._evaluate(inputs, labels), labels)

    def predict(self, inputs: list) -> list:
        """The outputs in evaluation mode."""
        self._set_mode(False)
        with no_grad():
            return self._predict(inputs)

    def _set_mode(self, training: bool) -> None:
        if self._mode != (training, Epoch.value):       # nothing that a program may guard has changed: still in mode
            self.network.train() if training else self.network.eval()
            self._mode = (training, Epoch.value)

    # ---- what is converted -----------------------------------------------------------------------------------

    def _train_body(self, measuring: bool, inputs: list, labels: list, update: bool) -> tuple[list, list]:
        with self.precision.cast():
            outputs = as_list(self.network(*inputs))
        losses = self._losses(outputs, labels)
        total = losses[0] if len(losses) == 1 else add_n(losses)
        scaler = self.precision.scaler
        scaled = total if scaler is None else scaler.scale(total)
        scaled.backward()
        if update:
            if scaler is None:
                self.optimizer.minimize(total)
            else:
                scaler.minimize(self.optimizer, scaled)
            self.network.clear_gradients()
        return losses, self._measure(outputs, labels) if measuring else outputs

    def _evaluate_body(self, measuring: bool, inputs: list, labels: list) -> tuple[list, list]:
        outputs = as_list(self.network(*inputs))
        losses = self._losses(outputs, labels) if self.loss is not None else []
        return losses, self._measure(outputs, labels) if measuring else outputs

    def _predict_body(self, measuring: bool, inputs: list) -> list:
        return as_list(self.network(*inputs))

    def _losses(self, outputs: list, labels: list) -> list:
        _note(self.loss)
        return as_list(self.loss(*outputs, *labels))

    def _measure(self, outputs: list, labels: list) -> list[list]:
        measured = []
        with no_grad():
            for metric in self.metrics:
                _note(metric.compute)
                measured.append(as_list(metric.compute(*outputs, *labels)))
        return measured

    def _finish(self, converted: _Converted, result: tuple[list, list], labels: list) -> tuple[list, list]:
        """The metrics' `compute` on the outputs, if it could not be part of the program."""
        losses, rest = result
        return losses, rest if converted.measuring else self._measure(rest, labels)


def _note(function: Callable) -> None:
    """A user's function that a program calls: what it names is a fact that the program depends on."""
    if state.trace is not None:
        state.trace.note_function(function, getattr(function, "__self__", None))


class _Converted:
    """A body that runs as a program, or eagerly once it has turned out that it cannot."""

    def __init__(self, body: Callable, measuring: bool, eager: bool):
        self.body, self.measuring, self.eager = body, measuring, eager
        self.program = self._convert()

    def _convert(self) -> Callable:
        body, measuring = self.body, self.measuring

        def step(*args: Any) -> Any:
            with _no_python_random():
                return body(measuring, *args)

        return jit.to_static(step, full_graph=True)

    def __call__(self, *args: Any) -> Any:
        while not self.eager:
            try:
                return self.program(*args)
            except ConversionError as error:
                if self.measuring:
                    self.measuring = False
                    self.program = self._convert()
                else:
                    self.eager = True
                    warnings.warn(f"The model runs eagerly, because it cannot be converted: {error}", stacklevel=5)
        return self.body(self.measuring, *args)


@contextlib.contextmanager
def _no_python_random() -> Iterator[None]:
    """Refuse to convert what draws from Python's or NumPy's generators: a program would repeat the same numbers."""
    if not tracing():
        yield
        return
    before, numpy_before = random.getstate(), np.random.get_state()
    try:
        yield
        if random.getstate() != before or not _same(np.random.get_state(), numpy_before):
            raise ConversionError(
                "It draws from the generators of `random` or `numpy.random`, which a program would do only once. Draw "
                "with paddle (`paddle.rand`), which a program does in every step.")
    except ConversionError:                 # what runs eagerly instead draws the same numbers
        random.setstate(before)
        np.random.set_state(numpy_before)
        raise


def _same(a: Any, b: Any) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


__all__ = ["Steps", "as_list"]
