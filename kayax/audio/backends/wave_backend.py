"""WAV files of whole numbers, by the standard library."""
from __future__ import annotations

import wave
from dataclasses import dataclass
from typing import Any

import numpy as np

from kayax.bridge.convert import to_tensor
from kayax.bridge.tensor import Tensor


@dataclass
class AudioInfo:
    """Facts of a file of sound: samples a second, samples of a channel, channels, bits of a sample, encoding."""

    sample_rate: int
    num_samples: int
    num_channels: int
    bits_per_sample: int
    encoding: str


def _open(filepath: Any) -> wave.Wave_read:
    try:
        return wave.open(filepath if hasattr(filepath, "read") else str(filepath), "rb")
    except (wave.Error, EOFError) as error:
        raise NotImplementedError(
            f"{filepath} is no WAV file of whole numbers ({error}). For others pip install soundfile and "
            "call paddle.audio.backends.set_backend('soundfile').") from None


def info(filepath: Any) -> AudioInfo:
    """The facts of a WAV file, given by its path or as an open file."""
    with _open(filepath) as file:
        return AudioInfo(file.getframerate(), file.getnframes(), file.getnchannels(), file.getsampwidth() * 8, "PCM_S")


def _samples(data: bytes, width: int) -> np.ndarray:
    """Whole numbers of `width` bytes, as int32 of the same meaning; bytes are unsigned in a WAV file."""
    if width == 1:
        return np.frombuffer(data, np.uint8).astype(np.int32) - 128
    if width == 3:
        padded = np.zeros((len(data) // 3, 4), np.uint8)
        padded[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        return padded.view("<i4")[:, 0] >> 8
    return np.frombuffer(data, f"<i{width}").astype(np.int32)


def load(filepath: Any, frame_offset: int = 0, num_frames: int = -1, normalize: bool = True,
         channels_first: bool = True) -> tuple[Tensor, int]:
    """The sound of a WAV file, float32 [channels, time] (else [time, channels]), and samples a second.

    filepath: a path or an open file. frame_offset, num_frames: which part (-1: to the end). normalize: from -1 to 1,
    else the whole numbers. Samples of 8 to 32 bits; Paddle reads 16 alone.
    """
    with _open(filepath) as file:
        width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
        file.setpos(min(frame_offset, file.getnframes()))
        data = file.readframes(file.getnframes() if num_frames == -1 else num_frames)
    sound = _samples(data, width).reshape(-1, channels)
    sound = (sound / 2.0 ** (8 * width - 1) if normalize else sound).astype(np.float32)
    return to_tensor(np.ascontiguousarray(sound.T) if channels_first else sound), rate


def save(filepath: Any, src: Tensor, sample_rate: int, channels_first: bool = True, encoding: str | None = None,
         bits_per_sample: int | None = 16) -> None:
    """Write sound to a WAV file of 16 bits.

    src: [channels, time], or without `channels_first` [time, channels]; floats from -1 to 1 (cut at their ends), or
    int16.
    """
    if src.ndim != 2:
        raise AssertionError(f"src must be [channels, time], but its shape is {list(src.shape)}.")
    if bits_per_sample not in (None, 16):
        raise ValueError(f"bits_per_sample must be 16, but got {bits_per_sample}.")
    sound = src.numpy()
    sound = sound.T if channels_first else sound
    if sound.dtype.kind == "f":
        sound = np.clip(sound * 2.0 ** 15, -2 ** 15, 2 ** 15 - 1)
    with wave.open(filepath if hasattr(filepath, "write") else str(filepath), "wb") as file:
        file.setnchannels(sound.shape[1])
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(np.ascontiguousarray(sound.astype("<i2")).tobytes())
