"""The continuous Bernoulli distribution (Loaiza-Ganem and Cunningham, 2019)."""
from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.scipy.special import xlog1py, xlogy

from kayax.bridge.tensor import Tensor
from kayax.distribution.discrete import clipped
from kayax.distribution.distribution import Distribution, Reparametrized, parameters
from kayax.distribution.formula import draw, formula


def _cut(probs, lims):
    """Whether a probability is far enough from 1/2 for the closed forms, and one that is."""
    far = (probs <= lims[0]) | (probs > lims[1])
    return far, jnp.where(far, probs, lims[0])


def _log_constant(probs, lims):
    far, p = _cut(probs, lims)
    exact = jnp.log(2 * jnp.abs(jnp.arctanh(1 - 2 * p)) / jnp.abs(1 - 2 * p))
    x = jnp.square(probs - 0.5)
    return jnp.where(far, exact, math.log(2) + (4 / 3 + 104 / 45 * x) * x)


def _mean(probs, lims):
    far, p = _cut(probs, lims)
    x = probs - 0.5
    near = 0.5 + (1 / 3 + 16 / 45 * jnp.square(x)) * x
    return jnp.where(far, p / (2 * p - 1) + 1 / (2 * jnp.arctanh(1 - 2 * p)), near)


def _quantile(value, probs, lims):
    far, p = _cut(probs, lims)
    low = jnp.log1p(-p)
    return jnp.where(far, (jnp.log1p(-p + value * (2 * p - 1)) - low) / (jnp.log(p) - low), value)


def _entropy(probs, lims):
    log_p, log_1p = jnp.log(probs), jnp.log1p(-probs)
    inner = -_log_constant(probs, lims) + _mean(probs, lims) * (log_1p - log_p) - log_1p
    return jnp.where(probs == 0.5, 0, inner)


class ContinuousBernoulli(Reparametrized):
    """A density on the unit interval that is proportional to ``probs ** x * (1 - probs) ** (1 - x)``.

    lims: between these, Taylor expansions around 1/2 take the place of the closed forms.
    """

    probs: Tensor           # type: ignore[assignment]

    def __init__(self, probs: Any, lims: Sequence[float] = (0.499, 0.501)):
        self.probs = clipped(parameters(probs, shape=(1,))[0])
        self.dtype, self.lims = self.probs.dtype.name, parameters(list(lims))[0]
        super().__init__(tuple(self.probs.shape))

    @property
    @formula
    def mean(probs, lims):
        return _mean(probs, lims)

    @property
    @formula
    def variance(probs, lims):
        far, p = _cut(probs, lims)
        exact = p * (p - 1) / jnp.square(1 - 2 * p) + 1 / jnp.square(jnp.log1p(-p) - jnp.log(p))
        x = jnp.square(probs - 0.5)
        return jnp.where(far, exact, 1 / 12 - (1 / 15 - 128 / 945 * x) * x)

    @draw
    def _draw(key, shape, /, probs, lims):
        return _quantile(jax.random.uniform(key, shape, probs.dtype), probs, lims)

    @formula
    def log_prob(value, /, probs, lims):
        """The logarithm of the density at `value`."""
        return _log_constant(probs, lims) + xlogy(value, probs) + xlog1py(1 - value, -probs)

    @formula
    def entropy(probs, lims):
        """The entropy, in nats."""
        return _entropy(probs, lims)

    @formula
    def cdf(value, /, probs, lims):
        """The probability of at most `value`."""
        far, p = _cut(probs, lims)
        inside = jnp.clip(value, 0, 1)
        exact = (jnp.power(p, inside) * jnp.power(1 - p, 1 - inside) + p - 1) / (2 * p - 1)
        return jnp.where(value <= 0, 0, jnp.where(value >= 1, 1, jnp.where(far, exact, inside)))

    @formula
    def icdf(value, /, probs, lims):
        """Where the probability of at most that much is `value`."""
        return _quantile(value, probs, lims)

    def kl_divergence(self, other: Distribution) -> Tensor:
        """KL(self, other) of two continuous Bernoulli distributions with the same batch shape."""
        self._same_kind(other)
        if self.batch_shape != other.batch_shape:
            raise ValueError(f"The batch shapes must agree, but are {self.batch_shape} and {other.batch_shape}.")
        return self._kl(other.probs, other.lims)                                    # type: ignore[attr-defined]

    @formula
    def _kl(other_probs, other_lims, /, probs, lims):
        log_q, log_1q = jnp.log(other_probs), jnp.log1p(-other_probs)
        cross = _log_constant(other_probs, other_lims) + _mean(probs, lims) * (log_q - log_1q) + log_1q
        return -_entropy(probs, lims) - cross
