"""``paddle.distribution``: distributions, transforms and divergences."""
from kayax.distribution import transform, variable
from kayax.distribution.categorical import Categorical, Multinomial
from kayax.distribution.continuous_bernoulli import ContinuousBernoulli
from kayax.distribution.discrete import Bernoulli, Binomial, Geometric, Poisson
from kayax.distribution.distribution import Distribution, ExponentialFamily
from kayax.distribution.gamma_family import Beta, Chi2, Dirichlet, Exponential, Gamma
from kayax.distribution.kl import kl_divergence, register_kl
from kayax.distribution.location_scale import Cauchy, Laplace, Normal, StudentT, Uniform
from kayax.distribution.multivariate import LKJCholesky, MultivariateNormal
from kayax.distribution.transform import (
    AbsTransform,
    AffineTransform,
    ChainTransform,
    ExpTransform,
    IndependentTransform,
    PowerTransform,
    ReshapeTransform,
    SigmoidTransform,
    SoftmaxTransform,
    StackTransform,
    StickBreakingTransform,
    TanhTransform,
    Transform,
)
from kayax.distribution.transformed import Gumbel, Independent, LogNormal, TransformedDistribution

__all__ = ["AbsTransform", "AffineTransform", "Bernoulli", "Beta", "Binomial", "Categorical", "Cauchy",
           "ChainTransform", "Chi2", "ContinuousBernoulli", "Dirichlet", "Distribution", "ExpTransform", "Exponential",
           "ExponentialFamily", "Gamma", "Geometric", "Gumbel", "Independent", "IndependentTransform", "LKJCholesky",
           "Laplace", "LogNormal", "Multinomial", "MultivariateNormal", "Normal", "Poisson", "PowerTransform",
           "ReshapeTransform", "SigmoidTransform", "SoftmaxTransform", "StackTransform", "StickBreakingTransform",
           "StudentT", "TanhTransform", "Transform", "TransformedDistribution", "Uniform", "kl_divergence",
           "register_kl", "transform", "variable"]
