"""Distributions: every closed form and its gradients, divergences, transforms; draws by their shapes alone."""

from __future__ import annotations

import numpy as np
from harness import case, program
from specs import const, f32, ints, pos, simplex, spd, sym, unit

MOMENTS = ("mean", "variance")
DENSITY = ("log_prob", "prob")


def of(P, name, *parameters):
    return getattr(P.distribution, name)(*parameters)


def facts(P, made, properties, methods, functions, value):
    """Named results of one distribution: properties, methods without arguments, functions of a value."""
    found = {name: getattr(made, name) for name in properties}
    found |= {name: getattr(made, name)() for name in methods}
    found |= {name: getattr(made, name)(value) for name in functions}
    return found | {"shapes": [list(made.batch_shape), list(made.event_shape)]}


ENOUGH = "each method is one operation, which other cases convert"
CONVERTED = ("Normal", "StudentT")

# name -> (value, parameters, properties, functions of a value); all have an entropy but those of NO_ENTROPY
CLOSED = {
    "Normal": (f32(2, 3), [f32(3), pos(3)], MOMENTS, ("log_prob", "probs")),
    "Uniform": (f32(2, 3), [sym(3), pos(3, low=1.0)], (), ("log_prob", "probs")),
    "Laplace": (f32(2, 3), [f32(3), pos(3)], (*MOMENTS, "stddev"), ("log_prob", "prob", "cdf")),
    "Cauchy": (f32(2, 3), [f32(3), pos(3)], (), ("log_prob", "prob", "cdf")),
    "Gumbel": (sym(2, 3), [f32(3), pos(3, low=1.0)], (*MOMENTS, "stddev"), ("log_prob", "prob", "cdf")),
    "StudentT": (f32(2, 3), [pos(3, low=2.5, high=5.0), f32(3), pos(3)], MOMENTS, DENSITY),
    "LogNormal": (pos(2, 3), [f32(3), pos(3, high=1.0)], MOMENTS, ("log_prob", "probs")),
    "Gamma": (pos(2, 3), [pos(3), pos(3)], MOMENTS, DENSITY),
    "Exponential": (pos(2, 3), [pos(3)], MOMENTS, (*DENSITY, "cdf")),
    "Chi2": (pos(2, 3), [pos(3)], MOMENTS, DENSITY),
    "Beta": (unit(2, 3), [pos(3), pos(3)], MOMENTS, DENSITY),
    "Dirichlet": (simplex(2, 3), [pos(3)], MOMENTS, DENSITY),
    "Bernoulli": (const([[0.0, 1.0, 1.0]], grad=True), [unit(3)], MOMENTS, DENSITY),
    "Geometric": (const([[0.0, 1.0, 4.0]]), [unit(3)], ("mean",), ("pmf", "log_pmf", "cdf")),
    "ContinuousBernoulli": (unit(2, 3), [const([0.2, 0.5003, 0.9], grad=True)], MOMENTS, (*DENSITY, "cdf", "icdf")),
    "Poisson": (const([[0.0, 1.0, 4.0]]), [pos(3)], MOMENTS, DENSITY),
}
for name, (value, parameters, properties, functions) in CLOSED.items():
    case(
        f"distribution.{name}",
        lambda P, x, *given, n=name, p=properties, f=functions: facts(P, of(P, n, *given), p, ("entropy",), f, x),
        [value, *parameters],
        static=name in CONVERTED or ENOUGH,
        grad=name != "Bernoulli",  # the backward pass of Paddle's crashes
        rtol=2e-4,
        grad_rtol=1e-3,
        grad_atol=1e-4,
    )
case(
    "distribution.Geometric/without-gradients-in-paddle",
    lambda P, probs: [P.distribution.Geometric(probs).variance, P.distribution.Geometric(probs).stddev],
    [unit(3)],
    grad=False,
)
case(
    "distribution.Bernoulli/cdf",
    lambda P, value, probs: P.distribution.Bernoulli(probs).cdf(value),
    [const([[-1.0, 0.5, 1.0]]), unit(3)],
    grad=False,
)
case(
    "distribution/icdf",
    lambda P, value, loc, scale: [of(P, "Laplace", loc, scale).icdf(value), of(P, "Exponential", scale).icdf(value)],
    [unit(2, 3), f32(3), pos(3)],
)
case(
    "distribution.Normal/complex",
    lambda P, value, loc, scale: facts(
        P, of(P, "Normal", loc, scale), MOMENTS, ("entropy",), ("log_prob", "probs"), value
    ),
    [f32(3).astype("complex64"), f32(3).astype("complex64"), pos(3)],
    grad=False,
)
case(
    "distribution.Normal/numbers",
    lambda P, value: facts(P, of(P, "Normal", 1, 2.0), MOMENTS, ("entropy",), ("log_prob",), value),
    [f32(3)],
)
case(
    "distribution.Categorical",
    lambda P, value, logits: [getattr(of(P, "Categorical", logits), f)(value) for f in ("log_prob", "probs")]
    + [of(P, "Categorical", logits).entropy()],
    [ints(0, 4, 2, 3), pos(4)],
)
case(
    "distribution.Categorical/batch",
    lambda P, one, each, logits: [of(P, "Categorical", logits).probs(one), of(P, "Categorical", logits).log_prob(each)],
    [ints(0, 4, 3), ints(0, 4, 2, 1), pos(2, 4)],
)
case(
    "distribution.Multinomial",
    lambda P, value, probs: facts(P, of(P, "Multinomial", 5, probs), MOMENTS, ("entropy",), DENSITY, value),
    [const([[1.0, 4.0, 0.0], [2.0, 1.0, 2.0]], grad=True), pos(3)],
    rtol=1e-3,
    grad_rtol=1e-3,
    grad_atol=1e-3,
)
case(
    "distribution.Binomial",
    lambda P, value, count, probs: facts(P, of(P, "Binomial", count, probs), MOMENTS, ("entropy",), DENSITY, value),
    [const([1.0, 3.0, 0.0]), const([4.0, 4.0, 4.0], grad=True), unit(3)],
    static="the entropy is a sum over counts",
    rtol=1e-3,
    grad_rtol=1e-3,
    grad_atol=1e-3,
)
for kind in ("covariance_matrix", "precision_matrix", "scale_tril"):
    case(
        f"distribution.MultivariateNormal/{kind}",
        lambda P, value, loc, matrix, k=kind: facts(
            P,
            P.distribution.MultivariateNormal(loc, **{k: P.tril(matrix) if k == "scale_tril" else matrix}),
            MOMENTS,
            ("entropy",),
            DENSITY,
            value,
        ),
        # Paddle gives a symmetric matrix the gradient of its lower triangle in another way.
        [f32(2, 3), f32(3), spd(3, 3) if kind == "scale_tril" else spd(3, 3).fixed()],
        static=kind == "precision_matrix" or ENOUGH,
        rtol=1e-3,
        grad_rtol=1e-3,
        grad_atol=1e-4,
    )
case(
    "distribution.LKJCholesky",
    lambda P, value: P.distribution.LKJCholesky(3, 1.5).log_prob(value),
    [const(np.linalg.cholesky([[1.0, 0.3, -0.2], [0.3, 1.0, 0.4], [-0.2, 0.4, 1.0]]))],
)
case(
    "distribution.Independent",
    lambda P, value, loc, scale: facts(
        P, of(P, "Independent", of(P, "Normal", loc, scale), 1), MOMENTS, ("entropy",), DENSITY, value
    ),
    [f32(2, 3), f32(2, 3), pos(2, 3)],
)
case(
    "distribution.TransformedDistribution",
    lambda P, value, loc, scale: P.distribution.TransformedDistribution(
        P.distribution.Normal(P.zeros([3]), P.ones([3])),
        [P.distribution.AffineTransform(loc, scale), P.distribution.TanhTransform()],
    ).log_prob(value),
    [sym(2, 3, high=0.8), f32(3), pos(3)],
    grad_rtol=1e-3,
)

PAIRS = {
    "Normal": [f32(3), pos(3), f32(3), pos(3)],
    "Laplace": [f32(3), pos(3), f32(3), pos(3)],
    "Cauchy": [f32(3), pos(3), f32(3), pos(3)],
    "LogNormal": [f32(3), pos(3), f32(3), pos(3)],
    "Gamma": [pos(3)] * 4,
    "Beta": [pos(3)] * 4,
    "Exponential": [pos(3)] * 2,
    "Dirichlet": [pos(2, 3)] * 2,
    "Bernoulli": [unit(3)] * 2,
    "Geometric": [unit(3)] * 2,
    "Categorical": [f32(2, 3)] * 2,
    "ContinuousBernoulli": [unit(3)] * 2,
    "Poisson": [pos(3)] * 2,
}
for name, parameters in PAIRS.items():
    case(
        f"distribution.kl_divergence/{name}",
        lambda P, *given, n=name: P.distribution.kl_divergence(
            of(P, n, *given[: len(given) // 2]), of(P, n, *given[len(given) // 2 :])
        ),
        parameters,
        # Paddle's own gradient of a Beta's or a Dirichlet's divergence, and the sums that it takes for a Poisson's, are
        # rounded more.
        static=name in CONVERTED or ENOUGH,
        rtol=1e-3 if name == "Poisson" else 2e-4,
        grad_rtol=5e-3,
        grad_atol=1e-3 if name == "Poisson" else 1e-4,
    )
case(
    "distribution.kl_divergence/Binomial",
    lambda P, n, p, q: P.distribution.kl_divergence(of(P, "Binomial", n, p), of(P, "Binomial", n, q)),
    [const([4.0, 4.0, 4.0], grad=True), unit(3), unit(3)],
    static="a sum over counts",
    rtol=1e-3,
    grad_rtol=1e-3,
    grad_atol=1e-3,
)
case(
    "distribution.kl_divergence/MultivariateNormal",
    lambda P, a, A, b, B: P.distribution.kl_divergence(
        P.distribution.MultivariateNormal(a, scale_tril=P.tril(A)),
        P.distribution.MultivariateNormal(b, scale_tril=P.tril(B)),
    ),
    [f32(3), spd(3, 3), f32(3), spd(3, 3)],
    grad_rtol=1e-3,
)

TRANSFORMS = {
    "Exp": (lambda D: D.ExpTransform(), f32(2, 3)),
    "Affine": (lambda D: D.AffineTransform(D.Normal(0.5, 1.0).mean, D.Normal(-2.0, 1.0).mean), f32(2, 3)),
    "Power": (lambda D: D.PowerTransform(D.Normal(1.5, 1.0).mean), pos(2, 3)),
    "Sigmoid": (lambda D: D.SigmoidTransform(), f32(2, 3)),
    "Tanh": (lambda D: D.TanhTransform(), sym(2, 3)),
    "StickBreaking": (lambda D: D.StickBreakingTransform(), f32(2, 3)),
    "Reshape": (lambda D: D.ReshapeTransform((2, 3), (3, 2)), f32(1, 2, 3)),
    "Chain": (lambda D: D.ChainTransform([D.ExpTransform(), D.TanhTransform()]), sym(2, 3)),
    "ChainOfEvents": (lambda D: D.ChainTransform([D.TanhTransform(), D.StickBreakingTransform()]), f32(2, 3)),
    "Independent": (lambda D: D.IndependentTransform(D.ExpTransform(), 1), f32(2, 3)),
    "Stack": (lambda D: D.StackTransform([D.ExpTransform(), D.TanhTransform()], 0), sym(2, 3)),
}


def mapped(P, transform, x):
    y = transform.forward(x)
    shapes = list(transform.forward_shape(tuple(x.shape))), list(transform.inverse_shape(tuple(y.shape)))
    return {
        "forward": y,
        "inverse": transform.inverse(y),
        "jacobian": transform.forward_log_det_jacobian(x),
        "inverse_jacobian": transform.inverse_log_det_jacobian(y),
        "shapes": list(shapes),
    }


for name, (make, x) in TRANSFORMS.items():
    case(
        f"distribution.{name}Transform" if name != "ChainOfEvents" else "distribution.ChainTransform/events",
        lambda P, x, make=make: mapped(P, make(P.distribution), x),
        [x],
        static=name in ("StickBreaking", "ChainOfEvents") or "compositions of operations",
        rtol=1e-3,
        atol=1e-4,
        grad_rtol=2e-3,
        grad_atol=1e-4,
    )
case(
    "distribution.SoftmaxTransform/inverse",
    lambda P, x: P.distribution.SoftmaxTransform().inverse(x),
    [simplex(2, 3)],
    static=ENOUGH,
)
case(
    "distribution.AbsTransform",
    lambda P, x: [P.distribution.AbsTransform().forward(x), *P.distribution.AbsTransform().inverse(x)],
    [f32(3)],
    static=ENOUGH,
)


@program("distribution/shapes-and-dtypes-of-draws")
def draws(P):
    x = P.to_tensor([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])
    found = {}
    for made in (
        of(P, "Normal", [0.0], [1.0, 2.0]),
        of(P, "Uniform", 0.0, 2.0),
        of(P, "Bernoulli", 0.3),
        of(P, "Cauchy", 0.5, x),
        of(P, "Categorical", x),
        of(P, "ContinuousBernoulli", 0.3),
        of(P, "Independent", of(P, "Normal", x, x), 1),
        P.distribution.MultivariateNormal(x, P.eye(3)),
    ):
        drawn = made.sample([2, 5])
        found[type(made).__name__] = [list(drawn.shape), str(drawn.dtype)]
    return found
