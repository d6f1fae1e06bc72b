"""``paddle.device``: which devices there are and which one is used."""
from __future__ import annotations

import importlib
from typing import Any

import jax

from kayax.bridge import rng
from kayax.bridge.device import (
    CPUPlace,
    CUDAPinnedPlace,
    CUDAPlace,
    CustomPlace,
    IPUPlace,
    Place,
    TPUPlace,
    XPUPinnedPlace,
    XPUPlace,
    current,
    get_device,
    set_device,
)
from kayax.device._memory import DeviceProperties, properties, statistic
from kayax.device._streams import (
    Event,
    Stream,
    current_stream,
    get_stream_from_external,
    set_stream,
    stream_guard,
    synchronize,
)
from kayax.device._typed import TYPED

globals().update(TYPED)
StreamContext = stream_guard


def get_all_device_type() -> list[str]:
    """The kinds of devices that JAX sees."""
    return sorted({"cpu"} | {("gpu" if d.platform in ("cuda", "rocm") else d.platform) for d in jax.devices()})


def get_available_device() -> list[str]:
    """The devices that JAX sees, as ``cpu`` or ``gpu:0``."""
    kinds = [("gpu" if d.platform in ("cuda", "rocm") else d.platform) for d in jax.devices()]
    return ["cpu", *(f"{k}:{i}" for i, k in enumerate(kinds) if k != "cpu")]


def get_all_custom_device_type() -> list[str]:
    """The kinds of devices that Paddle calls custom: here what is neither a CPU nor a GPU, such as a TPU."""
    return [kind for kind in get_all_device_type() if kind not in ("cpu", "gpu")]


def get_available_custom_device() -> list[str]:
    """The devices of the kinds that `get_all_custom_device_type` lists, as ``tpu:0``."""
    return [d for d in get_available_device() if d.partition(":")[0] not in ("cpu", "gpu")]


def device_count() -> int:
    """The number of accelerators."""
    return sum(d.platform != "cpu" for d in jax.devices())


def is_available() -> bool:
    """Whether there is an accelerator."""
    return device_count() > 0


def is_compiled_with_cuda() -> bool:
    """Whether JAX sees a GPU."""
    return any(d.platform in ("gpu", "cuda") for d in jax.devices())


def is_compiled_with_rocm() -> bool:
    """Whether JAX sees an AMD GPU."""
    return any(d.platform == "rocm" for d in jax.devices())


def is_compiled_with_xpu() -> bool:
    """False: JAX has no such device."""
    return False


def is_compiled_with_ipu() -> bool:
    """False: JAX has no such device."""
    return False


def is_compiled_with_cinn() -> bool:
    """False: XLA compiles here."""
    return False


def is_compiled_with_distribute() -> bool:
    """True: JAX can run one program on many devices."""
    return True


def is_compiled_with_custom_device(device_type: str) -> bool:
    """Whether JAX sees a device of this kind that is neither a CPU nor a GPU, such as "tpu"."""
    return device_type in get_all_custom_device_type()


def get_cudnn_version() -> None:
    """None: XLA chooses its own libraries, and JAX does not say which."""


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Whether bfloat16 can be computed, which XLA does everywhere; without emulation: on an accelerator."""
    return including_emulation or is_available()


def is_current_stream_capturing() -> bool:
    """False: there are no CUDA graphs; a converted function is the way to one launch."""
    return False


class device:
    """Use a device inside a `with` block: a name, a Place, or the number of an accelerator."""

    def __init__(self, device: Any = None):
        self.device = f"gpu:{device}" if isinstance(device, int) else device

    def __enter__(self) -> None:
        self._held = current()
        if self.device is not None:
            set_device(self.device)

    def __exit__(self, *_: Any) -> None:
        set_device(self._held)


class device_guard(device):
    """Use a device inside a `with` block."""

    def __init__(self, device: Any):
        super().__init__(device)


def get_default_device() -> Any:
    """The current device, as ``"cpu"`` or ``"gpu:0"``."""
    return get_device()


def set_default_device(device: Any) -> None:
    """Put new Tensors on this device from now on."""
    set_device(device)


# ---- random state: one for all devices -------------------------------------------------------------------------------

def manual_seed(seed: int) -> None:
    """Seed the random state, which all devices share."""
    rng.seed(seed)


def get_rng_state(device: Any = None) -> rng.GeneratorState:
    """The random state, which all devices share, for `set_rng_state`."""
    return rng.default_generator().get_state()


def set_rng_state(new_state: rng.GeneratorState, device: Any = None) -> None:
    """Go on from a state that `get_rng_state` gave."""
    rng.default_generator().set_state(new_state)


# ---- memory and properties of an accelerator -------------------------------------------------------------------------

def get_device_properties(device: Any = None) -> DeviceProperties:
    """The name, capability and memory of an accelerator."""
    return properties(device, "get_device_properties")


def get_device_name(device: Any = None) -> str:
    """The name of an accelerator."""
    return properties(device, "get_device_name").name


def get_device_capability(device: Any = None) -> tuple[int, int]:
    """The compute capability of a GPU, as (major, minor)."""
    found = properties(device, "get_device_capability")
    return found.major, found.minor


def max_memory_allocated(device: Any = None) -> int:
    """The most bytes that were in use at once."""
    return statistic("peak_bytes_in_use", device, "max_memory_allocated")


def max_memory_reserved(device: Any = None) -> int:
    """The most bytes that the allocator held at once."""
    return statistic("peak_pool_bytes", device, "max_memory_reserved")


def memory_allocated(device: Any = None) -> int:
    """The bytes in use now."""
    return statistic("bytes_in_use", device, "memory_allocated")


def memory_reserved(device: Any = None) -> int:
    """The bytes that the allocator holds now."""
    return statistic("pool_bytes", device, "memory_reserved")


def empty_cache() -> None:
    """Nothing to do: the allocator that XLA uses gives unused memory to whoever asks next."""


def ipc_collect() -> None:
    """Nothing to do: memory of accelerators is not shared between processes."""


def _no_reset(name: str) -> Any:
    def reset(device: Any = None) -> None:
        raise NotImplementedError(f"{name}: JAX's allocator cannot forget its peak. Take the difference of "
                                  "memory_allocated() before and after, or start a new process.")

    reset.__name__ = reset.__qualname__ = name
    reset.__doc__ = "Not possible: JAX's allocator cannot forget its peak."
    return reset


reset_max_memory_allocated = _no_reset("reset_max_memory_allocated")
reset_max_memory_reserved = _no_reset("reset_max_memory_reserved")
reset_peak_memory_stats = _no_reset("reset_peak_memory_stats")


# Public under paddle itself, too.
AT_TOP = (*TYPED, *"""
CPUPlace CUDAPinnedPlace CUDAPlace CustomPlace TPUPlace XPUPinnedPlace XPUPlace device_guard get_cudnn_version
get_default_device get_device is_compiled_with_cinn is_compiled_with_cuda is_compiled_with_custom_device
is_compiled_with_distribute is_compiled_with_ipu is_compiled_with_rocm is_compiled_with_xpu set_default_device
set_device""".split())


def __getattr__(name: str) -> Any:
    if name in ("cuda", "xpu"):
        return importlib.import_module(f"kayax.device.{name}")
    raise AttributeError(f"module 'kayax.device' has no attribute {name!r}")


__all__ = [
    "CPUPlace", "CUDAPinnedPlace", "CUDAPlace", "CustomPlace", "Event", "IPUPlace", "Place", "Stream", "StreamContext",
    "TPUPlace", "XPUPinnedPlace", "XPUPlace", "current_stream", "device", "device_count", "device_guard", "empty_cache",
    "get_all_custom_device_type", "get_all_device_type", "get_available_custom_device", "get_available_device",
    "get_cudnn_version", "get_default_device", "get_device", "get_device_capability", "get_device_name",
    "get_device_properties", "get_rng_state", "get_stream_from_external", "ipc_collect", "is_available",
    "is_bf16_supported", "is_compiled_with_cinn", "is_compiled_with_cuda", "is_compiled_with_custom_device",
    "is_compiled_with_distribute", "is_compiled_with_ipu", "is_compiled_with_rocm", "is_compiled_with_xpu",
    "is_current_stream_capturing", "manual_seed", "max_memory_allocated", "max_memory_reserved",
    "memory_allocated", "memory_reserved",
    "reset_max_memory_allocated", "reset_max_memory_reserved", "reset_peak_memory_stats", "set_default_device",
    "set_device", "set_rng_state", "set_stream", "stream_guard", "synchronize", *TYPED,
]
