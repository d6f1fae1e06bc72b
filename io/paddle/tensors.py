"""`.pdiparams` as Paddle writes them: one tensor after another, each with a small description, without names.

A tensor is: version 0 (4 bytes), the number of sequence levels (8; for each 8 bytes of length and the offsets), version
0 (4), the length of a description (4), the description (a protocol buffer of data type and dims), the values.
"""
from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

import ml_dtypes
import numpy as np

from kayax.io.container import ModelFileError
from kayax.io.paddle.find import open_part
from kayax.io.paddle.wire import Message, WireError

# Paddle's numbers of dtypes (framework.proto, VarType.Type).
DTYPES = {0: "bool", 1: "int16", 2: "int32", 3: "int64", 4: "float16", 5: "float32", 6: "float64", 20: "uint8",
          21: "int8", 22: "bfloat16", 23: "complex64", 24: "complex128"}
NUMBERS = {name: number for number, name in DTYPES.items()}
TENSOR_DESC = Message(data_type=(1, "int"), dims=(2, "int", True))
_MOST_LEVELS, _MOST_DESC, _MOST_DIMS = 64, 4096, 32


def numpy_dtype(name: str) -> np.dtype:
    """A dtype by its name; bfloat16 and its like by ml_dtypes."""
    return np.dtype(getattr(ml_dtypes, name)) if name == "bfloat16" else np.dtype(name)


def read(path: Any, names: Sequence[str]) -> dict[str, np.ndarray]:
    """The tensors of a file, which has as many as there are names, in the names' order.

    Raises ModelFileError if the file is damaged or has another number of tensors.
    """
    with open_part(path) as file:
        data = memoryview(file.read())
    arrays, at = {}, 0
    for name in names:
        arrays[name], at = _tensor(path, data, at, name)
    if at != len(data):
        raise ModelFileError(path, at, f"the program has {len(names)} parameters, but {len(data) - at} "
                             "more bytes follow them.", "The two files must be of one save.")
    return arrays


def _tensor(path: Any, data: memoryview, at: int, name: str) -> tuple[np.ndarray, int]:
    def number(code: str) -> int:
        nonlocal at
        size = struct.calcsize(code)
        if at + size > len(data):
            raise ModelFileError(path, at, f"the file ends where the tensor {name!r} should be.",
                                 "The file is cut short, or belongs to another program.")
        value, = struct.unpack_from(code, data, at)
        at += size
        return value

    def refuse(problem: str) -> ModelFileError:
        return ModelFileError(path, at, f"tensor {name!r}: {problem}", "The file is damaged, or no file "
                              "of parameters that PaddlePaddle wrote.")

    if number("<I") != 0:
        raise refuse("its version is not 0.")
    levels = number("<Q")
    if levels > _MOST_LEVELS:
        raise refuse(f"it claims {levels} sequence levels.")
    for _ in range(levels):
        size = number("<Q")
        if size > len(data) - at:
            raise refuse(f"a sequence level claims {size} bytes.")
        at += size
    if number("<I") != 0:
        raise refuse("its version is not 0.")
    size = number("<i")
    if not 0 <= size <= min(_MOST_DESC, len(data) - at):
        raise refuse(f"its description claims {size} bytes.")
    try:
        desc = TENSOR_DESC.read(data, at, at + size)
    except WireError as error:
        raise refuse(error.problem) from None
    at += size
    kind, dims = DTYPES.get(desc["data_type"]), desc["dims"]
    if kind is None or len(dims) > _MOST_DIMS or any(d < 0 for d in dims):
        raise refuse(f"a data type {desc['data_type']} with the dims {dims} is unknown.")
    dtype = numpy_dtype(kind)
    size = math.prod(dims) * dtype.itemsize
    if size > len(data) - at:
        raise refuse(f"it claims {size} bytes, but {len(data) - at} are left.")
    array = np.frombuffer(data[at:at + size], dtype).reshape(dims)
    return array, at + size


def write(file: BinaryIO, arrays: Mapping[str, np.ndarray]) -> None:
    """Write tensors as Paddle does, in the order of their names."""
    for name in sorted(arrays):
        array: np.ndarray = np.ascontiguousarray(arrays[name]).reshape(np.shape(arrays[name]))
        desc = bytes([8, NUMBERS[array.dtype.name]]) + b"".join([b"\x10" + _varint(d) for d in array.shape])
        file.write(struct.pack("<IQIi", 0, 0, 0, len(desc)) + desc)
        file.write(array.tobytes())


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
