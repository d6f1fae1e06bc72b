"""Products, convolutions, windows and reductions."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from kayax.io.export.arrays import Array, ExportError
from kayax.io.export.lower import Lowering, kind_of_reduction, rule
from kayax.io.export.rules_elementwise import padded, spread
from kayax.io.export.stablehlo import Node

_REDUCE = {"add": "sum", "max": "reduce_max", "min": "reduce_min", "mul": "prod", "and": "all", "or": "any"}


@rule("dot_general")
def dot(low: Lowering, node: Node) -> Any:
    x, y = (low.get(v) for v in node.operands)
    facts, result = node.attrs["dot_dimension_numbers"], node.results[0]
    batch = list(facts["lhs_batching_dimensions"]), list(facts["rhs_batching_dimensions"])
    inner = list(facts["lhs_contracting_dimensions"]), list(facts["rhs_contracting_dimensions"])
    free = [[i for i in range(a.rank) if i not in b and i not in c]
            for a, b, c in zip((x, y), batch, inner, strict=True)]
    # The product of matrices needs one inner axis, and broadcasts the axes in front of the last two.
    simple = len(inner[0]) == 1 and len(free[1]) == 1 and (len(free[0]) == 1 or (not batch[0] and free[0]))
    work = result.dtype
    x = low.b.transpose(low.b.cast(x, work), batch[0] + free[0] + inner[0])
    y = low.b.transpose(low.b.cast(y, work), batch[1] + inner[1] + free[1])
    if simple:
        return low.b.op("matmul", [x, y], work, result.shape)
    n, f, g = len(batch[0]), len(free[0]), len(free[1])
    x3 = _merge(low, x, [list(range(n)), list(range(n, n + f)), list(range(n + f, x.rank))])
    y3 = _merge(low, y, [list(range(n)), list(range(n, n + len(inner[1]))), list(range(n + len(inner[1]), y.rank))])
    shape = (*x3.shape[:-1], y3.shape[-1])
    out = low.b.op("matmul", [x3, y3], work, shape)
    sizes = None
    if result.shape.count(None) > 1:
        parts = [low.b.size(x, i) for i in range(n + f)] + [low.b.size(y, i) for i in range(y.rank - g, y.rank)]
        sizes = low.b.op("concat", parts, "int64", (len(parts),), axis=0) if len(parts) > 1 else parts[0]
    return low.b.reshape(out, result.shape, sizes)


def _merge(low: Lowering, x: Array, groups: list[list[int]]) -> Array:
    """The first group of axes stays, the second and third become one axis each."""
    kept, *merged = groups
    shape: list[int | None] = [x.shape[i] for i in kept]
    for group in merged:
        dims = [x.shape[i] for i in group]
        shape.append(None if None in dims else math.prod(d or 0 for d in dims))
    sizes = None
    if shape.count(None) > 1:
        parts = [low.b.size(x, i) for i in kept]
        for group in merged:
            size = low.b.constant([1], "int64")
            for i in group:
                size = low.b.op("mul", [size, low.b.size(x, i)], "int64", (1,))
            parts.append(size)
        sizes = low.b.op("concat", parts, "int64", (len(parts),), axis=0)
    return low.b.reshape(x, shape, sizes)


@rule("convolution")
def convolution(low: Lowering, node: Node) -> Any:
    x, weight = (low.get(v) for v in node.operands)
    d, a, result = node.attrs["dimension_numbers"], node.attrs, node.results[0]
    n = len(d["input_spatial_dimensions"])
    if a.get("batch_group_count", 1) != 1:
        raise ExportError("A convolution grouped over the batch cannot be written.")
    x = low.b.transpose(x, [d["input_batch_dimension"], d["input_feature_dimension"], *d["input_spatial_dimensions"]])
    weight = low.b.transpose(weight, [d["kernel_output_feature_dimension"], d["kernel_input_feature_dimension"],
                                      *d["kernel_spatial_dimensions"]])
    ones = [1] * n
    pairs = np.asarray(a.get("padding", np.zeros((n, 2), int))).reshape(n, 2).tolist()
    for axis, reverse in enumerate(a.get("window_reversal") or [False] * n):
        if reverse:
            weight = low.b.op("reverse", [weight], weight.dtype, weight.shape, axis=axis + 2)
    zero = low.b.constant(0, x.dtype)
    for axis, step in enumerate(a.get("lhs_dilation") or ones):
        if step > 1:
            x = spread(low, x, axis + 2, step - 1, zero)
    if any(min(p) < 0 for p in pairs):
        whole = [(0, 0), (0, 0), *map(tuple, pairs)]
        shape = [s if s is None else s + sum(p) for s, p in zip(x.shape, whole, strict=True)]
        x, pairs = padded(low, x, whole, zero, tuple(shape)), [[0, 0]] * n
    places = [d["output_batch_dimension"], d["output_feature_dimension"], *d["output_spatial_dimensions"]]
    out = low.b.op("conv", [x, weight], result.dtype, [result.shape[p] for p in places],
                   strides=list(a.get("window_strides") or ones), pairs=[tuple(p) for p in pairs],
                   dilations=list(a.get("rhs_dilation") or ones), groups=a.get("feature_group_count", 1))
    return low.b.transpose(out, [places.index(i) for i in range(len(places))])


@rule("reduce")
def reduce(low: Lowering, node: Node) -> Any:
    axes = list(node.attrs["dimensions"])
    if len(node.results) == 2:
        return _arg(low, node, axes)
    x, result = low.get(node.operands[0]), node.results[0]
    kind = kind_of_reduction(node.regions[0])
    start = node.operands[1].const
    if kind in ("add", "max", "min", "mul") and x.dtype == "bool":
        kind = {"add": "or", "max": "or", "min": "and", "mul": "and"}[kind]
    out = low.b.op(_REDUCE[kind], [x], result.dtype, result.shape, axes=axes) if axes else x
    if start is None or not _is_neutral(kind, start):
        other = {"add": "add", "max": "max", "min": "min", "mul": "mul", "and": "and", "or": "or"}[kind]
        return low.elementwise(other, [out, low.get(node.operands[1])], result.dtype)
    return out


def _is_neutral(kind: str, start: np.ndarray) -> bool:
    value = start.reshape(-1)[0]
    if kind in ("max", "min") and start.dtype.kind in "iu":
        limits = np.iinfo(start.dtype)
        return bool(value == (limits.min if kind == "max" else limits.max))
    wanted = {"add": 0, "mul": 1, "and": True, "or": False, "max": -np.inf, "min": np.inf}[kind]
    return bool(float(value) == wanted)


def _arg(low: Lowering, node: Node, axes: list[int]) -> list[Any]:
    """Largest or smallest with its position: a reduction of values and of positions at once."""
    x = low.get(node.operands[0])
    if len(axes) != 1:
        raise ExportError("A reduction of two values over several axes cannot be written.")
    directions = {n.attrs["comparison_direction"] for n in node.regions[0].nodes if n.name == "compare"}
    largest = bool(directions & {"GT", "GE"})
    value, place = node.results
    best = low.b.op("reduce_max" if largest else "reduce_min", [x], value.dtype, value.shape, axes=axes)
    found = low.b.op("argmax" if largest else "argmin", [x], "int64", place.shape, axis=axes[0])
    return [best, low.b.cast(found, place.dtype)]


@rule("reduce_window")
def window(low: Lowering, node: Node) -> Any:
    x, a, result = low.get(node.operands[0]), node.attrs, node.results[0]
    kind, rank = kind_of_reduction(node.regions[0]), x.rank
    ones = [1] * rank
    size, strides = list(a["window_dimensions"]), list(a.get("window_strides") or ones)
    dilations, base = list(a.get("window_dilations") or ones), list(a.get("base_dilations") or ones)
    pairs = [tuple(p) for p in np.asarray(a.get("padding", np.zeros((rank, 2), int))).reshape(rank, 2).tolist()]
    active = [i for i in range(rank) if size[i] > 1 or strides[i] > 1 or any(pairs[i])]
    whole = active[0] if len(active) == 1 else -1
    edges = (size[whole] - 1, 0), (0, size[whole] - 1)
    running = whole >= 0 and x.shape[whole] == size[whole] and strides == ones and pairs[whole] in edges
    if running and kind == "mul":
        return _running_product(low, x, whole, pairs[whole][0] == 0)
    if base != ones or kind not in ("add", "max", "min"):
        raise ExportError("A window with gaps in its input, or of another reduction than add, max, min, cannot be "
                          "written.")
    if kind == "add" and running:
        return low.b.op("cumsum", [x], result.dtype, result.shape, axis=whole, reverse=pairs[whole][0] == 0)
    return _pool(low, x, kind, active, size, strides, dilations, pairs, result)


@rule("dynamic_reduce_window")
def dynamic_window(low: Lowering, node: Node) -> Any:
    """A sum over windows as wide as an axis of open size is, over that axis: a running sum. JAX's other ones are
    running products and extremes."""
    x, result = low.get(node.operands[0]), node.results[0]
    size, strides, base, dilations, padding = node.attrs["entries"]
    wide = [i for i, s in enumerate(size) if s != (None, 1)]
    plain = all(entry == (None, 1) for entry in (*strides, *base, *dilations))
    if kind_of_reduction(node.regions[0]) == "add" and len(wide) == 1 and plain:
        axis = wide[0]
        full = size[axis][0], size[axis][1] - 1
        edges = [(None, 0)] * (2 * x.rank)
        for reverse in (False, True):
            if padding == [full if i == 2 * axis + reverse else e for i, e in enumerate(edges)]:
                return low.b.op("cumsum", [x], result.dtype, result.shape, axis=axis, reverse=reverse)
    raise ExportError("A window of open size that is no running sum cannot be written: give the size of that axis, or "
                      "compute it another way.")


def _running_product(low: Lowering, x: Array, axis: int, reverse: bool) -> Array:
    """Products of 1, 2, 4 ... neighbours, each of two shorter ones (Hillis and Steele 1986)."""
    size, step, one = x.shape[axis] or 1, 1, low.b.constant(1, x.dtype)
    while step < size:
        span = (step, size) if reverse else (0, size - step)
        short = [size - step if i == axis else d for i, d in enumerate(x.shape)]
        moved = low.b.op("slice", [x], x.dtype, short, starts=[span[0]], ends=[span[1]], steps=[1], axes=[axis])
        pairs = [((0, step) if reverse else (step, 0)) if i == axis else (0, 0) for i in range(x.rank)]
        x = low.b.op("mul", [x, low.b.op("pad", [moved, one], x.dtype, x.shape, pairs=pairs)], x.dtype, x.shape)
        step *= 2
    return x


def _pool(low: Lowering, x: Array, kind: str, active: list[int], size: list[int], strides: list[int],
          dilations: list[int], pairs: list[tuple], result: Any) -> Array:
    """A pooling over the last two axes, the others in front."""
    if len(active) > 2:
        raise ExportError(f"A window over {len(active)} axes cannot be written.")
    rank = x.rank
    others = [i for i in range(rank - 1, -1, -1) if i not in active]
    spatial = sorted(active + others[:2 - len(active)]) if rank >= 2 else active
    order = [i for i in range(rank) if i not in spatial] + spatial
    y = low.b.transpose(x, order)
    if kind == "min":
        y = low.b.op("neg", [y], y.dtype, y.shape)
    missing = 4 - rank
    y = low.b.unsqueeze(y, list(range(missing))) if missing > 0 else y
    if y.rank != 4:
        raise ExportError(f"A window over an array of {rank} axes cannot be written.")
    shape = [*[1] * max(missing, 0), *(result.shape[i] for i in order)]
    how = {"kernel": [size[i] for i in spatial], "strides": [strides[i] for i in spatial],
           "pairs": [pairs[i] for i in spatial], "dilations": [dilations[i] for i in spatial]}
    out = low.b.op("sum_pool" if kind == "add" else "max_pool", [y], result.dtype, shape, **how)
    if kind == "min":
        out = low.b.op("neg", [out], out.dtype, out.shape)
    if missing > 0:
        out = low.b.reshape(out, [result.shape[i] for i in order])
    return low.b.transpose(out, [order.index(i) for i in range(rank)])


@rule("sort")
def sort(low: Lowering, node: Node) -> Any:
    x, axis = low.get(node.operands[0]), node.attrs["dimension"]
    last = [n for n in node.regions[0].nodes if n.name == "compare"][-1]
    if last.attrs["comparison_direction"] not in ("LT", "GT") or len(node.operands) > 2:
        raise ExportError("A sort by several keys cannot be written.")
    types = [(x.dtype, x.shape), ("int64", x.shape)]
    values, places = low.b.ops("sort", [x], types, axis=axis, largest=last.attrs["comparison_direction"] == "GT")
    if len(node.operands) == 1:
        return [values]
    # The second operand goes along: positions themselves, or anything by them.
    along = low.get(node.operands[1])
    return [values, low.b.op("take_along", [along, places], along.dtype, along.shape, axis=axis)]


@rule("chlo.top_k")
def top(low: Lowering, node: Node) -> Any:
    x, (values, places) = low.get(node.operands[0]), node.results
    k = values.shape[-1]
    found = low.b.ops("topk", [x], [(x.dtype, values.shape), ("int64", values.shape)], k=k, axis=x.rank - 1)
    return [found[0], low.b.cast(found[1], places.dtype)]
