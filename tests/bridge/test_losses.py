"""Losses: labels out of range, margins, transducers; against NumPy in float64 and finite differences."""
from __future__ import annotations

import numpy as np
import pytest

import kayax as paddle

F = paddle.nn.functional
LOGITS = np.random.RandomState(0).uniform(-0.9, 0.9, (4, 5))
LOSSES = {
    "cross_entropy": (IndexError, lambda x, y: F.cross_entropy(x, y)),
    "softmax_with_cross_entropy": (IndexError, lambda x, y: F.softmax_with_cross_entropy(x, y.unsqueeze(1))),
    "smoothed": (ValueError, lambda x, y: F.cross_entropy(x, y, label_smoothing=0.1)),
    "nll_loss": (ValueError, lambda x, y: F.nll_loss(x, y)),
    "multi_margin_loss": (ValueError, lambda x, y: F.multi_margin_loss(x, y)),
    "dice_loss": (ValueError, lambda x, y: F.dice_loss(F.softmax(x), y.unsqueeze(1))),
    "margin_cross_entropy": (IndexError, lambda x, y: F.margin_cross_entropy(x, y)),
}


@pytest.mark.parametrize("bad", [-1, 5, 255])
@pytest.mark.parametrize("name", LOSSES)
def test_label_that_is_no_class(name: str, bad: int) -> None:
    error, loss = LOSSES[name]
    with pytest.raises(error, match=str(bad)):
        loss(paddle.to_tensor(LOGITS), paddle.to_tensor([0, bad, 1, 2]))


def test_label_that_is_no_class_in_a_converted_function() -> None:
    loss = paddle.jit.to_static(lambda x, y: F.cross_entropy(x, y))
    assert np.isnan(float(loss(paddle.to_tensor(LOGITS), paddle.to_tensor([0, 5, 1, 2]))))


def test_ignored_label_may_be_anything() -> None:
    x, y = paddle.to_tensor(LOGITS), paddle.to_tensor([0, 255, 1, 2])
    losses = F.cross_entropy(x, y, ignore_index=255, reduction="none").numpy()
    assert losses[1] == 0
    np.testing.assert_allclose(float(F.cross_entropy(x, y, ignore_index=255)), losses.sum() / 3)


def test_index_outside_of_the_embedding() -> None:
    with pytest.raises(ValueError, match="4"):
        F.embedding(paddle.to_tensor([0, 4]), paddle.to_tensor(LOGITS))


def test_negative_variance() -> None:
    x = paddle.to_tensor(LOGITS)
    with pytest.raises(ValueError, match="negative"):
        F.gaussian_nll_loss(x, x, x)


def margin_reference(x, label, m1, m2, m3, scale):
    rows = np.arange(len(x))
    x = x.copy()
    x[rows, label] = np.cos(m1 * np.arccos(x[rows, label]) + m2) - m3
    e = np.exp(scale * x)
    softmax = e / e.sum(1, keepdims=True)
    return -np.log(softmax[rows, label])[:, None], softmax


@pytest.mark.parametrize("margins", [(1.0, 0.5, 0.0), (1.35, 0.0, 0.0), (1.0, 0.0, 0.35)])
def test_margin_cross_entropy(margins: tuple) -> None:
    label = np.array([0, 3, 1, 4])
    want, want_softmax = margin_reference(LOGITS, label, *margins, 8.0)
    x = paddle.to_tensor(LOGITS, stop_gradient=False)
    loss, softmax = F.margin_cross_entropy(x, paddle.to_tensor(label), *margins, scale=8.0, return_softmax=True,
                                           reduction=None)
    np.testing.assert_allclose(loss.numpy(), want)
    np.testing.assert_allclose(softmax.numpy(), want_softmax)
    loss.sum().backward()
    for i in np.ndindex(*LOGITS.shape):
        step = np.zeros_like(LOGITS)
        step[i] = 1e-6
        sides = [margin_reference(LOGITS + s, label, *margins, 8.0)[0].sum() for s in (step, -step)]
        np.testing.assert_allclose(x.grad.numpy()[i], (sides[0] - sides[1]) / 2e-6, rtol=1e-5, atol=1e-8)


def transducer_reference(x, label, steps, blank):
    """The recurrence of Graves 2012 over one lattice."""
    n = len(label)
    at = np.full((steps, n + 1), -np.inf)
    for t in range(steps):
        for u in range(n + 1):
            ways = [0.0] if t == u == 0 else []
            ways += [at[t - 1, u] + x[t - 1, u, blank]] if t else []
            ways += [at[t, u - 1] + x[t, u - 1, label[u - 1]]] if u else []
            at[t, u] = np.logaddexp.reduce(ways)
    return -(at[-1, -1] + x[steps - 1, n, blank])


@pytest.mark.parametrize("blank", [0, 4])
def test_rnnt_loss(blank: int) -> None:
    x = np.random.RandomState(1).standard_normal((2, 4, 3, 5))
    labels, steps, lengths = np.array([[1, 2], [3, -1]], "int32"), [4, 3], [2, 1]
    given = paddle.to_tensor(x, stop_gradient=False)
    rest = [paddle.to_tensor(np.array(a, "int32")) for a in (labels, steps, lengths)]
    want = [transducer_reference(x[i], labels[i, :lengths[i]], steps[i], blank) for i in range(2)]
    loss = F.rnnt_loss(given, *rest, blank=blank, fastemit_lambda=0.0, reduction="none")
    np.testing.assert_allclose(loss.numpy(), want)
    np.testing.assert_allclose(float(F.rnnt_loss(given, *rest, blank=blank)), np.mean(want))
    loss.sum().backward()
    # Every path goes through each time step's blank once, and emits each label once.
    np.testing.assert_allclose(-given.grad.numpy().sum((1, 2, 3)), np.add(steps, lengths))


def test_rnnt_loss_emits_faster() -> None:
    x = np.random.RandomState(1).standard_normal((1, 3, 2, 3))
    rest = [paddle.to_tensor(np.array(a, "int32")) for a in ([[1]], [3], [1])]
    grads = []
    for share in (0.0, 0.5):
        given = paddle.to_tensor(x, stop_gradient=False)
        F.rnnt_loss(given, *rest, fastemit_lambda=share).backward()
        grads.append(given.grad.numpy())
    np.testing.assert_allclose(grads[1][..., 1], 1.5 * grads[0][..., 1])
    np.testing.assert_allclose(grads[1][..., 0], grads[0][..., 0])


def test_hsigmoid_loss() -> None:
    """Four classes: a tree in which every way to the root is as long, so that the classes' probabilities sum to 1."""
    random = np.random.RandomState(2)
    x, weight, bias = random.standard_normal((1, 3)), random.standard_normal((3, 3)), random.standard_normal(3)
    given = [paddle.to_tensor(a) for a in (x, weight, bias)]
    losses = [float(F.hsigmoid_loss(given[0], paddle.to_tensor([c]), 4, *given[1:])) for c in range(4)]
    up = 1 / (1 + np.exp(-(weight @ x[0] + bias)))           # the probability of branch 1 at each node
    chances = [(1 - up[0]) * (1 - up[1]), (1 - up[0]) * up[1], up[0] * (1 - up[2]), up[0] * up[2]]
    np.testing.assert_allclose(losses, -np.log(chances))
    table, code = paddle.to_tensor([[1, 0]]), paddle.to_tensor([[1, 0]])
    custom = F.hsigmoid_loss(given[0], paddle.to_tensor([0]), 4, *given[1:], table, code)
    np.testing.assert_allclose(float(custom), -np.log(chances[1]))
    with pytest.raises(ValueError, match="4"):
        F.hsigmoid_loss(given[0], paddle.to_tensor([4]), 4, *given[1:])
