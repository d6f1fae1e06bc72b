"""Errors of Fourier transforms, and what a short-time transform and its inverse give back."""
from __future__ import annotations

import numpy as np
import pytest

import kayax as paddle


def test_a_signal_comes_back_from_its_spectrogram() -> None:
    x = paddle.to_tensor(np.random.RandomState(0).standard_normal(40).astype("float32"))
    back = x.stft(8, window=paddle.hann_window(8)).istft(8, window=paddle.hann_window(8))
    np.testing.assert_allclose(back.numpy(), x.numpy(), atol=1e-5)


@pytest.mark.parametrize(("call", "error", "says"), [
    (lambda x: paddle.fft.fft(x, norm="half"), ValueError, "norm must be"),
    (lambda x: paddle.fft.fft(x, n=0), ValueError, "positive"),
    (lambda x: paddle.fft.fft(x, axis=3), ValueError, "axes"),
    (lambda x: paddle.fft.fft2(x, s=[2, 2, 2]), ValueError, "3 sizes for 2 axes"),
    (lambda x: paddle.fft.rfft(paddle.complex(x, x)), TypeError, "real"),
    (lambda x: paddle.fft.fftfreq(0), ValueError, "0"),
    (lambda x: paddle.signal.frame(x, 9, 1), ValueError, "longer than the signal"),
    (lambda x: paddle.signal.stft(x, 9), AssertionError, "n_fft"),
    (lambda x: paddle.signal.istft(x, 4), TypeError, "complex"),
    (lambda x: paddle.signal.istft(paddle.signal.stft(x, 4), 4, window=paddle.zeros([4])), ValueError, "uncovered"),
])
def test_errors(call, error, says) -> None:
    with pytest.raises(error, match=says):
        call(paddle.ones([2, 8]))
