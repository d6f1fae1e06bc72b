"""Losses as layers."""
from __future__ import annotations

from typing import Any

from kayax.layers import functional as F
from kayax.layers.function_layer import FunctionLayer
from kayax.layers.layer import Layer


class MSELoss(FunctionLayer):
    """The squared difference."""

    def __init__(self, reduction: str = "mean"):
        super().__init__(F.mse_loss, shown=(), reduction=reduction)


class L1Loss(FunctionLayer):
    """The absolute difference."""

    def __init__(self, reduction: str = "mean", name: str | None = None):
        super().__init__(F.l1_loss, shown=(), reduction=reduction)


class SmoothL1Loss(FunctionLayer):
    """Squared below `delta`, linear above (Huber)."""

    def __init__(self, reduction: str = "mean", delta: float = 1.0, is_huber: bool = True, name: str | None = None):
        super().__init__(F.smooth_l1_loss, shown=(), reduction=reduction, delta=delta, is_huber=is_huber)


class CrossEntropyLoss(FunctionLayer):
    """Softmax and cross entropy: see `paddle.nn.functional.cross_entropy`."""

    def __init__(self, weight: Any = None, ignore_index: int = -100, reduction: str = "mean", soft_label: bool = False,
                 axis: int = -1, use_softmax: bool = True, label_smoothing: float = 0.0, name: str | None = None):
        super().__init__(F.cross_entropy, shown=(), weight=weight, ignore_index=ignore_index, reduction=reduction,
                         soft_label=soft_label, axis=axis, use_softmax=use_softmax, label_smoothing=label_smoothing)


class NLLLoss(FunctionLayer):
    """The negative log-likelihood of log-probabilities."""

    def __init__(self, weight: Any = None, ignore_index: int = -100, reduction: str = "mean", name: str | None = None):
        super().__init__(F.nll_loss, shown=(), weight=weight, ignore_index=ignore_index, reduction=reduction)


class KLDivLoss(FunctionLayer):
    """The Kullback-Leibler divergence from log-probabilities."""

    def __init__(self, reduction: str = "mean", log_target: bool = False):
        super().__init__(F.kl_div, shown=(), reduction=reduction, log_target=log_target)


class BCELoss(FunctionLayer):
    """Cross entropy of probabilities with targets in [0, 1]."""

    def __init__(self, weight: Any = None, reduction: str = "mean", name: str | None = None):
        super().__init__(F.binary_cross_entropy, shown=(), weight=weight, reduction=reduction)


class BCEWithLogitsLoss(FunctionLayer):
    """Cross entropy of logits with targets in [0, 1]."""

    def __init__(self, weight: Any = None, reduction: str = "mean", pos_weight: Any = None, name: str | None = None):
        super().__init__(F.binary_cross_entropy_with_logits, shown=(), weight=weight, reduction=reduction,
                         pos_weight=pos_weight)


class MarginRankingLoss(FunctionLayer):
    """``max(0, -label * (input - other) + margin)``."""

    def __init__(self, margin: float = 0.0, reduction: str = "mean", name: str | None = None):
        super().__init__(F.margin_ranking_loss, shown=(), margin=margin, reduction=reduction)


class HingeEmbeddingLoss(FunctionLayer):
    """The input where the label is 1, ``max(0, margin - input)`` where it is -1."""

    def __init__(self, margin: float = 1.0, reduction: str = "mean", name: str | None = None):
        super().__init__(F.hinge_embedding_loss, shown=(), margin=margin, reduction=reduction)


class CosineEmbeddingLoss(FunctionLayer):
    """How far two vectors' cosine is from what the label (1 or -1) wants."""

    def __init__(self, margin: int = 0, reduction: str = "mean", name: str | None = None):
        super().__init__(F.cosine_embedding_loss, shown=(), margin=margin, reduction=reduction)


class TripletMarginLoss(FunctionLayer):
    """How much nearer an anchor must be to its positive than to its negative."""

    def __init__(self, margin: float = 1.0, p: float = 2.0, epsilon: float = 1e-06, swap: bool = False,
                 reduction: str = "mean", name: str | None = None):
        super().__init__(F.triplet_margin_loss, shown=(), margin=margin, p=p, epsilon=epsilon, swap=swap,
                         reduction=reduction)


class TripletMarginWithDistanceLoss(FunctionLayer):
    """As TripletMarginLoss, with a distance of one's own."""

    def __init__(self, distance_function: Any = None, margin: float = 1.0, swap: bool = False, reduction: str = "mean",
                 name: str | None = None):
        super().__init__(F.triplet_margin_with_distance_loss, shown=(), distance_function=distance_function,
                         margin=margin, swap=swap, reduction=reduction)


class MultiLabelSoftMarginLoss(FunctionLayer):
    """The mean over classes of the binary cross entropy of logits."""

    def __init__(self, weight: Any = None, reduction: str = "mean", name: str | None = None):
        super().__init__(F.multi_label_soft_margin_loss, shown=(), weight=weight, reduction=reduction)


class MultiLabelMarginLoss(FunctionLayer):
    """The margin between every target class and every other."""

    def __init__(self, reduction: str = "mean", name: str | None = None):
        super().__init__(F.multi_label_margin_loss, shown=(), reduction=reduction)


class MultiMarginLoss(FunctionLayer):
    """The margin between the target class and every other."""

    def __init__(self, p: int = 1, margin: float = 1.0, weight: Any = None, reduction: str = "mean",
                 name: str | None = None):
        super().__init__(F.multi_margin_loss, shown=(), p=p, margin=margin, weight=weight, reduction=reduction)


class SoftMarginLoss(FunctionLayer):
    """``log(1 + exp(-label * input))``."""

    def __init__(self, reduction: str = "mean", name: str | None = None):
        super().__init__(F.soft_margin_loss, shown=(), reduction=reduction)


class PoissonNLLLoss(FunctionLayer):
    """The negative log-likelihood of a Poisson distribution."""

    def __init__(self, log_input: bool = True, full: bool = False, epsilon: float = 1e-08, reduction: str = "mean",
                 name: str | None = None):
        super().__init__(F.poisson_nll_loss, shown=(), log_input=log_input, full=full, epsilon=epsilon,
                         reduction=reduction)


class GaussianNLLLoss(FunctionLayer):
    """The negative log-likelihood of a normal distribution: call with ``(input, label, variance)``."""

    def __init__(self, full: bool = False, epsilon: float = 1e-06, reduction: str = "mean", name: str | None = None):
        super().__init__(F.gaussian_nll_loss, shown=(), full=full, epsilon=epsilon, reduction=reduction)


class RNNTLoss(FunctionLayer):
    """The RNN transducer loss (Graves, 2012)."""

    def __init__(self, blank: int = 0, fastemit_lambda: float = 0.001, reduction: str = "mean",
                 name: str | None = None):
        super().__init__(F.rnnt_loss, shown=(), blank=blank, fastemit_lambda=fastemit_lambda, reduction=reduction)


class CTCLoss(Layer):
    """Connectionist temporal classification (Graves et al., 2006): see `paddle.nn.functional.ctc_loss`."""

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False):
        super().__init__()
        self._blank, self._reduction, self._zero_infinity = blank, reduction, zero_infinity

    def forward(self, log_probs: Any, labels: Any, input_lengths: Any, label_lengths: Any,
                norm_by_times: bool = False) -> Any:
        return F.ctc_loss(log_probs, labels, input_lengths, label_lengths, self._blank, self._reduction, norm_by_times,
                          self._zero_infinity)


class HSigmoidLoss(Layer):
    """Hierarchical sigmoid over a binary tree of classes: see `paddle.nn.functional.hsigmoid_loss`."""

    def __init__(self, feature_size: int, num_classes: int, weight_attr: Any = None, bias_attr: Any = None,
                 is_custom: bool = False, is_sparse: bool = False, name: str | None = None):
        super().__init__()
        if num_classes < 2 and not is_custom:
            raise ValueError(f"num_classes must be at least 2 for the default tree, but got {num_classes}.")
        self._num_classes, self._is_sparse = num_classes, is_sparse
        rows = num_classes if is_custom else num_classes - 1
        self.weight = self.create_parameter([rows, feature_size], attr=weight_attr)
        self.bias = self.create_parameter([rows, 1], attr=bias_attr, is_bias=True)

    def forward(self, input: Any, label: Any, path_table: Any = None, path_code: Any = None) -> Any:
        return F.hsigmoid_loss(input, label, self._num_classes, self.weight, self.bias, path_table, path_code,
                               self._is_sparse)


__all__ = ["BCELoss", "BCEWithLogitsLoss", "CTCLoss", "CosineEmbeddingLoss", "CrossEntropyLoss", "GaussianNLLLoss",
           "HSigmoidLoss", "HingeEmbeddingLoss", "KLDivLoss", "L1Loss", "MSELoss", "MarginRankingLoss",
           "MultiLabelMarginLoss", "MultiLabelSoftMarginLoss", "MultiMarginLoss", "NLLLoss", "PoissonNLLLoss",
           "RNNTLoss", "SmoothL1Loss", "SoftMarginLoss", "TripletMarginLoss", "TripletMarginWithDistanceLoss"]
