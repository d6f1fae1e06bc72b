"""Normalization."""
from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from kayax.bridge.open_sizes import is_open
from kayax.bridge.registry import op
from kayax.bridge.staging import staged

_NAME = "nn.functional."
_LAST = ("NLC", "NHWC", "NDHWC")
_FIRST = ("NC", "NCL", "NCHW", "NCDHW")


def _channel_axis(x: Any, data_format: str) -> int:
    if data_format not in _FIRST + _LAST:
        raise ValueError(f"data_format must be one of {', '.join(_FIRST + _LAST)}, but got {data_format!r}.")
    if len(x.shape) < 2:
        raise ValueError(f"x must have at least 2 dimensions (batch and channels), but its shape is {list(x.shape)}.")
    return len(x.shape) - 1 if data_format in _LAST else 1


def _wide(x: Any) -> Any:
    """Statistics of half-precision numbers are computed in float32."""
    return x.astype(jnp.float32) if x.dtype.itemsize < 4 else x


def _along(values: Any, x: Any, axis: int, what: str) -> Any:
    """A vector with one value per channel, shaped to broadcast along `axis`."""
    if values.size != x.shape[axis]:
        raise ValueError(f"{what} must have {x.shape[axis]} elements, one per channel, but is {list(values.shape)}.")
    return values.reshape([-1 if i == axis else 1 for i in range(x.ndim)])


def _affine(normal: Any, weight: Any, bias: Any, x: Any, axis: int) -> Any:
    if weight is not None:
        normal = normal * _along(weight, x, axis, "weight")
    if bias is not None:
        normal = normal + _along(bias, x, axis, "bias")
    return normal.astype(x.dtype)


def _scale_shift(x: Any, mean: Any, var: Any, weight: Any, bias: Any, axis: int, epsilon: float) -> Any:
    """``(x - mean) / sqrt(var + epsilon) * weight + bias``; the factor is made from vectors, so x is read once."""
    factor = lax.rsqrt(var.reshape(-1) + epsilon)
    if weight is not None:
        _along(weight, x, axis, "weight")
        factor = factor * weight.reshape(-1)
    out = (_wide(x) - _along(mean, x, axis, "running_mean")) * _along(factor, x, axis, "running_var")
    return (out if bias is None else out + _along(bias, x, axis, "bias")).astype(x.dtype)


@op(name=_NAME + "batch_norm_train", amp="batch_norm")
def _batch_norm_train(x, running_mean, running_var, weight, bias, momentum, epsilon, data_format):
    """The normalized `x` and the new running mean and variance."""
    axis = _channel_axis(x, data_format)
    others = tuple(i for i in range(x.ndim) if i != axis)
    if all(x.shape[i] == 1 for i in others):
        return x, running_mean, running_var
    wide = _wide(x)
    mean = jnp.mean(wide, others)
    var = jnp.mean(lax.square(wide - _along(mean, x, axis, "mean")), others)
    out = _scale_shift(x, mean, var, weight, bias, axis, epsilon)
    fixed = lax.stop_gradient((mean, var))
    found = (out, *(_blend(old, new, momentum) for old, new in zip((running_mean, running_var), fixed, strict=True)))
    if not all(is_open(x.shape[i]) or x.shape[i] == 1 for i in others):
        return found
    alone = math.prod(jnp.asarray(x.shape[i]) for i in others) == 1         # that open sizes may turn out to be
    return tuple(jnp.where(alone, *pair) for pair in zip((x, running_mean, running_var), found, strict=True))


def _blend(old: Any, new: Any, momentum: float) -> Any:
    return (old * momentum + new.reshape(old.shape) * (1 - momentum)).astype(old.dtype)


@op(name=_NAME + "batch_norm_infer", amp="batch_norm")
def _batch_norm_infer(x, running_mean, running_var, weight, bias, epsilon, data_format):
    return _scale_shift(x, running_mean, running_var, weight, bias, _channel_axis(x, data_format), epsilon)


@staged
def batch_norm(x, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.9, epsilon=1e-05,
               data_format="NCHW", use_global_stats=None, name=None):
    """Normalize each channel over the batch and the spatial dimensions (Ioffe and Szegedy 2015).

    training: use the statistics of `x`, and move the running ones in place:
        ``running = running * momentum + batch * (1 - momentum)`` with the biased variance, as Paddle does.
        Otherwise, or with `use_global_stats`, the running statistics are used and stay.
    data_format: "NC", "NCL", "NCHW", "NCDHW", or with the channels last "NLC", "NHWC", "NDHWC".

    Where a channel has one value alone, training gives `x` as it is and moves nothing, as in Paddle. With
    training=False and use_global_stats=False the statistics are those of `x` as well, and unlike Paddle's the gradient
    is that of this function (Paddle 3.3's disagrees with finite differences there).
    """
    if (not training) if use_global_stats is None else use_global_stats:
        return _batch_norm_infer(x, running_mean, running_var, weight, bias, float(epsilon), data_format)
    out, mean, var = _batch_norm_train(x, running_mean, running_var, weight, bias, float(momentum), float(epsilon),
                                       data_format)
    running_mean.storage.array = mean.storage.array
    running_var.storage.array = var.storage.array
    return out


@op(name=_NAME + "layer_norm", amp="layer_norm")
def layer_norm(x, normalized_shape, weight=None, bias=None, epsilon=1e-05, name=None):
    """Normalize over the last dimensions, whose sizes are `normalized_shape` (Ba et al. 2016).

    weight, bias: of the shape `normalized_shape`, applied after. Statistics of half precision are in float32.
    """
    shape = tuple(normalized_shape) if isinstance(normalized_shape, (list, tuple)) else (normalized_shape,)
    if tuple(x.shape[x.ndim - len(shape):]) != shape:
        raise ValueError(f"The last dimensions of x must be {list(shape)} (normalized_shape), but its shape is "
                         f"{list(x.shape)}.")
    axes = tuple(range(x.ndim - len(shape), x.ndim))
    wide = _wide(x)
    mean = jnp.mean(wide, axes, keepdims=True)
    centered = wide - mean
    out = centered * lax.rsqrt(jnp.mean(lax.square(centered), axes, keepdims=True) + epsilon)
    if weight is not None:
        out = out * _shaped(weight, shape, "weight")
    if bias is not None:
        out = out + _shaped(bias, shape, "bias")
    return out.astype(x.dtype)


def _shaped(values: Any, shape: tuple, what: str) -> Any:
    if values.size != math.prod(shape):
        raise ValueError(f"{what} must have the shape {list(shape)} of normalized_shape, but got {list(values.shape)}.")
    return values.reshape(shape)


@op(name=_NAME + "rms_norm", amp="rms_norm")
def rms_norm(input, normalized_shape, weight=None, eps=1e-05, name=None):
    """``x / sqrt(mean(x ** 2) + eps) * weight`` over the last dimensions, and the inverse root (Zhang, Sennrich 2019).

    Returns the normalized Tensor and the inverse root mean square, of the shape of the leading dimensions.
    """
    shape = tuple(normalized_shape) if isinstance(normalized_shape, (list, tuple)) else (normalized_shape,)
    lead = input.ndim - len(shape)
    if tuple(input.shape[lead:]) != shape:
        raise ValueError(f"The last dimensions of input must be {list(shape)} (normalized_shape), but its shape is "
                         f"{list(input.shape)}.")
    wide = _wide(input)
    inverse = lax.rsqrt(jnp.mean(lax.square(wide), tuple(range(lead, input.ndim)), keepdims=True) + eps)
    out = wide * inverse
    if weight is not None:
        out = out * _shaped(weight, shape, "weight")
    return out.astype(input.dtype), inverse.reshape(input.shape[:lead])


@op(name=_NAME + "group_norm", amp="group_norm")
def group_norm(x, num_groups, epsilon=1e-05, weight=None, bias=None, data_format="NCHW", name=None):
    """Normalize each sample over each of `num_groups` groups of channels and all positions (Wu and He 2018).

    weight, bias: one per channel. data_format: "NC", "NCL", "NCHW", "NCDHW", or channels last.
    Without a weight Paddle 3.3's gradient on the CPU disagrees with finite differences; this one is with them.
    """
    axis = _channel_axis(x, data_format)
    channels = x.shape[axis]
    if num_groups < 1 or channels % num_groups:
        raise ValueError(f"num_groups must be positive and divide the {channels} channels, but got {num_groups}.")
    split = (*x.shape[:axis], num_groups, channels // num_groups, *x.shape[axis + 1:])
    grouped = _wide(x).reshape(split)
    others = [i for i in range(len(split)) if i not in (0, axis)]
    return _affine(_standardize(grouped, others, epsilon).reshape(x.shape), weight, bias, x, axis)


def _standardize(x: Any, axes: Any, epsilon: float) -> Any:
    axes = tuple(axes)
    centered = x - jnp.mean(x, axes, keepdims=True)
    return centered * lax.rsqrt(jnp.mean(lax.square(centered), axes, keepdims=True) + epsilon)


@op(name=_NAME + "instance_norm", amp="instance_norm")
def _instance_norm(x, weight, bias, eps, data_format):
    axis = _channel_axis(x, data_format)
    axes = [i for i in range(1, x.ndim) if i != axis]
    return _affine(_standardize(_wide(x), axes, eps), weight, bias, x, axis)


def instance_norm(x, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True, momentum=0.9,
                  eps=1e-05, data_format="NCHW", name=None):
    """Normalize each channel of each sample over its positions (Ulyanov et al. 2016).

    running_mean, running_var, use_input_stats and momentum are accepted and have no effect, as in Paddle: the
    statistics are always those of the input.
    """
    return _instance_norm(x, weight, bias, float(eps), data_format)


@op(name=_NAME + "local_response_norm", amp="lrn")
def local_response_norm(x, size, alpha=0.0001, beta=0.75, k=1.0, data_format="NCHW", name=None):
    """``x / (k + alpha * mean of x ** 2 over `size` neighbouring channels) ** beta`` (Krizhevsky et al. 2012)."""
    if data_format not in ("NCL", "NLC", "NCHW", "NHWC", "NCDHW", "NDHWC"):
        raise ValueError(f"data_format must be NCL, NLC, NCHW, NHWC, NCDHW or NDHWC, but got {data_format!r}.")
    if x.ndim < 3:
        raise ValueError(f"x must have at least 3 dimensions, but its shape is {list(x.shape)}.")
    axis = _channel_axis(x, data_format)
    window = [size if i == axis else 1 for i in range(x.ndim)]
    around = [(size // 2, (size - 1) // 2) if i == axis else (0, 0) for i in range(x.ndim)]
    total = lax.reduce_window(lax.square(x), np.zeros((), x.dtype)[()], lax.add, window, (1,) * x.ndim, around)
    return x / (k + alpha * total / size) ** beta


@op(name=_NAME + "normalize", amp="norm")
def _normalize(x, p, axis, epsilon):
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(f"axis must be in [-{x.ndim}, {x.ndim}) for a Tensor of shape {list(x.shape)}, not {axis}.")
    if p == 2:
        squares = jnp.sum(lax.square(x), axis, keepdims=True)
        root = jnp.sqrt(jnp.where(squares > 0, squares, 1))     # no nan in the gradient at 0
        norm = jnp.where(squares > 0, root, 0)
        return x / jnp.maximum(norm, epsilon)
    return x / jnp.maximum(jnp.linalg.norm(x, p, axis, keepdims=True), epsilon)


def normalize(x, p=2, axis=1, epsilon=1e-12, out=None, name=None):
    """``x / max(norm of x along axis, epsilon)`` with the p-norm. A 1-D `x` is normalized whole."""
    result = _normalize(x, p, 0 if len(x.shape) == 1 else axis, float(epsilon))
    return result if out is None else out._rebind(result)


__all__ = ["batch_norm", "group_norm", "instance_norm", "layer_norm", "local_response_norm", "normalize", "rms_norm"]
