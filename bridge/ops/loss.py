"""Cross entropy and its relatives."""
from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kayax.bridge.errors import ArgumentError
from kayax.bridge.ops.bounds import need_range
from kayax.bridge.registry import op

_NAME = "nn.functional."


def check_reduction(reduction: str) -> None:
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"reduction must be 'mean', 'sum' or 'none', but got {reduction!r}.")


def reduced(loss: Any, reduction: str) -> Any:
    """The mean, the sum, or the losses themselves."""
    check_reduction(reduction)
    return jnp.mean(loss) if reduction == "mean" else jnp.sum(loss) if reduction == "sum" else loss


def class_axis(x: Any, axis: int) -> int:
    if not x.ndim or not -x.ndim <= axis < x.ndim:
        raise ValueError(f"axis must be in [-{x.ndim}, {x.ndim}) for an input of shape {list(x.shape)}, not {axis}.")
    return axis % x.ndim


def hard_labels(x: Any, label: Any, axis: int) -> Any:
    """Class labels without the class axis: Paddle takes them with a 1 there, or without."""
    if label.dtype.kind not in "iub":
        raise ArgumentError(f"label must hold integer classes (or use soft_label=True), but is {label.dtype.name}.")
    expected = (*x.shape[:axis], *x.shape[axis + 1:])
    if label.ndim == x.ndim and label.shape[axis] == 1:
        label = jnp.squeeze(label, axis)
    if tuple(label.shape) != expected:
        raise ValueError(f"label must have the shape {list(expected)}, or with 1 at axis {axis}, to go with an input "
                         f"of shape {list(x.shape)}, but its shape is {list(label.shape)}.")
    return label


def _whole(label: Any) -> Any:
    """Classes that are given as floats, as integers."""
    return label.astype(jnp.int64) if label.dtype.kind == "f" else label


def _wide(x: Any) -> Any:
    return x.astype(jnp.float32) if x.dtype.itemsize < 4 else x


def pick(x: Any, label: Any, axis: int) -> Any:
    """``x`` at the label along `axis`, as a masked sum: its gradient fuses, where a gather's is a scatter."""
    classes = jax.lax.broadcasted_iota(label.dtype, x.shape, axis)
    return jnp.sum(jnp.where(classes == jnp.expand_dims(label, axis), x, jnp.zeros((), x.dtype)), axis)


def _hard(x: Any, label: Any, axis: int, use_softmax: bool) -> Any:
    """The loss of every label; nan for a label that is no class, since a program cannot raise."""
    if use_softmax:
        loss = jax.nn.logsumexp(x, axis) - pick(x, label, axis)
    else:
        loss = -jnp.log(pick(x, label, axis))
    return jnp.where((label >= 0) & (label < x.shape[axis]), loss, jnp.asarray(np.nan, loss.dtype))


def _log(x: Any, axis: int, use_softmax: bool) -> Any:
    return jax.nn.log_softmax(x, axis) if use_softmax else jnp.log(x)


def _soft(x: Any, label: Any, axis: int, use_softmax: bool) -> Any:
    if tuple(label.shape) != tuple(x.shape):
        raise ValueError(f"Soft labels must have the shape of the input, {list(x.shape)}, but got {list(label.shape)}.")
    return -jnp.sum(jax.lax.stop_gradient(label) * _log(x, axis, use_softmax), axis)


def _classes(x: Any, axis: int) -> Any:
    """How many classes there are; no limit where the axis is wrong: the operation says that better."""
    return x.shape[axis] if -len(x.shape) <= axis < len(x.shape) else np.inf


def _check_classes(input, label, weight=None, ignore_index=-100, reduction="mean", soft_label=False, axis=-1,
                   use_softmax=True, label_smoothing=0.0, name=None):
    if not soft_label:
        ignore = None if label_smoothing else ignore_index
        need_range(label, _classes(input, axis), "label", ignore)


def _check_logits(logits, label, soft_label=False, ignore_index=-100, numeric_stable_mode=True, return_softmax=False,
                  axis=-1):
    if not soft_label:
        need_range(label, _classes(logits, axis), "label", ignore_index)


def _check_nll(input, label, weight=None, ignore_index=-100, reduction="mean", name=None):
    need_range(label, _classes(input, 1), "label", ignore_index)


@op(name=_NAME + "cross_entropy", amp="cross_entropy", check=_check_classes)
def cross_entropy(input, label, weight=None, ignore_index=-100, reduction="mean", soft_label=False, axis=-1,
                  use_softmax=True, label_smoothing=0.0, name=None):
    """The cross entropy of classes, from logits (or from probabilities with ``use_softmax=False``).

    input: [..., C, ...] with the classes along `axis`. label: integer classes without that axis or with 1 there, or
        with `soft_label` probabilities of the input's shape. weight: [C], a factor per class.
    ignore_index: labels of this value do not count in the sum; in the mean's divisor they do only if ignore_index is
        negative and there is no weight, as in Paddle.
    reduction: "mean" (by the sum of the weights, if given), "sum" or "none" (label's shape).
    label_smoothing: in [0, 1], the share of a uniform distribution that is mixed into the labels.
        Unlike Paddle, which then divides the mean by C as well if ignore_index is not negative.
    A label outside of [0, C) is an IndexError (with label_smoothing a ValueError, for ignored labels as well, as in
    Paddle); inside of a converted function, or on a GPU or TPU, the loss is nan.
    """
    check_reduction(reduction)
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"label_smoothing must be in [0, 1], but got {label_smoothing}.")
    if soft_label and ignore_index >= 0:
        raise ValueError(f"With soft_label=True there is no ignore_index, but it is {ignore_index}.")
    axis = class_axis(input, axis)
    classes = input.shape[axis]
    if weight is not None and weight.size != classes:
        raise ValueError(f"weight must have {classes} elements, one per class, but its shape is {list(weight.shape)}.")
    x = _wide(input)
    keep = label.ndim == input.ndim or label_smoothing > 0
    if soft_label or label_smoothing > 0:
        loss, factor = _soft_case(x, label, weight, axis, use_softmax, label_smoothing, soft_label)
    else:
        loss, factor = _hard_case(x, hard_labels(x, _whole(label), axis), weight, ignore_index, axis, use_softmax)
    if reduction == "none":
        loss = jnp.expand_dims(loss, axis) if keep else loss
    elif reduction == "sum":
        loss = jnp.sum(loss)
    elif factor is None:
        loss = jnp.mean(loss)
    else:
        total = jnp.sum(factor)
        loss = jnp.sum(loss) / jnp.where(total == 0, 1, total)
    return loss.astype(input.dtype)


def _hard_case(x: Any, label: Any, weight: Any, ignore_index: int, axis: int, use_softmax: bool) -> tuple[Any, Any]:
    counts = label != ignore_index
    label = jnp.where(counts, label, 0)
    loss = jnp.where(counts, _hard(x, label, axis, use_softmax), 0)
    if weight is None:
        return loss, counts.astype(x.dtype) if ignore_index >= 0 else None
    factor = counts.astype(x.dtype) * weight.reshape(-1)[label].astype(x.dtype)
    return loss * factor, factor


def _soft_case(x: Any, label: Any, weight: Any, axis: int, use_softmax: bool, smoothing: float,
               soft: bool) -> tuple[Any, Any]:
    classes = x.shape[axis]
    if not (soft or tuple(label.shape) == tuple(x.shape)):
        label = jax.nn.one_hot(hard_labels(x, _whole(label), axis), classes, dtype=x.dtype, axis=axis)
    label = label.astype(x.dtype)
    if smoothing > 0:
        label = (1 - smoothing) * label + smoothing / classes
    loss = _soft(x, label, axis, use_softmax)
    if weight is None:
        return loss, None
    factor = jnp.tensordot(jnp.moveaxis(label, axis, -1), weight.reshape(-1).astype(x.dtype), 1)
    return loss * factor, factor


@op(name=_NAME + "softmax_with_cross_entropy", amp="softmax_with_cross_entropy", check=_check_logits)
def softmax_with_cross_entropy(logits, label, soft_label=False, ignore_index=-100, numeric_stable_mode=True,
                               return_softmax=False, axis=-1):
    """The cross entropy of every label, with 1 along `axis`; and the softmax with `return_softmax`.

    `numeric_stable_mode` is accepted: the computation is always the stable one.
    """
    axis = class_axis(logits, axis)
    x = _wide(logits)
    if soft_label:
        loss = _soft(x, label.astype(x.dtype), axis, True)
    else:
        loss, _ = _hard_case(x, hard_labels(x, _whole(label), axis), None, ignore_index, axis, True)
    loss = jnp.expand_dims(loss, axis).astype(logits.dtype)
    return (loss, jax.nn.softmax(logits, axis)) if return_softmax else loss


@op(name=_NAME + "nll_loss", amp="nll_loss", check=_check_nll)
def nll_loss(input, label, weight=None, ignore_index=-100, reduction="mean", name=None):
    """The negative log likelihood: ``-input`` at the label; input holds log-probabilities, [N, C] or [N, C, d1, ...].

    weight: [C], a factor per class; the mean is by its sum. Labels equal to `ignore_index` do not count.
    """
    check_reduction(reduction)
    if input.ndim < 2:
        raise ValueError(f"input must have at least 2 dimensions [N, C, ...], but its shape is {list(input.shape)}.")
    label = hard_labels(input, label, 1)
    counts = label != ignore_index
    label = jnp.where(counts, label, 0)
    factor = counts.astype(input.dtype)
    if weight is not None:
        factor = factor * jax.lax.stop_gradient(weight).reshape(-1)[label]
    known = (label >= 0) & (label < input.shape[1])
    loss = -jnp.where(known, pick(input, label, 1), jnp.asarray(np.nan, input.dtype)) * factor
    if reduction == "mean":
        total = jnp.sum(factor)
        return jnp.sum(loss) / jnp.where(total == 0, 1, total)
    return reduced(loss, reduction)


@jax.custom_jvp
def _bce(x: Any, label: Any) -> Any:
    """The binary cross entropy of probabilities; logarithms stop at -100, so that 0 and 1 do not give infinity."""
    return -(label * jnp.maximum(jnp.log(x), -100) + (1 - label) * jnp.maximum(jnp.log(1 - x), -100))


@_bce.defjvp
def _bce_jvp(primals: Any, tangents: Any) -> Any:
    (x, label), (dx, _) = primals, tangents
    return _bce(x, label), (x - label) / jnp.maximum((1 - x) * x, 1e-12) * dx


def same_shape(input: Any, label: Any, names: str = "input and label") -> None:
    if tuple(input.shape) != tuple(label.shape):
        raise ValueError(f"{names} must have one shape, but got {list(input.shape)} and {list(label.shape)}.")


@op(name=_NAME + "binary_cross_entropy", amp="bce_loss")
def binary_cross_entropy(input, label, weight=None, reduction="mean", name=None):
    """``-(label * log(input) + (1 - label) * log(1 - input))`` of probabilities, times `weight`; log stops at -100.

    As in Paddle, no gradient goes to label and weight. (This holds for the other losses of this module as well.)
    """
    check_reduction(reduction)
    same_shape(input, label)
    loss = _bce(input, label.astype(input.dtype))
    return reduced(loss if weight is None else loss * jax.lax.stop_gradient(weight), reduction)


@op(name=_NAME + "binary_cross_entropy_with_logits", amp="sigmoid_cross_entropy_with_logits")
def binary_cross_entropy_with_logits(logit, label, weight=None, reduction="mean", pos_weight=None, name=None):
    """The binary cross entropy of ``sigmoid(logit)``, without overflow, times `weight`.

    pos_weight: a factor for the term of positive labels, broadcast over the last axis.
    """
    check_reduction(reduction)
    same_shape(logit, label, "logit and label")
    label, weight, pos_weight = jax.lax.stop_gradient((label.astype(logit.dtype), weight, pos_weight))
    if pos_weight is None:
        loss = jax.nn.softplus(logit) - logit * label
    else:
        loss = (1 - label) * logit + (1 + (pos_weight - 1) * label) * jax.nn.softplus(-logit)
    return reduced(loss if weight is None else loss * weight, reduction)


__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "nll_loss",
    "softmax_with_cross_entropy",
]
