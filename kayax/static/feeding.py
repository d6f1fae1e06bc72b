"""``base.DataFeeder``: samples from a reader as what the Executor is fed."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from kayax.bridge.convert import to_tensor
from kayax.bridge.staging import suspended
from kayax.bridge.tensor import Tensor
from kayax.static.program import Program, default_main_program


class DataFeeder:
    """Gathers samples into a batch for each input.

    feed_list: variables, or names of inputs of `program` (the main program if None). place: accepted.
    """

    def __init__(self, feed_list: Sequence[Any], place: Any = None, program: Program | None = None):
        program = program or default_main_program()
        self._inputs = [program.var(v) if isinstance(v, str) else v for v in feed_list]
        wrong = [type(v).__name__ for v in self._inputs if not isinstance(v, Tensor)]
        if wrong:
            raise TypeError(f"feed_list must hold variables or their names, but has a {wrong[0]}.")
        self.place = place

    def feed(self, iterable: Iterable[Sequence[Any]]) -> dict[str, Tensor]:
        """The samples as Tensors by the inputs' names. A sample has a value for each input; a value that is flat gets
        the declared shape."""
        parts: list[list[Any]] = [[] for _ in self._inputs]
        for sample in iterable:
            if len(sample) != len(parts):
                raise AssertionError(f"A sample has {len(sample)} values, but feed_list has {len(parts)} inputs.")
            for held, value in zip(parts, sample, strict=True):
                held.append(value)
        with suspended():
            return {v.name: to_tensor(_batch(v, held)) for v, held in zip(self._inputs, parts, strict=True)}


def _batch(variable: Tensor, values: list[Any]) -> np.ndarray:
    array = np.array(values, dtype=variable.dtype.numpy)
    shape = [d if isinstance(d, int) else -1 for d in variable.shape]
    if array.ndim == len(shape) or shape.count(-1) > 1:
        return array
    try:
        return array.reshape(shape)
    except ValueError:
        raise ValueError(f"The input {variable.name!r} has the shape {shape}, which a batch of the shape "
                         f"{list(array.shape)} cannot take.") from None


__all__ = ["DataFeeder"]
