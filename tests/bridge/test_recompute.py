"""Recomputation changes no value and no gradient: eagerly, in a converted forward, in a converted step."""
import numpy as np
import pytest

import kayax as paddle
from kayax import nn
from kayax.distributed.fleet.utils import recompute


def losses(recomputed, converted):
    paddle.seed(3)
    random = np.random.RandomState(0)
    net = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.Tanh(), nn.Linear(4, 3))
    for p in net.parameters():
        p.set_value(random.randn(*p.shape).astype("float32"))
    sgd = paddle.optimizer.SGD(0.1, parameters=net.parameters())
    x = paddle.to_tensor(random.randn(2, 3).astype("float32"), stop_gradient=False)

    def forward(x):
        hidden = x * 2
        hidden = recompute(net, hidden) if recomputed else net(hidden)
        return (hidden * hidden).sum()

    if converted == "forward":
        forward = paddle.jit.to_static(forward)

    def step(x):
        loss = forward(x)
        loss.backward()
        sgd.step()
        sgd.clear_grad()
        return loss

    if converted == "step":
        step = paddle.jit.to_static(step)
    return [float(step(x)) for _ in range(2)], x.grad.numpy()


@pytest.mark.parametrize("converted", ["", "forward", "step"])
def test_the_same_values_with_the_same_random_numbers(converted):
    found, grad = losses(True, converted)
    wanted, wanted_grad = losses(False, "")
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    np.testing.assert_allclose(grad, wanted_grad, rtol=1e-4)


def test_it_runs_twice_eagerly_and_keeps_other_arguments():
    calls = []

    def scaled(x, factor, bias=None):
        calls.append(factor)
        return x * factor + bias, factor

    x = paddle.to_tensor([1.0, 2.0], stop_gradient=False)
    bias = paddle.to_tensor([1.0, 1.0], stop_gradient=False)
    y, same = recompute(scaled, x, 3.0, bias=bias, use_reentrant=False)
    assert same == 3.0 and calls == [3.0]
    (y * y).sum().backward()
    assert calls == [3.0, 3.0]
    np.testing.assert_allclose(x.grad.numpy(), 2 * y.numpy() * 3)
    np.testing.assert_allclose(bias.grad.numpy(), 2 * y.numpy())
    with paddle.no_grad():
        recompute(scaled, x, 1.0, bias=bias)
    assert len(calls) == 3


def test_parameters_get_gradients_from_inputs_that_have_none():
    net = nn.Linear(2, 2)
    recompute(net, paddle.ones([1, 2])).sum().backward()
    np.testing.assert_array_equal(net.weight.grad.numpy(), np.ones([2, 2]))
