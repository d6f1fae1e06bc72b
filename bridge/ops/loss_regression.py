"""Losses between values: distances, likelihoods, margins."""
from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp

from kayax.bridge.ops.bounds import known_values, need_range
from kayax.bridge.ops.loss import reduced, same_shape
from kayax.bridge.ops.promotion import magnitude
from kayax.bridge.registry import op

_NAME = "nn.functional."


@op(name=_NAME + "mse_loss", amp="mse_loss")
def mse_loss(input, label, reduction="mean", name=None):
    """``(input - label) ** 2``, reduced."""
    return reduced(jnp.square(input - label), reduction)


@op(name=_NAME + "square_error_cost", amp="square_error_cost")
def square_error_cost(input, label):
    """``(input - label) ** 2``, elementwise."""
    return jnp.square(input - label)


@op(name=_NAME + "l1_loss", amp="l1_loss")
def l1_loss(input, label, reduction="mean", name=None):
    """``abs(input - label)``, reduced."""
    return reduced(magnitude(input - label), reduction)


@op(name=_NAME + "smooth_l1_loss", amp="huber_loss")
def smooth_l1_loss(input, label, reduction="mean", delta=1.0, is_huber=True, name=None):
    """Half the square of the difference where it is below `delta`, and a straight line beyond (Girshick 2015).

    is_huber: the Huber loss, ``delta * (abs(d) - delta / 2)`` beyond; else everything is divided by `delta`.
    """
    distance = magnitude(input - label)
    loss = jnp.where(distance <= delta, 0.5 * jnp.square(distance), delta * (distance - 0.5 * delta))
    return reduced(loss if is_huber else loss / delta, reduction)


@op(name=_NAME + "kl_div", amp="kldiv_loss")
def kl_div(input, label, reduction="mean", log_target=False, name=None):
    """``label * (log(label) - input)`` of log-probabilities `input`; with `log_target`, label is logarithmic as well.

    reduction: "mean", "sum", "none", or "batchmean" (the sum divided by the batch).
    """
    label = jax.lax.stop_gradient(label)
    if log_target:
        loss = jnp.exp(label) * (label - input)
    else:
        positive = label > 0
        loss = jnp.where(positive, label * (jnp.log(jnp.where(positive, label, 1)) - input), jnp.zeros((), input.dtype))
    if reduction == "batchmean":
        return jnp.sum(loss) / (input.shape[0] if input.ndim else 1)
    return reduced(loss, reduction)


@op(name=_NAME + "log_loss", amp="log_loss")
def log_loss(input, label, epsilon=1e-4, name=None):
    """``-label * log(input + epsilon) - (1 - label) * log(1 - input + epsilon)``, elementwise."""
    label = jax.lax.stop_gradient(label)
    return -label * jnp.log(input + epsilon) - (1 - label) * jnp.log(1 - input + epsilon)


def _check_last(input, label, *rest):
    need_range(label, input.shape[-1] if input.shape else 0, "label")


@op(name=_NAME + "dice_loss", amp="dice_loss", check=_check_last)
def dice_loss(input, label, epsilon=1e-5, name=None):
    """1 - the Dice coefficient of class probabilities [N, ..., C] and classes [N, ..., 1], averaged over the batch."""
    if input.ndim < 2 or label.ndim != input.ndim or label.shape[-1] != 1:
        raise ValueError("input must be [N, ..., C] and label [N, ..., 1] with the same number of dimensions, but got "
                         f"{list(input.shape)} and {list(label.shape)}.")
    label = jax.nn.one_hot(label[..., 0], input.shape[-1], dtype=input.dtype)
    axes = tuple(range(1, input.ndim))
    both = jnp.sum(input * label, axes)
    return jnp.mean(1 - 2 * both / (jnp.sum(input, axes) + jnp.sum(label, axes) + epsilon))


@op(name=_NAME + "margin_ranking_loss", amp="margin_ranking_loss")
def margin_ranking_loss(input, other, label, margin=0.0, reduction="mean", name=None):
    """``max(0, -label * (input - other) + margin)``, reduced; label is 1 where `input` should rank higher, else -1."""
    return reduced(jax.nn.relu(-label * (input - other) + margin), reduction)


@op(name=_NAME + "hinge_embedding_loss", amp="hinge_embedding_loss")
def hinge_embedding_loss(input, label, margin=1.0, reduction="mean", name=None):
    """``input`` where label is 1, ``max(0, margin - input)`` where it is -1, reduced."""
    zero = jnp.zeros((), input.dtype)
    other = jnp.where(label == -1, jax.nn.relu(margin - input), zero)
    return reduced(jnp.where(label == 1, input, zero) + other, reduction)


@op(name=_NAME + "cosine_embedding_loss", amp="cosine_embedding_loss")
def cosine_embedding_loss(input1, input2, label, margin=0, reduction="mean", name=None):
    """``1 - cos`` where label is 1, ``max(0, cos - margin)`` where it is -1. Inputs [N, M] or [M], label [N] or []."""
    same_shape(input1, input2, "input1 and input2")
    if input1.ndim > 2 or label.ndim != input1.ndim - 1:
        raise ValueError(f"The inputs must be [N, M] with label [N], or [M] with label [], but got "
                         f"{list(input1.shape)} and {list(label.shape)}.")
    norms = (jnp.sum(input1 * input1, -1) + 1e-12) * (jnp.sum(input2 * input2, -1) + 1e-12)
    cos = jnp.sum(input1 * input2, -1) / jnp.sqrt(norms)
    zero = jnp.zeros((), cos.dtype)
    other = jnp.where(label == -1, jnp.maximum(cos - margin, 0), zero)
    return reduced(jnp.where(label == 1, 1 - cos, zero) + other, reduction)


@op(name=_NAME + "soft_margin_loss", amp="soft_margin_loss")
def soft_margin_loss(input, label, reduction="mean", name=None):
    """``log(1 + exp(-label * input))``, reduced; label is 1 or -1."""
    same_shape(input, label)
    return reduced(jnp.log(1 + jnp.exp(-label.astype(input.dtype) * input)), reduction)


@op(name=_NAME + "multi_label_soft_margin_loss", amp="multi_label_soft_margin_loss")
def multi_label_soft_margin_loss(input, label, weight=None, reduction="mean", name=None):
    """The mean over classes of the binary cross entropy of logits [N, C] and labels 0 or 1, times `weight` [C]."""
    same_shape(input, label)
    loss = -(label * jax.nn.log_sigmoid(input) + (1 - label) * jax.nn.log_sigmoid(-input))
    return reduced(jnp.mean(loss if weight is None else loss * weight, -1), reduction)


@op(name=_NAME + "multi_margin_loss", amp="multi_margin_loss", check=_check_last)
def multi_margin_loss(input, label, p=1, margin=1.0, weight=None, reduction="mean", name=None):
    """The mean over classes of ``max(0, margin - input[label] + input[i]) ** p`` for i != label: [N, C] and [N]."""
    if p not in (1, 2):
        raise ValueError(f"p must be 1 or 2, but got {p}.")
    target = jnp.take_along_axis(input, label.reshape(-1, 1), 1)
    terms = jax.nn.relu(margin - target + input) ** p
    if weight is not None:
        terms = terms * weight[label.reshape(-1)][:, None]
    other = jnp.arange(input.shape[1]) != label.reshape(-1, 1)
    return reduced(jnp.sum(jnp.where(other, terms, 0), 1) / input.shape[1], reduction)


@op(name=_NAME + "multi_label_margin_loss", amp="multi_label_margin_loss")
def multi_label_margin_loss(input, label, reduction="mean", name=None):
    """The margin loss of several labels: label [N, C] lists target classes up to the first -1; input [N, C].

    ``sum over targets j, others i of max(0, 1 - input[j] + input[i]) / C``, reduced.
    """
    same_shape(input, label)
    valid = jnp.cumprod(label >= 0, axis=1).astype(bool)
    index = jnp.where(valid, label, 0)
    is_target = jnp.any((index[:, :, None] == jnp.arange(input.shape[1])) & valid[:, :, None], 1)
    margins = 1 - jnp.take_along_axis(input, index, 1)[:, :, None] + input[:, None, :]
    terms = jnp.where(valid[:, :, None] & ~is_target[:, None, :], jax.nn.relu(margins), 0)
    return reduced(jnp.sum(terms, (1, 2)) / input.shape[1], reduction)


@op(name=_NAME + "poisson_nll_loss", amp="poisson_nll_loss")
def poisson_nll_loss(input, label, log_input=True, full=False, epsilon=1e-8, reduction="mean", name=None):
    """The negative log likelihood of a Poisson distribution with the rate ``exp(input)``, or `input`.

    full: add Stirling's approximation of ``log(label!)`` for labels above 1.
    """
    loss = jnp.exp(input) - label * input if log_input else input - label * jnp.log(input + epsilon)
    if full:
        safe = jnp.where(label > 1, label, 1)
        stirling = safe * jnp.log(safe) - safe + 0.5 * jnp.log(2 * math.pi * safe)
        loss = loss + jnp.where(label > 1, stirling, jnp.zeros((), input.dtype))
    return reduced(loss, reduction)


def _check_variance(input, label, variance, *rest):
    values = known_values(variance)
    if values is not None and (values < 0).any():
        raise ValueError("variance must not be negative, but some of its entries are.")


@op(name=_NAME + "gaussian_nll_loss", amp="gaussian_nll_loss", check=_check_variance)
def _gaussian_nll(input, label, variance, full, epsilon, reduction):
    if variance.ndim == input.ndim - 1 and tuple(variance.shape) == tuple(input.shape[:-1]):
        variance = variance[..., None]
    limited = jnp.maximum(variance, epsilon)
    loss = 0.5 * (jnp.log(limited) + jnp.square(input - label) / limited)
    return reduced(loss + 0.5 * math.log(2 * math.pi) if full else loss, reduction)


def gaussian_nll_loss(input, label, variance, full=False, epsilon=1e-6, reduction="mean", name=None):
    """``(log(variance) + (input - label) ** 2 / variance) / 2``, with the variance at least `epsilon`.

    variance: of input's shape, without its last dimension, or with 1 there; no gradient goes to it, as in Paddle.
    full: add the constant ``log(2 pi) / 2``. reduction: "mean", "sum" or "none".
    """
    return _gaussian_nll(input, label, variance.detach(), bool(full), float(epsilon), reduction)


def _distance(x: Any, y: Any, p: float, epsilon: float) -> Any:
    return jnp.linalg.norm(x - y + epsilon, p, axis=-1)


@op(name=_NAME + "triplet_margin_loss", amp="triplet_margin_loss")
def triplet_margin_loss(input, positive, negative, margin=1.0, p=2, epsilon=1e-6, swap=False, reduction="mean",
                        name=None):
    """``max(0, d(input, positive) - d(input, negative) + margin)`` with the p-norm distance, reduced.

    swap: use the smaller of the negative's distances to `input` and to `positive` (Balntas et al. 2016).
    """
    if margin < 0:
        raise ValueError(f"margin must not be negative, but got {margin}.")
    far = _distance(input, negative, p, epsilon)
    if swap:
        far = jnp.minimum(far, _distance(positive, negative, p, epsilon))
    return reduced(jax.nn.relu(_distance(input, positive, p, epsilon) - far + margin), reduction)


@op(name=_NAME + "hinge_mean", amp="triplet_margin_with_distance_loss")
def _hinge(near, far, other, margin, reduction):
    far = far if other is None else jnp.minimum(far, other)
    return reduced(jax.nn.relu(near - far + margin), reduction)


@op(name=_NAME + "euclidean_distance", amp="p_norm")
def _euclidean(x, y):
    return _distance(x, y, 2.0, 1e-6)


def triplet_margin_with_distance_loss(input, positive, negative, distance_function=None, margin=1.0, swap=False,
                                      reduction="mean", name=None):
    """`triplet_margin_loss` with any distance, a function of two Tensors; without one, the Euclidean distance."""
    if margin < 0:
        raise ValueError(f"margin must not be negative, but got {margin}.")
    distance = distance_function or _euclidean
    other = distance(positive, negative) if swap else None
    return _hinge(distance(input, positive), distance(input, negative), other, margin, reduction)


@op(name=_NAME + "npair_loss", amp="npair_loss")
def npair_loss(anchor, positive, labels, l2_reg=0.002):
    """The N-pair loss of embeddings [N, M] with classes [N], plus `l2_reg` times their mean square norm (Sohn 2016)."""
    same = (labels.reshape(-1, 1) == labels.reshape(1, -1)).astype(anchor.dtype)
    target = same / jnp.sum(same, 1, keepdims=True)
    penalty = 0.25 * l2_reg * (jnp.mean(jnp.sum(jnp.square(anchor), 1)) + jnp.mean(jnp.sum(jnp.square(positive), 1)))
    log_p = jax.nn.log_softmax(anchor @ positive.T, -1)
    return penalty - jnp.mean(jnp.sum(target * log_p, -1))


@op(name=_NAME + "sigmoid_focal_loss", amp="sigmoid_focal_loss")
def sigmoid_focal_loss(logit, label, normalizer=None, alpha=0.25, gamma=2.0, reduction="sum", name=None):
    """The focal loss of ``sigmoid(logit)`` and labels 0 or 1, divided by `normalizer` (Lin et al. 2017)."""
    p = jax.nn.sigmoid(logit)
    loss = jax.nn.softplus(logit) - logit * jax.lax.stop_gradient(label)
    loss = loss * (alpha * label + (1 - alpha) * (1 - label)) * (1 - (p * label + (1 - p) * (1 - label))) ** gamma
    return reduced(loss if normalizer is None else loss / normalizer, reduction)


__all__ = [
    "cosine_embedding_loss", "dice_loss", "gaussian_nll_loss", "hinge_embedding_loss", "kl_div", "l1_loss", "log_loss",
    "margin_ranking_loss", "mse_loss", "multi_label_margin_loss", "multi_label_soft_margin_loss", "multi_margin_loss",
    "npair_loss", "poisson_nll_loss", "sigmoid_focal_loss", "smooth_l1_loss", "soft_margin_loss", "square_error_cost",
    "triplet_margin_loss", "triplet_margin_with_distance_loss",
]
