"""Dropout in its variants. Without training the composites give `x` again, and no random number is drawn."""
from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from kayax.bridge.ops.creation import unshared
from kayax.bridge.registry import op
from kayax.bridge.staging import staged

_NAME = "nn.functional."


def keep(key: Any, probability: float, shape: Any) -> Any:
    """A mask that is True with `probability`: compared as integers, without a detour over floating numbers."""
    return jax.random.bits(key, shape, jnp.uint32) < jnp.uint32(min(round(probability * 2 ** 32), 2 ** 32 - 1))


@op(name=_NAME + "dropout", random=True, amp="dropout")
def _dropout(key, x, p, axes, upscale):
    shape = x.shape if axes is None else tuple(s if i in axes else 1 for i, s in enumerate(x.shape))
    _need_floats(x)
    if p == 1:
        return jnp.zeros_like(x)
    factor = 1 / (1 - p) if upscale else 1
    return jnp.where(keep(key, 1 - p, shape), x * factor if upscale else x, jnp.zeros((), x.dtype))


def _need_floats(x: Any) -> None:
    if not jnp.issubdtype(x.dtype, jnp.inexact):
        raise TypeError(f"Dropout rescales what it keeps, so x must be floating, but its dtype is {x.dtype.name}. "
                        "Cast it first: x.astype('float32').")


def _probability(p: Any) -> float:
    p = float(p)
    if not 0 <= p <= 1:
        raise ValueError(f"p must be in [0, 1], but got {p}.")
    return p


@staged
def dropout(x, p=0.5, axis=None, training=True, inplace=False, mode="upscale_in_train", name=None):
    """Set elements to 0 with probability `p` (Srivastava et al. 2014).

    axis: the axes along which elements are dropped independently; the mask is the same along all others.
    training: without it, `x` is returned (mode "upscale_in_train") or ``x * (1 - p)`` ("downscale_in_infer").
    mode: "upscale_in_train" divides what is kept by 1 - p while training; "downscale_in_infer" leaves it.
    """
    if mode not in ("upscale_in_train", "downscale_in_infer"):
        raise ValueError(f"mode must be 'upscale_in_train' or 'downscale_in_infer', but got {mode!r}.")
    p = _probability(p)
    upscale = mode == "upscale_in_train"
    if not training:
        return x if p == 0 else unshared(x) if upscale else x * (1.0 - p)
    if p == 0:
        return x
    return _finish(x, _dropout(x, p, _axes(axis, len(x.shape)), upscale), inplace)


def _finish(x: Any, out: Any, inplace: bool) -> Any:
    return x._rebind(out) if inplace else out


def _axes(axis: Any, ndim: int) -> tuple[int, ...] | None:
    if axis is None:
        return None
    axes = tuple(axis) if isinstance(axis, (list, tuple)) else (axis,)
    if any(not 0 <= a < ndim for a in axes) or len(axes) > ndim:
        raise ValueError(f"axis must be in [0, {ndim}), but got {axis!r}.")
    return axes


@staged
def dropout1d(input, p=0.5, training=True, inplace=False):
    """Set whole channels of [N, C, L] or [C, L] to 0 with probability `p`."""
    if len(input.shape) not in (2, 3):
        raise ValueError(f"input must have 2 or 3 dimensions, but its shape is {list(input.shape)}.")
    return dropout(input, p, [0, 1] if len(input.shape) == 3 else [0], training, inplace)


@staged
def dropout2d(x, p=0.5, training=True, data_format="NCHW", name=None):
    """Set whole channels of a batch of images to 0 with probability `p` (Tompson et al. 2014)."""
    if data_format not in ("NCHW", "NHWC"):
        raise ValueError(f"data_format must be 'NCHW' or 'NHWC', but got {data_format!r}.")
    if len(x.shape) != 4:
        raise ValueError(f"x must have 4 dimensions, but its shape is {list(x.shape)}.")
    return dropout(x, p, [0, 1] if data_format == "NCHW" else [0, 3], training)


@staged
def dropout3d(x, p=0.5, training=True, data_format="NCDHW", name=None):
    """Set whole channels of a batch of volumes to 0 with probability `p`."""
    if data_format not in ("NCDHW", "NDHWC"):
        raise ValueError(f"data_format must be 'NCDHW' or 'NDHWC', but got {data_format!r}.")
    if len(x.shape) != 5:
        raise ValueError(f"x must have 5 dimensions, but its shape is {list(x.shape)}.")
    return dropout(x, p, [0, 1] if data_format == "NCDHW" else [0, 4], training)


_SELU_FLOOR = -1.6732632423543772 * 1.0507009873554805      # what SELU tends to for very negative inputs


@op(name=_NAME + "alpha_dropout", random=True, amp="alpha_dropout")
def _alpha_dropout(key, x, p, by_channel):
    _need_floats(x)
    if p == 1:
        return jnp.zeros_like(x)
    shape = (*x.shape[:2], *(1,) * (x.ndim - 2)) if by_channel else x.shape
    a = ((1 - p) * (1 + p * _SELU_FLOOR ** 2)) ** -0.5
    b = -a * _SELU_FLOOR * p
    return (jnp.where(keep(key, 1 - p, shape), x, _SELU_FLOOR) * a + b).astype(x.dtype)


@staged
def alpha_dropout(x, p=0.5, training=True, name=None):
    """Dropout for SELU: elements become its floor, then all are rescaled to the old mean and variance.

    After Klambauer et al. 2017.
    """
    p = _probability(p)
    return _alpha_dropout(x, p, False) if training and p else unshared(x) if training else x


@staged
def feature_alpha_dropout(x, p=0.5, training=True, name=None):
    """`alpha_dropout` of whole channels of [N, C, ...]."""
    if len(x.shape) < 2:
        raise ValueError(f"x must have at least 2 dimensions, but its shape is {list(x.shape)}.")
    p = _probability(p)
    return _alpha_dropout(x, p, True) if training and p else x


__all__ = ["alpha_dropout", "dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout"]
