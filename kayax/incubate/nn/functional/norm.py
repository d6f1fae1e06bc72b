"""Normalization with what precedes it."""
from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax

from kayax.bridge.registry import op
from kayax.bridge.tensor import Tensor
from kayax.layers import functional as F

_NAME = "incubate.nn.functional."


def _no_quantization(quant_scale: float, function: str) -> None:
    if quant_scale > 0:
        raise NotImplementedError(f"{function} has no quantization: leave out quant_scale.")


def _entered(x, bias, residual, alpha):
    """What is normalized: the input with its bias and residual."""
    x = x if bias is None else x + bias
    return x if residual is None else x + alpha * residual


def _scaled(y, weight, bias, axes, dtype):
    shape = [y.shape[a] for a in axes]
    y = y if weight is None else y * weight.reshape(shape)
    return (y if bias is None else y + bias.reshape(shape)).astype(dtype)


@op(name=_NAME + "fused_layer_norm", amp="layer_norm")
def _layer_norm(x, weight, norm_bias, epsilon, alpha, begin, bias, residual):
    entered = _entered(x, bias, residual, alpha)
    axes = tuple(range(begin, x.ndim))
    wide = entered.astype(jnp.promote_types(entered.dtype, jnp.float32))
    mean = wide.mean(axes, keepdims=True)
    variance = jnp.square(wide - mean).mean(axes, keepdims=True)
    out = _scaled((wide - mean) * lax.rsqrt(variance + epsilon), weight, norm_bias, axes, x.dtype)
    return out, entered, mean.ravel(), variance.ravel()


def fused_layer_norm(x: Tensor, norm_weight: Tensor | None, norm_bias: Tensor | None, epsilon: float,
                     residual_alpha: float = 1.0, begin_norm_axis: int = 1, bias: Tensor | None = None,
                     residual: Tensor | None = None, quant_scale: float = -1, quant_round_type: float = 0,
                     quant_max_bound: float = 0, quant_min_bound: float = 0) -> tuple[Tensor, ...]:
    """Layer norm of ``x + bias + residual_alpha * residual`` over the axes from `begin_norm_axis`.

    Gives the result, what was normalized, and the means and variances, one for each normalized part.
    """
    _no_quantization(quant_scale, "fused_layer_norm")
    begin = begin_norm_axis % len(x.shape)
    return _layer_norm(x, norm_weight, norm_bias, float(epsilon), float(residual_alpha), begin, bias, residual)


@op(name=_NAME + "fused_rms_norm", amp="rms_norm")
def _rms_norm(x, weight, norm_bias, epsilon, begin, bias, residual):
    entered = _entered(x, bias, residual, 1.0)
    axes = tuple(range(begin, x.ndim))
    wide = entered.astype(jnp.promote_types(entered.dtype, jnp.float32))
    inverse = lax.rsqrt(jnp.square(wide).mean(axes, keepdims=True) + epsilon)
    return _scaled(wide * inverse, weight, norm_bias, axes, x.dtype), entered, inverse.ravel()


def fused_rms_norm(x: Tensor, norm_weight: Tensor, norm_bias: Tensor | None, epsilon: float, begin_norm_axis: int = 1,
                   bias: Tensor | None = None, residual: Tensor | None = None, quant_scale: float = -1,
                   quant_round_type: float = 0, quant_max_bound: float = 0,
                   quant_min_bound: float = 0) -> tuple[Tensor, Tensor]:
    """Root-mean-square norm of ``x + bias + residual`` over the axes from `begin_norm_axis`.

    Gives the result and what was normalized.
    """
    _no_quantization(quant_scale, "fused_rms_norm")
    ndim = len(x.shape)
    if not -ndim <= begin_norm_axis < ndim:
        raise ValueError(f"begin_norm_axis must be in [{-ndim}, {ndim}), but got {begin_norm_axis}.")
    out, entered, _ = _rms_norm(x, norm_weight, norm_bias, float(epsilon), begin_norm_axis % ndim, bias, residual)
    return out, entered


def fused_rms_norm_ext(x: Tensor, scale: Tensor, epsilon: float = 1e-5, name: str | None = None) -> tuple[Tensor, Any]:
    """Root-mean-square norm over the last axis, and the inverse roots."""
    out, _, inverse = _rms_norm(x, scale, None, float(epsilon), len(x.shape) - 1, None, None)
    return out, inverse


def fast_rms_norm(x: Tensor, scale: Tensor, epsilon: float = 1e-5) -> tuple[Tensor, Any]:
    """The same as `fused_rms_norm_ext`."""
    return fused_rms_norm_ext(x, scale, epsilon)


def fast_ln(x: Tensor, scale: Tensor, bias: Tensor, epsilon: float = 1e-5) -> tuple[Tensor, ...]:
    """Layer norm over the last axis, the means, and the inverse standard deviations."""
    out, _, mean, variance = _layer_norm(x, scale, bias, float(epsilon), 1.0, len(x.shape) - 1, None, None)
    return out, mean, (variance + epsilon).rsqrt()


def fused_dropout_add(x: Tensor, y: Tensor, p: float = 0.5, training: bool = True, mode: str = "upscale_in_train",
                      name: str | None = None) -> Tensor:
    """``dropout(x) + y``."""
    return F.dropout(x, p, training=training, mode=mode) + y


def fused_bias_dropout_residual_layer_norm(x: Tensor, residual: Tensor, bias: Tensor | None = None,
                                           ln_scale: Tensor | None = None, ln_bias: Tensor | None = None,
                                           dropout_rate: float = 0.5, ln_epsilon: float = 1e-5, training: bool = True,
                                           mode: str = "upscale_in_train", name: str | None = None) -> Tensor:
    """``layer_norm(residual + dropout(x + bias))`` over the last axis."""
    dropped = F.dropout(x if bias is None else x + bias, dropout_rate, training=training, mode=mode)
    return F.layer_norm(residual + dropped, [x.shape[-1]], ln_scale, ln_bias, ln_epsilon)
