"""Attention and the Transformer (Vaswani et al., 2017), post- and pre-norm."""
from __future__ import annotations

import collections
from typing import Any

import jax.numpy as jnp
import numpy as np

from kayax.bridge.errors import ArgumentError
from kayax.bridge.tensor import Tensor, wrap
from kayax.layers import functional as F
from kayax.layers import ops
from kayax.layers.containers import LayerList
from kayax.layers.dropout import Dropout
from kayax.layers.layer import Layer
from kayax.layers.linear import Linear
from kayax.layers.norm import LayerNorm
from kayax.layers.param_attr import ParamAttr


def _attrs(attr: Any, n: int) -> list[Any]:
    """One attr for each of n parameters: a list of them as it is, one for all otherwise (without sharing its name)."""
    if isinstance(attr, (list, tuple)):
        if len(attr) != n:
            raise ValueError(f"A list of attrs needs {n} entries here, but got {len(attr)}.")
        return list(attr)
    if isinstance(attr, ParamAttr) and attr.name is not None:
        fields = {k: v for k, v in vars(attr).items() if k != "name"}
        return [ParamAttr(f"{attr.name}_{i}", **fields) for i in range(n)]
    return [attr] * n


def additive_mask(mask: Tensor | None, dtype: Any) -> Tensor | None:
    """An attention mask as numbers to add: False and 0 of a boolean or integer mask become -1e9."""
    if mask is None or mask.dtype.is_floating:
        return mask
    return (mask.astype(dtype) - 1.0) * 1e9


class MultiHeadAttention(Layer):
    """Scaled dot-product attention in several heads, with projections of query, key, value and output.

    query, key, value: ``[batch, length, features]``; the output has the query's shape. attn_mask: broadcast to
    ``[batch, heads, query length, key length]``; added if floating, else False (0) hides a position.
    cache: what `gen_cache` gave, for decoding step by step.
    """

    Cache = collections.namedtuple("Cache", ["k", "v"])
    StaticCache = collections.namedtuple("StaticCache", ["k", "v"])

    def __init__(self, embed_dim: int, num_heads: int, dropout: float = 0.0, kdim: int | None = None,
                 vdim: int | None = None, need_weights: bool = False, weight_attr: Any = None, bias_attr: Any = None):
        super().__init__()
        if embed_dim <= 0 or num_heads <= 0 or embed_dim % num_heads:
            raise ArgumentError(f"embed_dim must be a positive multiple of num_heads, not {embed_dim} of {num_heads}.")
        self.embed_dim, self.num_heads, self.head_dim = embed_dim, num_heads, embed_dim // num_heads
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.dropout, self.need_weights = dropout, need_weights
        self.q_proj = Linear(embed_dim, embed_dim, weight_attr, bias_attr)
        self.k_proj = Linear(self.kdim, embed_dim, weight_attr, bias_attr)
        self.v_proj = Linear(self.vdim, embed_dim, weight_attr, bias_attr)
        self.out_proj = Linear(embed_dim, embed_dim, weight_attr, bias_attr)

    def _heads(self, x: Tensor) -> Tensor:
        return ops.transpose(ops.reshape(x, [0, 0, self.num_heads, self.head_dim]), [0, 2, 1, 3])

    def compute_kv(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Key and value, projected: ``[batch, heads, length, features of a head]``."""
        return self._heads(self.k_proj(key)), self._heads(self.v_proj(value))

    def gen_cache(self, key: Tensor, value: Tensor | None = None, type: type = Cache) -> Any:
        """An empty `Cache` for a batch like `key`; a `StaticCache` of projected `key` and `value`; or, for
        ``type=Cache`` with both, a `Cache` that holds them as they are."""
        if type is MultiHeadAttention.StaticCache:
            return self.StaticCache(*self.compute_kv(key, key if value is None else value))
        if value is not None:
            return self.Cache(key, value)
        shape = (key.shape[0], self.num_heads, 0, self.head_dim)
        empty = jnp.zeros(shape, key.dtype.numpy)
        return self.Cache(wrap(empty), wrap(empty))

    def forward(self, query: Tensor, key: Tensor | None = None, value: Tensor | None = None,
                attn_mask: Tensor | None = None, cache: Any = None) -> Any:
        key = query if key is None else key
        value = query if value is None else value
        q = self._heads(self.q_proj(query))
        if isinstance(cache, self.StaticCache):
            k, v = cache
        else:
            k, v = self.compute_kv(key, value)
        if isinstance(cache, self.Cache):
            k, v = ops.concat([cache.k, k], axis=2), ops.concat([cache.v, v], axis=2)
            cache = self.Cache(k, v)
        scores = ops.matmul(q, k, transpose_y=True) * (self.head_dim ** -0.5)
        if attn_mask is not None:
            scores = scores + additive_mask(attn_mask, scores.dtype)
        weights = F.softmax(scores)
        if self.dropout:
            weights = F.dropout(weights, self.dropout, training=self.training, mode="upscale_in_train")
        out = ops.transpose(ops.matmul(weights, v), [0, 2, 1, 3])
        out = self.out_proj(ops.reshape(out, [0, 0, self.embed_dim]))
        results = [out] + [weights] * self.need_weights + [cache] * (cache is not None)
        return out if len(results) == 1 else tuple(results)


def _first(result: Any) -> Any:
    return result[0] if isinstance(result, tuple) else result


class TransformerEncoderLayer(Layer):
    """Self-attention and two linear layers, each with dropout, a residual connection and layer normalization.

    src: ``[batch, length, d_model]``. normalize_before: normalize the inputs of both parts (pre-norm), else their sums.
    weight_attr, bias_attr: one for all, or a list of two: for the attention and for the linear layers.
    """

    def __init__(self, d_model: int, nhead: int, dim_feedforward: int, dropout: float = 0.1, activation: str = "relu",
                 attn_dropout: float | None = None, act_dropout: float | None = None, normalize_before: bool = False,
                 weight_attr: Any = None, bias_attr: Any = None, layer_norm_eps: float = 1e-05):
        super().__init__()
        self._config = {k: v for k, v in locals().items() if k not in ("self", "__class__")}
        weights, biases = _attrs(weight_attr, 2), _attrs(bias_attr, 2)
        self.normalize_before = normalize_before
        self.self_attn = MultiHeadAttention(d_model, nhead, dropout if attn_dropout is None else attn_dropout,
                                            weight_attr=weights[0], bias_attr=biases[0])
        self.linear1 = Linear(d_model, dim_feedforward, weights[1], biases[1])
        self.dropout = Dropout(dropout if act_dropout is None else act_dropout)
        self.linear2 = Linear(dim_feedforward, d_model, weights[1], biases[1])
        self.norm1, self.norm2 = LayerNorm(d_model, layer_norm_eps), LayerNorm(d_model, layer_norm_eps)
        self.dropout1, self.dropout2 = Dropout(dropout), Dropout(dropout)
        self.activation = getattr(F, activation)

    def forward(self, src: Tensor, src_mask: Tensor | None = None, cache: Any = None) -> Any:
        mask = additive_mask(src_mask, src.dtype)
        residual = src
        src = self.norm1(src) if self.normalize_before else src
        attended = self.self_attn(src, src, src, mask, cache)
        if cache is not None:
            cache = attended[-1]
        src = residual + self.dropout1(_first(attended))
        if not self.normalize_before:
            src = self.norm1(src)
        residual = src
        src = self.norm2(src) if self.normalize_before else src
        src = residual + self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(src)))))
        if not self.normalize_before:
            src = self.norm2(src)
        return src if cache is None else (src, cache)

    def gen_cache(self, src: Tensor) -> Any:
        """An empty cache for decoding step by step."""
        return self.self_attn.gen_cache(src, type=MultiHeadAttention.Cache)


def _copies(layer: Any, n: int) -> LayerList:
    """The layer, and n - 1 new ones made with the same arguments."""
    return LayerList([layer if i == 0 else type(layer)(**layer._config) for i in range(n)])


class TransformerEncoder(Layer):
    """A stack of encoder layers, the given one and new ones like it, with an optional last normalization."""

    def __init__(self, encoder_layer: Any, num_layers: int, norm: Any = None):
        super().__init__()
        self.layers, self.num_layers, self.norm = _copies(encoder_layer, num_layers), num_layers, norm

    def forward(self, src: Tensor, src_mask: Tensor | None = None, cache: Any = None) -> Any:
        mask = additive_mask(src_mask, src.dtype)
        output, caches = src, []
        for i, layer in enumerate(self.layers):
            if cache is None:
                output = layer(output, mask)
            else:
                output, new = layer(output, mask, cache[i])
                caches.append(new)
        if self.norm is not None:
            output = self.norm(output)
        return output if cache is None else (output, caches)

    def gen_cache(self, src: Tensor) -> list[Any]:
        """An empty cache for each layer."""
        return [layer.gen_cache(src) for layer in self.layers]


class TransformerDecoderLayer(Layer):
    """Self-attention, attention to an encoder's output, and two linear layers.

    tgt: ``[batch, length, d_model]``; memory: the encoder's output. weight_attr, bias_attr: one for all, or a list of
    three: for the two attentions and for the linear layers.
    """

    def __init__(self, d_model: int, nhead: int, dim_feedforward: int, dropout: float = 0.1, activation: str = "relu",
                 attn_dropout: float | None = None, act_dropout: float | None = None, normalize_before: bool = False,
                 weight_attr: Any = None, bias_attr: Any = None, layer_norm_eps: float = 1e-05):
        super().__init__()
        self._config = {k: v for k, v in locals().items() if k not in ("self", "__class__")}
        weights, biases = _attrs(weight_attr, 3), _attrs(bias_attr, 3)
        attn_dropout = dropout if attn_dropout is None else attn_dropout
        self.normalize_before = normalize_before
        self.self_attn = MultiHeadAttention(d_model, nhead, attn_dropout, weight_attr=weights[0], bias_attr=biases[0])
        self.cross_attn = MultiHeadAttention(d_model, nhead, attn_dropout, weight_attr=weights[1], bias_attr=biases[1])
        self.linear1 = Linear(d_model, dim_feedforward, weights[2], biases[2])
        self.dropout = Dropout(dropout if act_dropout is None else act_dropout)
        self.linear2 = Linear(dim_feedforward, d_model, weights[2], biases[2])
        self.norm1, self.norm2 = LayerNorm(d_model, layer_norm_eps), LayerNorm(d_model, layer_norm_eps)
        self.norm3 = LayerNorm(d_model, layer_norm_eps)
        self.dropout1, self.dropout2, self.dropout3 = Dropout(dropout), Dropout(dropout), Dropout(dropout)
        self.activation = getattr(F, activation)

    def forward(self, tgt: Tensor, memory: Tensor, tgt_mask: Tensor | None = None, memory_mask: Tensor | None = None,
                cache: Any = None) -> Any:
        tgt_mask, memory_mask = additive_mask(tgt_mask, tgt.dtype), additive_mask(memory_mask, memory.dtype)
        pre = self.normalize_before
        residual, x = tgt, self.norm1(tgt) if pre else tgt
        attended = self.self_attn(x, x, x, tgt_mask, None if cache is None else cache[0])
        x = residual + self.dropout1(_first(attended))
        x = x if pre else self.norm1(x)
        residual, y = x, self.norm2(x) if pre else x
        crossed = self.cross_attn(y, memory, memory, memory_mask, None if cache is None else cache[1])
        y = residual + self.dropout2(_first(crossed))
        y = y if pre else self.norm2(y)
        residual, z = y, self.norm3(y) if pre else y
        z = residual + self.dropout3(self.linear2(self.dropout(self.activation(self.linear1(z)))))
        z = z if pre else self.norm3(z)
        return z if cache is None else (z, (attended[-1], crossed[-1]))

    def gen_cache(self, memory: Tensor) -> tuple[Any, Any]:
        """An empty cache for the self-attention, and the projected memory for the other."""
        return (self.self_attn.gen_cache(memory, type=MultiHeadAttention.Cache),
                self.cross_attn.gen_cache(memory, memory, type=MultiHeadAttention.StaticCache))


class TransformerDecoder(Layer):
    """A stack of decoder layers, the given one and new ones like it, with an optional last normalization."""

    def __init__(self, decoder_layer: Any, num_layers: int, norm: Any = None):
        super().__init__()
        self.layers, self.num_layers, self.norm = _copies(decoder_layer, num_layers), num_layers, norm

    def forward(self, tgt: Tensor, memory: Tensor, tgt_mask: Tensor | None = None, memory_mask: Tensor | None = None,
                cache: Any = None) -> Any:
        tgt_mask, memory_mask = additive_mask(tgt_mask, tgt.dtype), additive_mask(memory_mask, memory.dtype)
        output, caches = tgt, []
        for i, layer in enumerate(self.layers):
            if cache is None:
                output = layer(output, memory, tgt_mask, memory_mask)
            else:
                output, new = layer(output, memory, tgt_mask, memory_mask, cache[i])
                caches.append(new)
        if self.norm is not None:
            output = self.norm(output)
        return output if cache is None else (output, caches)

    def gen_cache(self, memory: Tensor, do_zip: bool = False) -> list[Any]:
        """The caches of each layer; with `do_zip`, all of the one kind, then all of the other."""
        caches = [layer.gen_cache(memory) for layer in self.layers]
        return list(zip(*caches, strict=True)) if do_zip else caches


class Transformer(Layer):
    """An encoder and a decoder with the same settings, or custom ones.

    src, tgt: ``[batch, length, d_model]``; gives the decoder's output.
    """

    def __init__(self, d_model: int = 512, nhead: int = 8, num_encoder_layers: int = 6, num_decoder_layers: int = 6,
                 dim_feedforward: int = 2048, dropout: float = 0.1, activation: str = "relu",
                 attn_dropout: float | None = None, act_dropout: float | None = None, normalize_before: bool = False,
                 weight_attr: Any = None, bias_attr: Any = None, custom_encoder: Any = None,
                 custom_decoder: Any = None):
        super().__init__()
        common = (d_model, nhead, dim_feedforward, dropout, activation, attn_dropout, act_dropout, normalize_before)
        weights, biases = _split_attrs(weight_attr), _split_attrs(bias_attr)
        if custom_encoder is not None:
            self.encoder = custom_encoder
        else:
            layer = TransformerEncoderLayer(*common, weights[0], biases[0])
            self.encoder = TransformerEncoder(layer, num_encoder_layers, LayerNorm(d_model))
        if custom_decoder is not None:
            self.decoder = custom_decoder
        else:
            decoder_layer = TransformerDecoderLayer(*common, weights[1], biases[1])
            self.decoder = TransformerDecoder(decoder_layer, num_decoder_layers, LayerNorm(d_model))
        self.d_model, self.nhead = d_model, nhead

    def forward(self, src: Tensor, tgt: Tensor, src_mask: Tensor | None = None, tgt_mask: Tensor | None = None,
                memory_mask: Tensor | None = None) -> Tensor:
        memory = self.encoder(src, src_mask)
        return self.decoder(tgt, memory, tgt_mask, memory_mask)

    def generate_square_subsequent_mask(self, length: int) -> Tensor:
        """A mask that hides later positions: 0 on and below the diagonal, -inf above."""
        return wrap(jnp.asarray(np.triu(np.full((length, length), -np.inf, np.float32), 1)))


def _split_attrs(attr: Any) -> tuple[Any, Any]:
    """The attrs of encoder and decoder: two or three entries mean attention (, cross-attention) and linear layers."""
    if isinstance(attr, (list, tuple)):
        if len(attr) == 2:
            return list(attr), [attr[0], attr[0], attr[1]]
        if len(attr) == 3:
            return [attr[0], attr[2]], list(attr)
        if len(attr) != 1:
            raise ValueError(f"A list of attrs needs 1, 2 or 3 entries here, but got {len(attr)}.")
        attr = attr[0]
    return attr, attr


__all__ = ["MultiHeadAttention", "Transformer", "TransformerDecoder", "TransformerDecoderLayer", "TransformerEncoder",
           "TransformerEncoderLayer"]
