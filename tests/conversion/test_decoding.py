"""Models that write sequences: lists of words that grow until the end, greedily and by beams, eager and converted."""
import numpy as np
import pytest
from language import converted

import kayax as paddle
from kayax import nn
from kayax.jit import check
from kayax.nn import functional as F


class Writer(nn.Layer):
    """Writes words one after another, each from the one before and a state."""

    def __init__(self, words=5, size=3):
        super().__init__()
        self.embedding, self.cell, self.out = nn.Embedding(words, size), nn.Linear(size, size), nn.Linear(size, words)

    def step(self, word, state):
        state = paddle.tanh(self.cell(state) + self.embedding(word))
        return F.log_softmax(self.out(state) * 3.0), state


class Greedy(Writer):
    def forward(self, state, end, most):
        """The likeliest words until `end`, or `most` of them, and their mean score."""
        words, scores = [paddle.zeros([], dtype="int64")], []
        with paddle.jit.loop_bound(most):
            while len(scores) < most:
                found, state = self.step(words[-1], state)
                words.append(found.argmax())
                scores.append(found.max())
                if words[-1] == end:
                    break
        return paddle.stack(words), sum(scores) / len(scores), paddle.stack(scores).min()


class Beams(Writer):
    def forward(self, state, end, most, width=2):
        """The `width` best sequences of at most `most` words, each with its score; one that has ended stays."""
        beams = [([paddle.zeros([], dtype="int64")], paddle.zeros([]), state)]
        for _ in range(most):
            found = []
            for words, score, state in beams:
                if words[-1] == end:
                    found.append((words, score, state))
                else:
                    scores, after = self.step(words[-1], state)
                    values, likeliest = scores.topk(width)
                    for value, word in zip(values, likeliest):
                        found.append((words + [word], score + value, after))
            beams = []
            while len(beams) < width:
                best = paddle.stack([score for _, score, _ in found]).argmax()
                beams.append(found[best])
                found = [beam for i, beam in enumerate(found) if i != best]
            if all(words[-1] == end for words, _, _ in beams):
                break
        return [(words, score) for words, score, _ in beams]


def states(n):
    return [paddle.to_tensor(np.random.default_rng(i).normal(size=3).astype("float32")) for i in range(n)]


def test_greedy_decoding_of_a_growing_list():
    paddle.seed(4)
    net = converted(Greedy(), True)
    lengths = set()
    for end in range(5):
        report = check(net, states(1)[0], paddle.to_tensor(end), 5, calls=1, grad=False)
        assert not report.fell_back
        lengths.add(len(report.result[0]))
    assert len(lengths) > 1, "it always stopped after the same number of words"


@pytest.mark.slow
def test_beam_search():
    paddle.seed(4)
    net = converted(Beams(), True)
    lengths = set()
    for end in range(1, 5):
        report = check(net, states(1)[0], paddle.to_tensor(end), 3, calls=1, grad=False)
        assert not report.fell_back
        lengths |= {len(words) for words, _ in report.result}
    assert len(lengths) > 1, "all sequences had the same number of words"


@pytest.mark.slow
def test_scores_of_a_growing_list_are_trained():
    """Teacher forcing until the end: the loss is the mean over as many words as there are."""
    class Reader(Writer):
        def forward(self, state, words, end):
            losses = []
            for i in range(len(words) - 1):
                found, state = self.step(words[i], state)
                losses.append(-found[words[i + 1]])
                if words[i + 1] == end:
                    break
            return paddle.stack(losses).mean() + 0.1 * max(losses)

    def losses(convert):
        paddle.seed(4)
        net = Reader()
        optimizer = paddle.optimizer.Adam(0.05, parameters=net.parameters())

        def step(state, words, end):
            loss = net(state, words, end)
            loss.backward()
            optimizer.step()
            optimizer.clear_grad()
            return loss

        step = converted(step, True) if convert else step
        rng = np.random.default_rng(0)
        words = [paddle.to_tensor(rng.integers(0, 5, 5)) for _ in range(4)]
        return [step(state, w, paddle.to_tensor(3)).item() for state, w in zip(states(4), words, strict=True)]

    np.testing.assert_allclose(losses(True), losses(False), rtol=1e-4)
