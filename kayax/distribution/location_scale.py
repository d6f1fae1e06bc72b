"""Distributions with a location and a scale: Normal, Uniform, Laplace, Cauchy, StudentT."""
from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NoReturn

import jax
import jax.numpy as jnp
from jax.scipy.special import digamma, gammaln

from kayax.bridge.open_sizes import common_shape
from kayax.bridge.ops.random import _seeded
from kayax.bridge.tensor import Tensor
from kayax.distribution.distribution import Distribution, Reparametrized, common, parameters
from kayax.distribution.formula import draw, formula


class Normal(Reparametrized):
    """The normal distribution with mean `loc` and standard deviation `scale`; a complex `loc` gives complex numbers."""

    def __init__(self, loc: Any, scale: Any, name: str | None = None):
        self.loc, self.scale = parameters(loc, scale)
        self.name, self.dtype = name or "Normal", self.loc.dtype.name
        super().__init__(common_shape(tuple(self.loc.shape), tuple(self.scale.shape)))

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    @formula
    def variance(scale):
        return jnp.square(scale)

    @draw
    def _draw(key, shape, /, loc, scale):
        return loc + scale * jax.random.normal(key, shape, loc.dtype)

    def sample(self, shape: Sequence[int] = (), seed: int = 0) -> Tensor:
        """Draws, differentiable as those of `rsample`; a `seed` other than 0 gives the same ones on every call."""
        with _seeded(seed):
            return self.rsample(shape)

    @formula
    def entropy(scale, dtype, _batch_shape):
        """The entropy, in nats."""
        scale = jnp.broadcast_to(scale, _batch_shape)
        if dtype.startswith("complex"):
            return 1 + math.log(math.pi) + 2 * jnp.log(scale)
        return 0.5 + 0.5 * math.log(2 * math.pi) + jnp.log(scale)

    @formula
    def log_prob(value, /, loc, scale):
        """The logarithm of the density at `value`."""
        return _log_normal(value, loc, scale)

    @formula
    def probs(value, /, loc, scale):
        """The density at `value`."""
        return jnp.exp(_log_normal(value, loc, scale))

    def kl_divergence(self, other: Distribution) -> Tensor:
        """KL(self, other) of two normal distributions, both real or both complex."""
        self._same_kind(other)
        if (self.loc.dtype.numpy.kind == "c") != (other.loc.dtype.numpy.kind == "c"):       # type: ignore[attr-defined]
            raise ValueError("The divergence is between two real or two complex distributions, but one is real and one "
                             "complex.")
        return self._kl(other.loc, other.scale)                                             # type: ignore[attr-defined]

    @formula
    def _kl(other_loc, other_scale, /, loc, scale):
        ratio = jnp.square(scale / other_scale)
        distance = (loc - other_loc) / other_scale
        both = ratio + distance * jnp.conj(distance) - 1 - jnp.log(ratio)
        return both if jnp.iscomplexobj(loc) else 0.5 * both


def _log_normal(value, loc, scale):
    centred = value - loc
    if jnp.iscomplexobj(loc):
        return -(centred * jnp.conj(centred)) / jnp.square(scale) - 2 * jnp.log(scale) - math.log(math.pi)
    return -jnp.square(centred) / (2 * jnp.square(scale)) - jnp.log(scale) - 0.5 * math.log(2 * math.pi)


class Uniform(Reparametrized):
    """Uniform between `low` and `high`, which do not belong to it."""

    def __init__(self, low: Any, high: Any, name: str | None = None):
        self.low, self.high = parameters(low, high)
        self.name, self.dtype = name or "Uniform", self.low.dtype.name
        super().__init__(common_shape(tuple(self.low.shape), tuple(self.high.shape)))

    @property
    @formula
    def mean(low, high):
        return (low + high) / 2

    @property
    @formula
    def variance(low, high):
        return jnp.square(high - low) / 12

    @draw
    def _draw(key, shape, /, low, high):
        return low + (high - low) * jax.random.uniform(key, shape, low.dtype)

    def sample(self, shape: Sequence[int] = (), seed: int = 0) -> Tensor:
        """Draws, differentiable as those of `rsample`; a `seed` other than 0 gives the same ones on every call."""
        with _seeded(seed):
            return self.rsample(shape)

    @formula
    def log_prob(value, /, low, high):
        """The logarithm of the density at `value`."""
        return jnp.where((low < value) & (value < high), 0.0, -jnp.inf).astype(low.dtype) - jnp.log(high - low)

    @formula
    def probs(value, /, low, high):
        """The density at `value`."""
        return ((low < value) & (value < high)) / (high - low)

    @formula
    def entropy(low, high):
        """The entropy, in nats."""
        return jnp.log(high - low)

    def kl_divergence(self, other: Distribution) -> Tensor:
        """KL(self, other): infinite unless `other` covers this interval."""
        self._same_kind(other)
        return self._kl(other.low, other.high)                                              # type: ignore[attr-defined]

    @formula
    def _kl(other_low, other_high, /, low, high):
        covered = (other_low <= low) & (high <= other_high)
        return jnp.where(covered, jnp.log((other_high - other_low) / (high - low)), jnp.inf)


class Laplace(Reparametrized):
    """The Laplace distribution: two exponential ones back to back at `loc`."""

    def __init__(self, loc: Any, scale: Any):
        self.loc, self.scale = common(*parameters(loc, scale))
        super().__init__(tuple(self.loc.shape))

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    @formula
    def stddev(scale):
        """The standard deviation."""
        return math.sqrt(2) * scale

    @property
    @formula
    def variance(scale):
        return 2 * jnp.square(scale)

    @draw
    def _draw(key, shape, /, loc, scale):
        return loc + scale * jax.random.laplace(key, shape, loc.dtype)

    @formula
    def log_prob(value, /, loc, scale):
        """The logarithm of the density at `value`."""
        return -jnp.log(2 * scale) - jnp.abs(value - loc) / scale

    @formula
    def entropy(scale):
        """The entropy, in nats."""
        return 1 + jnp.log(2 * scale)

    @formula
    def cdf(value, /, loc, scale):
        """The probability of at most `value`."""
        return 0.5 - 0.5 * jnp.sign(value - loc) * jnp.expm1(-jnp.abs(value - loc) / scale)

    @formula
    def icdf(value, /, loc, scale):
        """Where the probability of at most that much is `value`."""
        return loc - scale * jnp.sign(value - 0.5) * jnp.log1p(-2 * jnp.abs(value - 0.5))

    def kl_divergence(self, other: Distribution) -> Tensor:
        """KL(self, other) of two Laplace distributions."""
        self._same_kind(other)
        return self._kl(other.loc, other.scale)                                             # type: ignore[attr-defined]

    @formula
    def _kl(other_loc, other_scale, /, loc, scale):
        apart = jnp.abs(loc - other_loc)
        return (scale * jnp.exp(-apart / scale) + apart) / other_scale + jnp.log(other_scale / scale) - 1


class Cauchy(Reparametrized):
    """The Cauchy distribution, which has neither mean nor variance."""

    def __init__(self, loc: Any, scale: Any, name: str | None = None):
        self.loc, self.scale = common(*parameters(loc, scale))
        self.name, self.dtype = name or "Cauchy", self.loc.dtype
        super().__init__(tuple(self.loc.shape))

    @property
    def mean(self) -> NoReturn:
        raise ValueError("A Cauchy distribution has no mean.")

    @property
    def variance(self) -> NoReturn:
        raise ValueError("A Cauchy distribution has no variance.")

    @property
    def stddev(self) -> NoReturn:
        """An error: there is none."""
        raise ValueError("A Cauchy distribution has no stddev.")

    @draw
    def _draw(key, shape, /, loc, scale):
        return loc + scale * jax.random.cauchy(key, shape, loc.dtype)

    def sample(self, shape: Sequence[int] = (), name: str | None = None) -> Tensor:
        """Draws without a gradient; `shape` is the sample shape."""
        return super().sample(shape)

    def rsample(self, shape: Sequence[int] = (), name: str | None = None) -> Tensor:
        """Draws that are differentiable functions of the parameters."""
        return super().rsample(shape)

    @formula
    def log_prob(value, /, loc, scale):
        """The logarithm of the density at `value`."""
        return -jnp.log1p(jnp.square((value - loc) / scale)) - jnp.log(scale) - math.log(math.pi)

    @formula
    def cdf(value, /, loc, scale):
        """The probability of at most `value`."""
        return jnp.arctan((value - loc) / scale) / math.pi + 0.5

    @formula
    def entropy(scale):
        """The entropy, in nats."""
        return math.log(4 * math.pi) + jnp.log(scale)

    def kl_divergence(self, other: Distribution) -> Tensor:
        """KL(self, other) of two Cauchy distributions (Chyzak and Nielsen, 2019)."""
        self._same_kind(other)
        return self._kl(other.loc, other.scale)                                             # type: ignore[attr-defined]

    @formula
    def _kl(other_loc, other_scale, /, loc, scale):
        return (jnp.log(jnp.square(scale + other_scale) + jnp.square(loc - other_loc))
                - jnp.log(4 * scale * other_scale))


class StudentT(Distribution):
    """Student's t-distribution with `df` degrees of freedom."""

    def __init__(self, df: Any, loc: Any, scale: Any, name: str | None = None):
        self.df, self.loc, self.scale = common(*parameters(df, loc, scale))
        self.name = name or "StudentT"
        need_all(self.df, lambda x: x >= 0, "df must not be negative")
        need_all(self.scale, lambda x: x >= 0, "scale must not be negative")
        super().__init__(tuple(self.df.shape))

    @property
    @formula
    def mean(df, loc):
        return jnp.where(df > 1, loc, jnp.nan)

    @property
    @formula
    def variance(df, scale):
        df = jax.lax.stop_gradient(df)
        finite = jnp.square(scale) * df / jnp.where(df > 2, df - 2, 1)
        return jnp.where(df > 2, finite, jnp.where(df > 1, jnp.inf, jnp.nan))

    @draw
    def _draw(key, shape, /, df, loc, scale):
        return loc + scale * jax.random.t(key, df, shape, loc.dtype)

    @formula
    def entropy(df, scale):
        """The entropy, in nats."""
        half = 0.5 * (df + 1)
        log_beta = gammaln(0.5 * df) + math.lgamma(0.5) - gammaln(half)
        return jnp.log(scale) + half * (digamma(half) - digamma(0.5 * df)) + 0.5 * jnp.log(df) + log_beta

    @formula
    def log_prob(value, /, df, loc, scale):
        """The logarithm of the density at `value`."""
        return jax.scipy.stats.t.logpdf(value, df, loc, scale)


def need_all(x: Tensor, holds: Any, what: str) -> None:
    """Raise a ValueError unless the condition holds for every element (not while a function is converted
    or a static graph built)."""
    array = x.storage.array
    if isinstance(array, jax.Array) and not isinstance(array, jax.core.Tracer) and not bool(jnp.all(holds(array))):
        raise ValueError(f"{what}, but got {x.tolist()}.")
