"""Frames of a signal and short-time Fourier transforms: `paddle.signal`."""
from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kayax.bridge.errors import ArgumentError
from kayax.bridge.ops.promotion import rank
from kayax.bridge.registry import attach, op
from kayax.bridge.staging import staged
from kayax.bridge.tensor import Tensor


def _positive(value: Any, name: str) -> None:
    if not isinstance(value, int) or value <= 0:
        raise ValueError(f"{name} must be a positive int, but got {value!r}.")


def _ends(axis: int) -> None:
    if axis not in (0, -1):
        raise ValueError(f"axis must be 0 or -1, but got {axis!r}.")


def _places(length: int, hop: int, frames: int) -> np.ndarray:
    """Where the samples of the frames lie in the signal: [frames, length]."""
    return np.arange(frames)[:, None] * hop + np.arange(length)


def _framed(x: Any, length: int, hop: int) -> Any:
    """The frames of the last axis: [..., frames, length]."""
    if length > x.shape[-1]:
        raise ValueError(f"The frame of {length} samples is longer than the signal of {x.shape[-1]}.")
    return x[..., _places(length, hop, 1 + (x.shape[-1] - length) // hop)]


def _overlapped(frames: Any, hop: int) -> Any:
    """The sum of frames [..., frames, length] laid `hop` samples apart."""
    count, length = frames.shape[-2:]
    out = jnp.zeros((*frames.shape[:-2], (count - 1) * hop + length), frames.dtype)
    return out.at[..., _places(length, hop, count)].add(frames)


@op(name="signal.frame")
def frame(x, frame_length, hop_length, axis=-1, name=None):
    """The overlapping frames of a signal: [..., frame_length, frames] of its last axis, [frames, frame_length, ...] of
    its first one."""
    _ends(axis)
    _positive(frame_length, "frame_length")
    _positive(hop_length, "hop_length")
    if axis == 0:
        return jnp.moveaxis(_framed(jnp.moveaxis(x, 0, -1), frame_length, hop_length), (-2, -1), (0, 1))
    return jnp.swapaxes(_framed(x, frame_length, hop_length), -1, -2)


@op(name="signal.overlap_add")
def overlap_add(x, hop_length, axis=-1, name=None):
    """A signal from its overlapping frames, which are added up: the shapes are those of `frame`."""
    _ends(axis)
    _positive(hop_length, "hop_length")
    if axis == 0:
        return jnp.moveaxis(_overlapped(jnp.moveaxis(x, (0, 1), (-2, -1)), hop_length), -1, 0)
    return _overlapped(jnp.swapaxes(x, -1, -2), hop_length)


def _sizes(n_fft: int, hop: int | None, length: int | None) -> tuple[int, int]:
    hop = n_fft // 4 if hop is None else hop
    length = n_fft if length is None else length
    if hop <= 0:
        raise AssertionError(f"hop_length must be positive, but got {hop}.")
    if not 0 < length <= n_fft:
        raise AssertionError(f"win_length must be in (0, {n_fft}] (n_fft), but got {length}.")
    return hop, length


def _window(window: Any, length: int, n_fft: int, dtype: Any) -> Any:
    """The window, centred among zeros if it is shorter than the frames."""
    if window is None:
        window = jnp.ones(length, dtype)
    elif window.shape != (length,):
        raise AssertionError(f"window must have the shape [{length}] (win_length), but got {list(window.shape)}.")
    before = (n_fft - length) // 2
    return jnp.pad(window, (before, n_fft - length - before))


@op(name="signal.stft", method=True)
def stft(x, n_fft, hop_length=None, win_length=None, window=None, center=True, pad_mode="reflect", normalized=False,
         onesided=None, name=None):
    """The short-time Fourier transform of signals [time] or [batch, time]: [..., frequencies, frames].

    n_fft: samples of a frame. hop_length: between frames, ``n_fft // 4`` if None. window: [win_length], ones if None.
    center: fill up both ends with n_fft // 2 samples ("reflect" or "constant"), so that frames are centred. normalized:
    divide by the root of n_fft. onesided: the non-negative frequencies alone, which is so if None and all is real.
    """
    hop, length = _sizes(n_fft, hop_length, win_length)
    if x.ndim not in (1, 2):
        raise AssertionError(f"x must have 1 or 2 dimensions, but its shape is {list(x.shape)}.")
    if not 0 < n_fft <= x.shape[-1]:
        raise AssertionError(f"n_fft must be in (0, {x.shape[-1]}] (the signal's length), but got {n_fft}.")
    window = _window(window, length, n_fft, x.dtype)
    if center:
        if pad_mode not in ("reflect", "constant"):
            raise AssertionError(f'pad_mode must be "reflect" or "constant", but got {pad_mode!r}.')
        x = jnp.pad(x, [(0, 0)] * (x.ndim - 1) + [(n_fft // 2,) * 2], mode=pad_mode)
    frames = _framed(x, n_fft, hop) * window
    whole = rank(frames.dtype) == 3
    if onesided and whole:
        raise AssertionError("onesided needs a real signal and a real window: a complex one has two sides.")
    half = not whole if onesided is None else onesided
    out = (jnp.fft.rfft if half else jnp.fft.fft)(frames, norm="ortho" if normalized else None)
    return jnp.swapaxes(out, -1, -2)


def _check_istft(x: Tensor, n_fft: int, hop: int | None, length: int | None, onesided: bool) -> None:
    if rank(x.dtype.numpy) != 3:
        raise ArgumentError(f"x must be complex, as stft gives it, but got {x.dtype.name}.")
    if x.ndim not in (2, 3) or not x.size:
        raise AssertionError(f"x must be [frequencies, frames] or [batch, frequencies, frames] and not empty, but its "
                             f"shape is {x.shape}.")
    hop, length = _sizes(n_fft, hop, length)
    if hop > length:
        raise AssertionError(f"hop_length must not exceed win_length {length}, but got {hop}: there would be gaps.")
    rows = n_fft // 2 + 1 if onesided else n_fft
    if x.shape[-2] != rows:
        raise AssertionError(f"With n_fft={n_fft} and onesided={onesided} x must have {rows} frequencies, but its "
                             f"shape is {x.shape}.")


@op(name="signal.istft", residuals=True)
def _istft(x, window, n_fft, hop, win_length, center, normalized, length, kind):
    norm = "ortho" if normalized else None
    spectra = jnp.swapaxes(x, -1, -2)
    window = _window(window, win_length, n_fft, jnp.real(x).dtype)
    frames = jnp.fft.ifft(spectra, norm=norm) if kind == "complex" else (
        jnp.fft.irfft(spectra[..., :n_fft // 2 + 1], n_fft if kind == "onesided" else None, norm=norm))
    out = _overlapped(frames * window, hop)
    envelope = _overlapped(jnp.broadcast_to(window * window, (x.shape[-1], n_fft)), hop)
    start = n_fft // 2 if center else 0
    stop = start + length if length is not None else out.shape[-1] - start
    out, envelope = out[..., start:stop], envelope[start:stop]
    return out / envelope, jax.lax.stop_gradient(jnp.abs(envelope).min())


@staged
def istft(x: Tensor, n_fft: int, hop_length: int | None = None, win_length: int | None = None,
          window: Tensor | None = None, center: bool = True, normalized: bool = False, onesided: bool = True,
          length: int | None = None, return_complex: bool = False, name: str | None = None) -> Tensor:
    """The signals [..., time] whose `stft` is `x` [..., frequencies, frames], by least squares (Griffin and Lim 1984).

    The arguments are those of `stft`. length: samples of the result, else as many as the frames cover. return_complex:
    a complex signal, from both sides of the spectrum. Windows that leave a sample uncovered are a ValueError (inf or
    nan in a program).
    """
    _check_istft(x, n_fft, hop_length, win_length, onesided)
    if return_complex and onesided:
        raise AssertionError("return_complex needs onesided=False: half of a spectrum gives a real signal.")
    if window is not None and not return_complex and rank(window.dtype.numpy) == 3:
        raise AssertionError("A complex window needs return_complex=True.")
    hop, win_length = _sizes(n_fft, hop_length, win_length)
    kind = "complex" if return_complex else "onesided" if onesided else "twosided"
    out, least = _istft(x, window, n_fft, hop, win_length, center, normalized, length, kind)
    if not isinstance(least.storage.array, jax.core.Tracer) and float(least) < 1e-11:
        raise ValueError("The windows leave samples uncovered (their squares add up to 0 there), so that no signal can "
                         "be found. Use a smaller hop_length, center=True, or another window.")
    return out


attach("istft", istft)

SIGNAL = ["frame", "istft", "overlap_add", "stft"]
