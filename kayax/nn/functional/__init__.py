"""``paddle.nn.functional``."""
from typing import Any as _Any

from kayax.bridge.ops.public import FUNCTIONAL_NAMES as _FUNCTIONAL
from kayax.bridge.ops.public import TOP_LEVEL as _TOP_LEVEL

_NAMES = _FUNCTIONAL | {name: _TOP_LEVEL[name] for name in ("diag_embed", "pdist")}
globals().update(_NAMES)
__all__ = sorted(_NAMES)


def __getattr__(name: str) -> _Any:
    if name in ("moe_permute", "moe_unpermute"):
        raise AttributeError(f"paddle.nn.functional.{name} is not available: it is a part of Paddle's "
                             "mixture-of-experts kernels. Sort tokens by expert with paddle.argsort, or use one_hot and"
                             " einsum.")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
