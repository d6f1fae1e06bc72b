"""``paddle.nn.functional``."""
from kayax.absent import absent as _absent
from kayax.bridge.ops.public import FUNCTIONAL_NAMES as _FUNCTIONAL
from kayax.bridge.ops.public import TOP_LEVEL as _TOP_LEVEL

_NAMES = _FUNCTIONAL | {name: _TOP_LEVEL[name] for name in ("diag_embed", "pdist")}
globals().update(_NAMES)
__all__ = sorted(_NAMES)
__getattr__ = _absent("nn.functional")
