"""Files of sound of many formats, by the soundfile package (libsndfile)."""
from __future__ import annotations

import re
from typing import Any

import numpy as np

from kayax.audio.backends.wave_backend import AudioInfo
from kayax.bridge.convert import to_tensor
from kayax.bridge.tensor import Tensor


def _soundfile() -> Any:
    import soundfile  # type: ignore[import-not-found]
    return soundfile


def info(filepath: Any) -> AudioInfo:
    """The facts of a file of sound, given by its path or as an open file."""
    facts = _soundfile().info(filepath)
    bits = re.search(r"\d+", facts.subtype)
    kind = facts.subtype.replace("PCM_U8", "PCM_U").split("_")
    return AudioInfo(facts.samplerate, facts.frames, facts.channels, int(bits.group()) if bits else 0,
                     "PCM_S" if kind[0] == "PCM" and kind[-1].isdigit() else facts.subtype)


def load(filepath: Any, frame_offset: int = 0, num_frames: int = -1, normalize: bool = True,
         channels_first: bool = True) -> tuple[Tensor, int]:
    """The sound of a file, float32 [channels, time], and samples a second: arguments as in the wave backend."""
    dtype = "float32" if normalize else "int16"
    sound, rate = _soundfile().read(filepath, num_frames, frame_offset, dtype=dtype, always_2d=True)
    return to_tensor(np.ascontiguousarray(sound.T if channels_first else sound, np.float32)), rate


def save(filepath: Any, src: Tensor, sample_rate: int, channels_first: bool = True, encoding: str | None = None,
         bits_per_sample: int | None = 16) -> None:
    """Write sound to a file whose format its name says: arguments as in the wave backend; more widths of samples."""
    if src.ndim != 2:
        raise AssertionError(f"src must be [channels, time], but its shape is {list(src.shape)}.")
    sound = src.numpy()
    subtype = encoding if encoding is not None else f"PCM_{bits_per_sample or 16}"
    _soundfile().write(filepath, sound.T if channels_first else sound, sample_rate, subtype=subtype)
