"""Write a model in PaddlePaddle 3's own files: a `.json` program and its `.pdiparams`."""
from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kayax.io import atomic
from kayax.io.export import paddle_vocabulary, rules_elementwise, rules_gather, rules_linear, stablehlo  # noqa: F401
from kayax.io.export.arrays import Array
from kayax.io.export.lower import Lowering, captured
from kayax.io.export.model import Model, read
from kayax.io.export.paddle_target import PLACE, PaddleBuilder, attribute, dtype_attr, ints_attr, type_of
from kayax.io.export.recognize import recognize
from kayax.io.paddle import tensors
from kayax.io.paddle.find import JSON, PARAMS, journal_of

_VERSION = 4                # of the programs of PaddlePaddle 3.3


def export(source: Any, path: Any, input_spec: Sequence[Any] | None = None, method: str = "forward") -> str:
    """Write a Layer, a function or a saved model for `paddle.jit.load` of PaddlePaddle 3, and give the prefix.

    source: a Layer (taken in evaluation mode), a function, a loaded model, or the prefix of saved files.
    path: the prefix: ``path.json`` and ``path.pdiparams`` are written and change at one moment. PaddlePaddle, which
        does not know this project's journal, sees the old pair, no program, or the new pair.
    input_spec: an InputSpec for each argument, if `source` does not know them; open dims stay open.

    Raises ExportError, which names every operation that PaddlePaddle cannot express.
    """
    program, arrays = build(read(source, input_spec, method))
    path = os.fspath(path)
    write(path, program, arrays)
    return path


def write(path: str, program: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Write both files at one moment."""
    text, params = Path(path + JSON), Path(path + PARAMS)
    files: dict[Path, atomic.Content] = {}
    if arrays:                  # PaddlePaddle reads no file of no parameters
        files[params] = lambda file: tensors.write(file, arrays)
    files[text] = json.dumps(program, separators=(",", ":"), allow_nan=False).encode()
    # The old program goes first: without it, nobody takes the new parameters for its own.
    atomic.write_files(files, journal_of(text), gone=[text, *([] if arrays else [params])])


def build(model: Model) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The program, and the parameters by their names in it."""
    region = stablehlo.read(model.exported.mlir_module_serialized)
    recognize(region)
    builder = PaddleBuilder()
    low = Lowering(builder)
    low.check(region, "PaddlePaddle")
    n, used = len(model.inputs), captured(region)
    arrays: dict[str, np.ndarray] = {}
    parameters: dict[str, Array] = {}
    arguments: list[Array] = [_input(builder, s, v, i) for i, (s, v) in enumerate(
        zip(model.inputs, region.arguments, strict=False))]
    for name, value in zip(model.arguments, region.arguments[n:], strict=True):
        if name not in parameters and value in used:
            array, unique = model.parameters[name], _unique(model.names[name] or name, arrays)
            arrays[unique] = array
            number = builder.parameter(unique, array.dtype.name, array.shape, name in model.trainable)
            parameters[name] = Array(number, array.dtype.name, array.shape)
        arguments.append(parameters.get(name, Array(0, value.dtype, value.shape)))
    for i, out in enumerate(low.run(region, arguments)[:model.n_outputs]):
        _fetch(builder, out, i)
    arrays |= builder.large
    operations = [*builder.declared[::-1], *builder.operations[0]]
    block = {"#": "block_0", "args": [], "ops": operations}
    return {"base_code": {"magic": "pir", "trainable": True, "version": _VERSION},
            "program": {"regions": [{"#": "region_0", "blocks": [block]}]}}, arrays


def _unique(name: str, taken: dict[str, np.ndarray]) -> str:
    found, count = name, 0
    while found in taken:
        count += 1
        found = f"{name}_{count}"
    return found


def _input(builder: PaddleBuilder, spec: Any, value: stablehlo.Value, index: int) -> Array:
    shape = [-1 if d is None else d for d in value.shape]
    number = builder.add("data", [], [(value.dtype, value.shape)], name=spec.name or f"input_{index}",
                         shape=ints_attr(shape), dtype=dtype_attr(value.dtype), place=PLACE)
    return Array(number, value.dtype, value.shape)


def _fetch(builder: PaddleBuilder, out: Array, index: int) -> None:
    name = {"AT": attribute(f"fetch_name_{index}"), "N": "name"}
    builder.operations[0].append({
        "#": "1.fetch", "A": [name, {"AT": attribute(index), "N": "col"}],
        "I": [{"%": out.name}], "O": [{"%": builder.fresh(), "TT": type_of(out.dtype, out.shape)}],
        "OA": [{"AT": attribute([True]), "N": "persistable"}, {"AT": attribute([False]), "N": "stop_gradient"}]})
