"""Write a model as ONNX."""
from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import ml_dtypes
import numpy as np
import onnx
from onnx import helper, numpy_helper

from kayax.io import atomic
from kayax.io.export import rules_elementwise, rules_gather, rules_linear, stablehlo  # noqa: F401
from kayax.io.export.arrays import Array
from kayax.io.export.lower import Lowering, captured
from kayax.io.export.model import Model, read
from kayax.io.export.onnx_target import IR_VERSION, OPSET, OnnxBuilder, info
from kayax.io.export.recognize import recognize

_HALF = {"float16": np.float16, "bfloat16": ml_dtypes.bfloat16}


def export(source: Any, path: Any, input_spec: Sequence[Any] | None = None, weights: str = "float32",
           method: str = "forward") -> str:
    """Write a Layer, a function or a saved model as an ONNX file, and give its path.

    source: a Layer (taken in evaluation mode), a function, a loaded model, or the prefix of saved files.
    path: the file; ``.onnx`` is added if it is missing.
    input_spec: an InputSpec for each argument, if `source` does not know them; open dims stay open and keep their
        names.
    weights: "float32", or "float16" or "bfloat16" to store the float32 parameters in half the space (they are computed
        with in float32, so the values change by the rounding alone).

    The model is checked by `onnx.checker` before it is written. Raises ExportError, which names every operation that
    ONNX cannot express.
    """
    if weights not in ("float32", *_HALF):
        raise ValueError(f"weights must be 'float32', 'float16' or 'bfloat16', but got {weights!r}.")
    model = build(read(source, input_spec, method), weights)
    onnx.checker.check_model(model, full_check=True)
    path = os.fspath(path)
    path = path if path.endswith(".onnx") else path + ".onnx"
    atomic.write_file(path, model.SerializeToString())
    return path


def build(model: Model, weights: str = "float32") -> onnx.ModelProto:
    """The ONNX model."""
    region = stablehlo.read(model.exported.mlir_module_serialized)
    recognize(region)
    builder = OnnxBuilder()
    low = Lowering(builder)
    low.check(region, "ONNX")
    inputs, names = _inputs(model, region)
    used = captured(region)
    parameters: dict[str, Array] = {}
    arguments = list(inputs)
    for name, value in zip(model.arguments, region.arguments[len(inputs):], strict=True):
        if name not in parameters and value in used:
            parameters[name] = _parameter(builder, name, model.parameters[name], weights)
        arguments.append(parameters.get(name, Array(name, value.dtype, value.shape)))
    outs = low.run(region, arguments)[:model.n_outputs]
    outputs = []
    for i, out in enumerate(outs):
        builder.nodes[0].append(helper.make_node("Identity", [out.name], [f"output_{i}"]))
        dims = [names.get(str(d), str(d)) if not isinstance(d, int) else d for d in model.exported.out_avals[i].shape]
        outputs.append(info(f"output_{i}", out.dtype, dims))
    graph = helper.make_graph(_needed(builder.nodes[0], [o.name for o in outputs]), "kayax",
                              [_typed(a, s, names) for a, s in zip(inputs, model.exported.in_avals, strict=False)],
                              outputs)
    wanted = _names_in(graph)
    graph.initializer.extend(i for i in builder.initializers if i.name in wanted)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION,
                             producer_name="kayax")


def _inputs(model: Model, region: stablehlo.Region) -> tuple[list[Array], dict[str, str]]:
    """The inputs under the names of their specs, and how the open dims are called."""
    found, names, seen = [], {}, set()
    for i, (spec, value) in enumerate(zip(model.inputs, region.arguments, strict=False)):
        name = spec.name or f"input_{i}"
        name = name if name not in seen else f"{name}_{i}"
        seen.add(name)
        found.append(Array(name, value.dtype, value.shape))
        for j, dim in enumerate(model.exported.in_avals[i].shape):
            if not isinstance(dim, int):
                names[str(dim)] = str(dim) if not str(dim).startswith("_") else f"{name}_dim_{j}"
    return found, names


def _typed(array: Array, aval: Any, names: dict[str, str]) -> onnx.ValueInfoProto:
    return info(array.name, array.dtype, [d if isinstance(d, int) else names[str(d)] for d in aval.shape])


def _parameter(builder: OnnxBuilder, name: str, array: np.ndarray, weights: str) -> Array:
    dtype = array.dtype.name
    if dtype == "float32" and weights in _HALF and array.ndim:
        builder.initializers.append(numpy_helper.from_array(array.astype(_HALF[weights]), name))
        half = Array(name, weights, array.shape)
        return builder.op("cast", [half], dtype, array.shape)
    builder.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), name))
    return Array(name, dtype, array.shape)


def _needed(nodes: list[onnx.NodeProto], outputs: list[str]) -> list[onnx.NodeProto]:
    """The nodes that the outputs depend on."""
    wanted, kept = set(outputs), []
    for node in reversed(nodes):
        if wanted & set(node.output):
            kept.append(node)
            wanted.update(node.input)
            for attribute in node.attribute:
                wanted |= _names_in(attribute.g)
    return kept[::-1]


def _names_in(graph: onnx.GraphProto) -> set[str]:
    """All values that the nodes of a graph, and of the graphs inside, take."""
    found = set()
    for node in graph.node:
        found.update(node.input)
        for attribute in node.attribute:
            found |= _names_in(attribute.g)
    return found
