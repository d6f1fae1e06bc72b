"""Distributions over categories: Categorical, Multinomial."""
from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax.scipy.special import gammaln, xlogy

from kayax.bridge.tensor import Tensor
from kayax.distribution.distribution import Distribution, parameters
from kayax.distribution.formula import draw, formula
from kayax.layers import ops


class Categorical(Distribution):
    """One of ``logits.shape[-1]`` categories.

    As in Paddle, `probs` and `log_prob` take `logits` as weights, divided by their sum, while `sample`, `entropy` and
    `kl_divergence` take the exponentials of `logits`. The two agree for logarithms of probabilities only in the latter.
    """

    def __init__(self, logits: Any, name: str | None = None):
        self.logits = parameters(logits)[0]
        self.name, self.dtype = name or "Categorical", self.logits.dtype.name
        self._prob = self.logits / ops.sum(self.logits, -1, keepdim=True)
        super().__init__(tuple(self.logits.shape[:-1]))

    @draw
    def _draw(key, shape, /, logits):
        return jax.random.categorical(key, logits, shape=shape).astype(jnp.int64)

    @formula
    def entropy(logits):
        """The entropy, in nats."""
        logs = jax.nn.log_softmax(logits)
        return -(jnp.exp(logs) * jnp.where(jnp.isfinite(logs), logs, 0)).sum(-1)

    def kl_divergence(self, other: Distribution) -> Tensor:
        """KL(self, other), with a last axis of size 1."""
        self._same_kind(other)
        return self._kl(other.logits)                                               # type: ignore[attr-defined]

    @formula
    def _kl(other, /, logits):
        logs = jax.nn.log_softmax(logits)
        return (jnp.exp(logs) * (logs - jax.nn.log_softmax(other))).sum(-1, keepdims=True)

    def probs(self, value: Tensor) -> Tensor:
        """The probability of the categories `value`: of any shape for one distribution; for several, either [n], asked
        of each, or of the distributions' shape but for the last axis."""
        ndim = len(self._prob.shape)
        if ndim == 1:
            return ops.reshape(ops.gather(self._prob, ops.reshape(value, [-1])), value.shape)
        if len(value.shape) == 1:
            value = ops.reshape(value, [1] * (ndim - 1) + [-1])
        return ops.take_along_axis(self._prob, value, -1)

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of `probs`."""
        return ops.log(self.probs(value))


class Multinomial(Distribution):
    """How often each of ``probs.shape[-1]`` categories comes up in `total_count` draws."""

    probs: Tensor           # type: ignore[assignment]

    def __init__(self, total_count: int, probs: Tensor):
        if not isinstance(total_count, int) or total_count < 1:
            raise ValueError(f"total_count must be a positive int, but got {total_count!r}.")
        weights = parameters(probs)[0]
        if not weights.shape:
            raise ValueError("probs must have at least one dimension.")
        self.probs = weights / ops.sum(weights, -1, keepdim=True)
        self.total_count = total_count
        super().__init__(tuple(weights.shape[:-1]), tuple(weights.shape[-1:]))

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
        return jax.random.multinomial(key, jnp.asarray(total_count, probs.dtype), probs, shape=shape, dtype=probs.dtype)

    @formula
    def log_prob(value, /, probs):
        """The logarithm of the probability of the counts `value`, [..., categories]."""
        return gammaln(value.sum(-1) + 1) - gammaln(value + 1).sum(-1) + xlogy(value, probs).sum(-1)

    @formula
    def entropy(total_count, probs):
        """The entropy, in nats."""
        of_one = -xlogy(probs, probs).sum(-1)
        counts = jnp.arange(1, total_count + 1, dtype=probs.dtype).reshape(-1, *[1] * probs.ndim)
        choices = math.lgamma(total_count + 1) - gammaln(counts + 1) - gammaln(total_count - counts + 1)
        chances = jnp.exp(choices + xlogy(counts, probs) + xlogy(total_count - counts, 1 - probs))
        expected = (chances * gammaln(counts + 1)).sum(0).sum(-1)
        return total_count * of_one - math.lgamma(total_count + 1) + expected
