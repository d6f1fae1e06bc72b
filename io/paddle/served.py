"""A model of PaddlePaddle's as what a session runs."""
from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from typing import Any

from jax import export

from kayax.bridge.tensor import Tensor
from kayax.bridge.to_static.exporting import Exported
from kayax.io.paddle.find import JSON
from kayax.io.paddle.graph import Variable, walk
from kayax.io.paddle.layer import PaddleLayer, load
from kayax.io.session_source import Source
from kayax.spec import dtype as dtypes
from kayax.spec.input_spec import InputSpec


def read_source(path: Any, params: Any, method: str) -> Source:
    """A program of PaddlePaddle's and its weights, in evaluation mode.

    Paddle's programs do not say which of their open sizes are equal, and compute shapes from them: each combination of
    input shapes is traced by itself.

    Raises as `load`; ValueError if `method` is not "forward".
    """
    if method != "forward":
        raise ValueError(f"The model {os.fspath(path)!r} is PaddlePaddle's: it has no method {method!r}.")
    layer = load(path, params)
    graph = layer._graph
    arrays = {tensor.storage: tensor.storage.array for tensor in layer._tensors.values() if tensor is not None}
    cells = list(arrays)
    first = [v.shape[0] if v.shape else 0 for v in (*graph.inputs, *graph.outputs)]
    with open(graph.origin, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()[:32]
    return Source(
        "forward", layer.input_specs(), [v.name for v in graph.outputs], [_facts(v) for v in graph.outputs],
        list(arrays.values()), 0, [], bool(graph.inputs) and set(first) == {-1},
        any("conv" in operation.name for operation in walk(graph.block)), digest,
        {"paddlepaddle": "3" if graph.origin.endswith(JSON) else "2"}, False,
        lambda shapes: _program(layer, cells, shapes))


def _facts(output: Variable) -> tuple[Any, list[int | str | None]]:
    return dtypes.convert(output.dtype), [None if d < 0 else d for d in output.shape]


def _program(layer: PaddleLayer, cells: list[Any], shapes: Sequence[tuple[int, ...]]) -> Callable:
    """The program for these input shapes, as a function of the inputs and of all cells."""
    specs = [InputSpec(shape, s.dtype, s.name) for shape, s in zip(shapes, layer.input_specs(), strict=True)]
    graph = layer._graph

    def body(inputs: list[Tensor]) -> Any:
        return layer.outputs(inputs)

    exported = Exported(body, specs, "forward", trainable=False)
    predict = export.deserialize(bytearray(exported.programs["predict"]))
    taken = [cells.index(cell) for cell in exported.cells]

    def call(*arrays: Any) -> list[Any]:
        inputs, values = arrays[:len(specs)], arrays[len(specs):]
        return predict.call(*inputs, *(values[i] for i in taken))[:len(graph.outputs)]

    return call
