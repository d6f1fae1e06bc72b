"""What a Layer holds, saves, loads, prints, and says when it is used wrongly."""
import copy
import pickle
import warnings

import numpy as np
import pytest

import kayax as paddle
from kayax import nn


class Net(nn.Layer):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 3)
        self.norm = nn.BatchNorm1D(3)
        self.parts = nn.LayerList([nn.Linear(3, 3, bias_attr=False), nn.ReLU()])
        self.register_buffer("steps", paddle.zeros([1]))
        self.register_buffer("cache", paddle.zeros([2]), persistable=False)

    def forward(self, x):
        x = self.norm(self.linear(x))
        for part in self.parts:
            x = part(x)
        return x


KEYS = ["steps", "linear.weight", "linear.bias", "norm.weight", "norm.bias", "norm._mean", "norm._variance",
        "parts.0.weight"]


def test_state_dict_names_and_order():
    net = Net()
    assert list(net.state_dict()) == KEYS
    assert [name for name, _ in net.named_parameters()] == [k for k in KEYS if k != "steps"]
    assert [name for name, _ in net.named_buffers()] == ["steps", "cache"]
    assert [name for name, _ in net.named_sublayers()] == ["linear", "norm", "parts", "parts.0", "parts.1"]
    assert net.state_dict()["linear.weight"] is net.linear.weight


def test_a_state_is_copied_in_by_structured_or_unique_names():
    one, other = Net(), Net()
    assert other.set_state_dict(one.state_dict()) == ([], [])
    np.testing.assert_array_equal(other.linear.weight.numpy(), one.linear.weight.numpy())
    assert other.linear.weight is not one.linear.weight
    third = nn.Linear(2, 3)
    values = {third.weight.name: np.ones((2, 3), "float32"), third.bias.name: np.full(3, 2, "float32")}
    assert third.set_state_dict(values, use_structured_name=False) == ([], [])
    assert third.weight.numpy().min() == 1 and third.bias.numpy().min() == 2


def test_missing_and_unexpected_names_are_given_back():
    net = nn.Linear(2, 3)
    missing, unexpected = net.set_state_dict({"weight": net.weight, "extra": net.bias})
    assert missing == ["bias"] and unexpected == ["extra"]
    with pytest.raises(RuntimeError, match=r"Missing: \['bias'\]. Not expected: \['extra'\]"):
        net.load_state_dict({"weight": net.weight, "extra": net.bias})


def test_a_wrong_shape_is_skipped_with_a_warning():
    net = nn.Linear(2, 3)
    before = net.weight.numpy()
    with pytest.warns(UserWarning, match=r"Skip loading 'weight': it has the shape \[3, 2\], but \[2, 3\]"):
        missing, _ = net.set_state_dict({"weight": np.ones((3, 2), "float32"), "bias": net.bias})
    assert missing == ["weight"]
    np.testing.assert_array_equal(net.weight.numpy(), before)


def test_hooks_see_and_replace_inputs_and_outputs():
    layer, seen = nn.Linear(2, 3), []
    before = layer.register_forward_pre_hook(lambda layer, inputs: (inputs[0] * 0,))
    after = layer.register_forward_post_hook(lambda layer, inputs, output: seen.append(inputs) or output + 1)
    out = layer(paddle.ones([1, 2]))
    np.testing.assert_allclose(out.numpy(), layer.bias.numpy()[None] + 1)
    assert seen[0][0].numpy().sum() == 0
    before.remove()
    after.remove()
    np.testing.assert_allclose(layer(paddle.zeros([1, 2])).numpy(), layer.bias.numpy()[None])


def test_train_and_eval_reach_all_layers():
    net = Net()
    net.eval()
    assert not any(layer.training for layer in net.sublayers(include_self=True))
    net.train()
    assert all(layer.training for layer in net.sublayers(include_self=True))


def test_to_casts_floating_state_and_keeps_the_tensors():
    net = Net()
    net.register_buffer("count", paddle.to_tensor([1]))
    weight = net.linear.weight
    net.to(dtype="float64")
    assert net.linear.weight is weight and weight.dtype == paddle.float64 and net.count.dtype == paddle.int64
    net.bfloat16()
    assert weight.dtype == paddle.bfloat16


def test_deepcopy_shares_nothing_and_keeps_ties():
    net = Net()
    net.tied = net.linear.weight
    new = copy.deepcopy(net)
    assert new.tied is new.linear.weight and new.linear.weight is not net.linear.weight
    new.linear.weight.set_value(np.zeros((2, 3), "float32"))
    assert net.linear.weight.numpy().any()


def test_a_layer_can_be_pickled():
    layer = nn.Linear(2, 3)
    new = pickle.loads(pickle.dumps(layer))
    np.testing.assert_array_equal(new(paddle.ones([1, 2])).numpy(), layer(paddle.ones([1, 2])).numpy())


def test_sequential_and_lists_index_like_lists():
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    assert isinstance(net[1], nn.ReLU) and net[-1] is net[2] and len(net[:2]) == 2
    named = nn.Sequential(("first", nn.Linear(2, 3)), ("second", nn.ReLU()))
    assert named["first"] is named.first and list(named.state_dict()) == ["first.weight", "first.bias"]
    parts = nn.LayerList([nn.Linear(2, 3), nn.ReLU()])
    parts.insert(1, nn.Tanh())
    assert [type(p).__name__ for p in parts] == ["Linear", "Tanh", "ReLU"]
    assert isinstance(parts.pop(1), nn.Tanh) and len(parts) == 2
    values = nn.ParameterList([paddle.create_parameter([2], "float32")])
    assert list(values.state_dict()) == ["0"]


@pytest.mark.parametrize(("made", "printed"), [      # as real Paddle 3.3.1 prints them
    ("nn.Linear(2, 3)", "Linear(in_features=2, out_features=3, dtype=float32)"),
    ("nn.Conv2D(3, 4, 3)", "Conv2D(3, 4, kernel_size=[3, 3], data_format=NCHW)"),
    ("nn.Sequential(nn.ReLU(), nn.Dropout(0.3))",
     "Sequential(\n  (0): ReLU()\n  (1): Dropout(p=0.3, axis=None, mode=upscale_in_train, inplace=False)\n)"),
    ("nn.Embedding(3, 4, padding_idx=1)",
     "Embedding(3, 4, padding_idx=1, sparse=False, scale_grad_by_freq=False)"),
    ("nn.LSTM(3, 4)", "LSTM(3, 4\n  (0): RNN(\n    (cell): LSTMCell(3, 4)\n  )\n)")])
def test_printing(made, printed):
    assert repr(eval(made)) == printed


class Forgetful(nn.Layer):
    def __init__(self):
        self.linear = nn.Linear(2, 3)


def set_a_number(layer):
    layer.weight = 3


@pytest.mark.parametrize(("wrong", "kind", "message"), [
    (lambda: Forgetful(), ValueError, r"Call super\(\).__init__\(\) in Forgetful.__init__"),
    (lambda: nn.Linear(2, 3).nothing, AttributeError, "'Linear' object has no attribute 'nothing'"),
    (lambda: set_a_number(nn.Linear(2, 3)), TypeError, "'weight' is a Parameter of Linear"),
    (lambda: nn.Layer()(paddle.ones([1])), NotImplementedError, "Layer has no forward"),
    (lambda: nn.Layer().register_buffer("a.b", None), KeyError, "must not be empty or contain a dot"),
    (lambda: nn.Layer().add_sublayer("a", 3), TypeError, "add_sublayer needs a Layer, but got int"),
    (lambda: nn.Layer().set_state_dict([1]), TypeError, "needs a dict of names and tensors, but got list"),
    (lambda: nn.Linear(2, 3)(paddle.ones([1, 5])), ValueError, "The last dimension of x must be 2")])
def test_wrong_use_is_named(wrong, kind, message):
    with warnings.catch_warnings(), pytest.raises(kind, match=message):
        wrong()


def test_weight_norm_and_back():
    layer = nn.Linear(3, 4)
    weight = layer.weight.numpy()
    nn.utils.weight_norm(layer, dim=1)
    assert [(k, list(v.shape)) for k, v in layer.state_dict().items()] == [
        ("bias", [4]), ("weight_v", [3, 4]), ("weight_g", [4])]
    layer(paddle.ones([2, 3])).sum().backward()
    np.testing.assert_allclose(layer.weight_g.numpy(), np.linalg.norm(weight, axis=0), rtol=1e-6)
    assert layer.weight_g.grad is not None and layer.weight_v.grad is not None
    nn.utils.remove_weight_norm(layer)
    np.testing.assert_allclose(layer.weight.numpy(), weight, rtol=1e-6)
    assert list(layer.state_dict()) == ["bias", "weight"]
    with pytest.raises(ValueError, match="no weight_norm on 'weight'"):
        nn.utils.remove_weight_norm(layer)


def test_spectral_norm_approaches_the_largest_singular_value():
    layer = nn.Linear(3, 4)
    weight = layer.weight.numpy()
    nn.utils.spectral_norm(layer, n_power_iterations=50)
    first, second = layer(paddle.ones([2, 3])), layer(paddle.ones([2, 3]))
    (first + second).sum().backward()
    np.testing.assert_allclose(layer.weight.numpy(), weight / np.linalg.svd(weight)[1][0], rtol=1e-4)
    copy.deepcopy(layer)(paddle.ones([2, 3]))


def test_clipping_gradients():
    parameters = [paddle.create_parameter([2, 2], "float32"), paddle.create_parameter([3], "float32")]
    (parameters[0].sum() * 3 + parameters[1].sum() * 2).backward()
    total = nn.utils.clip_grad_norm_(parameters, 1.5)
    np.testing.assert_allclose(float(total), np.sqrt(4 * 9 + 3 * 4), rtol=1e-6)
    left = np.sqrt(sum((p.grad.numpy() ** 2).sum() for p in parameters))
    np.testing.assert_allclose(left, 1.5, rtol=1e-5)
    nn.utils.clip_grad_value_(parameters, 0.1)
    assert max(p.grad.numpy().max() for p in parameters) == np.float32(0.1)
    vector = nn.utils.parameters_to_vector(parameters)
    nn.utils.vector_to_parameters(vector * 0 + 2, parameters)
    assert vector.shape == [7] and parameters[1].numpy().tolist() == [2, 2, 2]


def test_adaptive_softmax_agrees_with_its_own_log_probabilities():
    layer = nn.AdaptiveLogSoftmaxWithLoss(8, 20, [5, 10], div_value=2.0, head_bias=True)
    x, label = paddle.randn([4, 8]), paddle.to_tensor([1, 6, 15, 3])
    output, loss = layer(x, label)
    every = layer.log_prob(x).numpy()
    np.testing.assert_allclose(np.exp(every).sum(1), np.ones(4), rtol=1e-5)
    np.testing.assert_allclose(output.numpy(), every[range(4), label.numpy()], rtol=1e-5)
    np.testing.assert_allclose(float(loss), -output.numpy().mean(), rtol=1e-5)
    loss.backward()
    assert all(p.grad is not None for p in layer.parameters())


def test_an_assigned_tensor_is_a_buffer_that_is_not_saved_and_lasts_through_programs():
    class Counter(paddle.nn.Layer):
        def __init__(self):
            super().__init__()
            self.seen = paddle.zeros([1])

        def forward(self, x):
            self.seen = self.seen + x.sum().detach()
            return x * self.seen

    found = []
    for convert in (lambda n: n, paddle.jit.to_static):
        net = convert(Counter())
        assert dict(net.named_buffers()).keys() == {"seen"} and not net.state_dict()
        found.append([net(paddle.ones([2])).numpy().tolist() for _ in range(3)] + [net.seen.numpy().tolist()])
    assert found[0] == found[1]


def test_a_buffer_keeps_a_tensor_and_its_gradient_in_a_program():
    class Keeps(paddle.nn.Layer):
        def __init__(self):
            super().__init__()
            self.fc = paddle.nn.Linear(2, 2)
            self.last = paddle.zeros([1, 2])

        def forward(self, x):
            self.last = self.fc(x)
            return self.last * 2

    def run(convert):
        paddle.seed(5)
        net = convert(Keeps())
        for k in (1.0, 2.0):
            out = net(paddle.full([1, 2], k))
        (out.sum() + net.last.sum()).backward()
        return [v.numpy() for v in (out, net.last, net.fc.weight.grad, net.fc.bias.grad)]

    for a, b in zip(run(lambda net: net), run(lambda net: paddle.jit.to_static(net, full_graph=True)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)
