"""Exporting with open dimensions, and what to say where they do not suffice."""
from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import jax

from kayax.bridge.errors import ConversionError, OpenDimensionError, UndecidedSizeError, line_of
from kayax.bridge.to_static.exporting import Exported
from kayax.spec.constraints import Constraint
from kayax.spec.input_spec import InputSpec

_SYMBOL = re.compile(r"\b_d(\d+)_(\d+)\b")
_MULTIPLE = re.compile(r"\b_(\w+)_by_(\d+)\b")
_CUT = re.compile(r"\bmin\((\d+), ([\w.]+(?:\[\d+\])?)\)")
_DIVIDED = re.compile(r"mod\((.+?), (- ?[^)]*|\d+)\)")       # JAX's remainder: by what is negative there
_TERMS = (
    (r"Attempted boolean conversion of traced array with shape bool\[\]\.?", "an open size is compared, and decides."),
    (r"Abstract tracer value encountered where concrete value is expected: traced array with shape [^\n]*",
     "a number is needed that an open size decides."),
    (r"'_DimExpr'(?: object)?|\b_DimExpr\b", "an open size"))
_OF_SHAPES = (ValueError, TypeError, NotImplementedError, jax.errors.InconclusiveDimensionOperation)


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
    except (*_OF_SHAPES, ConversionError) as error:
        if not any(map(_open_axes, specs)):
            raise
        if isinstance(error, ConversionError) and not isinstance(error, UndecidedSizeError):
            raise type(error)(_readable(str(error), specs)) from None
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
    if explained is failed:
        explained = _unnamed(failed, tried, name, without, lambda closed: Exported(body, closed, name, trainable))
    raise explained from (failed if explained is not failed else None)


def _open_axes(spec: InputSpec) -> list[int]:
    return [i for i, d in enumerate(spec.shape) if type(d) is not int or d < 0]


def _unnamed(error: Exception, specs: list[InputSpec], name: str, without: bool, export: Callable) -> Exception:
    """The error in terms of the InputSpecs, if it does not name an open dim, and yet does not come with fixed sizes.

    (JAX finds out that an operation needs a known size when it writes the program, where the user's line is lost.)
    """
    def fails(kept: str | None) -> bool:
        closed = [InputSpec([8 if i in _open_axes(s) and _label(s, k, i) != kept else d for i, d in enumerate(s.shape)],
                            s.dtype, s.name, s.stop_gradient) for k, s in enumerate(specs)]
        return not _works(lambda: export(closed))

    if fails(None):
        return error
    dims = list(dict.fromkeys(_label(s, k, i) for k, s in enumerate(specs) for i in _open_axes(s)))
    guilty = [dim for dim in dims if fails(dim)] if 1 < len(dims) <= 4 else dims
    reason = _plainly(str(error)).splitlines()[0]
    mends = ["Without its gradient it can be saved: jit.save(..., trainable=False)."] if without else []
    mends += ["Where the code computes with the size, or counts to it, let it be a Tensor: paddle.shape(x)[i].",
              "Otherwise give the dimension a fixed size."]
    return OpenDimensionError(
        f"{'The gradient of ' * without}{name} cannot be saved with these dimensions left open: "
        f"{', '.join(guilty or dims)}.\nA known size is needed: {reason}{line_of(error)}\n{_numbered(mends)}")


def _label(spec: InputSpec, number: int, axis: int) -> str:
    dim = spec.shape[axis]
    return repr(dim) if isinstance(dim, str) else f"{spec.name or f'input_{number}'}.shape[{axis}]"


def _plainly(text: str) -> str:
    """What JAX says, without its own terms and what it says of its own code."""
    text = re.split(r"\n(?:Using symbolic scope|This error arises|"
                    r"The error occurred while|The problem arose|See https?://)", text)[0]
    for pattern, words in _TERMS:
        text = re.sub(pattern, words, text)
    return text


def _readable(text: str, specs: list[InputSpec]) -> str:
    """A text of JAX's with the dims as the user knows them."""
    anywhere = _SYMBOL.pattern.removeprefix(r"\b")             # also at the end of a word
    text = re.sub(anywhere, lambda m: _label(specs[int(m[1])], int(m[1]), int(m[2])), text)
    return _MULTIPLE.sub(lambda m: f"{m[1]}/{m[2]}", text)


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
    cut = _CUT.search(text)                             # that one has a limit
    if cut and (cut[2] in named or _SYMBOL.fullmatch(cut[2])):
        named = [cut[2]] if cut[2] in named else []
        anonymous = [] if named else [(int(i), int(j)) for i, j in _SYMBOL.findall(cut[2])]
    labels = [spec.name or f"input_{i}" for i, spec in enumerate(specs)]
    text = _readable(_plainly(text), specs).strip()
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
    return _numbered(mends)


def _numbered(mends: list[str]) -> str:
    return "\n".join(f"  {number}. {mend}" for number, mend in enumerate(mends, 1))


def _hints(text: str, dim: str) -> list[str]:
    """Constraints that would help, taken from JAX's words where they say it."""
    compared = re.search(r"comparison '(\w+|\w+\.shape\[\d+\])' (\S+) '(\w+)' is inconclusive", text)
    if compared and (compared[1] == dim or "." in compared[1]):
        sign, number = compared[2], compared[3]
        if sign == "==" and number.isdigit():           # it never has that size: most often, it is not 1
            return [f"'{dim} >= {int(number) + 1}'"]
        if sign != "==":
            return [f"'{dim} { {'<': '>=', '<=': '>'}.get(sign, sign)} {number}'"]
    cut = _CUT.search(text)
    if cut:                                             # a table that is cut to the size has so many rows
        return [f"'{dim} <= {cut[1]}'"]
    parts = re.search(r"does not divide into (\d+) equal parts", text)
    if parts:
        return [f"'{dim} % {parts[1]} == 0'"]
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
