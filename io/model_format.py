"""The three files of a saved model as plain containers: `.pdmodel`, `.pdiparams`, `.pdiparams.info` (docs/format.md).

Nothing here knows Tensors or programs: programs are bytes, parameters are NumPy arrays. `save_set` and `load_set` work
on all files of a model at once; the other functions on one file. Every kind of damage is a `ModelFileError`.
"""
from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from kayax.io import atomic
from kayax.io.container import (
    PREAMBLE,
    Fields,
    ModelFileError,
    check_plain,
    content_digest,
    frame,
    pack,
    read_body,
    set_name,
)
from kayax.io.params_file import ParamsFile, encode_params, params_content, read_params_from
from kayax.spec import dtype as dtypes
from kayax.spec.input_spec import InputSpec

__all__ = ["FunctionRecord", "InfoFile", "ModelFile", "ModelFileError", "ParamsFile", "TensorInfo", "load_set",
           "read_info", "read_model", "read_params", "save_set", "write_info", "write_model", "write_params"]

MODEL, PARAMS, INFO = ".pdmodel", ".pdiparams", ".pdiparams.info"
_MAGIC_MODEL, _MAGIC_INFO = b"KXMODEL\0", b"KXINFO\0\0"
_MAX_MODEL, _MAX_INFO = 2 << 30, 100 << 20
_SUFFIX = re.compile(r"(\.[^\W\d]\w*)?(\.pdmodel|\.pdiparams|\.pdiparams\.info)")
_TRIES = 5


@dataclass
class FunctionRecord:
    """One exported function.

    Attributes:
        programs: name -> bytes of a program; what the names mean is the writer's affair.
        inputs: the specs of its flat inputs, in order. Their dtype is never None.
        parameters: the names, in `.pdiparams`, of the arrays that it takes, in order.
        input_tree, output_tree, metadata: anything that msgpack carries; tuples come back as lists.
    """

    programs: dict[str, bytes]
    inputs: list[InputSpec] = field(default_factory=list)
    parameters: list[str] = field(default_factory=list)
    input_tree: Any = None
    output_tree: Any = None
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass
class ModelFile:
    """`.pdmodel`: functions by name, the versions that made them, free metadata.

    `set_id` and `files` (the suffixes of the model's files) are filled in by saving, `path` and `content` (what the
    file contributes to the name of the set) by reading.
    """

    functions: dict[str, FunctionRecord]
    producer: dict[str, str] = field(default_factory=lambda: {"python": platform.python_version()})
    metadata: dict[str, Any] = field(default_factory=dict)
    set_id: str = ""
    files: list[str] = field(default_factory=list)
    path: str = ""
    content: bytes = b""


@dataclass
class TensorInfo:
    """What is known of one array besides its values. `buffer`: a buffer rather than a parameter."""

    unique_name: str
    trainable: bool = True
    buffer: bool = False


@dataclass
class InfoFile:
    """`.pdiparams.info`: the tensors by structured name, the mode and the random state. `set_id` is filled in."""

    tensors: dict[str, TensorInfo]
    training: bool = False
    random_state: Any = None
    metadata: dict[str, Any] = field(default_factory=dict)
    set_id: str = ""
    path: str = ""
    content: bytes = b""


Part = ModelFile | InfoFile | Mapping[str, Any]


def save_set(prefix: str | os.PathLike, parts: Mapping[str, Part]) -> str:
    """Write the files of a model so that all of them change at one moment, or none. Missing folders are made.

    Args:
        prefix: path without suffix.
        parts: suffix -> content: `.pdmodel` -> ModelFile (must be there), `.pdiparams` -> arrays by name,
            `.pdiparams.info` -> InfoFile; the files of a further method have its name in front
            (`.another_forward.pdmodel`).

    Returns:
        The name of the set, which every file carries: a digest of all contents.

    Raises:
        ValueError, TypeError: something cannot be saved, named by its place. Nothing is written then.
        OSError: as the system says; the old files are still there.
    """
    if MODEL not in parts:
        raise ValueError(f"A saved model needs the file {MODEL}, but only {sorted(parts)} are given.")
    files = sorted(parts)
    encoded = {suffix: _encode(suffix, parts[suffix], files) for suffix in files}
    set_id = set_name(content_digest(body) for body, _ in encoded.values())
    prefix = Path(prefix)
    contents = {_path(prefix, suffix): _content(suffix, body | {"set": set_id}, buffers)
                for suffix, (body, buffers) in encoded.items()}
    atomic.write_files(contents, _journal(prefix))
    return set_id


def load_set(prefix: str | os.PathLike, digest: str | None = None) -> dict[str, Any]:
    """Read all files of a model: suffix -> ModelFile, ParamsFile or InfoFile, of one and the same save.

    digest: the name of the set that is expected, which `save_set` gave.

    Raises:
        FileNotFoundError: there is no `.pdmodel` of this prefix.
        ModelFileError: a file is damaged or missing, or the files are of different saves.
    """
    prefix = Path(prefix)
    for _ in range(_TRIES):          # a save that finishes while the files are being opened shows two sets
        model = _read_suffix(prefix, MODEL)
        parts = {MODEL: model}
        missing = None
        for suffix in model.files:
            try:
                parts[suffix] = parts.get(suffix) or _read_suffix(prefix, suffix)
            except FileNotFoundError:
                missing = suffix
        odd = [suffix for suffix, part in parts.items() if part.set_id != model.set_id]
        if missing is None and not odd:
            _check_set(parts, digest)
            return parts
    if missing is not None:
        raise ModelFileError(_path(prefix, missing), 0, "the file is missing, although the model has it.")
    raise ModelFileError(_path(prefix, odd[0]), PREAMBLE, f"it was not saved together with {_path(prefix, MODEL)}.",
                         "Copy all files of the model again, or save the model again.", "set")


def _check_set(parts: dict[str, Any], digest: str | None) -> None:
    model = parts[MODEL]
    found = set_name(parts[suffix].content for suffix in sorted(parts))
    if found != model.set_id:
        raise ModelFileError(model.path, PREAMBLE, f"the set is named {model.set_id}, but its files make {found}.",
                             where="model.set")
    if digest is not None and digest != found:
        raise ModelFileError(model.path, PREAMBLE, f"the digest of this model is {found}, but {digest} is asked for.",
                             "It is another model, or another save of it.", "model.set")


def write_model(path: str | os.PathLike, model: ModelFile) -> None:
    """Write a `.pdmodel` alone."""
    _write_alone(path, MODEL, model)


def write_params(path: str | os.PathLike, arrays: Mapping[str, Any]) -> None:
    """Write a `.pdiparams` alone: arrays by name."""
    _write_alone(path, PARAMS, arrays)


def write_info(path: str | os.PathLike, info: InfoFile) -> None:
    """Write a `.pdiparams.info` alone."""
    _write_alone(path, INFO, info)


def read_model(path: str | os.PathLike) -> ModelFile:
    """Read a `.pdmodel`. All of it is checked."""
    with open(path, "rb") as file:
        return _READERS[MODEL](file, path)


def read_params(path: str | os.PathLike) -> ParamsFile:
    """Open a `.pdiparams`: the index is checked now, each array when it is first used, or by `ParamsFile.verify`."""
    with open(path, "rb") as file:
        return _READERS[PARAMS](file, path)


def read_info(path: str | os.PathLike) -> InfoFile:
    """Read a `.pdiparams.info`. All of it is checked."""
    with open(path, "rb") as file:
        return _READERS[INFO](file, path)


# ---- bodies ----------------------------------------------------------------------------------------------------


def _encode_model(model: ModelFile, files: list[str]) -> dict[str, Any]:
    return {"producer": dict(model.producer), "metadata": model.metadata, "files": files,
            "functions": {name: _encode_function(name, function) for name, function in model.functions.items()}}


def _encode_function(name: str, function: FunctionRecord) -> dict[str, Any]:
    return {"programs": function.programs, "inputs": [_encode_spec(name, spec) for spec in function.inputs],
            "parameters": list(function.parameters), "input_tree": function.input_tree,
            "output_tree": function.output_tree, "metadata": function.metadata}


def _encode_spec(function: str, spec: InputSpec) -> dict[str, Any]:
    if spec.dtype is None:
        raise ValueError(f"The input {spec.name!r} of {function!r} has no dtype: give its InputSpec one.")
    return {"shape": [None if dim == -1 else dim for dim in spec.shape], "dtype": spec.dtype.name, "name": spec.name,
            "stop_gradient": bool(spec.stop_gradient)}


def _encode_info(info: InfoFile) -> dict[str, Any]:
    tensors = [{"name": name, "unique_name": tensor.unique_name, "trainable": bool(tensor.trainable),
                "buffer": bool(tensor.buffer)} for name, tensor in info.tensors.items()]
    return {"tensors": tensors, "training": bool(info.training), "random_state": info.random_state,
            "metadata": info.metadata}


def _decode_model(file: BinaryIO, path: Any) -> ModelFile:
    read = read_body(file, path, _MAGIC_MODEL, _MAX_MODEL, exact=True)
    body = Fields(read, path, "model")
    functions = body.take_map("functions", dict)
    model = ModelFile({name: _decode_function(Fields(value, path, f"model.functions[{name!r}]"))
                       for name, value in functions.items()},
                      body.take_map("producer", str), body.take_map("metadata"), body.take("set", str),
                      body.take_list("files", str), str(path), content_digest(read))
    for suffix in model.files:           # these become paths
        if not _SUFFIX.fullmatch(suffix):
            raise body.fail("files", f"{suffix!r} is not the suffix of a model's file.")
    body.done()
    return model


def _decode_function(body: Fields) -> FunctionRecord:
    inputs = [_decode_spec(Fields(value, body.path, f"{body.where}.inputs[{number}]"))
              for number, value in enumerate(body.take_list("inputs", dict))]
    record = FunctionRecord(body.take_map("programs", bytes), inputs, body.take_list("parameters", str),
                            body.take("input_tree"), body.take("output_tree"), body.take_map("metadata"))
    body.done()
    return record


def _decode_spec(body: Fields) -> InputSpec:
    shape, dtype = body.take_list("shape", int, str, type(None)), body.take("dtype", str)
    if dtype not in dtypes.ALL:
        raise body.fail("dtype", f"{dtype!r} is not a data type.")
    if any(type(dim) is int and dim < 0 for dim in shape):
        raise body.fail("shape", f"{shape} has a negative size.")
    try:
        spec = InputSpec(shape, dtype, body.take("name", str, type(None)), body.take("stop_gradient", bool))
    except (ValueError, TypeError) as error:
        if isinstance(error, ModelFileError):
            raise
        raise body.fail("shape", str(error)) from None
    body.done()
    return spec


def _decode_info(file: BinaryIO, path: Any) -> InfoFile:
    read = read_body(file, path, _MAGIC_INFO, _MAX_INFO, exact=True)
    body = Fields(read, path, "info")
    tensors: dict[str, TensorInfo] = {}
    for number, value in enumerate(body.take_list("tensors", dict)):
        line = Fields(value, path, f"info.tensors[{number}]")
        name = line.take("name", str)
        if name in tensors:
            raise line.fail("name", f"{name!r} is there twice.")
        tensors[name] = TensorInfo(line.take("unique_name", str), line.take("trainable", bool),
                                   line.take("buffer", bool))
        line.done()
    info = InfoFile(tensors, body.take("training", bool), body.take("random_state"), body.take_map("metadata"),
                    body.take("set", str), str(path), content_digest(read))
    body.done()
    return info


# ---- files -----------------------------------------------------------------------------------------------------

_MAGICS = {MODEL: _MAGIC_MODEL, INFO: _MAGIC_INFO}
_READERS: dict[str, Any] = {MODEL: _decode_model, PARAMS: read_params_from, INFO: _decode_info}
_TYPES: dict[str, Any] = {MODEL: ModelFile, INFO: InfoFile, PARAMS: Mapping}


def _kind(suffix: str) -> str:
    match = _SUFFIX.fullmatch(suffix)
    if not match:
        raise ValueError(f"{suffix!r} is not the suffix of a model's file. It should end with {MODEL}, {PARAMS} or "
                         f"{INFO}, with nothing in front but a dot and a method's name.")
    return match[2]


def _encode(suffix: str, part: Any, files: list[str]) -> tuple[dict[str, Any], list]:
    kind = _kind(suffix)
    if not isinstance(part, _TYPES[kind]):
        raise TypeError(f"{suffix} should be a {_TYPES[kind].__name__}, but it is a {type(part).__name__}.")
    if kind == PARAMS:
        body, buffers = encode_params(part)
    else:
        body, buffers = _encode_model(part, files) if kind == MODEL else _encode_info(part), []
    check_plain(body, suffix)
    return body, buffers


def _content(suffix: str, body: dict[str, Any], buffers: list) -> Any:
    kind = _kind(suffix)
    if kind == PARAMS:
        return params_content(body, buffers)
    packed = pack(body)
    return [frame(_MAGICS[kind], packed), packed]


def _write_alone(path: str | os.PathLike, kind: str, part: Any) -> None:
    body, buffers = _encode(kind, part, [kind])
    atomic.write_file(path, _content(kind, body | {"set": set_name([content_digest(body)])}, buffers))


def _read_suffix(prefix: Path, suffix: str) -> Any:
    path = _path(prefix, suffix)
    try:
        file = atomic.open_file(path, _journal(prefix))
    except atomic.JournalError as error:
        raise ModelFileError(_journal(prefix), 0, str(error), "") from None
    with file:
        return _READERS[_kind(suffix)](file, path)


def _path(prefix: Path, suffix: str) -> Path:
    return prefix.with_name(prefix.name + suffix)


def _journal(prefix: Path) -> Path:
    return _path(prefix, ".pdcommit")
