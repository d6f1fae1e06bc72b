"""Linear layers of large models with weights of 8 bits (Dettmers et al. 2022)."""
from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from kayax.bridge.registry import op
from kayax.bridge.tensor import Tensor
from kayax.spec.dtype import to_numpy

_ALGORITHMS = ("weight_only_int8", "llm.int8")


def _known(algo: str) -> None:
    if algo not in _ALGORITHMS:
        raise NotImplementedError(f"The algorithm must be one of {', '.join(_ALGORITHMS)}, but got {algo!r}. "
                                  "4 bits are not available here.")


def _per_row(scale: Any, group: int) -> Any:
    """A scale [out, in or 1] from one for each output [out], or for each group of inputs too [groups, out]."""
    return scale[:, None] if scale.ndim == 1 else jnp.repeat(scale.T, group, 1)


@op(name="nn.quant.weight_quantize", differentiable=False)
def _quantize(x, group, half):
    columns = x.astype(jnp.float32).T                               # [out, in]
    grouped = columns if group == -1 else columns.reshape(columns.shape[0], -1, group)
    scale = jnp.max(jnp.abs(grouped), -1) / 127.0
    wide = _per_row(scale if group == -1 else scale.T, group)
    whole = jnp.clip(jnp.round(columns / jnp.where(wide == 0, 1, wide)), -127, 127).astype(jnp.int8)
    scale = scale if group == -1 else scale.T
    return whole, scale.astype(x.dtype) if half else scale


def weight_quantize(x: Tensor, algo: str = "weight_only_int8", arch: int | None = None,
                    group_size: int = -1) -> tuple[Tensor, Tensor]:
    """A weight [in, out] as int8 [out, in] and its scales: the largest magnitude over 127 is 1.

    algo: "weight_only_int8", whose scales have the dtype of x, or "llm.int8", with float32 scales. arch: accepted.
    group_size: inputs that share a scale, 64 or 128, for scales [groups, out]; -1 for scales [out].
    """
    _known(algo)
    if group_size not in (-1, 64, 128):
        raise ValueError(f"group_size must be -1, 64 or 128, but got {group_size}.")
    return _quantize(x, group_size, algo == "weight_only_int8")


@op(name="nn.quant.weight_dequantize", differentiable=False)
def _dequantize(x, scale, dtype, group):
    return (x.astype(jnp.float32) * _per_row(scale.astype(jnp.float32), group)).T.astype(to_numpy(dtype))


def weight_dequantize(x: Tensor, scale: Tensor, algo: str = "weight_only_int8", out_dtype: Any = "float16",
                      group_size: int = -1) -> Tensor:
    """The weight [in, out] of `weight_quantize`'s results, in `out_dtype`."""
    _known(algo)
    return _dequantize(x, scale, out_dtype, group_size)


@op(name="nn.quant.weight_only_linear", amp="linear")
def _linear(x, weight, scale, bias, group):
    out = x @ (weight.astype(jnp.float32) * _per_row(scale.astype(jnp.float32), group)).T.astype(x.dtype)
    return out if bias is None else out + bias


def weight_only_linear(x: Tensor, weight: Tensor, bias: Tensor | None = None, weight_scale: Tensor | None = None,
                       weight_dtype: str = "int8", arch: int | None = None, group_size: int = -1) -> Tensor:
    """``x @ weight + bias`` with a weight from `weight_quantize`: x [..., in], weight int8 [out, in].

    weight_scale: its scales. weight_dtype: "int8". arch: accepted.
    """
    if weight_dtype != "int8":
        raise NotImplementedError(f"weight_dtype must be 'int8', but got {weight_dtype!r}.")
    if weight_scale is None:
        raise ValueError("weight_scale must be given: the second result of weight_quantize.")
    return _linear(x, weight, weight_scale, bias, group_size)


def llm_int8_linear(x: Tensor, weight: Tensor, bias: Tensor | None = None, weight_scale: Tensor | None = None,
                    threshold: float = 6.0) -> Tensor:
    """`weight_only_linear` with a weight of the algorithm "llm.int8".

    The input stays as it is; Paddle's kernel rounds what lies below `threshold` to 8 bits, too.
    """
    return weight_only_linear(x, weight, bias, weight_scale)
