"""What a session runs: one function of a saved model with its weights, whichever kind of file it came from."""
from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from kayax.io.model_format import INFO, MODEL, load_set
from kayax.io.parsed import check_parses, trust_all
from kayax.io.save import EVAL
from kayax.io.saved_function import check_program, read_function, read_programs
from kayax.io.stored import find_arrays
from kayax.spec import dtype as dtypes
from kayax.spec import tree
from kayax.spec.constraints import Constraint
from kayax.spec.input_spec import InputSpec


@dataclass
class Source:
    """A function and what it takes.

    name: for messages. inputs, outputs: what is known of each; an output is (dtype, shape), with None or a name for an
    open dim. cells: the arrays that the program takes after the inputs; None is the random state. n_written: so many of
    the last cells get new values from the last results. convolves: whether there are convolutions in it. program: input
    shapes -> the function of inputs and cells, as JAX can trace it.
    """

    name: str
    inputs: list[InputSpec]
    output_names: list[str]
    outputs: list[tuple[Any, list[int | str | None]]]
    cells: list[Any]
    n_written: int
    constraints: list[Constraint]
    rows_match: bool
    convolves: bool
    digest: str
    versions: dict[str, str]
    training: bool
    program: Callable[[Sequence[tuple[int, ...]]], Callable]


def read_source(prefix: str | os.PathLike, method: str, digest: str | None) -> Source:
    """A function of a model of this project's own, in evaluation mode if it has one; everything in it is checked.

    Raises FileNotFoundError, ModelFileError; ValueError if there is no such method.
    """
    parts = load_set(prefix, digest)
    suffix = MODEL if method == "forward" else f".{method}{MODEL}"
    if suffix not in parts:
        raise ValueError(f"The model {os.fspath(prefix)!r} has no method {method!r}.")
    part = parts[suffix]
    mode = EVAL if EVAL in part.functions else next(iter(part.functions))
    record, where, arrays = part.functions[mode], f"model.functions[{mode!r}]", find_arrays(parts)
    facts = read_function(record, part.path, where)
    if digest is not None:
        trust_all(parts)
    check_parses(record.programs, part.path, where)
    programs = read_programs(facts, record, lambda n: arrays[n].file.shape_dtype(arrays[n].name), part.path, where)
    predict = programs.exported["predict"]
    text = check_program(predict, part.path, f"{where}.programs['predict']")
    for file in {id(arrays[n].file): arrays[n].file for n in record.parameters}.values():
        file.check(arrays[n].name for n in record.parameters if arrays[n].file is file)
    weights = {n: arrays[n].file[arrays[n].name] for n in record.parameters}
    left = iter(record.parameters)
    results = predict.out_avals[:len(facts.out_stops)]
    first = [a.shape[0] if a.shape else 0 for a in (*predict.in_avals[:len(record.inputs)], *results)]
    return Source(
        facts.name, record.inputs, _output_names(facts.out_structure, len(results)),
        [(dtypes.convert(a.dtype), [_dim(d) for d in a.shape]) for a in results],
        [None if kind == "random" else weights[next(left)] for kind in facts.cells], facts.n_written,
        facts.constraints, bool(record.inputs) and type(first[0]) is not int and len(set(map(str, first))) == 1,
        "stablehlo.convolution" in text, parts[MODEL].set_id, parts[MODEL].producer, parts[INFO].training,
        lambda shapes: predict.call)


def _dim(size: Any) -> int | str | None:
    return size if type(size) is int else str(size) if str(size).isidentifier() and str(size)[0] != "_" else None


def _output_names(structure: tree.Spec, count: int) -> list[str]:
    """Keys of a dict, fields of a named tuple; `output_0` and so on for all other structures."""
    if isinstance(structure, tree.Branch) and all(child is tree.LEAF for child in structure.children):
        keys = structure.extra if issubclass(structure.kind, dict) else getattr(structure.kind, "_fields", None)
        if keys and all(isinstance(key, str) for key in keys):
            return list(keys)
    return [f"output_{i}" for i in range(count)]
