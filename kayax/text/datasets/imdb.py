"""Reviews of films, good and bad (Maas et al. 2011)."""
from __future__ import annotations

import string
from collections import Counter

import numpy as np

from kayax.io import local_data
from kayax.io.dataset import Dataset
from kayax.text.datasets._common import by_frequency, need_one_of

_PUNCTUATION = string.punctuation.encode("latin-1")


class Imdb(Dataset):
    """25,000 reviews to train on, 25,000 to test with: the numbers of their words, and 0 for good, 1 for bad.

    data_file: ``aclImdb_v1.tar.gz``; None looks where Paddle keeps its downloads. mode: "train" or "test". cutoff:
    words that occur more often than this are known. download: False makes the path necessary. Attribute word_idx: from
    words (bytes) to numbers. Nothing is downloaded: FileNotFoundError says which file to put where.
    """

    def __init__(self, data_file: str | None = None, mode: str = "train", cutoff: int = 150, download: bool = True):
        self.mode = mode.lower()
        need_one_of(self.mode, ("train", "test"), "mode")
        self.data_file = local_data.find(data_file, "data_file", "https://dataset.bj.bcebos.com/"
                                         "imdb%2FaclImdb_v1.tar.gz", "imdb", download)
        texts = _texts(self.data_file)
        counts = Counter(word for _, words in texts for word in words)
        self.word_idx = by_frequency(counts, cutoff)
        unknown = self.word_idx["<unk>"]
        self.docs, self.labels = [], []
        for label, kind in enumerate(("pos", "neg")):
            chosen = [words for name, words in texts if name.startswith(f"aclImdb/{self.mode}/{kind}/")]
            self.docs += [[self.word_idx.get(word, unknown) for word in words] for words in chosen]
            self.labels += [label] * len(chosen)

    def __getitem__(self, idx: int) -> tuple[np.ndarray, np.ndarray]:
        return np.array(self.docs[idx]), np.array([self.labels[idx]])

    def __len__(self) -> int:
        return len(self.docs)


def _texts(path: str) -> list[tuple[str, list[bytes]]]:
    """The name and the words, in lower case without punctuation, of each review."""
    archive = local_data.Archive(path)
    parts = tuple(f"aclImdb/{mode}/{kind}/" for mode in ("train", "test") for kind in ("pos", "neg"))
    return [(name, archive.read(name).rstrip(b"\n\r").translate(None, _PUNCTUATION).lower().split())
            for name in archive.members if name.startswith(parts) and name.endswith(".txt")]
