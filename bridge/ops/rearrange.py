"""Moving elements between channels and positions."""
from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax

from kayax.bridge.ops.windows import channels_last, need_rank, per_dim
from kayax.bridge.registry import op

_NAME = "nn.functional."


def _image(x: Any, data_format: str) -> bool:
    need_rank(x, 2)
    return channels_last(data_format, 2)


@op(name=_NAME + "pixel_shuffle", amp="pixel_shuffle")
def pixel_shuffle(x, upscale_factor, data_format="NCHW", name=None):
    """Channels to positions: [N, C r r, H, W] becomes [N, C, H r, W r] (Shi et al. 2016)."""
    r, last = upscale_factor, _image(x, data_format)
    if x.shape[-1 if last else 1] % (r * r):
        raise ValueError(f"The number of channels must be a multiple of {r * r}, but the shape is {list(x.shape)}.")
    if last:
        n, h, w, c = x.shape
        return x.reshape(n, h, w, c // (r * r), r, r).transpose(0, 1, 4, 2, 5, 3).reshape(n, h * r, w * r, c // (r * r))
    n, c, h, w = x.shape
    return x.reshape(n, c // (r * r), r, r, h, w).transpose(0, 1, 4, 2, 5, 3).reshape(n, c // (r * r), h * r, w * r)


@op(name=_NAME + "pixel_unshuffle", amp="pixel_unshuffle")
def pixel_unshuffle(x, downscale_factor, data_format="NCHW", name=None):
    """Positions to channels: [N, C, H r, W r] becomes [N, C r r, H, W]."""
    r, last = downscale_factor, _image(x, data_format)
    n, c, h, w = (x.shape[i] for i in ((0, 3, 1, 2) if last else (0, 1, 2, 3)))
    if h % r or w % r:
        raise ValueError(f"Height and width must be multiples of {r}, but the shape is {list(x.shape)}.")
    if last:
        return x.reshape(n, h // r, r, w // r, r, c).transpose(0, 1, 3, 5, 2, 4).reshape(n, h // r, w // r, c * r * r)
    return x.reshape(n, c, h // r, r, w // r, r).transpose(0, 1, 3, 5, 2, 4).reshape(n, c * r * r, h // r, w // r)


@op(name=_NAME + "channel_shuffle", amp="channel_shuffle")
def channel_shuffle(x, groups, data_format="NCHW", name=None):
    """The channels of `groups` groups interleaved (Zhang et al. 2017, ShuffleNet)."""
    axis = 3 if _image(x, data_format) else 1
    channels = x.shape[axis]
    if groups <= 0 or channels % groups:
        raise ValueError(f"groups must be positive and divide the {channels} channels, but got {groups}.")
    split = x.reshape(*x.shape[:axis], groups, channels // groups, *x.shape[axis + 1:])
    return jnp.swapaxes(split, axis, axis + 1).reshape(x.shape)


@op(name=_NAME + "temporal_shift", amp="temporal_shift")
def temporal_shift(x, seg_num, shift_ratio=0.25, name=None, data_format="NCHW"):
    """Shift shares of the channels by one step in time: x is [N * seg_num, C, H, W] (Lin et al. 2018).

    The first ``shift_ratio`` of the channels comes from the step before, the next share from the step after.
    """
    last = _image(x, data_format)
    if not 0 < shift_ratio < 0.5:
        raise ValueError(f"shift_ratio must be in (0, 0.5), but got {shift_ratio}.")
    axis = 4 if last else 2
    steps = x.reshape(x.shape[0] // seg_num, seg_num, *x.shape[1:])
    channels = steps.shape[axis]
    first, second = int(channels * shift_ratio), int(channels * 2 * shift_ratio)

    def part(start, stop):
        return lax.slice_in_dim(steps, start, stop, axis=axis)

    empty = [(0, 0)] * 5
    before = jnp.pad(part(0, first)[:, :-1], [empty[0], (1, 0), *empty[2:]])
    after = jnp.pad(part(first, second)[:, 1:], [empty[0], (0, 1), *empty[2:]])
    return jnp.concatenate([before, after, part(second, channels)], axis).reshape(x.shape)


def _four(paddings: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    """Paddings as pairs of height and width: one number, [h, w], or [top, left, bottom, right]."""
    if isinstance(paddings, (list, tuple)) and len(paddings) == 4:
        return (paddings[0], paddings[2]), (paddings[1], paddings[3])
    h, w = per_dim(paddings, 2, "paddings")
    return (h, h), (w, w)


def _grid(size: Any, kernel: Any, stride: Any, dilation: Any, pads: Any) -> tuple[int, int]:
    return tuple((s + sum(p) - d * (k - 1) - 1) // t + 1
                 for s, k, t, d, p in zip(size, kernel, stride, dilation, pads, strict=True))     # type: ignore[return-value]


def _columns(x: Any, kernel: Any, stride: Any, dilation: Any, pads: Any) -> Any:
    """[N, C, H, W] to [N, C, kh, kw, oh, ow]: one strided slice for each position in the kernel."""
    oh, ow = _grid(x.shape[2:], kernel, stride, dilation, pads)
    x = jnp.pad(x, [(0, 0), (0, 0), *pads])
    rows = []
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            top, left = i * dilation[0], j * dilation[1]
            rows.append(x[:, :, top:top + (oh - 1) * stride[0] + 1:stride[0],
                          left:left + (ow - 1) * stride[1] + 1:stride[1]])
    return jnp.stack(rows, 2)


@op(name=_NAME + "unfold", amp="unfold")
def unfold(x, kernel_sizes, strides=1, paddings=0, dilations=1, name=None):
    """The patches of images as columns (im2col): [N, C, H, W] becomes [N, C kh kw, number of patches].

    paddings: one number, [h, w] or [top, left, bottom, right].
    """
    need_rank(x, 2)
    kernel, stride, dilation = (per_dim(v, 2, w) for v, w in
                                ((kernel_sizes, "kernel_sizes"), (strides, "strides"), (dilations, "dilations")))
    columns = _columns(x, kernel, stride, dilation, _four(paddings))
    return columns.reshape(x.shape[0], x.shape[1] * kernel[0] * kernel[1], columns.shape[-2] * columns.shape[-1])


@op(name=_NAME + "fold", amp="fold")
def fold(x, output_sizes, kernel_sizes, strides=1, paddings=0, dilations=1, name=None):
    """Columns summed back to images (col2im): [N, C kh kw, number of patches] becomes [N, C, *output_sizes]."""
    if x.ndim != 3:
        raise ValueError(f"x must have 3 dimensions [N, C kh kw, patches], but its shape is {list(x.shape)}.")
    size, kernel, stride, dilation = (per_dim(v, 2, w) for v, w in (
        (output_sizes, "output_sizes"), (kernel_sizes, "kernel_sizes"), (strides, "strides"), (dilations, "dilations")))
    pads = _four(paddings)
    oh, ow = _grid(size, kernel, stride, dilation, pads)
    area = kernel[0] * kernel[1]
    if x.shape[1] % area or x.shape[2] != oh * ow:
        raise ValueError(f"x must be [N, multiple of {area}, {oh * ow}] for these sizes, but is {list(x.shape)}.")
    channels = x.shape[1] // area
    columns = x.reshape(x.shape[0], channels, *kernel, oh, ow)
    height, width = size[0] + sum(pads[0]), size[1] + sum(pads[1])
    out = jnp.zeros((x.shape[0], channels, height, width), x.dtype)
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            top, left = i * dilation[0], j * dilation[1]
            out = out.at[:, :, top:top + (oh - 1) * stride[0] + 1:stride[0],
                         left:left + (ow - 1) * stride[1] + 1:stride[1]].add(columns[:, :, i, j])
    return out[:, :, pads[0][0]:pads[0][0] + size[0], pads[1][0]:pads[1][0] + size[1]]


__all__ = ["channel_shuffle", "fold", "pixel_shuffle", "pixel_unshuffle", "temporal_shift", "unfold"]
