"""The adaptive softmax as a layer."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kayax.bridge.ops import loss_adaptive
from kayax.bridge.tensor import Tensor
from kayax.layers import ops
from kayax.layers.layer import Layer


class AdaptiveLogSoftmaxWithLoss(Layer):
    """The log-probability of labels among many classes, cheap where some are frequent (Grave et al., 2017).

    cutoffs: where the head ends and each cluster begins: the classes must be numbered by falling frequency. div_value:
    the projection of cluster i is ``in_features / div_value ** i`` wide, i from 1. Gives ``(log-probability of each
    label, mean loss)``. The weights of the clusters are parameters of the layer (in Paddle `parameters()` and
    `state_dict()` leave them out, so that they are neither trained nor saved): ``tail_0_0``, ``tail_0_1`` and so on.
    """

    def __init__(self, in_features: int, n_classes: int, cutoffs: Sequence[int], weight_attr: Any = None,
                 bias_attr: Any = None, div_value: float = 4.0, head_bias: bool = False, name: str | None = None):
        super().__init__()
        cutoffs = list(cutoffs)
        if (not cutoffs or cutoffs != sorted(set(cutoffs)) or any(int(c) != c for c in cutoffs)
                or min(cutoffs) < 1 or max(cutoffs) > n_classes - 1):
            raise ValueError("cutoffs must be rising whole numbers from 1 to n_classes - 1, but got "
                             f"{cutoffs} with n_classes={n_classes}.")
        self.in_features, self.n_classes, self.cutoffs = in_features, n_classes, [*cutoffs, n_classes]
        self.div_value, self.is_head_bias = div_value, head_bias
        self.shortlist_size, self.n_clusters = cutoffs[0], len(cutoffs)
        self.head_size = self.shortlist_size + self.n_clusters
        self.head_weight = self.create_parameter([in_features, self.head_size], attr=weight_attr)
        self.head_bias = self.create_parameter([self.head_size], attr=bias_attr, is_bias=True) if head_bias else None
        for i in range(self.n_clusters):
            width, size = int(in_features // div_value ** (i + 1)), self.cutoffs[i + 1] - self.cutoffs[i]
            for j, shape in enumerate(([in_features, width], [width, size])):
                setattr(self, f"tail_{i}_{j}", self.create_parameter(shape, attr=weight_attr))

    @property
    def tail_weights(self) -> list[list[Tensor]]:
        """The two weights of each cluster."""
        return [[getattr(self, f"tail_{i}_{j}") for j in range(2)] for i in range(self.n_clusters)]

    def forward(self, input: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
        return loss_adaptive.adaptive_log_softmax_with_loss(input, label, self.head_weight, self.tail_weights,
                                                            self.cutoffs, self.head_bias)

    def log_prob(self, input: Tensor) -> Tensor:
        """The log-probabilities of all classes, ``[N, n_classes]``."""
        return loss_adaptive.adaptive_log_softmax(input, self.head_weight, self.tail_weights, self.cutoffs,
                                                  self.head_bias)

    def predict(self, input: Tensor) -> Tensor:
        """The most probable class of each sample, in the input's dtype, as in Paddle."""
        return ops.cast(ops.argmax(self.log_prob(input), axis=1), input.dtype)


__all__ = ["AdaptiveLogSoftmaxWithLoss"]
