"""Recurrent layers: values, gradients, names and printing as recorded from real Paddle, and what is our own."""
from pathlib import Path

import numpy as np
import pytest
from rnn_cases import LENGTHS, X, cases, fill, run

import kayax as paddle
from kayax import nn

RECORDED = np.load(Path(__file__).parent / "reference" / "rnn.npz")
CASES = {case[0]: case for case in cases()}


def put(parameter, value):
    parameter.set_value(value)


@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients_are_paddles(name):
    _, made, time_major, lengths, states = CASES[name]
    layer = eval(made)
    fill(layer, put)
    assert repr(layer) == str(RECORDED[f"{name}/printed"])
    assert [f"{k} {list(v.shape)}" for k, v in layer.state_dict().items()] == RECORDED[f"{name}/keys"].tolist()
    for i, value in enumerate(run(paddle, layer, time_major, lengths, states)):
        np.testing.assert_allclose(value, RECORDED[f"{name}/{i}"], rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "SimpleRNN"])
def test_the_backward_direction_with_lengths_and_states_has_the_gradient_of_its_values(kind):
    """Where real Paddle's kernel gives other gradients than its own values have: against differences in float64."""
    paddle.set_default_dtype("float64")
    layer = getattr(nn, kind)(3, 4, direction="bidirect")
    random = np.random.RandomState(3)
    states = [paddle.to_tensor(random.randn(2, 2, 4)) for _ in range(layer.state_components)]
    x, lengths = paddle.to_tensor(X.astype(np.float64)), paddle.to_tensor(LENGTHS)

    def loss():
        outputs, _ = layer(x, states if len(states) > 1 else states[0], lengths)
        return (outputs ** 3).sum()

    loss().backward()
    weight = layer.weight_hh_l0_reverse
    value, gradient = weight.numpy().copy(), weight.grad.numpy()
    for index in [(0, 0), (1, 2), (3, 3)]:
        sides = []
        for step in (1e-6, -1e-6):
            changed = value.copy()
            changed[index] += step
            weight.set_value(changed)
            sides.append(float(loss()))
        np.testing.assert_allclose(gradient[index], (sides[0] - sides[1]) / 2e-6, rtol=1e-6, atol=1e-8)


class Doubling(nn.RNNCellBase):
    """A cell of a user's own, with a state of two parts."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 4)

    @property
    def state_shape(self):
        return (4,), (1,)

    def forward(self, inputs, states, scale=1.0):
        h, count = states
        h = paddle.tanh(self.linear(inputs) * scale + 0.5 * h)
        return h, (h, count + 1)


@pytest.mark.parametrize("reverse", [False, True])
def test_a_cell_of_ones_own_stops_at_the_length(reverse):
    layer = nn.RNN(Doubling(), is_reverse=reverse)
    outputs, (h, count) = layer(paddle.to_tensor(X), sequence_length=paddle.to_tensor(LENGTHS), scale=2.0)
    assert count.tolist() == [[3.0], [5.0]]
    alone, (h_alone, _) = layer(paddle.to_tensor(X[:1, :3]), scale=2.0)
    np.testing.assert_allclose(h[0].numpy(), h_alone[0].numpy(), rtol=1e-6)
    np.testing.assert_allclose(outputs[0, :3].numpy(), alone[0].numpy(), rtol=1e-6)


def test_a_known_cell_with_a_hook_runs_step_by_step_with_the_same_result():
    cell = nn.GRUCell(3, 4)
    layer, x = nn.RNN(cell), paddle.to_tensor(X)
    expected, last = layer(x, sequence_length=paddle.to_tensor(LENGTHS))
    calls = []
    cell.register_forward_post_hook(lambda *_: calls.append(1))
    outputs, state = layer(x, sequence_length=paddle.to_tensor(LENGTHS))
    assert len(calls) == 5
    np.testing.assert_allclose(state.numpy(), last.numpy(), rtol=1e-6)
    np.testing.assert_allclose(outputs[:, :3].numpy(), expected[:, :3].numpy(), rtol=1e-6)


def test_top_level_parameters_are_the_cells_own():
    layer = nn.LSTM(3, 4, 2, direction="bidirect")
    assert layer.weight_ih_l1_reverse is layer[1].cell_bw.weight_ih
    assert len(layer.parameters()) == 16
    assert layer.weight_hh_l0.name.startswith("lstm_cell_") and layer.weight_hh_l0.name.endswith(".w_1")


def test_an_attr_of_false_gives_a_frozen_parameter():
    cell = nn.LSTMCell(3, 4, weight_ih_attr=False, bias_hh_attr=False)
    assert cell.weight_ih.stop_gradient and bool((cell.weight_ih == 1).all())
    assert cell.bias_hh.stop_gradient and bool((cell.bias_hh == 0).all())
    assert "bias_ih_l0" not in nn.LSTM(3, 4, bias_ih_attr=False).state_dict()


def test_dropout_between_layers_only_while_training():
    layer, x = nn.GRU(3, 4, 2, dropout=0.5), paddle.to_tensor(X)
    first, second = layer(x)[0].numpy(), layer(x)[0].numpy()
    assert not np.allclose(first, second)
    layer.eval()
    np.testing.assert_array_equal(layer(x)[0].numpy(), layer(x)[0].numpy())


def test_a_converted_training_step_equals_the_eager_one():
    def made():
        paddle.seed(5)
        layer = nn.LSTM(3, 4, 2, direction="bidirect")
        return layer, paddle.optimizer.SGD(0.1, parameters=layer.parameters())

    def step(layer, optimizer, x):
        loss = (layer(x)[0] ** 2).mean()
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()
        return loss

    x, losses = paddle.to_tensor(X), []
    for convert in (False, True):
        layer, optimizer = made()
        call = paddle.jit.to_static(step) if convert else step
        losses.append([float(call(layer, optimizer, x)) for _ in range(3)])
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-6)


@pytest.mark.parametrize(("wrong", "message"), [
    (lambda x: nn.LSTM(3, 4, direction="both"), "direction must be one of forward, bidirect, bidirectional"),
    (lambda x: nn.LSTMCell(3, 0), "hidden_size of LSTMCell must be positive"),
    (lambda x: nn.LSTMCell(3, 4, proj_size=4), "proj_size must be"),
    (lambda x: nn.SimpleRNNCell(3, 4, activation="elu"), "must be 'tanh' or 'relu'"),
    (lambda x: nn.GRU(6, 4)(x), "input_size=6"),
    (lambda x: nn.GRU(3, 4)(x[0]), r"\[batch, time, input_size\]"),
    (lambda x: nn.LSTM(3, 4)(x, paddle.zeros([1, 2, 4])), r"a pair \(h, c\)"),
    (lambda x: nn.GRU(3, 4)(x, paddle.zeros([1, 3, 4])), r"must have the shape \[1, 2, 4\], but got \[1, 3, 4\]"),
    (lambda x: nn.GRU(3, 4)(x, sequence_length=paddle.to_tensor([1, 2, 3])), "sequence_length must be integers"),
    (lambda x: nn.LSTMCell(3, 4)(x[:, 0], (paddle.zeros([2, 4]),)), r"must be a pair \(h, c\)"),
    (lambda x: nn.BiRNN(nn.GRUCell(3, 4), nn.GRUCell(2, 4)), "inputs of one size"),
    (lambda x: nn.RNN(nn.RNNCellBase())(x), None)])
def test_wrong_input_is_answered_in_the_users_terms(wrong, message):
    kinds = (ValueError, TypeError) if message else NotImplementedError
    with pytest.raises(kinds, match=message or "state_shape"):
        wrong(paddle.to_tensor(X))
