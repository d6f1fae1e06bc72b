"""Saving and loading: time and size, with and without the gradient; and a file of parameters of a gigabyte.

    python benchmarks/model_files.py [--models lstm,bert,resnet50] [--gigabyte]

Prints the tables of docs/format.md. Every load is of a file that has been read before (it is in the page cache).
"""
from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import kayax as paddle
from kayax import nn
from kayax.static import InputSpec


class Encoder(nn.Layer):
    """A BERT-like encoder: embeddings, 4 layers, a pooled head."""

    def __init__(self, vocabulary: int = 8000, width: int = 256):
        super().__init__()
        self.words, self.places = nn.Embedding(vocabulary, width), nn.Embedding(512, width)
        self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(width, 4, 4 * width, activation="gelu"), 4)
        self.head = nn.Linear(width, 2)

    def forward(self, ids, mask):
        places = paddle.arange(ids.shape[1]).unsqueeze(0)
        bias = ((1.0 - mask) * -1e4).unsqueeze([1, 2])
        return self.head(self.encoder(self.words(ids) + self.places(places), bias)[:, 0])


class Tagger(nn.Layer):
    """A bidirectional LSTM over words."""

    def __init__(self, vocabulary: int = 8000, width: int = 256):
        super().__init__()
        self.words = nn.Embedding(vocabulary, width)
        self.rnn = nn.LSTM(width, width, num_layers=2, direction="bidirect")
        self.head = nn.Linear(2 * width, 10)

    def forward(self, ids):
        return self.head(self.rnn(self.words(ids))[0])


def resnet50() -> nn.Layer:
    from kayax.vision.models import resnet50
    return resnet50()


IDS = InputSpec(["batch", "seq"], "int64", "ids")
MODELS: dict[str, tuple[Callable[[], nn.Layer], list[InputSpec]]] = {
    "lstm": (Tagger, [IDS]),
    "bert": (Encoder, [IDS, InputSpec(["batch", "seq"], "float32", "mask")]),
    "resnet50": (resnet50, [InputSpec([None, 3, 224, 224], "float32", "image")]),
}


def size(folder: Path, suffix: str) -> float:
    return sum(path.stat().st_size for path in folder.iterdir() if path.name.endswith(suffix)) / 1e6


def seconds(call: Callable[[], object], times: int = 1) -> float:
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def compare(names: list[str]) -> None:
    """Times and sizes with the gradient and without it."""
    print("| model | trainable | save, s | programs, MB | parameters, MB | load, ms |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for name in names:
        make, specs = MODELS[name]
        net = make()
        for trainable in (True, False):
            with tempfile.TemporaryDirectory() as folder:
                prefix = f"{folder}/{name}"
                took = seconds(lambda: paddle.jit.save(net, prefix, input_spec=specs, trainable=trainable))  # noqa: B023
                load = seconds(lambda: paddle.jit.load(prefix), 5)  # noqa: B023
                programs, values = (size(Path(folder), suffix) for suffix in (".pdmodel", ".pdiparams"))
                print(f"| {name} | {'yes' if trainable else 'no'} | {took:.1f} | {programs:.2f} | {values:.1f} | "
                      f"{1e3 * load:.0f} |", flush=True)


def gigabyte() -> None:
    """Loading 2^30 bytes of parameters, and running with them."""
    net = nn.Sequential(*[nn.Linear(8192, 8192, bias_attr=False) for _ in range(4)])
    with tempfile.TemporaryDirectory() as folder:
        prefix = f"{folder}/big"
        took = seconds(lambda: paddle.jit.save(net, prefix, input_spec=[InputSpec([None, 8192])], trainable=False))
        np.save(f"{folder}/big.npy", np.zeros(1 << 28, np.float32))
        x = paddle.ones([1, 8192])
        load = seconds(lambda: paddle.jit.load(prefix), 5)
        plain = seconds(lambda: np.load(f"{folder}/big.npy"), 3)
        loaded = paddle.jit.load(prefix)
        print(f"1 GiB of parameters: save {took:.1f} s; load {1e3 * load:.1f} ms (numpy.load {1e3 * plain:.0f} ms); "
              f"first run {seconds(lambda: loaded(x).numpy()):.2f} s, with the check of every digest and compiling; "
              f"second run {seconds(lambda: loaded(x).numpy()):.3f} s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--gigabyte", action="store_true", help="also write and load a file of 1 GiB")
    options = parser.parse_args()
    compare(options.models.split(","))
    if options.gigabyte:
        gigabyte()
