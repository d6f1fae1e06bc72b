"""Comparison, logic, sorting and searching."""

from __future__ import annotations

from harness import case, table, words
from specs import bools, const, distinct, f32, ints, pos

op = table("search")

for name in words("equal not_equal less_than less_equal greater_than greater_equal"):
    op(name, [ints(0, 3, 2, 3), ints(0, 3, 2, 3)])
    op(name, [f32(2, 3), f32(3)])
for name in words("logical_and logical_or logical_xor"):
    op(name, [bools(2, 3), bools(2, 3)])
    op(name, [ints(0, 2, 4), ints(0, 2, 4)], _case="numbers")
op("logical_not", [bools(2, 3)])
op("logical_not", [ints(0, 2, 4)], _case="int")
op("equal_all", [ints(0, 3, 4), ints(0, 3, 4)])
op("equal_all", [const([1.0, 2.0]), const([1.0, 2.0])])
op("allclose", [const([1.0, 2.0]), const([1.0, 2.0 + 1e-6])])
op("allclose", [const([1.0, float("nan")]), const([1.0, float("nan")])], equal_nan=True)
op("isclose", [const([1.0, 2.0]), const([1.001, 2.0])], rtol=1e-2)
SPECIAL = const([1.0, float("nan"), float("inf"), -float("inf"), 0.0])
for name in words("isnan isinf isfinite isneginf isposinf isreal"):
    op(name, [SPECIAL])
op("isin", [ints(0, 6, 5), ints(0, 3, 4)])
op("isin", [ints(0, 6, 5), ints(0, 3, 4)], invert=True)
op("is_empty", [f32(0, 2)])

for name in words("argmax argmin"):
    op(name, [distinct(2, 5)])
    op(name, [distinct(2, 5)], axis=1)
    op(name, [distinct(2, 5)], axis=-1, keepdim=True)
    op(name, [distinct(2, 5)], axis=0, dtype="int32")
    op(name, [const([[1.0, 3.0, 3.0, 1.0]])], axis=1, _case="ties")
    op(name, [distinct(6, dtype="int64")], _case="int64")
op("argsort", [distinct(2, 5)])
op("argsort", [distinct(2, 5)], axis=0, descending=True)
op("argsort", [ints(0, 3, 8)], stable=True)
op("argsort", [ints(0, 3, 8)], descending=True, stable=True)
op("sort", [distinct(2, 5)])
op("sort", [distinct(2, 5)], axis=0, descending=True)
op("sort", [distinct(6, dtype="int64")], _case="int64")
op("msort", [distinct(4, 2)])
op("topk", [distinct(2, 6)], 3)
op("topk", [distinct(2, 6)], k=2, axis=0)
op("topk", [distinct(2, 6)], 2, largest=False)
op("topk", [distinct(8, dtype="int64")], 3, _case="int64")
op("searchsorted", [const([1.0, 3.0, 5.0, 7.0]), const([[0.5, 3.0], [6.0, 9.0]])])
op("searchsorted", [const([1.0, 3.0, 5.0, 7.0]), const([3.0, 7.0])], right=True, out_int32=True)
op("bucketize", [const([[0.5, 3.0], [6.0, 9.0]]), const([1.0, 3.0, 5.0])])

op("where", [bools(2, 3), f32(2, 3), f32(2, 3)])
op("where", [bools(2, 3), f32(3), f32(2, 1)], _case="broadcast")
case("where/scalars", lambda P, c, x: (P.where(c, x, 0.0), P.where(c, 1.0, x)), [bools(2, 3), f32(2, 3)])
case("where/condition-only", lambda P, c: P.where(c), [bools(2, 3)], static="the output's shape depends on values")
case("where/comparison", lambda P, x, y: P.where(x > y, x * 2, y), [f32(2, 3), f32(2, 3)])
SHAPE_BY_VALUE = "the output's shape depends on values"
op("nonzero", [ints(0, 2, 2, 4)]).options(static=SHAPE_BY_VALUE)
op("nonzero", [ints(0, 2, 2, 4)], as_tuple=True).options(static=SHAPE_BY_VALUE)
op("argwhere", [ints(0, 2, 5)]).options(static=SHAPE_BY_VALUE)
op("unique", [ints(0, 4, 8)]).options(static=SHAPE_BY_VALUE)
op("unique", [ints(0, 4, 8)], return_index=True, return_inverse=True, return_counts=True).options(static=SHAPE_BY_VALUE)
op("unique", [ints(0, 2, 5, 2)], axis=0).options(static=SHAPE_BY_VALUE)
op("unique", [ints(0, 4, 8)], return_inverse=True, dtype="int32").options(static=SHAPE_BY_VALUE)
op("unique_consecutive", [ints(0, 2, 9)]).options(static=SHAPE_BY_VALUE)
op("unique_consecutive", [ints(0, 2, 9)], return_inverse=True, return_counts=True).options(static=SHAPE_BY_VALUE)
op("unique_consecutive", [ints(0, 2, 5, 2)], axis=0).options(static=SHAPE_BY_VALUE)
op("max", [distinct(2, 3)], axis=1)
op("min", [distinct(2, 3)], axis=0, keepdim=True)
case("multiplex", lambda P, a, b, i: P.multiplex([a, b], i), [f32(3, 2), f32(3, 2), const([[1], [0], [1]], "int32")])

METHODS = {  # Tensor methods: name -> (inputs, arguments)
    "abs": ([f32(3)], ()),
    "exp": ([f32(3)], ()),
    "log": ([pos(3)], ()),
    "sqrt": ([pos(3)], ()),
    "mean": ([f32(2, 3)], (1,)),
    "sum": ([f32(2, 3)], (-1, "float64")),
    "max": ([distinct(2, 3)], (1,)),
    "min": ([distinct(2, 3)], ()),
    "std": ([f32(5)], ()),
    "matmul": ([f32(2, 3), f32(3, 2)], ()),
    "add": ([f32(3), f32(3)], ()),
    "pow": ([pos(3)], (2,)),
    "clip": ([f32(4)], (-0.5, 0.5)),
    "argmax": ([distinct(2, 3)], (1,)),
    "topk": ([distinct(5)], (2,)),
    "split": ([f32(4, 2)], (2,)),
    "chunk": ([f32(4, 2)], (2,)),
    "flatten": ([f32(2, 3)], ()),
    "squeeze": ([f32(1, 3)], ()),
    "unsqueeze": ([f32(3)], (0,)),
    "expand": ([f32(1, 3)], ([2, 3],)),
    "norm": ([f32(3)], ()),
    "cumsum": ([f32(3)], ()),
    "scale": ([f32(3)], (2.0,)),
    "gather": ([f32(3), const([0, 2], "int64")], ()),
    "softmax": ([f32(2, 3)], ()),
    "tanh": ([f32(3)], ()),
    "sigmoid": ([f32(3)], ()),
    "dot": ([f32(3), f32(3)], ()),
    "equal": ([ints(0, 2, 3), ints(0, 2, 3)], ()),
    "all": ([bools(3)], ()),
    "any": ([bools(3)], ()),
    "prod": ([pos(3)], ()),
    "unbind": ([f32(2, 3)], ()),
    "repeat_interleave": ([f32(2)], (2,)),
    "flip": ([f32(3)], (0,)),
    "roll": ([f32(3)], (1,)),
    "tile": ([f32(2)], ([2],)),
    "numel": ([f32(2, 3).fixed()], ()),
    "sort": ([distinct(4)], ()),
    "var": ([f32(4)], ()),
    "logsumexp": ([f32(3)], ()),
    "where": ([bools(3), f32(3), f32(3)], ()),
    "t": ([f32(2, 3)], ()),
    "mm": ([f32(2, 3), f32(3, 2)], ()),
    "bmm": ([f32(1, 2, 3), f32(1, 3, 2)], ()),
    "rsqrt": ([pos(3)], ()),
    "square": ([f32(3)], ()),
    "lerp": ([f32(3), f32(3)], (0.5,)),
    "index_select": ([f32(3), const([0, 2], "int64")], ()),
    "masked_fill": ([f32(3), bools(3)], (0.5,)),
    "diff": ([f32(4)], ()),
    "outer": ([f32(2), f32(3)], ()),
    "tril": ([f32(3, 3)], ()),
    "inverse": ([const([[2.0, 1.0], [0.5, 3.0]], grad=True)], ()),
    "broadcast_to": ([f32(3)], ([2, 3],)),
    "moveaxis": ([f32(2, 3)], (0, 1)),
    "isnan": ([f32(3)], ()),
    "floor": ([f32(3)], ()),
    "take_along_axis": ([f32(2, 3), const([[0], [1]], "int64")], (1,)),
    "maximum": ([f32(3), f32(3)], ()),
    "trunc": ([f32(3)], ()),
}
for name, (inputs, arguments) in METHODS.items():
    op(f"Tensor.{name}", inputs, *arguments)
