"""kayax export: write a saved model in the format of another framework.

The exit status is 0 if it was written, 2 if the model or an argument is wrong or the format cannot express the model.
"""
from __future__ import annotations

import argparse
import os
import sys
from typing import Any

TARGETS = ("onnx", "stablehlo", "stablehlo-bytecode", "safetensors", "paddle", "saved-model")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", help="the prefix that jit.save was given, here or in PaddlePaddle")
    parser.add_argument("--to", required=True, choices=TARGETS, help="the format")
    parser.add_argument("--output", help="what to write: a file, a prefix or a folder (default: beside the "
                        "model)")
    parser.add_argument("--method", default="forward", help="the saved method (default: forward)")
    parser.add_argument("--weights", default="float32", choices=("float32", "float16", "bfloat16"),
                        help="how ONNX files store the parameters")


def run(options: argparse.Namespace) -> int:
    from kayax import convert
    try:
        print(_write(convert, options))
    except (convert.ExportError, ImportError, ValueError, OSError) as error:
        print(f"kayax export: {error}", file=sys.stderr)
        return 2
    return 0


def _write(convert: Any, options: argparse.Namespace) -> str:
    source, to, method = options.path, options.to, options.method
    if options.weights != "float32" and to != "onnx":
        raise ValueError(f"--weights {options.weights} is for --to onnx alone.")
    output = options.output or {"paddle": f"{source}_paddle", "saved-model": f"{source}_saved_model",
                                "safetensors": f"{source}.safetensors"}.get(to, source)
    if to != "saved-model" and options.output and (output.endswith(os.sep) or os.path.isdir(output)):
        output = os.path.join(output, os.path.basename(source) + ".safetensors" * (to == "safetensors"))
    if to == "onnx":
        return convert.to_onnx(source, output, weights=options.weights, method=method)
    if to == "paddle":
        return convert.to_paddle(source, output, method=method)
    if to == "saved-model":
        return convert.to_saved_model(source, output, method=method)
    if to == "safetensors":
        from kayax.jit import load
        convert.save_safetensors(load(source), output)
        return output
    return convert.to_stablehlo(source, output, form="bytecode" if to.endswith("bytecode") else "text", method=method)
