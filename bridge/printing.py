"""How a Tensor prints: Paddle's text, character by character."""
from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import jax
import numpy as np

from kayax.spec.errors import ArgumentError

_OPENING = "Tensor("


@dataclasses.dataclass
class _Options:
    precision: int = 8
    threshold: int = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool = False


_options = _Options()


def set_printoptions(precision: int | None = None, threshold: int | None = None, edgeitems: int | None = None,
                     sci_mode: bool | None = None, linewidth: int | None = None) -> None:
    """Set how Tensors print; what is None stays as it is.

    precision: digits after the point (8 at first). threshold: above this number of elements only the edges are shown
    (1000). edgeitems: how many elements each edge has (3). sci_mode: scientific notation (False). linewidth:
    characters in a line (80).
    """
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "sci_mode": sci_mode,
             "linewidth": linewidth}
    for name, value in given.items():
        if value is None:
            continue
        wanted = bool if name == "sci_mode" else int
        if not isinstance(value, wanted):
            raise ArgumentError(f"{name} must be of type {wanted.__name__}, but got {type(value).__name__}.")
        setattr(_options, name, value)


def describe(tensor: Any) -> str:
    """The text of a Tensor: its shape, dtype, place and values (while it is being converted, no values)."""
    array = tensor.storage.array
    head = f"shape={list(array.shape)}, dtype={tensor.dtype.name}"
    if isinstance(array, jax.core.Tracer):
        return f"{_OPENING}{head}, stop_gradient={tensor.stop_gradient}, being converted: no values yet)"
    values = np.asarray(array)
    if values.dtype.kind == "V":                # bfloat16
        values = values.astype(np.float32)
    body = _Body(values).text()
    head = f"{head}, place={tensor.place}, stop_gradient={tensor.stop_gradient}"
    return f"{_OPENING}{head},\n{' ' * len(_OPENING)}{body})"


def body_of(tensor: Any, column: int) -> str:
    """The values alone, as they are printed when they start at a column of a line."""
    if isinstance(tensor.storage.array, jax.core.Tracer):
        return "(being converted)"
    return _Body(np.asarray(tensor.storage.array)).text(column)


class _Body:
    """The values of one array as nested brackets, in columns of one width."""

    def __init__(self, values: np.ndarray):
        self.values = values
        self.cut = values.size > _options.threshold
        # Paddle measures the edges alone, even where it prints every element.
        shown = values[np.ix_(*(_edges(n) for n in values.shape))]
        self.width = max((len(_word(v)) for v in shown.flat), default=0)
        with np.errstate(invalid="ignore"):             # bfloat16 complains of nan
            self.signed = bool((shown < 0).any()) if values.dtype.kind != "b" else False

    def text(self, column: int = len(_OPENING)) -> str:
        return self._nested(self.values, column)

    def _nested(self, values: np.ndarray, column: int) -> str:
        if values.ndim == 0:
            return self._cell(values[()])
        inner = [self._cell(v) if values.ndim == 1 else self._nested(v, column + 1) for v in self._visible(values)]
        if self.cut and len(values) > 2 * _options.edgeitems:
            inner.insert(_options.edgeitems, "...")
        margin = "\n" + " " * (column + 1)
        if values.ndim > 1:
            return "[" + ("," + "\n" * (values.ndim - 2) + margin).join(inner) + "]"
        in_line = max(1, (_options.linewidth - column) // (self.width + 2))
        lines = (", ".join(inner[i:i + in_line]) for i in range(0, len(inner), in_line))
        return "[" + ("," + margin).join(lines) + "]"

    def _visible(self, values: np.ndarray) -> Any:
        edge = _options.edgeitems
        if self.cut and len(values) > 2 * edge:
            return itertools.chain(values[:edge], values[len(values) - edge:])
        return values

    def _cell(self, value: Any) -> str:
        word = _word(value)
        if len(word) < self.width and self.signed and not value < 0:
            word = " " + word
        return word.ljust(self.width)


def _edges(length: int) -> Any:
    edge = _options.edgeitems
    return [*range(edge), *range(length - edge, length)] if length > 2 * edge else range(length)


def _number(value: Any) -> str:
    return f"{value:.{_options.precision}{'e' if _options.sci_mode else 'f'}}"


def _word(value: Any) -> str:
    kind = value.dtype.kind
    if kind == "c":
        sign = "+" if value.imag >= 0 else ""
        return f"({_number(value.real)}{sign}{_number(value.imag)}j)"
    if kind != "f":
        return str(value)
    whole = not _options.sci_mode and np.ceil(value) == value
    return f"{value:.0f}." if whole else _number(value)


__all__ = ["set_printoptions"]
