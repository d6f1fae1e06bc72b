"""Spectra of sound as Layers: each is one on top of another, and their matrices are buffers."""
from __future__ import annotations

from typing import Any

from kayax.audio.functional import compute_fbank_matrix, create_dct, get_window, power_to_db
from kayax.bridge.ops.linalg import matmul
from kayax.bridge.ops.spectrogram import stft
from kayax.layers.layer import Layer


class Spectrogram(Layer):
    """The magnitudes of the short-time Fourier transform to the power `power`.

    n_fft: samples of a frame; hop_length: between frames, win_length: of the window (None: n_fft), window: see
    `get_window`; center, pad_mode: see `paddle.signal.stft`. Sound [time] or [N, time] gives [..., 1 + n_fft // 2,
    frames].
    """

    def __init__(self, n_fft: int = 512, hop_length: int | None = 512, win_length: int | None = None,
                 window: Any = "hann", power: float = 1.0, center: bool = True, pad_mode: str = "reflect",
                 dtype: str = "float32"):
        super().__init__()
        if power <= 0:
            raise AssertionError(f"power must be positive, but got {power}.")
        self.power = power
        self._frames = {"n_fft": n_fft, "hop_length": hop_length, "win_length": win_length or n_fft,
                        "center": center, "pad_mode": pad_mode}
        self.register_buffer("fft_window", get_window(window, win_length or n_fft, fftbins=True, dtype=dtype))

    def forward(self, x: Any) -> Any:
        """[..., frequencies, frames] of sound [..., time]."""
        return stft(x, window=self.fft_window, **self._frames).abs() ** self.power


class MelSpectrogram(Layer):
    """A `Spectrogram` through filters at equal distances in mel: see `compute_fbank_matrix`; f_max None is sr // 2."""

    def __init__(self, sr: int = 22050, n_fft: int = 2048, hop_length: int | None = 512,
                 win_length: int | None = None, window: Any = "hann", power: float = 2.0, center: bool = True,
                 pad_mode: str = "reflect", n_mels: int = 64, f_min: float = 50.0, f_max: float | None = None,
                 htk: bool = False, norm: Any = "slaney", dtype: str = "float32"):
        super().__init__()
        self._spectrogram = Spectrogram(n_fft, hop_length, win_length, window, power, center, pad_mode, dtype)
        self.n_mels, self.f_min, self.htk, self.norm = n_mels, f_min, htk, norm
        self.f_max = sr // 2 if f_max is None else f_max
        filters = compute_fbank_matrix(sr, n_fft, n_mels, f_min, self.f_max, htk, norm, dtype)
        self.register_buffer("fbank_matrix", filters)

    def forward(self, x: Any) -> Any:
        """[..., n_mels, frames] of sound [..., time]."""
        return matmul(self.fbank_matrix, self._spectrogram(x))


class LogMelSpectrogram(Layer):
    """A `MelSpectrogram` in decibels: see `power_to_db`."""

    def __init__(self, sr: int = 22050, n_fft: int = 512, hop_length: int | None = None,
                 win_length: int | None = None, window: Any = "hann", power: float = 2.0, center: bool = True,
                 pad_mode: str = "reflect", n_mels: int = 64, f_min: float = 50.0, f_max: float | None = None,
                 htk: bool = False, norm: Any = "slaney", ref_value: float = 1.0, amin: float = 1e-10,
                 top_db: float | None = None, dtype: str = "float32"):
        super().__init__()
        self._melspectrogram = MelSpectrogram(sr, n_fft, hop_length, win_length, window, power, center, pad_mode,
                                              n_mels, f_min, f_max, htk, norm, dtype)
        self.ref_value, self.amin, self.top_db = ref_value, amin, top_db

    def forward(self, x: Any) -> Any:
        """[..., n_mels, frames] of sound [..., time]."""
        return power_to_db(self._melspectrogram(x), self.ref_value, self.amin, self.top_db)


class MFCC(Layer):
    """The first `n_mfcc` cosine coefficients of each frame of a `LogMelSpectrogram` (Davis and Mermelstein 1980)."""

    def __init__(self, sr: int = 22050, n_mfcc: int = 40, n_fft: int = 512, hop_length: int | None = None,
                 win_length: int | None = None, window: Any = "hann", power: float = 2.0, center: bool = True,
                 pad_mode: str = "reflect", n_mels: int = 64, f_min: float = 50.0, f_max: float | None = None,
                 htk: bool = False, norm: Any = "slaney", ref_value: float = 1.0, amin: float = 1e-10,
                 top_db: float | None = None, dtype: str = "float32"):
        super().__init__()
        if n_mfcc > n_mels:
            raise AssertionError(f"n_mfcc must be at most n_mels, but got {n_mfcc} and {n_mels}.")
        self._log_melspectrogram = LogMelSpectrogram(sr, n_fft, hop_length, win_length, window, power, center,
                                                     pad_mode, n_mels, f_min, f_max, htk, norm, ref_value, amin, top_db,
                                                     dtype)
        self.register_buffer("dct_matrix", create_dct(n_mfcc, n_mels, dtype=dtype))

    def forward(self, x: Any) -> Any:
        """[N, n_mfcc, frames] of sound [N, time]."""
        return matmul(self.dct_matrix, self._log_melspectrogram(x), transpose_x=True)
