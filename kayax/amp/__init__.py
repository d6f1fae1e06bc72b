"""``paddle.amp``: automatic mixed precision."""
from __future__ import annotations

import importlib
from typing import Any

from kayax.bridge.amp import (
    amp_guard,
    auto_cast,
    autocast,
    black_list,
    decorate,
    get_autocast_dtype,
    is_autocast_enabled,
    is_bfloat16_supported,
    is_float16_supported,
    white_list,
)
from kayax.layers.grad_scaler import AmpScaler, GradScaler

amp_decorate = decorate
get_autocast_cpu_dtype = get_autocast_gpu_dtype = get_autocast_dtype


def __getattr__(name: str) -> Any:
    if name == "debugging":
        return importlib.import_module("kayax.amp.debugging")
    raise AttributeError(f"module 'kayax.amp' has no attribute {name!r}")


__all__ = ["AmpScaler", "GradScaler", "amp_decorate", "amp_guard", "auto_cast", "autocast", "black_list", "decorate",
           "get_autocast_cpu_dtype", "get_autocast_dtype", "get_autocast_gpu_dtype",
           "is_autocast_enabled", "is_bfloat16_supported", "is_float16_supported", "white_list"]
