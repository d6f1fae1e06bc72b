"""Models whose code is control flow: each trained a few steps converted and eager, with equal losses."""
import numpy as np
import pytest
from language import converted

import kayax as paddle
from kayax import nn
from kayax.jit import check
from kayax.nn import functional as F


def data(*shape, seed=0):
    return paddle.to_tensor(np.random.default_rng(seed).normal(size=shape).astype("float32"))


def losses(make, batches, convert):
    """What `make()`, a step function, gives for each batch: from the same seed each time."""
    paddle.seed(7)
    step = make()
    if convert:
        step = converted(step, True)
    return [step(*batch).item() for batch in batches]


def trains_alike(make, batches, rtol=1e-4):
    eager, static = (losses(make, batches, convert) for convert in (False, True))
    np.testing.assert_allclose(static, eager, rtol=rtol)
    assert len(set(eager)) > 1, "nothing was learned"


def step_of(net, loss_of, rate=0.05):
    optimizer = paddle.optimizer.Adam(rate, parameters=net.parameters())

    def step(*batch):
        loss = loss_of(*batch)
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()
        return loss

    return step


# ---- an RNN as a Python loop -------------------------------------------------------------------------------------


class LoopRNN(nn.Layer):
    """A recurrent cell in a `for`, over as many steps as the sequence has, that skips padding."""

    def __init__(self, size=4):
        super().__init__()
        self.size = size
        self.inside, self.across, self.out = nn.Linear(3, size), nn.Linear(size, size), nn.Linear(size, 1)

    def forward(self, x, length):
        state = paddle.zeros([self.size])
        outputs = []
        for i, v in enumerate(x):
            if i < length:
                state = paddle.tanh(self.inside(v) + self.across(state))
            outputs.append(state)
        return self.out(paddle.stack(outputs)).mean()


def test_rnn_as_a_loop():
    def make():
        net = LoopRNN()
        return step_of(net, lambda x, n: (net(x, n) - 1.0).square())

    trains_alike(make, [(data(4, 3, seed=i), paddle.to_tensor(n)) for i, n in enumerate((4, 2, 3, 1))])


# ---- an adaptive-depth network -----------------------------------------------------------------------------------


class AdaptiveDepth(nn.Layer):
    """Runs one layer again and again until it says that it is done (Graves, 2016)."""

    def __init__(self):
        super().__init__()
        self.body, self.halt = nn.Linear(3, 3), nn.Linear(3, 1)

    def forward(self, x):
        done = paddle.zeros([])
        total = paddle.zeros_like(x)
        steps = 0
        while done < 0.9 and steps < 6:
            x = paddle.tanh(self.body(x))
            p = F.sigmoid(self.halt(x)).sum() * 0.7
            total = total + p * x
            done = done + p
            steps += 1
        return total.sum(), steps


@pytest.mark.slow
def test_adaptive_depth():
    def make():
        net = AdaptiveDepth()
        return step_of(net, lambda x: (net(x)[0] - 1.0).square())

    trains_alike(make, [(data(3, seed=i),) for i in range(4)])


# ---- greedy decoding with an early stop --------------------------------------------------------------------------


class Decoder(nn.Layer):
    def __init__(self, words=6, size=4):
        super().__init__()
        self.embedding, self.cell, self.out = nn.Embedding(words, size), nn.Linear(size, size), nn.Linear(size, words)

    def step(self, word, state):
        state = paddle.tanh(self.cell(state) + self.embedding(word))
        return self.out(state), state

    def forward(self, state, end, most):
        """The likeliest words, one after another, until the word `end` or `most` words; -1 after the end."""
        words = paddle.full([most], -1, dtype="int64")
        word = paddle.zeros([], dtype="int64")
        n = 0
        while n < most:
            logits, state = self.step(word, state)
            word = logits.argmax()
            words[n] = word
            n += 1
            if word == end:
                break
        return words, n


def test_greedy_decoding():
    lengths = set()
    net = converted(Decoder(), True)
    for i in range(3):
        for end in (3, 0):
            report = check(net, data(4, seed=i), paddle.to_tensor(end), 5, calls=1, grad=False)
            assert not report.fell_back
            lengths.add(int(report.result[1]))
    assert len(lengths) > 1, "it always stopped at the same word"


# ---- a sequence to sequence model with scheduled sampling --------------------------------------------------------


class Seq2Seq(nn.Layer):
    """Reads a sequence, writes another; in training it is fed the right word or its own, as chance decides."""

    def __init__(self, words=5, size=4):
        super().__init__()
        self.embedding, self.encoder = nn.Embedding(words, size), nn.GRUCell(size, size)
        self.decoder, self.out = nn.GRUCell(size, size), nn.Linear(size, words)

    def forward(self, source, target, share):
        state = paddle.zeros([1, 4])
        for word in source:
            _, state = self.encoder(self.embedding(word.reshape([1])), state)
        word, loss = paddle.zeros([1], dtype="int64"), 0.0
        for right in target:
            _, state = self.decoder(self.embedding(word), state)
            logits = self.out(state)
            loss = loss + F.cross_entropy(logits, right.reshape([1]))
            if paddle.rand([]) < share:
                word = right.reshape([1])
            else:
                word = logits.argmax(axis=-1)
        return loss / len(target)


@pytest.mark.slow
def test_scheduled_sampling():
    def make():
        net = Seq2Seq()
        return step_of(net, net)

    rng = np.random.default_rng(0)
    words = [paddle.to_tensor(rng.integers(0, 5, n)) for n in (3, 2) * 4]
    batches = [(*words[2 * i:2 * i + 2], paddle.to_tensor(share)) for i, share in enumerate((1.0, 0.5, 0.5, 0.0))]
    trains_alike(make, batches)


# ---- a network over trees ----------------------------------------------------------------------------------------


class TreeNet(nn.Layer):
    """Composes the leaves of a nested list, recursively; a gate that depends on values decides how."""

    def __init__(self):
        super().__init__()
        self.compose, self.gate, self.out = nn.Linear(6, 3), nn.Linear(3, 1), nn.Linear(3, 1)

    def encode(self, tree):
        if not isinstance(tree, (list, tuple)):
            return tree
        left, right = self.encode(tree[0]), self.encode(tree[1])
        both = paddle.tanh(self.compose(paddle.concat([left, right])))
        if self.gate(both).sum() > 0:
            return both
        return both + (left + right) / 2

    def forward(self, tree):
        return self.out(self.encode(tree)).sum()


def test_tree():
    def make():
        net = TreeNet()
        return step_of(net, lambda tree: (net(tree) - 1.0).square())

    a, b, c = (data(3, seed=i) for i in range(3))
    trains_alike(make, [([a, [b, c]],), ([[a, b], c],), ([a, [b, c]],), ([b, c],)])


# ---- detection: as many boxes as there are -----------------------------------------------------------------------


def boxes_above(scores, boxes, threshold, overlap):
    """The boxes with a score above the threshold that no better box covers: how many depends on the values."""
    keep = scores > threshold
    scores, boxes = scores[keep], boxes[keep]
    chosen = []
    order = paddle.argsort(scores, descending=True)
    while len(order) > 0 and len(chosen) < 3:
        best = boxes[order[0]]
        chosen.append(best)
        rest = boxes[order[1:]]
        if len(rest) == 0:
            break
        low, high = paddle.maximum(best[:2], rest[:, :2]), paddle.minimum(best[2:], rest[:, 2:])
        shared = F.relu(high - low).prod(axis=1)
        order = order[1:][shared < overlap]
    return paddle.stack(chosen) if chosen else paddle.zeros([0, 4])


def test_boxes_fall_back():
    corner = np.abs(np.random.default_rng(0).normal(size=(6, 2))).astype("float32")
    boxes = paddle.to_tensor(np.concatenate([corner, corner + 1], axis=1))
    function = converted(boxes_above, False)
    for threshold in (0.2, 0.6, 2.0):
        scores = paddle.to_tensor(np.linspace(0, 1, 6, dtype="float32"))
        assert check(function, scores, boxes, threshold, 0.5, calls=1).fell_back


def test_step_around_boxes_falls_back_and_trains():
    """The network in front is trained through what cannot be converted."""
    def make(convert):
        net = nn.Linear(2, 5)

        def loss_of(x):
            out = net(x)
            found = boxes_above(F.sigmoid(out[:, 0]), out[:, 1:], 0.3, 0.5)
            return found.square().sum()

        return converted(step_of(net, loss_of), False) if convert else step_of(net, loss_of)

    found = []
    for convert in (False, True):
        paddle.seed(7)
        step = make(convert)
        with pytest.warns() if convert else np.errstate():
            found.append([step(data(4, 2, seed=i)).item() for i in range(3)])
    np.testing.assert_allclose(found[1], found[0], rtol=1e-5)
