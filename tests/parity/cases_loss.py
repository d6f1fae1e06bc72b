"""Losses, each with every reduction."""

from __future__ import annotations

from harness import case, layer, table
from specs import bools, const, f32, ints, pos, simplex, unit, wide

op = table("loss")
F = "nn.functional."
REDUCTIONS = ("mean", "sum", "none")
SIGNS = const([1.0, -1.0, -1.0])
CLASSES = ints(0, 4, 3)

EACH_REDUCTION = [
    ("mse_loss", [f32(3, 4), f32(3, 4)], {}),
    ("l1_loss", [f32(3, 4), f32(3, 4)], {}),
    ("smooth_l1_loss", [wide(3, 4), f32(3, 4)], {"delta": 0.7}),
    ("smooth_l1_loss", [wide(3, 4), f32(3, 4)], {"delta": 0.7, "is_huber": False}),
    ("binary_cross_entropy", [unit(3, 4), unit(3, 4).fixed()], {}),
    ("binary_cross_entropy_with_logits", [wide(3, 4), unit(3, 4).fixed()], {}),
    ("cross_entropy", [wide(3, 4), CLASSES], {}),
    ("nll_loss", [wide(3, 4), CLASSES], {}),
    ("kl_div", [f32(3, 4), simplex(3, 4).fixed()], {}),
    ("kl_div", [f32(3, 4), f32(3, 4).fixed()], {"log_target": True}),
    ("margin_ranking_loss", [f32(3), f32(3), SIGNS], {"margin": 0.3}),
    ("hinge_embedding_loss", [f32(3), SIGNS], {"margin": 1.5}),
    ("cosine_embedding_loss", [f32(3, 4), f32(3, 4), const([1, -1, 1], "int64")], {"margin": 0.1}),
    ("triplet_margin_loss", [f32(3, 4), f32(3, 4), f32(3, 4)], {"swap": True}),
    ("triplet_margin_with_distance_loss", [f32(3, 4), f32(3, 4), f32(3, 4)], {"margin": 0.5}),
    ("soft_margin_loss", [f32(3, 4), const([[1.0, -1, 1, -1]] * 3)], {}),
    ("multi_label_soft_margin_loss", [f32(3, 4), bools(3, 4).astype("float32").fixed()], {}),
    ("multi_margin_loss", [f32(3, 4), CLASSES], {"p": 2, "margin": 0.7}),
    ("multi_label_margin_loss", [f32(2, 4), const([[0, 2, -1, 1], [3, -1, 0, 1]], "int64")], {}),
    ("poisson_nll_loss", [f32(3, 4), pos(3, 4)], {"full": True}),
    ("gaussian_nll_loss", [f32(3, 4), f32(3, 4), pos(3, 4)], {"full": True}),
    ("sigmoid_focal_loss", [wide(3, 4), bools(3, 4).astype("float32").fixed()], {}),
]
for path, inputs, options in EACH_REDUCTION:
    for reduction in REDUCTIONS:
        op(F + path, inputs, reduction=reduction, **options)
op(F + "kl_div", [f32(3, 4), simplex(3, 4).fixed()], reduction="batchmean")
op(F + "square_error_cost", [f32(3, 4), f32(3, 4)])
op(F + "log_loss", [unit(3, 1), bools(3, 1).astype("float32").fixed()], epsilon=1e-3)
op(F + "dice_loss", [simplex(3, 4), ints(0, 4, 3, 1)])
op(F + "poisson_nll_loss", [pos(3, 4), pos(3, 4)], log_input=False)
op(F + "npair_loss", [f32(3, 4), f32(3, 4), const([0.0, 1.0, 0.0])], l2_reg=0.01)

WEIGHTED = {  # functions of the loss and a per-class or per-element weight
    "binary_cross_entropy/weight": (
        lambda P, x, y, w: P.nn.functional.binary_cross_entropy(x, y, w),
        [unit(3, 4), unit(3, 4).fixed(), pos(4).fixed()],
    ),
    "bce_with_logits/weight-pos_weight": (
        lambda P, x, y, w, p: P.nn.functional.binary_cross_entropy_with_logits(
            x, y, weight=w, pos_weight=p, reduction="sum"
        ),
        [wide(3, 4), unit(3, 4).fixed(), pos(3, 4).fixed(), pos(4).fixed()],
    ),
    "nll_loss/weight-ignore": (
        lambda P, x, y, w: P.nn.functional.nll_loss(x, y, w, ignore_index=1),
        [f32(4, 3), const([0, 1, 2, 0], "int64"), pos(3).fixed()],
    ),
    "nll_loss/2d": (lambda P, x, y: P.nn.functional.nll_loss(x, y), [f32(2, 3, 2, 2), ints(0, 3, 2, 2, 2)]),
    "multi_margin_loss/weight": (
        lambda P, x, y, w: P.nn.functional.multi_margin_loss(x, y, weight=w),
        [f32(3, 4), CLASSES, pos(4).fixed()],
    ),
    "sigmoid_focal_loss/normalizer": (
        lambda P, x, y, n: P.nn.functional.sigmoid_focal_loss(x, y, normalizer=n, alpha=0.6, gamma=1.5),
        [wide(3, 4), bools(3, 4).astype("float32").fixed(), const([3.0])],
    ),
}
for name, (fn, inputs) in WEIGHTED.items():
    case(F + name, fn, inputs)

LABELS_IGNORED = const([0, 3, -100, 2], "int64")
CROSS_ENTROPY = [
    ("column-labels", [wide(3, 4), ints(0, 4, 3, 1)], {}),
    ("int32-labels", [wide(3, 4), ints(0, 4, 3, dtype="int32")], {}),
    ("ignore-default", [wide(4, 4), LABELS_IGNORED], {}),
    ("ignore-none", [wide(4, 4), LABELS_IGNORED], {"reduction": "none"}),
    ("ignore-2", [wide(4, 4), const([0, 3, 1, 2], "int64")], {"ignore_index": 2}),
    ("ignore-all", [wide(2, 4), const([1, 1], "int64")], {"ignore_index": 1}),
    ("soft", [wide(3, 4), simplex(3, 4)], {"soft_label": True}),
    ("soft-sum", [wide(3, 4), simplex(3, 4)], {"soft_label": True, "reduction": "sum"}),
    ("soft-none", [wide(3, 4), simplex(3, 4).fixed()], {"soft_label": True, "reduction": "none"}),
    ("smoothing", [wide(3, 4), CLASSES], {"label_smoothing": 0.2}),
    ("smoothing-none", [wide(3, 4), CLASSES], {"label_smoothing": 0.2, "reduction": "none"}),
    ("smoothing-soft", [wide(3, 4), simplex(3, 4).fixed()], {"label_smoothing": 0.2, "soft_label": True}),
    ("no-softmax", [simplex(3, 4), CLASSES], {"use_softmax": False}),
    ("axis-1", [wide(2, 4, 3), ints(0, 4, 2, 3)], {"axis": 1}),
    ("axis-1-none", [wide(2, 4, 3), ints(0, 4, 2, 3)], {"axis": 1, "reduction": "none"}),
    ("sequence", [wide(2, 3, 4), ints(0, 4, 2, 3)], {}),
    ("image", [wide(2, 4, 2, 2), ints(0, 4, 2, 2, 2)], {"axis": 1, "reduction": "sum"}),
    ("float64", [wide(3, 4).astype("float64"), CLASSES], {}),
]
for name, inputs, options in CROSS_ENTROPY:
    op(F + "cross_entropy", inputs, _case=name, **options)
for reduction in REDUCTIONS:
    for name, labels, extra in (
        ("weight", const([0, 3, 1], "int64"), {}),
        ("weight-ignore", const([0, -100, 1], "int64"), {}),
        ("weight-soft", simplex(3, 4).fixed(), {"soft_label": True}),
    ):
        case(
            f"{F}cross_entropy/{name},{reduction}",
            lambda P, x, y, w, o=extra | {"reduction": reduction}: P.nn.functional.cross_entropy(x, y, weight=w, **o),
            [wide(3, 4), labels, pos(4).fixed()],
        )
op(F + "softmax_with_cross_entropy", [wide(3, 4), ints(0, 4, 3, 1)], return_softmax=True).options(grad=False)
op(F + "softmax_with_cross_entropy", [wide(3, 4), simplex(3, 4)], soft_label=True)

for reduction in REDUCTIONS:
    op(
        F + "ctc_loss",
        [wide(6, 2, 4), ints(1, 4, 2, 3, dtype="int32"), const([6, 5], "int64"), const([3, 2], "int64")],
        reduction=reduction,
    ).options(grad_atol=1e-4)
op(
    F + "ctc_loss",
    [wide(6, 2, 4), ints(0, 3, 2, 2, dtype="int32"), const([6, 6], "int64"), const([2, 2], "int64")],
    blank=3,
)

LOSS_LAYERS = {
    "CrossEntropyLoss": ({"ignore_index": 1}, [wide(3, 4), CLASSES]),
    "MSELoss": ({"reduction": "sum"}, [f32(3), f32(3)]),
    "L1Loss": ({}, [f32(3), f32(3)]),
    "SmoothL1Loss": ({"delta": 0.5}, [f32(3), f32(3)]),
    "NLLLoss": ({}, [wide(3, 4), CLASSES]),
    "BCELoss": ({}, [unit(3), unit(3).fixed()]),
    "BCEWithLogitsLoss": ({"reduction": "none"}, [f32(3), unit(3).fixed()]),
    "KLDivLoss": ({"reduction": "batchmean"}, [f32(3, 4), simplex(3, 4).fixed()]),
    "MarginRankingLoss": ({"margin": 0.2}, [f32(3), f32(3), SIGNS]),
    "HingeEmbeddingLoss": ({}, [f32(3), SIGNS]),
    "CosineEmbeddingLoss": ({}, [f32(3, 4), f32(3, 4), const([1, -1, 1], "int64")]),
    "TripletMarginLoss": ({}, [f32(3, 4), f32(3, 4), f32(3, 4)]),
    "SoftMarginLoss": ({}, [f32(3), SIGNS]),
    "TripletMarginWithDistanceLoss": ({}, [f32(3, 4), f32(3, 4), f32(3, 4)]),
    "MultiLabelSoftMarginLoss": ({}, [f32(3, 4), bools(3, 4).astype("float32").fixed()]),
    "MultiMarginLoss": ({}, [f32(3, 4), CLASSES]),
    "PoissonNLLLoss": ({}, [f32(3), pos(3)]),
    "GaussianNLLLoss": ({}, [f32(3), f32(3), pos(3)]),
    "CTCLoss": ({}, [wide(5, 2, 4), ints(1, 4, 2, 2, dtype="int32"), const([5, 5], "int64"), const([2, 2], "int64")]),
}
for name, (options, inputs) in LOSS_LAYERS.items():
    layer("nn." + name, lambda P, n=name, o=options: getattr(P.nn, n)(**o), inputs)
layer(
    "nn.CrossEntropyLoss/weight",
    lambda P: P.nn.CrossEntropyLoss(weight=P.to_tensor([1.0, 2.0, 0.5, 1.5]), label_smoothing=0.1),
    [wide(3, 4), CLASSES],
)
