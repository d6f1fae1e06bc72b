"""PaddlePaddle 3: how each operation of the neutral vocabulary is spelled in its intermediate representation (PIR)."""
from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kayax.io.export.arrays import Array, Builder, ExportError, Shape, broadcast_shape

_TYPES = {"bool": "t_bool", "uint8": "t_ui8", "int8": "t_i8", "int16": "t_i16", "int32": "t_i32", "int64": "t_i64",
          "float16": "t_f16", "bfloat16": "t_bf16", "float32": "t_f32", "float64": "t_f64", "complex64": "t_c64",
          "complex128": "t_c128"}
_FAR = 2**31 - 1


def type_of(dtype: str, shape: Sequence[int | None]) -> dict[str, Any]:
    """A tensor's type, as the files write it."""
    if dtype not in _TYPES:
        raise ExportError(f"PaddlePaddle has no dtype {dtype}.")
    dims = [-1 if d is None else d for d in shape]
    return {"#": "0.t_dtensor", "D": [{"#": f"0.{_TYPES[dtype]}"}, dims, "NCHW", [], 0]}


def attribute(value: Any) -> dict[str, Any]:
    """An attribute: a bool, an i32 (int), an i64 (np.int64), an f32 (np.float32), an f64, a string, a list of them."""
    if isinstance(value, dict):
        return value
    if isinstance(value, (list, tuple)):
        return {"#": "0.a_array", "D": [attribute(v) for v in value]}
    if isinstance(value, (bool, np.bool_)):
        return {"#": "0.a_bool", "D": bool(value)}
    if isinstance(value, np.int64):
        return {"#": "0.a_i64", "D": int(value)}
    if isinstance(value, int):
        return {"#": "0.a_i32", "D": value}
    if isinstance(value, np.float32):
        return _float("0.a_f32", float(value))
    if isinstance(value, float):
        return _float("0.a_f64", value)
    return {"#": "0.a_str", "D": str(value)}


def _float(kind: str, value: float) -> dict[str, Any]:
    if math.isfinite(value):
        return {"#": kind, "D": value}
    return {"#": kind, "VD": "NAN" if math.isnan(value) else "INF" if value > 0 else "-INF"}


def dtype_attr(dtype: str) -> dict[str, Any]:
    return {"#": "1.a_dtype", "D": dtype}


def ints_attr(values: Sequence[int]) -> dict[str, Any]:
    return {"#": "1.a_intarray", "D": [int(v) for v in values]}


PLACE = {"#": "1.a_place", "D": [0, 0, ""]}


def longs(values: Sequence[int]) -> list[np.int64]:
    return [np.int64(v) for v in values]


class PaddleBuilder(Builder):
    """Writes operations into a block, and into the regions of choices and loops. A value's name is its number."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[list[dict[str, Any]]] = [[]]
        self.count = self.regions = self.argument = 0
        self.large: dict[str, np.ndarray] = {}          # constants that are kept with the parameters
        self.declared: list[dict[str, Any]] = []

    def fresh(self) -> int:
        self.count += 1
        return self.count

    def add(self, name: str, inputs: Sequence[Any], results: Sequence[tuple[str, Sequence[int | None]]],
            regions: Sequence[Any] = (), /, **attrs: Any) -> Any:
        """One operation of Paddle's: the number of its result, or of all."""
        numbers = [self.fresh() for _ in results]
        raw: dict[str, Any] = {
            "#": name if "." in name else f"1.{name}",
            "A": [{"AT": attribute(v), "N": k} for k, v in attrs.items()],
            "I": [{"%": i if isinstance(i, int) else i.name} for i in inputs],
            "O": [{"%": n, "TT": type_of(*t)} for n, t in zip(numbers, results, strict=True)],
            "OA": [{"AT": attribute([False] * len(results)), "N": "stop_gradient"}]}
        if regions:
            raw["regions"] = list(regions)
        self.operations[-1].append(raw)
        return numbers[0] if len(numbers) == 1 else numbers

    def one(self, name: str, inputs: Sequence[Any], like: Array, **attrs: Any) -> Array:
        """One operation as a value of its own."""
        return Array(self.add(name, inputs, [(like.dtype, like.shape)], **attrs), like.dtype, like.shape)

    # ---- constants ---------------------------------------------------------------------------------------------

    def new_constant(self, array: np.ndarray) -> int:
        if array.size <= 1 or (array.size > 1 and (array == array.flat[0]).all() and array.dtype.kind != "c"):
            return self.full(array.flat[0] if array.size else 0, array.dtype.name, array.shape)
        if array.size <= 64 and array.dtype.name in ("int64", "int32") and array.ndim == 1:
            return self.int_array(array.tolist(), array.dtype.name)
        name = f"kayax_constant_{len(self.large)}"
        self.large[name] = array
        return self.parameter(name, array.dtype.name, array.shape, trainable=False)

    def constant(self, value: Any, dtype: str | None = None) -> Array:
        """Small constants are written where they are used; large ones are parameters of the whole program."""
        array = np.asarray(value)
        if array.size > 64:
            scopes, self.scopes = self.scopes, self.scopes[:1]
            try:
                return super().constant(value, dtype)
            finally:
                self.scopes = scopes
        return super().constant(value, dtype)

    def full(self, value: Any, dtype: str, shape: Sequence[int]) -> int:
        whole = np.dtype("int64") if dtype == "int64" else None
        if whole is not None and abs(int(value)) > 2**53:           # the attribute is a float
            return self.int_array_scalar(int(value), shape)
        return self.add("full", [], [(dtype, shape)], shape=ints_attr(shape), value=float(value),
                        dtype=dtype_attr(dtype), place=PLACE)

    def int_array(self, values: Sequence[int], dtype: str = "int64") -> int:
        return self.add("full_int_array", [], [(dtype, (len(values),))], value=longs(values), dtype=dtype_attr(dtype),
                        place={"#": "1.a_place", "D": [1, 0, ""]})

    def int_array_scalar(self, value: int, shape: Sequence[int]) -> int:
        line = self.int_array([value])
        scalar = self.add("reshape", [line, self.int_array([])], [("int64", ())])
        return self.add("expand", [scalar, self.int_array(shape)], [("int64", shape)]) if shape else scalar

    def scalar(self, value: Any, dtype: str) -> int:
        """A vector of one, as Paddle writes numbers that its operations take as tensors."""
        return self.add("full", [], [(dtype, (1,))], shape=ints_attr([1]), value=float(value), dtype=dtype_attr(dtype),
                        place={"#": "1.a_place", "D": [1, 0, ""]})

    def parameter(self, name: str, dtype: str, shape: Sequence[int], trainable: bool) -> int:
        number = self.fresh()
        self.declared.append({"#": "p", "A": [0, 1, 1, name], "DA": [], "O": {"%": number, "TT": type_of(dtype, shape)},
                              "OA": [1, int(not trainable), int(trainable)], "QA": []})
        return number

    # ---- choices and loops -------------------------------------------------------------------------------------

    def _region(self, function: Callable[[], list[Array]], arguments: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
        self.operations.append([])
        self.scopes.append({})
        outs = function()
        self.scopes.pop()
        operations = self.operations.pop()
        operations.append({"#": "2.yield", "A": [], "I": [{"%": o.name} for o in outs], "O": [], "OA": []})
        self.regions += 1
        return {"#": f"region_{self.regions}", "blocks": [
            {"#": f"block_{self.regions}", "args": list(arguments), "ops": operations}]}

    def choose(self, condition: Array, branches: Sequence[Callable[[], list[Array]]],
               results: Sequence[tuple[str, Shape]]) -> list[Array]:
        regions = [self._region(branch) for branch in branches]
        numbers = self.add("if", [condition], results, regions)
        numbers = numbers if isinstance(numbers, list) else [numbers]
        return [Array(n, d, s) for n, (d, s) in zip(numbers, results, strict=True)]

    def loop(self, going: Array, start: list[Array], body: Callable[[list[Array]], tuple[Array, list[Array]]],
             results: Sequence[tuple[str, Shape]]) -> list[Array]:
        inside, arguments = [], []
        for dtype, shape in results:
            self.argument -= 1
            inside.append(Array(self.argument, dtype, shape))
            arguments.append({"#": self.argument, "TT": type_of(dtype, shape)})

        def run() -> list[Array]:
            again, after = body(inside)
            return [again, *after]

        region = self._region(run, arguments)
        # The loop writes into what it starts from, its condition included; others may still read that.
        first = [self.one("assign", [s], s) for s in (going, *start)]
        numbers = self.add("while", first, results, [region])
        numbers = numbers if isinstance(numbers, list) else [numbers]
        return [Array(n, d, s) for n, (d, s) in zip(numbers, results, strict=True)]


# ---- the vocabulary ----------------------------------------------------------------------------------------------

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


def _scatter(b: PaddleBuilder, inputs: list[Array], outs: list[Array], how: str) -> int:
    """Adding is Paddle's own; setting is adding what is missing from the values that are there."""
    x, index, updates = inputs
    if how == "set":
        old = b.one("gather_nd", [x, index], updates)
        updates = b.one("subtract", [updates, old], updates)
    elif how != "add":
        raise ExportError(f"A scatter by {how} cannot be written for PaddlePaddle.")
    return _out(b, "scatter_nd_add", [x, index, updates], outs)


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
    "take_along": _take_along, "scatter_nd": _scatter, "conv": _conv, "max_pool": _pool("max"),
    "sum_pool": _pool("avg"), "cumsum": _cumsum, "topk": _topk, "sort": _sort,
}
