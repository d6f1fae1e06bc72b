"""Functions that a saved program has as long polynomials, found again by what they compute.

With open dims, JAX replaces erf and erfc by their approximations before a program is written. Here every candidate (a
`select` or `clamp` at the end of elementwise operations on one value) is computed at sample points; if it is the
function to the precision of its dtype, one operation takes its place.
"""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from kayax.io.export.stablehlo import COMPARE, Node, Region, Value, numpy_dtype

_MOST = 512                     # operations of one approximation
_SAMPLES = np.concatenate([np.linspace(-6, 6, 97), [-0.99, 0.99, -1.01, 1.01, 1e-3, -1e-3, 0.0]])
_FUNCTIONS = {"chlo.erf": np.array([math.erf(x) for x in _SAMPLES]),
              "chlo.erfc": np.array([math.erfc(x) for x in _SAMPLES])}
_RULES: dict[str, Any] = {
    "add": lambda x, y: x + y, "subtract": lambda x, y: x - y, "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / y, "negate": lambda x: -x, "abs": np.abs, "exponential": np.exp,
    "maximum": np.maximum, "minimum": np.minimum, "select": np.where,
    "clamp": lambda low, x, high: np.minimum(np.maximum(x, low), high),
}


def recognize(region: Region) -> None:
    """Replace what is recognized, in this region and those inside."""
    made = {result: node for node in region.nodes for result in node.results}
    for node in region.nodes:
        for inner in node.regions:
            recognize(inner)
        if node.name not in ("select", "clamp") or node.results[0].dtype not in ("float32", "float64"):
            continue
        for source in _sources(node, made):
            name = _named(node, source, made)
            if name:
                node.name, node.operands, node.attrs = name, [source], {}
                break


def _sources(node: Node, made: dict[Value, Node]) -> list[Value]:
    """What the candidate may be a function of: the operand of an `abs` or of an inner `clamp`."""
    found: dict[Value, None] = {}
    seen: set[int] = set()
    stack = [node]
    while stack and len(seen) < _MOST:
        here = stack.pop()
        if id(here) in seen:
            continue
        seen.add(id(here))
        inner = {"abs": 0, "clamp": 1}.get(here.name) if here is not node else None
        if inner is not None:
            source, result = here.operands[inner], node.results[0]
            if (source.shape, source.dtype) == (result.shape, result.dtype):
                found[source] = None
        elif here.name in _RULES or here.name == "compare":
            stack += [made[o] for o in here.operands if o in made]
    return list(found)[:4]


def _named(node: Node, source: Value, made: dict[Value, Node]) -> str | None:
    dtype = numpy_dtype(node.results[0].dtype)
    values: dict[Value, Any] = {source: _SAMPLES.astype(dtype)}
    with np.errstate(all="ignore"):
        if not _compute(node, values, made, [0]):
            return None
    got = np.broadcast_to(values[node.results[0]], _SAMPLES.shape)
    near = 4 * np.finfo(dtype).eps
    for name, wanted in _FUNCTIONS.items():
        if np.allclose(got, wanted, rtol=64 * near, atol=near):
            return name
    return None


def _compute(node: Node, values: dict[Value, Any], made: dict[Value, Node], count: list[int]) -> bool:
    """Fill in the value of a node at the samples; False if it is no elementwise function of the source alone."""
    count[0] += 1
    if count[0] > _MOST or (node.name not in _RULES and node.name != "compare"):
        return False
    arguments = []
    for operand in node.operands:
        if operand not in values:
            known = _constant(operand, made)
            if known is not None:
                values[operand] = known
            elif operand not in made or not _compute(made[operand], values, made, count):
                return False
        arguments.append(values[operand])
    rule = COMPARE[node.attrs["comparison_direction"]] if node.name == "compare" else _RULES[node.name]
    values[node.results[0]] = rule(*arguments)
    return True


def _constant(value: Value, made: dict[Value, Node]) -> Any:
    """The number of a constant that is the same everywhere, also where it is broadcast to an open shape."""
    if value.const is None and value in made and made[value].name in ("broadcast_in_dim", "dynamic_broadcast_in_dim"):
        value = made[value].operands[0]
    if value.const is None or value.const.size == 0 or not (value.const == value.const.flat[0]).all():
        return None
    return value.const.flat[0]
