"""DLPack: sharing arrays with NumPy, PyTorch and others without a copy where the device allows it."""
from __future__ import annotations

from typing import Any

import jax

from kayax.bridge import device as devices
from kayax.bridge.tensor import Tensor, wrap


def to_dlpack(x: Tensor) -> Any:
    """The DLPack capsule of a Tensor."""
    if not isinstance(x, Tensor):
        raise TypeError(f"to_dlpack takes a Tensor, but got {type(x).__name__}.")
    return x.__dlpack__()


def from_dlpack(dlpack: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A Tensor of any array that speaks DLPack (it has ``__dlpack__``), on `device` if given.

    Differs from Paddle: bare capsules are not taken, for they do not say where their memory is.
    """
    if not hasattr(dlpack, "__dlpack__"):
        raise TypeError(f"from_dlpack takes an array with a __dlpack__ method, but got {type(dlpack).__name__}: pass "
                        "the array itself instead of its capsule.")
    target = devices.to_jax(device) if device is not None else None
    return wrap(jax.dlpack.from_dlpack(dlpack, device=target, copy=copy))


__all__ = ["from_dlpack", "to_dlpack"]
