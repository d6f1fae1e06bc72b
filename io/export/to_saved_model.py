"""Write a model as a TensorFlow SavedModel: the StableHLO program inside one TensorFlow operation."""
from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from kayax.io.exchange.extras import need
from kayax.io.export.model import read
from kayax.io.export.to_stablehlo import single


def export(source: Any, path: Any, input_spec: Sequence[Any] | None = None, method: str = "forward") -> str:
    """Write a Layer, a function or a saved model as a SavedModel, and give its folder.

    source: a Layer (taken in evaluation mode), a function, a loaded model, or the prefix of saved files.
    path: the folder. Its signature ``serving_default`` takes the inputs by name and gives ``output_0`` and so on; the
        parameters are variables. TensorFlow runs the program by XLA (``XlaCallModule``), on the CPU.

    Needs TensorFlow 2.21 or newer. Raises ExportError for a program that draws random numbers.
    """
    tf: Any = need("tensorflow", "tensorflow")
    xla = need("tensorflow.compiler.tf2xla.python.xla", "tensorflow")
    model = read(source, input_spec, method)
    exported = single(model, "cpu")
    n = len(model.inputs)
    outs = exported.out_avals

    module = tf.Module()
    module.parameters = [tf.Variable(a, trainable=False) for a in model.parameters.values()]
    position = {name: i for i, name in enumerate(model.parameters)}
    kept = set(exported.module_kept_var_idx)

    def forward(*inputs: Any) -> dict[str, Any]:
        arguments = [*inputs, *(module.parameters[position[name]] for name in model.arguments)]
        results = xla.call_module(
            [a for i, a in enumerate(arguments) if i in kept], version=exported.calling_convention_version,
            module=bytes(exported.mlir_module_serialized), Tout=[tf.as_dtype(o.dtype.name) for o in outs],
            Sout=[[d if isinstance(d, int) else None for d in o.shape] for o in outs], platforms=["CPU"])
        return {f"output_{i}": r for i, r in enumerate(results)}

    signature = [tf.TensorSpec([d if isinstance(d, int) else None for d in a.shape], a.dtype.name,
                               s.name or f"input_{i}")
                 for i, (s, a) in enumerate(zip(model.inputs, exported.in_avals[:n], strict=True))]
    module.forward = tf.function(forward, input_signature=signature, autograph=False)
    folder = os.fspath(path)
    tf.saved_model.save(module, folder, signatures={"serving_default": module.forward.get_concrete_function()})
    return folder
