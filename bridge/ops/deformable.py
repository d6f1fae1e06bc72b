"""Deformable convolution."""
from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from kayax.bridge.ops.conv import add_bias, check
from kayax.bridge.ops.windows import per_dim, positive
from kayax.bridge.registry import op


def _sampled(x, y_at, x_at):
    """`x` [N, groups, channels, H, W] between its elements, at positions [N, groups, points]; zero outside."""
    *lead, height, width = x.shape
    flat = x.reshape(*lead, height * width)
    top, left = jnp.floor(y_at), jnp.floor(x_at)
    total: Any = 0.0
    for dy in (0, 1):
        for dx in (0, 1):
            row, column = top + dy, left + dx
            weight = (1 - jnp.abs(y_at - row)) * (1 - jnp.abs(x_at - column))
            inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
            index = jnp.where(inside, row * width + column, 0).astype(jnp.int32)
            found = jnp.take_along_axis(flat, index[:, :, None], -1)
            total = total + jnp.where(inside, weight, 0)[:, :, None] * found
    return total


def _places(offset, kernel, stride, padding, dilation, groups):
    """Where each element of the kernel looks, [N, groups, kernel elements, outputs], rows and columns."""
    n, _, out_h, out_w = offset.shape
    shifts = offset.reshape(n, groups, kernel[0] * kernel[1], 2, out_h, out_w)
    found = []
    for axis, size in enumerate((out_h, out_w)):
        start = jnp.arange(size) * stride[axis] - padding[axis]
        start = start[:, None] if axis == 0 else start
        tap = jnp.arange(kernel[axis]) * dilation[axis]
        tap = jnp.repeat(tap, kernel[1]) if axis == 0 else jnp.tile(tap, kernel[0])
        found.append((tap[:, None, None] + start + shifts[:, :, :, axis]).reshape(n, groups, kernel[0] * kernel[1], -1))
    return found


@op(name="deform_conv2d", residuals=True, amp="deformable_conv")
def deform_conv2d(x, offset, weight, bias=None, stride=1, padding=0, dilation=1, deformable_groups=1, groups=1,
                  mask=None, name=None):
    """Convolution whose kernel elements look `offset` further (Dai et al., 2017), weighed by `mask` (Zhu et al., 2019).

    x: [N, C, H, W]. weight: [out channels, C / groups, *kernel]. offset: [N, 2 * deformable_groups * kernel elements,
    out height, out width], row and column in turn. mask: [N, deformable_groups * kernel elements, out height, out
    width]. The deformable_groups share the channels of `x`. Between its elements values are interpolated, outside zero.
    """
    check(x, weight, 2, False, groups, 1)
    stride, padding = per_dim(stride, 2, "stride"), per_dim(padding, 2, "padding")
    dilation = per_dim(dilation, 2, "dilation")
    positive(stride, "stride")
    positive(dilation, "dilation")
    n, channels, *size = x.shape
    out, _, *kernel = weight.shape
    taps = kernel[0] * kernel[1]
    outs = [(s + 2 * p - d * (k - 1) - 1) // t + 1 for s, p, d, k, t in zip(size, padding, dilation, kernel, stride,
                                                                        strict=True)]
    if channels % deformable_groups:
        raise ValueError(f"deformable_groups must divide the {channels} channels of x, but is {deformable_groups}.")
    _need_shape("offset", offset, (n, 2 * deformable_groups * taps, *outs))
    rows, columns = _places(offset.astype(x.dtype), kernel, stride, padding, dilation, deformable_groups)
    points = (n, deformable_groups, taps * outs[0] * outs[1])
    parts = _sampled(x.reshape(n, deformable_groups, -1, *size), rows.reshape(points), columns.reshape(points))
    if mask is not None:
        _need_shape("mask", mask, (n, deformable_groups * taps, *outs))
        parts = parts * mask.astype(x.dtype).reshape(n, deformable_groups, 1, -1)
    parts = parts.reshape(n, groups, (channels // groups) * taps, -1)
    kernels = weight.reshape(groups, out // groups, -1)
    y = jnp.einsum("goc,ngcp->ngop", kernels, parts).reshape(n, out, *outs)
    return add_bias(y, bias, 2, False)


def _need_shape(name, x, shape):
    if tuple(x.shape) != shape:
        raise ValueError(f"{name} must have the shape {list(shape)}, but it is {list(x.shape)}.")
