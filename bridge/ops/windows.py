"""What convolutions, pools and resampling share: data formats, sizes per dimension, and padding in all its forms."""
from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

FORMATS = {1: ("NCL", "NLC"), 2: ("NCHW", "NHWC"), 3: ("NCDHW", "NDHWC")}
Pads = list[tuple[int, int]]


def channels_last(data_format: str, n: int) -> bool:
    """Whether the channels are the last axis of a format with `n` spatial dimensions."""
    if data_format not in FORMATS[n]:
        raise ValueError(f"data_format must be {FORMATS[n][0]!r} or {FORMATS[n][1]!r}, but got {data_format!r}.")
    return data_format == FORMATS[n][1]


def spatial(array: Any, last: bool) -> tuple:
    """The spatial sizes of an array with the channels last or second."""
    return tuple(array.shape[1:-1] if last else array.shape[2:])


def per_dim(value: Any, n: int, what: str) -> tuple[int, ...]:
    """`n` integers of one, or of a list of n."""
    if isinstance(value, (list, tuple)):
        if len(value) == 1:
            value = tuple(value) * n
        if len(value) != n:
            raise ValueError(f"{what} must be an integer or a list of {n}, but got {list(value)}.")
        return tuple(_integer(v, what) for v in value)
    return (_integer(value, what),) * n


def _integer(value: Any, what: str) -> int:
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.item()
    if isinstance(value, float) and value == int(value):
        return int(value)
    if not isinstance(value, (int, np.integer)):
        raise TypeError(f"{what} must be an integer or a list of integers, but got {value!r}.")
    return int(value)


def need_rank(x: Any, n: int, what: str = "x") -> None:
    """A ValueError unless the array has `n` spatial dimensions next to batch and channels."""
    if x.ndim != n + 2:
        raise ValueError(f"{what} must have {n + 2} dimensions ({FORMATS[n][0]} or {FORMATS[n][1]}), but its shape is "
                         f"{list(x.shape)}.")


def positive(values: Sequence[int], what: str) -> None:
    if any(v <= 0 for v in values):
        raise ValueError(f"{what} must be positive, but got {list(values)}.")


def pads(padding: Any, n: int, last: bool) -> Pads | str:
    """Padding as n (before, after) pairs, or "SAME" or "VALID".

    Paddle's forms: one integer; one per dimension; before and after per dimension in one list of 2n; pairs per
    dimension; pairs for every axis with batch and channels, which must be [0, 0].
    """
    if isinstance(padding, str):
        if padding.upper() not in ("SAME", "VALID"):
            raise ValueError(f"padding as a word must be 'SAME' or 'VALID', but got {padding!r}.")
        return padding.upper()
    if not isinstance(padding, (list, tuple)):
        return [(p, p) for p in per_dim(padding, n, "padding")]
    if padding and isinstance(padding[0], (list, tuple)):
        pairs = [tuple(per_dim(p, 2, "padding")) for p in padding]
        if len(pairs) == n + 2:
            outer = [pairs[0], pairs[-1 if last else 1]]
            if any(p != (0, 0) for p in outer):
                raise ValueError(f"The batch and channel dimensions cannot be padded, but padding is {padding!r}.")
            return pairs[1:-1] if last else pairs[2:]          # type: ignore[return-value]
        if len(pairs) == n:
            return pairs                                        # type: ignore[return-value]
    elif len(padding) == 2 * n and n > 0:
        flat = per_dim(padding, 2 * n, "padding")
        return list(zip(flat[::2], flat[1::2], strict=True))
    elif len(padding) in (1, n):
        return [(p, p) for p in per_dim(padding, n, "padding")]
    raise ValueError(f"padding must be an integer, 'SAME', 'VALID', {n} or {2 * n} integers, or {n + 2} pairs, but got "
                     f"{padding!r}.")


def same_pads(sizes: Sequence[Any], kernel: Sequence[int], stride: Sequence[int]) -> Pads:
    """The padding that gives ceil(size / stride) windows, the odd one after."""
    out = []
    for size, k, s in zip(sizes, kernel, stride, strict=True):
        total = max((-(-size // s) - 1) * s + k - size, 0)
        out.append((total // 2, total - total // 2))
    return out


def resolve(padding: Any, n: int, last: bool, sizes: Sequence[Any], kernel: Sequence[int],
            stride: Sequence[int]) -> tuple[Pads, bool]:
    """Padding as pairs for these sizes, and whether it was "SAME" (which also sets the dilation to 1, as in Paddle)."""
    found = pads(padding, n, last)
    if found == "SAME":
        return same_pads(sizes, kernel, stride), True
    return ([(0, 0)] * n if found == "VALID" else found), False         # type: ignore[return-value]


def ceil_pads(pairs: Pads, sizes: Sequence[Any], kernel: Sequence[int], stride: Sequence[int]) -> Pads:
    """The padding with what the last, partial window of `ceil_mode` needs added after."""
    out = []
    for (before, after), size, k, s in zip(pairs, sizes, kernel, stride, strict=True):
        windows = -(-(size + before + after - k) // s) + 1
        out.append((before, max((windows - 1) * s + k - size - before, after)))
    return out


def prod(values: Sequence[Any]) -> Any:
    return math.prod(values)
