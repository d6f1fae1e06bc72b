"""Transposed convolutions: the gradient of a convolution with respect to its input, as an operation of its own."""
from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from kayax.bridge.ops.conv import add_bias, check
from kayax.bridge.ops.conv_forms import Window, convolve
from kayax.bridge.ops.windows import channels_last, per_dim, positive, resolve, spatial
from kayax.bridge.registry import op


def _conv_transpose(n: int, x: Any, weight: Any, bias: Any, stride: Any, padding: Any, output_padding: Any,
                    dilation: Any, groups: int, output_size: Any, data_format: str) -> Any:
    last = channels_last(data_format, n)
    check(x, weight, n, last, groups, 0)
    stride, dilation = per_dim(stride, n, "stride"), per_dim(dilation, n, "dilation")
    positive(stride, "stride")
    positive(dilation, "dilation")
    sizes, kernel = spatial(x, last), weight.shape[2:]
    pairs, same = resolve(padding, n, last, sizes, kernel, stride)
    dilation = (1,) * n if same else dilation
    reach = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    smallest = [(i - 1) * s - sum(p) + r + 1 for i, s, p, r in zip(sizes, stride, pairs, reach, strict=True)]
    extra = _extra(output_padding, output_size, smallest, stride, dilation, n)
    around = [(r - before, r - after + e) for r, (before, after), e in zip(reach, pairs, extra, strict=True)]
    window = Window((1,) * n, tuple(around), dilation, stride)
    return add_bias(convolve(x, _as_forward(weight, groups, n), window, groups, last), bias, n, last)


def _as_forward(weight: Any, groups: int, n: int) -> Any:
    """The weight [in, out / groups, *k] as the kernel [out, in / groups, *k] of a forward convolution, flipped."""
    weight = jnp.flip(weight, tuple(range(2, 2 + n)))
    if groups == 1:
        return jnp.swapaxes(weight, 0, 1)
    each, out, k = weight.shape[0] // groups, weight.shape[1], weight.shape[2:]
    return jnp.swapaxes(weight.reshape(groups, each, out, *k), 1, 2).reshape(groups * out, each, *k)


def _extra(output_padding: Any, output_size: Any, smallest: list, stride: Any, dilation: Any,
           n: int) -> tuple[int, ...]:
    """What is added after the last element of each dimension: `output_padding`, or what `output_size` asks for."""
    if output_size is None:
        extra = per_dim(output_padding, n, "output_padding")
        for e, s, d in zip(extra, stride, dilation, strict=True):
            if not 0 <= e < max(s, d):
                raise ValueError(f"output_padding must be less than stride or dilation, {max(s, d)}, but got {e}.")
        return extra
    if any(per_dim(output_padding, n, "output_padding")):
        raise ValueError("Give output_padding or output_size, not both.")
    wanted = per_dim(output_size, n, "output_size")
    for w, least, s in zip(wanted, smallest, stride, strict=True):
        if isinstance(least, int) and not least <= w < least + s:
            raise ValueError(f"output_size must be in [{least}, {least + s}) for this input, but got {w}.")
    return tuple(w - least for w, least in zip(wanted, smallest, strict=True))


@op(amp="conv2d_transpose", name="nn.functional.conv1d_transpose", static=("output_size",))
def conv1d_transpose(x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1,
                     output_size=None, data_format="NCL", name=None):
    """Transposed convolution over one dimension. x: [N, C, L] or [N, L, C]. weight: [in, out / groups, k]. bias: [out].

    output_size chooses among the sizes that the forward convolution maps to x's; output_padding adds to the smallest.
    """
    return _conv_transpose(1, x, weight, bias, stride, padding, output_padding, dilation, groups, output_size,
                           data_format)


@op(amp="conv2d_transpose", name="nn.functional.conv2d_transpose", static=("output_size",))
def conv2d_transpose(x, weight, bias=None, stride=1, padding=0, output_padding=0, dilation=1, groups=1,
                     output_size=None, data_format="NCHW", name=None):
    """Transposed convolution over two dimensions. x: [N, C, H, W] or [N, H, W, C]. weight: [in, out / groups, kh, kw].

    output_size chooses among the sizes that the forward convolution maps to x's; output_padding adds to the smallest.
    """
    return _conv_transpose(2, x, weight, bias, stride, padding, output_padding, dilation, groups, output_size,
                           data_format)


@op(amp="conv3d_transpose", name="nn.functional.conv3d_transpose", static=("output_size",))
def conv3d_transpose(x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1,
                     output_size=None, data_format="NCDHW", name=None):
    """Transposed convolution over three dimensions; the arguments are those of `conv2d_transpose`."""
    return _conv_transpose(3, x, weight, bias, stride, padding, output_padding, dilation, groups, output_size,
                           data_format)


__all__ = ["conv1d_transpose", "conv2d_transpose", "conv3d_transpose"]
