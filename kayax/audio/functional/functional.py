"""Scales of pitch and matrices of features. mel: Slaney's scale (linear up to 1 kHz), or with htk O'Shaughnessy's."""
from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np

from kayax.bridge.convert import to_tensor
from kayax.bridge.registry import op
from kayax.bridge.tensor import Tensor

_NAME = "audio.functional."
_HZ_PER_MEL = 200.0 / 3
_LOG_FROM_HZ = 1000.0
_LOG_FROM_MEL = _LOG_FROM_HZ / _HZ_PER_MEL
_STEP = math.log(6.4) / 27.0


def _to_mel(freq: Any, htk: bool, np: Any) -> Any:
    if htk:
        return 2595.0 * np.log10(1.0 + freq / 700.0)
    logarithmic = _LOG_FROM_MEL + np.log(np.maximum(freq, _LOG_FROM_HZ) / _LOG_FROM_HZ) / _STEP
    return np.where(freq > _LOG_FROM_HZ, logarithmic, freq / _HZ_PER_MEL)


def _to_hz(mel: Any, htk: bool, np: Any) -> Any:
    if htk:
        return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)
    exponential = _LOG_FROM_HZ * np.exp(_STEP * (np.maximum(mel, _LOG_FROM_MEL) - _LOG_FROM_MEL))
    return np.where(mel > _LOG_FROM_MEL, exponential, mel * _HZ_PER_MEL)


@op(name=_NAME + "hz_to_mel")
def _hz_to_mel(freq, htk):
    return _to_mel(freq, htk, jnp)


@op(name=_NAME + "mel_to_hz")
def _mel_to_hz(mel, htk):
    return _to_hz(mel, htk, jnp)


def hz_to_mel(freq: Any, htk: bool = False) -> Any:
    """Frequencies in Hz as mels: a Tensor, or a number."""
    return _hz_to_mel(freq, htk) if isinstance(freq, Tensor) else float(_to_mel(freq, htk, np))


def mel_to_hz(mel: Any, htk: bool = False) -> Any:
    """Mels as frequencies in Hz: a Tensor, or a number."""
    return _mel_to_hz(mel, htk) if isinstance(mel, Tensor) else float(_to_hz(mel, htk, np))


def _mel_line(n_mels: int, f_min: float, f_max: float, htk: bool) -> np.ndarray:
    return _to_hz(np.linspace(hz_to_mel(f_min, htk), hz_to_mel(f_max, htk), n_mels), htk, np)


def mel_frequencies(n_mels: int = 64, f_min: float = 0.0, f_max: float = 11025.0, htk: bool = False,
                    dtype: Any = "float32") -> Tensor:
    """`n_mels` frequencies in Hz, at equal distances in mel."""
    return to_tensor(_mel_line(n_mels, f_min, f_max, htk), dtype=dtype)


def fft_frequencies(sr: int, n_fft: int, dtype: Any = "float32") -> Tensor:
    """The frequencies in Hz of a spectrum of `n_fft` samples taken at `sr` Hz, [1 + n_fft // 2]."""
    return to_tensor(np.linspace(0, float(sr) / 2, 1 + n_fft // 2), dtype=dtype)


def compute_fbank_matrix(sr: int, n_fft: int, n_mels: int = 64, f_min: float = 0.0, f_max: float | None = None,
                         htk: bool = False, norm: Any = "slaney", dtype: Any = "float32") -> Tensor:
    """Triangular filters at equal distances in mel, [n_mels, 1 + n_fft // 2].

    sr: samples a second. f_min, f_max: in Hz, f_max sr / 2 by default. norm: "slaney" for filters of equal area, a
    number for rows of that p-norm 1, None for peaks of 1.
    """
    edges = _mel_line(n_mels + 2, f_min, float(sr) / 2 if f_max is None else f_max, htk)
    distance = edges[:, None] - np.linspace(0, float(sr) / 2, 1 + n_fft // 2)
    width = np.diff(edges)[:, None]
    weights = np.maximum(0, np.minimum(-distance[:-2] / width[:-1], distance[2:] / width[1:]))
    if norm == "slaney":
        weights *= (2.0 / (edges[2:] - edges[:-2]))[:, None]
    elif isinstance(norm, (int, float)):
        weights /= np.maximum(np.linalg.norm(weights, norm, axis=-1, keepdims=True), 1e-12)
    return to_tensor(weights, dtype=dtype)


@op(name=_NAME + "power_to_db", amp="log10")
def _power_to_db(spect, ref_value, amin, top_db):
    level = 10.0 * jnp.log10(jnp.maximum(spect, amin)) - 10.0 * math.log10(max(ref_value, amin))
    if top_db is None:
        return level
    flat = level.reshape(-1)                            # by its place: a maximum's gradient compares computed values
    return jnp.maximum(level, flat[jnp.argmax(flat)] - top_db)


def power_to_db(spect: Tensor, ref_value: float = 1.0, amin: float = 1e-10, top_db: float | None = 80.0) -> Tensor:
    """Power in decibels above `ref_value`; not less than `amin`, nor `top_db` below the largest."""
    for name, value in (("amin", amin), ("ref_value", ref_value)):
        if value <= 0:
            raise ValueError(f"{name} must be positive, but got {value}.")
    if top_db is not None and top_db < 0:
        raise ValueError(f"top_db must not be negative, but got {top_db}.")
    return _power_to_db(spect, float(ref_value), float(amin), None if top_db is None else float(top_db))


def create_dct(n_mfcc: int, n_mels: int, norm: str | None = "ortho", dtype: Any = "float32") -> Tensor:
    """The matrix of the discrete cosine transform of type 2, [n_mels, n_mfcc]; orthonormal, or with None unscaled."""
    if norm not in ("ortho", None):
        raise AssertionError(f"norm must be 'ortho' or None, but got {norm!r}.")
    matrix = np.cos(math.pi / n_mels * (np.arange(n_mels)[:, None] + 0.5) * np.arange(n_mfcc))
    if norm is None:
        return to_tensor(matrix * 2.0, dtype=dtype)
    matrix[:, 0] /= math.sqrt(2.0)
    return to_tensor(matrix * math.sqrt(2.0 / n_mels), dtype=dtype)
