"""``paddle.fft``: discrete Fourier transforms."""
from kayax.bridge.ops.public import FFT as _FFT

globals().update(_FFT)
__all__ = sorted(_FFT)      # type: ignore[assignment]
