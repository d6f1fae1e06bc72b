"""Gamma, Exponential, Chi2, Beta and Dirichlet."""
from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax.scipy.special import betaln, digamma, gammaln, xlogy

from kayax.bridge.tensor import Tensor
from kayax.distribution.distribution import Distribution, ExponentialFamily, Reparametrized, common, parameters
from kayax.distribution.formula import draw, formula
from kayax.distribution.location_scale import need_all
from kayax.layers import ops


class Gamma(Reparametrized, ExponentialFamily):
    """The gamma distribution with shape `concentration` and inverse scale `rate`."""

    def __init__(self, concentration: Any, rate: Any):
        self.concentration, self.rate = common(*parameters(concentration, rate))
        self.dtype = self.concentration.dtype.name
        super().__init__(tuple(self.concentration.shape))

    @property
    @formula
    def mean(concentration, rate):
        return concentration / rate

    @property
    @formula
    def variance(concentration, rate):
        return concentration / jnp.square(rate)

    @draw
    def _draw(key, shape, /, concentration, rate):
        return jax.random.gamma(key, concentration, shape, concentration.dtype) / rate

    @formula
    def log_prob(value, /, concentration, rate):
        """The logarithm of the density at `value`."""
        return (concentration * jnp.log(rate) + (concentration - 1) * jnp.log(value) - rate * value
                - gammaln(concentration))

    @formula
    def entropy(concentration, rate):
        """The entropy, in nats."""
        return (concentration - jnp.log(rate) + gammaln(concentration)
                + (1 - concentration) * digamma(concentration))

    def kl_divergence(self, other: Distribution) -> Tensor:
        """KL(self, other) of two gamma distributions."""
        if not isinstance(other, Gamma):
            self._same_kind(other)
        return self._kl(other.concentration, other.rate)                            # type: ignore[attr-defined]

    @formula
    def _kl(other_concentration, other_rate, /, concentration, rate):
        return (other_concentration * jnp.log(rate / other_rate) + gammaln(other_concentration)
                - gammaln(concentration) + (concentration - other_concentration) * digamma(concentration)
                + (other_rate - rate) * concentration / rate)

    @property
    def _natural_parameters(self) -> tuple[Tensor, ...]:
        return self.concentration - 1, -self.rate

    def _log_normalizer(self, *natural: Tensor) -> Tensor:
        x, y = natural
        return ops.lgamma(x + 1) - (x + 1) * ops.log(-y)


class Chi2(Gamma):
    """The distribution of the sum of `df` squared standard normal variables."""

    def __init__(self, df: Any):
        self.df = parameters(df)[0]
        need_all(self.df, lambda x: x > 0, "df must be positive")
        super().__init__(self.df * 0.5, ops.full_like(self.df, 0.5))


class Exponential(Reparametrized, ExponentialFamily):
    """The time between events that happen at `rate`."""

    def __init__(self, rate: Any):
        self.rate = parameters(rate)[0]
        self.dtype = self.rate.dtype.name
        super().__init__(tuple(self.rate.shape))

    @property
    @formula
    def mean(rate):
        return 1 / rate

    @property
    @formula
    def variance(rate):
        return 1 / jnp.square(rate)

    @draw
    def _draw(key, shape, /, rate):
        return jax.random.exponential(key, shape, rate.dtype) / rate

    @formula
    def prob(value, /, rate):
        """The density at `value`, which must not be negative."""
        return rate * jnp.exp(-rate * value)

    @formula
    def log_prob(value, /, rate):
        """The logarithm of the density at `value`, which must not be negative."""
        return jnp.log(rate) - rate * value

    @formula
    def entropy(rate):
        """The entropy, in nats."""
        return 1 - jnp.log(rate)

    @formula
    def cdf(value, /, rate):
        """The probability of at most `value`."""
        return -jnp.expm1(-rate * value)

    @formula
    def icdf(value, /, rate):
        """Where the probability of at most that much is `value`."""
        return -jnp.log1p(-value) / rate

    def kl_divergence(self, other: Distribution) -> Tensor:
        """KL(self, other) of two exponential distributions."""
        self._same_kind(other)
        return self._kl(other.rate)                                                 # type: ignore[attr-defined]

    @formula
    def _kl(other_rate, /, rate):
        return other_rate / rate - jnp.log(other_rate / rate) - 1

    @property
    def _natural_parameters(self) -> tuple[Tensor, ...]:
        return (-self.rate,)

    def _log_normalizer(self, *natural: Tensor) -> Tensor:
        return -ops.log(-natural[0])


class Beta(ExponentialFamily):
    """The beta distribution, on the unit interval."""

    def __init__(self, alpha: Any, beta: Any):
        self.alpha, self.beta = common(*parameters(alpha, beta))
        super().__init__(tuple(self.alpha.shape))

    @property
    @formula
    def mean(alpha, beta):
        return alpha / (alpha + beta)

    @property
    @formula
    def variance(alpha, beta):
        total = alpha + beta
        return alpha * beta / (jnp.square(total) * (total + 1))

    @draw
    def _draw(key, shape, /, alpha, beta):
        return jax.random.beta(key, alpha, beta, shape, alpha.dtype)

    @formula
    def log_prob(value, /, alpha, beta):
        """The logarithm of the density at `value`."""
        return (alpha - 1) * jnp.log(value) + (beta - 1) * jnp.log(1 - value) - betaln(alpha, beta)

    @formula
    def entropy(alpha, beta):
        """The entropy, in nats."""
        return (betaln(alpha, beta) - (alpha - 1) * digamma(alpha) - (beta - 1) * digamma(beta)
                + (alpha + beta - 2) * digamma(alpha + beta))

    def kl_divergence(self, other: Distribution) -> Tensor:
        """KL(self, other) of two beta distributions."""
        self._same_kind(other)
        return self._kl(other.alpha, other.beta)                                    # type: ignore[attr-defined]

    @formula
    def _kl(other_alpha, other_beta, /, alpha, beta):
        return (betaln(other_alpha, other_beta) - betaln(alpha, beta) + (alpha - other_alpha) * digamma(alpha)
                + (beta - other_beta) * digamma(beta)
                + (other_alpha + other_beta - alpha - beta) * digamma(alpha + beta))

    @property
    def _natural_parameters(self) -> tuple[Tensor, ...]:
        return self.alpha, self.beta

    def _log_normalizer(self, *natural: Tensor) -> Tensor:
        x, y = natural
        return ops.lgamma(x) + ops.lgamma(y) - ops.lgamma(x + y)


class Dirichlet(ExponentialFamily):
    """The Dirichlet distribution, on the points whose coordinates are positive and sum to 1."""

    def __init__(self, concentration: Tensor):
        self.concentration = parameters(concentration)[0]
        shape = tuple(self.concentration.shape)
        if not shape or 0 in shape:
            raise ValueError(f"concentration must have at least one dimension and element, but its shape is {shape}.")
        super().__init__(shape[:-1], shape[-1:])

    @property
    @formula
    def mean(concentration):
        return concentration / concentration.sum(-1, keepdims=True)

    @property
    @formula
    def variance(concentration):
        total = concentration.sum(-1, keepdims=True)
        return concentration * (total - concentration) / (jnp.square(total) * (total + 1))

    @draw
    def _draw(key, shape, /, concentration):
        return jax.random.dirichlet(key, concentration, shape[:-1], concentration.dtype)

    @formula
    def log_prob(value, /, concentration):
        """The logarithm of the density at `value`, [..., coordinates]."""
        return (xlogy(concentration - 1, value).sum(-1) + gammaln(concentration.sum(-1))
                - gammaln(concentration).sum(-1))

    @formula
    def entropy(concentration):
        """The entropy, in nats."""
        total, size = concentration.sum(-1), concentration.shape[-1]
        return (gammaln(concentration).sum(-1) - gammaln(total) - (size - total) * digamma(total)
                - ((concentration - 1) * digamma(concentration)).sum(-1))

    def kl_divergence(self, other: Distribution) -> Tensor:
        """KL(self, other) of two Dirichlet distributions."""
        self._same_kind(other)
        return self._kl(other.concentration)                                        # type: ignore[attr-defined]

    @formula
    def _kl(other, /, concentration):
        total = concentration.sum(-1)
        inner = (concentration - other) * (digamma(concentration) - digamma(total)[..., None])
        return (gammaln(total) - gammaln(other.sum(-1)) - (gammaln(concentration) - gammaln(other)).sum(-1)
                + inner.sum(-1))

    @property
    def _natural_parameters(self) -> tuple[Tensor, ...]:
        return (self.concentration,)

    def _log_normalizer(self, *natural: Tensor) -> Tensor:
        x = natural[0]
        return ops.sum(ops.lgamma(x), -1) - ops.lgamma(ops.sum(x, -1))
