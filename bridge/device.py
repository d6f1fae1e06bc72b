"""Places and devices: Paddle's names for JAX's devices."""
from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp

from kayax.bridge.errors import ArgumentError


class Place:
    """Where a Tensor lives, such as ``Place(cpu)`` or ``Place(gpu:0)``."""

    def __init__(self, kind: str = "cpu", index: int = 0):
        self.kind, self.index = kind, index

    def __repr__(self) -> str:
        return f"Place({self.kind})" if self.kind == "cpu" else f"Place({self.kind}:{self.index})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Place) and (self.kind, self.index) == (other.kind, other.index)

    def __hash__(self) -> int:
        return hash((self.kind, self.index))

    def is_cpu_place(self) -> bool:
        """Whether this is the host."""
        return self.kind == "cpu"

    def is_gpu_place(self) -> bool:
        """Whether this is a GPU."""
        return self.kind == "gpu"

    def is_tpu_place(self) -> bool:
        """Whether this is a TPU."""
        return self.kind == "tpu"

    def is_xpu_place(self) -> bool:
        """False: JAX has no such device."""
        return False

    is_ipu_place = is_xpu_pinned_place = is_xpu_place

    def is_cuda_pinned_place(self) -> bool:
        """Whether this is pinned host memory."""
        return isinstance(self, CUDAPinnedPlace)

    def is_custom_place(self) -> bool:
        """Whether this is neither the host nor a GPU: a TPU."""
        return self.kind not in ("cpu", "gpu")

    def custom_device_type(self) -> str:
        """The kind of a device that is neither the host nor a GPU, else ""."""
        return self.kind if self.is_custom_place() else ""

    def gpu_device_id(self) -> int:
        """The number of the device."""
        return self.index

    custom_device_id = xpu_device_id = ipu_device_id = gpu_device_id

    def get_device_id(self) -> int:
        """The number of the device among those of its kind."""
        return self.index


class CPUPlace(Place):
    """The host."""

    def __init__(self) -> None:
        super().__init__("cpu", 0)


class CUDAPlace(Place):
    """The `id`-th GPU."""

    def __init__(self, id: int = 0):
        super().__init__("gpu", id)


class TPUPlace(Place):
    """The `id`-th TPU core (a place of this package; Paddle has none)."""

    def __init__(self, id: int = 0):
        super().__init__("tpu", id)


class CUDAPinnedPlace(CPUPlace):
    """Pinned host memory: the host here, since JAX pins what it copies by itself."""


class CustomPlace(Place):
    """The `dev_id`-th device of a kind that is neither a CPU nor a GPU: here a "tpu"."""

    def __init__(self, dev_type: str, dev_id: int = 0):
        if _JAX_KINDS.get(dev_type) in (None, "cpu", "gpu"):
            raise ValueError(f"CustomPlace({dev_type!r}): the only such devices of JAX are 'tpu'.")
        super().__init__(dev_type, dev_id)


def _absent(name: str) -> ValueError:
    return ValueError(f"{name}: JAX has no such device. Use CPUPlace(), CUDAPlace(0) or TPUPlace(0).")


class XPUPlace(Place):
    """A place that JAX does not have: an error when it is made."""

    def __init__(self, dev_id: int):
        raise _absent("XPUPlace")


class IPUPlace(Place):
    """A place that JAX does not have: an error when it is made."""

    def __init__(self) -> None:
        raise _absent("IPUPlace")


class XPUPinnedPlace(Place):
    """A place that JAX does not have: an error when it is made."""

    def __init__(self) -> None:
        raise _absent("XPUPinnedPlace")


_JAX_KINDS = {"gpu": "gpu", "cuda": "gpu", "rocm": "gpu", "cpu": "cpu", "tpu": "tpu"}
_current: Place | None = None


def parse(device: Any) -> Place:
    """The Place that ``"cpu"``, ``"gpu:1"``, ``"tpu"``, a Place or a JAX device means."""
    if isinstance(device, Place):
        return device
    if isinstance(device, jax.Device):
        return Place(_JAX_KINDS.get(device.platform, device.platform), _index_of(device))
    if not isinstance(device, str):
        raise ArgumentError(f"A device is a string such as 'cpu', 'gpu:0' or 'tpu', or a Place, but got {device!r}.")
    kind, _, index = device.lower().partition(":")
    if kind not in _JAX_KINDS or (index and not index.isdigit()):
        raise ValueError(f"The device must be 'cpu', 'gpu', 'gpu:N', 'tpu' or 'tpu:N', but got {device!r}.")
    return Place(_JAX_KINDS[kind], int(index or 0))


def to_jax(device: Any) -> jax.Device:
    """The JAX device of a place or a device string; a clear error if this machine has none such."""
    place = parse(device)
    try:
        devices = jax.local_devices(backend=place.kind)
    except RuntimeError:
        devices = []
    if place.index >= len(devices):
        have = sorted({d.platform for d in jax.local_devices()} | {"cpu"})
        raise ValueError(f"{place} is not here: this machine has {len(devices)} device(s) of kind {place.kind!r} and "
                         f"JAX was installed for {', '.join(have)}. Install the extra for it, kayax[cuda] or [tpu].")
    return devices[place.index]


def set_device(device: Any) -> Place:
    """Put new Tensors on this device from now on, and give its Place."""
    global _current
    place = parse(device)
    jax.config.update("jax_default_device", to_jax(place))
    _current = place
    _known_scalar.cache_clear()
    return place


@functools.lru_cache(maxsize=1024, typed=True)
def _known_scalar(value: int | float) -> Any:
    with jax.ensure_compile_time_eval():
        return jnp.asarray(value)


def scalar(value: Any) -> Any:
    """A Python number as an argument of a compiled call: an array on the device, which JAX takes in faster.

    It stays weakly typed. 0.0 and -0.0 are one key to the cache, so zeros stay numbers.
    """
    return _known_scalar(value) if value and type(value) in (int, float) else value


def current() -> Place:
    """The Place of new Tensors."""
    return _current if _current is not None else parse(jax.devices()[0])


def get_device(input: Any = None) -> str | int:
    """The current device, as ``"cpu"`` or ``"gpu:0"``; of a Tensor the number of its device, -1 on the host."""
    if input is not None:
        return input.get_device()
    place = current()
    return place.kind if place.kind == "cpu" else f"{place.kind}:{place.index}"


@functools.cache
def _place(device: jax.Device) -> Place:
    return parse(device)


def place_of(array: Any) -> Place:
    """The Place of an array; the current place for a tracer."""
    devices = getattr(array, "devices", None)
    if devices is None or isinstance(array, jax.core.Tracer):
        return current()
    return _place(min(devices(), key=lambda d: d.id))


def _index_of(device: jax.Device) -> int:
    return 0 if device.platform == "cpu" and device.id == 0 else device.id
