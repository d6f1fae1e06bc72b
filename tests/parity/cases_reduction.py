"""Reductions, scans and statistics."""

from __future__ import annotations

from harness import case, table, words
from specs import bools, c64, const, distinct, f32, f64, ints, pos

op = table("reduction")

for name in words("sum mean max min prod std var logsumexp amax amin nansum nanmean median"):
    make = distinct if name in ("max", "min", "amax", "amin", "median") else pos
    op(name, [make(2, 3, 4)])
    op(name, [make(2, 3, 4)], axis=1)
    op(name, [make(2, 3, 4)], axis=-1, keepdim=True)
    if name not in ("median",):
        op(name, [make(2, 3, 4)], axis=[0, 2])
for name in words("sum mean max min prod"):
    op(name, [f64(2, 3)] if name not in ("max", "min") else [distinct(2, 3, dtype="float64")], _case="float64")
    op(name, [f32()] if name != "mean" else [f32(1)], _case="scalar")
for name in words("sum prod max min"):
    op(name, [ints(1, 5, 2, 3)], _case="int64")
    op(name, [ints(1, 5, 2, 3, dtype="int32")], axis=0, _case="int32")
op("sum", [bools(2, 3)], _case="bool")
op("sum", [f32(2, 3)], dtype="float64")
op("sum", [ints(0, 5, 2, 3, dtype="int32")], dtype="float32")
op("sum", [c64(2, 3)], axis=1)
op("sum", [f32(2, 0, 3)], axis=1)
op("mean", [c64(2, 3)], axis=1)
op("prod", [ints(1, 4, 3)], dtype="float32")
op("std", [f32(3, 4)], axis=0, unbiased=False)
op("var", [f32(3, 4)], axis=0, unbiased=False)
op("amax", [const([[1.0, 3.0, 3.0], [2.0, 2.0, 0.0]], grad=True)], axis=1, _case="ties")
op("amin", [const([[1.0, 1.0, 3.0], [2.0, 2.0, 0.0]], grad=True)], axis=1, _case="ties")
op("max", [const([[1.0, 3.0, 3.0], [2.0, 2.0, 0.0]], grad=True)], axis=1, _case="ties")
op("nansum", [const([1.0, float("nan"), 3.0], grad=True)], _case="nan")
op("nanmean", [const([1.0, float("nan"), 3.0], grad=True)], _case="nan")
op("nanmedian", [const([1.0, float("nan"), 3.0, 4.0], grad=True)], _case="nan").options(grad=False)
op("median", [distinct(2, 4)], axis=1, mode="min")
op("median", [distinct(2, 5)], axis=1, mode="avg")
for name in words("all any"):
    op(name, [bools(2, 3)])
    op(name, [bools(2, 3)], axis=1)
    op(name, [bools(2, 3)], axis=[0, 1], keepdim=True)
    op(name, [ints(0, 2, 2, 3)], axis=0, _case="int")
op("count_nonzero", [ints(0, 2, 2, 3)])
op("count_nonzero", [ints(0, 2, 2, 3)], axis=1, keepdim=True)
op("numel", [f32(2, 3).fixed()])
op("quantile", [distinct(3, 4)], 0.35, axis=1)
op("quantile", [distinct(3, 5)], [0.25, 0.5], axis=1, keepdim=True)
op("quantile", [distinct(3, 5)], 0.3, axis=0, interpolation="lower")
op("nanquantile", [const([1.0, float("nan"), 3.0, 4.0, 9.0])], 0.4)
op("kthvalue", [distinct(2, 5)], 2)
op("kthvalue", [distinct(2, 5)], 2, axis=0, keepdim=True)
op("mode", [ints(0, 3, 2, 6)], axis=1)
op("mode", [const([[1.0, 2.0, 2.0], [3.0, 3.0, 1.0]], grad=True)], keepdim=True)

for name in words("cumsum cumprod logcumsumexp cummax cummin"):
    make = distinct if name in ("cummax", "cummin") else pos
    if name == "cumprod":
        op(name, [make(2, 3, 2)], dim=1)
        op(name, [make(2, 3)], dim=-1)
        op(name, [ints(1, 4, 5)], dim=0)
        continue
    op(name, [make(2, 3)])
    op(name, [make(2, 3, 2)], axis=1)
    op(name, [make(2, 3)], axis=-1)
op("cumsum", [ints(0, 9, 2, 3)], axis=1)
op("cumsum", [f32(2, 3)], axis=0, dtype="float64")
op("cummax", [ints(0, 9, 6)], dtype="int32")

for p in (None, "fro", 1, 2, 3, 0, float("inf"), -float("inf")):
    op("norm", [f32(2, 3)], p=p)
op("norm", [f32(2, 3, 2)], p=2, axis=1)
op("norm", [f32(2, 3, 2)], p=1, axis=-1, keepdim=True)
op("norm", [f32(2, 3, 2)], p="fro", axis=[0, 1])
op("norm", [f32(2, 3, 2)], p="nuc", axis=[0, 2]).options(grad_rtol=1e-3)
op("norm", [f32(2, 3, 2)], p=float("inf"), axis=1)
op("linalg.vector_norm", [f32(2, 3)], 3.0, axis=1)
op("linalg.vector_norm", [f32(2, 3)])
for p in ("fro", "nuc", 1, -1, float("inf"), 2):
    op("linalg.matrix_norm", [distinct(3, 4)], p=p).options(grad_rtol=1e-3)
op("dist", [f32(2, 3), f32(2, 3)])
op("dist", [f32(2, 3), f32(3)], p=1)
op("dist", [f32(2, 3), f32(2, 3)], p=float("inf"))
op("cdist", [f32(3, 4), f32(2, 4)])
op("cdist", [f32(2, 3, 4), f32(2, 2, 4)], p=1.0)
op("pdist", [f32(4, 3)])
op("histogram", [distinct(12).fixed()], bins=4)
op("histogram", [distinct(12).fixed()], bins=4, min=-2, max=2)
BY_VALUES = "the result's length depends on values"
op("bincount", [ints(0, 5, 9)]).options(static=BY_VALUES)
op("bincount", [ints(0, 5, 9)], minlength=8).options(static=BY_VALUES)
case("bincount/weights", lambda P, x, w: P.bincount(x, weights=w), [ints(0, 5, 9), f32(9).fixed()], static=BY_VALUES)
op("linalg.cov", [f32(3, 5)])
op("linalg.cov", [f32(5, 3)], rowvar=False, ddof=False)
op("linalg.corrcoef", [f32(3, 5)]).options(grad_atol=1e-4)
op("trace", [f32(3, 4)])
op("trace", [f32(2, 3, 4)], offset=1, axis1=1, axis2=2)
op("histogram_bin_edges", [distinct(8).fixed()], bins=4)
