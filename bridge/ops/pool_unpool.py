"""Unpooling: the values of a max pool put back where they came from."""
from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from kayax.bridge.ops.windows import need_rank, pads, per_dim, prod
from kayax.bridge.registry import op

_NAME = "nn.functional."


def _unpool(n: int, x: Any, indices: Any, kernel: Any, stride: Any, padding: Any, output_size: Any,
            data_format: str) -> Any:
    need_rank(x, n)
    if data_format[1] != "C":
        raise ValueError(f"Only the channels-second format is supported, but data_format is {data_format!r}.")
    if tuple(indices.shape) != tuple(x.shape):
        raise ValueError(f"indices must have the shape of x, {list(x.shape)}, but got {list(indices.shape)}.")
    kernel = per_dim(kernel, n, "kernel_size")
    stride = kernel if stride is None else per_dim(stride, n, "stride")
    pairs: Any = pads(padding, n, False)
    default = [(size - 1) * s - sum(p) + k for size, s, p, k in zip(x.shape[2:], stride, pairs, kernel, strict=True)]
    sizes = default if output_size is None else tuple(output_size)[-n:]
    lead = x.shape[:2]
    flat = indices.reshape(*lead, prod(indices.shape[2:]))
    rows, channels = jnp.arange(lead[0])[:, None, None], jnp.arange(lead[1])[None, :, None]
    out = jnp.zeros((*lead, prod(sizes)), x.dtype).at[rows, channels, flat].set(x.reshape(flat.shape))
    return out.reshape(*lead, *sizes)


@op(name=_NAME + "max_unpool1d", amp="unpool", static=("output_size",))
def max_unpool1d(x, indices, kernel_size, stride=None, padding=0, data_format="NCL", output_size=None, name=None):
    """The inverse of `max_pool1d` with ``return_mask=True``: values at their `indices`, and 0 elsewhere."""
    return _unpool(1, x, indices, kernel_size, stride, padding, output_size, data_format)


@op(name=_NAME + "max_unpool2d", amp="unpool", static=("output_size",))
def max_unpool2d(x, indices, kernel_size, stride=None, padding=0, data_format="NCHW", output_size=None, name=None):
    """The inverse of `max_pool2d` with ``return_mask=True``: values at their `indices`, and 0 elsewhere."""
    return _unpool(2, x, indices, kernel_size, stride, padding, output_size, data_format)


@op(name=_NAME + "max_unpool3d", amp="unpool3d", static=("output_size",))
def max_unpool3d(x, indices, kernel_size, stride=None, padding=0, data_format="NCDHW", output_size=None, name=None):
    """The inverse of `max_pool3d` with ``return_mask=True``: values at their `indices`, and 0 elsewhere."""
    return _unpool(3, x, indices, kernel_size, stride, padding, output_size, data_format)


__all__ = ["max_unpool1d", "max_unpool2d", "max_unpool3d"]
