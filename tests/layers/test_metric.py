"""Metrics against NumPy; the interface is Paddle's."""
import numpy as np
import pytest

import kayax as paddle
from kayax import metric


def batches(count=3):
    random = np.random.RandomState(0)
    return [(random.rand(6, 7).astype("float32"), random.randint(0, 7, (6, 1))) for _ in range(count)]


@pytest.mark.parametrize("layout", ["column", "flat", "one-hot"])
def test_accuracy_of_the_k_highest_scores(layout):
    m = metric.Accuracy((1, 3))
    assert m.name() == ["acc_top1", "acc_top3"] and metric.Accuracy().name() == ["acc"]
    hits = []
    for pred, label in batches():
        given = {"column": label, "flat": label[:, 0], "one-hot": np.eye(7)[label[:, 0]]}[layout]
        correct = m.compute(paddle.to_tensor(pred), paddle.to_tensor(given))
        assert correct.shape == [6, 3]
        order = np.argsort(-pred, axis=1)
        batch = [[label[i, 0] in order[i, :k] for i in range(6)] for k in (1, 3)]
        np.testing.assert_allclose(m.update(correct), np.mean(batch, axis=1))
        hits.append(batch)
    np.testing.assert_allclose(m.accumulate(), np.mean(hits, axis=(0, 2)))
    m.reset()
    assert m.accumulate() == [0.0, 0.0]


def test_precision_and_recall():
    random = np.random.RandomState(1)
    precision, recall = metric.Precision(), metric.Recall()
    preds, labels = random.rand(3, 10).astype("float32"), random.randint(0, 2, (3, 10))
    for p, y in zip(preds, labels, strict=True):
        precision.update(paddle.to_tensor(p), paddle.to_tensor(y))
        recall.update(p[:, None], y[:, None])
    predicted = preds >= 0.5
    right = np.sum(predicted & (labels == 1))
    assert precision.accumulate() == right / predicted.sum()
    assert recall.accumulate() == right / labels.sum()
    precision.reset()
    assert precision.accumulate() == 0.0


def test_area_under_the_curve():
    random = np.random.RandomState(2)
    m, scores, labels = metric.Auc(num_thresholds=10 ** 6), random.rand(40), random.randint(0, 2, 40)
    for part in (slice(0, 15), slice(15, 40)):
        m.update(np.stack([1 - scores[part], scores[part]], 1), labels[part, None])
    pairs = [(p > n) for p in scores[labels == 1] for n in scores[labels == 0]]
    np.testing.assert_allclose(m.accumulate(), np.mean(pairs))


def test_accuracy_as_a_function():
    pred, label = batches(1)[0]
    expected = np.mean([label[i, 0] in np.argsort(-pred[i])[:2] for i in range(6)])
    assert float(metric.accuracy(paddle.to_tensor(pred), paddle.to_tensor(label), k=2)) == pytest.approx(expected)


@pytest.mark.parametrize(("wrong", "message"), [
    (lambda: metric.Precision().update([0.5], [1]), "preds of Precision.update must be a Tensor or a NumPy array"),
    (lambda: metric.Recall().update(np.ones(3), np.ones(2)), "must have one length"),
    (lambda: metric.Auc().update(np.ones(3), np.ones(3)), r"must be \[N, 2\]"),
    (lambda: metric.Auc("PR"), "curve must be 'ROC'"),
    (lambda: metric.Accuracy((9,)).compute(paddle.ones([2, 3]), paddle.zeros([2])), "needs at least 9 classes"),
    (lambda: metric.accuracy(paddle.ones([2, 3]), paddle.zeros([2])), r"label \[N, 1\]")])
def test_wrong_input(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong()


def test_a_metric_must_define_its_methods():
    with pytest.raises(TypeError, match="abstract"):
        metric.Metric()
