"""Checks of values for operations (`check=` and `verify=` of `op`): what a program cannot refuse is refused around it.

While a function is being converted there are no values, and nothing is checked.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kayax.bridge.errors import DataDependentShapeError, at_user_line
from kayax.bridge.ops.bounds import known_values, need_range
from kayax.bridge.tensor import Tensor


def check_range(item: Any, n: Any, dim: int, shape: Any) -> None:
    """A RangeError for an index out of range, where its values are known: JAX would clamp it silently."""
    if type(n) is int:
        need_range(item, n, f"the index for dimension {dim} of a Tensor of shape {list(shape)}", lowest=-n)


def true_positions(mask: Any) -> tuple:
    """For each dimension of a mask, where it is true."""
    array = mask.storage.array if isinstance(mask, Tensor) else mask
    if isinstance(array, jax.core.Tracer):
        raise DataDependentShapeError(
            "How many elements a boolean mask selects depends on its values, which an XLA program cannot express."
            f"{at_user_line()}\nUse paddle.where(mask, x, other), which keeps the shape, or keep this function eager "
            "(`paddle.jit.not_to_static`).")
    return np.nonzero(np.asarray(array))


def along(tensor: int, index: int, axis: int | None = None, default: Any = 0) -> Callable:
    """The check that argument `index` holds positions along an axis of argument `tensor`.

    The axis is the value of argument `axis`, or `default`.
    """
    def check(*args: Any) -> None:
        x, places = args[tensor], args[index]
        dim = args[axis] if axis is not None and axis < len(args) else default
        dim = default if dim is None else int(dim)
        if isinstance(places, Tensor) and isinstance(x, Tensor) and -x.ndim <= dim < x.ndim:
            check_range(places, x.shape[dim], dim % x.ndim, x.shape)

    return check


def points(tensor: int, index: int) -> Callable:
    """The check that the last axis of argument `index` holds positions in argument `tensor` (a Tensor or a shape)."""
    def check(*args: Any) -> None:
        x, places = args[tensor], args[index]
        shape = tuple(x.shape) if isinstance(x, Tensor) else tuple(x)
        values = known_values(places)
        if values is not None and values.ndim and values.shape[-1] <= len(shape):
            for dim in range(values.shape[-1]):
                check_range(values[..., dim], shape[dim], dim, shape)

    return check


def no_zero(x: Any, y: Any, *_: Any, **__: Any) -> None:
    """A ZeroDivisionError if whole numbers are divided by zero: floats have inf and nan for it."""
    if _is_whole(x) and _is_whole(y):
        values = y if isinstance(y, int) else known_values(y)
        if values is not None and not np.all(values):
            raise ZeroDivisionError("Integers are divided, and the divisor has a zero.")


def _is_whole(x: Any) -> bool:
    if isinstance(x, Tensor):
        return not x.dtype.is_differentiable
    return isinstance(x, int) or getattr(x, "dtype", np.dtype(float)).kind in "iub"


def finite(message: str) -> Callable:
    """The check that a result has neither inf nor nan; `message` says what it means if it has."""
    def verify(out: Any) -> None:
        if not bool(jnp.isfinite(out.storage.array).all()):
            raise ValueError(message)

    return verify


SINGULAR = "a matrix is singular, or holds inf or nan, so that there is no result."
