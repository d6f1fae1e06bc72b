"""Protocol buffers without generated code: the wire format, and messages described by small tables.

Only what Paddle's files need. Everything that a file claims is checked against the bytes that are there.
"""
from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

MOST_DEPTH = 16
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class WireError(ValueError):
    """Bytes that are no message of the kind that was expected."""

    def __init__(self, offset: int, problem: str):
        super().__init__(problem)
        self.offset, self.problem = offset, problem


def varint(data: memoryview, at: int, end: int) -> tuple[int, int]:
    """An unsigned integer of up to 64 bits, and the offset after it."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= end:
            raise WireError(at, "the data ends inside an integer.")
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & (2**64 - 1), at
    raise WireError(at, "an integer has more than ten bytes.")


def fields(data: memoryview, start: int, end: int) -> Iterator[tuple[int, int, Any, int]]:
    """The fields of a message: number, wire type, an integer or the (start, end) of bytes, and the offset."""
    at = start
    while at < end:
        begin = at
        tag, at = varint(data, at, end)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, at = varint(data, at, end)
            yield number, kind, value, begin
            continue
        if kind == _BYTES:
            size, at = varint(data, at, end)
        else:
            size = {_FIXED64: 8, _FIXED32: 4}.get(kind, -1)
        if number == 0 or size < 0:
            raise WireError(begin, f"field {number} of wire type {kind} is no field of a message.")
        if size > end - at:
            raise WireError(begin, f"field {number} claims {size} bytes, but {end - at} are left.")
        yield number, kind, (at, at + size), begin
        at += size


def signed(value: int) -> int:
    """A 64-bit two's complement as a Python integer."""
    return value - 2**64 if value >= 2**63 else value


class Message:
    """A kind of message: for each field number its name, its type, and whether it is a list.

    Types are "int", "float", "double", "bool", "str" and other Messages. A field of another number is passed over, as
    protocol buffers ask; a known one of another wire type is an error.
    """

    def __init__(self, **table: tuple):
        self.fields = {number: (name, kind, bool(many)) for name, (number, kind, *many) in table.items()}

    def read(self, data: memoryview, start: int = 0, end: int | None = None, depth: int = 0) -> dict[str, Any]:
        """The message as a dict: a missing list is [], any other missing field None."""
        if depth > MOST_DEPTH:
            raise WireError(start, f"messages are nested more than {MOST_DEPTH} deep.")
        found: dict[str, Any] = {name: [] if many else None for name, _, many in self.fields.values()}
        for number, wire, value, at in fields(data, start, len(data) if end is None else end):
            if number not in self.fields:
                continue
            name, kind, many = self.fields[number]
            items = list(_values(data, kind, wire, value, at, depth))
            if many:
                found[name] += items
            elif items:
                found[name] = items[-1]
        return found


_NUMBERS = {"float": (_FIXED32, "<f"), "double": (_FIXED64, "<d")}


def _values(data: memoryview, kind: Any, wire: int, value: Any, at: int, depth: int) -> Iterator[Any]:
    """The values of one field; numbers in a list may be packed into one field."""
    if kind in ("int", "bool"):
        if wire == _VARINT:
            yield bool(value) if kind == "bool" else signed(value)
            return
        if wire == _BYTES:
            position, stop = value
            while position < stop:
                number, position = varint(data, position, stop)
                yield bool(number) if kind == "bool" else signed(number)
            return
    elif kind in _NUMBERS:
        own, code = _NUMBERS[kind]
        size = struct.calcsize(code)
        if wire in (own, _BYTES) and (value[1] - value[0]) % size == 0:
            yield from (item for (item,) in struct.iter_unpack(code, data[value[0]:value[1]]))
            return
    elif wire == _BYTES:
        if kind == "str":
            yield bytes(data[value[0]:value[1]]).decode("utf-8", "surrogateescape")
        else:
            yield kind.read(data, *value, depth + 1)
        return
    raise WireError(at, f"a field has wire type {wire}, which does not fit a value of type {kind}.")
