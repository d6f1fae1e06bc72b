"""Distributions: draws agree with the moments that the distribution states; divergences; what is refused."""
import numpy as np
import pytest

import kayax as paddle

D = paddle.distribution
COUNT = 4000
DRAWN = {
    "Normal": (1.0, 2.0), "Uniform": (-1.0, 2.0), "Laplace": (0.5, 2.0), "Gumbel": (0.5, 2.0),
    "StudentT": (9.0, 1.0, 2.0), "LogNormal": (0.0, 0.5), "Gamma": (2.0, 3.0), "Exponential": (2.0,), "Chi2": (3.0,),
    "Beta": (2.0, 3.0), "Bernoulli": (0.3,), "Geometric": (0.4,), "Poisson": (3.0,), "Binomial": (5, 0.3),
    "ContinuousBernoulli": (0.2,), "Dirichlet": (paddle.to_tensor([1.0, 2.0, 3.0]),),
    "Multinomial": (4, paddle.to_tensor([0.2, 0.3, 0.5])),
}


SLOW = ("Beta", "Binomial", "Dirichlet", "Multinomial", "Poisson", "StudentT")      # large programs to compile


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow if n in SLOW else ()) for n in DRAWN])
def test_draws_have_the_stated_mean_and_variance(name):
    paddle.seed(1)
    made = getattr(D, name)(*DRAWN[name])
    drawn = made.sample([COUNT]).numpy().astype("float64")
    assert drawn.shape == (COUNT, *made.batch_shape, *made.event_shape)
    mean, variance = made.mean.numpy(), made.variance.numpy()
    fourth = ((drawn - drawn.mean(0)) ** 4).mean(0)
    assert np.all(np.abs(drawn.mean(0) - mean) < 5 * np.sqrt(variance / COUNT))
    assert np.all(np.abs(drawn.var(0) - variance) < 5 * np.sqrt(fourth / COUNT) + 1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["onion", "cvine"])
def test_correlations_drawn_by_either_method_are_all_alike(method):
    """Each is 2 b - 1 with b ~ Beta(a, a), a = concentration + (dim - 2) / 2, so its variance is 1 / (2 a + 1)."""
    paddle.seed(1)
    factor = D.LKJCholesky(3, 1.5, method).sample([COUNT]).numpy()
    correlation = factor @ np.swapaxes(factor, -1, -2)
    np.testing.assert_allclose(np.diagonal(correlation, axis1=1, axis2=2), 1, rtol=1e-5)
    for i, j in ((1, 0), (2, 0), (2, 1)):
        assert abs(correlation[:, i, j].mean()) < 0.05
        assert abs(correlation[:, i, j].var() - 0.2) < 0.02


def test_a_sample_of_a_multivariate_normal_has_its_covariance():
    paddle.seed(1)
    covariance = paddle.to_tensor([[2.0, 0.6], [0.6, 1.0]])
    drawn = D.MultivariateNormal(paddle.zeros([2]), covariance).sample([COUNT]).numpy()
    np.testing.assert_allclose(np.cov(drawn.T), covariance.numpy(), atol=0.15)


def test_rsample_is_differentiable_and_sample_is_not():
    loc = paddle.to_tensor([0.5, 1.0], stop_gradient=False)
    for made in (D.Laplace(loc, 1.0), D.LogNormal(loc, 1.0)):
        made.rsample([3]).sum().backward()
        assert np.abs(loc.grad.numpy()).min() > 0
    assert D.Laplace(loc, 1.0).sample([3]).stop_gradient


def test_a_seed_gives_the_same_draws():
    assert (D.Normal(0.0, 1.0).sample([3], 7) == D.Normal(0.0, 1.0).sample([3], 7)).all()


def test_a_converted_policy_gradient_equals_the_eager_one():
    logits = paddle.to_tensor([[0.5, 1.0, 2.0]], stop_gradient=False)

    def loss(logits, action):
        policy = D.Categorical(logits)
        return (policy.log_prob(action) + policy.entropy()).sum()

    action = paddle.to_tensor([[2]])
    loss(logits, action).backward()
    eager = logits.grad.numpy()
    logits.clear_gradient()
    paddle.jit.to_static(loss)(logits, action).backward()
    np.testing.assert_allclose(logits.grad.numpy(), eager, rtol=1e-5)


def test_the_divergence_of_an_exponential_family_follows_from_its_log_normalizer():
    class Rate(D.ExponentialFamily):
        """An exponential distribution that says only what the family needs."""

        def __init__(self, rate):
            self.rate = rate
            super().__init__(rate.shape)

        _natural_parameters = property(lambda self: (-self.rate,))
        _mean_carrier_measure = 0.0

        def _log_normalizer(self, x):
            return -paddle.log(-x)

    a, b = paddle.to_tensor([1.0, 2.0]), paddle.to_tensor([3.0, 0.5])
    known = D.kl_divergence(D.Exponential(a), D.Exponential(b))
    np.testing.assert_allclose(D.kl_divergence(Rate(a), Rate(b)), known, rtol=1e-5)
    np.testing.assert_allclose(Rate(a).entropy(), D.Exponential(a).entropy(), rtol=1e-5)


def test_the_divergence_of_uniform_distributions_is_infinite_outside():
    p, q = D.Uniform([0.0, 0.0], [1.0, 1.0]), D.Uniform([-1.0, 0.5], [3.0, 2.0])
    np.testing.assert_allclose(D.kl_divergence(p, q), [np.log(4.0), np.inf])


def test_impossible_counts_have_no_probability():
    assert D.Binomial(3, 0.5).prob(paddle.to_tensor([4.0, -1.0])).tolist() == [0.0, 0.0]


def test_registering_a_divergence():
    class Mine(D.Normal):
        pass

    @D.register_kl(Mine, D.Normal)
    def divergence(p, q):
        return "mine"

    assert D.kl_divergence(Mine(0.0, 1.0), D.Normal(0.0, 1.0)) == "mine"
    with pytest.raises(NotImplementedError, match=r"no kl_divergence of Normal and Laplace.*register_kl"):
        D.kl_divergence(D.Normal(0.0, 1.0), D.Laplace(0.0, 1.0))


@pytest.mark.parametrize(("build", "error", "words"), [
    (lambda: D.Normal("a", 1.0), TypeError, "A parameter must be a number"),
    (lambda: D.StudentT(-1.0, 0.0, 1.0), ValueError, "df must not be negative"),
    (lambda: D.Multinomial(0, paddle.ones([2])), ValueError, "total_count must be a positive int"),
    (lambda: D.MultivariateNormal(paddle.ones([2])), ValueError, "exactly one of covariance_matrix"),
    (lambda: D.Cauchy(0.0, 1.0).mean, ValueError, "no mean"),
    (lambda: D.Independent(D.Normal(0.0, 1.0), 1), ValueError, "from 1 to the 0 batch axes"),
    (lambda: D.SoftmaxTransform().forward_log_det_jacobian(paddle.ones([2])), NotImplementedError, "not injective"),
    (lambda: D.ReshapeTransform((2,), (3,)), ValueError, "as many elements"),
    (lambda: D.Normal(0.0, 1.0).sample(3), TypeError, "sample shape must be a list"),
    (lambda: D.Poisson(3.0).rsample([2]), NotImplementedError, "Poisson has no rsample"),
])
def test_mistakes_are_explained(build, error, words):
    with pytest.raises(error, match=words):
        build()
