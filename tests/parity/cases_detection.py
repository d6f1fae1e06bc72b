"""vision.ops: regions, boxes, YOLO, suppression."""

from __future__ import annotations

from typing import Any

import numpy as np
from harness import case, layer
from specs import Spec, const, distinct, f32, ints, pos

V = "vision.ops."


def boxes(count: int, size: float, least: float = 2.0) -> Spec:
    """Boxes (x1, y1, x2, y2) in an image of `size` pixels, some of which reach out of it."""

    def draw(r: np.random.RandomState) -> np.ndarray:
        corner = r.uniform(-0.1 * size, 0.7 * size, (count, 2))
        return np.concatenate([corner, corner + r.uniform(least, 0.6 * size, (count, 2))], 1)

    return Spec(draw, grad=False)


COUNTS = const([2, 1], "int32")
FEATURES = f32(2, 3, 7, 8)
SAME = "the operation is converted in another case"


def regions(name: str, *args: Any, **kwargs: Any) -> Any:
    return lambda P, x, b, n: getattr(P.vision.ops, name)(x, b, n, *args, **kwargs)


case(V + "roi_align", regions("roi_align", 3, 1.0, -1, True), [FEATURES, boxes(3, 8), COUNTS])
case(V + "roi_align/scale", regions("roi_align", (2, 3), spatial_scale=0.25, sampling_ratio=2, aligned=False),
     [FEATURES, boxes(3, 32), COUNTS], static=SAME)
case(V + "roi_align/an-image-without", regions("roi_align", 3, 1.0, -1, True),
     [FEATURES, boxes(3, 8), const([0, 3], "int32")], static=SAME)
case(V + "roi_pool", regions("roi_pool", (3, 2), 0.5), [distinct(2, 3, 7, 8), boxes(3, 16), COUNTS])
case(V + "psroi_pool", regions("psroi_pool", (2, 3), 0.5), [f32(2, 12, 7, 8), boxes(3, 16), COUNTS])
for name, size, scale, features in (("RoIAlign", 3, 1.0, FEATURES), ("RoIPool", (3, 2), 0.5, distinct(2, 3, 7, 8)),
                                    ("PSRoIPool", (2, 3), 0.5, f32(2, 12, 7, 8))):
    layer(V + name, lambda P, n=name, a=(size, scale): getattr(P.vision.ops, n)(*a), [features, boxes(3, 16), COUNTS],
          static=SAME)

PRIOR = [f32(1, 2, 3, 4), f32(1, 3, 9, 16)]
case(V + "prior_box", lambda P, x, i: P.vision.ops.prior_box(x, i, [4.0], flip=True, clip=True), PRIOR, static=SAME)
case(V + "prior_box/many", lambda P, x, i: P.vision.ops.prior_box(
    x, i, [4.0, 6.0], [5.0, 9.0], [2.0, 1.0, 3.0], [0.1, 0.2, 0.3, 0.4], True, False, [3.0, 2.0], 0.3), PRIOR)
case(V + "prior_box/order", lambda P, x, i: P.vision.ops.prior_box(
    x, i, [4.0, 6.0], [5.0, 9.0], [2.0], min_max_aspect_ratios_order=True), PRIOR, static=SAME)

VARIANCE = [0.1, 0.2, 0.3, 0.4]
for normal in (True, False):
    case(f"{V}box_coder/encode/{normal}", lambda P, p, v, t, o=normal: P.vision.ops.box_coder(
        p, v, t, "encode_center_size", o), [boxes(3, 9), pos(3, 4).fixed(), boxes(2, 9)],
         static=normal or SAME)
    for axis in (0, 1):
        case(f"{V}box_coder/decode/{normal}/{axis}", lambda P, p, v, t, o=normal, a=axis: P.vision.ops.box_coder(
            p, v, t, "decode_center_size", o, a), [boxes(3, 9), pos(3, 4).fixed(), f32(3, 3, 4).fixed()],
             static=(normal and axis == 1) or SAME)
case(V + "box_coder/list", lambda P, p, t: P.vision.ops.box_coder(p, VARIANCE, t), [boxes(3, 9), boxes(2, 9)],
     static=SAME)
case(V + "box_coder/list-decode", lambda P, p, t: P.vision.ops.box_coder(p, VARIANCE, t, "decode_center_size"),
     [boxes(3, 9), f32(2, 3, 4).fixed()], static=SAME)

ANCHORS = [10, 13, 16, 30, 33, 23]
SIZES = const([[60, 90], [64, 48]], "int32")
case(V + "yolo_box", lambda P, x, s: P.vision.ops.yolo_box(x, s, ANCHORS[:4], 2, 0.4, 8), [f32(2, 14, 3, 4), SIZES],
     grad=False, static=SAME)
case(V + "yolo_box/scale", lambda P, x, s: P.vision.ops.yolo_box(x, s, ANCHORS[:4], 2, 0.01, 8, False, scale_x_y=1.2),
     [f32(2, 14, 3, 4), SIZES], grad=False, static=SAME)
case(V + "yolo_box/iou_aware", lambda P, x, s: P.vision.ops.yolo_box(
    x, s, ANCHORS[:4], 2, 0.3, 8, iou_aware=True, iou_aware_factor=0.4), [f32(2, 16, 3, 4), SIZES], grad=False)

TRUTH = const([[[0.3, 0.4, 0.3, 0.5], [0.7, 0.6, 0.5, 0.4], [0, 0, 0, 0]],
               [[0.31, 0.42, 0.9, 0.8], [0.1, 0.9, 0.1, 0.2], [0.4, 0.95, 0.1, 0.2]]])
LABELS = const([[1, 0, 0], [0, 1, 1]], "int32")
YOLO = [f32(2, 14, 4, 4), TRUTH, LABELS]
case(V + "yolo_loss", lambda P, x, b, t, s: P.vision.ops.yolo_loss(
    x, b, t, ANCHORS, [2, 1], 2, 0.2, 8, s, False, scale_x_y=1.1), [*YOLO, pos(2, 3, high=1.0).fixed()],
     atol=1e-3)

EAGER = "the shape depends on values"
MANY = boxes(12, 20, 5)
case(V + "nms", lambda P, b: P.vision.ops.nms(b, 0.2), [MANY], static=EAGER)
case(V + "nms/scores", lambda P, b, s: P.vision.ops.nms(b, 0.3, s), [MANY, distinct(12).fixed()], static=EAGER)
case(V + "nms/categories", lambda P, b, s, c: P.vision.ops.nms(b, 0.3, s, c, [0, 1], 5),
     [MANY, distinct(12).fixed(), ints(0, 3, 12)], static=EAGER)
for gaussian in (False, True):
    case(f"{V}matrix_nms/{gaussian}", lambda P, b, s, g=gaussian: P.vision.ops.matrix_nms(
        b.reshape([2, 6, 4]), s, 0.3, 0.2, 4, 6, g, return_index=True), [MANY, pos(2, 3, 6, low=0.1, high=1.0).fixed()],
         static=EAGER)
case(V + "matrix_nms/whole-pixels", lambda P, b, s: P.vision.ops.matrix_nms(
    b.reshape([2, 6, 4]), s, 0.3, 0.0, -1, -1, background_label=-1, normalized=False),
     [MANY, pos(2, 2, 6, low=0.1, high=1.0).fixed()], static=EAGER)
for offset in (False, True):
    case(f"{V}distribute_fpn_proposals/{offset}", lambda P, b, n, o=offset: P.vision.ops.distribute_fpn_proposals(
        b, 2, 4, 3, 60, o, n), [boxes(9, 200), const([4, 5], "int32")], static=EAGER)


def proposals(P: Any, scores: Any, deltas: Any, anchors: Any, variances: Any, **options: Any) -> Any:
    size = P.to_tensor([[30.0, 40.0], [25.0, 28.0]])
    return P.vision.ops.generate_proposals(scores, deltas, size, anchors.reshape([3, 4, 2, 4]),
                                           variances.reshape([3, 4, 2, 4]), return_rois_num=True, **options)


OUTPUT = [distinct(2, 2, 3, 4).fixed(), f32(2, 8, 3, 4).fixed(), boxes(24, 30, 3),
          pos(24, 4, low=0.1, high=0.3).fixed()]
case(V + "generate_proposals", proposals, OUTPUT, static=EAGER)
case(V + "generate_proposals/few", lambda P, *x: proposals(
    P, *x, pre_nms_top_n=20, post_nms_top_n=4, nms_thresh=0.7, min_size=4.0, eta=0.8, pixel_offset=True), OUTPUT,
     static=EAGER)
case(V + "generate_proposals/none", lambda P, *x: proposals(P, *x, min_size=90.0), OUTPUT, static=EAGER)
