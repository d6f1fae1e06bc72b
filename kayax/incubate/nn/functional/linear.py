"""Products with what follows them."""
from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from kayax.bridge.registry import op
from kayax.bridge.tensor import Tensor
from kayax.layers import functional as F

_NAME = "incubate.nn.functional."
_ACTIVATIONS: dict[Any, Any] = {
    "gelu": lambda x: jax.nn.gelu(x, approximate=False), "relu": jax.nn.relu, "silu": jax.nn.silu,
    "swish": jax.nn.silu, "sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh, None: lambda x: x, "none": lambda x: x,
}


def _activated(x, name):
    if name not in _ACTIVATIONS:
        raise ValueError(f"The activation must be one of {', '.join(n for n in _ACTIVATIONS if n)}, but got {name!r}.")
    return _ACTIVATIONS[name](x)


@op(name=_NAME + "fused_linear_activation", amp="fused_gemm_epilogue")
def fused_linear_activation(x, y, bias, trans_x=False, trans_y=False, activation=None):
    """``activation(x @ y + bias)``, either matrix transposed if told. activation: "gelu", "relu", "none" or None."""
    x = jnp.swapaxes(x, -1, -2) if trans_x else x
    y = jnp.swapaxes(y, -1, -2) if trans_y else y
    product = x @ y
    return _activated(product if bias is None else product + bias, activation)


def fused_matmul_bias(x: Tensor, y: Tensor, bias: Tensor | None = None, transpose_x: bool = False,
                      transpose_y: bool = False, name: str | None = None) -> Tensor:
    """``x @ y + bias``, either matrix transposed if told."""
    return fused_linear_activation(x, y, bias, transpose_x, transpose_y)


def fused_linear(x: Tensor, weight: Tensor, bias: Tensor | None = None, transpose_weight: bool = False,
                 name: str | None = None) -> Tensor:
    """``x @ weight + bias``, the weight transposed if told."""
    return fused_linear_activation(x, weight, bias, False, transpose_weight)


@op(name=_NAME + "fused_bias_act")
def _bias_act(x, bias, act_method):
    x = x if bias is None else x + bias
    if act_method in ("swiglu", "geglu"):
        gate, value = jnp.split(x, 2, -1)
        return _activated(gate, "silu" if act_method == "swiglu" else "gelu") * value
    return _activated(x, act_method)


def fused_bias_act(x: Tensor, bias: Tensor | None = None, dequant_scales: Tensor | None = None,
                   shift: Tensor | None = None, smooth: Tensor | None = None, act_method: str = "gelu",
                   compute_dtype: str = "default", quant_scale: float = -1, quant_round_type: int = 0,
                   quant_max_bound: float = 0, quant_min_bound: float = 0) -> Tensor:
    """``activation(x + bias)``; "swiglu" and "geglu" halve the last axis. Quantization is not available."""
    if any(v is not None for v in (dequant_scales, shift, smooth)) or quant_scale > 0:
        raise NotImplementedError("fused_bias_act has no quantization: leave out dequant_scales, shift, smooth and "
                                  "quant_scale.")
    return _bias_act(x, bias, act_method)


def fused_feedforward(x: Tensor, linear1_weight: Tensor, linear2_weight: Tensor, linear1_bias: Tensor | None = None,
                      linear2_bias: Tensor | None = None, ln1_scale: Tensor | None = None,
                      ln1_bias: Tensor | None = None, ln2_scale: Tensor | None = None, ln2_bias: Tensor | None = None,
                      dropout1_rate: float = 0.5, dropout2_rate: float = 0.5, activation: str = "relu",
                      ln1_epsilon: float = 1e-5, ln2_epsilon: float = 1e-5, pre_layer_norm: bool = False,
                      training: bool = True, mode: str = "upscale_in_train", ring_id: int = -1,
                      add_residual: bool = True, name: str | None = None) -> Tensor:
    """A Transformer's feed-forward block, [..., features]: layer norm before it (`pre_layer_norm`) or behind it.

    ``residual + dropout2(linear2(dropout1(activation(linear1(x)))))``. `ring_id` is accepted and has no effect.
    """
    size = [x.shape[-1]]
    inner = F.layer_norm(x, size, ln1_scale, ln1_bias, ln1_epsilon) if pre_layer_norm else x
    hidden = fused_linear_activation(inner, linear1_weight, linear1_bias, False, False, activation)
    hidden = F.dropout(hidden, dropout1_rate, training=training, mode=mode)
    out = F.dropout(fused_linear(hidden, linear2_weight, linear2_bias), dropout2_rate, training=training, mode=mode)
    out = x + out if add_residual else out
    return out if pre_layer_norm else F.layer_norm(out, size, ln2_scale, ln2_bias, ln2_epsilon)
