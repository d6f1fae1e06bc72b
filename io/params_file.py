"""`.pdiparams`: named arrays in one file, mapped into memory instead of read (the idea is safetensors').

Opening checks everything but the values: the digest of the index, and that sizes and offsets fill the file without a
hole, an overlap or a rest. So it takes milliseconds whatever the size, and a cut file never opens. Each array carries
the SHA-256 of its bytes, which is checked when the array is first used; `verify` checks all of them at once.
"""
from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO

import numpy as np

from kayax.io.container import PREAMBLE, Fields, ModelFileError, content_digest, frame, pack, read_body
from kayax.spec import dtype as dtypes

MAGIC = b"KXPARAMS"
ALIGNMENT = 64
_MAX_INDEX = 100 << 20
_MAX_NDIM = 32


class ParamsFile(Mapping[str, np.ndarray]):
    """The arrays of a `.pdiparams` file by name, in the order they were written.

    ``params[name]`` is a read-only array that shares the mapped file's memory. Copy it before it outlives the file's
    present content (whoever overwrites the file in place changes it; saving with this library replaces the file).
    """

    def __init__(self, path: Any, set_id: str, entries: dict[str, _Entry], buffer: np.ndarray, start: int,
                 content: bytes):
        self.path, self.set_id, self.content = str(path), set_id, content
        self._entries, self._buffer, self._start = entries, buffer, start
        self._verified: set[str] = set()

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._verified:
            self._check(name, self._entries[name])
        return self.unverified(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def unverified(self, name: str) -> np.ndarray:
        """The array without a look at its digest: nothing is read from the disk yet."""
        entry = self._entries[name]
        return self._bytes(entry).view(entry.dtype).reshape(entry.shape)

    def shape_dtype(self, name: str) -> tuple[tuple[int, ...], dtypes.DType]:
        """Shape and dtype, from the index alone."""
        entry = self._entries[name]
        return entry.shape, dtypes.convert(entry.dtype)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays together."""
        return sum(entry.nbytes for entry in self._entries.values())

    def digest(self, name: str) -> bytes:
        """The SHA-256 of an array's bytes, as the index says it."""
        return self._entries[name].sha256

    def check(self, names: Iterable[str]) -> None:
        """Check the digests of these arrays, those that have not been used yet, in several threads."""
        waiting = [name for name in names if name not in self._verified]
        if waiting:
            with ThreadPoolExecutor() as pool:          # hashlib lets other threads run
                list(pool.map(self._check, waiting, map(self._entries.get, waiting)))

    def verify(self) -> None:
        """Read the whole file and check every digest, and that the bytes between the arrays are zero."""
        end = self._start
        for name, entry in self._entries.items():
            if self._buffer[end:entry.offset].any():
                raise ModelFileError(self.path, end, f"the padding before {name!r} is not zero.")
            end = entry.offset + entry.nbytes
        self._verified.clear()
        self.check(self._entries)

    def _bytes(self, entry: _Entry) -> np.ndarray:
        return self._buffer[entry.offset:entry.offset + entry.nbytes]

    def _check(self, name: str, entry: Any) -> None:
        if hashlib.sha256(self._bytes(entry).data).digest() != entry.sha256:
            raise ModelFileError(self.path, entry.offset, "the SHA-256 digest of the values does not match.",
                                 where=repr(name))
        self._verified.add(name)


class _Entry:
    """One line of the index, checked."""

    __slots__ = ("dtype", "nbytes", "offset", "sha256", "shape")

    def __init__(self, fields: Fields):
        dtype = fields.take("dtype", str)
        if dtype not in dtypes.ALL:
            raise fields.fail("dtype", f"{dtype!r} is not a data type.")
        shape = fields.take_list("shape", int)
        self.dtype, self.shape = dtypes.to_numpy(dtype), tuple(shape)
        self.offset, self.nbytes = fields.take("offset", int), fields.take("nbytes", int)
        self.sha256 = fields.take("sha256", bytes)
        fields.done()
        if len(shape) > _MAX_NDIM or any(dim < 0 for dim in shape):
            raise fields.fail("shape", f"{shape} is not a shape.")
        # NumPy counts strides in 63 bits, even of an array that a zero makes empty.
        if math.prod(dim or 1 for dim in shape) * self.dtype.itemsize >= 1 << 63:
            raise fields.fail("shape", f"{shape} is too large.")
        if self.nbytes != math.prod(shape) * self.dtype.itemsize:
            raise fields.fail("nbytes", f"it is {self.nbytes}, but {dtype} of shape {shape} has "
                              f"{math.prod(shape) * self.dtype.itemsize} bytes.")


def encode_params(arrays: Mapping[str, Any]) -> tuple[dict[str, Any], list[np.ndarray]]:
    """The index (without its set) and the buffers to write after it.

    Raises:
        TypeError: a value is not an array of one of the data types.
    """
    entries, buffers, position = [], [], 0
    for name, value in arrays.items():
        array = np.asarray(value)
        dtype = dtypes.find(array.dtype.newbyteorder("=") if array.dtype.kind in "iufc" else array.dtype)
        if dtype is None or not isinstance(name, str):
            raise TypeError(f"{name!r} is a {type(value).__name__} of dtype {array.dtype}, which cannot be saved as a "
                            f"parameter. The data types are: {', '.join(dtypes.ALL)}.")
        data = np.ascontiguousarray(array, dtype.numpy).reshape(-1).view(np.uint8)
        position = _align(position)
        entries.append({"name": name, "dtype": dtype.name, "shape": [int(dim) for dim in array.shape],
                        "offset": position, "nbytes": data.size, "sha256": hashlib.sha256(data.data).digest()})
        buffers.append(data)
        position += data.size
    return {"arrays": entries}, buffers


def params_content(index: dict[str, Any], buffers: list[np.ndarray]) -> Iterator[bytes | memoryview]:
    """The file piece by piece. Offsets count from the start of the data, which is the aligned end of the index."""
    body = pack(index)
    yield frame(MAGIC, body)
    yield body
    position = PREAMBLE + len(body)
    for data in buffers:
        yield bytes(_align(position) - position)
        yield data.data
        position = _align(position) + data.size


def read_params_from(file: BinaryIO, path: Any) -> ParamsFile:
    """See `kayax.io.model_format.read_params`."""
    fields = Fields(read_body(file, path, MAGIC, _MAX_INDEX, exact=False), path, "index")
    set_id, lines = fields.take("set", str), fields.take_list("arrays", dict)
    fields.done()
    content = content_digest({"arrays": lines})
    size, index_end = os.fstat(file.fileno()).st_size, file.tell()
    end, entries = index_end, {}
    for number, line in enumerate(lines):
        line = Fields(line, path, f"index.arrays[{number}]")
        name, entry = line.take("name", str), _Entry(line)
        entry.offset += _align(index_end)
        if name in entries:
            raise line.fail("name", f"{name!r} is there twice.")
        if entry.offset != _align(end):
            raise line.fail("offset", f"the array starts at {entry.offset} of the file instead of {_align(end)}.")
        end = entry.offset + entry.nbytes
        if end > size:
            raise line.fail("offset", f"the array ends at {end}, but the file has only {size} bytes.")
        entries[name] = entry
    if size != end:
        raise ModelFileError(path, end, f"the last array ends here, but the file has {size} bytes.")
    # From the open file, not from its name: the name may stand for another file by now. A private mapping: should
    # anything ever write into it, that is neither a crash nor a change of the file.
    buffer = np.memmap(file, np.uint8, "c").view(np.ndarray)
    buffer.flags.writeable = False
    return ParamsFile(path, set_id, entries, buffer, index_end, content)


def _align(position: int) -> int:
    return -(-position // ALIGNMENT) * ALIGNMENT
