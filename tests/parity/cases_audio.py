"""audio and text: features, windows, pitch scales; Viterbi decoding."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from harness import case, layer, program, words
from specs import const, f32, pos

A = "audio.functional."
for window in [*words("hann hamming blackman bartlett bohman cosine nuttall taylor triang tukey"), ("gaussian", 3.0),
               ("kaiser", 4.0), ("exponential", None, 2.0), ("general_gaussian", 1.5, 3.0), ("tukey", 0.3)]:
    for length, periodic in ((7, True), (8, False)):
        case(f"{A}get_window/{window}/{length}", lambda P, w=window, n=length, p=periodic:
             P.audio.functional.get_window(w, n, p), static="no input")

FREQUENCIES = pos(6, low=100.0, high=4000.0)
for htk in (False, True):
    case(f"{A}hz_to_mel/{htk}", lambda P, x, h=htk: P.audio.functional.hz_to_mel(x, h), [FREQUENCIES])
    case(f"{A}mel_to_hz/{htk}", lambda P, x, h=htk: P.audio.functional.mel_to_hz(x, h), [pos(6, low=1.0, high=40.0)])


@program(A + "matrices")
def matrices(P):
    F = P.audio.functional
    return (F.hz_to_mel(440.0), F.hz_to_mel(4400.0), F.mel_to_hz(10.0), F.mel_to_hz(30.0, True), F.mel_frequencies(5),
            F.fft_frequencies(8000, 16), F.compute_fbank_matrix(8000, 64, 6), F.create_dct(4, 6),
            F.compute_fbank_matrix(8000, 64, 6, 50.0, 3000.0, True, 2.0), F.create_dct(4, 6, None))


case(A + "power_to_db", lambda P, x: P.audio.functional.power_to_db(x), [pos(3, 4)])
case(A + "power_to_db/options", lambda P, x: P.audio.functional.power_to_db(x, 2.0, 0.5, 3.0), [pos(3, 4)],
     static="converted above")

SOUND = f32(2, 40)
for name, options in {
    "Spectrogram": {"n_fft": 16, "hop_length": 8},
    "MFCC": {"sr": 8000, "n_mfcc": 3, "n_fft": 16, "win_length": 12, "n_mels": 4, "top_db": 40.0},
}.items():
    layer(f"audio.features.{name}", lambda P, n=name, o=options: getattr(P.audio.features, n)(**o), [SOUND],
          grad_rtol=1e-3, grad_atol=1e-3, static=name == "MFCC" or "part of MFCC")


@program("audio.save-load", [f32(2, 9)])
def save_load(P, sound):
    file = io.BytesIO()
    file.close = lambda: None  # Paddle closes what it is given
    P.audio.save(file, P.to_tensor(0.3 * np.tanh(sound)), 8000)
    data = file.getvalue()
    load = P.audio.load
    facts = P.audio.info(io.BytesIO(data))
    return [np.frombuffer(data, np.uint8), *load(io.BytesIO(data)), load(io.BytesIO(data), 2, 4, False, False)[0],
            np.array([facts.sample_rate, facts.num_samples, facts.num_channels, facts.bits_per_sample]), facts.encoding]


def decode(P: Any, emitted: Any, moves: Any, lengths: Any, tags: bool) -> Any:
    return P.text.viterbi_decode(emitted, moves, lengths, tags)


LENGTHS = const([3, 1, 4], "int64")
for tags in (True, False):
    case(f"text.viterbi_decode/{tags}", lambda P, x, m, n, t=tags: decode(P, x, m, n, t),
         [f32(3, 5, 4).fixed(), f32(4, 4).fixed(), LENGTHS], static="the shape depends on values")
layer("text.ViterbiDecoder", lambda P: P.text.ViterbiDecoder(P.to_tensor(np.eye(4, dtype="float32"))),
      [f32(3, 5, 4).fixed(), const([5, 2, 4], "int64")], static="the shape depends on values")
