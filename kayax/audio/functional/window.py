"""Windows for spectra: those of SciPy, which Paddle's follow."""
from __future__ import annotations

from typing import Any

from kayax.bridge.convert import to_tensor
from kayax.bridge.tensor import Tensor

_WINDOWS = ("bartlett", "kaiser", "nuttall", "general_gaussian", "general_cosine", "general_hamming", "taylor",
            "hamming", "hann", "tukey", "gaussian", "exponential", "triang", "bohman", "blackman", "cosine")
_NEED_NUMBERS = ("gaussian", "exponential", "kaiser", "general_gaussian", "general_cosine", "general_hamming")


def get_window(window: str | tuple, win_length: int, fftbins: bool = True, dtype: Any = "float64") -> Tensor:
    """A window [win_length].

    window: a name ("hann", "hamming", "blackman", "bartlett", "bohman", "cosine", "nuttall", "taylor", "triang",
    "tukey"), or a tuple of a name and numbers, such as ("gaussian", std), ("kaiser", beta), ("exponential", center,
    tau), ("general_gaussian", p, sigma). fftbins: periodic, for spectra, else symmetric. An unknown name is a
    ValueError.
    """
    if not isinstance(window, (str, tuple)):
        raise ValueError(f"window must be a str or a tuple, but got {type(window).__name__}.")
    name, *numbers = (window,) if isinstance(window, str) else window
    if name not in _WINDOWS:
        raise ValueError(f"The window must be one of {', '.join(_WINDOWS)}, but got {name!r}.")
    if not numbers and name in _NEED_NUMBERS:
        raise ValueError(f"The window {name!r} needs numbers: give a tuple of its name and them.")
    if int(win_length) != win_length or win_length < 0:
        raise ValueError(f"win_length must be a whole number from 0, but got {win_length}.")
    from scipy.signal import windows  # type: ignore[import-untyped]
    return to_tensor(getattr(windows, name)(int(win_length), *numbers, sym=not fftbins), dtype=dtype)
