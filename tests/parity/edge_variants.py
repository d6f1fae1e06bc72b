"""The variants of a call at its edges: other dtypes, no elements, no dimensions, every axis, every option.

`variants` is data driven: the arguments of a line of `edges.txt` are changed one rule at a time, whatever the operator.
What makes no sense is as welcome as what does: real Paddle says whether it is an error, and of which type.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from edges import Call, Host, Input, inputs, parse

FLOATING = ("bfloat16", "int64", "bool", "complex64")       # what floating inputs become
WHOLE = ("int32", "float32")                                   # what the others become
AXES = {"axis", "dim", "axes", "dims", "start_axis", "stop_axis", "axis1", "axis2", "dim1", "dim2", "shifts"}
OPTIONS: dict[str, list[Any]] = {
    "reduction": ["mean", "sum", "none"], "norm": ["backward", "ortho", "forward"], "rounding_mode": ["trunc", "floor"],
    "data_format": ["NCHW", "NHWC", "NCL", "NLC", "NCDHW", "NDHWC", "NC"],
    "padding_mode": ["zeros", "border", "reflection"], "padding": ["SAME", "VALID", 0, 1],
    "reduce": ["add", "multiply", "amin", "amax", "mean", "assign"], "p": [0, 1, 2, 3, np.inf, -np.inf, "fro", "nuc"],
    "interpolation": ["linear", "lower", "higher", "midpoint", "nearest"], "UPLO": ["L", "U"], "indexing": ["ij", "xy"],
    "approximate": [True, False], "mode": ["constant", "reflect", "replicate", "circular", "bilinear", "nearest",
                                           "bicubic", "area", "avg", "min", "raise", "wrap", "clip", "reduced"],
    "k": [1, -1], "offset": [0, 1, -1, 9], "diagonal": [0, 1, -1, 9], "n": [1, 3, 8, 0]}


def base_lines() -> list[str]:
    """The calls that variants are made of: of operators, Layers and other objects."""
    here = Path(__file__).parent
    files = [here / f"{name}.txt" for name in ("edges", "edges_layers", "edges_objects")]
    return [line for file in files for line in file.read_text().splitlines()]


def all_lines() -> dict[str, str]:
    """Every line, and the kind of edge that it is."""
    found: dict[str, str] = {}
    for line in base_lines():
        found.setdefault(line, "as it is")
        for kind, new in variants(parse(line)):
            found.setdefault(str(new), kind)
    return found


def variants(call: Call) -> Iterator[tuple[str, Call]]:
    """(kind, call), of which many may be the same."""
    yield from _dtypes(call)
    yield from _shapes(call)
    rank = max((len(i.shape) for i in inputs([call.options or {}, call.args, call.kwargs])), default=0)
    for field, numbers in (("kwargs", [2]), ("options", [2, 0, -1])):
        given = getattr(call, field) or {}
        for name, value in given.items():
            for kind, new in _options(name, value, rank, numbers):
                yield kind, call._replace(**{field: {**given, name: new}})


def _dtypes(call: Call) -> Iterator[tuple[str, Call]]:
    given = list(inputs([call.options or {}, call.args, call.kwargs]))
    if any(i.floating for i in given):
        for dtype in FLOATING:
            yield "dtype", _changed(call, lambda i, dtype=dtype: _typed(i, dtype) if i.floating else i)
    if any(not i.floating for i in given):
        for dtype in WHOLE:
            yield "dtype", _changed(call, lambda i, dtype=dtype: i if i.floating else _typed(i, dtype))
    for at in range(2 if len(given) > 1 else 0):
        yield "mixed dtypes", _changed(call, lambda i: _typed(i, "float64"), only=at)


def _shapes(call: Call) -> Iterator[tuple[str, Call]]:
    given = list(inputs([call.options or {}, call.args, call.kwargs]))
    if not given:
        return
    first = given[0].shape
    for d in range(len(first)):
        none, one = ((*first[:d], n, *first[d + 1:]) for n in (0, 1))
        yield "no elements", _changed(call, lambda i, shape=none: _shaped(i, shape) if i.shape == first else i)
        yield "broadcast", _changed(call, lambda i, shape=one: _shaped(i, shape), only=0)
    for only in (None, 0):
        yield "no dimensions", _changed(call, lambda i: _shaped(i, ()), only)
        yield "another rank", _changed(call, lambda i: _shaped(i, (2, *i.shape)), only)
    yield "another rank", _changed(call, lambda i: _shaped(i, i.shape[1:]))


def _options(name: str, value: Any, rank: int, numbers: Sequence[int]) -> Iterator[tuple[str, Any]]:
    """(kind, other value) of an option."""
    if name in AXES and not isinstance(value, (bool, Input)):
        yield from (("axis", new) for new in _axes(value, rank))
    elif isinstance(value, bool):
        yield "flag", not value
    elif isinstance(value, str) or name in OPTIONS:
        yield from (("option", new) for new in [*OPTIONS.get(name, []), *(["other"] if isinstance(value, str) else [])])
    elif isinstance(value, (int, float)):
        yield from (("number", type(value)(new)) for new in numbers)
    if isinstance(value, (list, tuple)) and value and all(type(v) is int for v in value):
        yield "form of a list", Host("A", Input("v", "int64", (len(value),), (list(value),)))
        yield "form of a list", Input("v", "int64", (len(value),), (list(value),))


def _axes(value: Any, rank: int) -> list[Any]:
    if isinstance(value, (list, tuple)) and value:
        back = [v - rank for v in value if isinstance(v, int)]
        return [back, list(reversed(value)), [rank]]
    return [-rank - 1, -rank, -1, 0, rank, None, [rank - 1], [0, -1], Input("v", "int64", (), (rank - 1,))]


def _changed(call: Call, change: Any, only: int | None = None) -> Call:
    """The arguments with every input (or the one at that place) changed."""
    seen = -1

    def walk(value: Any) -> Any:
        nonlocal seen
        if isinstance(value, Input):
            seen += 1
            return change(value) if only in (None, seen) else value
        if isinstance(value, dict):
            return {key: walk(item) for key, item in value.items()}
        return type(value)([walk(item) for item in value]) if type(value) in (list, tuple) else value

    return call._replace(options=call.options and walk(call.options), args=walk(call.args), kwargs=walk(call.kwargs))


def _typed(given: Input, dtype: str) -> Input:
    if given.kind == "v":
        values = np.asarray(given.extra[0])
        if values.dtype.kind == "c" or (values.size and not np.isfinite(values).all()):
            return given
        host = "bool" if dtype == "bool" else "int64" if "int" in dtype else "float64"
        return replace(given, dtype=dtype, extra=((abs(values) if dtype == "uint8" else values).astype(host).tolist(),))
    if given.kind == "i" and dtype == "bool":
        return replace(given, kind="n", dtype=dtype, extra=())
    if given.dtype == "bool":
        return replace(given, kind="i", dtype=dtype, extra=(0, 2))
    return replace(given, dtype=dtype)


def _shaped(given: Input, shape: tuple[int, ...]) -> Input:
    if given.kind == "v":
        values = np.asarray(given.extra[0])
        return replace(given, shape=shape, extra=(np.resize(values if values.size else values.sum(), shape).tolist(),))
    if given.kind == "d" and (len(shape) < 2 or shape[-1] != shape[-2]):
        return replace(given, kind="p", shape=shape)
    return replace(given, shape=shape)
