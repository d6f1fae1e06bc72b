"""From samples to batches. Runs in worker processes too, so it needs NumPy alone until a Tensor comes by."""
from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from numbers import Number
from typing import Any

import numpy as np

ALIGNMENT = 64              # what XLA's CPU client asks of memory that it uses in place
_WORTH_ALIGNING = 1 << 16


def aligned_empty(nbytes: int) -> np.ndarray:
    """New uninitialized bytes that start at a multiple of 64, so that JAX can use them without a copy."""
    raw = np.empty(nbytes + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start:start + nbytes]


def aligned_copy(array: np.ndarray) -> np.ndarray:
    """A copy of the array in such memory, in C order."""
    out = aligned_empty(array.nbytes).view(array.dtype.newbyteorder("=")).reshape(array.shape)
    out[...] = array
    return out


def is_tensor(value: Any) -> bool:
    """Whether it is a Tensor, found out without importing them: while nobody has, there are none."""
    module = sys.modules.get("kayax.bridge.tensor")
    return module is not None and isinstance(value, module.Tensor)


def default_collate_fn(batch: Sequence[Any]) -> Any:
    """Stack a list of samples into a batch, field by field.

    Arrays, Tensors and numbers gain a leading axis of ``len(batch)`` (Python ints give int64, floats float64, as in
    Paddle); mappings give a dict, other sequences a list of collated fields; strings stay a list.
    """
    first = batch[0]
    if isinstance(first, np.ndarray):
        return _stack(batch)
    if isinstance(first, Number):
        return np.array(batch)
    if isinstance(first, (str, bytes)):
        return list(batch)
    if is_tensor(first):
        return sys.modules["kayax.bridge.tensor"].Tensor(_stack([np.asarray(sample) for sample in batch]))
    if isinstance(first, Mapping):
        return {key: default_collate_fn([sample[key] for sample in batch]) for key in first}
    if isinstance(first, Sequence):
        if len({len(sample) for sample in batch}) != 1:
            raise RuntimeError("The samples of a batch have different numbers of fields: "
                               f"{[len(sample) for sample in batch]}.")
        return [default_collate_fn(field) for field in zip(*batch, strict=True)]
    raise TypeError("A sample may hold Tensors, NumPy arrays, numbers, strings, and dicts and lists of them, but got a "
                    f"{type(first).__name__}: give the DataLoader a collate_fn that makes batches of it.")


def default_convert_fn(sample: Any) -> Any:
    """A sample as it is when batching is switched off (``batch_size=None``): mappings become dicts, sequences lists."""
    if isinstance(sample, (str, bytes, np.ndarray)) or is_tensor(sample):
        return sample
    if isinstance(sample, Mapping):
        return {key: default_convert_fn(value) for key, value in sample.items()}
    if isinstance(sample, Sequence):
        return [default_convert_fn(value) for value in sample]
    return sample


def _stack(arrays: Sequence[np.ndarray]) -> np.ndarray:
    first = arrays[0]
    if {a.shape for a in arrays} != {first.shape}:
        raise ValueError("The arrays of a batch must have one shape to be stacked, but got the shapes "
                         f"{sorted({a.shape for a in arrays})}: bring them to one shape or give a collate_fn.")
    nbytes = first.nbytes * len(arrays)
    if nbytes < _WORTH_ALIGNING or first.dtype.hasobject or any(a.dtype != first.dtype for a in arrays):
        return np.stack(arrays)
    out = aligned_empty(nbytes).view(first.dtype).reshape(len(arrays), *first.shape)
    return np.stack(arrays, out=out)
