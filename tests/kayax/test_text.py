"""Errors of paddle.text, and where its datasets differ from Paddle's. Values are compared in tests/parity."""
import io
import tarfile

import pytest

import kayax as paddle


def test_decoding_cannot_be_part_of_a_program():
    decode = paddle.jit.to_static(lambda x, m, n: paddle.text.viterbi_decode(x, m, n), full_graph=True)
    with pytest.raises(RuntimeError, match="as long as the longest of `lengths`"):
        decode(paddle.ones([1, 2, 3]), paddle.ones([3, 3]), paddle.to_tensor([2]))
    with pytest.raises(ValueError, match=r"\[batch, steps, tags\]"):
        paddle.text.viterbi_decode(paddle.ones([1, 2, 3]), paddle.ones([2, 3]), paddle.to_tensor([2]))


def test_wmt16_has_a_dictionary_for_each_language(tmp_path):
    with tarfile.open(tmp_path / "wmt16.tar.gz", "w:gz") as tar:
        for name in ("train", "val"):
            info = tarfile.TarInfo(f"wmt16/{name}")
            info.size = len(b"a b\tx y y\n")
            tar.addfile(info, io.BytesIO(b"a b\tx y y\n"))
    data = paddle.text.WMT16(str(tmp_path / "wmt16.tar.gz"), "val", 9, 9, "de")
    assert list(data.src_dict) == ["<s>", "<e>", "<unk>", "y", "x"]
    assert data.get_dict("en", reverse=True)[3] == "a" and data.get_dict("de")["y"] == 3
    assert [part.tolist() for part in data[0]] == [[0, 4, 3, 3, 1], [0, 3, 4], [3, 4, 1]]


def test_arguments_of_datasets():
    with pytest.raises(AssertionError, match="needs a positive window_size"):
        paddle.text.Imikolov("x", "NGRAM")
    with pytest.raises(FileNotFoundError, match="does not exist"):
        paddle.text.UCIHousing("nowhere")
    with pytest.raises(AssertionError, match="mode must be one of train, test"):
        paddle.text.Imdb("x", mode="dev")
