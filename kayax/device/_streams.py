"""Streams and events. XLA orders what it runs by itself, so there is one stream, and it is always the current one."""
from __future__ import annotations

import time
from typing import Any

import jax

from kayax.bridge import device as devices


def synchronize(device: Any = None) -> None:
    """Wait until everything that was started on the devices is done."""
    jax.effects_barrier()
    for d in jax.local_devices():
        jax.device_put(0, d).block_until_ready()


class Event:
    """A point in the order of what the device does. `record` waits for it, so that times are true.

    enable_timing: accepted; times are always kept. blocking, interprocess: accepted; they change nothing here.
    """

    def __init__(self, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False):
        self._time: float | None = None

    def record(self, stream: Stream | None = None) -> None:
        """Set the event to now, after all that was started before."""
        synchronize()
        self._time = time.perf_counter()

    def query(self) -> bool:
        """True: what was recorded has been waited for."""
        return True

    def synchronize(self) -> None:
        """Wait until what was recorded is done."""

    def elapsed_time(self, end_event: Event) -> float:
        """The milliseconds from this event to another."""
        if self._time is None or end_event._time is None:
            raise ValueError("Both events must be recorded before the time between them is known.")
        return (end_event._time - self._time) * 1000


class Stream:
    """The order in which a device works. There is one: all streams stand for it.

    priority, stream_base: accepted; they change nothing here.
    """

    def __init__(self, device: Any = None, priority: int = 2, stream_base: Any = None):
        self.device = devices.current() if device is None else devices.parse(
            f"gpu:{device}" if isinstance(device, int) else device)

    def query(self) -> bool:
        """Whether all work is done, which is waited for."""
        synchronize()
        return True

    def synchronize(self) -> None:
        """Wait until all work is done."""
        synchronize()

    def record_event(self, event: Event | None = None) -> Event:
        """An event at this point."""
        event = Event() if event is None else event
        event.record(self)
        return event

    def wait_event(self, event: Event) -> None:
        """Later work comes after the event, as it does anyway."""

    def wait_stream(self, stream: Stream) -> None:
        """Later work comes after that of the other stream, as it does anyway."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream) and self.device == other.device

    def __hash__(self) -> int:
        return hash(self.device)


def current_stream(device: Any = None) -> Stream:
    """The stream of a device."""
    return Stream(device)


def set_stream(stream: Stream) -> Stream:
    """The current stream, which stays the only one."""
    return current_stream()


class stream_guard:
    """Work inside belongs to `stream`, which is the only one."""

    def __init__(self, stream: Stream | None = None):
        if stream is not None and not isinstance(stream, Stream):
            raise TypeError(f"stream must be a Stream, but got {type(stream).__name__}.")
        self.stream = stream

    def __enter__(self) -> None: ...

    def __exit__(self, *_: Any) -> None: ...


def get_stream_from_external(data_ptr: int, device: Any = None) -> Stream:
    """Not possible: JAX does not run on a stream of another library."""
    raise NotImplementedError("JAX does not run on a stream of another library. Exchange tensors by DLPack "
                              "(paddle.utils.dlpack), which waits where it must.")
