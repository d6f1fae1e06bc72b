"""What the three files of a saved model have in common: a preamble of 64 bytes, and a msgpack body read strictly.

    0   8  magic            16  8  length of the body, little endian    56  8  zeros
    8   4  format version   24 32  SHA-256 of the body                  64     the body
    12  4  zeros

docs/format.md is the specification. Nothing here runs anything that a file says.
"""
from __future__ import annotations

import hashlib
import io
import os
import struct
from collections.abc import Iterable
from typing import Any, BinaryIO

import msgpack

VERSION = 1
PREAMBLE = 64
_HEAD = struct.Struct("<8sIIQ32s8s")
_MAX_ITEMS = 1 << 18
_MAX_DEPTH = 64
_MAX_TOTAL = 1 << 22
_REMEDY = "The file is damaged or was not written by this library: save the model again, or copy the file again."
_REQUIRED = object()


class ModelFileError(ValueError):
    """A file of a saved model that is damaged, cut short, of another save, or of another kind.

    path: the file. offset: the byte at which the part that is wrong begins. problem: what is wrong.
    """

    def __init__(self, path: Any, offset: int, problem: str, remedy: str = _REMEDY, where: str = ""):
        super().__init__(f"{path}: offset {offset}: {f'{where}: ' if where else ''}{problem} {remedy}")
        self.path, self.offset, self.where, self.problem = str(path), offset, where, problem

    def __reduce__(self) -> Any:
        return _rebuilt, (str(self), self.__dict__)


def _rebuilt(text: str, facts: dict[str, Any]) -> ModelFileError:
    error = ModelFileError.__new__(ModelFileError, text)
    error.__dict__.update(facts)
    return error


def frame(magic: bytes, body: bytes) -> bytes:
    """The preamble of a body."""
    return _HEAD.pack(magic, VERSION, 0, len(body), hashlib.sha256(body).digest(), bytes(8))


def read_body(file: BinaryIO, path: Any, magic: bytes, cap: int, exact: bool) -> dict[str, Any]:
    """The body of an open file, with its preamble, length and digest checked. `exact`: nothing may follow the body."""
    head = file.read(PREAMBLE)
    size = file.getbuffer().nbytes if isinstance(file, io.BytesIO) else os.fstat(file.fileno()).st_size
    if len(head) < PREAMBLE:
        raise ModelFileError(path, 0, f"the file has {size} bytes, fewer than its preamble of {PREAMBLE}.")
    found, version, flags, length, digest, zeros = _HEAD.unpack(head)
    if found != magic:
        raise ModelFileError(path, 0, f"it starts with {found!r} instead of {magic!r}, so it is another kind "
                             "of file.", "Check the path. (Of PaddlePaddle's own models give jit.load the prefix.)")
    if version != VERSION:
        raise ModelFileError(path, 8, f"its format version is {version}, and this library reads {VERSION}.",
                             "If a newer version of this library wrote it, update the library.")
    if flags or any(zeros):
        raise ModelFileError(path, 12, "bytes 12 to 16 and 56 to 64 must be zero.")
    end = PREAMBLE + length
    if length > cap:
        raise ModelFileError(path, 16, f"the body should have {length} bytes; at most {cap} are allowed.")
    if size < end or (exact and size != end):
        raise ModelFileError(path, 16, f"the body should end at {end}, but the file has {size} bytes.")
    body = file.read(length)
    if hashlib.sha256(body).digest() != digest:
        raise ModelFileError(path, 24, "the SHA-256 digest of the body does not match.")
    return unpack(body, path)


def pack(value: Any) -> bytes:
    """msgpack bytes of what `check_plain` accepts."""
    return msgpack.packb(value, use_bin_type=True)


def content_digest(body: dict[str, Any]) -> bytes:
    """What a file contributes to the name of its set: the SHA-256 of its body without the field `set`."""
    return hashlib.sha256(pack({key: value for key, value in body.items() if key != "set"})).digest()


def set_name(contents: Iterable[bytes]) -> str:
    """The name of a set, from what its files contribute, in the order of their suffixes."""
    return hashlib.sha256(b"".join(contents)).hexdigest()[:32]


def unpack(body: bytes, path: Any) -> dict[str, Any]:
    """Read msgpack strictly: string keys, none twice, no extension types, no more depth and items than are written."""
    total = 0

    def count(items: list) -> list:
        nonlocal total
        total += len(items) + 1
        if total > _MAX_TOTAL:              # a byte of the file may stand for a whole empty list
            raise ValueError(f"it has more than {_MAX_TOTAL} items")
        return items

    try:
        value = msgpack.unpackb(body, raw=False, strict_map_key=True, list_hook=count, ext_hook=_no_extension,
                                object_pairs_hook=lambda pairs: _pairs(count(pairs)),
                                max_array_len=_MAX_ITEMS, max_map_len=_MAX_ITEMS, max_ext_len=0)
        check_plain(value, "the body")
    # msgpack's own errors are ValueErrors or derive from Exception directly, one class for each kind of damage.
    except (ValueError, TypeError, msgpack.UnpackException, RecursionError) as error:
        raise ModelFileError(path, PREAMBLE, f"the body is not valid msgpack ({error}).") from None
    if not isinstance(value, dict):
        raise ModelFileError(path, PREAMBLE, f"the body is a {type(value).__name__} instead of a map.")
    return value


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r} is there twice")
        if not isinstance(key, str):
            raise ValueError(f"the key {key!r} is not a string")
        found[key] = value
    return found


def _no_extension(code: int, data: bytes) -> Any:
    raise ValueError(f"extension type {code}")


def check_plain(value: Any, where: str, depth: int = 0) -> None:
    """A TypeError or ValueError unless `value` is made of what msgpack carries: it names the place in `where`."""
    if depth > _MAX_DEPTH:
        raise ValueError(f"{where} is nested more than {_MAX_DEPTH} deep.")
    kind = type(value)
    if kind is int:
        if not -(1 << 63) <= value < 1 << 64:
            raise ValueError(f"{where} is {value}, which does not fit in 64 bits.")
    elif kind in (dict, list, tuple):
        if len(value) > _MAX_ITEMS:
            raise ValueError(f"{where} has {len(value)} items; at most {_MAX_ITEMS} can be saved.")
        for key, item in value.items() if kind is dict else enumerate(value):
            if kind is dict and type(key) is not str:
                raise TypeError(f"{where} has the key {key!r}; only strings can be keys.")
            if type(item) not in _LEAVES:
                check_plain(item, f"{where}[{key!r}]", depth + 1)
    elif value is not None and kind not in _LEAVES:
        raise TypeError(f"{where} is a {kind.__module__}.{kind.__qualname__}. Only None, bool, int, float, str, bytes, "
                        "and lists and dicts of them can be saved.")


_LEAVES = frozenset((bool, float, str, bytes, type(None)))


class Fields:
    """One map of a file, taken apart field by field: a missing, unknown or ill-typed field is a ModelFileError."""

    def __init__(self, value: Any, path: Any, where: str):
        self.path, self.where = path, where
        if type(value) is not dict:
            raise ModelFileError(path, PREAMBLE, f"a map is expected, but this is a {type(value).__name__}.",
                                 where=where)
        self.left = dict(value)

    def fail(self, key: str, problem: str) -> ModelFileError:
        return ModelFileError(self.path, PREAMBLE, problem, where=f"{self.where}.{key}")

    def take(self, key: str, *kinds: type) -> Any:
        """The value of a field, of one of these types (any, if none is given)."""
        value = self.left.pop(key, _REQUIRED)
        if value is _REQUIRED:
            raise self.fail(key, "the field is missing.")
        if kinds and type(value) not in kinds:
            names = " or ".join(kind.__name__ for kind in kinds)
            raise self.fail(key, f"{names} is expected, but this is a {type(value).__name__}.")
        return value

    def take_list(self, key: str, *kinds: type) -> list:
        values = self.take(key, list)
        for number, value in enumerate(values):
            if type(value) not in kinds:
                raise self.fail(f"{key}[{number}]", f"a {type(value).__name__} cannot be here.")
        return values

    def take_map(self, key: str, *kinds: type) -> dict[str, Any]:
        values = self.take(key, dict)
        for name, value in values.items():
            if kinds and type(value) not in kinds:
                raise self.fail(f"{key}[{name!r}]", f"a {type(value).__name__} cannot be here.")
        return values

    def done(self) -> None:
        if self.left:
            raise self.fail(sorted(self.left)[0], "this field is not known in this version of the format.")
