"""Layers that multiply by a weight: Linear, Bilinear, Embedding."""
from __future__ import annotations

from typing import Any

from kayax.bridge.parameter import Parameter
from kayax.layers import functional as F
from kayax.layers import initializer as init
from kayax.layers.layer import Layer


class Linear(Layer):
    """``x @ weight + bias``, over the last axis.

    weight: ``[in_features, out_features]``. bias: ``[out_features]``, none with ``bias_attr=False``.
    """

    def __init__(self, in_features: int, out_features: int, weight_attr: Any = None, bias_attr: Any = None,
                 name: str | None = None):
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.weight = self.create_parameter([in_features, out_features], attr=weight_attr)
        self.bias = self.create_parameter([out_features], attr=bias_attr, is_bias=True)
        self.name = name

    def forward(self, input: Any) -> Any:
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        name = f", name={self.name}" if self.name else ""
        return f"in_features={self.in_features}, out_features={self.out_features}, dtype={self._dtype}{name}"


class Bilinear(Layer):
    """``x1 @ weight[k] @ x2 + bias`` for each output feature k."""

    def __init__(self, in1_features: int, in2_features: int, out_features: int, weight_attr: Any = None,
                 bias_attr: Any = None, name: str | None = None):
        super().__init__()
        self._sizes = (in1_features, in2_features, out_features)
        self.weight = self.create_parameter([out_features, in1_features, in2_features], attr=weight_attr)
        self.bias = self.create_parameter([1, out_features], attr=bias_attr, is_bias=True)

    def forward(self, x1: Any, x2: Any) -> Any:
        return F.bilinear(x1, x2, self.weight, self.bias)

    def extra_repr(self) -> str:
        a, b, out = self._sizes
        return f"in1_features={a}, in2_features={b}, out_features={out}, dtype={self._dtype}"


class Embedding(Layer):
    """Rows of a table by index.

    weight: ``[num_embeddings, embedding_dim]``; the row `padding_idx` starts as zeros and gets no gradient.
    max_norm, norm_type: rows longer than this are shortened when they are used. sparse, scale_grad_by_freq: as in
    Paddle; sparse gradients are dense here.
    """

    def __init__(self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None,
                 max_norm: float | None = None, norm_type: float = 2.0, *, scale_grad_by_freq: bool = False,
                 sparse: bool = False, _weight: Any = None, _freeze: bool = False, device: Any = None,
                 dtype: Any = None, weight_attr: Any = None, name: str | None = None):
        super().__init__()
        if num_embeddings <= 0 or embedding_dim <= 0:
            raise ValueError(f"num_embeddings and embedding_dim must be positive, but got {num_embeddings} and "
                             f"{embedding_dim}.")
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise ValueError(f"padding_idx must be in [-{num_embeddings}, {num_embeddings}), but got {padding_idx}.")
        self._num_embeddings, self._embedding_dim = num_embeddings, embedding_dim
        self._padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        self.padding_idx, self.num_embeddings, self.embedding_dim = padding_idx, num_embeddings, embedding_dim
        self._max_norm, self._norm_type = max_norm, norm_type
        self._sparse, self._scale_grad_by_freq = sparse, scale_grad_by_freq
        default = init.Assign(_weight) if _weight is not None else init.XavierNormal()
        self.weight: Parameter = self.create_parameter([num_embeddings, embedding_dim], attr=weight_attr, dtype=dtype,
                                                       default_initializer=default)
        if self._padding_idx is not None:
            array = self.weight.storage.array
            self.weight.storage.array = array.at[self._padding_idx].set(0)
        if _freeze:
            self.weight.stop_gradient = True

    def forward(self, x: Any) -> Any:
        return F.embedding(x, self.weight, self._padding_idx, self._max_norm, self._norm_type, self._sparse,
                           self._scale_grad_by_freq)

    def extra_repr(self) -> str:
        padding = f", padding_idx={self._padding_idx}" if self._padding_idx is not None else ""
        return (f"{self._num_embeddings}, {self._embedding_dim}{padding}, sparse={self._sparse}, "
                f"scale_grad_by_freq={self._scale_grad_by_freq}")


__all__ = ["Bilinear", "Embedding", "Linear"]
