"""Sound from files and datasets: what Paddle cannot do, and errors. Values are compared in tests/parity."""
import io
import os
import wave

import numpy as np
import pytest

import kayax as paddle
from kayax.io import local_data


def wav(samples, width, path=None):
    """A WAV file of one channel with these bytes of samples."""
    file = io.BytesIO() if path is None else str(path)
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(width)
        out.setframerate(8000)
        out.writeframes(samples)
    return file if path is not None else io.BytesIO(file.getvalue())


@pytest.mark.parametrize("width, data, expected", [
    (1, bytes([0, 128, 192]), [-1, 0, 0.5]),
    (2, np.array([-2 ** 15, 0, 2 ** 14], "<i2").tobytes(), [-1, 0, 0.5]),
    (3, bytes([0, 0, 0x80, 0, 0, 0, 0, 0, 0x40]), [-1, 0, 0.5]),
    (4, np.array([-2 ** 31, 0, 2 ** 30], "<i4").tobytes(), [-1, 0, 0.5]),
])
def test_samples_of_every_width(width, data, expected):
    sound, rate = paddle.audio.load(wav(data, width))
    np.testing.assert_array_equal(sound.numpy(), [expected])
    assert rate == 8000


def test_loud_sound_is_cut_and_not_wrapped():
    file = io.BytesIO()
    paddle.audio.save(file, paddle.to_tensor([[2.0, -2.0]]), 8000)
    np.testing.assert_allclose(paddle.audio.load(io.BytesIO(file.getvalue()))[0].numpy(), [[1, -1]], atol=1e-4)


def test_errors():
    with pytest.raises(NotImplementedError, match="no WAV file"):
        paddle.audio.load(io.BytesIO(b"OggS" * 20))
    with pytest.raises(NotImplementedError, match="pip install soundfile"):
        paddle.audio.backends.set_backend("sox")
    with pytest.raises(ValueError, match="must be one of bartlett"):
        paddle.audio.functional.get_window("round", 4)
    with pytest.raises(ValueError, match="needs numbers"):
        paddle.audio.functional.get_window("kaiser", 4)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setattr(local_data, "HOME", str(tmp_path))
    return tmp_path


def test_esc50(home):
    with pytest.raises(FileNotFoundError, match=r"(?s)ESC-50-master.*unpack it"):
        paddle.audio.datasets.ESC50()
    os.makedirs(home / "ESC-50-master" / "audio")
    os.makedirs(home / "ESC-50-master" / "meta")
    (home / "ESC-50-master" / "meta" / "esc50.csv").write_text(
        "filename,fold,target,category,esc10,src_file,take\na.wav,1,3,x,True,1,A\nb.wav,2,4,x,True,1,A\n")
    for name in "ab":
        wav(bytes(80), 2, home / "ESC-50-master" / "audio" / f"{name}.wav")
    data = paddle.audio.datasets.ESC50(mode="train", split=1)
    assert len(data) == 1 and data[0][0].shape == [40] and data[0][1] == 4
    feature = paddle.audio.datasets.ESC50(mode="dev", feat_type="spectrogram", n_fft=16, hop_length=8)[0][0]
    assert feature.shape == [9, 6]


def test_tess(home):
    folder = home / "TESS_Toronto_emotional_speech_set" / "OAF_angry"
    os.makedirs(folder)
    for name in ("OAF_back_angry", "OAF_bar_sad", "OAF_base_ps"):
        wav(bytes(80), 2, folder / f"{name}.wav")
    assert paddle.audio.datasets.TESS(mode="train", n_folds=3, split=2).labels == [0, 5]
    with pytest.raises(AssertionError, match="from 1 to 3"):
        paddle.audio.datasets.TESS(n_folds=3, split=4)
