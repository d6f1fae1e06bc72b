"""A saved function as its record says it: read strictly, and compared with the programs that it comes with."""
from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kayax.bridge.to_static.exporting import Imported, ProgramError
from kayax.io.container import PREAMBLE, Fields, ModelFileError
from kayax.io.model_format import FunctionRecord
from kayax.spec import dtype as dtypes
from kayax.spec.constraints import Constraint, check_names, read_constraints
from kayax.spec.plain_tree import TreeError, count, rebuild

_CELLS = ("tensor", "random")
# Ways from a program into the Python process that runs it. jax.export writes none of them.
_INTO_PYTHON = re.compile(r"custom_call @\"?(\w*(?:callback|python|partition|inspect)\w*)", re.IGNORECASE)


@dataclass
class SavedFunction:
    """What `jit.save` knows of a function besides its programs.

    cells: for each array after the inputs, "tensor" (the next of `parameters`) or "random" (the random state).
    n_written: that many of the last cells get new values from the last outputs. out_stops: which outputs have no
    gradient. wanted: which arrays have one. sources: the arrays that "backward" takes again. given: the outputs that
    have a cotangent.
    """

    name: str
    structure: Any
    out_structure: Any
    cells: list[str]
    n_written: int
    out_stops: list[bool]
    wanted: list[bool]
    sources: list[int]
    given: list[bool]
    constraints: list[Constraint]


def read_function(record: FunctionRecord, path: str, where: str) -> SavedFunction:
    """The record of a function that `jit.save` wrote. Raises ModelFileError."""
    fields = Fields(record.metadata, path, f"{where}.metadata")
    named = dict.fromkeys(d for spec in record.inputs for d in spec.shape if isinstance(d, str))
    try:
        texts = fields.take_list("constraints", str) if "constraints" in record.metadata else []
        constraints = read_constraints(texts)
        check_names(constraints, named)
        trees = rebuild(record.input_tree), rebuild(record.output_tree)
    except ModelFileError:
        raise
    except ValueError as error:
        key = "constraints" if not isinstance(error, TreeError) else "tree"
        raise ModelFileError(path, PREAMBLE, str(error), where=f"{where}.{key}") from None
    differentiable = "backward" in record.programs
    found = SavedFunction(
        fields.take("name", str), *trees, fields.take_list("cells", str), fields.take("n_written", int),
        fields.take_list("out_stops", bool), fields.take_list("wanted", bool),
        fields.take_list("sources", int) if differentiable else [],
        fields.take_list("given", bool) if differentiable else [], constraints)
    fields.done()
    _check_counts(found, record, fields)
    return found


def _check_counts(found: SavedFunction, record: FunctionRecord, fields: Fields) -> None:
    arrays = len(record.inputs) + len(found.cells)
    wrong = {
        "cells": set(found.cells) - set(_CELLS) or found.cells.count("tensor") != len(record.parameters),
        "n_written": not 0 <= found.n_written <= len(found.cells),
        "wanted": len(found.wanted) != arrays,
        "sources": any(not 0 <= i < arrays for i in found.sources),
        "given": found.given and len(found.given) != len(found.out_stops) + found.n_written,
        "out_stops": count(found.out_structure) != len(found.out_stops),
    }
    for key, is_wrong in wrong.items():
        if is_wrong:
            raise fields.fail(key, "it does not fit the rest of the function.")
    inputs = found.structure
    kinds = [getattr(child, "kind", None) for child in getattr(inputs, "children", ())]
    if kinds != [tuple, dict] or count(inputs) != len(record.inputs):
        raise fields.fail("input_tree", "it does not hold the inputs.")


def read_programs(found: SavedFunction, record: FunctionRecord, shapes: Callable, path: str, where: str) -> Imported:
    """The programs of a function, whose arguments must be what the record says.

    shapes: name of a parameter -> its shape and dtype. Raises ModelFileError.
    """
    def fail(problem: str) -> ModelFileError:
        return ModelFileError(path, PREAMBLE, problem, where=f"{where}.programs")

    try:
        imported = Imported(record.programs, found.name, found.wanted, found.sources, found.given)
    except ProgramError as error:
        raise fail(str(error)) from None
    predict = imported.exported["predict"]
    wanted: list[Any] = [(spec.shape, spec.dtype) for spec in record.inputs]
    names = iter(record.parameters)
    wanted += [shapes(next(names)) if kind == "tensor" else (None, None) for kind in found.cells]
    if len(predict.in_avals) != len(wanted) or len(predict.out_avals) != len(found.out_stops) + found.n_written:
        raise fail(f"the program takes {len(predict.in_avals)} arrays and gives {len(predict.out_avals)}, but the "
                   f"function has {len(wanted)} and {len(found.out_stops) + found.n_written}.")
    for number, (aval, (shape, dtype)) in enumerate(zip(predict.in_avals, wanted, strict=True)):
        if dtype is not None and not _fits(aval, shape, dtype):
            raise fail(f"array {number} of the program is {aval.str_short()}, but the file says {dtype} {list(shape)}.")
    if "backward" in imported.exported:
        forward, backward = imported.exported["forward"], imported.exported["backward"]
        residuals = len(forward.out_avals) - len(predict.out_avals)
        taken = [forward.in_avals[i].str_short() for i in found.sources]
        if (len(forward.in_avals) != len(wanted) or len(backward.out_avals) != sum(found.wanted)
                or len(backward.in_avals) != residuals + len(taken) + sum(found.given)
                or [a.str_short() for a in backward.in_avals[residuals:residuals + len(taken)]] != taken):
            raise fail("the program 'backward' does not fit 'forward' and the function.")
    return imported


def _fits(aval: Any, shape: Any, dtype: Any) -> bool:
    return dtypes.find(aval.dtype) == dtype and len(aval.shape) == len(shape) and all(
        type(have) is not int if isinstance(want, str) or want < 0 else type(have) is int and have == want
        for have, want in zip(aval.shape, shape, strict=True))


def check_program(exported: Any, path: str, where: str) -> str:
    """Parse one program whole and give its text: a ModelFileError if it is no program, or would enter the Python
    process that runs it."""
    try:
        text = exported.mlir_module()
    except Exception as error:              # whatever XLA's parser says
        raise ModelFileError(path, PREAMBLE, f"the program cannot be parsed ({str(error).splitlines()[0][:200]}).",
                             where=where) from None
    entering = _INTO_PYTHON.search(text)
    if entering:
        raise ModelFileError(path, PREAMBLE, f"the program calls {entering[1]!r}, which runs Python code of the "
                             "process that loads it. jit.save never writes such a call.", "Do not use this file.",
                             where)
    return text


__all__ = ["SavedFunction", "check_program", "read_function", "read_programs"]
