"""TensorBoard event files, written without TensorFlow: records of Event messages in protobuf's wire format."""
from __future__ import annotations

import itertools
import os
import socket
import struct
import time

_serial = itertools.count()


def _table() -> list[int]:
    rows = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)            # CRC-32C, Castagnoli's polynomial
        rows.append(byte)
    return rows


_CRC = _table()


def _masked_crc(data: bytes) -> bytes:
    """The checksum of a record as TensorFlow's record files have it: CRC-32C, rotated and shifted."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF)


def _varint(value: int) -> bytes:
    value &= 0xFFFFFFFFFFFFFFFF
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*parts, value))


def _field(number: int, payload: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(payload)) + payload


def _event(step: int, body: bytes) -> bytes:
    """An Event: wall_time (1), step (2) and one of its bodies."""
    return b"\x09" + struct.pack("<d", time.time()) + b"\x10" + _varint(step) + body


class EventFile:
    """One file of events in a folder, which TensorBoard shows (``tensorboard --logdir folder``)."""

    def __init__(self, folder: str):
        os.makedirs(folder, exist_ok=True)
        name = f"events.out.tfevents.{int(time.time()):010d}.{socket.gethostname()}.{os.getpid()}.{next(_serial)}"
        self.path = os.path.join(folder, name)
        self._file = open(self.path, "wb")                                  # noqa: SIM115  closed by close()
        self._write(_event(0, _field(3, b"brain.Event:2")))                 # file_version

    def add_scalar(self, tag: str, value: float, step: int) -> None:
        """Add one number to the curve `tag`."""
        scalar = _field(1, tag.encode()) + b"\x15" + struct.pack("<f", value)       # Value: tag (1), simple_value (2)
        self._write(_event(step, _field(5, _field(1, scalar))))                     # summary (5): values (1)
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, record: bytes) -> None:
        length = struct.pack("<Q", len(record))
        self._file.write(length + _masked_crc(length) + record + _masked_crc(record))
