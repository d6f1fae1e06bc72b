"""Sentences of the Penn Treebank as Mikolov prepared them (Mikolov et al. 2010)."""
from __future__ import annotations

from collections import Counter

import numpy as np

from kayax.io import local_data
from kayax.io.dataset import Dataset
from kayax.text.datasets._common import by_frequency, need_one_of

_MEMBER = "./simple-examples/data/ptb.{}.txt"


class Imikolov(Dataset):
    """Sentences as numbers of words: windows of `window_size` words, or whole sentences and the same one word later.

    data_file: ``simple-examples.tgz``; None looks where Paddle keeps its downloads. data_type: "NGRAM" (needs
    window_size) or "SEQ" (longer sentences than a positive window_size are left out). mode: "train" or "test".
    min_word_freq: words that occur more often than this are known. download: False makes the path necessary. Attribute
    word_idx: from words (bytes; str for "<s>", "<e>" and "<unk>") to numbers. Nothing is downloaded: FileNotFoundError
    says which file to put where.
    """

    def __init__(self, data_file: str | None = None, data_type: str = "NGRAM", window_size: int = -1,
                 mode: str = "train", min_word_freq: int = 50, download: bool = True):
        self.data_type, self.mode = data_type.upper(), mode.lower()
        need_one_of(self.data_type, ("NGRAM", "SEQ"), "data_type")
        need_one_of(self.mode, ("train", "test"), "mode")
        if self.data_type == "NGRAM" and window_size < 0:
            raise AssertionError(f"data_type 'NGRAM' needs a positive window_size, but got {window_size}.")
        self.window_size, self.min_word_freq = window_size, min_word_freq
        self.data_file = local_data.find(data_file, "data_file", "https://dataset.bj.bcebos.com/"
                                         "imikolov%2Fsimple-examples.tgz", "imikolov", download)
        archive = local_data.Archive(self.data_file)
        self.word_idx = self._words(archive)
        self.data = [sample for sentence in archive.read(_MEMBER.format(self.mode)).splitlines()
                     for sample in self._samples(sentence.split())]

    def _words(self, archive: local_data.Archive) -> dict:
        counts: Counter = Counter()
        for part in ("train", "valid"):
            lines = archive.read(_MEMBER.format(part)).splitlines()
            counts.update(word for line in lines for word in line.split())
            counts.update({"<s>": len(lines), "<e>": len(lines)})
        return by_frequency(counts, self.min_word_freq)

    def _samples(self, words: list[bytes]) -> list[tuple]:
        unknown = self.word_idx["<unk>"]
        start, end = self.word_idx.get("<s>", unknown), self.word_idx.get("<e>", unknown)
        numbers = [self.word_idx.get(word, unknown) for word in words]
        if self.data_type == "SEQ":
            source, target = [start, *numbers], [*numbers, end]
            return [] if 0 < self.window_size < len(source) else [(source, target)]
        whole, size = [start, *numbers, end], self.window_size
        return [tuple(whole[i:i + size]) for i in range(len(whole) - size + 1)]

    def __getitem__(self, idx: int) -> tuple[np.ndarray, ...]:
        return tuple(np.array(part) for part in self.data[idx])

    def __len__(self) -> int:
        return len(self.data)
