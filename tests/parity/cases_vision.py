"""Embedding, padding, interpolation, sampling grids."""

from __future__ import annotations

from harness import case, layer, table, words
from specs import const, f32, f64, ints, sym

op = table("vision")
F = "nn.functional."

case(F + "embedding", lambda P, i, w: P.nn.functional.embedding(i, w), [ints(0, 5, 2, 3), f32(5, 4)])
case(
    F + "embedding/padding_idx",
    lambda P, i, w: P.nn.functional.embedding(i, w, padding_idx=1),
    [ints(0, 3, 2, 3), f32(3, 4)],
)
case(
    F + "embedding/negative-padding_idx",
    lambda P, i, w: P.nn.functional.embedding(i, w, padding_idx=-1),
    [ints(0, 3, 5), f32(3, 2)],
)
case(F + "embedding/int32", lambda P, i, w: P.nn.functional.embedding(i, w), [ints(0, 5, 3, dtype="int32"), f64(5, 2)])
layer("nn.Embedding", lambda P: P.nn.Embedding(5, 3), [ints(0, 5, 2, 3)])
layer("nn.Embedding/padding_idx", lambda P: P.nn.Embedding(4, 3, padding_idx=0), [ints(0, 4, 6)])
layer("nn.Embedding/sparse", lambda P: P.nn.Embedding(4, 3, sparse=True), [ints(0, 4, 6)], grad=False)

PADS = [
    ((2, 3), [1, 2], {}),
    ((2, 3), [1, 0, 0, 2], {"value": 1.5}),
    ((2, 3, 4), [1, 2], {"data_format": "NCL"}),
    ((1, 2, 3, 4), [1, 2, 0, 1], {}),
    ((1, 2, 3, 4), [1, 1, 2, 2], {"mode": "reflect"}),
    ((1, 2, 3, 4), [1, 2, 2, 1], {"mode": "replicate"}),
    ((1, 2, 3, 4), [1, 2, 2, 1], {"mode": "circular"}),
    ((1, 3, 4, 2), [1, 2, 0, 1], {"mode": "reflect", "data_format": "NHWC"}),
    ((1, 2, 3, 4), [0, 0, 1, 0, 0, 2, 1, 1], {}),
    ((1, 2, 3, 3, 3), [1, 0, 0, 1, 1, 1], {"mode": "replicate", "data_format": "NCDHW"}),
    ((1, 2, 3, 3, 3), [1, 0, 0, 1, 1, 1], {"mode": "reflect", "data_format": "NCDHW"}),
    ((1, 3, 3, 3, 2), [1, 0, 0, 1, 1, 1], {"mode": "circular", "data_format": "NDHWC"}),
    ((2, 3, 4), [1, 2], {"mode": "reflect", "data_format": "NCL"}),
    ((2, 4, 3), [1, 1], {"mode": "circular", "data_format": "NLC"}),
    ((1, 2, 3, 4), [-1, 0, 0, 1], {}),
]
for shape, pad, options in PADS:
    op(F + "pad", [f32(*shape)], pad, _case=f"{len(shape)}d", **options)
op(F + "pad", [ints(0, 5, 1, 1, 2, 2)], [1, 1, 1, 1], value=7, _case="int")
op(F + "zeropad2d", [f32(1, 2, 2, 3)], [1, 2, 0, 1])
for name, padding, shape in (
    ("Pad1D", [1, 2], (1, 2, 4)),
    ("Pad2D", [1, 2, 0, 1], (1, 2, 3, 3)),
    ("Pad3D", 1, (1, 1, 2, 2, 2)),
    ("ZeroPad2D", [1, 0, 2, 1], (1, 2, 3, 3)),
    ("Pad2D", 1, (1, 2, 3, 3)),
):
    layer(f"nn.{name}/{padding}".replace(" ", ""), lambda P, n=name, p=padding: getattr(P.nn, n)(p), [f32(*shape)])
layer("nn.Pad2D/reflect", lambda P: P.nn.Pad2D([1, 1, 1, 1], mode="reflect", data_format="NHWC"), [f32(1, 3, 3, 2)])

RESIZES = [
    ((1, 2, 3, 4), {"size": [5, 6]}),
    ((1, 2, 3, 4), {"scale_factor": 2}),
    ((1, 2, 3, 4), {"size": [2, 3], "mode": "nearest"}),
    ((1, 2, 3, 4), {"size": [5, 3], "mode": "nearest", "align_corners": False}),
    ((1, 2, 3, 4), {"size": [5, 6], "mode": "bilinear"}),
    ((1, 2, 3, 4), {"size": [5, 6], "mode": "bilinear", "align_corners": True}),
    ((1, 2, 3, 4), {"size": [5, 6], "mode": "bilinear", "align_mode": 1}),
    ((1, 2, 3, 4), {"scale_factor": [1.5, 0.5], "mode": "bilinear"}),
    ((1, 2, 3, 4), {"size": [5, 6], "mode": "bicubic"}),
    ((1, 2, 3, 4), {"size": [2, 6], "mode": "bicubic", "align_corners": True}),
    ((1, 2, 3, 4), {"size": [2, 2], "mode": "area"}),
    ((1, 3, 4, 2), {"size": [5, 6], "mode": "bilinear", "data_format": "NHWC"}),
    ((1, 3, 4, 2), {"size": [5, 6], "mode": "nearest", "data_format": "NHWC"}),
    ((1, 2, 6, 7), {"size": [2, 3], "mode": "bilinear", "antialias": True}),
    ((1, 2, 6, 7), {"size": [4, 9], "mode": "bilinear", "antialias": True, "align_corners": True}),
    ((1, 6, 7, 2), {"scale_factor": [0.5, 0.4], "mode": "bicubic", "antialias": True, "data_format": "NHWC"}),
    ((1, 2, 6, 7), {"size": [5, 3], "mode": "bicubic", "antialias": True, "align_corners": True}),
    ((1, 2, 4), {"size": [7], "mode": "linear", "data_format": "NCW"}),
    ((1, 2, 4), {"size": [7], "mode": "linear", "align_corners": True, "data_format": "NCW"}),
    ((1, 1, 2, 3, 2), {"size": [3, 4, 3], "mode": "trilinear", "data_format": "NCDHW"}),
    ((1, 1, 2, 3, 2), {"size": [3, 4, 3], "mode": "trilinear", "align_corners": True, "data_format": "NCDHW"}),
    ((1, 1, 2, 3, 2), {"scale_factor": 2, "mode": "nearest", "data_format": "NCDHW"}),
]
for shape, options in RESIZES:
    op(F + "interpolate", [f32(*shape)], _case=f"{len(shape)}d", **options)
op(F + "upsample", [f32(1, 2, 2, 3)], scale_factor=2, mode="bilinear", align_corners=True)
layer("nn.Upsample", lambda P: P.nn.Upsample(scale_factor=2, mode="nearest"), [f32(1, 2, 2, 3)])
layer("nn.Upsample/bilinear", lambda P: P.nn.Upsample(size=[4, 5], mode="bilinear"), [f32(1, 2, 2, 3)])
layer("nn.UpsamplingNearest2D", lambda P: P.nn.UpsamplingNearest2D(size=[4, 5]), [f32(1, 2, 2, 3)])
layer("nn.UpsamplingBilinear2D", lambda P: P.nn.UpsamplingBilinear2D(scale_factor=2), [f32(1, 2, 2, 3)])

for mode in words("bilinear nearest"):
    for padding_mode in words("zeros border reflection"):
        for align_corners in (True, False):
            op(
                F + "grid_sample",
                [f32(1, 2, 3, 4), sym(1, 2, 3, 2, high=1.4)],
                mode=mode,
                padding_mode=padding_mode,
                align_corners=align_corners,
            ).options(grad_atol=1e-4)
op(F + "grid_sample", [f32(1, 1, 2, 3, 3), sym(1, 2, 2, 2, 3, high=0.9)], _case="3d")
for align_corners in (True, False):
    op(F + "affine_grid", [f32(1, 2, 3)], [1, 2, 3, 4], align_corners=align_corners)
op(F + "affine_grid", [f32(1, 3, 4)], [1, 1, 2, 2, 3])
layer("nn.Linear", lambda P: P.nn.Linear(3, 4), [f32(2, 3)])
layer("nn.Linear/no-bias", lambda P: P.nn.Linear(3, 4, bias_attr=False), [f32(2, 2, 3)])
layer("nn.Bilinear", lambda P: P.nn.Bilinear(3, 4, 2), [f32(2, 3), f32(2, 4)])
case(
    F + "gather_tree",
    lambda P, i, p: P.nn.functional.gather_tree(i, p),
    [const([[[2, 2]], [[3, 9]], [[4, 1]]], "int64"), const([[[0, 0]], [[1, 1]], [[0, 1]]], "int64")],
)

DEFORMED = {
    "plain": ([f32(1, 2, 4, 5), sym(1, 8, 3, 4, high=1.4), f32(3, 2, 2, 2)], {}),
    "groups": (
        [f32(2, 4, 5, 4), sym(2, 36, 3, 2, high=2.3), f32(4, 2, 3, 3)],
        {"stride": [2, 2], "padding": [1, 1], "dilation": [1, 1], "deformable_groups": 2, "groups": 2},
    ),
    "dilated": ([f32(1, 1, 5, 6), sym(1, 12, 3, 3, high=0.9), f32(2, 1, 3, 2)], {"dilation": [1, 3]}),
}
for name, (inputs, options) in DEFORMED.items():
    op("vision.ops.deform_conv2d", inputs, _case=name, **options).options(grad_atol=1e-4, grad_rtol=1e-3)
layer(
    "vision.ops.DeformConv2D",
    lambda P: P.vision.ops.DeformConv2D(2, 4, [2, 2], padding=1, deformable_groups=2),
    [f32(1, 2, 3, 2), sym(1, 16, 4, 3, high=1.4), f32(1, 8, 4, 3)],
    grad_atol=1e-4,
    grad_rtol=1e-3,
)
