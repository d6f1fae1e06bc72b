"""Fourier transforms, frames and short-time Fourier transforms."""

from __future__ import annotations

from typing import Any

from harness import case, program, words
from specs import c64, f32, f64, ints, pos

FROM_COMPLEX, FROM_REAL = words("fft ifft hfft irfft"), words("rfft ihfft")


def each(names: list[str], **kwargs: Any) -> Any:
    return lambda P, x: [getattr(P.fft, name)(x, **kwargs) for name in names]


for suffix, one in (("", {"n": 5, "axis": 0}), ("2", {"s": [3, 5], "axes": [0, -1]}), ("n", {"axes": [1, 0]})):
    from_complex, from_real = ([n + suffix for n in names] for names in (FROM_COMPLEX, FROM_REAL))
    case(f"fft/complex{suffix}", each(from_complex), [c64(3, 4)])
    case(f"fft/complex{suffix}-sizes", each(from_complex, norm="ortho", **one), [c64(3, 4)])
    case(f"fft/real{suffix}", each([*from_complex, *from_real]), [f32(3, 4)])
    case(f"fft/real{suffix}-sizes", each(from_real, norm="forward", **one), [f32(3, 4)])
case("fft/float64", each(words("fft rfft irfft2")), [f64(2, 4)])
case("fft/int", each(words("fft rfft")), [ints(-9, 9, 6)])
case("fft/shift", lambda P, x: [P.fft.fftshift(x), P.fft.ifftshift(x, [1]), P.fft.fftshift(x, 0)], [f32(3, 4)])
case("stft", lambda P, x, w: P.signal.stft(x, 8, 3, window=w, normalized=True), [f32(2, 20), pos(8)])
case("stft/two-sided", lambda P, x, w: P.signal.stft(x, 8, 2, 5, w, center=False, onesided=False), [f32(20), pos(5)])
case("istft", lambda P, x, w: P.signal.istft(x, 8, 3, window=w, normalized=True, length=15), [c64(2, 5, 7), pos(8)])
case("istft/complex", lambda P, x: P.signal.istft(x, 8, onesided=False, return_complex=True), [c64(8, 4)])
case("istft/two-sided", lambda P, x: P.signal.istft(x, 8, onesided=False), [c64(8, 4)])
case("frame", lambda P, x: [P.signal.frame(x, 3, 2), P.signal.frame(x, 2, 1, axis=0)], [f32(3, 7)])
case("overlap_add", lambda P, x: [P.signal.overlap_add(x, 2), P.signal.overlap_add(x, 1, axis=0)], [f32(3, 4)])


@program("fft/frequencies")
def _frequencies(P: Any) -> Any:
    return [P.fft.fftfreq(5, 0.5), P.fft.fftfreq(4), P.fft.rfftfreq(5, 0.5, dtype="float64")]
