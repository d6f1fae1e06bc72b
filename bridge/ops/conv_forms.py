"""The forms in which a convolution goes to XLA.

XLA's CPU compiler has fast kernels for dense convolutions alone. A depthwise or grouped one, one whose kernel is larger
than its image (a 3 x 3 kernel on the 2 x 2 image of a deep ResNet), and the gradient of a transposed one by its weight
run in plain loops, 3 to 160 times slower than the same sum in another form. Which form is taken is decided here, from
shapes. Programs that leave the process have the plain convolution, which other machines and frameworks know; those that
predict have both.
"""
from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from kayax.bridge.state import state

_SPATIAL = {1: "W", 2: "HW", 3: "DHW"}
_MOST_POSITIONS = 32            # of a kernel whose every position becomes a slice that is stored
_MOST_SHIFTS = 64               # of one whose slices are fused into a sum
_DENSE = 16                     # channels from which a dense convolution of their groups is fast


class Window(NamedTuple):
    """How a convolution moves, by spatial axis. holes: the image's dilation (a transposed convolution's stride)."""

    stride: tuple[int, ...]
    pairs: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]
    holes: tuple[int, ...]

    def outputs(self, sizes: Sequence[int], kernel: Sequence[int]) -> tuple[int, ...]:
        """The sizes of the result."""
        return tuple((hole * (size - 1) + before + after - d * (k - 1)) // step + 1
                     for size, k, step, (before, after), d, hole in zip(sizes, kernel, *self, strict=True))

    def pad(self, x: Any) -> Any:
        """The image [N, C, *sizes] with its holes and padding."""
        edges = [(before, after, hole - 1) for (before, after), hole in zip(self.pairs, self.holes, strict=True)]
        return lax.pad(x, x.dtype.type(0), [(0, 0, 0), (0, 0, 0), *edges])


def dimension_numbers(n: int, last: bool) -> tuple[str, str, str]:
    """JAX's words for the layouts of input, kernel and output; kernels are always [out, in, *spatial], as in Paddle."""
    s = _SPATIAL[n]
    image = f"N{s}C" if last else f"NC{s}"
    return image, f"OI{s}", image


def convolve(x: Any, weight: Any, window: Window, groups: int, last: bool) -> Any:
    """x [N, C, *sizes] (or channels last) convolved by weight [out, C / groups, *kernel]."""
    elsewhere = state.portable == "plain" or (not state.portable and jax.default_backend() != "cpu")
    form = None if elsewhere else _form(x, weight, window, groups, last)
    if form is None or (state.portable and form is _with_holes):        # whose result is the plain convolution's
        return _plain(x, weight, window, groups, last)

    def convolution_on_cpu(x: Any, weight: Any) -> Any:
        # A gradient starts from the image and the weight again: slices of the image would be as many copies of it.
        run = jax.checkpoint(form, prevent_cse=False, static_argnums=(2, 3))
        if not last:
            return run(x, weight, window, groups)
        return jnp.moveaxis(run(jnp.moveaxis(x, -1, 1), weight, window, groups), 1, -1)

    if not state.portable:
        return convolution_on_cpu(x, weight)
    # By the function's name readers of the program know that the other branch is the plain convolution.
    return lax.platform_dependent(x, weight, cpu=jax.jit(convolution_on_cpu),
                                  default=lambda x, weight: _plain(x, weight, window, groups, last))


def _form(x: Any, weight: Any, window: Window, groups: int, last: bool) -> Callable | None:
    """The faster form; None for the plain one."""
    channels, sizes, kernel = (x.shape[-1], x.shape[1:-1], weight.shape[2:]) if last else (
        x.shape[1], x.shape[2:], weight.shape[2:])
    if not all(type(size) is int and size for size in sizes) or x.shape[0] == 0 or channels == 0:
        return None
    positions = math.prod(kernel)
    if groups > 1:
        depthwise = groups == channels and positions <= _MOST_SHIFTS
        return _shifted if depthwise else _by_blocks
    if positions == 1 and not last and not any(map(any, window.pairs)) and max(window.holes) == 1:
        return _pointwise
    outputs = window.outputs(sizes, kernel)
    image, contracts = math.prod(sizes), tuple(sizes) == tuple(kernel) and math.prod(outputs) == 1
    spread = image == 1 and math.prod(outputs) > 1
    if positions <= _MOST_POSITIONS and positions > min(image, math.prod(outputs)) and not (contracts or spread):
        return _unfolded
    return _with_holes if max(window.holes) > 1 and max(window.stride) == 1 else None


def _plain(x: Any, weight: Any, window: Window, groups: int = 1, last: bool = False) -> Any:
    return lax.conv_general_dilated(x, weight, window.stride, window.pairs, window.holes, window.dilation,
                                    dimension_numbers(x.ndim - 2, last), groups)


def _pointwise(x: Any, weight: Any, window: Window, groups: int) -> Any:
    """A 1 x 1 kernel: a matrix product of the image as it lies, while a convolution would move its channels last."""
    x = x[(..., *(slice(None, None, step) for step in window.stride))]
    rows, matrix = x.reshape(*x.shape[:2], math.prod(x.shape[2:])), weight.reshape(weight.shape[0], weight.shape[1])
    if matrix.shape[0] > rows.shape[2]:
        y = jnp.einsum("oc,ncp->nop", matrix, rows)
    else:                                       # a product for each image, as the matrix is the smaller part
        y = jnp.broadcast_to(matrix, (x.shape[0], *matrix.shape)) @ rows
    return y.reshape(*y.shape[:2], *x.shape[2:])


def _unfolded(x: Any, weight: Any, window: Window, groups: int) -> Any:
    """The windows side by side (im2col), and one matrix product."""
    sizes, kernel = x.shape[2:], weight.shape[2:]
    outputs = window.outputs(sizes, kernel)
    seen = [_seen(*axis) for axis in zip(kernel, sizes, outputs, *window, strict=True)]
    padded = window.pad(x)
    windows = [_slice(padded, position, outputs, window) for position in itertools.product(*seen)]
    weight = weight[(slice(None), slice(None), *(slice(r.start, r.stop) for r in seen))]
    rows = jnp.moveaxis(jnp.stack(windows, -1), 1, -2)                # [N, *outputs, C, positions]
    y = rows.reshape(*rows.shape[:-2], math.prod(rows.shape[-2:])) @ weight.reshape(weight.shape[0], -1).T
    return jnp.moveaxis(y, -1, 1)


def _seen(kernel: int, size: int, count: int, step: int, pair: tuple[int, int], dilation: int, hole: int) -> range:
    """The elements of the kernel along one axis that meet the image, and not only padding, in some window."""
    meet = [p for p in range(kernel) if any(0 <= p * dilation + step * i - pair[0] <= (size - 1) * hole
                                            for i in range(count))]
    return range(meet[0], meet[-1] + 1) if meet else range(1)


def _slice(padded: Any, position: Sequence[int], outputs: Sequence[int], window: Window) -> Any:
    """What the kernel's element at `position` meets, window by window: [N, C, *outputs]."""
    start = [p * d for p, d in zip(position, window.dilation, strict=True)]
    end = [s + (count - 1) * step + 1 for s, count, step in zip(start, outputs, window.stride, strict=True)]
    return lax.slice(padded, (0, 0, *start), (*padded.shape[:2], *end), (1, 1, *window.stride))


def _shifted(x: Any, weight: Any, window: Window, groups: int) -> Any:
    """A depthwise convolution: for each element of the kernel a shifted image times its weights, summed in one loop."""
    outputs, kernel = window.outputs(x.shape[2:], weight.shape[2:]), weight.shape[2:]
    dtype = x.dtype
    if dtype.itemsize < 4:                      # half precision is summed in float32, as XLA's convolutions sum it
        x, weight = x.astype("float32"), weight.astype("float32")
    if weight.shape[0] > groups:
        x = jnp.repeat(x, weight.shape[0] // groups, axis=1)
    padded = window.pad(x)
    by_position = weight.reshape(weight.shape[0], -1)
    y = None
    for i, position in enumerate(itertools.product(*map(range, kernel))):
        term = _slice(padded, position, outputs, window) * by_position[:, i].reshape(-1, *(1,) * len(kernel))
        y = term if y is None else y + term
    return y.astype(dtype)                      # type: ignore[union-attr]


def _by_blocks(x: Any, weight: Any, window: Window, groups: int) -> Any:
    """Dense convolutions of some groups each: weights between two groups of a block are zeros.

    So infinities and NaNs of one group show in the others of its block.
    """
    each = weight.shape[1]
    together = min((d for d in range(1, groups + 1) if groups % d == 0), key=lambda d: (d * each < _DENSE, d))
    weights = weight.reshape(groups // together, together, -1, each, *weight.shape[2:])
    if together > 1:
        same = jnp.eye(together, dtype=bool)[:, None, :, None, *(None,) * (weight.ndim - 2)]
        weights = jnp.where(same, weights[:, :, :, None], 0)
    weights = weights.reshape(groups // together, -1, together * each, *weight.shape[2:])
    parts = jnp.split(x, groups // together, 1)
    form = _form(parts[0], weights[0], window, 1, False) or _plain
    return jnp.concatenate([form(part, weights[i], window, 1) for i, part in enumerate(parts)], 1)


# ---- transposed convolutions ------------------------------------------------------------------------------------


@functools.partial(jax.custom_jvp, nondiff_argnums=(2, 3))
def _with_holes(x: Any, weight: Any, window: Window, groups: int) -> Any:
    """The plain convolution of an image with holes; its gradient by the weight is another program than JAX's."""
    return _plain(x, weight, window)


@_with_holes.defjvp
def _with_holes_jvp(window: Window, groups: int, primals: tuple, tangents: tuple) -> tuple:
    (x, weight), (dx, dweight) = primals, tangents
    return (_with_holes(x, weight, window, groups),
            _with_holes(dx, weight, window, groups) + _kernel_by_image(x, dweight, window))


def _kernel_by_image(x: Any, weight: Any, window: Window) -> Any:
    """The same values, with the kernel as the image: then the transpose by the weight has its holes in the kernel,
    for which XLA has a fast one."""
    n, sizes, kernel = x.ndim - 2, x.shape[2:], weight.shape[2:]
    pairs = []
    for q, size, k, (before, _), d, hole in zip(window.outputs(sizes, kernel), sizes, kernel, window.pairs,
                                                 window.dilation, window.holes, strict=True):
        low = q - 1 - before
        pairs.append((low, q + (size - 1) * hole - (d * (k - 1) + 1) - low))
    y = lax.conv_general_dilated(weight, x, (1,) * n, pairs, window.dilation, window.holes, dimension_numbers(n, False))
    return jnp.swapaxes(jnp.flip(y, range(2, x.ndim)), 0, 1)
