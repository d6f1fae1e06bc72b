"""Element by element, and shapes."""
from __future__ import annotations

import functools
from typing import Any

import numpy as np

from kayax.io.export.arrays import Array, ExportError, Wide
from kayax.io.export.lower import Lowering, rule
from kayax.io.export.stablehlo import Node

_UNARY = {"abs": "abs", "exponential": "exp", "log": "log", "sqrt": "sqrt", "tanh": "tanh", "logistic": "sigmoid",
          "sine": "sin", "cosine": "cos", "tan": "tan", "floor": "floor", "ceil": "ceil", "negate": "neg",
          "round_nearest_even": "round", "sign": "sign", "chlo.erf": "erf", "chlo.asin": "asin", "chlo.acos": "acos",
          "chlo.atan": "atan", "chlo.sinh": "sinh", "chlo.cosh": "cosh", "chlo.asinh": "asinh",
          "chlo.acosh": "acosh", "chlo.atanh": "atanh"}
_BINARY = {"add": "add", "subtract": "sub", "multiply": "mul", "divide": "div", "maximum": "max", "minimum": "min",
           "power": "pow", "remainder": "rem"}
_COMPARE = {"EQ": "equal", "NE": "not_equal", "LT": "less", "LE": "less_equal", "GT": "greater",
            "GE": "greater_equal"}


@rule(*_UNARY)
def unary(low: Lowering, node: Node) -> Any:
    return low.elementwise(_UNARY[node.name], [low.raw(node.operands[0])], node.results[0].dtype)


@rule(*_BINARY)
def binary(low: Lowering, node: Node) -> Any:
    kind, dtype = _BINARY[node.name], node.results[0].dtype
    if dtype == "bool":
        kind = {"add": "or", "max": "or", "mul": "and", "min": "and"}[kind]
    return low.elementwise(kind, [low.raw(v) for v in node.operands], dtype)


@rule("and", "or", "xor", "not")
def logical(low: Lowering, node: Node) -> Any:
    kind = node.name if node.results[0].dtype == "bool" else f"bit_{node.name}"
    return low.elementwise(kind, [low.raw(v) for v in node.operands], node.results[0].dtype)


@rule("compare")
def compare(low: Lowering, node: Node) -> Any:
    return low.elementwise(_COMPARE[node.attrs["comparison_direction"]], [low.raw(v) for v in node.operands], "bool")


@rule("select")
def select(low: Lowering, node: Node) -> Any:
    condition, yes, no = (low.raw(v) for v in node.operands)
    dtype = node.results[0].dtype
    if isinstance(condition, Array) and not condition.shape and node.results[0].shape:
        condition = Wide(condition, node.results[0].shape, None)        # one condition for all elements
    if dtype == "bool":
        return _select_bool(low, condition, yes, no)
    return low.elementwise("where", [condition, yes, no], dtype)


def _select_bool(low: Lowering, condition: Any, yes: Any, no: Any) -> Any:
    inverse = low.elementwise("not", [condition], "bool")
    return low.elementwise("or", [low.elementwise("and", [condition, yes], "bool"),
                                  low.elementwise("and", [inverse, no], "bool")], "bool")


def _composed(low: Lowering, node: Node, *steps: tuple) -> Any:
    """A chain of operations on the one operand: a kind, or a kind with a number as second or first operand."""
    dtype, value = node.results[0].dtype, low.raw(node.operands[0])
    for kind, *numbers in steps:
        more: list[Any] = [Wide(low.b.constant(n, dtype), value.shape, getattr(value, "sizes", None))
                           for n in numbers]
        value = low.elementwise(kind, more + [value] if kind == "sub" else [value, *more], dtype)
    return value


@rule("rsqrt")
def rsqrt(low: Lowering, node: Node) -> Any:
    return _composed(low, node, ("sqrt",), ("reciprocal",))


@rule("cbrt")
def cbrt(low: Lowering, node: Node) -> Any:
    sign = low.elementwise("sign", [low.raw(node.operands[0])], node.results[0].dtype)
    root = _composed(low, node, ("abs",), ("pow", 1 / 3))
    return low.elementwise("mul", [sign, root], node.results[0].dtype)


@rule("chlo.square")
def square(low: Lowering, node: Node) -> Any:
    x = low.raw(node.operands[0])
    return low.elementwise("mul", [x, x], node.results[0].dtype)


@rule("chlo.erfc")
def erfc(low: Lowering, node: Node) -> Any:
    return _composed(low, node, ("erf",), ("sub", 1.0))


@rule("exponential_minus_one", "log_plus_one")
def near_zero(low: Lowering, node: Node) -> Any:
    return low.elementwise({"e": "expm1", "l": "log1p"}[node.name[0]], [low.raw(node.operands[0])],
                           node.results[0].dtype)


@rule("atan2")
def atan2(low: Lowering, node: Node) -> Any:
    """``atan(y / x)``, moved by pi to the side of y where x is negative; 0 at the origin, as for a positive x."""
    dtype, (y, x) = node.results[0].dtype, (low.raw(v) for v in node.operands)

    def number(value: float) -> Wide:
        return Wide(low.b.constant(value, dtype), node.results[0].shape, getattr(x, "sizes", None))

    def each(kind: str, *values: Any, to: str = dtype) -> Any:
        return low.elementwise(kind, list(values), to)

    origin = each("and", each("equal", x, number(0), to="bool"), each("equal", y, number(0), to="bool"), to="bool")
    angle = each("atan", each("div", y, each("where", origin, number(1), x)))
    turn = each("where", each("less", y, number(0), to="bool"), number(-np.pi), number(np.pi))
    return each("where", each("less", x, number(0), to="bool"), each("add", angle, turn), angle)


@rule("is_finite")
def is_finite(low: Lowering, node: Node) -> Any:
    return low.elementwise("isfinite", [low.raw(node.operands[0])], "bool")


@rule("clamp")
def clamp(low: Lowering, node: Node) -> Any:
    lower, x, upper = (low.raw(v) for v in node.operands)
    dtype, shape = node.results[0].dtype, node.results[0].shape
    lower, upper = (Wide(v, shape, None) if isinstance(v, Array) and not v.shape and shape else v
                    for v in (lower, upper))
    return low.elementwise("min", [low.elementwise("max", [x, lower], dtype), upper], dtype)


@rule("convert")
def convert(low: Lowering, node: Node) -> Any:
    x, dtype = low.raw(node.operands[0]), node.results[0].dtype
    if isinstance(x, Wide):
        return Wide(low.b.cast(x.thin, dtype), x.shape, x.sizes)
    return low.b.cast(x, dtype)


@rule("reduce_precision")
def same(low: Lowering, node: Node) -> Any:
    return low.raw(node.operands[0])


# ---- shapes ------------------------------------------------------------------------------------------------------


def _sizes(low: Lowering, node: Node) -> Array | None:
    """The shape operand of the dynamic operations, where the shape is open."""
    if len(node.operands) < 2 or None not in node.results[0].shape:
        return None
    return low.b.cast(low.get(node.operands[1]), "int64")


@rule("broadcast_in_dim", "dynamic_broadcast_in_dim")
def broadcast(low: Lowering, node: Node) -> Any:
    shape, dims = node.results[0].shape, node.attrs["broadcast_dimensions"]
    x = low.raw(node.operands[0])
    if isinstance(x, Wide) and not x.thin.shape:
        return Wide(x.thin, shape, _sizes(low, node))
    if isinstance(x, Wide):         # broadcast again: still thin
        x = low.b.unsqueeze(x.thin, list(range(len(x.shape) - x.thin.rank)))
    if not x.shape:
        return Wide(x, shape, _sizes(low, node)) if shape else x
    order = sorted(range(len(dims)), key=lambda i: dims[i])
    x = low.b.transpose(x, order)
    thin = low.b.unsqueeze(x, [i for i in range(len(shape)) if i not in dims])
    if thin.shape == shape and None not in shape:
        return thin
    return Wide(thin, shape, _sizes(low, node))


@rule("reshape", "dynamic_reshape")
def reshape(low: Lowering, node: Node) -> Any:
    x, shape = low.raw(node.operands[0]), node.results[0].shape
    if isinstance(x, Wide) and not x.thin.shape:
        return Wide(x.thin, shape, _sizes(low, node)) if shape else x.thin
    return low.b.reshape(low.full(x), shape, _sizes(low, node))


@rule("transpose")
def transpose(low: Lowering, node: Node) -> Any:
    x, order = low.raw(node.operands[0]), node.attrs["permutation"]
    if isinstance(x, Wide) and not x.thin.shape and None not in x.shape:
        return Wide(x.thin, node.results[0].shape, None)
    return low.b.transpose(low.full(x), order)


@rule("concatenate")
def concatenate(low: Lowering, node: Node) -> Any:
    result, parts = node.results[0], [low.get(v) for v in node.operands]
    if len(parts) == 1:
        return parts[0]
    return low.b.op("concat", parts, result.dtype, result.shape, axis=node.attrs["dimension"])


@rule("get_dimension_size")
def dimension(low: Lowering, node: Node) -> Any:
    value, axis = low.raw(node.operands[0]), node.attrs["dimension"]
    if isinstance(value, Wide) and value.sizes is not None:
        size = low.b.op("slice", [value.sizes], "int64", (1,), starts=[axis], ends=[axis + 1], steps=[1], axes=[0])
    else:
        size = low.b.size(low.full(value), axis)
    return low.b.cast(low.b.reshape(size, ()), node.results[0].dtype)


@rule("iota", "dynamic_iota")
def iota(low: Lowering, node: Node) -> Any:
    result, axis = node.results[0], node.attrs["iota_dimension"]
    size = result.shape[axis]
    if size is not None:
        line = low.b.constant(np.arange(size), result.dtype)
        sizes = _first_sizes(low, node)
    else:
        sizes = _first_sizes(low, node)
        assert sizes is not None
        count = low.b.op("slice", [sizes], "int64", (1,), starts=[axis], ends=[axis + 1], steps=[1], axes=[0])
        line = low.b.cast(low.b.op("range", [low.b.reshape(count, ())], "int64", (None,)), result.dtype)
    thin = low.b.unsqueeze(line, [i for i in range(len(result.shape)) if i != axis])
    return thin if len(result.shape) == 1 else Wide(thin, result.shape, sizes)


def _first_sizes(low: Lowering, node: Node) -> Array | None:
    return low.b.cast(low.get(node.operands[0]), "int64") if node.operands else None


@rule("slice")
def static_slice(low: Lowering, node: Node) -> Any:
    x, result = low.raw(node.operands[0]), node.results[0]
    if isinstance(x, Wide) and not x.thin.shape:
        return Wide(x.thin, result.shape, None)
    starts, ends, steps = (node.attrs[k] for k in ("start_indices", "limit_indices", "strides"))
    return cut(low, low.full(x), starts, ends, steps, result.shape)


def cut(low: Lowering, x: Array, starts: Any, ends: Any, steps: Any, shape: tuple) -> Array:
    """A slice with known bounds, of the axes that are cut at all."""
    axes = [i for i in range(x.rank) if (starts[i], ends[i], steps[i]) != (0, x.shape[i], 1)]
    if not axes:
        return x
    return low.b.op("slice", [x], x.dtype, shape, starts=[starts[i] for i in axes], ends=[ends[i] for i in axes],
                    steps=[steps[i] for i in axes], axes=axes)


@rule("real_dynamic_slice")
def open_slice(low: Lowering, node: Node) -> Any:
    x, result = low.get(node.operands[0]), node.results[0]
    first, last, step = (low.vector(v) for v in node.operands[1:])
    bounds = [first, last, step]
    if not any(isinstance(v, Array) for v in bounds):
        return cut(low, x, first, last, step, result.shape)
    starts, ends, steps = (low.b.constant(v, "int64") if isinstance(v, list) else v for v in bounds)
    return low.b.op("slice_at", [x, starts, ends, steps], x.dtype, result.shape)


@rule("dynamic_slice")
def dynamic_slice(low: Lowering, node: Node) -> Any:
    x, result = low.get(node.operands[0]), node.results[0]
    return slice_from(low, x, [low.get(v) for v in node.operands[1:]], list(result.shape))


def slice_from(low: Lowering, x: Array, starts: list[Array], sizes: list[Any]) -> Array:
    """A window of known sizes that starts where a program says, moved inside where it would stick out."""
    axes = [i for i in range(x.rank) if sizes[i] != x.shape[i]]
    if not axes:
        return x
    firsts = [start_within(low, x, i, starts[i], sizes[i]) for i in axes]
    lasts = [low.b.op("add", [f, low.b.constant([sizes[i]], "int64")], "int64", (1,))
             for f, i in zip(firsts, axes, strict=True)]
    return low.b.op("slice_at", [x, _joined(low, firsts), _joined(low, lasts)], x.dtype,
                    [sizes[i] if i in axes else x.shape[i] for i in range(x.rank)], axes=axes)


def start_within(low: Lowering, x: Array, axis: int, start: Array, size: int) -> Array:
    """A start as a vector of one int64, between 0 and what is left of the axis."""
    first = low.b.reshape(low.b.cast(start, "int64"), (1,))
    room = low.b.op("sub", [low.b.size(x, axis), low.b.constant([size], "int64")], "int64", (1,))
    first = low.b.op("max", [first, low.b.constant([0], "int64")], "int64", (1,))
    return low.b.op("min", [first, room], "int64", (1,))


def _joined(low: Lowering, parts: list[Array]) -> Array:
    return parts[0] if len(parts) == 1 else low.b.op("concat", parts, "int64", (len(parts),), axis=0)


@rule("dynamic_update_slice")
def dynamic_update(low: Lowering, node: Node) -> Any:
    x, update, *starts = (low.get(v) for v in node.operands)
    axes = [i for i in range(x.rank) if update.shape[i] is None or update.shape[i] != x.shape[i]]
    # An open dim that the whole window fills has a constant start of 0.
    axes = [i for i in axes if not (x.shape[i] is None and update.shape[i] is None and _is_zero(starts[i]))]
    if not axes:
        return update
    sizes: list[int] = []
    for i in axes:
        size = update.shape[i]
        if size is None:
            raise ExportError("A window of open size that does not fill its axis cannot be written.")
        sizes.append(size)
    firsts = [start_within(low, x, i, starts[i], size) for i, size in zip(axes, sizes, strict=True)]
    return low.b.op("update", [x, update, *firsts], x.dtype, x.shape, axes=axes, sizes=sizes)


def _is_zero(x: Array) -> bool:
    return x.const is not None and not x.const.any()


@rule("reverse")
def reverse(low: Lowering, node: Node) -> Any:
    x = low.get(node.operands[0])
    return functools.reduce(lambda y, axis: low.b.op("reverse", [y], y.dtype, y.shape, axis=axis),
                            node.attrs["dimensions"], x)


@rule("pad")
def pad(low: Lowering, node: Node) -> Any:
    x, value = low.get(node.operands[0]), low.get(node.operands[1])
    before, after, inside = (node.attrs[f"{k}"] for k in ("edge_padding_low", "edge_padding_high",
                                                           "interior_padding"))
    for axis, gap in enumerate(inside):
        if gap:
            x = spread(low, x, axis, gap, value)
    return padded(low, x, list(zip(before, after, strict=True)), value, node.results[0].shape)


def padded(low: Lowering, x: Array, pairs: list[tuple[int, int]], value: Array, shape: tuple) -> Array:
    """Extended at the edges, or cut where a number is negative."""
    if any(low_ < 0 or high < 0 for low_, high in pairs):
        axes = [i for i, p in enumerate(pairs) if min(p) < 0]
        kept = [d if d is None else d + min(a, 0) + min(c, 0) for d, (a, c) in zip(x.shape, pairs, strict=True)]
        x = low.b.op("slice", [x], x.dtype, kept, starts=[max(-pairs[i][0], 0) for i in axes],
                     ends=[pairs[i][1] if pairs[i][1] < 0 else 2**31 - 1 for i in axes], steps=[1] * len(axes),
                     axes=axes)
    pairs = [(max(a, 0), max(c, 0)) for a, c in pairs]
    if not any(map(any, pairs)):
        return x
    return low.b.op("pad", [x, value], x.dtype, shape, pairs=pairs)


def spread(low: Lowering, x: Array, axis: int, gap: int, value: Array) -> Array:
    """`gap` elements of a value between each two along an axis."""
    size, wide = x.shape[axis], low.b.unsqueeze(x, [axis + 1])
    shape = [*wide.shape[:axis + 1], gap + 1, *wide.shape[axis + 2:]]
    pairs = [(0, gap) if i == axis + 1 else (0, 0) for i in range(wide.rank)]
    filled = low.b.op("pad", [wide, value], x.dtype, shape, pairs=pairs)
    step = low.b.constant([gap + 1], "int64")
    joined = [*x.shape[:axis], None if size is None else size * (gap + 1), *x.shape[axis + 1:]]
    sizes = None
    if joined.count(None) > 1:
        parts = [low.b.size(x, i) for i in range(x.rank)]
        parts[axis] = low.b.op("mul", [parts[axis], step], "int64", (1,))
        sizes = low.b.op("concat", parts, "int64", (x.rank,), axis=0)
    flat = low.b.reshape(filled, joined, sizes)
    last = None if size is None else size * (gap + 1) - gap
    return low.b.op("slice", [flat], x.dtype, [last if i == axis else d for i, d in enumerate(joined)], starts=[0],
                    ends=[-gap if last is None else last], steps=[1], axes=[axis])
