"""Exporting with open dimensions, and what to say where they do not suffice."""
from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import jax

from kayax.bridge.errors import ConversionError, OpenDimensionError, line_of
from kayax.bridge.to_static.exporting import Exported
from kayax.spec.constraints import Constraint
from kayax.spec.input_spec import InputSpec

_SYMBOL = re.compile(r"\b_d(\d+)_(\d+)\b")
_MULTIPLE = re.compile(r"\b_(\w+)_by_(\d+)\b")
_DIVIDED = re.compile(r"mod\((.+?), (- ?[^)]*|\d+)\)")       # JAX's remainder: by what is negative there
_OF_SHAPES = (ValueError, TypeError, jax.errors.InconclusiveDimensionOperation)


def export_open(body: Callable, specs: list[InputSpec], by_example: bool, name: str, trainable: bool,
                constraints: Sequence[Constraint]) -> tuple[Exported, list[InputSpec]]:
    """Export for these specs; gives the program and the specs that it was made for.

    by_example: the specs come from a call or from example Tensors: their first dim is opened where that works.
    Otherwise, first dims of None are one batch where the function does not work with different ones.

    Raises OpenDimensionError if the function needs to know more of the open dims.
    """
    if by_example:
        opened = [_with_batch(s) if len(s.shape) else s for s in specs]
        try:
            return Exported(body, opened, name, trainable), opened
        except (*_OF_SHAPES, ConversionError):
            return Exported(body, specs, name, trainable), specs
    try:
        return Exported(body, specs, name, trainable, constraints), specs
    except _OF_SHAPES as error:
        if isinstance(error, ConversionError) or all(type(d) is int and d >= 0 for s in specs for d in s.shape):
            raise
        failed, tried = error, specs
    first = [s for s in specs if len(s.shape) and s.shape[0] == -1]
    if len(first) > 1 and all("batch" not in s.shape for s in specs):
        tried = [_with_batch(s) if any(s is f for f in first) else s for s in specs]
        try:
            return Exported(body, tried, name, trainable, constraints), tried
        except _OF_SHAPES as error:
            failed = error
    without = trainable and _works(lambda: Exported(body, tried, name, False, constraints))
    explained = _explained(failed, tried, specs, name, without)
    raise explained from (failed if explained is not failed else None)


def _works(attempt: Callable[[], Any]) -> bool:
    try:
        attempt()
    except (*_OF_SHAPES, ConversionError):
        return False
    return True


def _with_batch(spec: InputSpec) -> InputSpec:
    return InputSpec(["batch", *spec.shape[1:]], spec.dtype, spec.name, spec.stop_gradient)


def _explained(error: Exception, tried: list[InputSpec], specs: list[InputSpec], name: str,
               without: bool) -> Exception:
    """The error in terms of the InputSpecs, if it is about open dims: which they are, and what to say about them.

    without: the function can be saved without its gradient.
    """
    text = str(error)
    anonymous = sorted({(int(i), int(j)) for i, j in _SYMBOL.findall(text)})
    named = sorted({dim for spec in tried for dim in spec.shape if isinstance(dim, str)
                    and re.search(rf"\b_?{re.escape(dim)}(_by_\d+)?\b", text)})
    if not (anonymous or named):
        return error
    labels = [spec.name or f"input_{i}" for i, spec in enumerate(specs)]
    text = _SYMBOL.sub(lambda m: f"{labels[int(m[1])]}.shape[{m[2]}]", text.split("\nThis error arises")[0])
    text = _MULTIPLE.sub(lambda m: f"{m[1]}/{m[2]}", text).strip()
    dims = [f"{labels[i]}.shape[{j}]" for i, j in anonymous]
    dims += [f"{dim!r}" + ("" if _is_named(specs, dim) else " (the first, open size of every input)") for dim in named]
    return OpenDimensionError(
        f"{'The gradient of ' * without}{name} cannot be saved with these dimensions left open: {', '.join(dims)}.\n"
        f"{text}{line_of(error)}\n{_advice(text, dims, named, anonymous, specs, labels, without)}")


def _is_named(specs: list[InputSpec], dim: str) -> bool:
    return any(dim in spec.shape for spec in specs)


def _advice(text: str, dims: list[str], named: list[str], anonymous: list[tuple[int, int]], specs: list[InputSpec],
            labels: list[str], without: bool) -> str:
    mends = ["Without its gradient it can be saved: jit.save(..., trainable=False)."] if without else []
    if len(anonymous) > 1:
        example = " and ".join(_example(specs[i], [b for a, b in anonymous if a == i], "n", labels[i])
                               for i in dict(anonymous))
        mends.append(f"If sizes among these are always equal, give them one name: {example}.")
    elif len(dims) > 1:
        mends.append("If sizes among these are always equal, give them one name.")
    example, naming = _subject(text, named), ""
    if not named and anonymous:
        i, j = anonymous[0]
        naming = f"name it ({_example(specs[i], [j], 'size', labels[i])}) and "
    mends.append(f"If more is known of a size, {naming}say it: "
                 f"jit.save(..., constraints=[{', '.join(_hints(text, example))}]).")
    mends.append("Otherwise give the dimension a fixed size.")
    return "\n".join(f"  {number}. {mend}" for number, mend in enumerate(mends, 1))


def _hints(text: str, dim: str) -> list[str]:
    """Constraints that would help, taken from JAX's words where they say it."""
    compared = re.search(r"comparison '(\w+)' (\S+) '(\w+)' is inconclusive", text)
    if compared:
        return [repr(" ".join(compared.groups()))]
    divided = _DIVIDED.search(text)
    number = re.search(r"\d+", divided[2]) if divided else None
    return [f"'{dim} % {number[0]} == 0'"] if number else [f"'{dim} % 8 == 0'", f"'{dim} >= 8'"]


def _subject(text: str, named: list[str]) -> str:
    """The dimension that the error is about: of a division, one that the divisor does not have too."""
    divided = _DIVIDED.search(text)
    if divided:
        above, below = (re.findall(r"\w+", part) for part in divided.groups())
        named = [name for name in named if name in above and name not in below] or named
    return (named or ["size"])[0]


def _example(spec: InputSpec, axes: list[int], dim: str, label: str) -> str:
    shape: list[Any] = [None if d == -1 else d for d in spec.shape]
    for axis in axes:
        shape[axis] = dim
    return f"InputSpec({shape}, {spec.dtype.name if spec.dtype else None!r}, {label!r})"
