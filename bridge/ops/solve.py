"""Solving linear equations."""
from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from kayax.bridge.ops.checks import SINGULAR, finite
from kayax.bridge.ops.decomposition import adjoint, matrices, permutation
from kayax.bridge.ops.promotion import cast, unify
from kayax.bridge.registry import function, op
from kayax.bridge.tensor import Tensor


@op(method=("inverse",), residuals=True, verify=finite(SINGULAR))
def inverse(x, name=None):
    """The inverse of square matrices. Where there is none: an error; in a converted function inf or nan."""
    matrices(x, square=True)
    return jnp.linalg.inv(x)


inv = inverse


def _common_batch(a: Any, b: Any) -> tuple[Any, Any]:
    batch = jnp.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    return jnp.broadcast_to(a, (*batch, *a.shape[-2:])), jnp.broadcast_to(b, (*batch, *b.shape[-2:]))


def _same_type(x: Any, y: Any) -> tuple[Any, Any]:
    zero = jnp.zeros((1,), x.dtype), jnp.zeros((1,), y.dtype)
    dtype = unify(*zero)[0].dtype
    return cast(x, dtype), cast(y, dtype)


@op(method=True, residuals=True, verify=finite(SINGULAR))
def solve(x, y, left=True, name=None):
    """The solution of ``x @ out = y``, or of ``out @ x = y`` if not `left`.

    x: (..., n, n). y: (..., n, k), or vectors (..., n). A singular x is an error; in a converted function, which cannot
    raise, the result is inf or nan.
    """
    x, y = _same_type(x, y)
    matrices(x, square=True)
    vector = y.ndim == 1 or (y.ndim == x.ndim - 1 and y.shape == x.shape[:-1])
    b = y[..., None] if vector else y
    if not left and not vector:
        b = jnp.swapaxes(b, -1, -2)
    a = x if left else jnp.swapaxes(x, -1, -2)
    if a.shape[-1] != b.shape[-2]:
        raise ValueError(f"The shapes do not fit: x is {list(x.shape)} and y is {list(y.shape)}.")
    out = jnp.linalg.solve(*_common_batch(a, b))
    if vector:
        return out[..., 0]
    return out if left else jnp.swapaxes(out, -1, -2)


@op(name="triangular_solve", residuals=True)
def triangular_solve(x, y, upper=True, transpose=False, unitriangular=False, name=None):
    """The solution of ``x @ out = y`` for triangular `x`, of which only that triangle is read.

    x: (..., n, n). y: (..., n, k).
    transpose: solve with the transposed matrix. unitriangular: the diagonal counts as 1.
    """
    matrices(x, square=True)
    x, y = _same_type(x, y)
    if y.ndim < 2 or x.shape[-1] != y.shape[-2]:
        raise ValueError(f"x must be (..., n, n) and y (..., n, k), but the shapes are {list(x.shape)} and "
                         f"{list(y.shape)}.")
    return lax.linalg.triangular_solve(*_common_batch(x, y), left_side=True, lower=not upper, transpose_a=transpose,
                                       unit_diagonal=unitriangular)


@op(name="cholesky_solve", method=True, residuals=True)
def cholesky_solve(x, y, upper=False, name=None):
    """The solution of ``A @ out = x``, where `y` is the Cholesky factor of A (the upper one if `upper`)."""
    matrices(y, square=True, name="y")
    factor, b = _common_batch(*_same_type(y, x))
    options = {"left_side": True, "lower": not upper}
    half = lax.linalg.triangular_solve(factor, b, transpose_a=upper, conjugate_a=upper, **options)
    return lax.linalg.triangular_solve(factor, half, transpose_a=not upper, conjugate_a=not upper, **options)


@op(name="lu_solve")
def lu_solve(b, lu, pivots, trans="N", name=None):
    """The solution of ``A @ out = b``, where `lu` and `pivots` are what `lu(A)` gave. trans: "N", "T" or "C" for A, its
    transpose or its conjugate transpose."""
    if trans not in ("N", "T", "C"):
        raise ValueError(f'trans must be "N", "T" or "C", but got {trans!r}.')
    matrices(lu, square=True, name="lu")
    factors, right = _common_batch(lu, b)
    order = jnp.broadcast_to(permutation(pivots, lu.shape[-1]), right.shape[:-1])
    if trans == "N":
        right = jnp.take_along_axis(right, order[..., None], -2)
        half = lax.linalg.triangular_solve(factors, right, left_side=True, lower=True, unit_diagonal=True)
        return lax.linalg.triangular_solve(factors, half, left_side=True, lower=False)
    turned = {"transpose_a": True, "conjugate_a": trans == "C", "left_side": True}
    half = lax.linalg.triangular_solve(factors, right, lower=False, **turned)
    out = lax.linalg.triangular_solve(factors, half, lower=True, unit_diagonal=True, **turned)
    return jnp.take_along_axis(out, jnp.argsort(order, -1)[..., None], -2)


@op(name="lstsq", residuals=True)
def _lstsq(x, y, rcond):
    matrices(x)
    x, y = _same_type(x, y)
    if y.ndim < 2 or x.shape[-2] != y.shape[-2]:
        raise ValueError(f"x must be (..., m, n) and y (..., m, k), but the shapes are {list(x.shape)} and "
                         f"{list(y.shape)}.")
    x, y = _common_batch(x, y)
    u, s, vh = jnp.linalg.svd(x, full_matrices=False)
    bound = jnp.finfo(s.dtype).eps * max(x.shape[-2:]) if rcond is None else rcond
    keep = s > cast(bound, s.dtype) * s[..., :1]
    inverse_s = jnp.where(keep, 1 / jnp.where(keep, s, 1), 0).astype(x.dtype)
    solution = adjoint(vh) @ (inverse_s[..., None] * (adjoint(u) @ y))
    left = y - x @ solution
    return solution, jnp.sum(jnp.abs(left) ** 2, -2), jnp.sum(keep, -1, dtype=np.int32), s


@function(method=True)
def lstsq(x: Tensor, y: Tensor, rcond: float | None = None, driver: str | None = None,
          name: str | None = None) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The least-squares solution of ``x @ out = y``: (solution, residuals, rank, singular values).

    x: (..., m, n). y: (..., m, k). rcond: singular values at most this times the greatest count as 0.
    driver: "gels", "gelsy" (if None), "gelsd" or "gelss". All are computed from the singular values here; the last two
    results are given for those drivers that give them in Paddle, and are empty otherwise.
    """
    if driver not in (None, "gels", "gelsy", "gelsd", "gelss"):
        raise ValueError(f'driver must be None, "gels", "gelsy", "gelsd" or "gelss", but got {driver!r}.')
    solution, residuals, found, values = _lstsq(x, y, rcond)
    empty = Tensor([], dtype=values.dtype)
    rows, columns = x.shape[-2:]
    if rows <= columns or driver in (None, "gelsy"):
        residuals = empty
    return solution, residuals, found, values if driver in ("gelsd", "gelss") else empty


__all__ = [
    "inverse",
]
LINALG = ("cholesky_solve", "inv", "lstsq", "lu_solve", "solve", "triangular_solve")
