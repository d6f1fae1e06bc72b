"""``paddle.metric``: measures of a model over many batches, kept on the host."""
from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kayax.bridge.registry import op
from kayax.bridge.tensor import Tensor


def _numpy(value: Any, name: str, metric: str) -> np.ndarray:
    if isinstance(value, Tensor):
        return value.numpy()
    if isinstance(value, np.ndarray):
        return value
    raise ValueError(f"{name} of {metric}.update must be a Tensor or a NumPy array, but got {type(value).__name__}.")


class Metric(metaclass=abc.ABCMeta):
    """The base of metrics.

    A subclass defines `reset`, `update` (one batch), `accumulate` (the value so far) and `name`. It may define
    `compute`, which gets the model's outputs and the labels as Tensors and gives what `update` gets, as NumPy arrays.
    """

    @abc.abstractmethod
    def reset(self) -> None:
        """Forget all batches."""

    @abc.abstractmethod
    def update(self, *args: Any) -> Any:
        """Take in one batch."""

    @abc.abstractmethod
    def accumulate(self) -> Any:
        """The value over all batches since `reset`."""

    @abc.abstractmethod
    def name(self) -> Any:
        """The name to show, or a list of names if there are several values."""

    def compute(self, *args: Any) -> Any:
        """What `update` gets, from the outputs and labels: these themselves unless a subclass says otherwise."""
        return args


@op(name="metric.correct", differentiable=False)
def _correct(pred, label, k):
    """For each sample, whether each of the k highest scores is that of the label: 1 or 0, [..., k]."""
    if label.ndim == pred.ndim and label.shape[-1] != 1:
        label = jnp.argmax(label, -1, keepdims=True)
    elif label.ndim == pred.ndim - 1:
        label = label[..., None]
    elif label.ndim != pred.ndim:
        raise ValueError("label must have the dimensions of pred, or one less.")
    return (jax.lax.top_k(pred, k)[1] == label.astype(jnp.int32)).astype(jnp.float32)


class Accuracy(Metric):
    """How often the label is among the k highest scores.

    topk: the k to report, one value each. update(compute(pred, label)): pred ``[..., classes]``; label ``[...]`` or
    ``[..., 1]`` of class numbers, or one-hot like pred.
    """

    def __init__(self, topk: Sequence[int] = (1,), name: str | None = None, *args: Any, **kwargs: Any):
        super().__init__()
        self.topk, self.maxk = topk, max(topk)
        shown = name or "acc"
        self._name = [f"{shown}_top{k}" for k in topk] if len(topk) > 1 else [shown]
        self.reset()

    def compute(self, pred: Tensor, label: Tensor, *args: Any) -> Tensor:
        """For each sample, which of its highest scores are right: ``[..., max(topk)]`` of 0 and 1."""
        if self.maxk > pred.shape[-1]:
            raise ValueError(f"topk={tuple(self.topk)} needs at least {self.maxk} classes, but pred has the shape "
                             f"{list(pred.shape)}.")
        return _correct(pred, label, self.maxk)

    def update(self, correct: Any, *args: Any) -> Any:
        """Take in what `compute` gave; gives the accuracy of this batch (a list for several k)."""
        right = _numpy(correct, "correct", "Accuracy")
        samples = int(np.prod(right.shape[:-1]))
        batch = []
        for i, k in enumerate(self.topk):
            hits = right[..., :k].sum()
            self.total[i] += float(hits)
            self.count[i] += samples
            batch.append(float(hits) / samples if samples else 0.0)
        return batch[0] if len(batch) == 1 else batch

    def reset(self) -> None:
        """Forget all batches."""
        self.total, self.count = [0.0] * len(self.topk), [0] * len(self.topk)

    def accumulate(self) -> Any:
        """The accuracy over all batches (a list for several k)."""
        values = [total / count if count else 0.0 for total, count in zip(self.total, self.count, strict=True)]
        return values[0] if len(values) == 1 else values

    def name(self) -> list[str]:
        """One name for each k."""
        return self._name


class _Binary(Metric):
    """Counts of a binary classifier: what is predicted (probability above one half) against what is true (1)."""

    tp: int
    fp: int
    fn: int

    def _counts(self, preds: Any, labels: Any) -> tuple[int, int, int]:
        """True positives, false positives, false negatives."""
        metric = type(self).__name__
        predicted = np.floor(_numpy(preds, "preds", metric).reshape(-1) + 0.5).astype(np.int64) == 1
        labels = _numpy(labels, "labels", metric).reshape(-1)
        if predicted.size != labels.size:
            raise ValueError(f"preds and labels of {metric} must have one length, but got {predicted.size} and "
                             f"{labels.size}.")
        true = labels == 1
        return int((predicted & true).sum()), int((predicted & ~true).sum()), int((~predicted & true).sum())


class Precision(_Binary):
    """Of what a binary classifier predicts as positive (a probability of at least one half), the part that is."""

    def __init__(self, name: str = "precision", *args: Any, **kwargs: Any):
        super().__init__()
        self._name = name
        self.reset()

    def update(self, preds: Any, labels: Any) -> None:
        """Take in probabilities and labels 0 or 1, ``[N]`` or ``[N, 1]``."""
        tp, fp, _ = self._counts(preds, labels)
        self.tp, self.fp = self.tp + tp, self.fp + fp

    def reset(self) -> None:
        """Forget all batches."""
        self.tp = self.fp = 0

    def accumulate(self) -> float:
        """The precision over all batches."""
        return self.tp / (self.tp + self.fp) if self.tp + self.fp else 0.0

    def name(self) -> str:
        """The name to show."""
        return self._name


class Recall(_Binary):
    """Of what is positive, the part that a binary classifier predicts as such (a probability of at least one half)."""

    def __init__(self, name: str = "recall", *args: Any, **kwargs: Any):
        super().__init__()
        self._name = name
        self.reset()

    def update(self, preds: Any, labels: Any) -> None:
        """Take in probabilities and labels 0 or 1, ``[N]`` or ``[N, 1]``."""
        tp, _, fn = self._counts(preds, labels)
        self.tp, self.fn = self.tp + tp, self.fn + fn

    def reset(self) -> None:
        """Forget all batches."""
        self.tp = self.fn = 0

    def accumulate(self) -> float:
        """The recall over all batches."""
        return self.tp / (self.tp + self.fn) if self.tp + self.fn else 0.0

    def name(self) -> str:
        """The name to show."""
        return self._name


class Auc(Metric):
    """The area under the ROC curve of a binary classifier, from `num_thresholds` + 1 bins of its probabilities."""

    def __init__(self, curve: str = "ROC", num_thresholds: int = 4095, name: str = "auc", *args: Any, **kwargs: Any):
        super().__init__()
        if curve != "ROC":
            raise ValueError(f"curve must be 'ROC', but got {curve!r}: no other curve is computed.")
        self._curve, self._num_thresholds, self._name = curve, num_thresholds, name
        self.reset()

    def update(self, preds: Any, labels: Any) -> None:
        """Take in the probabilities of both classes ``[N, 2]`` and labels 0 or 1, ``[N]`` or ``[N, 1]``."""
        probabilities = _numpy(preds, "preds", "Auc")
        labels = _numpy(labels, "labels", "Auc").reshape(-1)
        if probabilities.ndim != 2 or probabilities.shape[1] != 2 or len(probabilities) != len(labels):
            raise ValueError(f"preds of Auc must be [N, 2], one row for each of the {len(labels)} labels, but have the "
                             f"shape {list(probabilities.shape)}.")
        bins = (probabilities[:, 1] * self._num_thresholds).astype(np.int64)
        if bins.size and (bins.min() < 0 or bins.max() > self._num_thresholds):
            raise ValueError("preds of Auc must be probabilities, from 0 to 1.")
        positive = labels.astype(bool)
        size = self._num_thresholds + 1
        self._stat_pos += np.bincount(bins[positive], minlength=size)
        self._stat_neg += np.bincount(bins[~positive], minlength=size)

    @staticmethod
    def trapezoid_area(x1: float, x2: float, y1: float, y2: float) -> float:
        """The area under the line between two points."""
        return abs(x1 - x2) * (y1 + y2) / 2.0

    def accumulate(self) -> float:
        """The area over all batches; 0 as long as there are not labels of both kinds."""
        pos, neg = (np.concatenate([[0], np.cumsum(stat[::-1])]) for stat in (self._stat_pos, self._stat_neg))
        if not pos[-1] or not neg[-1]:
            return 0.0
        return float(np.sum(np.diff(neg) * (pos[1:] + pos[:-1]) / 2.0) / pos[-1] / neg[-1])

    def reset(self) -> None:
        """Forget all batches."""
        self._stat_pos = np.zeros(self._num_thresholds + 1)
        self._stat_neg = np.zeros(self._num_thresholds + 1)

    def name(self) -> str:
        """The name to show."""
        return self._name


def accuracy(input: Tensor, label: Tensor, k: int = 1, correct: Tensor | None = None, total: Tensor | None = None,
             name: str | None = None) -> Tensor:
    """The part of the samples whose label is among the k highest scores, as a scalar Tensor.

    input ``[N, classes]``, label ``[N, 1]``. correct, total: Tensors that get the number of right samples and of all.
    """
    if input.ndim != 2 or label.ndim != 2 or label.shape[1] != 1:
        raise ValueError(f"accuracy needs input [N, classes] and label [N, 1], but got {list(input.shape)} and "
                         f"{list(label.shape)}.")
    hits = _correct(input, label, k)
    right = hits.sum()
    for tensor, value in ((correct, right.storage.array), (total, hits.shape[0])):
        if tensor is not None:
            tensor.storage.array = jnp.asarray(value, tensor.dtype.numpy).reshape(tuple(tensor.shape))
    return right / hits.shape[0]


__all__ = ["Accuracy", "Auc", "Metric", "Precision", "Recall", "accuracy"]
