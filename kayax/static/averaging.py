"""``paddle.static.ExponentialMovingAverage``: averages of a program's parameters over its runs."""
from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import jax.numpy as jnp

from kayax.bridge.parameter import Parameter
from kayax.bridge.staging import staged, suspended
from kayax.bridge.state import state
from kayax.bridge.tensor import Tensor
from kayax.static.extras import create_global_var


class ExponentialMovingAverage:
    """``average = decay * average + (1 - decay) * parameter`` in every run, for the parameters of the main program.

    decay: close to 1. thres_steps: a variable with the number of steps, for a smaller decay at first:
        ``min(decay, (1 + thres_steps) / (10 + thres_steps))``.

    The averages start at 0; `apply` corrects what that does to them, by ``1 - decay ** runs``.
    """

    def __init__(self, decay: float = 0.999, thres_steps: Tensor | None = None, name: str | None = None):
        if state.graph is None:
            raise Exception("static.ExponentialMovingAverage is a part of a program, and static mode is off. Call "
                            "paddle.enable_static() first, or keep averages in buffers of a Layer.")
        self._limit, self._thres_steps = decay, thres_steps
        self._parameters = [p for p in state.graph.persistable if isinstance(p, Parameter)]
        prefix = name or ""
        self._averages = [create_global_var(p.shape, 0.0, p.dtype, True, name=f"{prefix}{p.name}_ema")
                          for p in self._parameters]
        self._decay = create_global_var([1], decay, "float32", True)
        self._runs = create_global_var([1], 0, "int64", True)
        self._kept: list[Any] | None = None

    def update(self) -> None:
        """Add the update to the main program. Call it after the optimizer's `minimize`."""
        _update(self._parameters, self._averages, self._decay, self._runs, self._limit, self._thres_steps)

    @contextlib.contextmanager
    def apply(self, executor: Any, need_restore: bool = True) -> Iterator[None]:
        """Inside, the parameters are their averages; with `need_restore=False` until `restore`."""
        with suspended():
            self._kept = [p.storage.array for p in self._parameters]
            runs = self._runs.storage.array
            correction = jnp.where(runs > 0, 1 - self._decay.storage.array ** runs, 1)[0]
            for parameter, average in zip(self._parameters, self._averages, strict=True):
                parameter.set_value((average.storage.array / correction).astype(average.dtype.numpy))
        try:
            yield
        finally:
            if need_restore:
                self.restore(executor)

    def restore(self, executor: Any) -> None:
        """Give the parameters the values that they had before `apply`."""
        with suspended():
            for parameter, value in zip(self._parameters, self._kept or (), strict=self._kept is not None):
                parameter.set_value(value)
            self._kept = None


@staged
def _update(parameters: Sequence[Tensor], averages: Sequence[Tensor], decay: Tensor, runs: Tensor, limit: float,
            steps: Tensor | None) -> None:
    if steps is not None:
        counted = steps.storage.array.astype(jnp.float32).reshape(1)
        decay.storage.array = jnp.minimum(limit, (1 + counted) / (10 + counted))
    rate = decay.storage.array[0]
    for parameter, average in zip(parameters, averages, strict=True):
        now = rate * average.storage.array + (1 - rate) * parameter.storage.array
        average.storage.array = now.astype(average.dtype.numpy)
    runs.storage.array = runs.storage.array + 1


__all__ = ["ExponentialMovingAverage"]
