"""Memory that two processes share without a name: it cannot be left behind, however either of them ends."""
from __future__ import annotations

import mmap
import os
import tempfile

import numpy as np

from kayax.io.loader_collate import ALIGNMENT

_GRAIN = 1 << 16
_KEEP = 64 << 20                # an idle worker holds on to no more than this


def anonymous_file() -> int:
    """The descriptor of a file in memory that no directory lists. The system frees it with its last descriptor."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("kayax")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


class Arena:
    """A growing anonymous file, mapped into this process as far as it is used."""

    def __init__(self, descriptor: int):
        self.descriptor = descriptor
        self._bytes = np.empty(0, np.uint8)

    def view(self, offset: int, nbytes: int) -> np.ndarray:
        """The bytes at an offset. An older mapping lives on while views of it do."""
        if offset + nbytes > self._bytes.size:
            size = os.fstat(self.descriptor).st_size
            self._bytes = np.frombuffer(mmap.mmap(self.descriptor, size), np.uint8)
        return self._bytes[offset:offset + nbytes]

    def forget(self) -> None:
        """Drop the mapping: the file may shrink now."""
        self._bytes = np.empty(0, np.uint8)

    def close(self) -> None:
        self.forget()
        os.close(self.descriptor)


class Slots:
    """The writer's side of an arena: numbered slots, each as large as the largest batch that it has held."""

    def __init__(self, arena: Arena):
        self.arena = arena
        self._places: dict[int, tuple[int, int]] = {}
        self._end = 0

    def write(self, slot: int, buffers: list[memoryview]) -> list[tuple[int, int]]:
        """Copy the buffers into a slot, and give the offset and size of each."""
        sizes = [buffer.nbytes for buffer in buffers]
        offset = self._reserve(slot, sum(-(-size // ALIGNMENT) * ALIGNMENT for size in sizes))
        spans = []
        for buffer, size in zip(buffers, sizes, strict=True):
            self.arena.view(offset, size)[:] = np.frombuffer(buffer, np.uint8)
            spans.append((offset, size))
            offset += -(-size // ALIGNMENT) * ALIGNMENT
        return spans

    def _reserve(self, slot: int, nbytes: int) -> int:
        offset, capacity = self._places.get(slot, (0, 0))
        if capacity < nbytes:
            offset, capacity = self._end, -(-nbytes // _GRAIN) * _GRAIN
            self._end += capacity
            os.ftruncate(self.arena.descriptor, self._end)
            self._places[slot] = offset, capacity
        return offset

    def clear(self) -> None:
        """Forget the slots, and give the memory back if it is much."""
        self._places.clear()
        if self._end > _KEEP:
            self.arena.forget()
            os.ftruncate(self.arena.descriptor, 0)
        self._end = 0


__all__ = ["Arena", "Slots", "anonymous_file"]
