"""Convolutions."""
from __future__ import annotations

from typing import Any

from jax import lax

from kayax.bridge.errors import ArgumentError
from kayax.bridge.ops.conv_forms import Window, convolve
from kayax.bridge.ops.windows import channels_last, need_rank, per_dim, positive, resolve, spatial
from kayax.bridge.registry import op


def check(x: Any, weight: Any, n: int, last: bool, groups: int, in_axis: int) -> None:
    """Errors for ranks, types and channel counts that do not fit; `in_axis` is the weight's axis of input channels."""
    need_rank(x, n)
    need_rank(weight, n, "weight")
    if x.dtype != weight.dtype:
        raise ArgumentError(f"x and weight must have one dtype, but are {x.dtype.name} and {weight.dtype.name}.")
    channels = x.shape[-1 if last else 1]
    expected = weight.shape[in_axis] * (groups if in_axis == 1 else 1)
    if channels != expected:
        raise ValueError(f"x of shape {list(x.shape)} has {channels} channels, but a weight of shape "
                         f"{list(weight.shape)} with groups={groups} takes {expected}.")
    if groups < 1 or weight.shape[0] % groups:
        raise ValueError(f"groups must be positive and divide {weight.shape[0]} channels, but got {groups}.")


def add_bias(y: Any, bias: Any, n: int, last: bool) -> Any:
    if bias is None:
        return y
    channels = y.shape[-1 if last else 1]
    if bias.size != channels:
        raise ValueError(f"bias must have {channels} elements, one per output channel, but is {list(bias.shape)}.")
    return y + (bias.reshape(-1) if last else bias.reshape((-1,) + (1,) * n)).astype(y.dtype)


def _conv(n: int, x: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int,
          data_format: str) -> Any:
    last = channels_last(data_format, n)
    check(x, weight, n, last, groups, 1)
    stride, dilation = per_dim(stride, n, "stride"), per_dim(dilation, n, "dilation")
    positive(stride, "stride")
    positive(dilation, "dilation")
    pairs, same = resolve(padding, n, last, spatial(x, last), weight.shape[2:], stride)
    if same:
        dilation = (1,) * n
    _need_windows(spatial(x, last), weight.shape[2:], pairs, dilation)
    x, pairs = _without_rest(x, weight.shape[2:], stride, pairs, dilation, last)
    window = Window(stride, tuple(map(tuple, pairs)), dilation, (1,) * n)
    return add_bias(convolve(x, weight, window, groups, last), bias, n, last)


def _without_rest(x: Any, kernel: Any, stride: Any, pairs: Any, dilation: Any, last: bool) -> tuple[Any, Any]:
    """Along open axes with a stride: what no window reaches is cut off, after padding.

    Otherwise the gradient would be a convolution whose padding depends on the size, which JAX does not take.
    """
    first, pairs, widths, ends = 1 if last else 2, list(pairs), [(0, 0, 0)] * x.ndim, list(x.shape)
    for i, (k, step, d) in enumerate(zip(kernel, stride, dilation, strict=True)):
        if type(x.shape[first + i]) is not int and step > 1:
            (before, after), reach = pairs[i], d * (k - 1) + 1
            widths[first + i], pairs[i] = (before, after, 0), (0, 0)
            ends[first + i] = (x.shape[first + i] + before + after - reach) // step * step + reach
    if ends != list(x.shape):
        x = lax.slice(lax.pad(x, x.dtype.type(0), widths), [0] * x.ndim, ends)
    return x, pairs


def _need_windows(sizes: Any, kernel: Any, pairs: Any, dilation: Any) -> None:
    for size, k, (before, after), d in zip(sizes, kernel, pairs, dilation, strict=True):
        reach = d * (k - 1) + 1
        if isinstance(size, int) and size + before + after < reach:
            raise ValueError(f"The kernel reaches over {reach} elements (size {k}, dilation {d}), but the padded input "
                             f"has only {size + before + after}.")


@op(amp="conv1d")
def conv1d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1, data_format="NCL", name=None):
    """Convolution (cross-correlation) over one dimension.

    x: [N, C, L] ("NCL") or [N, L, C] ("NLC"). weight: [out, C / groups, k]. bias: [out].
    padding: an integer, [p], [before, after], pairs per axis, "SAME" (which also sets the dilation to 1) or "VALID".
    """
    return _conv(1, x, weight, bias, stride, padding, dilation, groups, data_format)


@op(amp="conv2d")
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1, data_format="NCHW", name=None):
    """Convolution (cross-correlation) over two dimensions.

    x: [N, C, H, W] ("NCHW") or [N, H, W, C] ("NHWC"). weight: [out, C / groups, kh, kw]. bias: [out].
    padding: an integer, [h, w], [top, bottom, left, right], pairs per axis, "SAME" (which also sets the dilation to 1)
    or "VALID".
    """
    return _conv(2, x, weight, bias, stride, padding, dilation, groups, data_format)


@op(amp="conv3d")
def conv3d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1, data_format="NCDHW", name=None):
    """Convolution (cross-correlation) over three dimensions.

    x: [N, C, D, H, W] ("NCDHW") or [N, D, H, W, C] ("NDHWC"). weight: [out, C / groups, kd, kh, kw]. bias: [out].
    padding: an integer, [d, h, w], before and after of each, pairs per axis, "SAME" (which also sets the dilation to 1)
    or "VALID".
    """
    return _conv(3, x, weight, bias, stride, padding, dilation, groups, data_format)


__all__ = ["conv1d", "conv2d", "conv3d"]
