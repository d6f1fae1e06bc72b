"""``paddle.device``: which devices there are and which one is used."""
from __future__ import annotations

from typing import Any

import jax

from kayax.bridge.device import CPUPlace, CUDAPinnedPlace, CUDAPlace, Place, TPUPlace, get_device, set_device


def get_all_device_type() -> list[str]:
    """The kinds of devices that JAX sees."""
    return sorted({"cpu"} | {("gpu" if d.platform in ("cuda", "rocm") else d.platform) for d in jax.devices()})


def get_available_device() -> list[str]:
    """The devices that JAX sees, as ``cpu`` or ``gpu:0``."""
    kinds = [("gpu" if d.platform in ("cuda", "rocm") else d.platform) for d in jax.devices()]
    return ["cpu", *(f"{k}:{i}" for i, k in enumerate(kinds) if k != "cpu")]


def device_count() -> int:
    """The number of accelerators."""
    return sum(d.platform != "cpu" for d in jax.devices())


def is_compiled_with_cuda() -> bool:
    """Whether JAX sees a GPU."""
    return any(d.platform in ("gpu", "cuda") for d in jax.devices())


def is_compiled_with_rocm() -> bool:
    """Whether JAX sees an AMD GPU."""
    return any(d.platform == "rocm" for d in jax.devices())


def is_compiled_with_xpu() -> bool:
    """False: JAX has no such device."""
    return False


def synchronize(device: Any = None) -> None:
    """Wait until everything that was started on the devices is done."""
    jax.effects_barrier()
    for d in jax.local_devices():
        jax.device_put(0, d).block_until_ready()


__all__ = ["CPUPlace", "CUDAPinnedPlace", "CUDAPlace", "Place", "TPUPlace", "device_count", "get_all_device_type",
           "get_available_device", "get_device", "is_compiled_with_cuda", "is_compiled_with_rocm",
           "is_compiled_with_xpu", "set_device", "synchronize"]
