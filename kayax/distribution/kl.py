"""The Kullback-Leibler divergence of two distributions, by their kinds."""
from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, TypeVar

from kayax.bridge.autograd import grad
from kayax.bridge.tensor import Tensor
from kayax.distribution import categorical, discrete, gamma_family, location_scale, multivariate, transformed
from kayax.distribution.continuous_bernoulli import ContinuousBernoulli
from kayax.distribution.distribution import Distribution, ExponentialFamily, leaves, sum_rightmost
from kayax.layers import ops

F = TypeVar("F", bound=Callable)
_REGISTERED: dict[tuple[type, type], Callable[[Any, Any], Tensor]] = {}


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """KL(p, q), by the function that is registered for their classes or the nearest base classes."""
    return _find(type(p), type(q))(p, q)


def register_kl(cls_p: type[Distribution], cls_q: type[Distribution]) -> Callable[[F], F]:
    """Decorator: ``fn(p, q)`` computes the divergence of these two kinds."""
    if not (issubclass(cls_p, Distribution) and issubclass(cls_q, Distribution)):
        raise TypeError(f"register_kl takes two kinds of Distribution, but got {cls_p.__name__} and {cls_q.__name__}.")

    def register(fn: F) -> F:
        _REGISTERED[cls_p, cls_q] = fn
        return fn

    return register


def _find(cls_p: type, cls_q: type) -> Callable[[Any, Any], Tensor]:
    """What is registered for the nearest classes; a warning if it depends on whose class is nearer."""
    distances = {pair: (cls_p.__mro__.index(pair[0]), cls_q.__mro__.index(pair[1])) for pair in _REGISTERED
                 if issubclass(cls_p, pair[0]) and issubclass(cls_q, pair[1])}
    if not distances:
        raise NotImplementedError(f"There is no kl_divergence of {cls_p.__name__} and {cls_q.__name__}. Give one with "
                                  "@paddle.distribution.register_kl.")
    by_p = min(distances, key=lambda pair: distances[pair])
    by_q = min(distances, key=lambda pair: distances[pair][::-1])
    if _REGISTERED[by_p] is not _REGISTERED[by_q]:
        warnings.warn(f"kl_divergence({cls_p.__name__}, {cls_q.__name__}) is ambiguous. Give one for "
                      f"{by_p[0].__name__} and {by_q[1].__name__} with register_kl.", RuntimeWarning, stacklevel=3)
    return _REGISTERED[by_p]


@register_kl(ExponentialFamily, ExponentialFamily)
def _of_one_family(p: Any, q: Any) -> Tensor:
    """The Bregman divergence of the log-normalizers (Nielsen and Nock, 2010)."""
    if type(p) is not type(q):
        raise NotImplementedError(f"There is no kl_divergence of {type(p).__name__} and {type(q).__name__}. Give one "
                                  "with @paddle.distribution.register_kl.")
    natural = leaves(p._natural_parameters)
    normalizer = p._log_normalizer(*natural)
    gradients = grad(ops.sum(normalizer), natural, create_graph=True)
    divergence = q._log_normalizer(*q._natural_parameters) - normalizer
    for ours, theirs, gradient in zip(natural, q._natural_parameters, gradients, strict=True):
        divergence = divergence - sum_rightmost((theirs - ours) * gradient, len(q.event_shape))
    return divergence


for _kind in (
    ContinuousBernoulli, categorical.Categorical, discrete.Bernoulli, discrete.Binomial, discrete.Geometric,
    discrete.Poisson, gamma_family.Beta, gamma_family.Dirichlet, gamma_family.Exponential, gamma_family.Gamma,
    location_scale.Cauchy, location_scale.Laplace, location_scale.Normal, location_scale.Uniform,
    multivariate.MultivariateNormal, transformed.LogNormal,
):
    register_kl(_kind, _kind)(_kind.kl_divergence)
