"""``paddle.incubate.nn``: the blocks of a Transformer as layers, each of few fused operations."""
from __future__ import annotations

from typing import Any

from kayax.absent import absent
from kayax.bridge.tensor import Tensor
from kayax.incubate.nn import functional
from kayax.layers import initializer as init
from kayax.layers.layer import Layer


class FusedLinear(Layer):
    """``x @ weight + bias``, the weight kept transposed, ``[out_features, in_features]``, with `transpose_weight`."""

    def __init__(self, in_features: int, out_features: int, weight_attr: Any = None, bias_attr: Any = None,
                 transpose_weight: bool = False, name: str | None = None):
        super().__init__()
        shape = [out_features, in_features] if transpose_weight else [in_features, out_features]
        self.weight = self.create_parameter(shape, attr=weight_attr)
        self.bias = self.create_parameter([out_features], attr=bias_attr, is_bias=True)
        self.transpose_weight, self.name = transpose_weight, name

    def forward(self, input: Tensor) -> Tensor:
        return functional.fused_linear(input, self.weight, self.bias, self.transpose_weight)


class FusedDropoutAdd(Layer):
    """``dropout(x) + y``."""

    def __init__(self, p: float = 0.5, mode: str = "upscale_in_train", name: str | None = None):
        super().__init__()
        self.p, self.mode, self.name = p, mode, name

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return functional.fused_dropout_add(x, y, self.p, self.training, self.mode)

    def extra_repr(self) -> str:
        return f"p={self.p}, mode={self.mode}" + (f", name={self.name}" if self.name else "")


def _norm(layer: Layer, size: int, scale_attr: Any, bias_attr: Any) -> tuple[Any, Any]:
    """The scale, ones at first, and the bias of a layer norm."""
    return (layer.create_parameter([size], attr=scale_attr, default_initializer=init.Constant(1.0)),
            layer.create_parameter([size], attr=bias_attr, is_bias=True))


def _positive(**values: int) -> None:
    for name, value in values.items():
        if value <= 0:
            raise AssertionError(f"{name} must be positive, but got {value}.")


class FusedBiasDropoutResidualLayerNorm(Layer):
    """``layer_norm(residual + dropout(x + bias))``."""

    def __init__(self, embed_dim: int, dropout_rate: float = 0.5, weight_attr: Any = None, bias_attr: Any = None,
                 epsilon: float = 1e-5, name: str | None = None):
        super().__init__()
        _positive(embed_dim=embed_dim)
        self.embed_dim, self.dropout_rate, self._epsilon, self.name = embed_dim, dropout_rate, epsilon, name
        self.linear_bias = self.create_parameter([embed_dim], attr=bias_attr, is_bias=True)
        self.ln_scale, self.ln_bias = _norm(self, embed_dim, weight_attr, bias_attr)

    def forward(self, x: Tensor, residual: Tensor) -> Tensor:
        return functional.fused_bias_dropout_residual_layer_norm(
            x, residual, self.linear_bias, self.ln_scale, self.ln_bias, self.dropout_rate, self._epsilon, self.training)

    def extra_repr(self) -> str:
        return (f"embed_dim={self.embed_dim}, dropout_rate={self.dropout_rate}, epsilon={self._epsilon}, "
                f"dtype={self._dtype}")


class FusedMultiHeadAttention(Layer):
    """A Transformer's self-attention block with its residual, dropout and layer norm.

    qkv_weight: ``[3, heads, size, embed_dim]``, or ``[embed_dim, 3 * embed_dim]`` with `transpose_qkv_wb`. The layer
    norm is before the attention with `normalize_before`, else behind it. nranks, ring_id: one process, no effect.
    """

    def __init__(self, embed_dim: int, num_heads: int, dropout_rate: float = 0.5, attn_dropout_rate: float = 0.5,
                 kdim: int | None = None, vdim: int | None = None, normalize_before: bool = False,
                 need_weights: bool = False, qkv_weight_attr: Any = None, qkv_bias_attr: Any = None,
                 linear_weight_attr: Any = None, linear_bias_attr: Any = None, pre_ln_scale_attr: Any = None,
                 pre_ln_bias_attr: Any = None, ln_scale_attr: Any = None, ln_bias_attr: Any = None,
                 epsilon: float = 1e-5, nranks: int = 1, ring_id: int = -1, transpose_qkv_wb: bool = False,
                 name: str | None = None):
        super().__init__()
        _positive(embed_dim=embed_dim, num_heads=num_heads)
        if embed_dim % num_heads:
            raise AssertionError(f"embed_dim must be divisible by num_heads, but got {embed_dim} and {num_heads}.")
        if need_weights:
            raise AssertionError("need_weights=True is not available: use nn.MultiHeadAttention.")
        self.embed_dim, self.num_heads, self.head_dim = embed_dim, num_heads, embed_dim // num_heads
        self.kdim, self.vdim, self.need_weights, self.name = kdim, vdim, need_weights, name
        self.normalize_before, self.transpose_qkv_wb, self._epsilon = normalize_before, transpose_qkv_wb, epsilon
        self.dropout_rate, self.attn_dropout_rate = dropout_rate, attn_dropout_rate
        parts = [3, num_heads, self.head_dim]
        self.qkv_weight = self.create_parameter([embed_dim, 3 * embed_dim] if transpose_qkv_wb else [*parts, embed_dim],
                                                attr=qkv_weight_attr)
        self.qkv_bias = self.create_parameter([3 * embed_dim] if transpose_qkv_wb else parts, attr=qkv_bias_attr,
                                              is_bias=True)
        self.linear_weight = self.create_parameter([embed_dim, embed_dim], attr=linear_weight_attr)
        self.linear_bias = self.create_parameter([embed_dim], attr=linear_bias_attr, is_bias=True)
        self.pre_ln_scale = self.pre_ln_bias = self.ln_scale = self.ln_bias = None
        if normalize_before:
            self.pre_ln_scale, self.pre_ln_bias = _norm(self, embed_dim, pre_ln_scale_attr, pre_ln_bias_attr)
        else:
            self.ln_scale, self.ln_bias = _norm(self, embed_dim, ln_scale_attr, ln_bias_attr)

    def forward(self, query: Tensor, key: Tensor | None = None, value: Tensor | None = None,
                attn_mask: Tensor | None = None, cache: Tensor | None = None) -> Any:
        return functional.fused_multi_head_attention(
            query, self.qkv_weight, self.linear_weight, self.normalize_before, self.pre_ln_scale, self.pre_ln_bias,
            self.ln_scale, self.ln_bias, self._epsilon, self.qkv_bias, self.linear_bias, cache, attn_mask,
            self.dropout_rate, self.attn_dropout_rate, self._epsilon, self.training, num_heads=self.num_heads,
            transpose_qkv_wb=self.transpose_qkv_wb)

    def extra_repr(self) -> str:
        return (f"embed_dim={self.embed_dim}, num_heads={self.num_heads}, dropout_rate={self.dropout_rate}, "
                f"attn_dropout_rate={self.attn_dropout_rate}, epsilon={self._epsilon}, kdim={self.kdim}, "
                f"vdim={self.vdim}, normalize_before={self.normalize_before}, need_weights={self.need_weights}, "
                f"dtype={self._dtype}" + (f", name={self.name}" if self.name else ""))


class FusedFeedForward(Layer):
    """A Transformer's feed-forward block with its residual, dropout and layer norm.

    The layer norm is before the block with `normalize_before`, else behind it. nranks, ring_id: one process, no effect.
    """

    def __init__(self, d_model: int, dim_feedforward: int, dropout_rate: float = 0.1, epsilon: float = 1e-5,
                 activation: str = "relu", act_dropout_rate: float | None = None, normalize_before: bool = False,
                 linear1_weight_attr: Any = None, linear1_bias_attr: Any = None, linear2_weight_attr: Any = None,
                 linear2_bias_attr: Any = None, ln1_scale_attr: Any = None, ln1_bias_attr: Any = None,
                 ln2_scale_attr: Any = None, ln2_bias_attr: Any = None, nranks: int = 1, ring_id: int = -1,
                 name: str | None = None):
        super().__init__()
        _positive(d_model=d_model, dim_feedforward=dim_feedforward)
        self._d_model, self._dim_feedforward, self._epsilon, self.name = d_model, dim_feedforward, epsilon, name
        self._dropout_rate, self._act_method, self._normalize_before = dropout_rate, activation, normalize_before
        self._act_dropout_rate = dropout_rate if act_dropout_rate is None else act_dropout_rate
        self._linear1_weight = self.create_parameter([d_model, dim_feedforward], attr=linear1_weight_attr)
        self._linear1_bias = self.create_parameter([dim_feedforward], attr=linear1_bias_attr, is_bias=True)
        self._linear2_weight = self.create_parameter([dim_feedforward, d_model], attr=linear2_weight_attr)
        self._linear2_bias = self.create_parameter([d_model], attr=linear2_bias_attr, is_bias=True)
        self._ln1_scale = self._ln1_bias = self._ln2_scale = self._ln2_bias = None
        if normalize_before:
            self._ln1_scale, self._ln1_bias = _norm(self, d_model, ln1_scale_attr, ln1_bias_attr)
        else:
            self._ln2_scale, self._ln2_bias = _norm(self, d_model, ln2_scale_attr, ln2_bias_attr)

    def forward(self, src: Tensor, cache: Any = None) -> Tensor:
        return functional.fused_feedforward(
            src, self._linear1_weight, self._linear2_weight, self._linear1_bias, self._linear2_bias, self._ln1_scale,
            self._ln1_bias, self._ln2_scale, self._ln2_bias, self._act_dropout_rate, self._dropout_rate,
            self._act_method, self._epsilon, self._epsilon, self._normalize_before, self.training)

    def extra_repr(self) -> str:
        return (f"d_model={self._d_model}, dim_feedforward={self._dim_feedforward}, dropout_rate={self._dropout_rate}, "
                f"epsilon={self._epsilon}, activation={self._act_method}, act_dropout_rate={self._act_dropout_rate}, "
                f"normalize_before={self._normalize_before}, dtype={self._dtype}"
                + (f", name={self.name}" if self.name else ""))


def _attributes(attr: Any) -> list[Any]:
    """One attribute for the attention and the feed-forward block each."""
    if not isinstance(attr, (list, tuple)):
        return [attr, attr]
    return [attr[0], attr[-1]]


class FusedTransformerEncoderLayer(Layer):
    """One layer of a Transformer's encoder: `FusedMultiHeadAttention`, then `FusedFeedForward`.

    weight_attr, bias_attr: for all parameters, or a list of two, for those of the attention and of the feed-forward.
    """

    def __init__(self, d_model: int, nhead: int, dim_feedforward: int, dropout_rate: float = 0.1,
                 activation: str = "relu", attn_dropout_rate: float | None = None,
                 act_dropout_rate: float | None = None, normalize_before: bool = False, weight_attr: Any = None,
                 bias_attr: Any = None):
        super().__init__()
        (weight, weight2), (bias, bias2) = _attributes(weight_attr), _attributes(bias_attr)
        self.normalize_before = normalize_before
        self.fused_attn = FusedMultiHeadAttention(
            d_model, nhead, dropout_rate, dropout_rate if attn_dropout_rate is None else attn_dropout_rate,
            normalize_before=normalize_before, qkv_weight_attr=weight, qkv_bias_attr=bias, linear_weight_attr=weight,
            linear_bias_attr=bias, pre_ln_scale_attr=weight, pre_ln_bias_attr=bias, ln_scale_attr=weight,
            ln_bias_attr=bias)
        self.ffn = FusedFeedForward(
            d_model, dim_feedforward, dropout_rate, activation=activation, act_dropout_rate=act_dropout_rate,
            normalize_before=normalize_before, linear1_weight_attr=weight2, linear1_bias_attr=bias2,
            linear2_weight_attr=weight2, linear2_bias_attr=bias2)

    def forward(self, src: Tensor, src_mask: Tensor | None = None, cache: Tensor | None = None) -> Any:
        attended = self.fused_attn(src, attn_mask=src_mask, cache=cache)
        if cache is None:
            return self.ffn(attended)
        return self.ffn(attended[0]), attended[1]


__getattr__ = absent("incubate.nn")


__all__ = ["FusedBiasDropoutResidualLayerNorm", "FusedDropoutAdd", "FusedFeedForward", "FusedLinear",
           "FusedMultiHeadAttention", "FusedTransformerEncoderLayer", "functional"]
