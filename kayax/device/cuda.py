"""``paddle.device.cuda``: the functions of `paddle.device` under the names that older code uses."""
from __future__ import annotations

from typing import Any

from kayax.device import (
    Event,
    Stream,
    current_stream,
    empty_cache,
    get_device_capability,
    get_device_name,
    get_device_properties,
    is_compiled_with_cuda,
    max_memory_allocated,
    max_memory_reserved,
    memory_allocated,
    memory_reserved,
    reset_max_memory_allocated,
    reset_max_memory_reserved,
    stream_guard,
    synchronize,
)


def device_count() -> int:
    """The number of GPUs."""
    import jax
    return len(jax.devices()) if is_compiled_with_cuda() else 0


def memory_summary(device: Any = None) -> str:
    """The figures of the allocator, one a line."""
    from kayax.device._memory import accelerator
    stats = accelerator(device, "memory_summary").memory_stats() or {}
    return "\n".join(f"{key}: {value}" for key, value in sorted(stats.items()))


def vmm_compact(device: Any = None) -> int:
    """0, the number of bytes moved: XLA's allocator is not compacted."""
    return 0


__all__ = [
    "Event", "Stream", "current_stream", "device_count", "empty_cache", "get_device_capability", "get_device_name",
    "get_device_properties", "max_memory_allocated", "max_memory_reserved", "memory_allocated", "memory_reserved",
    "memory_summary", "reset_max_memory_allocated", "reset_max_memory_reserved", "stream_guard", "synchronize",
    "vmm_compact",
]
