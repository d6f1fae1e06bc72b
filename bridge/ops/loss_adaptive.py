"""The adaptive softmax (Grave et al. 2017): frequent classes in a head, rare ones in smaller clusters."""
from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp

from kayax.bridge.ops.bounds import need_range
from kayax.bridge.registry import op

_NAME = "nn.functional."


def _cluster(x, weights):
    return jax.nn.log_softmax(x @ weights[0] @ weights[1], axis=-1)


def _head(x, weight, bias):
    y = x @ weight
    return jax.nn.log_softmax(y if bias is None else y + bias, axis=-1)


def _picked(log_probability, index):
    """The entry of each row; nan where the index is outside."""
    valid = (index >= 0) & (index < log_probability.shape[-1])
    found = jnp.take_along_axis(log_probability, jnp.where(valid, index, 0)[:, None], axis=1)[:, 0]
    return jnp.where(valid, found, jnp.nan)


def _check_labels(input, label, head_weight, tail_weights, cutoffs, *rest):
    need_range(label, int(cutoffs[-1]), "label")


@op(name=_NAME + "adaptive_log_softmax_with_loss", amp="log_softmax", check=_check_labels)
def adaptive_log_softmax_with_loss(input, label, head_weight, tail_weights, cutoffs, head_bias=None, name=None):
    """The log-probability of each sample's label, and the mean negative one.

    input: [N, features] with label [N], or [features] with a scalar label. head_weight: [features, classes in the head
    + clusters]. tail_weights: for each cluster a pair [features, smaller], [smaller, classes]. cutoffs: the first class
    of each cluster, then the number of classes. head_bias: as long as the head. A label outside of
    them is a ValueError; in a converted function, which cannot raise, it gives nan.
    """
    if label.ndim != input.ndim - 1 or input.ndim not in (1, 2) or label.shape != input.shape[:-1]:
        raise ValueError(f"input must be [N, features] with label [N], or [features] with a scalar label, but got "
                         f"{list(input.shape)} and {list(label.shape)}.")
    x, index = jnp.atleast_2d(input), jnp.atleast_1d(label)
    first = int(cutoffs[0])
    head = _head(x, head_weight, head_bias)
    output = _picked(head[:, :first], index)
    for i, (low, high) in enumerate(itertools.pairwise(map(int, cutoffs))):
        weights = tail_weights[i]
        inside = (index >= low) & (index < high)
        values = head[:, first + i] + _picked(_cluster(x, weights), jnp.where(inside, index - low, 0))
        output = jnp.where(inside, values, output)
    return output.reshape(label.shape), -jnp.mean(output)


@op(name=_NAME + "adaptive_log_softmax", amp="log_softmax")
def adaptive_log_softmax(input, head_weight, tail_weights, cutoffs, head_bias=None):
    """The log-probabilities of all classes: [N, features] to [N, classes]."""
    first = int(cutoffs[0])
    head = _head(input, head_weight, head_bias)
    parts = [head[:, first + i, None] + _cluster(input, weights) for i, weights in enumerate(tail_weights)]
    return jnp.concatenate([head[:, :first], *parts], axis=1)


__all__ = ["adaptive_log_softmax_with_loss"]
