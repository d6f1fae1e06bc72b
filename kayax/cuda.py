"""``paddle.cuda``: the functions of `paddle.device` under the names of ``torch.cuda``."""
from __future__ import annotations

from typing import Any

from kayax import device as _device
from kayax.bridge.device import current, parse
from kayax.bridge.device import set_device as _set_device
from kayax.device import (
    Event,
    Stream,
    StreamContext,
    current_stream,
    device,
    empty_cache,
    get_device_capability,
    get_device_name,
    get_device_properties,
    get_rng_state,
    get_stream_from_external,
    ipc_collect,
    is_bf16_supported,
    manual_seed,
    max_memory_allocated,
    memory_allocated,
    memory_reserved,
    reset_peak_memory_stats,
    set_rng_state,
    set_stream,
    synchronize,
)
from kayax.device._memory import accelerator
from kayax.device._typed import TYPED
from kayax.device.cuda import device_count

globals().update(TYPED)


def is_available() -> bool:
    """Whether there is an accelerator."""
    return _device.is_available()


def is_initialized() -> bool:
    """Whether there is an accelerator: JAX starts them all when it is first used."""
    return _device.is_available()


def current_device() -> int:
    """The number of the current device."""
    return current().index


def set_device(device: Any) -> None:
    """Use an accelerator from now on: its number, its name or its Place."""
    _set_device(f"gpu:{device}" if isinstance(device, int) else parse(device))


def stream(stream: Stream | None) -> StreamContext:
    """Work inside the `with` block belongs to `stream`, which is the only one."""
    return StreamContext(stream)


def manual_seed_all(seed: int) -> None:
    """Seed the random state, which all devices share."""
    manual_seed(seed)


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """The free and all bytes of an accelerator's memory."""
    stats = accelerator(device, "mem_get_info").memory_stats() or {}
    limit = int(stats.get("bytes_limit", 0))
    return limit - int(stats.get("bytes_in_use", 0)), limit


def cudart() -> Any:
    """Not possible: JAX does not give its CUDA runtime away."""
    raise NotImplementedError("JAX does not give its CUDA runtime away. To profile, use jax.profiler.trace.")


def check_error(res: int) -> None:
    """A RuntimeError if a CUDA error code is not 0."""
    if res:
        raise RuntimeError(f"CUDA error {res}.")


__all__ = [
    "Event", "Stream", "StreamContext", "check_error", "cudart", "current_device", "current_stream", "device",
    "device_count", "empty_cache", "get_device_capability", "get_device_name", "get_device_properties",
    "get_rng_state", "get_stream_from_external", "ipc_collect", "is_available", "is_bf16_supported", "is_initialized",
    "manual_seed", "manual_seed_all", "max_memory_allocated", "mem_get_info", "memory_allocated", "memory_reserved",
    "reset_peak_memory_stats", "set_device", "set_rng_state", "set_stream", "stream", "synchronize", *TYPED,
]
