"""``paddle.nn.functional``."""
from kayax.bridge.ops.public import FUNCTIONAL_NAMES as _NAMES

globals().update(_NAMES)
__all__ = sorted(_NAMES)
