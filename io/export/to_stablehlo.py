"""Write a model as StableHLO, text or bytecode, with its parameters beside it."""
from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

import jax
from jax import export as jax_export

from kayax.bridge.to_static.exporting import without_locations
from kayax.io import atomic
from kayax.io.exchange.safetensors_file import save_safetensors
from kayax.io.export.model import Model, read


def export(source: Any, path: Any, input_spec: Sequence[Any] | None = None, form: str = "text",
           platform: str = "cpu", method: str = "forward") -> str:
    """Write a Layer, a function or a saved model as a StableHLO module, and give the module's path.

    source: a Layer (taken in evaluation mode), a function, a loaded model, or the prefix of saved files.
    path: the prefix. ``path.mlir`` is the module as text, or ``path.mlirbc`` as portable bytecode (MLIR's, with
        StableHLO's version guarantees); its function ``main`` takes the inputs and then the parameters, which are in
        ``path.safetensors``; ``path.arguments.json`` lists the names, shapes and dtypes of its arguments in order.
    form: "text" or "bytecode". platform: what the module is lowered for: "cpu", "cuda", "rocm" or "tpu".
    """
    if form not in ("text", "bytecode"):
        raise ValueError(f"form must be 'text' or 'bytecode', but got {form!r}.")
    model = read(source, input_spec, method)
    exported = single(model, platform)
    path = os.fspath(path)
    save_safetensors(model.parameters, path + ".safetensors")
    names = [s.name or f"input_{i}" for i, s in enumerate(model.inputs)] + model.arguments
    table = {"inputs": len(model.inputs), "outputs": model.n_outputs, "arguments": [
        {"name": n, "shape": [d if isinstance(d, int) else str(d) for d in a.shape], "dtype": a.dtype.name}
        for n, a in zip(names, exported.in_avals, strict=True)]}
    atomic.write_file(path + ".arguments.json", json.dumps(table, indent=1).encode())
    if form == "text":
        text = exported.mlir_module().encode()
        return _write(path + ".mlir", text)
    return _write(path + ".mlirbc", bytes(exported.mlir_module_serialized))


def _write(path: str, data: bytes) -> str:
    atomic.write_file(path, data)
    return path


def single(model: Model, platform: str) -> jax_export.Exported:
    """The program for one kind of device alone."""
    avals = [jax.ShapeDtypeStruct(a.shape, a.dtype) for a in model.exported.in_avals]

    def main(*arrays: Any) -> Any:
        return model.exported.call(*arrays)[:model.n_outputs]

    with without_locations():
        return jax_export.export(jax.jit(main), platforms=[platform])(*avals)
