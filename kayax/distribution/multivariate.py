"""MultivariateNormal, and LKJCholesky over correlation matrices."""
from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.scipy.linalg import solve_triangular
from jax.scipy.special import gammaln, multigammaln

from kayax.bridge.open_sizes import common_shape
from kayax.bridge.registry import op
from kayax.bridge.tensor import Tensor
from kayax.distribution.distribution import Distribution, Reparametrized, parameters
from kayax.distribution.formula import draw, formula
from kayax.distribution.location_scale import need_all
from kayax.layers import ops


@op(name="distribution.cholesky")
def _cholesky(matrix):
    return jnp.linalg.cholesky(matrix)


@op(name="distribution.cholesky_of_inverse")
def _cholesky_of_inverse(precision):
    """The Cholesky factor of the inverse: the factor of the matrix read backwards, inverted."""
    backwards = jnp.linalg.cholesky(precision[..., ::-1, ::-1])
    upper = jnp.swapaxes(backwards[..., ::-1, ::-1], -1, -2)
    return solve_triangular(upper, jnp.broadcast_to(jnp.eye(upper.shape[-1], dtype=upper.dtype), upper.shape),
                            lower=True)


def _half_log_det(factor):
    return jnp.log(jnp.diagonal(factor, axis1=-2, axis2=-1)).sum(-1)


def _mahalanobis(factor, centred):
    """The squared length of ``factor^-1 centred``."""
    shape = jnp.broadcast_shapes(factor.shape[:-2], centred.shape[:-1])
    factor = jnp.broadcast_to(factor, (*shape, *factor.shape[-2:]))
    solved = solve_triangular(factor, jnp.broadcast_to(centred, (*shape, centred.shape[-1]))[..., None], lower=True)
    return jnp.square(solved[..., 0]).sum(-1)


class MultivariateNormal(Reparametrized):
    """The normal distribution of vectors, given by `loc` [..., n] and one of three matrices [..., n, n].

    scale_tril: the lower triangular Cholesky factor of the covariance.
    """

    def __init__(self, loc: Any, covariance_matrix: Tensor | None = None, precision_matrix: Tensor | None = None,
                 scale_tril: Tensor | None = None):
        given = {"covariance_matrix": covariance_matrix, "precision_matrix": precision_matrix,
                 "scale_tril": scale_tril}
        matrices = {name: matrix for name, matrix in given.items() if matrix is not None}
        if len(matrices) != 1:
            raise ValueError("Give exactly one of covariance_matrix, precision_matrix and scale_tril, but got "
                             f"{list(matrices) or 'none'}.")
        loc = parameters(loc, shape=(1,))[0]
        loc = ops.reshape(loc, [1]) if not loc.shape else loc
        (name, matrix), = matrices.items()
        if len(matrix.shape) < 2:
            raise ValueError(f"{name} must have at least two dimensions, but its shape is {list(matrix.shape)}.")
        matrix = ops.cast(matrix, loc.dtype)
        batch = list(common_shape(tuple(matrix.shape[:-2]), tuple(loc.shape[:-1])))
        self.dtype = loc.dtype.name
        self.loc = ops.broadcast_to(loc, [*batch, loc.shape[-1]])
        self.covariance_matrix = self.precision_matrix = self.scale_tril = None
        setattr(self, name, ops.broadcast_to(matrix, [*batch, *matrix.shape[-2:]]))
        factor = {"covariance_matrix": _cholesky, "precision_matrix": _cholesky_of_inverse}.get(name)
        self._factor = matrix if factor is None else factor(matrix)
        super().__init__(tuple(batch), tuple(self.loc.shape[-1:]))

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    @formula
    def variance(_factor, _batch_shape):
        return jnp.broadcast_to(jnp.square(_factor).sum(-1), (*_batch_shape, _factor.shape[-1]))

    @draw
    def _draw(key, shape, /, loc, _factor):
        normal = jax.random.normal(key, shape, loc.dtype)
        return loc + (_factor @ normal[..., None])[..., 0]

    @formula
    def log_prob(value, /, loc, _factor):
        """The logarithm of the density at `value`, [..., n]."""
        distance = loc.shape[-1] * math.log(2 * math.pi) + _mahalanobis(_factor, value - loc)
        return -0.5 * distance - _half_log_det(_factor)

    @formula
    def entropy(_factor, _batch_shape):
        """The entropy, in nats."""
        entropy = 0.5 * _factor.shape[-1] * (1 + math.log(2 * math.pi)) + _half_log_det(_factor)
        return jnp.broadcast_to(entropy, _batch_shape)

    def kl_divergence(self, other: Distribution) -> Tensor:
        """KL(self, other) of two multivariate normal distributions of the same shapes."""
        self._same_kind(other)
        if self.batch_shape != other.batch_shape or self.event_shape != other.event_shape:
            raise ValueError("Batch and event shapes must agree, but are "
                             f"{self.batch_shape + self.event_shape} and {other.batch_shape + other.event_shape}.")
        return self._kl(other.loc, other._factor)                                   # type: ignore[attr-defined]

    @formula
    def _kl(other_loc, other_factor, /, loc, _factor):
        shape = jnp.broadcast_shapes(other_factor.shape, _factor.shape)
        ratio = solve_triangular(jnp.broadcast_to(other_factor, shape), jnp.broadcast_to(_factor, shape), lower=True)
        inner = jnp.square(ratio).sum((-2, -1)) + _mahalanobis(other_factor, loc - other_loc)
        return _half_log_det(other_factor) - _half_log_det(_factor) + 0.5 * (inner - loc.shape[-1])


class LKJCholesky(Distribution):
    """Cholesky factors of random correlation matrices [dim, dim] (Lewandowski, Kurowicka and Joe, 2009).

    concentration: 1 for all correlation matrices alike, more for ones nearer to the identity.
    sample_method: "onion" or "cvine", two ways to draw from the same distribution.
    """

    def __init__(self, dim: int = 2, concentration: Any = 1.0, sample_method: str = "onion"):
        if not isinstance(dim, int):
            raise TypeError(f"dim must be an int, but got {type(dim).__name__}.")
        if dim < 2:
            raise ValueError(f"dim must be at least 2, but got {dim}.")
        if sample_method not in ("onion", "cvine"):
            raise ValueError(f"sample_method must be 'onion' or 'cvine', but got {sample_method!r}.")
        self.concentration = parameters(concentration)[0]
        need_all(self.concentration, lambda x: x > 0, "concentration must be positive")
        self.dim, self.sample_method, self.dtype = dim, sample_method, self.concentration.dtype.name
        super().__init__(tuple(self.concentration.shape), (dim, dim))

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Draws without a gradient, ``sample_shape + batch_shape + [dim, dim]``."""
        return super().sample(sample_shape)

    @draw
    def _draw(key, shape, /, concentration, dim, sample_method):
        return (_onion if sample_method == "onion" else _vine)(key, shape, concentration, dim)

    @formula
    def log_prob(value, /, concentration, dim):
        """The logarithm of the density at the Cholesky factor `value`."""
        diagonal = jnp.diagonal(value, axis1=-2, axis2=-1)[..., 1:]
        order = 2 * (concentration - 1)[..., None] + dim - jnp.arange(2, dim + 1, dtype=concentration.dtype)
        alpha = concentration + 0.5 * (dim - 1)
        scale = (dim - 1) * (0.5 * math.log(math.pi) - gammaln(alpha)) + multigammaln(alpha - 0.5, dim - 1)
        return (order * jnp.log(diagonal)).sum(-1) - scale


def _onion(key, shape, concentration, dim):
    """Row by row: a random direction, and a random share of the row's length left of the diagonal."""
    of_length, of_direction = jax.random.split(key)
    dtype = concentration.dtype
    size = jnp.arange(1, dim, dtype=dtype)                      # how many elements are left of the diagonal
    rest = concentration[..., None] + 0.5 * (dim - 1 - size)
    share = jax.random.beta(of_length, 0.5 * size, rest, (*shape[:-2], dim - 1), dtype)[..., None]
    normal = jnp.tril(jax.random.normal(of_direction, (*shape[:-2], dim - 1, dim), dtype))
    rows = jnp.sqrt(share) * normal / jnp.linalg.norm(normal, axis=-1, keepdims=True)
    lower = jnp.concatenate([jnp.zeros((*shape[:-2], 1, dim), dtype), rows], -2)
    return _with_diagonal(lower)


def _vine(key, shape, concentration, dim):
    """Partial correlations, which are independent beta variables, multiplied up to the factor."""
    dtype = concentration.dtype
    column = jnp.arange(dim, dtype=dtype)
    parameter = jnp.maximum(concentration[..., None, None] + 0.5 * (dim - 2 - column), jnp.finfo(dtype).tiny)
    partial = jnp.tril(2 * jax.random.beta(key, parameter, parameter, shape, dtype) - 1, -1)
    left = jnp.cumprod(jnp.sqrt(1 - jnp.square(partial)), -1)
    before = jnp.concatenate([jnp.ones_like(left[..., :1]), left[..., :-1]], -1)
    return _with_diagonal(partial * before)


def _with_diagonal(lower):
    """The rows, made of length 1 by their elements on the diagonal."""
    rest = jnp.maximum(1 - jnp.square(lower).sum(-1), jnp.finfo(lower.dtype).tiny)
    return lower + jnp.sqrt(rest)[..., None] * jnp.eye(lower.shape[-1], dtype=lower.dtype)
