"""What the commands say of PaddlePaddle's own files: its models, and `paddle.save` files of tensors."""
from __future__ import annotations

import collections
import hashlib
import os
from typing import Any

import numpy as np

from kayax.io import state_file
from kayax.io.model_format import INFO, MODEL, PARAMS
from kayax.io.paddle.find import JSON, is_paddle_model, program_file
from kayax.io.paddle.graph import Variable, walk

_PROGRAM = "program"


def is_paddles(path: str) -> bool:
    """Whether the commands look at this path as PaddlePaddle's."""
    return is_paddle_model(path) or (os.path.isfile(path) and not path.endswith((MODEL, PARAMS, INFO, JSON)))


def facts(path: str) -> dict[str, Any]:
    """As `model_facts.facts`. A file of `paddle.save` has tensors alone. The digest is that of the first file."""
    arrays = values(path)
    if not is_paddle_model(path):
        tensors = [_tensor(name, name, array) for name, array in arrays.items()]
        return _facts({}, {"": os.path.getsize(path)}, _digest(path), [], tensors)
    from kayax.io.paddle.layer import read_files
    graph, _ = read_files(path)
    program = graph.origin
    tensors = [_tensor(p.structured or p.name, p.name, arrays[p.name], p.trainable, p.buffer)
               for p in graph.parameters if p.stored]
    files = {os.path.splitext(program)[1]: os.path.getsize(program)}
    files |= {PARAMS: os.path.getsize(path + PARAMS)} if os.path.isfile(path + PARAMS) else {}
    function = {
        "name": "forward", "mode": "any", "file": next(iter(files)), "source": "forward",
        "inputs": [_variable(v) for v in graph.inputs], "constraints": [], "arguments": "tuple(*)", "result": "*",
        "outputs": [_variable(v) for v in graph.outputs], "writes": [], "random": False, "trainable": True,
        "platforms": ["all that JAX has"],
        "programs": {_PROGRAM: {"bytes": files[next(iter(files))], "sha256": _digest(program),
                                "operations": _counted(graph.block)}}}
    return _facts({"paddlepaddle": "3" if program.endswith(JSON) else "2"}, files, _digest(program)[:32], [function],
                  tensors)


def values(path: str) -> dict[str, np.ndarray]:
    """The arrays by their names in the file."""
    if is_paddle_model(path):
        from kayax.io.paddle.layer import read_files
        return read_files(path)[1]
    found = state_file.load(path, return_numpy=True)
    flat = found if isinstance(found, dict) else dict(enumerate(found if isinstance(found, (list, tuple)) else [found]))
    return {str(name): value for name, value in flat.items() if isinstance(value, np.ndarray)}


def count_operations(path: str) -> dict[str, Any]:
    """As `model_facts.count_operations`."""
    program = program_file(path)
    return {f["file"]: {"any": {_PROGRAM: f["programs"][_PROGRAM]["operations"]}} for f in facts(path)["functions"]
            } if program else {}


def verified(path: str) -> str:
    """Read everything; raises ModelFileError, or UnknownOperationError. What there is to say of it."""
    found = facts(path)
    nbytes = sum(array.nbytes for array in values(path).values())
    if found["functions"]:
        from kayax.io.paddle.layer import load
        load(path)                              # every operation has a counterpart here
    programs = len(found["functions"])
    return (f"{path}: PaddlePaddle's, {len(found['files'])} files, {programs} programs, {len(found['tensors'])} "
            f"tensors, {nbytes:,} bytes of values, all readable. Its files have no digests of the values, so whether "
            f"these are as they were saved cannot be told.\ndigest {found['digest']}")


def _facts(versions: dict, files: dict, digest: str, functions: list, tensors: list) -> dict[str, Any]:
    return {"digest": digest, "versions": versions, "files": files, "training": False, "functions": functions,
            "tensors": tensors}


def _tensor(name: str, unique: str, array: np.ndarray, trainable: bool = True, buffer: bool = False) -> dict[str, Any]:
    return {"name": name, "unique_name": unique, "dtype": array.dtype.name, "shape": list(array.shape),
            "trainable": trainable and not buffer, "buffer": buffer, "tied": False,
            "sha256": hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()}


def _variable(variable: Variable) -> dict[str, Any]:
    return {"name": variable.name, "dtype": variable.dtype, "shape": [None if d < 0 else d for d in variable.shape]}


def _counted(block: Any) -> dict[str, int]:
    return dict(collections.Counter(operation.name for operation in walk(block)).most_common())


def _digest(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
