"""Requests and responses of the Open Inference Protocol (KServe v2) over HTTP: JSON, and binary tensors behind it."""
from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from kayax.spec import dtype as dtypes
from kayax.spec.input_spec import InputSpec

DATATYPES = {"BOOL": "bool", "UINT8": "uint8", "INT8": "int8", "INT16": "int16", "INT32": "int32", "INT64": "int64",
             "FP16": "float16", "BF16": "bfloat16", "FP32": "float32", "FP64": "float64"}
_NAMES = {dtype: name for name, dtype in DATATYPES.items()}
HEADER = "Inference-Header-Content-Length"
_MAX_RANK = 32


class RequestError(Exception):
    """A request that is answered with an error: its HTTP status, and what the client should know."""

    def __init__(self, status: int, problem: str):
        super().__init__(problem)
        self.status, self.problem = status, problem


def datatype_of(dtype: Any) -> str:
    """The protocol's name of a dtype; a ValueError if it has none."""
    name = getattr(dtype, "name", str(dtype))
    if name not in _NAMES:
        raise ValueError(f"The Open Inference Protocol has no name for {name}: a model with it cannot be served.")
    return _NAMES[name]


class Request:
    """One inference request, read and checked: `arrays` in the order of the model's inputs.

    outputs: (name, whether binary) of each output that is wanted, in order.
    """

    def __init__(self, body: bytes, header_length: str | None, inputs: Sequence[InputSpec], outputs: Sequence[str]):
        head, rest = _split(body, header_length)
        document = _json(head)
        self.id = _field(document, "id", str, "")
        parameters = _field(document, "parameters", dict, {})
        by_default = bool(parameters.get("binary_data_output", False))
        self.arrays = _read_inputs(_list(document, "inputs"), memoryview(rest), inputs)
        self.outputs = _read_outputs(_list(document, "outputs") if "outputs" in document else [], outputs, by_default)


def response(model: str, version: str, request: Request, outputs: Sequence[np.ndarray],
             names: Sequence[str]) -> tuple[bytes, dict[str, str]]:
    """The body and headers of the answer."""
    values = dict(zip(names, outputs, strict=True))
    described, raws = [], []
    for name, binary in request.outputs:
        array = values[name]
        entry: dict[str, Any] = {"name": name, "datatype": datatype_of(array.dtype), "shape": list(array.shape)}
        if binary:
            raw = np.ascontiguousarray(array).tobytes()
            entry["parameters"] = {"binary_data_size": len(raw)}
            raws.append(raw)
        else:
            entry["data"] = _plain(name, array)
        described.append(entry)
    document = {"model_name": model, "model_version": version, "outputs": described}
    if request.id:
        document["id"] = request.id
    head = json.dumps(document, allow_nan=False, separators=(",", ":")).encode()
    if not raws:
        return head, {"Content-Type": "application/json"}
    return b"".join([head, *raws]), {"Content-Type": "application/octet-stream", HEADER: str(len(head))}


def _plain(name: str, array: np.ndarray) -> list[Any]:
    if array.dtype.kind not in "biu":
        array = array.astype(np.float64)
        if not np.isfinite(array).all():
            raise RequestError(400, f"The output {name!r} has values that are not finite, which JSON cannot carry: ask "
                               "for it as binary data.")
    return array.reshape(-1).tolist()


# ---- reading ---------------------------------------------------------------------------------------------------


def _split(body: bytes, header_length: str | None) -> tuple[bytes, bytes]:
    if header_length is None:
        return body, b""
    if not header_length.isascii() or not header_length.isdigit() or int(header_length) > len(body):
        raise RequestError(400, f"{HEADER} is {header_length[:40]!r}, but the body has {len(body)} bytes.")
    return body[:int(header_length)], body[int(header_length):]


def _json(head: bytes) -> dict[str, Any]:
    try:
        document = json.loads(head)
    except (ValueError, RecursionError) as error:
        raise RequestError(400, f"The request is not valid JSON: {str(error)[:200]}.") from None
    if not isinstance(document, dict):
        raise RequestError(400, "The request should be a JSON object with 'inputs'.")
    return document


def _field(document: dict[str, Any], key: str, kind: type, default: Any) -> Any:
    value = document.get(key, default)
    if not isinstance(value, kind):
        raise RequestError(400, f"{key!r} should be of type {kind.__name__}, but is of type {type(value).__name__}.")
    return value


def _list(document: dict[str, Any], key: str) -> list[dict[str, Any]]:
    entries = _field(document, key, list, None)
    names: set[str] = set()
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
            raise RequestError(400, f"Each of {key!r} should be an object with a 'name'.")
        if entry["name"] in names:
            raise RequestError(400, f"{entry['name']!r} is twice in {key!r}.")
        names.add(entry["name"])
    return entries


def _read_inputs(entries: list[dict[str, Any]], rest: memoryview, inputs: Sequence[InputSpec]) -> list[np.ndarray]:
    known = {spec.name: spec for spec in inputs}
    found: dict[str, np.ndarray] = {}
    for entry in entries:
        name = entry["name"]
        if name not in known:
            raise RequestError(400, f"The model has no input {name!r}. Its inputs are: {', '.join(map(str, known))}.")
        found[name], rest = _read_input(entry, rest, known[name])
    if len(rest):
        raise RequestError(400, f"{len(rest)} bytes follow the last input.")
    missing = next((spec.name for spec in inputs if spec.name not in found), None)
    if missing is not None:
        raise RequestError(400, f"The input {missing!r} is missing. The inputs are: {', '.join(map(str, known))}.")
    return [found[spec.name or ""] for spec in inputs]


def _read_input(entry: dict[str, Any], rest: memoryview, spec: InputSpec) -> tuple[np.ndarray, memoryview]:
    name, wanted = entry["name"], datatype_of(spec.dtype)
    if entry.get("datatype") != wanted:
        raise RequestError(400, f"The datatype of the input {name!r} should be {wanted}, but is "
                           f"{str(entry.get('datatype'))[:40]!r}.")
    shape = _shape(entry)
    dtype = dtypes.to_numpy(DATATYPES[wanted])
    size = _field(entry, "parameters", dict, {}).get("binary_data_size")
    if size is None:
        return _from_json(entry, shape, dtype), rest
    nbytes = math.prod(shape) * dtype.itemsize
    if type(size) is not int or size != nbytes:
        raise RequestError(400, f"binary_data_size of {name!r} is {str(size)[:40]}, but {wanted} of shape {shape} has "
                           f"{nbytes} bytes.")
    if size > len(rest):
        raise RequestError(400, f"{name!r} should have {size} bytes, but only {len(rest)} follow.")
    return np.frombuffer(rest[:size], dtype).reshape(shape), rest[size:]


def _shape(entry: dict[str, Any]) -> list[int]:
    shape = entry.get("shape")
    if not isinstance(shape, list) or len(shape) > _MAX_RANK or not all(
            type(dim) is int and 0 <= dim < 1 << 40 for dim in shape) or math.prod(d or 1 for d in shape) >= 1 << 60:
        raise RequestError(400, f"The shape of {entry['name']!r} should be a list of sizes, but is {str(shape)[:100]}.")
    return shape


def _from_json(entry: dict[str, Any], shape: list[int], dtype: np.dtype) -> np.ndarray:
    name, data = entry["name"], entry.get("data")
    if not isinstance(data, list):
        raise RequestError(400, f"The input {name!r} has neither 'data', a list, nor binary_data_size.")
    try:
        array = np.asarray(data)
    except (ValueError, OverflowError):
        array = np.asarray(None)
    allowed = {"b": "b", "i": "iu", "u": "iu"}.get(dtype.kind, "iuf")
    if array.size and array.dtype.kind not in allowed:
        raise RequestError(400, f"The data of {name!r} should be numbers of {dtype.name}, in one list or in lists of "
                           "equal lengths.")
    if array.size != math.prod(shape):
        raise RequestError(400, f"The data of {name!r} has {array.size} values, but its shape {shape} means "
                           f"{math.prod(shape)}.")
    if dtype.kind in "iu" and array.size and not (np.iinfo(dtype).min <= array.min() and
                                                  array.max() <= np.iinfo(dtype).max):
        raise RequestError(400, f"The data of {name!r} has values outside of {dtype.name}.")
    with np.errstate(over="ignore"):
        return array.astype(dtype).reshape(shape)


def _read_outputs(entries: list[dict[str, Any]], outputs: Sequence[str], by_default: bool) -> list[tuple[str, bool]]:
    if not entries:
        return [(name, by_default) for name in outputs]
    found = []
    for entry in entries:
        if entry["name"] not in outputs:
            raise RequestError(400, f"The model has no output {entry['name']!r}. Its outputs are: "
                               f"{', '.join(outputs)}.")
        parameters = _field(entry, "parameters", dict, {})
        if "classification" in parameters:
            raise RequestError(400, "Classification of outputs is not supported.")
        found.append((entry["name"], bool(parameters.get("binary_data", by_default))))
    return found
