"""Shapes: reshape, transpose, join, split, repeat, gather, scatter."""

from __future__ import annotations

from harness import case, table, words
from specs import bools, c64, const, distinct, f32, f64, ints

op = table("manipulation")

op("reshape", [f32(2, 6)], [3, 4])
op("reshape", [f32(2, 6)], [-1, 2])
op("reshape", [f32(2, 6)], [0, 2, 3])
op("reshape", [f32(1, 1)], [])
case("reshape/tensor-dims", lambda P, x: P.reshape(x, [P.to_tensor(3), 4]), [f32(2, 6)], static="shape made of tensors")
case(
    "reshape/shape-tensor",
    lambda P, x, s: P.reshape(x, s),
    [f32(2, 6), const([4, 3], "int32")],
    static="a shape in a traced tensor",
)
op("transpose", [f32(2, 3, 4)], [2, 0, 1])
op("transpose", [f32(2, 3)], perm=(1, 0))
op("moveaxis", [f32(2, 3, 4)], 0, -1)
op("moveaxis", [f32(2, 3, 4)], [0, 1], [1, 2])
op("swapaxes", [f32(2, 3, 4)], 0, 2)
op("squeeze", [f32(1, 2, 1)])
op("squeeze", [f32(1, 2, 1)], axis=0)
op("squeeze", [f32(1, 2, 1)], axis=[0, -1])
op("squeeze", [f32(1, 2, 1)], axis=1)
op("unsqueeze", [f32(2, 3)], 0)
op("unsqueeze", [f32(2, 3)], axis=[0, -1])
op("unsqueeze", [f32(2, 3)], axis=(1, 2))
op("flatten", [f32(2, 3, 2)])
op("flatten", [f32(2, 3, 2)], 1)
op("flatten", [f32(2, 3, 2, 2)], start_axis=1, stop_axis=2)
op("flatten", [f32()], _case="0d")
op("unflatten", [f32(2, 6)], 1, [2, -1])
op("ravel", [f32(2, 3)])
op("view", [f32(2, 6)], [3, 4])
op("view_as", [f32(2, 6), f32(3, 4).fixed()])
op("expand", [f32(1, 3)], [2, 3])
op("expand", [f32(3)], [2, -1])
op("expand", [f32(1, 1, 2)], shape=(2, 3, 2))
op("expand_as", [f32(1, 3), f32(2, 3).fixed()])
op("broadcast_to", [f32(1, 3)], [2, 2, 3])
case("broadcast_tensors", lambda P, a, b: P.broadcast_tensors([a, b]), [f32(1, 3), f32(2, 1)])
op("tile", [f32(2, 3)], [2, 1])
op("tile", [f32(2, 3)], [2, 1, 2])
op("tile", [f32(2, 3)], repeat_times=(2,))
op("repeat_interleave", [f32(2, 3)], 2)
op("repeat_interleave", [f32(2, 3)], 2, axis=1)
case(
    "repeat_interleave/tensor",
    lambda P, x, n: P.repeat_interleave(x, n, axis=0),
    [f32(2, 3), const([1, 3], "int64")],
    static="the output's shape depends on values",
)
op("flip", [f32(2, 3)], 0)
op("flip", [f32(2, 3)], axis=[0, 1])
op("reverse", [f32(2, 3)], axis=[1])
op("roll", [f32(2, 3)], 1)
op("roll", [f32(2, 3)], shifts=[1, -1], axis=[0, 1])
op("roll", [f32(2, 3)], shifts=2, axis=1)
op("rot90", [f32(2, 3)])
op("rot90", [f32(2, 3, 2)], k=-1, axes=[1, 2])

for name in words("concat stack hstack vstack dstack column_stack row_stack"):
    case(name, lambda P, a, b, n=name: getattr(P, n)([a, b]), [f32(2, 3), f32(2, 3)])
case("concat/axis=1", lambda P, a, b: P.concat([a, b], axis=1), [f32(2, 3), f32(2, 1)])
case("concat/axis=-1,int64", lambda P, a, b: P.concat((a, b), -1), [ints(0, 5, 2, 3), ints(0, 5, 2, 1)])
case(
    "concat/axis-tensor",
    lambda P, a, b: P.concat([a, b], axis=P.to_tensor(0)),
    [f32(2, 3), f32(1, 3)],
    static="axis tensor",
)
case("stack/axis=-1", lambda P, a, b, c: P.stack([a, b, c], axis=-1), [f32(2), f32(2), f32(2)])
case("stack/axis=1", lambda P, a, b: P.stack((a, b), 1), [f32(2, 3), f32(2, 3)])
op("split", [f32(4, 3)], 2)
op("split", [f32(4, 5)], [2, 3], axis=1)
op("split", [f32(4, 5)], [1, -1, 2], axis=-1)
op("split", [f32(2, 6)], num_or_sections=3, axis=1)
op("chunk", [f32(4, 3)], 2)
op("chunk", [f32(2, 6)], chunks=3, axis=-1)
op("tensor_split", [f32(5, 2)], 3)
op("tensor_split", [f32(5, 2)], [1, 3], axis=0)
op("hsplit", [f32(2, 4)], 2)
op("vsplit", [f32(4, 2)], 2)
op("dsplit", [f32(2, 2, 4)], [1, 3])
op("unbind", [f32(2, 3)])
op("unbind", [f32(2, 3)], axis=1)
op("unstack", [f32(2, 3)], axis=1)
for name in words("atleast_1d atleast_2d atleast_3d"):
    op(name, [f32(3)])
    op(name, [f32()], _case="0d")

op("slice", [f32(3, 4, 2)], [0, 1], [1, 0], [3, 2])
op("slice", [f32(3, 4, 2)], axes=[1], starts=[-3], ends=[100])
op("strided_slice", [f32(4, 6)], axes=[0, 1], starts=[0, 5], ends=[4, 0], strides=[2, -2])
op("crop", [f32(3, 4)], shape=[2, 2], offsets=[1, 0])
op("gather", [f32(4, 3), const([0, 2, 2], "int64")])
op("gather", [f32(3, 4), const([3, 1], "int32")], axis=1)
op("gather_nd", [f32(3, 4), const([[0, 1], [2, 3], [0, 1]], "int64")])
op("gather_nd", [f32(3, 4), const([[1], [1]], "int64")], _case="rows")
op("index_select", [f32(4, 3), const([0, 2, 2], "int64")])
op("index_select", [f32(3, 4), const([3, 1], "int32")], axis=1)
op("index_sample", [f32(2, 4), const([[0, 1], [3, 3]], "int64")])
op("take", [f32(2, 3), const([[0, 5], [-1, 2]], "int64")])
op("take", [f32(2, 3), const([0, 7], "int64")], mode="wrap")
op("take", [f32(2, 3), const([-2, 7], "int64")], mode="clip")
op(
    "take_along_axis",
    [
        f32(2, 3),
        const([[0], [2]], "int64"),
    ],
    1,
)
op("take_along_axis", [f32(2, 3), const([[0, 1, 1]], "int64")], axis=0)
op("take_along_axis", [f32(3, 3), const([[0], [2]], "int64")], axis=1, broadcast=False)
for reduce in words("assign add multiply mean amax amin"):
    op("put_along_axis", [distinct(2, 3), const([[0], [2]], "int64"), distinct(2, 1)], 1, reduce=reduce).options(
        grad=reduce in ("assign", "add", "mean")
    )
case(
    "put_along_axis/number",
    lambda P, x, i: P.put_along_axis(x, i, 9.0, axis=1),
    [f32(2, 3), const([[0], [2]], "int64")],
)
op(
    "put_along_axis",
    [f32(2, 3), const([[0, 0]], "int64"), f32(1, 2)],
    1,
    reduce="add",
    include_self=False,
    broadcast=False,
).options(grad=False)
op("scatter", [f32(3, 2), const([2, 0], "int64"), f32(2, 2)])
op("scatter", [f32(3, 2), const([1, 1], "int64"), f32(2, 2)], overwrite=False)
op("scatter_nd_add", [f32(3, 2), const([[0], [0]], "int64"), f32(2, 2)])
case("scatter_nd", lambda P, i, u: P.scatter_nd(i, u, [3, 2]), [const([[1], [0], [1]], "int64"), f32(3, 2)])
case("index_add", lambda P, x, i, v: P.index_add(x, i, 0, v), [f32(3, 2), const([0, 0], "int64"), f32(2, 2)])
case("index_fill", lambda P, x, i: P.index_fill(x, i, 1, -1.0), [f32(2, 3), const([0, 2], "int64")])
case(
    "index_put",
    lambda P, x, i, j, v: P.index_put(x, (i, j), v),
    [f32(3, 3), const([0, 1], "int64"), const([2, 2], "int64"), f32(2)],
)
case(
    "index_put/accumulate",
    lambda P, x, i, v: P.index_put(x, (i,), v, accumulate=True),
    [f32(3, 2), const([0, 0], "int64"), f32(2, 2)],
)
op("masked_select", [f32(2, 3), bools(2, 3)]).options(static="the output's shape depends on values")
op("masked_fill", [f32(2, 3), bools(2, 3)], -1.5)
op("masked_fill", [f32(2, 3), bools(3), f32(1).fixed()], _case="tensor")
op("masked_scatter", [f32(2, 3), bools(2, 3), f32(6)])
op("diagonal_scatter", [f32(3, 3), f32(3).fixed()])
op("diagonal_scatter", [f32(3, 4), f32(3).fixed()], offset=1)
op("select_scatter", [f32(3, 4), f32(4)], 0, 1)
op("slice_scatter", [f32(3, 4), f32(3, 2)], axes=[1], starts=[0], ends=[4], strides=[2])
op("as_strided", [f32(6)], [2, 3], [1, 2]).options(static="strides of a buffer")
op("unfold", [f32(7)], 0, 3, 3)
op("shard_index", [const([[1], [6], [12], [19]], "int64")], 20, 2, 0)
op("tolist", [ints(0, 9, 2, 2)]).options(static="reads values")
op("nn.functional.pixel_shuffle", [f32(1, 8, 2, 3)], 2)
op("nn.functional.pixel_shuffle", [f32(1, 2, 3, 8)], 2, "NHWC")
op("nn.functional.pixel_unshuffle", [f32(1, 2, 4, 6)], 2)
op("nn.functional.channel_shuffle", [f32(1, 6, 2, 2)], 3)
op("nn.functional.channel_shuffle", [f32(1, 2, 2, 6)], 2, "NHWC")
op("nn.functional.temporal_shift", [f32(4, 4, 2, 2)], 2, 0.25)
op("nn.functional.unfold", [f32(1, 2, 5, 5)], 3, 2, 1)
op("nn.functional.unfold", [f32(1, 2, 5, 6)], [2, 3], paddings=[1, 0, 0, 1], dilations=[2, 1])
op("nn.functional.fold", [f32(1, 8, 9)], output_sizes=[4, 4], kernel_sizes=2)
op("view", [f32(2, 2)], "int32").options(grad=False)
case("Tensor.transpose-reshape", lambda P, x: x.transpose([1, 0]).reshape([-1]).unsqueeze(0).tile([2, 1]), [f32(2, 3)])
case("Tensor.reshape/varargs", lambda P, x: (x.reshape(3, 4), x.reshape((4, 3)), x.transpose(1, 0)), [f32(2, 6)])
case("concat/complex-float64", lambda P, a, b, c: (P.concat([a, a]), P.concat([b, c])), [c64(2), f64(2), f64(1)])
