"""Decompositions of matrices, and what is computed from them. Leading dimensions are batches."""
from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.scipy import linalg as scipy_linalg

from kayax.bridge.ops.checks import finite
from kayax.bridge.ops.promotion import cast, need
from kayax.bridge.ops.random import randn
from kayax.bridge.registry import function, op
from kayax.bridge.tensor import Tensor


def matrices(x: Any, square: bool = False, name: str = "x") -> None:
    """An error unless `x` holds floating matrices, square ones if asked."""
    need(x, name, (2, 3), "a floating or complex Tensor")
    if x.ndim < 2 or (square and x.shape[-1] != x.shape[-2]):
        raise ValueError(f"`{name}` must hold {'square ' if square else ''}matrices in its last two dimensions, but "
                         f"has shape {list(x.shape)}.")


def adjoint(x: Any) -> Any:
    """The conjugate transpose of the last two dimensions."""
    return jnp.conj(jnp.swapaxes(x, -1, -2))


def _of_triangle(x: Any, lower: bool) -> Any:
    """The Hermitian matrix with this triangle of `x`. Its gradient goes to both triangles, as in Paddle."""
    half = jnp.tril(x, -1) if lower else jnp.triu(x, 1)
    diagonal = jnp.real(jnp.diagonal(x, axis1=-2, axis2=-1)).astype(x.dtype)
    whole = half + adjoint(half) + diagonal[..., None] * jnp.eye(x.shape[-1], dtype=x.dtype)
    mean = (x + adjoint(x)) / 2
    return mean + lax.stop_gradient(whole - mean)


@op(method=True, residuals=True, verify=finite("a matrix is not positive definite: it has no Cholesky factor."))
def cholesky(x, upper=False, name=None):
    """The triangular factor of a positive definite matrix: ``L @ L.T = x``, or ``U.T @ U = x`` if `upper`.

    Of `x` the lower triangle is read, with `upper` the upper one. A matrix that is not positive definite is an error;
    in a converted function, which cannot raise, the result is nan.
    """
    matrices(x, square=True)
    return jnp.linalg.cholesky(_of_triangle(x, lower=not upper), upper=upper, symmetrize_input=False)


@op(name="cholesky_inverse", method=True)
def cholesky_inverse(x, upper=False, name=None):
    """The inverse of the matrix whose Cholesky factor is `x`, of which only that triangle is read."""
    matrices(x, square=True)
    return scipy_linalg.cho_solve((x, not upper), jnp.broadcast_to(jnp.eye(x.shape[-1], dtype=x.dtype), x.shape))


@op(name="qr", method=True, residuals=True)
def qr(x, mode="reduced", name=None):
    """``x = Q @ R`` with Q orthonormal and R upper triangular: (Q, R), or R alone.

    mode: "reduced", "complete" (Q is square) or "r".
    """
    matrices(x)
    if mode not in ("reduced", "complete", "r"):
        raise ValueError(f'mode must be "reduced", "complete" or "r", but got {mode!r}.')
    return jnp.linalg.qr(x, mode="r") if mode == "r" else tuple(jnp.linalg.qr(x, mode=mode))


@op(name="svd", residuals=True)
def svd(x, full_matrices=False, name=None):
    """``x = U @ diag(S) @ VH``: (U, S, VH), the singular values falling.

    full_matrices: U and VH are square. Gradients come through the vectors that belong to singular values alone.
    """
    matrices(x)
    rows, columns = x.shape[-2:]
    left, values, right = jnp.linalg.svd(x, full_matrices=False)
    if not full_matrices or rows == columns:
        return left, values, right
    all_left, _, all_right = jnp.linalg.svd(lax.stop_gradient(x), full_matrices=True)
    rank = min(rows, columns)
    # Each pair of vectors has a phase of its own choice: those of the whole matrices are taken.
    phase = lax.stop_gradient(jnp.sum(jnp.conj(left) * all_left[..., :rank], -2))
    left = jnp.concatenate([left * phase[..., None, :], all_left[..., rank:]], -1)
    right = jnp.concatenate([right * jnp.conj(phase)[..., :, None], all_right[..., rank:, :]], -2)
    return left, values, right


@op(name="svdvals", residuals=True)
def svdvals(x, name=None):
    """The singular values, falling."""
    matrices(x)
    return jnp.linalg.svd(x, compute_uv=False)


@op(name="eig", method=True)
def eig(x, name=None):
    """The eigenvalues of square matrices and the eigenvectors (in columns), complex."""
    matrices(x, square=True)
    return tuple(jnp.linalg.eig(x))


@op(name="eigvals", method=True)
def eigvals(x, name=None):
    """The eigenvalues of square matrices, complex."""
    matrices(x, square=True)
    return jnp.linalg.eigvals(x)


def _hermitian(x: Any, UPLO: str) -> Any:
    matrices(x, square=True)
    if UPLO not in ("L", "U"):
        raise ValueError(f'UPLO must be "L" or "U", but got {UPLO!r}.')
    return jnp.linalg.eigh(_of_triangle(x, lower=UPLO == "L"), UPLO=UPLO, symmetrize_input=False)


@op(name="eigh", residuals=True)
def eigh(x, UPLO="L", name=None):
    """The eigenvalues (rising) and eigenvectors of Hermitian matrices, of which only the triangle `UPLO` is read."""
    return tuple(_hermitian(x, UPLO))


@op(method=True, residuals=True)
def eigvalsh(x, UPLO="L", name=None):
    """The eigenvalues (rising) of Hermitian matrices, of which only the triangle `UPLO` is read."""
    return _hermitian(x, UPLO)[0]


@op(name="det", residuals=True)
def det(x, name=None):
    """The determinant of square matrices."""
    matrices(x, square=True)
    return jnp.linalg.det(x) if x.shape[-1] != 0 else jnp.ones(x.shape[:-2], x.dtype)


@op(name="slogdet", method=True, residuals=True)
def slogdet(x, name=None):
    """The sign and the logarithm of the absolute value of the determinant, stacked in a new first dimension."""
    matrices(x, square=True)
    sign, logarithm = jnp.linalg.slogdet(x)
    return jnp.stack([sign, cast(logarithm, x.dtype)])


@op(name="matrix_rank", differentiable=False)
def matrix_rank(x, tol=None, hermitian=False, atol=None, rtol=None, name=None):
    """The number of singular values (of absolute eigenvalues, if `hermitian`) above a bound, as int64.

    The bound is `tol`; or the greater of `atol` and `rtol` times the greatest value; else the precision times the
    greater size times the greatest value.
    """
    matrices(x, square=hermitian)
    if 0 in x.shape[-2:]:
        return jnp.zeros(x.shape[:-2], np.int64)
    values = jnp.abs(_hermitian(x, "L")[0]) if hermitian else jnp.linalg.svd(x, compute_uv=False)
    greatest = jnp.max(values, -1, keepdims=True)
    if tol is not None:
        bound = jnp.asarray(tol, values.dtype)
        bound = bound[..., None] if bound.ndim else bound
    else:
        by_size = jnp.finfo(values.dtype).eps * max(x.shape[-2:])
        relative = by_size if rtol is None and atol is None else 0.0 if rtol is None else rtol
        relative, absolute = (jnp.asarray(b, values.dtype) for b in (relative, 0.0 if atol is None else atol))
        relative, absolute = (b[..., None] if b.ndim else b for b in (relative, absolute))
        bound = jnp.maximum(relative * greatest, absolute)
    return jnp.sum(values > bound, -1, dtype=np.int64)


@op(name="matrix_power")
def _matrix_power(x, n):
    matrices(x, square=True)
    return jnp.linalg.matrix_power(x, n)


@function(method=True)
def matrix_power(x: Tensor, n: int, name: str | None = None) -> Tensor:
    """Square matrices to the integer power `n`; a negative one is a power of the inverse."""
    from kayax.bridge.ops.solve import inverse
    return _matrix_power(inverse(x), -n) if n < 0 else _matrix_power(x, n)


@op(name="matrix_exp")
def matrix_exp(x, name=None):
    """The exponential of square matrices."""
    matrices(x, square=True)
    return jnp.vectorize(scipy_linalg.expm, signature="(n,n)->(n,n)")(x)


@op(name="pinv", method=True, residuals=True)
def pinv(x, rcond=1e-15, hermitian=False, name=None):
    """The pseudo-inverse; singular values at most `rcond` times the greatest count as 0."""
    matrices(x, square=hermitian)
    if hermitian:
        values, vectors = _hermitian(x, "L")
        size = jnp.abs(values)
        keep = size > cast(rcond, size.dtype) * jnp.max(size, -1, keepdims=True)
        inverse = jnp.where(keep, 1 / jnp.where(keep, values, 1), 0).astype(x.dtype)
        return (vectors * inverse[..., None, :]) @ adjoint(vectors)
    return jnp.linalg.pinv(x, rtol=rcond)


@op(name="lu", residuals=True)
def _lu(x):
    matrices(x)
    factors, pivots, _ = lax.linalg.lu(x)
    return factors, cast(pivots + 1, np.int32), jnp.zeros(x.shape[:-2], np.int32)


@function(method=True)
def lu(x: Tensor, pivot: bool = True, get_infos: bool = False, name: str | None = None) -> tuple[Tensor, ...]:
    """``P @ L @ U = x``: L and U in one matrix, the row exchanges (from 1), and the 0 of success if `get_infos`."""
    if not pivot:
        raise ValueError("lu without pivoting is not supported: use pivot=True.")
    return _lu(x) if get_infos else _lu(x)[:2]


def permutation(pivots: Any, size: int) -> Any:
    """The row order that the exchanges (from 1) give."""
    return lax.linalg.lu_pivots_to_permutation(cast(pivots - 1, np.int32), size)


@op(name="lu_unpack", method=True)
def lu_unpack(x, y, unpack_ludata=True, unpack_pivots=True, name=None):
    """The matrices P, L and U of what `lu` gave: `x`, both factors, and `y`, the row exchanges.

    What the two flags leave out is empty.
    """
    rows, columns = x.shape[-2:]
    small = min(rows, columns)
    lower = jnp.tril(x[..., :, :small], -1) + jnp.eye(rows, small, dtype=x.dtype)
    upper = jnp.triu(x[..., :small, :])
    order = permutation(y, rows)
    exchange = jnp.swapaxes(jnp.eye(rows, dtype=x.dtype)[order], -1, -2)
    none = jnp.zeros(0, x.dtype)
    return (exchange if unpack_pivots else none, *((lower, upper) if unpack_ludata else (none, none)))


@op(name="householder_product", method=True)
def householder_product(x, tau, name=None):
    """The first columns of the product of the reflections that the columns of `x` and the numbers `tau` describe."""
    matrices(x)
    return lax.linalg.householder_product(x, tau)


@op(name="ormqr", method=True)
def ormqr(x, tau, y, left=True, transpose=False, name=None):
    """The product of `y` and the orthogonal matrix of the reflections `x` and `tau`, from the left or the right."""
    matrices(x)
    rows = x.shape[-2]
    wide = jnp.concatenate([x, jnp.zeros((*x.shape[:-1], rows - x.shape[-1]), x.dtype)], -1)
    scales = jnp.concatenate([tau, jnp.zeros((*tau.shape[:-1], rows - tau.shape[-1]), tau.dtype)], -1)
    q = lax.linalg.householder_product(wide, scales)
    q = adjoint(q) if transpose else q
    return q @ y if left else y @ q


@op(name="svd_lowrank.of", residuals=True)
def _low_rank(x, start, niter):
    q = jnp.linalg.qr(x @ start)[0]
    for _ in range(niter):
        q = jnp.linalg.qr(adjoint(x) @ q)[0]
        q = jnp.linalg.qr(x @ q)[0]
    u, s, vh = jnp.linalg.svd(adjoint(q) @ x, full_matrices=False)
    return q @ u, s, adjoint(vh)


@function(method=True)
def svd_lowrank(x: Tensor, q: int | None = None, niter: int = 2, M: Tensor | None = None,
                name: str | None = None) -> tuple[Tensor, ...]:
    """The `q` (6) greatest singular values and vectors, (U, S, V), by `niter` steps from a random start.

    M: a matrix that is subtracted from `x` first. After Halko, Martinsson and Tropp (2011).
    """
    if M is not None:
        x = x - M
    q = min(6, *x.shape[-2:]) if q is None else q
    if not 0 <= q <= min(x.shape[-2:]):
        raise ValueError(f"q must be in [0, {min(x.shape[-2:])}] for the shape {x.shape}, but got {q}.")
    return _low_rank(x, randn([x.shape[-1], q], x.dtype), niter)


@function(method=True)
def pca_lowrank(x: Tensor, q: int | None = None, center: bool = True, niter: int = 2,
                name: str | None = None) -> tuple[Tensor, ...]:
    """The `q` (6) greatest principal components of the rows of `x`, (U, S, V); the mean is subtracted if `center`."""
    return svd_lowrank(x - x.mean(axis=-2, keepdim=True) if center else x, q, niter)


__all__ = [
    "cholesky", "eigvalsh",
]
LINALG = ("cholesky", "cholesky_inverse", "det", "eig", "eigh", "eigvals", "eigvalsh", "householder_product", "lu",
          "lu_unpack", "matrix_exp", "matrix_power", "matrix_rank", "ormqr", "pca_lowrank", "pinv", "qr", "slogdet",
          "svd", "svd_lowrank", "svdvals")
