"""The hierarchical softmax: classes as the leaves of a binary tree."""
from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kayax.bridge.ops.bounds import need_range
from kayax.bridge.registry import op

_NAME = "nn.functional."


def _complete_tree(num_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """For each class its inner nodes from the leaf upwards, and the branch taken at each; -1 above the root."""
    leaf = np.arange(num_classes, 2 * num_classes)[:, None]
    level = np.arange((2 * num_classes - 1).bit_length() - 1)
    node = (leaf >> (level + 1)) - 1
    return np.maximum(node, -1), (leaf >> level) & 1


def _check_label(input, label, num_classes, weight, bias=None, path_table=None, *rest):
    if path_table is None:
        need_range(label, num_classes, "label")


@op(name=_NAME + "hsigmoid_loss", amp="hierarchical_sigmoid", check=_check_label)
def hsigmoid_loss(input, label, num_classes, weight, bias=None, path_table=None, path_code=None, is_sparse=False,
                  name=None):
    """The negative log-likelihood [N, 1] of classes at the leaves of a binary tree (Morin and Bengio 2005).

    input: [N, D]. label: [N] or [N, 1]. weight: [num_classes - 1, D], bias [num_classes - 1]: one row per inner node.
    path_table, path_code: [N, L], another tree than the complete one: the nodes on the way from the leaf of each sample
        to the root and the branches (0 or 1) there, filled up with negative numbers.
    A way that is shorter than the longest adds log(2) for each missing level, as in Paddle. is_sparse is accepted.
    Raises ValueError for labels outside of [0, num_classes); inside of a converted function their loss is nan.
    """
    if (path_table is None) != (path_code is None):
        raise ValueError("path_table and path_code go together: give both or neither.")
    if input.ndim != 2 or weight.ndim != 2 or input.shape[1] != weight.shape[1]:
        raise ValueError(f"input must be [N, D] and weight [nodes, D], but their shapes are {list(input.shape)} and "
                         f"{list(weight.shape)}.")
    known: Any = True
    if path_table is None:
        if num_classes < 2:
            raise ValueError(f"num_classes must be at least 2, but got {num_classes}.")
        label = label.reshape(-1)
        known = ((label >= 0) & (label < num_classes))[:, None]
        path_table, path_code = (jnp.asarray(part)[label] for part in _complete_tree(num_classes))
    on_path = path_table >= 0
    node = jnp.where(on_path, path_table, 0)
    score = jnp.einsum("nd,nld->nl", input, weight[node])
    if bias is not None:
        score = score + bias.reshape(-1)[node]
    score = jnp.where(on_path, score, 0)
    loss = jnp.sum(jax.nn.softplus(score) - jnp.where(on_path, path_code, 0) * score, 1, keepdims=True)
    return jnp.where(known, loss, jnp.nan).astype(input.dtype)


__all__ = ["hsigmoid_loss"]
