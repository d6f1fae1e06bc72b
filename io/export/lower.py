"""From StableHLO to the neutral vocabulary of `arrays.Builder`: values, blocks, choices and loops."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kayax.io.export.arrays import Array, Builder, ExportError, Shape, Wide, broadcast_shape
from kayax.io.export.stablehlo import Node, Region, Value

RULES: dict[str, Callable[[Lowering, Node], Any]] = {}


def rule(*names: str) -> Callable:
    """Register how StableHLO operations are written: the function gives one value or a list of them."""
    def register(function: Callable) -> Callable:
        for name in names:
            if name in RULES:
                raise ValueError(f"{name} has two rules.")
            RULES[name] = function
        return function
    return register


class Lowering:
    """Walks a program and writes it with a builder."""

    def __init__(self, builder: Builder):
        self.b = builder
        self.values: dict[Value, Array | Wide] = {}

    def check(self, region: Region, target: str) -> None:
        """Raise ExportError with all operations that have no rule."""
        missing = sorted({n.name if n.name != "custom_call" else f"custom_call {n.attrs['call_target_name']}"
                          for n in walk(region) if n.name not in RULES})
        if missing:
            raise ExportError(f"The program has {len(missing)} operations that cannot be written for {target}: "
                              f"{', '.join(missing)}.")

    def run(self, region: Region, arguments: Sequence[Array | Wide]) -> list[Array]:
        """Write a region for these arguments, give its results."""
        self.values.update(zip(region.arguments, arguments, strict=True))
        for node in live(region):
            results = RULES[node.name](self, node)
            results = results if isinstance(results, list) else [results]
            self.values.update(zip(node.results, results, strict=True))
        return [self.get(v) for v in region.results]

    # ---- values ------------------------------------------------------------------------------------------------

    def raw(self, value: Value) -> Array | Wide:
        """The value, thin if it is broadcast."""
        if value.const is None:
            return self.values[value]
        array = value.const
        if array.ndim and array.size > 1 and (array == array.flat[0]).all():
            return Wide(self.b.constant(array.flat[0]), array.shape, None)
        return self.b.constant(array)

    def get(self, value: Value) -> Array:
        """The value in its full shape."""
        return self.full(self.raw(value))

    def full(self, value: Array | Wide) -> Array:
        if isinstance(value, Array):
            return value
        return self.b.expand(value.thin, value.shape, value.sizes)

    def elementwise(self, kind: str, values: Sequence[Array | Wide], dtype: str, **attrs: Any) -> Array | Wide:
        """An operation that broadcasts: on thin values, as long as one of them has the full shape."""
        thin = [v.thin if isinstance(v, Wide) else v for v in values]
        whole = next((v for v in values if isinstance(v, Array)), None)
        shape = broadcast_shape([t.shape for t in thin]) if whole is None else whole.shape
        out = self.b.op(kind, thin, dtype, shape, **attrs)
        if whole is not None:
            return out
        first = values[0]
        assert isinstance(first, Wide)
        sizes = next((v.sizes for v in values if isinstance(v, Wide) and v.sizes is not None), None)
        return Wide(out, first.shape, sizes)

    def vector(self, value: Value) -> list[int] | Array:
        """A vector of sizes: numbers where they are constant."""
        if value.const is not None:
            return [int(v) for v in value.const.reshape(-1)]
        return self.b.cast(self.get(value), "int64")


def walk(region: Region) -> list[Node]:
    """All nodes, also inside of nodes."""
    found = []
    for node in region.nodes:
        found.append(node)
        # The bodies of reductions and sorts are recognized as a whole.
        if node.name in ("while", "case", "if"):
            for inner in node.regions:
                found += walk(inner)
    return found


def live(region: Region) -> list[Node]:
    """The nodes whose results are used."""
    used = set(region.results)
    kept = []
    for node in reversed(region.nodes):
        if any(r in used for r in node.results):
            kept.append(node)
            used.update(node.operands)
            for inner in node.regions:
                used.update(captured(inner))
    return kept[::-1]


def captured(region: Region) -> set[Value]:
    """What a region uses, its own values included."""
    used = set(region.results)
    for node in region.nodes:
        used.update(node.operands)
        for inner in node.regions:
            used |= captured(inner)
    return used


# ---- choices and loops -------------------------------------------------------------------------------------------


def _types(node: Node) -> list[tuple[str, Shape]]:
    return [(r.dtype, r.shape) for r in node.results]


@rule("case", "if")
def case(low: Lowering, node: Node) -> list[Array]:
    index = low.get(node.operands[0])
    regions = node.regions if node.name == "case" else node.regions[::-1]
    return _case(low, index, regions, 0, _types(node))


def _case(low: Lowering, index: Array, regions: list[Region], first: int, types: list) -> list[Array]:
    """The branch `first` if the index is that, else one of the others; out of range is the last."""
    if len(regions) == 1:
        return low.run(regions[0], [])
    if index.dtype == "bool":
        condition = low.b.op("not", [index], "bool", ())
    else:
        condition = low.b.op("equal", [index, low.b.constant(first, index.dtype)], "bool", ())
    return low.b.choose(condition, [lambda: low.run(regions[0], []),
                                    lambda: _case(low, index, regions[1:], first + 1, types)], types)


@rule("while")
def loop(low: Lowering, node: Node) -> list[Array]:
    """What no round changes is not carried: the body takes it from outside."""
    condition, body = node.regions
    start = [low.get(v) for v in node.operands]
    (going,) = low.run(condition, start)
    carried = [i for i, v in enumerate(body.results) if v is not body.arguments[i]]

    def step(variables: list[Array]) -> tuple[Array, list[Array]]:
        now = list(start)
        for i, variable in zip(carried, variables, strict=True):
            now[i] = variable
        after = low.run(body, now)
        (again,) = low.run(condition, after)
        return again, [after[i] for i in carried]

    types = _types(node)
    found = low.b.loop(going, [start[i] for i in carried], step, [types[i] for i in carried])
    results = list(start)
    for i, value in zip(carried, found, strict=True):
        results[i] = value
    return results


@rule("optimization_barrier")
def barrier(low: Lowering, node: Node) -> list[Array | Wide]:
    return [low.raw(v) for v in node.operands]


def kind_of_reduction(region: Region) -> str:
    """What a reduction's body does: add, max, min, mul, and, or."""
    names = {"add": "add", "maximum": "max", "minimum": "min", "multiply": "mul", "and": "and", "or": "or"}
    found = [n.name for n in region.nodes]
    if len(found) == 1 and found[0] in names:
        return names[found[0]]
    raise ExportError(f"A reduction by the operations {', '.join(found)} cannot be written.")


def as_int(value: Any) -> int:
    """A number of a constant."""
    return int(np.asarray(value).reshape(-1)[0])
