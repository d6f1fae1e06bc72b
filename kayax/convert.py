"""``kayax.convert``: models and weights to and from other frameworks.

Each export takes a Layer, a function, a loaded model or the prefix of saved files, and is `kayax export` on the command
line.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kayax.io.exchange.orbax_checkpoint import load_orbax, save_orbax
from kayax.io.exchange.safetensors_file import load_safetensors, save_safetensors
from kayax.io.exchange.torch_state import TorchReport, load_torch
from kayax.io.export.arrays import ExportError
from kayax.io.export.to_paddle import export as to_paddle
from kayax.io.export.to_saved_model import export as to_saved_model
from kayax.io.export.to_stablehlo import export as to_stablehlo
from kayax.io.paddle.layer import load as load_paddle


def to_onnx(source: Any, path: Any, input_spec: Sequence[Any] | None = None, weights: str = "float32",
            method: str = "forward") -> str:
    """Write a Layer, a function or a saved model as an ONNX file: see `kayax.io.export.to_onnx.export`.

    weights: "float32", or "float16" or "bfloat16" to store the parameters in half the space.
    """
    from kayax.io.exchange.extras import need
    need("onnx", "onnx")
    from kayax.io.export.to_onnx import export
    return export(source, path, input_spec, weights, method)


__all__ = ["ExportError", "TorchReport", "load_orbax", "load_paddle", "load_safetensors", "load_torch", "save_orbax",
           "save_safetensors", "to_onnx", "to_paddle", "to_saved_model", "to_stablehlo"]
