"""``paddle.device.xpu``: there is no such device for JAX. Counts are 0, waiting is over at once, figures are errors."""
from __future__ import annotations

from typing import Any

from kayax.device._streams import Event, Stream, synchronize


def device_count() -> int:
    """0: JAX has no such device."""
    return 0


def empty_cache() -> None:
    """Nothing to do."""


def _absent(name: str) -> Any:
    def function(device: Any = None) -> int:
        raise ValueError(f"xpu.{name}: JAX has no XPU. The figures of GPUs and TPUs are in paddle.device.")

    function.__name__ = function.__qualname__ = name
    function.__doc__ = "An error: JAX has no such device."
    return function


_NAMES = ("max_memory_allocated", "max_memory_reserved", "memory_allocated", "memory_reserved", "memory_total",
          "memory_used", "reset_max_memory_allocated", "reset_max_memory_reserved")
globals().update({name: _absent(name) for name in _NAMES})


def set_debug_level(level: int = 0) -> None:
    """An error: JAX has no such device."""
    raise ValueError("xpu.set_debug_level: JAX has no XPU.")


__all__ = ["Event", "Stream", "device_count", "empty_cache", "set_debug_level", "synchronize", *_NAMES]
