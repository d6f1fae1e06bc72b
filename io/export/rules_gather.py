"""Gathering and scattering: the common cases directly, any other by an index for each element."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from kayax.io.export.arrays import Array, ExportError, broadcast_shape
from kayax.io.export.lower import Lowering, kind_of_reduction, rule
from kayax.io.export.stablehlo import Node


@rule("gather", "dynamic_gather")
def gather(low: Lowering, node: Node) -> Any:
    x, index, result = low.get(node.operands[0]), low.get(node.operands[1]), node.results[0]
    d = node.attrs["dimension_numbers"]
    sizes = _slice_sizes(low, node, x, d, result.shape)
    if _is_take(d, x.rank, index.rank):
        return _take(low, x, index, d, sizes, result)
    return _by_element(low, x, index, d, sizes, result)


def _slice_sizes(low: Lowering, node: Node, x: Array, d: dict, shape: tuple) -> list[Any]:
    """For each axis of the operand the size of the window: a number, or a vector of one int64."""
    if node.name == "gather":
        return list(node.attrs["slice_sizes"])
    given = low.vector(node.operands[2])
    if isinstance(given, list):
        return given
    kept = [i for i in range(x.rank) if i not in d["collapsed_slice_dims"] and i not in d["operand_batching_dims"]]
    known = dict(zip(kept, (shape[i] for i in d["offset_dims"]), strict=True))
    sizes: list[Any] = []
    for i in range(x.rank):
        size = known.get(i, 1)
        sizes.append(size if size is not None else low.b.op(
            "slice", [given], "int64", (1,), starts=[i], ends=[i + 1], steps=[1], axes=[0]))
    return sizes


def _is_take(d: dict, rank: int, index_rank: int) -> bool:
    """One axis is indexed, and taken away."""
    return (len(d["start_index_map"]) == 1 and list(d["collapsed_slice_dims"]) == list(d["start_index_map"])
            and not d["operand_batching_dims"] and d["index_vector_dim"] == index_rank - 1)


def _take(low: Lowering, x: Array, index: Array, d: dict, sizes: list[Any], result: Any) -> Array:
    axis = d["start_index_map"][0]
    for i, size in enumerate(sizes):
        if i != axis and size != x.shape[i]:
            end = size if isinstance(size, Array) else low.b.constant([size], "int64")
            shape = [None if j == i and isinstance(size, Array) else size if j == i else s
                     for j, s in enumerate(x.shape)]
            x = low.b.op("slice_at", [x, low.b.constant([0], "int64"), end], x.dtype, shape, axes=[i])
    batch = low.b.reshape(index, index.shape[:-1], _sizes_of(low, index, index.rank - 1))
    batch = _clamped(low, low.b.cast(batch, "int64"), x, axis, 1)
    inner = [*x.shape[:axis], *batch.shape, *x.shape[axis + 1:]]
    out = low.b.op("take", [x, batch], x.dtype, inner, axis=axis)
    # Where the axes of the index and of the window lie in the result.
    windows = list(d["offset_dims"])
    batches = [i for i in range(len(result.shape)) if i not in windows]
    names = [*(windows[i] for i in range(axis)), *batches, *(windows[i] for i in range(axis, len(windows)))]
    return low.b.transpose(out, [names.index(i) for i in range(len(names))])


def _sizes_of(low: Lowering, x: Array, count: int) -> Array | None:
    """The first sizes of an array as a vector, if more than one of them is open."""
    if x.shape[:count].count(None) < 2:
        return None
    return low.b.op("concat", [low.b.size(x, i) for i in range(count)], "int64", (count,), axis=0)


def _clamped(low: Lowering, start: Array, x: Array, axis: int, size: Any) -> Array:
    """Starts as StableHLO reads them: windows that stick out are moved inside."""
    width = size if isinstance(size, Array) else low.b.constant([size], "int64")
    room = low.b.op("sub", [low.b.size(x, axis), width], "int64", (1,))
    start = low.b.op("max", [start, low.b.constant(0, "int64")], "int64", start.shape)
    return low.b.op("min", [start, low.b.reshape(room, ())], "int64", start.shape)


def _fits(low: Lowering, start: Array, x: Array, axis: int, size: Any) -> Array:
    """Where a window of this size that starts there lies in `x`."""
    width = size if isinstance(size, Array) else low.b.constant([size], "int64")
    room = low.b.reshape(low.b.op("sub", [low.b.size(x, axis), width], "int64", (1,)), ())
    above = low.b.op("greater_equal", [start, low.b.constant(0, "int64")], "bool", start.shape)
    return low.b.op("and", [above, low.b.op("less_equal", [start, room], "bool", start.shape)], "bool", start.shape)


def _by_element(low: Lowering, x: Array, index: Array, d: dict, sizes: list[Any], result: Any) -> Array:
    """The full index of every element of the result, and one gather by those."""
    parts = _grid(low, x, index, sizes, result.shape, list(d["offset_dims"]), list(d["collapsed_slice_dims"]),
                  list(d["operand_batching_dims"]), list(d["start_indices_batching_dims"]),
                  list(d["start_index_map"]), d["index_vector_dim"])
    grid = low.b.op("concat", parts, "int64", (*result.shape, x.rank), axis=len(result.shape)) if len(parts) > 1 \
        else parts[0]
    return low.b.op("gather_nd", [x, grid], x.dtype, result.shape)


def _grid(low: Lowering, x: Array, index: Array, sizes: list[Any], shape: tuple, windows: list[int],
          collapsed: list[int], batched: list[int], index_batched: list[int], mapped: list[int],
          vector: int, inside: list[Array] | None = None) -> list[Array]:
    """For each axis of `x`, the index along it of every element of a result of this shape, as [*shape, 1].

    inside: gets, for each axis that is indexed, where the window lies in `x`; without it, windows are moved inside.
    """
    rank = len(shape)
    places = [i for i in range(rank) if i not in windows]               # of the index's own axes, in the result
    own = [i for i in range(index.rank) if i != vector]
    kept = [i for i in range(x.rank) if i not in collapsed and i not in batched]
    index = low.b.cast(index, "int64")
    across = [i for i in range(rank) if i in windows]
    lines: list[list[Array]] = [[] for _ in range(x.rank)]
    for k, axis in enumerate(mapped):
        one = index
        if vector < index.rank:
            one = low.b.op("slice", [index], "int64", [1 if i == vector else s for i, s in enumerate(index.shape)],
                           starts=[k], ends=[k + 1], steps=[1], axes=[vector])
            one = low.b.op("squeeze", [one], "int64", [index.shape[i] for i in own], axes=[vector])
        if inside is None:
            one = _clamped(low, one, x, axis, sizes[axis])
        else:
            inside.append(low.b.unsqueeze(_fits(low, one, x, axis, sizes[axis]), across))
        lines[axis].append(low.b.unsqueeze(one, across))
    for axis, place in zip(kept, windows, strict=True):
        if not (isinstance(sizes[axis], int) and sizes[axis] == 1):
            lines[axis].append(_line(low, sizes[axis], place, rank))
    for axis, at in zip(batched, index_batched, strict=True):
        size = index.shape[at] if index.shape[at] is not None else low.b.size(index, at)
        lines[axis].append(_line(low, size, places[own.index(at)], rank))
    whole = None
    if None in shape:
        whole = low.b.op("concat", _result_sizes(low, index, sizes, shape, windows, places, own, kept), "int64",
                         (rank,), axis=0)
    grids = []
    for axis in range(x.rank):
        total = lines[axis][0] if lines[axis] else low.b.constant(0, "int64")
        for more in lines[axis][1:]:
            total = low.b.op("add", [total, more], "int64", broadcast_shape([total.shape, more.shape]))
        grids.append(low.b.unsqueeze(low.b.expand(total, shape, whole), [rank]))
    return grids


def _line(low: Lowering, size: Any, place: int, rank: int) -> Array:
    """0, 1, 2 ... along one axis of a result."""
    if isinstance(size, Array):
        line = low.b.op("range", [low.b.reshape(size, ())], "int64", (None,))
    else:
        line = low.b.constant(np.arange(size), "int64")
    return low.b.unsqueeze(line, [i for i in range(rank) if i != place])


def _result_sizes(low: Lowering, index: Array, sizes: list[Any], shape: tuple, windows: list[int], places: list[int],
                  own: list[int], kept: list[int]) -> list[Array]:
    found: list[Array] = [low.b.constant([s or 0], "int64") for s in shape]
    for axis, place in zip(kept, windows, strict=True):
        found[place] = sizes[axis] if isinstance(sizes[axis], Array) else low.b.constant([sizes[axis]], "int64")
    for at, place in zip(own, places, strict=True):
        found[place] = low.b.size(index, at)
    return found


@rule("scatter")
def scatter(low: Lowering, node: Node) -> Any:
    """Writes, adds ... windows into the array as one line, element by element. A window that sticks out is left away,
    as in XLA: it goes to a place of its own behind the line."""
    if len(node.operands) != 3:
        raise ExportError("A scatter into several arrays cannot be written.")
    x, index, updates = (low.get(v) for v in node.operands)
    d = node.attrs["scatter_dimension_numbers"]
    kind = "set" if not node.regions[0].nodes else kind_of_reduction(node.regions[0])
    windows, inserted = list(d["update_window_dims"]), list(d["inserted_window_dims"])
    batched = list(d["input_batching_dims"])
    kept = [i for i in range(x.rank) if i not in inserted and i not in batched]
    sizes: list[Any] = [1] * x.rank
    for axis, place in zip(kept, windows, strict=True):
        size = updates.shape[place]
        sizes[axis] = size if size is not None else low.b.size(updates, place)
    inside: list[Array] = []
    parts = _grid(low, x, index, sizes, updates.shape, windows, inserted, batched,
                  list(d["scatter_indices_batching_dims"]), list(d["scattered_dims_to_operand_dims"]),
                  d["index_vector_dim"], inside)
    place, end = _in_line(low, x, parts)
    place = low.b.reshape(place, updates.shape, _sizes_of(low, updates, updates.rank))
    for fits in inside:
        place = low.b.op("where", [fits, place, low.b.reshape(end, ())], "int64", updates.shape)
    count = None if None in x.shape else math.prod(s or 0 for s in x.shape)
    line = low.b.op("concat", [low.b.reshape(x, (count,)), low.b.constant([0], x.dtype)], x.dtype,
                    (None if count is None else count + 1,), axis=0)
    n = None if None in updates.shape else math.prod(s or 0 for s in updates.shape)
    line = low.b.op("put", [line, low.b.reshape(place, (n,)), low.b.reshape(updates, (n,))], x.dtype, line.shape,
                    how=kind)
    line = low.b.op("slice_at", [line, low.b.constant([0], "int64"), end], x.dtype, (count,), axes=[0])
    return low.b.reshape(line, x.shape, _sizes_of(low, x, x.rank))


def _in_line(low: Lowering, x: Array, parts: list[Array]) -> tuple[Array, Array]:
    """Places in `x` as one line, of indices along each axis; and its length, as a vector of one."""
    place, count = low.b.constant(0, "int64"), low.b.constant([1], "int64")
    for axis, part in enumerate(parts):
        size = low.b.size(x, axis)
        before = low.b.op("mul", [place, size], "int64", part.shape) if axis else place
        place = low.b.op("add", [before, part], "int64", part.shape) if axis else part
        count = low.b.op("mul", [count, size], "int64", (1,))
    return place, count
