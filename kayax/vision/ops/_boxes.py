"""Boxes: prior boxes, their coding, and YOLO's predictions. A box is (x1, y1, x2, y2) unless said otherwise."""
from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kayax.bridge.registry import op
from kayax.bridge.tensor import Tensor

_NAME = "vision.ops."


def _floats(value: Any) -> list[float]:
    return [float(v) for v in value] if isinstance(value, (list, tuple)) else [float(value)]


def _ratios(aspect_ratios: list[float], flip: bool) -> list[float]:
    """The ratios that differ: 1 first, each followed by its inverse if `flip`."""
    out = [1.0]
    for ratio in aspect_ratios:
        if all(abs(ratio - known) >= 1e-6 for known in out):
            out += [ratio, 1 / ratio] if flip else [ratio]
    return out


@op(name=_NAME + "prior_box", differentiable=False)
def _prior_box(input, image, sizes, variance, steps, offset, clip):
    (rows, columns), (height, width) = input.shape[2:], image.shape[2:]
    step_x, step_y = steps if all(steps) else (width / columns, height / rows)
    x, y = np.meshgrid((np.arange(columns) + offset) * step_x, (np.arange(rows) + offset) * step_y)
    centers = np.stack([x, y], -1)[:, :, None]
    halves = np.array(sizes) / 2
    boxes = np.concatenate([centers - halves, centers + halves], -1) / [width, height, width, height]
    boxes = np.clip(boxes, 0, 1) if clip else boxes
    return jnp.asarray(boxes, input.dtype), jnp.broadcast_to(jnp.asarray(variance, input.dtype), boxes.shape)


def prior_box(input, image, min_sizes, max_sizes=None, aspect_ratios=[1.0], variance=[0.1, 0.1, 0.2, 0.2],  # noqa: B006
              flip=False, clip=False, steps=[0.0, 0.0], offset=0.5, min_max_aspect_ratios_order=False,  # noqa: B006
              name=None):
    """The prior boxes at each position of a feature map, in shares of the image (Liu et al. 2016, SSD).

    input: the feature map [N, C, H, W]. image: [N, C, height, width]. min_sizes: sides of square boxes, in pixels;
    max_sizes: for each of them the size of a second one, sqrt(min * max). aspect_ratios: width / height of further
    ones, `flip` adds the inverse. steps: pixels between positions (x, y), 0 for the image's size over the map's.
    offset: of the centres, in steps. clip: cut at the image's edges. min_max_aspect_ratios_order: both squares come
    first. Returns the boxes [H, W, priors, 4] and `variance` for each of them.
    """
    steps = _floats(steps)
    if len(steps) != 2:
        raise ValueError(f"steps must be (step_x, step_y), but got {steps}.")
    smallest, largest = _floats(min_sizes), _floats([] if max_sizes is None else max_sizes)
    if largest and len(largest) != len(smallest):
        raise ValueError(f"max_sizes must be as many as min_sizes, but got {largest} and {smallest}.")
    sizes: list[tuple[float, float]] = []
    for i, size in enumerate(smallest):
        shaped = [(size * math.sqrt(r), size / math.sqrt(r)) for r in _ratios(_floats(aspect_ratios), flip)]
        second = [(math.sqrt(size * largest[i]),) * 2] if largest else []
        sizes += [*shaped[:1], *second, *shaped[1:]] if min_max_aspect_ratios_order else [*shaped, *second]
    return _prior_box(input, image, sizes, _floats(variance), steps, float(offset), clip)


@op(name=_NAME + "box_coder", differentiable=False)
def _box_coder(prior, variance, target, decode, extra, axis):
    def parts(boxes):
        size = boxes[..., 2:] - boxes[..., :2] + extra
        return boxes[..., :2] + size / 2, size

    def along(value):                                       # one prior for each row or column of the targets
        return jnp.expand_dims(value, axis) if decode and value.ndim == 2 else value

    center, size = map(along, parts(prior))
    variance = along(jnp.asarray(variance, target.dtype))
    if decode:
        scaled = variance * target
        middle, half = scaled[..., :2] * size + center, jnp.exp(scaled[..., 2:]) * size / 2
        return jnp.concatenate([middle - half, middle + half - extra], -1)
    target_center, target_size = (target[:, :2] + target[:, 2:]) / 2, parts(target)[1]
    moved = (target_center[:, None] - center) / size
    return jnp.concatenate([moved, jnp.log(jnp.abs(target_size[:, None] / size))], -1) / variance


def box_coder(prior_box, prior_box_var, target_box, code_type="encode_center_size", box_normalized=True, axis=0,
              name=None):
    """Boxes as offsets from prior boxes, or such offsets as boxes (Girshick et al. 2014).

    prior_box: [M, 4]. prior_box_var: [M, 4], or four numbers: what the offsets are divided by. target_box: [N, 4] to
    encode, giving [N, M, 4]; to decode [N, M, 4], where the M (axis=0) or the N (axis=1) belong to the priors.
    code_type: "encode_center_size" or "decode_center_size". box_normalized: a box's width is x2 - x1, else one more.
    """
    if code_type not in ("encode_center_size", "decode_center_size"):
        raise ValueError(f"code_type must be 'encode_center_size' or 'decode_center_size', but got {code_type!r}.")
    if not isinstance(prior_box_var, (Tensor, list, tuple)):
        raise TypeError(f"prior_box_var must be a Tensor or four numbers, but got {prior_box_var!r}.")
    if isinstance(prior_box_var, (list, tuple)) and len(prior_box_var) != 4:
        raise AssertionError(f"prior_box_var must be four numbers, but got {prior_box_var!r}.")
    return _box_coder(prior_box, prior_box_var, target_box, code_type.startswith("decode"),
                      0.0 if box_normalized else 1.0, axis)


# ---- YOLO ----------------------------------------------------------------------------------------------------------

def _heads(x: Any, anchors: int, class_num: int) -> Any:
    """The predictions [N, anchors, 5 + classes, H, W]."""
    if x.ndim != 4 or x.shape[1] != anchors * (5 + class_num):
        raise ValueError(f"x must be [N, {anchors} * (5 + {class_num}), H, W], for {anchors} anchors and {class_num} "
                         f"classes, but its shape is {list(x.shape)}.")
    return x.reshape(x.shape[0], anchors, 5 + class_num, *x.shape[2:])


def _centers(heads: Any, scale_x_y: float) -> tuple[Any, Any]:
    """The predicted centres as shares of the image: x and y, [N, anchors, H, W]."""
    rows, columns = heads.shape[-2:]
    shift = -0.5 * (scale_x_y - 1)
    x = (jnp.arange(columns, dtype=heads.dtype) + jax.nn.sigmoid(heads[:, :, 0]) * scale_x_y + shift) / columns
    y = (jnp.arange(rows, dtype=heads.dtype)[:, None] + jax.nn.sigmoid(heads[:, :, 1]) * scale_x_y + shift) / rows
    return x, y


@op(name=_NAME + "yolo_box", amp="yolo_box")
def yolo_box(x, img_size, anchors, class_num, conf_thresh, downsample_ratio, clip_bbox=True, name=None, scale_x_y=1.0,
             iou_aware=False, iou_aware_factor=0.5):
    """Boxes and scores from YOLOv3's output (Redmon and Farhadi 2018).

    x: [N, anchors * (5 + classes), H, W] of (x, y, w, h, confidence, classes); with `iou_aware`, `anchors` more
    channels come first. img_size: [N, 2] of (height, width). anchors: widths and heights in pixels of the network's
    input, in turn.
    downsample_ratio: of that input to H. Returns boxes [N, anchors * H * W, 4] in pixels, cut at the image's edges if
    `clip_bbox`, and scores [N, anchors * H * W, classes]; both 0 where the confidence is below `conf_thresh`.
    """
    count = len(anchors) // 2
    heads = _heads(x[:, count:] if iou_aware else x, count, class_num)
    n, _, _, rows, columns = heads.shape
    confidence = jax.nn.sigmoid(heads[:, :, 4])
    if iou_aware:
        confidence = confidence ** (1 - iou_aware_factor) * jax.nn.sigmoid(x[:, :count]) ** iou_aware_factor
    high, wide = (img_size[:, i].astype(x.dtype).reshape(n, 1, 1, 1) for i in range(2))
    sides = jnp.asarray(anchors, x.dtype).reshape(1, count, 2, 1, 1)
    center_x, center_y = _centers(heads, scale_x_y)
    half_w = jnp.exp(heads[:, :, 2]) * sides[:, :, 0] * wide / (downsample_ratio * columns) / 2
    half_h = jnp.exp(heads[:, :, 3]) * sides[:, :, 1] * high / (downsample_ratio * rows) / 2
    x1, y1, x2, y2 = (center_x * wide - half_w, center_y * high - half_h, center_x * wide + half_w,
                      center_y * high + half_h)
    if clip_bbox:
        x1, y1, x2, y2 = (jnp.maximum(x1, 0), jnp.maximum(y1, 0), jnp.minimum(x2, wide - 1), jnp.minimum(y2, high - 1))
    sure = (confidence >= conf_thresh)[..., None]
    boxes = jnp.where(sure, jnp.stack([x1, y1, x2, y2], -1), 0)
    scores = jnp.moveaxis(confidence[:, :, None] * jax.nn.sigmoid(heads[:, :, 5:]), 2, -1)
    return boxes.reshape(n, -1, 4), jnp.where(sure, scores, 0).reshape(n, -1, class_num)
