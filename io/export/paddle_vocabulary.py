"""PaddlePaddle 3: how each operation of the neutral vocabulary is spelled there."""
from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kayax.io.export.arrays import Array, ExportError, broadcast_shape
from kayax.io.export.paddle_target import PLACE, PaddleBuilder, attribute, dtype_attr, longs, type_of

_SAME = {
    "abs": "abs", "exp": "exp", "log": "log", "sqrt": "sqrt", "reciprocal": "reciprocal", "tanh": "tanh",
    "sigmoid": "sigmoid", "sin": "sin", "cos": "cos", "tan": "tan", "asin": "asin", "acos": "acos", "atan": "atan",
    "sinh": "sinh", "cosh": "cosh", "asinh": "asinh", "acosh": "acosh", "atanh": "atanh", "floor": "floor",
    "ceil": "ceil", "sign": "sign", "erf": "erf", "log1p": "log1p", "expm1": "expm1", "isfinite": "isfinite",
    "not": "logical_not", "add": "add", "sub": "subtract", "mul": "multiply", "max": "maximum", "min": "minimum",
    "pow": "elementwise_pow", "and": "logical_and", "or": "logical_or", "xor": "logical_xor", "equal": "equal",
    "not_equal": "not_equal", "less": "less_than", "less_equal": "less_equal", "greater": "greater_than",
    "greater_equal": "greater_equal", "bit_and": "bitwise_and", "bit_or": "bitwise_or", "bit_xor": "bitwise_xor",
    "bit_not": "bitwise_not", "gather_nd": "gather_nd",
}


def _plain(name: str) -> Callable:
    return lambda b, inputs, outs: b.add(name, inputs, [(outs[0].dtype, outs[0].shape)])


def _out(b: PaddleBuilder, name: str, inputs: Sequence[Any], outs: list[Array], **attrs: Any) -> int:
    return b.add(name, inputs, [(o.dtype, o.shape) for o in outs], **attrs)


def _neg(b: PaddleBuilder, inputs: list[Array], outs: list[Array]) -> int:
    return _out(b, "scale", [inputs[0], b.scalar(-1.0, "float32")], outs, bias=np.float32(0), bias_after_scale=True)


def _round(b: PaddleBuilder, inputs: list[Array], outs: list[Array]) -> int:
    return _out(b, "round", inputs, outs, decimals=0)


def _divide(b: PaddleBuilder, inputs: list[Array], outs: list[Array]) -> int:
    """Whole numbers are divided towards zero, through float64."""
    if not outs[0].dtype.startswith("int"):
        return _out(b, "divide", inputs, outs)
    wide = [b.one("cast", [i], Array(0, "float64", i.shape), dtype=dtype_attr("float64")) for i in inputs]
    quotient = b.one("trunc", [b.one("divide", wide, Array(0, "float64", outs[0].shape))],
                     Array(0, "float64", outs[0].shape))
    return _out(b, "cast", [quotient], outs, dtype=dtype_attr(outs[0].dtype))


def _remainder(b: PaddleBuilder, inputs: list[Array], outs: list[Array]) -> int:
    """With the sign of the dividend: ``sign(x) * (|x| mod |y|)``."""
    x, y = inputs
    rest = b.one("remainder", [b.one("abs", [x], x), b.one("abs", [y], y)], outs[0])
    return _out(b, "multiply", [b.one("sign", [x], x), rest], outs)


def _where(b: PaddleBuilder, inputs: list[Array], outs: list[Array]) -> int:
    condition, x, y = inputs
    shape = outs[0].shape
    if None not in shape:
        condition, x, y = (b.expand(v, shape, None) for v in (condition, x, y))
    elif not condition.shape == x.shape == y.shape:
        # Made wide by an operation that broadcasts: the sum of zeros of the three.
        zeros = [b.one("full_like", [v, b.scalar(0, "float32")], Array(0, x.dtype, v.shape), dtype=dtype_attr(x.dtype),
                       place=PLACE) for v in (condition, x, y)]
        total = zeros[0]
        for more in zeros[1:]:
            total = b.one("add", [total, more], Array(0, x.dtype, broadcast_shape([total.shape, more.shape])))
        falses = b.one("cast", [total], Array(0, "bool", shape), dtype=dtype_attr("bool"))
        condition = b.one("logical_or", [condition, falses], Array(0, "bool", shape))
        sizes = b.one("shape64", [total], Array(0, "int64", (len(shape),)))
        x, y = (b.one("expand", [v, sizes], Array(0, x.dtype, shape)) for v in (x, y))
    return _out(b, "where", [condition, x, y], outs)


def _cast(b: PaddleBuilder, inputs: list[Array], outs: list[Array]) -> int:
    return _out(b, "cast", inputs, outs, dtype=dtype_attr(outs[0].dtype))


def _matmul(b: PaddleBuilder, inputs: list[Array], outs: list[Array]) -> int:
    return _out(b, "matmul", inputs, outs, transpose_x=False, transpose_y=False)


def _reshape(b: PaddleBuilder, inputs: list[Array], outs: list[Array], to: Sequence[int] | None = None) -> int:
    return _out(b, "reshape", [inputs[0], b.int_array(to) if to is not None else inputs[1]], outs)


def _axes_op(name: str) -> Callable:
    return lambda b, inputs, outs, axes: _out(b, name, [inputs[0], b.int_array(axes)], outs)


def _transpose(b: PaddleBuilder, inputs: list[Array], outs: list[Array], order: Sequence[int]) -> int:
    return _out(b, "transpose", inputs, outs, perm=[int(i) for i in order])


def _size(b: PaddleBuilder, inputs: list[Array], outs: list[Array], axis: int) -> int:
    shape = b.one("shape64", inputs, Array(0, "int64", (inputs[0].rank,)))
    return _window(b, shape, outs, [0], b.int_array([axis]), b.int_array([axis + 1]))


def _window(b: PaddleBuilder, x: Any, outs: list[Array], axes: Sequence[int], starts: Any, ends: Any) -> int:
    return _out(b, "slice", [x, starts, ends], outs, axes=longs(axes), infer_flags=longs([1] * len(axes)),
                decrease_axis=[])


def _combined(b: PaddleBuilder, inputs: Sequence[Array]) -> int:
    """A list of tensors, as some operations take."""
    number = b.fresh()
    b.operations[-1].append({
        "#": "0.combine", "A": [], "I": [{"%": i.name} for i in inputs],
        "O": [{"%": number, "TT": {"#": "0.t_vec", "D": [type_of(i.dtype, i.shape) for i in inputs]}}],
        "OA": [{"AT": attribute([False]), "N": "stop_gradient"}]})
    return number


def _concat(b: PaddleBuilder, inputs: list[Array], outs: list[Array], axis: int) -> int:
    return _out(b, "concat", [_combined(b, inputs), b.scalar(axis, "int32")], outs)


def _slice(b: PaddleBuilder, inputs: list[Array], outs: list[Array], starts: Any, ends: Any, steps: Any,
           axes: Any) -> int:
    if all(s == 1 for s in steps):
        return _window(b, inputs[0], outs, axes, b.int_array(starts), b.int_array(ends))
    return _out(b, "strided_slice", [inputs[0], *(b.int_array(v) for v in (starts, ends, steps))], outs,
                axes=[int(a) for a in axes])


def _slice_at(b: PaddleBuilder, inputs: list[Array], outs: list[Array], axes: Sequence[int] | None = None) -> int:
    x, starts, ends, *steps = inputs
    which = list(axes if axes is not None else range(x.rank))
    if not steps or (steps[0].const is not None and (steps[0].const == 1).all()):
        return _window(b, x, outs, which, starts, ends)
    return _out(b, "strided_slice", [x, starts, ends, steps[0]], outs, axes=which)


def _update(b: PaddleBuilder, inputs: list[Array], outs: list[Array], axes: Sequence[int],
            sizes: Sequence[int]) -> int:
    x, window, *starts = inputs
    ends = [b.one("add", [s, Array(b.int_array([n]), "int64", (1,))], s) for s, n in zip(starts, sizes, strict=True)]
    line = Array(0, "int64", (len(axes),))
    first, last = (v[0].name if len(v) == 1 else _concat(b, v, [line], 0) for v in (starts, ends))
    return _out(b, "set_value_with_tensor", [x, window, first, last, b.int_array([1] * len(axes))], outs,
                axes=longs(axes), decrease_axes=[], none_axes=[])


def _range(b: PaddleBuilder, inputs: list[Array], outs: list[Array]) -> int:
    return _out(b, "arange", [b.full(0, "int64", ()), inputs[0], b.full(1, "int64", ())], outs,
                dtype=dtype_attr("int64"), place=PLACE)


def _reverse(b: PaddleBuilder, inputs: list[Array], outs: list[Array], axis: int) -> int:
    return _out(b, "flip", inputs, outs, axis=[axis])


def _pad(b: PaddleBuilder, inputs: list[Array], outs: list[Array], pairs: Sequence[tuple[int, int]]) -> int:
    x, value = inputs
    if value.const is None:
        raise ExportError("A padding by a computed value cannot be written for PaddlePaddle.")
    number = float(value.const.reshape(-1)[0])
    return _out(b, "pad", [x, b.scalar(number, x.dtype)], outs, paddings=[int(p) for pair in pairs for p in pair])


def _sum(b: PaddleBuilder, inputs: list[Array], outs: list[Array], axes: Sequence[int]) -> int:
    return _out(b, "sum", [inputs[0], b.int_array(axes)], outs, dtype=dtype_attr(outs[0].dtype), keepdim=False)


def _extreme(name: str) -> Callable:
    return lambda b, inputs, outs, axes: _out(b, name, [inputs[0], b.int_array(axes)], outs, keepdim=False)


def _prod(b: PaddleBuilder, inputs: list[Array], outs: list[Array], axes: Sequence[int]) -> int:
    return _out(b, "prod", [inputs[0], b.int_array(axes)], outs, keepdim=False, reduce_all=False)


def _truth(name: str) -> Callable:
    return lambda b, inputs, outs, axes: _out(b, name, inputs, outs, axis=longs(axes), keepdim=False)


def _arg(name: str) -> Callable:
    return lambda b, inputs, outs, axis: _out(b, name, [inputs[0], b.scalar(axis, "int64")], outs, keepdims=False,
                                              flatten=False, dtype=dtype_attr("int64"))


def _take(b: PaddleBuilder, inputs: list[Array], outs: list[Array], axis: int) -> int:
    """Paddle gathers by one-dimensional indices; more dimensions are joined before and taken apart after."""
    x, index = inputs
    if axis == 0 and x.rank == 2 and x.dtype.startswith(("float", "bfloat")):
        return _out(b, "embedding", [index, x], outs, padding_idx=np.int64(-1), sparse=False)
    flat = b.one("reshape", [index, b.int_array([-1])], Array(0, index.dtype, (None,)))
    got = b.one("gather", [x, flat, b.scalar(axis, "int32")],
                Array(0, x.dtype, (*x.shape[:axis], None, *x.shape[axis + 1:])))
    if index.rank == 1:
        return got.name
    sizes = [b.size(x, i) for i in range(axis)] + [b.size(index, i) for i in range(index.rank)]
    sizes += [b.size(x, i) for i in range(axis + 1, x.rank)]
    if not sizes:
        return _out(b, "reshape", [got, b.int_array([])], outs)
    joined = _concat(b, sizes, [Array(0, "int64", (len(sizes),))], 0) if len(sizes) > 1 else sizes[0]
    return _out(b, "reshape", [got, joined], outs)


def _take_along(b: PaddleBuilder, inputs: list[Array], outs: list[Array], axis: int) -> int:
    return _out(b, "take_along_axis", inputs, outs, axis=axis)


_PUT = {"set": "assign", "mul": "multiply", "max": "amax", "min": "amin", "or": "amax", "and": "amin"}


def _put(b: PaddleBuilder, inputs: list[Array], outs: list[Array], how: str) -> int:
    """Paddle's kernel on the CPU knows fewer dtypes: the others go through wider ones, which loses nothing."""
    x, index, updates = inputs
    wide = {"bool": "int32", "int8": "int32", "float16": "float32", "bfloat16": "float32"}.get(x.dtype, x.dtype)
    x, updates = (b.cast(v, wide) for v in (x, updates))
    done = b.one("put_along_axis", [x, index, updates], Array(0, wide, x.shape), axis=0, reduce=_PUT.get(how, how),
                 include_self=True)
    return done.name if wide == outs[0].dtype else _cast(b, [done], outs)


def _sides(pairs: Sequence[tuple[int, int]]) -> list[int]:
    if all(a == c for a, c in pairs):
        return [a for a, _ in pairs]
    return [p for pair in pairs for p in pair]


def _conv(b: PaddleBuilder, inputs: list[Array], outs: list[Array], strides: Any, pairs: Any, dilations: Any,
          groups: int) -> int:
    """One dimension is two with a height of one."""
    x, weight = inputs
    out, flat, pairs = outs[0], x.rank == 3, list(pairs)
    if flat:
        x, weight = b.unsqueeze(x, [2]), b.unsqueeze(weight, [2])
        strides, dilations, pairs = [1, *strides], [1, *dilations], [(0, 0), *pairs]
    name = "conv3d" if x.rank == 5 else "depthwise_conv2d" if groups > 1 and groups == x.shape[1] == \
        weight.shape[0] else "conv2d"
    shape = (*out.shape[:2], 1, out.shape[2]) if flat else out.shape
    made = b.one(name, [x, weight], Array(0, out.dtype, shape), strides=[int(s) for s in strides],
                 paddings=_sides(pairs), padding_algorithm="EXPLICIT", dilations=[int(d) for d in dilations],
                 groups=groups, data_format="NCDHW" if x.rank == 5 else "NCHW")
    return _out(b, "squeeze", [made, b.int_array([2])], outs) if flat else made.name


def _pool(kind: str) -> Callable:
    def run(b: PaddleBuilder, inputs: list[Array], outs: list[Array], kernel: Any, strides: Any, pairs: Any,
            dilations: Any) -> int:
        if any(d > 1 for d in dilations):
            raise ExportError("A pooling with dilated windows cannot be written for PaddlePaddle.")
        x, pairs = inputs[0], list(pairs)
        # Paddle's averages count no padding beyond what both sides have: it is written out.
        if any(map(any, pairs)) and (kind == "avg" or any(2 * max(p) >= k for p, k in zip(pairs, kernel, strict=True))):
            low = 0.0 if kind == "avg" else float("-inf") if x.dtype.startswith("f") else float(-2**31)
            sides = [0, 0, 0, 0, *(int(p) for pair in pairs for p in pair)]
            shape = (*x.shape[:2], *(d if d is None else d + sum(p) for d, p in zip(x.shape[2:], pairs, strict=True)))
            x = b.one("pad", [x, b.scalar(low, x.dtype)], Array(0, x.dtype, shape), paddings=sides)
            pairs = [(0, 0), (0, 0)]
        pooled = b.one("pool2d", [x, b.int_array(kernel)], outs[0], strides=longs(strides),
                       paddings=longs(_sides(pairs)), ceil_mode=False, exclusive=False, data_format="NCHW",
                       pooling_type=kind, global_pooling=False, adaptive=False, padding_algorithm="EXPLICIT")
        if kind == "max":
            return pooled.name
        return _out(b, "scale", [pooled, b.scalar(math.prod(kernel), "float32")], outs, bias=np.float32(0),
                    bias_after_scale=True)
    return run


def _cumsum(b: PaddleBuilder, inputs: list[Array], outs: list[Array], axis: int, reverse: bool) -> int:
    return _out(b, "cumsum", [inputs[0], b.scalar(axis, "int32")], outs, flatten=False, exclusive=False,
                reverse=reverse)


def _topk(b: PaddleBuilder, inputs: list[Array], outs: list[Array], k: int, axis: int) -> Any:
    return _out(b, "topk", [inputs[0], b.scalar(k, "int32")], outs, axis=axis, largest=True, sorted=True)


def _sort(b: PaddleBuilder, inputs: list[Array], outs: list[Array], axis: int, largest: bool) -> Any:
    return _out(b, "argsort", inputs, outs, axis=axis, descending=largest, stable=True)


PaddleBuilder.EMIT = {
    **{kind: _plain(name) for kind, name in _SAME.items()},
    "neg": _neg, "round": _round, "div": _divide, "rem": _remainder, "where": _where, "cast": _cast,
    "matmul": _matmul, "reshape": _reshape, "unsqueeze": _axes_op("unsqueeze"), "squeeze": _axes_op("squeeze"),
    "transpose": _transpose, "size": _size, "expand": _plain("expand"), "concat": _concat, "slice": _slice,
    "slice_at": _slice_at, "update": _update, "range": _range, "reverse": _reverse, "pad": _pad, "sum": _sum,
    "reduce_max": _extreme("max"), "reduce_min": _extreme("min"), "prod": _prod, "all": _truth("all"),
    "any": _truth("any"), "argmax": _arg("argmax"), "argmin": _arg("argmin"), "take": _take,
    "take_along": _take_along, "put": _put, "conv": _conv, "max_pool": _pool("max"),
    "sum_pool": _pool("avg"), "cumsum": _cumsum, "topk": _topk, "sort": _sort,
}
