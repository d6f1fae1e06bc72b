"""ONNX: how each operation of the neutral vocabulary is spelled there (opset 18)."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from kayax.io.export.arrays import Array, Builder, ExportError, Shape

OPSET, IR_VERSION = 18, 9
_TYPES = {"float32": "FLOAT", "float64": "DOUBLE", "float16": "FLOAT16", "bfloat16": "BFLOAT16", "int8": "INT8",
          "int16": "INT16", "int32": "INT32", "int64": "INT64", "uint8": "UINT8", "uint16": "UINT16",
          "uint32": "UINT32", "uint64": "UINT64", "bool": "BOOL", "complex64": "COMPLEX64", "complex128": "COMPLEX128"}


def element_type(dtype: str) -> int:
    """ONNX's number of a dtype."""
    return onnx.TensorProto.DataType.Value(_TYPES[dtype])


class OnnxBuilder(Builder):
    """Writes nodes into a graph, and into the bodies of choices and loops."""

    def __init__(self) -> None:
        super().__init__()
        self.nodes: list[list[onnx.NodeProto]] = [[]]
        self.initializers: list[onnx.TensorProto] = []
        self.count = 0

    def fresh(self, stem: str) -> str:
        """A name that is not in use."""
        self.count += 1
        return f"{stem}_{self.count}"

    def new_constant(self, array: np.ndarray) -> str:
        name = self.fresh("constant")
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), name))
        return name

    def constant(self, value: Any, dtype: str | None = None) -> Array:
        """Constants belong to the whole graph, so they are known in every scope."""
        scopes, self.scopes = self.scopes, self.scopes[:1]
        try:
            return super().constant(value, dtype)
        finally:
            self.scopes = scopes

    def add(self, kind: str, inputs: Sequence[Array | str], outputs: int = 1, **attrs: Any) -> Any:
        """One node of ONNX: the name of its output, or of all."""
        names = [self.fresh(kind.lower()) for _ in range(outputs)]
        self.nodes[-1].append(helper.make_node(kind, [i if isinstance(i, str) else i.name for i in inputs], names,
                                               **attrs))
        return names[0] if outputs == 1 else names

    def ints(self, values: Sequence[int]) -> str:
        return self.constant(list(values), "int64").name

    # ---- choices and loops -------------------------------------------------------------------------------------

    def _body(self, function: Callable[[], list[Array]]) -> tuple[list[onnx.NodeProto], list[str]]:
        self.nodes.append([])
        self.scopes.append({})
        outs = function()
        # What comes from outside must pass through a node of the body to be its output.
        names = [self.add("Identity", [o]) for o in outs]
        self.scopes.pop()
        return self.nodes.pop(), names

    def choose(self, condition: Array, branches: Sequence[Callable[[], list[Array]]],
               results: Sequence[tuple[str, Shape]]) -> list[Array]:
        graphs = []
        for branch in branches:
            nodes, names = self._body(branch)
            outs = [_info(n, d, s) for n, (d, s) in zip(names, results, strict=True)]
            graphs.append(helper.make_graph(nodes, self.fresh("branch"), [], outs))
        names = self.add("If", [condition], len(results), then_branch=graphs[0], else_branch=graphs[1])
        names = names if isinstance(names, list) else [names]
        return [Array(n, d, s) for n, (d, s) in zip(names, results, strict=True)]

    def loop(self, going: Array, start: list[Array], body: Callable[[list[Array]], tuple[Array, list[Array]]],
             results: Sequence[tuple[str, Shape]]) -> list[Array]:
        inside = [Array(self.fresh("variable"), d, s) for d, s in results]
        step, again = self.fresh("step"), self.fresh("going")

        def run() -> list[Array]:
            more, after = body(inside)
            return [more, *after]

        nodes, names = self._body(run)
        inputs = [_info(step, "int64", ()), _info(again, "bool", ())]
        inputs += [_info(v.name, v.dtype, v.shape) for v in inside]
        types = [("bool", ()), *results]
        outs = [_info(n, d, s) for n, (d, s) in zip(names, types, strict=True)]
        graph = helper.make_graph(nodes, self.fresh("body"), inputs, outs)
        found = self.add("Loop", ["", going, *start], len(results), body=graph)
        found = found if isinstance(found, list) else [found]
        return [Array(n, d, s) for n, (d, s) in zip(found, results, strict=True)]


def _info(name: str, dtype: str, shape: Sequence[Any]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, element_type(dtype), list(shape))


info = _info


# ---- the vocabulary ----------------------------------------------------------------------------------------------


def _plain(kind: str) -> Callable:
    return lambda b, inputs, outs: b.add(kind, inputs)


_PLAIN = {
    "neg": "Neg", "abs": "Abs", "exp": "Exp", "log": "Log", "sqrt": "Sqrt", "reciprocal": "Reciprocal", "tanh": "Tanh",
    "sigmoid": "Sigmoid", "sin": "Sin", "cos": "Cos", "tan": "Tan", "asin": "Asin", "acos": "Acos", "atan": "Atan",
    "sinh": "Sinh", "cosh": "Cosh", "asinh": "Asinh", "acosh": "Acosh", "atanh": "Atanh", "floor": "Floor",
    "ceil": "Ceil", "round": "Round", "sign": "Sign", "erf": "Erf", "not": "Not", "add": "Add", "sub": "Sub",
    "mul": "Mul", "div": "Div", "pow": "Pow", "and": "And", "or": "Or", "xor": "Xor", "equal": "Equal",
    "less": "Less", "less_equal": "LessOrEqual", "greater": "Greater", "greater_equal": "GreaterOrEqual",
    "where": "Where", "matmul": "MatMul", "max": "Max", "min": "Min", "bit_and": "BitwiseAnd",
    "bit_or": "BitwiseOr", "bit_xor": "BitwiseXor", "bit_not": "BitwiseNot", "gather_nd": "GatherND",
}


def _cast(b: OnnxBuilder, inputs: list[Array], outs: list[Array]) -> str:
    return b.add("Cast", inputs, to=element_type(outs[0].dtype))


def _remainder(b: OnnxBuilder, inputs: list[Array], outs: list[Array]) -> str:
    return b.add("Mod", inputs, fmod=1)


def _not_equal(b: OnnxBuilder, inputs: list[Array], outs: list[Array]) -> str:
    return b.add("Not", [b.add("Equal", inputs)])


def _expm1(b: OnnxBuilder, inputs: list[Array], outs: list[Array]) -> str:
    """``exp(x) - 1`` without cancellation: ``tanh(x / 2) * (exp(x) + 1)``."""
    one, half = b.constant(1, outs[0].dtype), b.constant(0.5, outs[0].dtype)
    return b.add("Mul", [b.add("Tanh", [b.add("Mul", [inputs[0], half])]), b.add("Add", [b.add("Exp", inputs), one])])


def _log1p(b: OnnxBuilder, inputs: list[Array], outs: list[Array]) -> str:
    """Kahan's ``log(u) * x / (u - 1)`` with ``u = 1 + x``, and x where u is 1: exact where x is small."""
    x, one = inputs[0], b.constant(1, outs[0].dtype)
    u = b.add("Add", [x, one])
    same = b.add("Equal", [u, one])
    gap = b.add("Where", [same, one, b.add("Sub", [u, one])])
    # Where u is infinite the quotient would be inf / inf.
    big = b.add("IsInf", [u])
    value = b.add("Mul", [b.add("Log", [u]), b.add("Div", [x, gap])])
    return b.add("Where", [same, x, b.add("Where", [big, u, value])])


def _isfinite(b: OnnxBuilder, inputs: list[Array], outs: list[Array]) -> str:
    return b.add("Not", [b.add("Or", [b.add("IsNaN", inputs), b.add("IsInf", inputs)])])


def _reshape(b: OnnxBuilder, inputs: list[Array], outs: list[Array], to: Sequence[int] | None = None) -> str:
    shape = b.ints(to) if to is not None else inputs[1]
    return b.add("Reshape", [inputs[0], shape], allowzero=int(to is not None and 0 in to and -1 not in to))


def _axes_op(kind: str) -> Callable:
    return lambda b, inputs, outs, axes: b.add(kind, [inputs[0], b.ints(axes)])


def _transpose(b: OnnxBuilder, inputs: list[Array], outs: list[Array], order: Sequence[int]) -> str:
    return b.add("Transpose", inputs, perm=list(order))


def _size(b: OnnxBuilder, inputs: list[Array], outs: list[Array], axis: int) -> str:
    return b.add("Shape", inputs, start=axis, end=axis + 1)


def _concat(b: OnnxBuilder, inputs: list[Array], outs: list[Array], axis: int) -> str:
    return b.add("Concat", inputs, axis=axis)


def _slice(b: OnnxBuilder, inputs: list[Array], outs: list[Array], starts: Any, ends: Any, steps: Any,
           axes: Any) -> str:
    return b.add("Slice", [inputs[0], *(b.ints(v) for v in (starts, ends, axes, steps))])


def _slice_at(b: OnnxBuilder, inputs: list[Array], outs: list[Array], axes: Sequence[int] | None = None) -> str:
    x, starts, ends, *steps = inputs
    which = b.ints(axes if axes is not None else range(x.rank))
    return b.add("Slice", [x, starts, ends, which, *steps])


def _update(b: OnnxBuilder, inputs: list[Array], outs: list[Array], axes: Sequence[int], sizes: Sequence[int]) -> str:
    """What is before the window, the window, what is after it: one axis after the other."""
    x, window, *starts = inputs
    return _written(b, x.name, window.name, [s.name for s in starts], list(axes), list(sizes))


def _written(b: OnnxBuilder, x: str, window: str, starts: list[str], axes: list[int], sizes: list[int]) -> str:
    axis, start = b.ints(axes[:1]), starts[0]
    end = b.add("Add", [start, b.ints(sizes[:1])])
    if len(axes) > 1:
        inside = b.add("Slice", [x, start, end, axis])
        window = _written(b, inside, window, starts[1:], axes[1:], sizes[1:])
    before = b.add("Slice", [x, b.ints([0]), start, axis])
    after = b.add("Slice", [x, end, b.ints([2**31 - 1]), axis])
    return b.add("Concat", [before, window, after], axis=axes[0])


def _range(b: OnnxBuilder, inputs: list[Array], outs: list[Array]) -> str:
    return b.add("Range", [b.constant(0, "int64"), inputs[0], b.constant(1, "int64")])


def _reverse(b: OnnxBuilder, inputs: list[Array], outs: list[Array], axis: int) -> str:
    return b.add("Slice", [inputs[0], *(b.ints([v]) for v in (-1, -2**63 + 1, axis, -1))])


def _pad(b: OnnxBuilder, inputs: list[Array], outs: list[Array], pairs: Sequence[tuple[int, int]]) -> str:
    sizes = [p[0] for p in pairs] + [p[1] for p in pairs]
    return b.add("Pad", [inputs[0], b.ints(sizes), inputs[1]])


def _reduction(kind: str) -> Callable:
    return lambda b, inputs, outs, axes: b.add(kind, [inputs[0], b.ints(axes)], keepdims=0)


def _truth(kind: str) -> Callable:
    """All and any: of zeros and ones, since ONNX reduces no booleans."""
    def run(b: OnnxBuilder, inputs: list[Array], outs: list[Array], axes: Sequence[int]) -> str:
        whole = b.add("Cast", inputs, to=element_type("int32"))
        return b.add("Cast", [b.add(kind, [whole, b.ints(axes)], keepdims=0)], to=element_type("bool"))
    return run


def _arg(kind: str) -> Callable:
    return lambda b, inputs, outs, axis: b.add(kind, inputs, axis=axis, keepdims=0)


def _take(b: OnnxBuilder, inputs: list[Array], outs: list[Array], axis: int) -> str:
    return b.add("Gather", inputs, axis=axis)


def _take_along(b: OnnxBuilder, inputs: list[Array], outs: list[Array], axis: int) -> str:
    return b.add("GatherElements", inputs, axis=axis)


def _scatter(b: OnnxBuilder, inputs: list[Array], outs: list[Array], how: str) -> str:
    return b.add("ScatterElements", inputs, axis=0, reduction={"set": "none"}.get(how, how))


def _ends(pairs: Sequence[tuple[int, int]]) -> list[int]:
    return [p[0] for p in pairs] + [p[1] for p in pairs]


def _conv(b: OnnxBuilder, inputs: list[Array], outs: list[Array], strides: Any, pairs: Any, dilations: Any,
          groups: int) -> str:
    return b.add("Conv", inputs, strides=strides, pads=_ends(pairs), dilations=dilations, group=groups,
                 kernel_shape=[int(d or 0) for d in inputs[1].shape[2:]])


def _max_pool(b: OnnxBuilder, inputs: list[Array], outs: list[Array], kernel: Any, strides: Any, pairs: Any,
              dilations: Any) -> str:
    if all(p < k for pair, k in zip(pairs, kernel, strict=True) for p in pair):
        return b.add("MaxPool", inputs, kernel_shape=kernel, strides=strides, pads=_ends(pairs), dilations=dilations)
    low = b.constant(-np.inf if inputs[0].dtype.startswith("f") else -2**31, inputs[0].dtype)
    wide = b.add("Pad", [inputs[0], b.ints([0, 0, *_ends(pairs)[:2], 0, 0, *_ends(pairs)[2:]]), low])
    return b.add("MaxPool", [wide], kernel_shape=kernel, strides=strides, dilations=dilations)


def _sum_pool(b: OnnxBuilder, inputs: list[Array], outs: list[Array], kernel: Any, strides: Any, pairs: Any,
              dilations: Any) -> str:
    """A sum over windows is their mean, zeros of the padding counted, times their size."""
    x: Any = inputs[0]
    if any(map(any, pairs)):
        sides = b.ints([0, 0, *_ends(pairs)[:2], 0, 0, *_ends(pairs)[2:]])
        x = b.add("Pad", [x, sides, b.constant(0, outs[0].dtype)])
    if any(d > 1 for d in dilations):
        raise ExportError("A sum over dilated windows cannot be written for ONNX.")
    mean = b.add("AveragePool", [x], kernel_shape=kernel, strides=strides)
    return b.add("Mul", [mean, b.constant(int(np.prod(kernel)), outs[0].dtype)])


def _cumsum(b: OnnxBuilder, inputs: list[Array], outs: list[Array], axis: int, reverse: bool) -> str:
    return b.add("CumSum", [inputs[0], b.constant(axis, "int64")], reverse=int(reverse))


def _topk(b: OnnxBuilder, inputs: list[Array], outs: list[Array], k: int, axis: int) -> list[str]:
    return b.add("TopK", [inputs[0], b.ints([k])], 2, axis=axis, largest=1, sorted=1)


def _sort(b: OnnxBuilder, inputs: list[Array], outs: list[Array], axis: int, largest: bool) -> list[str]:
    size = b.add("Shape", inputs, start=axis, end=axis + 1)
    return b.add("TopK", [inputs[0], size], 2, axis=axis, largest=int(largest), sorted=1)


OnnxBuilder.EMIT = {
    **{kind: _plain(name) for kind, name in _PLAIN.items()},
    "cast": _cast, "rem": _remainder, "not_equal": _not_equal, "expm1": _expm1, "log1p": _log1p,
    "isfinite": _isfinite, "reshape": _reshape, "unsqueeze": _axes_op("Unsqueeze"), "squeeze": _axes_op("Squeeze"),
    "transpose": _transpose, "size": _size, "expand": _plain("Expand"), "concat": _concat, "slice": _slice,
    "slice_at": _slice_at, "update": _update, "range": _range, "reverse": _reverse, "pad": _pad,
    "sum": _reduction("ReduceSum"),
    "reduce_max": _reduction("ReduceMax"), "reduce_min": _reduction("ReduceMin"), "prod": _reduction("ReduceProd"),
    "all": _truth("ReduceMin"), "any": _truth("ReduceMax"), "argmax": _arg("ArgMax"), "argmin": _arg("ArgMin"),
    "take": _take, "take_along": _take_along, "put": _scatter, "conv": _conv, "max_pool": _max_pool,
    "sum_pool": _sum_pool, "cumsum": _cumsum, "topk": _topk, "sort": _sort,
}
