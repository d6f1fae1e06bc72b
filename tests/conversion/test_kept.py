"""Attributes in which a converted function leaves tensors, from call to call."""
import numpy as np
import pytest

import kayax as paddle
from kayax import nn
from kayax.bridge.errors import FallbackWarning


class Net(nn.Layer):
    def __init__(self):
        super().__init__()
        self.w = self.create_parameter([2], default_initializer=nn.initializer.Constant(3.0))
        self.last = None

    def forward(self, x):
        self.last = self.w * x
        return x.sum()


def test_each_call_leaves_a_tensor_of_its_own_and_makes_no_program():
    net = paddle.jit.to_static(Net(), full_graph=True)
    kept = []
    for k in range(3):
        net(paddle.to_tensor([1.0, k]))
        kept.append(net.last)
    np.testing.assert_array_equal([t.numpy() for t in kept], [[3, 0], [3, 3], [3, 6]])
    net(paddle.to_tensor([[1.0, 2.0]]))                 # another shape
    assert net.last.shape == [1, 2] and kept[0].shape == [2]
    assert [len(group) for group in net.forward.programs.values()] == [1, 1]


def test_gradients_go_through_what_is_left():
    net = paddle.jit.to_static(Net(), full_graph=True)
    out = net(paddle.to_tensor([1.0, 2.0]))
    (out + net.last.sum()).backward()
    np.testing.assert_array_equal(net.w.grad.numpy(), [1, 2])


def test_who_reads_it_elsewhere_sees_the_last_one():
    net = paddle.jit.to_static(Net(), full_graph=True)
    double = paddle.jit.to_static(lambda: net.last * 2.0)
    for k in (1.0, 5.0):
        net(paddle.to_tensor([k, 0.0]))
        np.testing.assert_array_equal(double().numpy(), [6 * k, 0])


def test_code_without_source_may_have_read_it():
    scope = {}
    exec("def was(box):\n    return box.last is None", scope)
    was = scope["was"]

    class Box:
        last = None

        def run(self, x):
            y = x if was(self) else x * 2.0
            self.last = y
            return y

    box = Box()
    run = paddle.jit.to_static(box.run)
    with pytest.warns(FallbackWarning, match="read before it is stored"):
        results = [run(paddle.to_tensor([1.0])).item() for _ in range(2)]
    assert results == [1.0, 2.0]


@pytest.mark.parametrize("reparametrized", [paddle.nn.utils.weight_norm, paddle.nn.utils.spectral_norm])
def test_a_weight_that_a_hook_computes_in_a_whole_step(reparametrized):
    layer = reparametrized(paddle.nn.Linear(3, 4))
    optimizer = paddle.optimizer.SGD(0.1, parameters=layer.parameters())

    def step(x):
        loss = layer(x).pow(2).mean()
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()
        return loss

    report = paddle.jit.check(step, paddle.to_tensor([[1.0, -2.0, 3.0]]), full_graph=True)
    assert not report.fell_back and layer.weight.shape == [3, 4]


def test_a_saved_model_computes_such_a_weight(tmp_path):
    layer = paddle.nn.utils.weight_norm(paddle.nn.Linear(3, 4))
    x = paddle.to_tensor([[1.0, -2.0, 3.0]])
    want = layer(x)
    paddle.jit.save(layer, str(tmp_path / "normed"), input_spec=[paddle.static.InputSpec([None, 3])])
    np.testing.assert_allclose(paddle.jit.load(str(tmp_path / "normed"))(x).numpy(), want.numpy(), rtol=1e-6)
    np.testing.assert_array_equal(layer(x).numpy(), want.numpy())


def test_what_a_first_call_sets_up_is_found_by_later_ones():
    class Cached(nn.Layer):
        def __init__(self):
            super().__init__()
            self.table, self.tables = None, {}
            self.register_buffer("held", None)

        def forward(self, x):
            n = x.shape[0]
            if self.table is None or self.table.shape[0] < n:
                self.table = paddle.arange(n).astype("float32")
            if n not in self.tables:
                self.tables[n] = paddle.ones([n])
            if self.held is None or self.held.shape[0] != n:
                self.held = paddle.full([n], 2.0)
            return x * self.table[:n] + self.tables[n] + self.held

    layer, plain = Cached(), Cached()
    converted = paddle.jit.to_static(layer.forward)
    for n in (3, 3, 5, 5, 5):
        x = paddle.ones([n])
        np.testing.assert_array_equal(converted(x).numpy(), plain(x).numpy())
    assert not converted.fallbacks
    assert len(converted.programs) == 2
