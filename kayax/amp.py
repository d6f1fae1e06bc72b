"""``paddle.amp``: automatic mixed precision."""
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

__all__ = ["AmpScaler", "GradScaler", "amp_decorate", "amp_guard", "auto_cast", "autocast", "black_list", "decorate",
           "get_autocast_dtype", "is_autocast_enabled", "is_bfloat16_supported", "is_float16_supported", "white_list"]
