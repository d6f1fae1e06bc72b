"""What JAX knows of a device: its memory, its name, its capability. A host has no such figures."""
from __future__ import annotations

from typing import Any, NamedTuple

import jax

from kayax.bridge import device as devices


class DeviceProperties(NamedTuple):
    """Facts of an accelerator: total_memory in bytes, 0 where JAX does not say."""

    name: str
    major: int
    minor: int
    total_memory: int
    multi_processor_count: int


def accelerator(device: Any, asked: str) -> jax.Device:
    """The accelerator that a device argument means: a number, a name, a Place, or None for the current one."""
    if device is None:
        place = devices.current()
        if place.kind == "cpu":
            found = [d for d in jax.local_devices() if d.platform != "cpu"]
            if not found:
                raise ValueError(f"{asked} is about an accelerator, and JAX sees none: check "
                                 "paddle.device.is_available() first, or install kayax[cuda] or kayax[tpu].")
            return found[0]
        return devices.to_jax(place)
    if isinstance(device, int):
        return accelerator(f"gpu:{device}", asked)
    if devices.parse(device).kind == "cpu":
        raise ValueError(f"{asked} is about an accelerator, but got {device!r}.")
    return devices.to_jax(device)


def statistic(key: str, device: Any, asked: str) -> int:
    """A figure of the device's allocator in bytes."""
    stats = accelerator(device, asked).memory_stats()
    if stats is None or key not in stats:
        raise ValueError(f"{asked}: JAX's allocator on this device does not count that.")
    return int(stats[key])


def properties(device: Any, asked: str) -> DeviceProperties:
    """The facts of an accelerator."""
    found = accelerator(device, asked)
    major, _, minor = str(getattr(found, "compute_capability", "0.0")).partition(".")
    stats = found.memory_stats() or {}
    return DeviceProperties(found.device_kind, int(major), int(minor or 0), int(stats.get("bytes_limit", 0)),
                            int(getattr(found, "core_count", 0) or 0))
