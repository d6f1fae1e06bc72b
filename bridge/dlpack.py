"""DLPack: sharing arrays with NumPy, PyTorch and others without a copy where the device allows it."""
from __future__ import annotations

import ctypes
from typing import Any

import jax

from kayax.bridge import device as devices
from kayax.bridge.tensor import Tensor, wrap


def to_dlpack(x: Tensor) -> Any:
    """The DLPack capsule of a Tensor."""
    if not isinstance(x, Tensor):
        raise TypeError(f"to_dlpack takes a Tensor, but got {type(x).__name__}.")
    return x.__dlpack__()


class _Capsule:
    """A bare capsule as an array that speaks DLPack. Where its memory is stands behind the pointer to it."""

    def __init__(self, capsule: Any):
        self.capsule = capsule

    def __dlpack__(self, **_: Any) -> Any:
        return self.capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        pointer = ctypes.pythonapi.PyCapsule_GetPointer
        pointer.restype, pointer.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)
        after_data = pointer(self.capsule, b"dltensor") + ctypes.sizeof(ctypes.c_void_p)
        kind, index = (ctypes.c_int32 * 2).from_address(after_data)
        return kind, index


def from_dlpack(dlpack: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A Tensor of any array that speaks DLPack (it has ``__dlpack__``), or of a capsule, on `device` if given."""
    if type(dlpack).__name__ == "PyCapsule":
        dlpack = _Capsule(dlpack)
    if not hasattr(dlpack, "__dlpack__"):
        raise TypeError(f"from_dlpack takes an array with a __dlpack__ method or its capsule, but got "
                        f"{type(dlpack).__name__}.")
    target = devices.to_jax(device) if device is not None else None
    return wrap(jax.dlpack.from_dlpack(dlpack, device=target, copy=copy))


__all__ = ["from_dlpack", "to_dlpack"]
