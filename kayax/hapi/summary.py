"""`paddle.summary`: the layers of a network, with their shapes and numbers of parameters, as a table."""
from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Iterator
from typing import Any

from kayax import Tensor, nn, rand
from kayax.hapi.probe import run_once
from kayax.static import InputSpec

_WIDTHS = (15, 20, 20, 15)
_HEADS = ("Layer (type)", "Input Shape", "Output Shape", "Param #")


def summary(net: Any, input_size: Any = None, dtypes: Any = None, input: Any = None) -> dict[str, int]:
    """Print the layers of `net` as a table and give ``{"total_params": ..., "trainable_params": ...}``.

    input_size: the shape of the input as a tuple or InputSpec, or a list of them for several inputs; one dim may be
        None or -1, for 1. dtypes: of the inputs, float32 if None. input: a Tensor, or a list or dict of Tensors, to
        call the network with instead.

    Unlike Paddle's it computes nothing where the network can be converted, so that it takes no time or memory.
    """
    if input is None and input_size is None:
        raise ValueError("summary needs input_size or input.")
    if input is not None:
        args, sizes = (input,), _sizes_of(input)
    else:
        sizes = _checked(_shapes(input_size))
        args = tuple(_make(sizes, dtypes)) if _nested(sizes) else (_make_one(sizes, dtypes),)
    rows: dict[str, _Row] = {}
    run_once(net, args, [(layer, _noting(rows)) for layer in _shown(net)], rows.clear)
    lines, counts = _table(rows, sizes)
    print("\n".join(lines) + "\n")
    return counts


class _Row:
    """One line of the table."""

    def __init__(self, layer: Any, inputs: Any, outputs: Any):
        self.inputs, self.outputs = _shape_of(inputs), _shape_of(outputs)
        own = [p for p in layer._parameters.values() if p is not None]
        self.params = sum(math.prod(p.shape) for p in own)
        self.trainable = sum(math.prod(p.shape) for p in own if not p.stop_gradient)


def _noting(rows: dict[str, _Row]) -> Callable:
    def note(layer: Any, inputs: Any, outputs: Any) -> None:
        number = layer.full_name().rpartition("_")[2]
        index = int(number) if number.isdigit() else len(rows)
        rows[f"{type(layer).__name__}-{index + 1}"] = _Row(layer, inputs, outputs)
    return note


_RECURRENT = (nn.SimpleRNN, nn.LSTM, nn.GRU)            # these compute their cells all at once


def _shown(net: Any) -> list[Any]:
    """The layers with a line: all that compute themselves, the network itself only if it has no others."""
    if isinstance(net, _RECURRENT) or not net.sublayers():
        return [net]
    return list(_below(net))


def _below(layer: Any) -> Iterator[Any]:
    for child in layer.children():
        if isinstance(child, _RECURRENT):
            yield child
            continue
        if not isinstance(child, (nn.Sequential, nn.LayerList)):
            yield child
        yield from _below(child)


# ---- shapes ----------------------------------------------------------------------------------------------------


def _shape_of(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_shape_of(v) for v in value]
    return list(value.shape) if hasattr(value, "shape") else []


def _sizes_of(value: Any) -> Any:
    if isinstance(value, Tensor):
        return tuple(value.shape)
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [_sizes_of(v) for v in value]
    raise ValueError(f"input must be a Tensor, or a list or dict of Tensors, but got {type(value).__name__}.")


def _shapes(size: Any) -> Any:
    """The shapes that an `input_size` means: a tuple, or a list of them."""
    if isinstance(size, InputSpec):
        return tuple(size.shape)
    if isinstance(size, int):
        return (size,)
    if isinstance(size, list):
        return [_shapes(item) for item in size]
    if isinstance(size, tuple):
        return size if _is_shape(size) else [_shapes(item) for item in size]
    raise AssertionError("input_size must be a tuple, an InputSpec, or a list of them, but got "
                         f"{type(size).__name__}.")


def _is_shape(size: Any) -> bool:
    return all(d is None or isinstance(d, numbers.Number) for d in size)


def _nested(sizes: Any) -> bool:
    return isinstance(sizes, list)


def _checked(size: Any) -> Any:
    if _nested(size):
        return [_checked(s) for s in size]
    if sum(d is None or d == -1 for d in size) > 1:
        raise ValueError(f"Only one dim of input_size may be None or -1, but got {size}.")
    if any(d is not None and d != -1 and d <= 0 for d in size):
        raise ValueError(f"The dims of input_size must be greater than 0, but got {size}.")
    return tuple(1 if d is None or d == -1 else d for d in size)


def _make(sizes: list, dtypes: Any) -> list[Any]:
    kinds = list(dtypes) if isinstance(dtypes, (list, tuple)) else [dtypes] * len(sizes)
    return [_make(s, d) if _nested(s) else _make_one(s, d) for s, d in zip(sizes, kinds, strict=False)]


def _make_one(size: tuple, dtype: Any) -> Tensor:
    dtype = dtype[0] if isinstance(dtype, (list, tuple)) else dtype
    return rand(list(size)).astype(dtype or "float32")


# ---- the table -------------------------------------------------------------------------------------------------


def _table(rows: dict[str, _Row], sizes: Any) -> tuple[list[str], dict[str, int]]:
    cells = [(name, str(r.inputs), str(r.outputs), f"{r.params:,}") for name, r in rows.items()]
    widths = [max([least, *(len(c[i]) for c in cells)]) for i, least in enumerate(_WIDTHS)]
    rule = max(75, sum(widths) + 5)
    total = sum(r.params for r in rows.values())
    trainable = sum(r.trainable for r in rows.values())
    megabytes = [_elements(sizes) * 4 / 2**20, 2 * sum(_elements(r.outputs) for r in rows.values()) * 4 / 2**20,
                 total * 4 / 2**20]
    lines = ["-" * rule, _line(_HEADS, widths), "=" * rule, *(_line(c, widths) for c in cells), "=" * rule,
             f"Total params: {total:,}", f"Trainable params: {trainable:,}",
             f"Non-trainable params: {total - trainable:,}", "-" * rule,
             f"Input size (MB): {megabytes[0]:0.2f}", f"Forward/backward pass size (MB): {megabytes[1]:0.2f}",
             f"Params size (MB): {megabytes[2]:0.2f}", f"Estimated Total Size (MB): {sum(megabytes):0.2f}", "-" * rule]
    return lines, {"total_params": total, "trainable_params": trainable}


def _line(cells: Any, widths: list[int]) -> str:
    return " ".join(f"{cell:^{width}}" for cell, width in zip(cells, widths, strict=True))


def _elements(sizes: Any) -> int:
    """How many numbers tensors of these shapes hold, of shapes nested in lists."""
    if all(isinstance(d, numbers.Number) for d in sizes):
        return math.prod(sizes)
    return sum(_elements(s) for s in sizes)


__all__ = ["summary"]
