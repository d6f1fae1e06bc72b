"""`paddle.flops`: the floating-point operations of a network's forward, counted layer by layer."""
from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

from kayax import nn, rand
from kayax.hapi.probe import run_once

_HEADS = ("Layer Name", "Input Shape", "Output Shape", "Params", "Flops")


def _conv(layer: Any, x: Any, y: Any) -> int:
    per_output = x[0].shape[1] / layer._groups * math.prod(layer.weight.shape[2:])
    return int(math.prod(y.shape) * (per_output + (layer.bias is not None)))


def _batch_norm(layer: Any, x: Any, y: Any) -> int:
    return 2 * math.prod(x[0].shape)


def _linear(layer: Any, x: Any, y: Any) -> int:
    return layer.weight.shape[0] * math.prod(y.shape)


def _each(layer: Any, x: Any, y: Any) -> int:
    return math.prod(y.shape)


def _adaptive_pool(layer: Any, x: Any, y: Any) -> int:
    window = math.prod(a // b for a, b in zip(x[0].shape[2:], y.shape[2:], strict=True))
    return (window + 1) * math.prod(y.shape)


def _nothing(layer: Any, x: Any, y: Any) -> int:
    return 0


# How Paddle counts: a multiplication with its addition is one operation, and other layers are not counted at all.
_COUNTS: dict[type, Callable[[Any, Any, Any], int]] = {
    **dict.fromkeys((nn.Conv1D, nn.Conv2D, nn.Conv3D, nn.Conv1DTranspose, nn.Conv2DTranspose, nn.Conv3DTranspose),
                    _conv),
    **dict.fromkeys((nn.BatchNorm2D, nn.BatchNorm), _batch_norm),
    **dict.fromkeys((nn.ReLU, nn.ReLU6, nn.Dropout), _nothing),
    **dict.fromkeys((nn.LeakyReLU, nn.AvgPool1D, nn.AvgPool2D, nn.AvgPool3D), _each),
    **dict.fromkeys((nn.AdaptiveAvgPool1D, nn.AdaptiveAvgPool2D, nn.AdaptiveAvgPool3D), _adaptive_pool),
    nn.Linear: _linear,
}


def flops(net: Any, input_size: list[int], custom_ops: dict[type, Callable] | None = None,
          print_detail: bool = False) -> int:
    """The number of operations of one forward, as Paddle counts: convolutions, linear layers, batch norms, pooling.

    input_size: the shape of the input. custom_ops: for classes of layers a function ``count(layer, inputs, output)``
    that adds to ``layer.total_ops``. print_detail: print a table of the layers.
    """
    if not isinstance(net, nn.Layer):
        warnings.warn(f"flops counts a Layer, but got {type(net).__name__}.", stacklevel=2)
        return -1
    leaves = [(name, layer) for name, layer in net.named_sublayers() if not layer.sublayers()]
    if not net.sublayers():
        leaves = [("", net)]
    notes: dict[int, tuple] = {}
    for kind in dict.fromkeys(type(layer) for _, layer in leaves):
        print(_told(kind, custom_ops or {}))
    run_once(net, (rand(list(input_size)),), [(layer, _counting(notes, custom_ops or {})) for _, layer in leaves],
             notes.clear)
    rows = [notes[id(layer)] for _, layer in leaves if id(layer) in notes]
    total, params = sum(r[4] for r in rows), sum(r[3] for r in rows)
    if print_detail:
        print("\n".join(_table([tuple(map(str, r)) for r in rows])))
    print(f"Total Flops: {total}     Total Params: {params}")
    return total


def _told(kind: type, custom: dict[type, Callable]) -> str:
    if kind in custom:
        return f"Customize Function has been applied to {kind}"
    if kind in _COUNTS:
        return f"{kind}'s flops has been counted"
    return f"Cannot find suitable count function for {kind}. Treat it as zero FLOPs."


def _counting(notes: dict[int, tuple], custom: dict[type, Callable]) -> Callable:
    def note(layer: Any, x: Any, y: Any) -> None:
        first = y[0] if isinstance(y, (list, tuple)) else y
        kind = type(layer)
        if kind in custom:
            count = _custom(custom[kind], layer, x, y)
        else:
            count = _COUNTS.get(kind, _nothing)(layer, x, first)
        own = sum(math.prod(p.shape) for p in layer.parameters())
        before = notes.get(id(layer))
        total = count + (before[4] if before else 0)                    # a layer that is used twice counts twice
        notes[id(layer)] = (layer.full_name(), list(x[0].shape), list(first.shape), own, total)
    return note


def _custom(function: Callable, layer: Any, x: Any, y: Any) -> int:
    """What a user's function adds to ``layer.total_ops``."""
    layer.__dict__["total_ops"] = 0
    try:
        function(layer, x, y)
        return int(layer.total_ops)
    finally:
        del layer.__dict__["total_ops"]


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(r[i]) for r in (_HEADS, *rows)) + 2 for i in range(len(_HEADS))]
    rule = "+" + "+".join("-" * w for w in widths) + "+"
    lines = ["|" + "|".join(cell.center(w) for cell, w in zip(r, widths, strict=True)) + "|" for r in (_HEADS, *rows)]
    return [rule, lines[0], rule, *lines[1:], rule]


__all__ = ["flops"]
