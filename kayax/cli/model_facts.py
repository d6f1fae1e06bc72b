"""What the commands say of a saved model, as plain values."""
from __future__ import annotations

import collections
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from kayax.cli import paddle_facts
from kayax.cli.paddle_facts import is_paddles
from kayax.io.container import PREAMBLE
from kayax.io.model_format import INFO, MODEL, ModelFile, ModelFileError, load_set
from kayax.io.paddle.find import JSON
from kayax.io.saved_function import read_function, read_programs
from kayax.io.stored import find_arrays

_OPERATION = re.compile(r"\b(?:stablehlo|chlo|mhlo)\.(\w+)")
_SECONDS = 300


def facts(prefix: str, ops: bool = True) -> dict[str, Any]:
    """Everything that `kayax inspect` shows. No program is parsed in this process, and no value is read."""
    if is_paddles(prefix):
        return paddle_facts.facts(prefix)
    parts = find_parts(prefix)
    arrays, info, model = find_arrays(parts), parts[INFO], parts[MODEL]
    tensors = []
    for name, stored in arrays.items():
        shape, dtype = stored.file.shape_dtype(stored.name)
        tensors.append({"name": name, "unique_name": info.tensors[name].unique_name, "dtype": dtype.name,
                        "shape": list(shape), "trainable": info.tensors[name].trainable,
                        "buffer": info.tensors[name].buffer, "sha256": stored.digest()[-1].hex(),
                        "tied": stored.name != name})
    functions = [_function(suffix, mode, part, arrays) for suffix, part in sorted(parts.items())
                 if isinstance(part, ModelFile) for mode in part.functions]
    counted = count_operations(prefix) if ops else {}
    for function in functions:
        for name, program in function["programs"].items():
            if ops:
                program["operations"] = counted[function["file"]][function["mode"]][name]
    sizes = {suffix: os.path.getsize(f"{prefix}{suffix}") for suffix in model.files}
    return {"digest": model.set_id, "versions": model.producer, "files": sizes, "training": info.training,
            "functions": functions, "tensors": tensors}


def find_parts(prefix: str, digest: str | None = None) -> dict[str, Any]:
    """The files of a model. Raises FileNotFoundError with a remedy, ModelFileError."""
    check_there(prefix)
    return load_set(prefix, digest)


def check_there(prefix: str) -> None:
    """A FileNotFoundError if there is no such model; it says so if a file's name or a folder was given instead."""
    if not os.path.exists(f"{prefix}{MODEL}"):
        plain = re.sub(r"(\.pdmodel|\.json|\.pdiparams|\.pdiparams\.info)$", "", prefix)
        hint = f" Give the prefix: {plain}" if plain != prefix and (
            os.path.exists(f"{plain}{MODEL}") or is_paddles(plain)) else _inside(prefix)
        raise FileNotFoundError(f"There is no model {prefix!r}: the file {prefix}{MODEL} does not exist.{hint}")


def _inside(folder: str) -> str:
    """Which models there are in it, if it is a folder."""
    names = sorted(name for name in os.listdir(folder) if name.endswith((MODEL, JSON))) if os.path.isdir(folder) else []
    found = dict.fromkeys(os.path.join(folder, os.path.splitext(name)[0]) for name in names)
    return f" It is a folder with {', '.join(found)}: give one of these." if found else ""


def find_values(prefix: str) -> Callable[[str], Any]:
    """The array of a tensor of this name."""
    if is_paddles(prefix):
        arrays, names = paddle_facts.values(prefix), {t["name"]: t["unique_name"] for t in facts(prefix)["tensors"]}
        return lambda name: arrays[names[name]]
    found = find_arrays(find_parts(prefix))
    return lambda name: found[name].file[found[name].name]


def _function(suffix: str, mode: str, part: ModelFile, arrays: dict[str, Any]) -> dict[str, Any]:
    record, where = part.functions[mode], f"model.functions[{mode!r}]"
    found = read_function(record, part.path, where)
    imported = read_programs(found, record, lambda n: arrays[n].file.shape_dtype(arrays[n].name), part.path, where)
    predict = imported.exported["predict"]
    return {
        "name": suffix[1:-len(MODEL)] or "forward", "mode": mode, "file": suffix, "source": found.name,
        "inputs": [{"name": spec.name, "dtype": spec.dtype.name if spec.dtype else None,
                    "shape": [None if d == -1 else d for d in spec.shape]} for spec in record.inputs],
        "constraints": [c.text for c in found.constraints],
        "arguments": repr(found.structure.children[0]), "result": repr(found.out_structure),
        "outputs": [{"dtype": str(a.dtype), "shape": [_dim(d) for d in a.shape]}
                    for a in predict.out_avals[:len(found.out_stops)]],
        "writes": [record.parameters[i] for i in _written(found)], "random": "random" in found.cells,
        "trainable": "backward" in record.programs, "platforms": list(predict.platforms),
        "programs": {name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
                     for name, data in record.programs.items()},
    }


def _dim(size: Any) -> Any:
    return size if type(size) is int else str(size)


def _written(found: Any) -> list[int]:
    """Which parameters get new values in a call."""
    first = len(found.cells) - found.n_written
    return [found.cells[:i].count("tensor") for i in range(first, len(found.cells)) if found.cells[i] == "tensor"]


def count_operations(prefix: str) -> dict[str, Any]:
    """The operations of every program by file, mode and name, counted in a process of its own.

    XLA's parser is not made for hostile bytes: should it die, this process lives, and raises ModelFileError.
    """
    if is_paddles(prefix):
        return paddle_facts.count_operations(prefix)
    code = "from kayax.cli.model_facts import child; child()"
    try:
        done = subprocess.run([sys.executable, "-c", code, prefix], capture_output=True, text=True, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        raise ModelFileError(f"{prefix}{MODEL}", PREAMBLE, f"a program in it takes more than {_SECONDS} s to parse.",
                             "Do not use this file.") from None
    if done.returncode == 0:
        return json.loads(done.stdout)
    if done.returncode == 3:
        raise ModelFileError(**json.loads(done.stdout))
    reason = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
    raise ModelFileError(f"{prefix}{MODEL}", PREAMBLE, f"a program in it makes XLA's parser fail ({reason}).",
                         "Do not use this file.")


def child() -> None:
    """What the process of `count_operations` does."""
    from kayax.io.saved_function import check_program
    try:
        parts = load_set(sys.argv[1])
        arrays = find_arrays(parts)
        counts: dict[str, Any] = {}
        for suffix, part in parts.items():
            for mode, record in part.functions.items() if isinstance(part, ModelFile) else ():
                where = f"model.functions[{mode!r}]"
                found = read_function(record, part.path, where)
                programs = read_programs(found, record, lambda n: arrays[n].file.shape_dtype(arrays[n].name),
                                         part.path, where).exported
                for name, exported in programs.items():
                    check_program(exported, part.path, f"{where}.programs[{name!r}]")
                    text = exported.mlir_module()
                    counts.setdefault(suffix, {}).setdefault(mode, {})[name] = dict(
                        collections.Counter(_OPERATION.findall(text)).most_common())
    except ModelFileError as error:
        print(json.dumps({"path": error.path, "offset": error.offset, "problem": error.problem, "where": error.where}))
        sys.exit(3)
    print(json.dumps(counts))
