"""Distributions of counts: Bernoulli, Geometric, Poisson, Binomial."""
from __future__ import annotations

from collections.abc import Sequence
from numbers import Number
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gammaln

from kayax.bridge.autograd import no_grad
from kayax.bridge.tensor import Tensor
from kayax.distribution.distribution import Distribution, ExponentialFamily, common, parameters
from kayax.distribution.formula import draw, formula
from kayax.layers import ops


def clipped(probs: Tensor) -> Tensor:
    """Probabilities, at least the smallest step away from 0 and 1."""
    eps = float(jnp.finfo(probs.dtype.numpy).eps)
    return ops.clip(probs, eps, 1 - eps)


class Bernoulli(ExponentialFamily):
    """1 with probability `probs`, 0 otherwise."""

    probs: Tensor           # type: ignore[assignment]

    def __init__(self, probs: Any, name: str | None = None):
        self.probs = clipped(parameters(probs)[0])
        self.logits = ops.log(self.probs) - ops.log1p(-self.probs)
        self.name, self.dtype = name or "Bernoulli", self.probs.dtype.name
        super().__init__(tuple(self.probs.shape))

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    @formula
    def variance(probs):
        return probs * (1 - probs)

    @draw
    def _draw(key, shape, /, probs):
        return jax.random.bernoulli(key, probs, shape).astype(probs.dtype)

    def rsample(self, shape: Sequence[int] = (), temperature: float = 1.0) -> Tensor:
        """Differentiable draws of logits: their sigmoid nears 0 and 1 as `temperature` falls (Maddison 2017)."""
        return self._logits_drawn(self._extend_shape(shape)) / temperature

    @draw
    def _logits_drawn(key, shape, /, probs):
        return jax.random.logistic(key, shape, probs.dtype) + jnp.log(probs) - jnp.log1p(-probs)

    @formula
    def cdf(value, /, probs):
        """The probability of at most `value`."""
        return jnp.where(value < 0, 0, jnp.where(value < 1, 1 - probs, 1)).astype(probs.dtype)

    @formula
    def log_prob(value, /, logits):
        """The logarithm of the probability of `value`."""
        return value * jax.nn.log_sigmoid(logits) + (1 - value) * jax.nn.log_sigmoid(-logits)

    @formula
    def entropy(logits, probs):
        """The entropy, in nats."""
        return -probs * jax.nn.log_sigmoid(logits) - (1 - probs) * jax.nn.log_sigmoid(-logits)

    def kl_divergence(self, other: Distribution) -> Tensor:
        """KL(self, other) of two Bernoulli distributions."""
        self._same_kind(other)
        return self._kl(other.logits)                                               # type: ignore[attr-defined]

    @formula
    def _kl(other, /, logits):
        def part(a, b):
            return jax.nn.sigmoid(a) * (jax.nn.log_sigmoid(a) - jax.nn.log_sigmoid(b))

        return part(logits, other) + part(-logits, -other)


class Geometric(Distribution):
    """The number of failures before the first success, each trial succeeding with probability `probs`."""

    probs: Tensor           # type: ignore[assignment]

    def __init__(self, probs: Any):
        if not isinstance(probs, (Number, Tensor)):
            raise TypeError(f"probs must be a number or a Tensor, but got {type(probs).__name__}.")
        self.probs = parameters(probs)[0]
        super().__init__(tuple(self.probs.shape))

    @property
    @formula
    def mean(probs):
        return 1 / probs - 1

    @property
    @formula
    def variance(probs):
        return (1 / probs - 1) / probs

    @property
    @formula
    def stddev(probs):
        """The standard deviation."""
        return jnp.sqrt((1 / probs - 1) / probs)

    @draw
    def _draw(key, shape, /, probs):
        uniform = jax.random.uniform(key, shape, probs.dtype, minval=jnp.finfo(probs.dtype).tiny)
        return jnp.floor(jnp.log(uniform) / jnp.log1p(-probs))

    def rsample(self, shape: Sequence[int] = ()) -> Tensor:
        """Draws as of `sample`: whole numbers, whose gradient is zero."""
        return self._draw(self._extend_shape(shape))

    def pmf(self, k: Any) -> Tensor:
        """The probability of `k` failures."""
        return self._pmf(_count(k))

    @formula
    def _pmf(k, /, probs):
        return jnp.power(1 - probs, k) * probs

    def log_pmf(self, k: Any) -> Tensor:
        """The logarithm of the probability of `k` failures."""
        return ops.log(self.pmf(k))

    def log_prob(self, value: Any) -> Tensor:
        """The same as `log_pmf`."""
        return self.log_pmf(value)

    @formula
    def entropy(probs):
        """The entropy, in nats."""
        return -((1 - probs) * jnp.log(1 - probs) + probs * jnp.log(probs)) / probs

    def cdf(self, k: Any) -> Tensor:
        """The probability of at most `k` failures."""
        return self._cdf(_count(k))

    @formula
    def _cdf(k, /, probs):
        return 1 - jnp.power(1 - probs, k + 1)

    def kl_divergence(self, other: Distribution) -> Tensor:
        """KL(self, other); as in Paddle that of one trial, which is `probs` times that of the counts."""
        self._same_kind(other)
        return self._kl(other.probs)                                                # type: ignore[attr-defined]

    @formula
    def _kl(other, /, probs):
        return probs * jnp.log(probs / other) + (1 - probs) * jnp.log((1 - probs) / (1 - other))


def _count(k: Any) -> Any:
    if isinstance(k, (Tensor, int)):
        return k
    raise TypeError(f"k must be an int or a Tensor, but got {type(k).__name__}.")


class Poisson(Distribution):
    """The number of events that happen at `rate`."""

    def __init__(self, rate: Any):
        self.rate = parameters(rate, shape=(1,))[0]
        self.dtype = self.rate.dtype.name
        super().__init__(tuple(self.rate.shape))

    @property
    def mean(self) -> Tensor:
        return self.rate

    @property
    def variance(self) -> Tensor:
        return self.rate

    @draw
    def _draw(key, shape, /, rate):
        return jax.random.poisson(key, rate, shape).astype(rate.dtype)

    @formula
    def log_prob(value, /, rate):
        """The logarithm of the probability of `value`."""
        return _log_poisson(value, rate)

    def entropy(self) -> Tensor:
        """The entropy, in nats: a sum over all counts that matter, so it needs the rates' values."""
        largest = float(ops.max(self.rate))
        self._counts = int(largest + 30 * max(largest, 1.0) ** 0.5)
        return self._entropy()

    @formula
    def _entropy(rate, _counts):
        values = jnp.arange(_counts, dtype=rate.dtype).reshape(-1, *[1] * rate.ndim)
        logs = _log_poisson(values, rate)
        return jnp.where(rate == 0, 0, -(jnp.exp(logs) * logs).sum(0))

    def kl_divergence(self, other: Distribution) -> Tensor:
        """KL(self, other) of two Poisson distributions with the same batch shape."""
        self._same_kind(other)
        if self.batch_shape != other.batch_shape:
            raise ValueError(f"The batch shapes must agree, but are {self.batch_shape} and {other.batch_shape}.")
        return self._kl(other.rate)                                                 # type: ignore[attr-defined]

    @formula
    def _kl(other, /, rate):
        return rate * jnp.log(rate / other) - rate + other


def _log_poisson(value, rate):
    return -rate + jnp.where((value == 0) & (rate == 0), 0, value * jnp.log(rate)) - gammaln(value + 1)


class Binomial(Distribution):
    """The number of successes in `total_count` trials, each succeeding with probability `probs`."""

    probs: Tensor           # type: ignore[assignment]

    def __init__(self, total_count: Any, probs: Any):
        self.probs = parameters(probs)[0]
        count = parameters(total_count, self.probs)[0]
        self.total_count, self.probs = common(ops.cast(count, self.probs.dtype), self.probs)
        self.dtype = self.probs.dtype.name
        super().__init__(tuple(self.probs.shape))

    @property
    @formula
    def mean(total_count, probs):
        return total_count * probs

    @property
    @formula
    def variance(total_count, probs):
        return total_count * probs * (1 - probs)

    @draw
    def _draw(key, shape, /, total_count, probs):
        return jax.random.binomial(key, total_count, probs, shape, probs.dtype)

    @formula
    def log_prob(value, /, total_count, probs):
        """The logarithm of the probability of `value`."""
        return _log_binomial(value, total_count, probs)

    def _most(self) -> int:
        with no_grad():
            return int(ops.max(self.total_count))

    def entropy(self) -> Tensor:
        """The entropy, in nats: a sum over all counts, so it needs the values of `total_count`."""
        self._support = self._most()
        return self._entropy()

    @formula
    def _entropy(probs, total_count, _support):
        logs = _log_binomial(_values(_support, probs), total_count, probs)
        return -jnp.where(jnp.isfinite(logs), jnp.exp(logs) * logs, 0).sum(0)

    def kl_divergence(self, other: Distribution) -> Tensor:
        """KL(self, other) of two binomial distributions: a sum over all counts."""
        self._same_kind(other)
        self._support = self._most()
        return self._kl(other.total_count, other.probs)                             # type: ignore[attr-defined]

    @formula
    def _kl(other_count, other_probs, /, probs, total_count, _support):
        values = _values(_support, probs)
        ours = _log_binomial(values, total_count, probs)
        difference = ours - _log_binomial(values, other_count, other_probs)
        return jnp.where(jnp.isfinite(ours), jnp.exp(ours) * difference, 0).sum(0)


def _values(most: int, like: Any) -> Any:
    return jnp.arange(1 + most, dtype=like.dtype).reshape(-1, *[1] * like.ndim)


def _log_binomial(value, count, probs):
    eps = float(np.finfo(probs.dtype).eps)
    probs = jnp.clip(probs, eps, 1 - eps)
    possible = (value >= 0) & (value <= count)
    k = jnp.where(possible, value, 0)
    choices = gammaln(count + 1) - gammaln(count - k + 1) - gammaln(k + 1)
    return jnp.where(possible, choices + k * jnp.log(probs) + (count - k) * jnp.log(1 - probs), -jnp.inf)
