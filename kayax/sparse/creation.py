"""Sparse tensors from their parts."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kayax.bridge.convert import to_tensor
from kayax.bridge.ops.manipulation import cast
from kayax.bridge.sparse.tensor import SparseCooTensor, SparseCsrTensor
from kayax.bridge.sparse.values import host
from kayax.bridge.tensor import Tensor

_INDICES = ("int8", "int16", "int32", "int64")


def _places(data: Any, name: str, place: Any) -> Tensor:
    indices = data if isinstance(data, Tensor) else to_tensor(data, place=place)
    if indices.dtype.name not in _INDICES:
        raise TypeError(f"{name} must be of dtype {', '.join(_INDICES)}, but got {indices.dtype.name}.")
    return indices


def _values(data: Any, dtype: Any, place: Any, stop_gradient: bool) -> Tensor:
    """The values; of a Tensor, as in Paddle, its stop_gradient is set and gradients reach it."""
    if not isinstance(data, Tensor):
        return to_tensor(data, dtype, place, stop_gradient)
    data.stop_gradient = stop_gradient
    return data if dtype is None else cast(data, dtype)


def sparse_coo_tensor(indices: Any, values: Any, shape: Sequence[int] | None = None, dtype: Any = None,
                      place: Any = None, stop_gradient: bool = True) -> SparseCooTensor:
    """A sparse tensor of values at coordinates.

    indices: int [sparse dimensions, nnz]. values: [nnz], or [nnz, ...] for dense dimensions after them. shape: the
    smallest that holds the indices by default. dtype: of the values. Equal places add up when they are used
    (`coalesce`).
    """
    indices, values = _places(indices, "indices", place), _values(values, dtype, place, stop_gradient)
    if indices.ndim != 2:
        raise ValueError(f"indices must be [sparse dimensions, nnz], but its shape is {indices.shape}.")
    if not values.ndim or indices.shape[1] != values.shape[0]:
        raise ValueError(f"There must be a value for each place, but indices is {indices.shape} and values "
                         f"{values.shape}.")
    dense = list(values.shape[1:])
    if shape is None:
        known = host(indices)
        return SparseCooTensor(indices, values, [*(known.max(1, initial=-1) + 1).tolist(), *dense])
    shape = [int(size) for size in shape]
    if len(shape) != indices.shape[0] + len(dense):
        raise ValueError(f"shape must have {indices.shape[0]} sparse and {len(dense)} dense dimensions, but got "
                         f"{shape}.")
    least = [*(host(indices).max(1, initial=-1) + 1).tolist(), *dense]
    if any(size < low for size, low in zip(shape, least, strict=True)) or shape[indices.shape[0]:] != dense:
        raise ValueError(f"shape must be at least {least}, but got {shape}.")
    return SparseCooTensor(indices, values, shape)


def sparse_csr_tensor(crows: Any, cols: Any, values: Any, shape: Sequence[int] | None = None, dtype: Any = None,
                      place: Any = None, stop_gradient: bool = True) -> SparseCsrTensor:
    """A sparse matrix, or a batch of them, in compressed rows.

    crows: int [batch * (rows + 1)], where each row's values start, from 0 for each matrix. cols: int [nnz]. values:
    [nnz].
    shape: of 2 or 3 dimensions, the smallest by default. dtype: of the values.
    """
    crows, cols = _places(crows, "crows", place), _places(cols, "cols", place)
    values = _values(values, dtype, place, stop_gradient)
    if not crows.ndim == cols.ndim == values.ndim == 1:
        raise ValueError(f"crows, cols and values must have 1 dimension, but their shapes are {crows.shape}, "
                         f"{cols.shape} and {values.shape}.")
    if cols.shape != values.shape:
        raise ValueError(f"There must be a column for each value, but got {cols.shape[0]} and {values.shape[0]}.")
    starts = host(crows)
    shape = _csr_shape(starts, host(cols)) if shape is None else [int(size) for size in shape]
    if len(shape) not in (2, 3):
        raise ValueError(f"shape must have 2 or 3 dimensions, but got {shape}.")
    batch = shape[0] if len(shape) == 3 else 1
    if len(starts) != batch * (shape[-2] + 1):
        raise ValueError(f"crows must have {batch} * ({shape[-2]} + 1) elements for the shape {shape}, but has "
                         f"{len(starts)}.")
    starts = starts.reshape(batch, -1)
    if starts[:, 0].any() or starts[:, -1].sum() != values.shape[0] or (np.diff(starts, axis=1) < 0).any():
        raise ValueError("crows must rise from 0 to the number of a matrix's values, and these must be as many as "
                         f"values in all ({values.shape[0]}), but got {starts.tolist()}.")
    return SparseCsrTensor(crows, cols, values, shape)


def _csr_shape(starts: np.ndarray, cols: np.ndarray) -> list[int]:
    """The smallest shape: a new matrix begins where the starts fall."""
    batch = int(np.sum(starts[:-1] > starts[1:])) + 1
    if len(starts) % batch:
        raise ValueError(f"crows seems to be of {batch} matrices, but its {len(starts)} elements cannot be divided so: "
                         "pass shape.")
    matrix = [len(starts) // batch - 1, int(cols.max(initial=-1)) + 1]
    return matrix if batch == 1 else [batch, *matrix]
