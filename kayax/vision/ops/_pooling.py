"""Pooling of regions of interest. Every region becomes two small matrices of weights, one for rows, one for columns."""
from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax

from kayax.bridge.registry import op
from kayax.layers.layer import Layer

_NAME = "vision.ops."
_AT_ONCE = 16                                       # regions that are pooled together: bounds the memory


def _sizes(output_size: Any) -> tuple[int, int]:
    sizes = (output_size, output_size) if isinstance(output_size, int) else tuple(output_size)
    if len(sizes) != 2 or min(sizes) <= 0:
        raise ValueError(f"output_size must be a positive number or two of them, but got {output_size!r}.")
    return sizes                                    # type: ignore[return-value]


def _images_of(x: Any, boxes: Any, boxes_num: Any) -> Any:
    """For each region the number of its image."""
    if boxes_num is None:
        raise AssertionError("boxes_num must say how many boxes each image has, but it is None.")
    if x.ndim != 4 or boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(f"x must be [N, C, H, W] and boxes [boxes, 4], but got {list(x.shape)} and "
                         f"{list(boxes.shape)}.")
    return jnp.repeat(jnp.arange(x.shape[0]), boxes_num, total_repeat_length=boxes.shape[0])


def _each(x: Any, pool: Any, images: Any, *regions: Any) -> Any:
    """``pool(image, *region)`` for each region."""
    return lax.map(lambda region: pool(x[region[0]], *region[1:]), (images, *regions), batch_size=_AT_ONCE)


def _half_away(x: Any) -> Any:
    """Rounded, halves away from zero, as C does."""
    return jnp.sign(x) * jnp.floor(jnp.abs(x) + 0.5)


# ---- align ---------------------------------------------------------------------------------------------------------

def _sample_weights(start: Any, length: Any, bins: int, size: int, ratio: int) -> Any:
    """How much of each of `size` positions goes into each bin, [regions, bins, size]: the mean of linear samples.

    There are `ratio` samples in each bin, or as many as it has positions, rounded up.
    """
    width = length / bins
    count = jnp.full_like(length, ratio) if ratio > 0 else jnp.ceil(width)
    first = start[:, None] + jnp.arange(bins, dtype=start.dtype) * width[:, None]

    def add(i: Any, weights: Any) -> Any:
        at = first + ((i + 0.5) * width / jnp.maximum(count, 1))[:, None]
        counted = (at >= -1) & (at <= size) & (i < count)[:, None]
        near = 1 - jnp.abs(jnp.clip(at, 0, size - 1)[..., None] - jnp.arange(size, dtype=start.dtype))
        return weights + jnp.where(counted[..., None], jnp.maximum(near, 0), 0)

    total = lax.fori_loop(0, jnp.max(count, initial=0).astype(jnp.int32), add,
                          jnp.zeros((*first.shape, size), start.dtype))
    return total / jnp.maximum(count, 1)[:, None, None]


@op(name=_NAME + "roi_align", amp="roi_align")
def roi_align(x, boxes, boxes_num, output_size, spatial_scale=1.0, sampling_ratio=-1, aligned=True, name=None):
    """The means of bilinear samples in regions of feature maps (He et al. 2017, Mask R-CNN).

    x: [N, C, H, W]. boxes: [boxes, 4] of (x1, y1, x2, y2), ordered by image. boxes_num: [N], the boxes of each image.
    output_size: bins of a region, a number or (height, width). spatial_scale: of x to the boxes' pixels.
    sampling_ratio: samples along each side of a bin, -1 for its size rounded up. aligned: pixels' centres lie at one
    half. Returns [boxes, C, height, width]; its gradient reaches x alone.
    """
    images, (height, width) = _images_of(x, boxes, boxes_num), _sizes(output_size)
    corners = lax.stop_gradient(boxes).astype(x.dtype) * spatial_scale - (0.5 if aligned else 0.0)
    lengths = corners[:, 2:] - corners[:, :2]
    lengths = lengths if aligned else jnp.maximum(lengths, 1)
    rows = _sample_weights(corners[:, 1], lengths[:, 1], height, x.shape[2], sampling_ratio)
    columns = _sample_weights(corners[:, 0], lengths[:, 0], width, x.shape[3], sampling_ratio)
    return _each(x, lambda image, r, c: jnp.einsum("chw,ph,qw->cpq", image, r, c), images, rows, columns)


# ---- bins of whole pixels ------------------------------------------------------------------------------------------

def _within(low: Any, high: Any, size: int) -> Any:
    """Which of `size` positions lie in each bin [regions, bins]."""
    position = jnp.arange(size)
    return (position >= low[..., None]) & (position < high[..., None])


@op(name=_NAME + "roi_pool", amp="roi_pool")
def roi_pool(x, boxes, boxes_num, output_size, spatial_scale=1.0, name=None):
    """The maxima in the bins of regions of feature maps (Girshick 2015, Fast R-CNN): arguments as for `roi_align`.

    An empty bin gives 0. Where a maximum occurs twice, both share its gradient; in Paddle the first has it.
    """
    images, sizes = _images_of(x, boxes, boxes_num), _sizes(output_size)
    corners = _half_away(lax.stop_gradient(boxes).astype(x.dtype) * spatial_scale)

    def bins(axis: int, count: int, size: int) -> Any:
        start, end = corners[:, axis], corners[:, axis + 2]
        width = jnp.maximum(end - start + 1, 1)[:, None] / count
        index = jnp.arange(count, dtype=x.dtype)
        return _within(jnp.floor(index * width) + start[:, None], jnp.ceil((index + 1) * width) + start[:, None], size)

    def pool(image: Any, rows: Any, columns: Any) -> Any:
        low = jnp.asarray(-jnp.inf, x.dtype)
        high = jnp.max(jnp.where(rows[:, None, :, None], image, low), 2)                # [bins, C, W]
        out = jnp.max(jnp.where(columns[None, None], high[:, :, None], low), -1)        # [bins, C, bins]
        return jnp.where(jnp.isinf(out), 0, out).transpose(1, 0, 2)

    return _each(x, pool, images, bins(1, sizes[0], x.shape[2]), bins(0, sizes[1], x.shape[3]))


@op(name=_NAME + "psroi_pool", amp="psroi_pool")
def psroi_pool(x, boxes, boxes_num, output_size, spatial_scale=1.0, name=None):
    """The means in the bins of regions, each bin from channels of its own (Dai et al. 2016, R-FCN).

    x: [N, channels * height * width, H, W] for bins of `output_size` (height, width); else as for `roi_align`.
    Returns [boxes, channels, height, width].
    """
    images, (height, width) = _images_of(x, boxes, boxes_num), _sizes(output_size)
    if x.shape[1] % (height * width):
        raise ValueError(f"The channels of x must be a multiple of {height} * {width} (output_size), but its shape is "
                         f"{list(x.shape)}.")
    whole = _half_away(lax.stop_gradient(boxes).astype(x.dtype))
    start, end = whole[:, :2] * spatial_scale, (whole[:, 2:] + 1) * spatial_scale

    def means(axis: int, count: int, size: int) -> Any:
        step = jnp.maximum(end[:, axis] - start[:, axis], 0.1)[:, None] / count
        edges = start[:, axis, None] + jnp.arange(count + 1, dtype=x.dtype) * step
        inside = _within(jnp.floor(edges[:, :-1]), jnp.ceil(edges[:, 1:]), size).astype(x.dtype)
        return inside / jnp.maximum(jnp.sum(inside, -1, keepdims=True), 1)

    def pool(image: Any, rows: Any, columns: Any) -> Any:
        return jnp.einsum("cpqhw,ph,qw->cpq", image.reshape(-1, height, width, *image.shape[1:]), rows, columns)

    return _each(x, pool, images, means(1, height, x.shape[2]), means(0, width, x.shape[3]))


class RoIAlign(Layer):
    """`roi_align` with bins of `output_size`, of features that are `spatial_scale` times the boxes' pixels."""

    def __init__(self, output_size: Any, spatial_scale: float = 1.0):
        super().__init__()
        self._output_size, self._spatial_scale = output_size, spatial_scale

    def forward(self, x: Any, boxes: Any, boxes_num: Any, aligned: bool = True) -> Any:
        """[boxes, C, height, width] of the features x [N, C, H, W] in the boxes [boxes, 4]."""
        return roi_align(x, boxes, boxes_num, self._output_size, self._spatial_scale, aligned=aligned)


class RoIPool(Layer):
    """`roi_pool` with bins of `output_size`, of features that are `spatial_scale` times the boxes' pixels."""

    def __init__(self, output_size: Any, spatial_scale: float = 1.0):
        super().__init__()
        self._output_size, self._spatial_scale = output_size, spatial_scale

    def forward(self, x: Any, boxes: Any, boxes_num: Any) -> Any:
        """[boxes, C, height, width] of the features x [N, C, H, W] in the boxes [boxes, 4]."""
        return roi_pool(x, boxes, boxes_num, self._output_size, self._spatial_scale)

    def extra_repr(self) -> str:
        """The arguments, for printing."""
        return f"output_size={self._output_size}, spatial_scale={self._spatial_scale}"


class PSRoIPool(Layer):
    """`psroi_pool` with bins of `output_size`, of features that are `spatial_scale` times the boxes' pixels."""

    def __init__(self, output_size: Any, spatial_scale: float = 1.0):
        super().__init__()
        self.output_size, self.spatial_scale = output_size, spatial_scale

    def forward(self, x: Any, boxes: Any, boxes_num: Any) -> Any:
        """[boxes, channels, height, width] of the features x [N, channels * height * width, H, W]."""
        return psroi_pool(x, boxes, boxes_num, self.output_size, self.spatial_scale)
