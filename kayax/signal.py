"""``paddle.signal``: frames of a signal, and short-time Fourier transforms."""
from kayax.bridge.ops.public import SIGNAL as _SIGNAL

globals().update(_SIGNAL)
__all__ = sorted(_SIGNAL)   # type: ignore[assignment]
