"""Diagonals and triangles: taken out of matrices, and made into matrices; windows."""
from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.scipy import linalg as scipy_linalg

from kayax.bridge.open_sizes import is_open
from kayax.bridge.ops.promotion import axis_of, cast, magnitude, need
from kayax.bridge.registry import op
from kayax.bridge.tensor import Tensor, wrap
from kayax.spec.dtype import to_numpy


def _triangle(fn: Any, x: Any, diagonal: int) -> Any:
    if x.ndim < 2:
        raise ValueError(f"x must have 2 or more dimensions, but has shape {list(x.shape)}.")
    return fn(x, diagonal)


@op(method=True, inplace=True, static=("diagonal",))
def tril(x, diagonal=0, name=None):
    """The lower triangle of the last two dimensions, up to the given diagonal; 0 above it."""
    return _triangle(jnp.tril, x, diagonal)


@op(method=True, inplace=True, static=("diagonal",))
def triu(x, diagonal=0, name=None):
    """The upper triangle of the last two dimensions, from the given diagonal on; 0 below it."""
    return _triangle(jnp.triu, x, diagonal)


def _indices(fn: Any, row: int, col: int | None, offset: int, dtype: Any) -> Tensor:
    col = row if col is None else col
    for value in (row, col):
        if not isinstance(value, (int, np.integer)) or value < 0:
            raise TypeError(f"row and col must be ints of 0 or more, but got row={row!r} and col={col!r}.")
    return wrap(jnp.asarray(np.stack(fn(row, offset, col)).astype(to_numpy(dtype))))


def tril_indices(row: int, col: int, offset: int = 0, dtype: Any = "int64") -> Tensor:
    """The indices of the lower triangle of a (row, col) matrix: shape (2, count), rows first."""
    return _indices(np.tril_indices, row, col, offset, dtype)


def triu_indices(row: int, col: int | None = None, offset: int = 0, dtype: Any = "int64") -> Tensor:
    """The indices of the upper triangle of a (row, col) matrix: shape (2, count), rows first."""
    return _indices(np.triu_indices, row, col, offset, dtype)


@op(method=True)
def diag(x, offset=0, padding_value=0, name=None):
    """Of a vector, the matrix with it on the diagonal and `padding_value` elsewhere; of a matrix, its diagonal."""
    if x.ndim not in (1, 2):
        raise ValueError(f"diag takes a vector or a matrix, but got shape {list(x.shape)}. See diag_embed and "
                         "diagonal.")
    if x.ndim == 2:
        return jnp.diagonal(x, offset)
    made = jnp.diag(x, offset)
    if isinstance(padding_value, (int, float)) and padding_value == 0:
        return made
    return jnp.where(jnp.eye(made.shape[0], made.shape[1], k=offset, dtype=bool), made, cast(padding_value, x.dtype))


@op(method=True)
def diagflat(x, offset=0, name=None):
    """The matrix with the elements of `x` on the diagonal."""
    return jnp.diag(x.reshape(-1), offset)


@op(method=True)
def diag_embed(input, offset=0, dim1=-2, dim2=-1):
    """The last dimension of `input` as the diagonal of new matrices, in the result's dimensions `dim1` and `dim2`."""
    ndim = input.ndim + 1
    first, second = axis_of(dim1, ndim, "dim1"), axis_of(dim2, ndim, "dim2")
    if first == second:
        raise ValueError(f"dim1 and dim2 must be different, but both are {first}.")
    size = input.shape[-1] + abs(offset)
    places = (jnp if is_open(input.shape[-1]) else np).arange(input.shape[-1])
    rows, columns = places + max(-offset, 0), places + max(offset, 0)
    made = jnp.zeros((*input.shape[:-1], size, size), input.dtype).at[..., rows, columns].set(input)
    return jnp.moveaxis(made, (-2, -1), (first, second))


@op(method=True)
def vander(x, n=None, increasing=False, name=None):
    """The matrix of powers of the vector `x`: n columns (as many as elements if None), falling unless `increasing`."""
    if x.ndim != 1:
        raise ValueError(f"vander takes a vector, but got shape {list(x.shape)}.")
    if n is not None and n < 0:
        raise ValueError(f"n must not be negative, but got {n}.")
    if n is None and is_open(x.shape[0]):           # JAX's own takes a known count alone
        powers = jnp.arange(x.shape[0], dtype=x.dtype)
        return jnp.power(x[:, None], powers if increasing else powers[::-1])
    return cast(jnp.vander(x, n, increasing=increasing), x.dtype)


@op(method=True)
def block_diag(inputs, name=None):
    """The matrix with these matrices along its diagonal; vectors count as rows, 0-D Tensors as 1 by 1."""
    if any(x.ndim > 2 for x in inputs):
        raise ValueError(f"block_diag takes Tensors of at most 2 dimensions, but got "
                         f"{[list(x.shape) for x in inputs]}.")
    return scipy_linalg.block_diag(*inputs)


@op(method=True, inplace=True)
def renorm(x, p, axis, max_norm):
    """`x` with each slice along `axis` scaled down so that its p-norm is at most `max_norm`."""
    need(x, "x", (2,), "a floating Tensor")
    axis = axis_of(axis, x.ndim)
    others = tuple(i for i in range(x.ndim) if i != axis)
    norms = jnp.sum(magnitude(x) ** p, others, keepdims=True) ** (1 / p)
    return x * jnp.where(norms > max_norm, max_norm / (norms + 1e-7), 1).astype(x.dtype)


def _window(values: Any, window_length: int, dtype: Any) -> Tensor:
    values = np.ones(1) if window_length == 1 else np.asarray(values[:window_length], np.float64)
    return wrap(jnp.asarray(values.astype(to_numpy(dtype))))


def _points(window_length: int, periodic: bool) -> np.ndarray:
    """Angles over one turn, the last point left out if periodic."""
    if window_length < 0:
        raise ValueError(f"window_length must not be negative, but got {window_length}.")
    steps = window_length if periodic else window_length - 1
    return 2 * np.pi * np.arange(window_length) / max(steps, 1)


def hann_window(window_length: int, periodic: bool = True, *, dtype: Any = "float32") -> Tensor:
    """The Hann window ``0.5 - 0.5 cos``."""
    return _window(0.5 - 0.5 * np.cos(_points(window_length, periodic)), window_length, dtype)


def hamming_window(window_length: int, periodic: bool = True, alpha: float = 0.54, beta: float = 0.46, *,
                   dtype: Any = "float32") -> Tensor:
    """The Hamming window ``alpha - beta cos``."""
    return _window(alpha - beta * np.cos(_points(window_length, periodic)), window_length, dtype)


def blackman_window(window_length: int, periodic: bool = True, *, dtype: Any = "float32") -> Tensor:
    """The Blackman window ``0.42 - 0.5 cos + 0.08 cos 2``."""
    turn = _points(window_length, periodic)
    return _window(0.42 - 0.5 * np.cos(turn) + 0.08 * np.cos(2 * turn), window_length, dtype)


def bartlett_window(window_length: int, periodic: bool = True, *, dtype: Any = "float32") -> Tensor:
    """The triangular Bartlett window."""
    return _window(1 - np.abs(_points(window_length, periodic) / np.pi - 1), window_length, dtype)


def kaiser_window(window_length: int, periodic: bool = True, beta: float = 12.0, *, dtype: Any = "float32") -> Tensor:
    """The Kaiser window of shape `beta`."""
    return _window(np.kaiser(window_length + 1 if periodic else window_length, beta), window_length, dtype)


__all__ = [
    "bartlett_window", "blackman_window", "block_diag", "diag", "diag_embed", "diagflat", "hamming_window",
    "hann_window", "kaiser_window", "renorm", "tril", "tril_indices", "triu", "triu_indices", "vander",
]
