"""Choices and loops on tensors: the same values, gradients and effects eagerly and converted."""
import numpy as np
import pytest

import kayax as paddle
from kayax.bridge.errors import ConversionError
from kayax.static.nn import case, cond, switch_case, while_loop


def same_both_ways(fn, *arrays, grad=True):
    """Run eagerly and converted, in float64; compare results and input gradients; give the result."""
    results = []
    for run in (fn, paddle.jit.to_static(fn)):
        inputs = [paddle.to_tensor(a, stop_gradient=not (grad and np.asarray(a).dtype.kind == "f")) for a in arrays]
        out = run(*inputs)
        flat = out if isinstance(out, (list, tuple)) else [out]
        if grad:
            sum((o * o).sum() for o in flat).backward()
        # An input that no round used has no gradient eagerly, and zeros where the rounds are not known beforehand.
        results.append(([o.numpy() for o in flat],
                        [np.zeros(i.shape) if i.grad is None else i.grad.numpy() for i in inputs]))
    for eager, converted in zip(results[0], results[1], strict=True):
        assert len(eager) == len(converted)
        for a, b in zip(eager, converted, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-10)
    return results[0][0]


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_cond_gives_the_chosen_branch_and_its_gradient(sign):
    same_both_ways(lambda x: cond(x.sum() > 0, lambda: x * 3, lambda: x.exp()), sign * np.array([0.5, 1.5]))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_cond_writes_buffers_and_reads_parameters(sign):
    class Net(paddle.nn.Layer):
        def __init__(self):
            super().__init__()
            self.weight = self.create_parameter([2], default_initializer=paddle.nn.initializer.Constant(2.0))
            self.register_buffer("count", paddle.zeros([1]))

        def count_up(self, x):
            self.count = self.count + 1
            return x * self.weight

        def forward(self, x):
            return cond(x.sum() > 0, lambda: self.count_up(x), lambda: x)

    found = []
    for convert in (lambda n: n, paddle.jit.to_static):
        net = convert(Net())
        for _ in range(3):
            net(paddle.to_tensor([sign, sign])).sum().backward()
        grad = net.weight.grad
        found.append((net.count.numpy(), np.zeros(2) if grad is None else grad.numpy()))
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_allclose(found[0][1], found[1][1])


@pytest.mark.parametrize("index", [0, 1, 2, 7])
def test_switch_case_and_case(index):
    i, x = np.array(index), np.array([1.0, 2.0])
    same_both_ways(lambda x, i: switch_case(i, {0: lambda: x, 2: lambda: x * 2}, lambda: x * 5), x, i)
    same_both_ways(lambda x, i: case([(i < 1, lambda: x), (i < 3, lambda: x * x)], lambda: -x), x, i)


@pytest.mark.parametrize("limit", [0.5, 10.0, 1e4])
def test_while_loop_with_an_unknown_number_of_rounds_has_gradients(limit):
    def grow(x, w):
        _, x = while_loop(lambda n, x: x.sum() < limit, lambda n, x: [n + 1, x * w + 0.1],
                          [paddle.zeros([], "int64"), x])
        return x

    same_both_ways(grow, np.array([0.3, 0.4]), np.array([1.5, 1.3]))


def test_while_loop_inside_a_converted_step_trains_as_eagerly():
    def train(convert):
        paddle.seed(0)
        layer = paddle.nn.Linear(3, 3)
        optimizer = paddle.optimizer.SGD(0.01, parameters=layer.parameters())

        def step(x):
            _, y = while_loop(lambda i, y: i < x.shape[0], lambda i, y: [i + 1, paddle.tanh(layer(y))],
                              [paddle.zeros([], "int64"), x])
            loss = (y * y).mean()
            loss.backward()
            optimizer.step()
            optimizer.clear_grad()
            return loss

        run = convert(step)
        return [float(run(paddle.ones([4, 3]))) for _ in range(4)]

    np.testing.assert_allclose(train(paddle.jit.to_static), train(lambda f: f), rtol=1e-5)


@pytest.mark.parametrize("fn, message", [
    (lambda x: cond(x.sum() > 0, lambda: x[:1], lambda: x), r"float32 tensor of shape \[1\].*of shape \[2\]"),
    (lambda x: cond(x.sum() > 0, lambda: x, lambda: (x, x)), "a tuple"),
    (lambda x: while_loop(lambda x: x.sum() < 9, lambda x: [paddle.concat([x, x])], [x]), "round"),
], ids=["shapes", "structures", "loop"])
def test_branches_that_differ_and_loops_that_change_shape_say_so(fn, message):
    with pytest.raises(ConversionError, match=message):
        paddle.jit.to_static(fn, full_graph=True)(paddle.ones([2]))
