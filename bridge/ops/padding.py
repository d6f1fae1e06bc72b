"""Padding of Tensors."""
from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax

from kayax.bridge.open_sizes import is_open
from kayax.bridge.ops.windows import FORMATS
from kayax.bridge.registry import op

_NAME = "nn.functional."
_MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def _pairs(x: Any, pad: Any, mode: str, data_format: Any, from_left: bool) -> list[tuple[int, int]]:
    """(before, after) per axis of `x`."""
    flat = (pad,) * (2 * (x.ndim - 2)) if isinstance(pad, int) else tuple(p if is_open(p) else int(p) for p in pad)
    if len(flat) % 2 or len(flat) > 2 * x.ndim:
        raise ValueError(f"pad must hold a pair for each padded axis, at most {2 * x.ndim} numbers, not {list(flat)}.")
    pairs = list(zip(flat[::2], flat[1::2], strict=True))
    n = x.ndim - 2
    if mode == "constant" and len(pairs) != n:
        every = pairs + [(0, 0)] * (x.ndim - len(pairs))
        return every if len(pairs) == x.ndim and from_left else every[::-1]
    if n not in FORMATS:
        if mode == "constant":
            return [(0, 0)] * 2 + pairs[::-1]
        raise ValueError(f"x must have 3, 4 or 5 dimensions for mode {mode!r}, but its shape is {list(x.shape)}.")
    data_format = data_format or FORMATS[n][0]
    if data_format not in FORMATS[n]:
        raise ValueError(f"data_format must be {FORMATS[n][0]!r} or {FORMATS[n][1]!r} for {x.ndim} dimensions, but got "
                         f"{data_format!r}.")
    if len(pairs) > n:
        raise ValueError(f"pad must hold at most {2 * n} numbers for {data_format}, but got {list(flat)}.")
    inner = [(0, 0)] * (n - len(pairs)) + pairs[::-1]           # the last spatial axis comes first
    return [(0, 0), *inner, (0, 0)] if data_format == FORMATS[n][1] else [(0, 0), (0, 0), *inner]


@op(name=_NAME + "pad", amp="pad3d", static=("pad",))
def pad(x, pad, mode="constant", value=0.0, data_format=None, pad_from_left_axis=True, name=None):
    """Extend the axes of `x`, or cut them where a number is negative.

    pad: two numbers, before and after, for each spatial axis, from the last: [left, right, top, ...]. With mode
        "constant" and another count of numbers, of the axes from the last, whatever `data_format`; with 2 * ndim
        numbers from the first (from the last with ``pad_from_left_axis=False``).
    mode: "constant" (`value`), "reflect" (without the edge), "replicate" (the edge) or "circular".
    """
    if mode not in _MODES:
        raise ValueError(f"mode must be one of {', '.join(_MODES)}, but got {mode!r}.")
    pairs = _pairs(x, pad, mode, data_format, pad_from_left_axis)
    for (before, after), size in zip(pairs, x.shape, strict=True):
        if mode == "reflect" and (before or after) and max(before, after) >= size:
            raise ValueError(f"A reflected padding must be less than the size {size}, but got {max(before, after)}.")
    if any(p < 0 for pair in pairs for p in pair):
        x = x[tuple(slice(max(-b, 0), s - max(-a, 0)) for (b, a), s in zip(pairs, x.shape, strict=True))]
        pairs = [(max(b, 0), max(a, 0)) for b, a in pairs]
    if not any(p for pair in pairs for p in pair):
        return x
    if mode == "constant":
        return jnp.pad(x, pairs, constant_values=jnp.asarray(value, x.dtype))
    if mode == "circular":
        for axis, (before, after) in enumerate(pairs):
            if is_open(x.shape[axis]) and (before or after):
                x, pairs[axis] = _wrapped(x, axis, before, after), (0, 0)
    return jnp.pad(x, pairs, mode=_MODES[mode])


def _wrapped(x: Any, axis: int, before: int, after: int) -> Any:
    """A circular padding of an axis of open size, which must be known to be as large as the padding."""
    n = x.shape[axis]
    if max(before, after) > n:
        raise ValueError(f"A circular padding of {max(before, after)} goes round the open size {n} more than once.")
    ends = lax.slice_in_dim(x, n - before, n, axis=axis), x, lax.slice_in_dim(x, 0, after, axis=axis)
    return jnp.concatenate(ends, axis)


def zeropad2d(x, padding, data_format="NCHW", name=None):
    """Zeros around images: padding is [left, right, top, bottom], or one integer for all."""
    return pad(x, [padding] * 4 if isinstance(padding, int) else padding, "constant", 0.0, data_format)


__all__ = ["pad", "zeropad2d"]
