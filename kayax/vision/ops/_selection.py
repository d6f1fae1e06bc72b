"""Choosing among boxes (x1, y1, x2, y2). How many are chosen depends on their values: these run eagerly alone."""
from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from kayax.bridge.registry import op

_NAME = "vision.ops."
_LARGEST = np.log(1000.0 / 16)                      # of the logarithm by which a proposal may outgrow its anchor


def _areas(boxes: Any, extra: float = 0.0) -> Any:
    sides = boxes[..., 2:] - boxes[..., :2]
    return np.where(np.all(sides >= 0, -1), np.prod(sides + extra, -1), 0)


def _overlaps(box: Any, boxes: Any, extra: float = 0.0) -> Any:
    """The intersection over union of a box with each of others, with broadcasting."""
    sides = np.minimum(box[..., 2:], boxes[..., 2:]) - np.maximum(box[..., :2], boxes[..., :2]) + extra
    common = np.prod(np.maximum(sides, 0), -1)
    union = _areas(box, extra) + _areas(boxes, extra) - common
    return np.divide(common, union, out=np.zeros_like(common), where=union > 0)


def _suppress(boxes: Any, threshold: float, groups: Any = None, extra: float = 0.0, eta: float = 1.0) -> list[int]:
    """Which boxes stay if each removes the later ones (of its group) that overlap it by more than the threshold.

    eta: after each box that stays a threshold above one half is multiplied by this.
    """
    left, kept = np.arange(len(boxes)), []
    while left.size:
        first, left = left[0], left[1:]
        kept.append(int(first))
        removed = _overlaps(boxes[first], boxes[left], extra) > threshold
        left = left[~removed] if groups is None else left[~(removed & (groups[left] == groups[first]))]
        threshold = threshold * eta if threshold > 0.5 else threshold
    return kept


@op(name=_NAME + "nms", eager=True, differentiable=False)
def nms(boxes, iou_threshold=0.3, scores=None, category_idxs=None, categories=None, top_k=None):
    """The numbers of the boxes that stay in non-maximum suppression, int64, best first.

    boxes: [boxes, 4], from the best to the worst if there are no `scores` [boxes]. iou_threshold: a box goes if it
    overlaps a better one by more. category_idxs: [boxes], only boxes of one category remove each other, and only those
    of `categories` stay. top_k: at most so many.
    """
    boxes = np.asarray(boxes)
    order = np.arange(len(boxes)) if scores is None else np.argsort(-np.asarray(scores), kind="stable")
    groups = None
    if scores is not None and category_idxs is not None:
        if categories is None:
            raise AssertionError("categories must list the categories that category_idxs has, but it is None.")
        if top_k is not None and top_k > len(boxes):
            raise AssertionError(f"top_k must be at most the number of boxes, {len(boxes)}, but got {top_k}.")
        groups = np.asarray(category_idxs)[order]
        known = np.isin(groups, np.asarray(categories))
        order, groups = order[known], groups[known]
    kept = order[_suppress(boxes[order], iou_threshold, groups)]
    return jnp.asarray(kept if groups is None else kept[:top_k], jnp.int64)


@op(name=_NAME + "matrix_nms", eager=True, differentiable=False)
def _matrix_nms(bboxes, scores, score_threshold, post_threshold, nms_top_k, keep_top_k, use_gaussian, gaussian_sigma,
                background_label, extra):
    bboxes, scores = np.asarray(bboxes), np.asarray(scores)
    rows, indices, counts = [np.zeros((0, 6), scores.dtype)], [np.zeros(0, np.int32)], []
    for image, (boxes, by_class) in enumerate(zip(bboxes, scores, strict=True)):
        found, places = [np.zeros((0, 6), scores.dtype)], [np.zeros(0, np.int32)]
        for label, score in enumerate(by_class):
            if label == background_label:
                continue
            order = np.argsort(-score, kind="stable")
            order = order[score[order] > score_threshold][:nms_top_k if nms_top_k > -1 else None]
            decayed = score[order] * _decay(boxes[order], use_gaussian, gaussian_sigma, extra)
            stays = decayed > post_threshold
            head = np.stack([np.full(len(order), label, scores.dtype), decayed], 1)
            found.append(np.concatenate([head, boxes[order]], 1)[stays])
            places.append(order[stays])
        table, place = np.concatenate(found), np.concatenate(places)
        best = np.argsort(-table[:, 1], kind="stable")[:keep_top_k if keep_top_k > -1 else None]
        rows.append(table[best])
        indices.append(place[best] + image * len(boxes))
        counts.append(len(best))
    return (jnp.asarray(np.concatenate(rows)), jnp.asarray(np.concatenate(indices)[:, None], jnp.int32),
            jnp.asarray(counts, jnp.int32))


def _decay(boxes: Any, gaussian: bool, sigma: float, extra: float) -> Any:
    """The factor for each box, best first: the smallest that a better one asks for by their overlap."""
    overlap = np.tril(_overlaps(boxes[:, None], boxes[None], extra), -1)            # [box, better box]
    most = overlap.max(1, initial=0)                                                # of a box with a better one
    factor = np.exp((most ** 2 - overlap ** 2) * sigma) if gaussian else (1 - overlap) / (1 - most)
    return np.where(np.tri(len(boxes), k=-1, dtype=bool), factor, 1).min(1, initial=1).astype(boxes.dtype)


def matrix_nms(bboxes, scores, score_threshold, post_threshold, nms_top_k, keep_top_k, use_gaussian=False,
               gaussian_sigma=2.0, background_label=0, normalized=True, return_index=False, return_rois_num=True,
               name=None):
    """Non-maximum suppression that lowers the scores of overlapping boxes in one step (Wang et al. 2020, SOLOv2).

    bboxes: [N, boxes, 4]. scores: [N, classes, boxes]. score_threshold: which boxes take part, at most `nms_top_k` of
    a class. post_threshold: which stay, by their new scores, at most `keep_top_k` of an image (-1: all). use_gaussian,
    gaussian_sigma: how scores decay, else linearly. background_label: a class that is left out. normalized: a box's
    width is x2 - x1, else one more. Returns rows of (class, score, box) [found, 6], the number of each image [N] or
    None, and the numbers of the boxes among all [found, 1] or None.
    """
    rows, index, counts = _matrix_nms(bboxes, scores, score_threshold, post_threshold, nms_top_k, keep_top_k,
                                      use_gaussian, gaussian_sigma, background_label, 0.0 if normalized else 1.0)
    return rows, counts if return_rois_num else None, index if return_index else None


@op(name=_NAME + "distribute_fpn_proposals", eager=True, differentiable=False)
def _distribute(rois, rois_num, lowest, highest, refer_level, refer_scale, extra):
    rois, counts = np.asarray(rois), np.asarray(rois_num)
    scale = np.sqrt(_areas(rois, extra))
    level = np.clip(np.floor(np.log2(scale / refer_scale + 1e-8) + refer_level), lowest, highest).astype(np.int64)
    image = np.repeat(np.arange(len(counts)), counts)
    order = np.argsort(level, kind="stable")
    levels = range(lowest, highest + 1)
    per_level = [np.bincount(image[level == at], minlength=len(counts)) for at in levels]
    return (*(jnp.asarray(rois[level == at]) for at in levels), jnp.asarray(np.argsort(order)[:, None], jnp.int32),
            *(jnp.asarray(number, jnp.int32) for number in per_level))


def distribute_fpn_proposals(fpn_rois, min_level, max_level, refer_level, refer_scale, pixel_offset=False,
                             rois_num=None, name=None):
    """Regions by the level of the feature pyramid that fits their size (Lin et al. 2017, FPN).

    fpn_rois: [regions, 4], ordered by image. rois_num: [N], the regions of each image. A region with sides of
    `refer_scale` pixels goes to `refer_level`, one twice as large to the next. pixel_offset: a region's width is
    x2 - x1 + 1. Returns the regions of each level, the numbers [regions, 1] that restore their order, and for each
    level the regions of each image.
    """
    if not 0 < min_level < max_level:
        raise AssertionError(f"The levels must be 0 < min_level < max_level, but got {min_level} and {max_level}.")
    if rois_num is None:
        raise AssertionError("rois_num must say how many regions each image has, but it is None.")
    out = _distribute(fpn_rois, rois_num, min_level, max_level, refer_level, refer_scale, 1.0 if pixel_offset else 0.0)
    count = max_level - min_level + 1
    return list(out[:count]), out[count], list(out[count + 1:])


@op(name=_NAME + "generate_proposals", eager=True, differentiable=False)
def _proposals(scores, deltas, img_size, anchors, variances, before, after, threshold, min_size, eta, extra):
    anchors, variances = (np.asarray(a).reshape(-1, 4) for a in (anchors, variances))
    rois, probs, counts = [], [], []
    for score, delta, (height, width) in zip(*map(np.asarray, (scores, deltas, img_size)), strict=True):
        score = score.transpose(1, 2, 0).ravel()
        delta = delta.reshape(-1, 4, *delta.shape[1:]).transpose(2, 3, 0, 1).reshape(-1, 4)
        order = np.argsort(-score, kind="stable")[:before if before > 0 else None]
        boxes = _decode(anchors[order], variances[order] * delta[order], extra)
        boxes = np.clip(boxes, 0, np.array([width, height, width, height]) - extra).astype(score.dtype)
        sides, middles = boxes[:, 2:] - boxes[:, :2] + extra, (boxes[:, :2] + boxes[:, 2:] + extra) / 2
        fits = np.all(sides >= max(min_size, 1.0), 1)
        if extra:
            fits &= np.all(middles <= [width, height], 1)
        boxes, kept = boxes[fits], score[order][fits]
        if not len(boxes):                          # as in Paddle, an image without proposals gets an empty one
            boxes, kept = np.zeros((1, 4), score.dtype), np.zeros(1, score.dtype)
        elif threshold > 0:
            stay = _suppress(boxes, threshold, extra=extra, eta=eta)[:after if after > 0 else None]
            boxes, kept = boxes[stay], kept[stay]
        rois.append(boxes)
        probs.append(kept[:, None])
        counts.append(len(boxes))
    return jnp.asarray(np.concatenate(rois)), jnp.asarray(np.concatenate(probs)), jnp.asarray(counts, jnp.int32)


def _decode(anchors: Any, scaled: Any, extra: float) -> Any:
    size = anchors[:, 2:] - anchors[:, :2] + extra
    middle = scaled[:, :2] * size + anchors[:, :2] + size / 2
    half = np.exp(np.minimum(scaled[:, 2:], _LARGEST)) * size / 2
    return np.concatenate([middle - half, middle + half - extra], 1)


def generate_proposals(scores, bbox_deltas, img_size, anchors, variances, pre_nms_top_n=6000, post_nms_top_n=1000,
                       nms_thresh=0.5, min_size=0.1, eta=1.0, pixel_offset=False, return_rois_num=False, name=None):
    """Regions from the output of a region proposal network (Ren et al. 2015, Faster R-CNN).

    scores: [N, A, H, W]. bbox_deltas: [N, 4 * A, H, W], offsets from the anchors. img_size: [N, 2] of (height, width).
    anchors, variances: [H, W, A, 4]. pre_nms_top_n, post_nms_top_n: how many are kept before and after non-maximum
    suppression with `nms_thresh` (and `eta`, see Paddle). min_size: of the sides that stay. pixel_offset: a region's
    width is x2 - x1 + 1. Returns the regions [found, 4], their scores [found, 1], and the number of each image [N],
    None without `return_rois_num`.
    """
    rois, probs, counts = _proposals(scores, bbox_deltas, img_size, anchors, variances, pre_nms_top_n, post_nms_top_n,
                                     nms_thresh, min_size, eta, 1.0 if pixel_offset else 0.0)
    return rois, probs, counts if return_rois_num else None
