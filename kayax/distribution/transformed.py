"""Distributions made of others: Independent, TransformedDistribution, LogNormal, Gumbel."""
from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kayax.bridge.tensor import Tensor
from kayax.distribution.distribution import Distribution, Reparametrized, common, parameters, sum_rightmost
from kayax.distribution.formula import draw, formula
from kayax.distribution.location_scale import Normal
from kayax.distribution.transform import ChainTransform, ExpTransform, Transform
from kayax.layers import ops


class Independent(Distribution):
    """`base`, with its last `reinterpreted_batch_rank` batch axes as part of one event: probabilities multiply."""

    def __init__(self, base: Distribution, reinterpreted_batch_rank: int):
        if not isinstance(base, Distribution):
            raise TypeError(f"base must be a Distribution, but got {type(base).__name__}.")
        axes = len(base.batch_shape)
        if not 0 < reinterpreted_batch_rank <= axes:
            raise ValueError(f"reinterpreted_batch_rank must be from 1 to the {axes} batch axes of base, but got "
                             f"{reinterpreted_batch_rank}.")
        self._base, self._rank = base, reinterpreted_batch_rank
        shape, kept = base.batch_shape + base.event_shape, axes - reinterpreted_batch_rank
        super().__init__(shape[:kept], shape[kept:])

    @property
    def mean(self) -> Tensor:
        return self._base.mean

    @property
    def variance(self) -> Tensor:
        return self._base.variance

    def sample(self, shape: Sequence[int] = ()) -> Tensor:
        """Draws of `base`."""
        return self._base.sample(shape)

    def rsample(self, shape: Sequence[int] = ()) -> Tensor:
        """Differentiable draws of `base`."""
        return self._base.rsample(shape)

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density or probability at `value`."""
        return sum_rightmost(self._base.log_prob(value), self._rank)

    def entropy(self) -> Tensor:
        """The entropy, in nats."""
        return sum_rightmost(self._base.entropy(), self._rank)


class TransformedDistribution(Distribution):
    """The distribution of what `transforms`, one after the other, make of the draws of `base`."""

    def __init__(self, base: Distribution, transforms: Sequence[Transform]):
        if not isinstance(base, Distribution):
            raise TypeError(f"base must be a Distribution, but got {type(base).__name__}.")
        chain = ChainTransform(transforms)
        self._base, self._transforms = base, transforms
        shape, events = base.batch_shape + base.event_shape, len(base.event_shape)
        if transforms:
            needed = chain._domain.event_rank
            if len(shape) < needed:
                raise ValueError(f"The transforms need draws with at least {needed} axes, but those of base have the "
                                 f"shape {list(shape)}.")
            shape = tuple(chain.forward_shape(shape))
            events = chain._codomain.event_rank + max(events - needed, 0)
        super().__init__(shape[:len(shape) - events], shape[len(shape) - events:])

    def sample(self, shape: Sequence[int] = ()) -> Tensor:
        """Draws of `base`, transformed."""
        return self._forward(self._base.sample(shape))

    def rsample(self, shape: Sequence[int] = ()) -> Tensor:
        """Differentiable draws of `base`, transformed."""
        return self._forward(self._base.rsample(shape))

    def _forward(self, x: Tensor) -> Tensor:
        for transform in self._transforms:
            x = transform.forward(x)
        return x

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density at `value`."""
        total: Any = 0.0
        rank = len(self.event_shape)
        for t in reversed(self._transforms):
            x = t.inverse(value)
            rank += t._domain.event_rank - t._codomain.event_rank
            total = total - sum_rightmost(t.forward_log_det_jacobian(x), rank - t._domain.event_rank)
            value = x
        return total + sum_rightmost(self._base.log_prob(value), rank - len(self._base.event_shape))


class LogNormal(TransformedDistribution):
    """The distribution of numbers whose logarithm is normal with mean `loc` and standard deviation `scale`."""

    _base: Normal

    def __init__(self, loc: Any, scale: Any):
        base = Normal(loc, scale)
        self.loc, self.scale = base.loc, base.scale
        super().__init__(base, [ExpTransform()])

    @property
    @formula
    def mean(loc, scale):
        return jnp.exp(loc + jnp.square(scale) / 2)

    @property
    @formula
    def variance(loc, scale):
        return jnp.expm1(jnp.square(scale)) * jnp.exp(2 * loc + jnp.square(scale))

    def entropy(self) -> Tensor:
        """The entropy, in nats."""
        return self._base.entropy() + self.loc

    def probs(self, value: Tensor) -> Tensor:
        """The density at `value`."""
        return ops.exp(self.log_prob(value))

    def kl_divergence(self, other: Distribution) -> Tensor:
        """KL(self, other) of two log-normal distributions."""
        self._same_kind(other)
        return self._base.kl_divergence(other._base)                                # type: ignore[attr-defined]


class Gumbel(Reparametrized, TransformedDistribution):
    """The Gumbel distribution, of the largest of many draws."""

    def __init__(self, loc: Any, scale: Any):
        self.loc, self.scale = common(*parameters(loc, scale))
        Distribution.__init__(self, tuple(self.loc.shape))

    @property
    @formula
    def mean(loc, scale):
        return loc + scale * np.euler_gamma

    @property
    @formula
    def variance(scale):
        return jnp.square(scale) * (math.pi ** 2 / 6)

    @property
    @formula
    def stddev(scale):
        """The standard deviation."""
        return scale * (math.pi / math.sqrt(6))

    @draw
    def _draw(key, shape, /, loc, scale):
        return loc + scale * jax.random.gumbel(key, shape, loc.dtype)

    def sample(self, shape: Sequence[int] = ()) -> Tensor:
        """Draws without a gradient; `shape` is the sample shape."""
        return Distribution.sample(self, shape)

    @formula
    def log_prob(value, /, loc, scale):
        """The logarithm of the density at `value`."""
        y = (loc - value) / scale
        return y - jnp.exp(y) - jnp.log(scale)

    @formula
    def cdf(value, /, loc, scale):
        """The probability of at most `value`."""
        return jnp.exp(-jnp.exp((loc - value) / scale))

    @formula
    def entropy(scale):
        """The entropy, in nats."""
        return jnp.log(scale) + 1 + np.euler_gamma
