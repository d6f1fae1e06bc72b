"""Sentences in English and French (WMT 2014), as numbers of words."""
from __future__ import annotations

from typing import Any

import numpy as np

from kayax.io import local_data
from kayax.io.dataset import Dataset
from kayax.text.datasets._common import need_one_of, numbered, reversed_dict

_START, _END, _UNKNOWN = "<s>", "<e>", 2
_LONGEST = 80


class Translation(Dataset):
    """Pairs of sentences: the source, the target, and the target one word later, as int arrays."""

    def __init__(self) -> None:
        self.src_ids: list[list[int]] = []
        self.trg_ids: list[list[int]] = []
        self.trg_ids_next: list[list[int]] = []

    def _add(self, source: list[int], target: list[int], start: int, end: int) -> None:
        self.src_ids.append(source)
        self.trg_ids.append([start, *target])
        self.trg_ids_next.append([*target, end])

    def __getitem__(self, idx: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return np.array(self.src_ids[idx]), np.array(self.trg_ids[idx]), np.array(self.trg_ids_next[idx])

    def __len__(self) -> int:
        return len(self.src_ids)


def pairs(text: bytes) -> list[list[str]]:
    """The two sentences of each line that has two, separated by a tabulator."""
    split = (line.strip().split("\t") for line in text.decode().splitlines())
    return [pair for pair in split if len(pair) == 2]


class WMT14(Translation):
    """Sentences of at most 80 words, English to French.

    data_file: ``wmt14.tgz``; None looks where Paddle keeps its downloads. mode: "train", "test" or "gen". dict_size:
    how many words are known, the most frequent ones. download: False makes the path necessary. Attributes src_dict,
    trg_dict: from words to numbers. Nothing is downloaded: FileNotFoundError says which file to put where.
    """

    def __init__(self, data_file: str | None = None, mode: str = "train", dict_size: int = -1, download: bool = True):
        super().__init__()
        self.mode = mode.lower()
        need_one_of(self.mode, ("train", "test", "gen"), "mode")
        self.data_file = local_data.find(data_file, "data_file", "http://paddlemodels.bj.bcebos.com/wmt/wmt14.tgz",
                                         "wmt14", download)
        if dict_size <= 0:
            raise AssertionError(f"dict_size must be positive, but got {dict_size}.")
        self.dict_size = dict_size
        archive = local_data.Archive(self.data_file)
        self.src_dict, self.trg_dict = (self._words(archive, f"{side}.dict") for side in ("src", "trg"))
        for name in archive.members:
            if name.endswith(f"{self.mode}/{self.mode}"):
                self._load(archive.read(name))

    def _words(self, archive: local_data.Archive, end: str) -> dict[str, int]:
        name = next((name for name in archive.members if name.endswith(end)), end)
        return numbered(line.strip() for line in archive.lines(name)[:self.dict_size])

    def _load(self, text: bytes) -> None:
        for source, target in pairs(text):
            ids = [self.src_dict.get(word, _UNKNOWN) for word in (_START, *source.split(), _END)]
            target_ids = [self.trg_dict.get(word, _UNKNOWN) for word in target.split()]
            if max(len(ids), len(target_ids)) <= _LONGEST:
                self._add(ids, target_ids, self.trg_dict[_START], self.trg_dict[_END])

    def get_dict(self, reverse: bool = False) -> tuple[dict[Any, Any], dict[Any, Any]]:
        """The numbers of the words of both languages, or with `reverse` the words of the numbers."""
        both = self.src_dict, self.trg_dict
        return (reversed_dict(both[0]), reversed_dict(both[1])) if reverse else both
