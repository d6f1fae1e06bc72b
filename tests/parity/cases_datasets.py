"""Datasets read from small files of the true formats."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import pickle
import struct
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np
from harness import program
from PIL import Image

TEXT = b"the cat sat down\nthe dog ran home with the cat\ncat the\n"


def pixels(*shape: int) -> np.ndarray:
    return np.random.RandomState(0).randint(0, 256, shape, dtype=np.uint8)


def picture(kind: str, *shape: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels(*shape)).save(buffer, kind)
    return buffer.getvalue()


@contextlib.contextmanager
def files(**contents: Any) -> Iterator[list[str]]:
    """Paths of files with these contents: bytes, or a dict of members for a tar archive."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for name, content in contents.items():
            path = os.path.join(folder, name + (".tgz" if isinstance(content, dict) else ""))
            paths.append(path)
            if isinstance(content, bytes):
                with open(path, "wb") as file:
                    file.write(content)
                continue
            with tarfile.open(path, "w:gz") as tar:
                for member, data in content.items():
                    info = tarfile.TarInfo(member)
                    info.size = len(data)
                    tar.addfile(info, io.BytesIO(data))
        yield paths


def samples(dataset: Any, *which: int) -> list:
    return [len(dataset), *([np.asarray(part) for part in dataset[i]] for i in which)]


def words(numbered: dict) -> list:
    ordered = sorted(numbered.items(), key=lambda item: item[1])
    return [word if isinstance(word, str) else word.decode() for word, _ in ordered]


@program("datasets/MNIST")
def mnist(P):
    idx = [gzip.compress(struct.pack(f">{1 + v.ndim}I", 0x800 + v.ndim, *v.shape) + v.tobytes())
           for v in (pixels(100, 28, 28), pixels(100) % 10)]
    with files(images=idx[0], labels=idx[1]) as paths:
        return [samples(P.vision.datasets.MNIST(*paths, backend=b), 3) for b in ("pil", "cv2")]


@program("datasets/Cifar")
def cifar(P):
    def batch(rows, key):
        return pickle.dumps({b"data": pixels(6, 3072)[rows], key: list(rows)}, 2)

    ten = {"c/data_batch_2": batch(range(3, 6), b"labels"), "c/data_batch_1": batch(range(3), b"labels")}
    with files(ten=ten, hundred={"c/train": batch(range(2), b"fine_labels")}) as paths:
        return [samples(P.vision.datasets.Cifar10(paths[0], backend="cv2"), 4),
                samples(P.vision.datasets.Cifar100(paths[1]), 1)]


@program("datasets/VOC2012")
def voc(P):
    root = "VOCdevkit/VOC2012/"
    archive = {root + "ImageSets/Segmentation/trainval.txt": b"a\nb\n",
               **{f"{root}JPEGImages/{n}.jpg": picture("jpeg", 4, 5, 3) for n in "ab"},
               **{f"{root}SegmentationClass/{n}.png": picture("png", 4, 5) for n in "ab"}}
    with files(voc=archive) as paths:
        return [samples(P.vision.datasets.VOC2012(*paths, backend=b), 1) for b in ("pil", "cv2")]


@program("datasets/UCIHousing")
def housing(P):
    table = " ".join(str(v) for v in pixels(10 * 14)).encode()
    with files(housing=table) as paths:
        return [samples(P.text.UCIHousing(*paths, mode=mode), 0, 1) for mode in ("train", "test")]


@program("datasets/Imdb")
def imdb(P):
    archive = {f"aclImdb/{mode}/{kind}/{i}.txt": TEXT.splitlines()[i] + b", Good!\n"
               for mode in ("train", "test") for kind in ("neg", "pos") for i in range(2)}
    with files(imdb=archive) as paths:
        data = P.text.Imdb(*paths, mode="test", cutoff=4)
        return [samples(data, 0, 3), words(data.word_idx)]


@program("datasets/Imikolov")
def imikolov(P):
    text = b"a b b\na a b\nb\na b c\nb\n"
    archive = {f"./simple-examples/data/ptb.{part}.txt": text for part in ("train", "valid", "test")}
    with files(ptb=archive) as paths:
        grams = P.text.Imikolov(*paths, "NGRAM", 3, min_word_freq=3)
        whole = P.text.Imikolov(*paths, "SEQ", mode="test", min_word_freq=6)
        return [samples(grams, 0, 5), words(grams.word_idx), samples(whole, 1)]


@program("datasets/WMT")
def wmt(P):
    lines = b"a b c\tx y z\nb b q\ty y w\nnot a pair\n"
    numbers = {f"wmt/{side}.dict": b"<s>\n<e>\n<unk>\n" + side_words for side, side_words in
               (("src", b"b\na\n"), ("trg", b"y\nx\n"))}
    fourteen, sixteen = {**numbers, "wmt/train/train": lines}, {f"wmt16/{m}": lines for m in ("train", "val", "test")}
    with files(fourteen=fourteen, sixteen=sixteen) as paths, tempfile.TemporaryDirectory() as home:
        if hasattr(P, "dataset"):  # Paddle writes its dictionaries there
            P.dataset.common.DATA_HOME = home
            os.mkdir(os.path.join(home, "wmt16"))
        old = P.text.WMT14(paths[0], dict_size=5)
        new = P.text.WMT16(paths[1], mode="val", src_dict_size=5, trg_dict_size=7)
        return [samples(old, 0, 1), words(old.get_dict()[1]), len(new), new[1][0], words(new.src_dict)]


@program("datasets/Movielens")
def movielens(P):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.writestr("ml-1m/movies.dat", "1::Toy (1995)::Animation\n2::Toy Toy (1996)::Animation\n")
        package.writestr("ml-1m/users.dat", "1::F::1::10::48067\n2::M::56::16::70072\n")
        package.writestr("ml-1m/ratings.dat", "".join(f"{u}::{m}::{r}::9\n" for u, m, r in
                                                      [(1, 2, 5), (2, 1, 3), (1, 1, 1)] * 4))
    with files(ml=buffer.getvalue()) as paths:
        return [samples(P.text.Movielens(*paths, mode=mode, test_ratio=0.5), 0) for mode in ("train", "test")]


@program("datasets/Conll05st")
def conll(P):
    sentence = "The cat saw dogs in trees\n".replace(" ", "\n")
    props = "- (A0* *\n- *) *\nsee (V*) *\n- (A1* (A0*)\nstay * (V*)\n- *) *\n\n"
    archive = {f"conll05st-release/test.wsj/{kind}/test.wsj.{kind}.gz": gzip.compress(text.encode())
               for kind, text in (("words", sentence + "\n"), ("props", props))}
    numbered = [b"UNK\ncat\nsaw\ndogs\nbos\neos\n", b"see\nstay\n", b"B-A0\nI-A0\nB-A1\nI-A1\nB-V\nI-V\nO\n"]
    with files(data=archive, words=numbered[0], verbs=numbered[1], labels=numbered[2], emb=b"") as paths:
        data = P.text.Conll05st(*paths)
        number = {v: k for k, v in data.get_dict()[2].items()}
        parts = [[np.asarray(part) for part in data[i]] for i in range(2)]
        return [len(data), *([*p[:-1], [number[int(n)] for n in p[-1]]] for p in parts)]
