"""The loss of YOLOv3 (Redmon and Farhadi 2018)."""
from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax

from kayax.bridge.registry import op
from kayax.vision.ops._boxes import _centers, _heads


def _overlap(a: Any, b: Any) -> Any:
    """The intersection over union of boxes (x, y, w, h) around their centres, with broadcasting."""
    low = jnp.maximum(a[..., :2] - a[..., 2:] / 2, b[..., :2] - b[..., 2:] / 2)
    high = jnp.minimum(a[..., :2] + a[..., 2:] / 2, b[..., :2] + b[..., 2:] / 2)
    common = jnp.where(jnp.all(high > low, -1), jnp.prod(high - low, -1), 0)
    return common / (jnp.prod(a[..., 2:], -1) + jnp.prod(b[..., 2:], -1) - common)


def _cross_entropy(logit: Any, label: Any) -> Any:
    return jnp.maximum(logit, 0) - logit * label + jnp.log1p(jnp.exp(-jnp.abs(logit)))


@op(name="vision.ops.yolo_loss", amp="yolo_loss")
def yolo_loss(x, gt_box, gt_label, anchors, anchor_mask, class_num, ignore_thresh, downsample_ratio, gt_score=None,
              use_label_smooth=True, name=None, scale_x_y=1.0):
    """YOLOv3's loss of each image, [N].

    x: [N, masked anchors * (5 + classes), H, W] of (x, y, w, h, confidence, classes). gt_box: [N, boxes, 4] of (x, y,
    w, h) around centres, in shares of the image; a box without area does not count. gt_label: [N, boxes]. gt_score:
    [N, boxes], weights, 1 by default. anchors: all widths and heights in pixels of the network's input, in turn.
    anchor_mask: the anchors of this output. ignore_thresh: a prediction that overlaps a box more than this is not
    punished for its confidence. downsample_ratio: of the network's input to H. use_label_smooth: targets of classes
    are moved from 0 and 1 by min(1 / classes, 1 / 40).
    """
    heads = _heads(x, len(anchor_mask), class_num)
    n, _, _, rows, columns = heads.shape
    size = downsample_ratio * rows
    sides = jnp.asarray(anchors, x.dtype).reshape(-1, 2) / size
    score = jnp.ones(gt_label.shape, x.dtype) if gt_score is None else gt_score.astype(x.dtype)
    real = jnp.all(gt_box[..., 2:] > 1e-6, -1)

    # Which prediction each box belongs to: the anchor most like it, in the cell of its centre.
    at_origin = jnp.concatenate([jnp.zeros_like(sides), sides], -1)
    best = jnp.argmax(_overlap(gt_box.at[..., :2].set(0)[..., None, :], at_origin), -1)
    places = jnp.full(sides.shape[0], -1).at[jnp.asarray(anchor_mask)].set(jnp.arange(len(anchor_mask)))
    anchor = places[best]
    column = jnp.clip((gt_box[..., 0] * columns).astype(jnp.int32), 0, columns - 1)
    row = jnp.clip((gt_box[..., 1] * rows).astype(jnp.int32), 0, rows - 1)
    weight = jnp.where(real & (anchor >= 0), score, 0)
    image = jnp.arange(n)[:, None]
    chosen = heads[image, anchor, :, row, column]                                       # [N, boxes, 5 + classes]

    target_x, target_y = gt_box[..., 0] * columns - column, gt_box[..., 1] * rows - row
    target_size = jnp.log(jnp.where(real[..., None], gt_box[..., 2:], 1) / sides[best])
    scale = weight * (2 - gt_box[..., 2] * gt_box[..., 3])
    place = (_cross_entropy(chosen[..., 0], target_x) + _cross_entropy(chosen[..., 1], target_y)
             + jnp.sum(jnp.abs(chosen[..., 2:4] - target_size), -1))
    smooth = min(1 / class_num, 1 / 40) if use_label_smooth else 0.0
    labels = jnp.where(gt_label[..., None] == jnp.arange(class_num), 1 - smooth, smooth)
    classes = jnp.sum(_cross_entropy(chosen[..., 5:], labels), -1)

    goal = _confidence_goals(lax.stop_gradient(heads), gt_box, real, weight, anchor, row, column,
                             sides[jnp.asarray(anchor_mask)], ignore_thresh, scale_x_y)
    certainty = heads[:, :, 4]
    sure = jnp.where(goal > 1e-5, goal * _cross_entropy(certainty, 1.0),
                     jnp.where(goal > -0.5, _cross_entropy(certainty, 0.0), 0))
    return jnp.sum(scale * place + weight * classes, -1) + jnp.sum(sure, (1, 2, 3))


def _confidence_goals(heads: Any, gt_box: Any, real: Any, weight: Any, anchor: Any, row: Any, column: Any, sides: Any,
                      ignore_thresh: float, scale_x_y: float) -> Any:
    """For each prediction: the score of the box that it belongs to, else -1 if it overlaps one too much, else 0."""
    n, count, _, rows, columns = heads.shape
    size = jnp.exp(heads[:, :, 2:4]) * sides[:, :, None, None]
    predicted = jnp.stack([*_centers(heads, scale_x_y), size[:, :, 0], size[:, :, 1]], -1).reshape(n, -1, 1, 4)
    overlap = jnp.where(real[:, None], _overlap(predicted, gt_box[:, None]), 0)
    goal = jnp.where(jnp.max(overlap, -1, initial=0) > ignore_thresh, -1.0, 0.0).astype(heads.dtype)
    cell = jnp.where(real & (anchor >= 0), (anchor * rows + row) * columns + column, count * rows * columns)

    def put(i: Any, goal: Any) -> Any:                      # one box after the other: of several the last one counts
        return goal.at[jnp.arange(n), cell[:, i]].set(weight[:, i], mode="drop")

    return lax.fori_loop(0, cell.shape[1], put, goal).reshape(n, count, rows, columns)
