"""``paddle.static.auc`` and ``accuracy``: measures that a program computes."""
from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from kayax import metric
from kayax.bridge.checked import check_variable
from kayax.bridge.staging import staged
from kayax.bridge.tensor import Tensor, wrap
from kayax.static.extras import create_global_var


def accuracy(input: Tensor, label: Tensor, k: int = 1, correct: Any = None, total: Any = None) -> Tensor:
    """The part of the samples whose label is among the k highest scores: input ``[N, classes]``, label ``[N, 1]``."""
    check_variable(input, "input", "accuracy", "fV")
    return metric.accuracy(input, label, k, correct, total)


def auc(input: Tensor, label: Tensor, curve: str = "ROC", num_thresholds: int = 4095, topk: int = 1,
        slide_steps: int = 1, ins_tag_weight: Any = None) -> tuple[Tensor, Tensor, list[Tensor]]:
    """The area under the ROC curve over all runs of the program, and over the last `slide_steps` of them.

    input: the probabilities of both classes ``[N, 2]``. label: 0 or 1, ``[N, 1]``. slide_steps: 0 for all. Gives both
    areas, and the counts by threshold of which they are made: positive and negative of the last runs, and of all.
    """
    if curve != "ROC":
        raise ValueError(f"curve must be 'ROC', but got {curve!r}: no other curve is computed.")
    if ins_tag_weight is not None:
        raise NotImplementedError("auc has no ins_tag_weight here: choose the samples before.")
    check_variable(input, "input", "auc", "f")
    check_variable(label, "label", "auc")
    size = num_thresholds + 1
    recent = [create_global_var([max(slide_steps, 1), size], 0, "int64", True) for _ in range(2)]
    whole = [create_global_var([1, size], 0, "int64", True) for _ in range(2)]
    areas = _update(input.detach(), label, recent, whole, slide_steps)
    return areas[0], areas[1], [*recent, *whole]


@staged
def _update(scores: Tensor, label: Tensor, recent: list[Tensor], whole: list[Tensor], slide_steps: int) -> list[Tensor]:
    """Count the batch in, and give both areas."""
    size = whole[0].shape[1]
    bins = jnp.clip((scores.storage.array[:, 1] * (size - 1)).astype(jnp.int32), 0, size - 1)
    positive = label.storage.array.reshape(-1) > 0
    for i, chosen in enumerate((positive, ~positive)):
        counts = jnp.zeros(size, jnp.int64).at[bins].add(chosen.astype(jnp.int64))
        whole[i].storage.array = whole[i].storage.array + counts
        recent[i].storage.array = jnp.concatenate([recent[i].storage.array[1:], counts[None]])
    last = recent if slide_steps else whole
    return [wrap(_area(*(t.storage.array.sum(0) for t in counted))) for counted in (whole, last)]


def _area(positive: Any, negative: Any) -> Any:
    """The area under the curve of these counts by threshold; 0 as long as there are not labels of both kinds."""
    pos, neg = (jnp.concatenate([jnp.zeros(1), jnp.cumsum(c[::-1])]).astype(jnp.float64) for c in (positive, negative))
    area = (jnp.diff(neg) * (pos[1:] + pos[:-1]) / 2).sum()
    return jnp.where(pos[-1] * neg[-1] > 0, area / jnp.maximum(pos[-1] * neg[-1], 1), 0.0)


def ctr_metric_bundle(input: Tensor, label: Tensor, ins_tag_weight: Any = None) -> tuple[Tensor, ...]:
    """Sums over all runs of the program, to measure how likely clicks were predicted to be: of squared errors, absolute
    errors, `input`, its sigmoid, `label`, and the number of samples.

    input: probabilities ``[N, 1]``. label: 0 or 1, of the same shape. ins_tag_weight: its first element is a factor on
    the sigmoids and the number of samples, 0 for what is no real data.
    """
    if input.shape != label.shape:
        raise AssertionError(f"input and label must have one shape, but have {input.shape!r} and {label.shape!r}.")
    sums = [create_global_var([1], 0.0, "float32", True) for _ in range(6)]
    _add_up(input.detach(), label, ins_tag_weight, sums)
    return tuple(sums)


@staged
def _add_up(input: Tensor, label: Tensor, weight: Tensor | None, sums: list[Tensor]) -> None:
    found, true = input.storage.array, label.storage.array.astype(input.storage.array.dtype)
    factor = 1 if weight is None else weight.storage.array.reshape(-1)[0].astype(found.dtype)
    error = found - true
    more = [(error**2).sum(), jnp.abs(error).sum(), found.sum(), jax.nn.sigmoid(found).sum() * factor, true.sum(),
            found.shape[0] * factor]
    for total, part in zip(sums, more, strict=True):
        total.storage.array = total.storage.array + jnp.asarray(part, jnp.float32)
