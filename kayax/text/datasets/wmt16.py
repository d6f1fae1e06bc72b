"""Descriptions of images in English and German (WMT 2016, Multi30K), as numbers of words."""
from __future__ import annotations

from collections import Counter
from typing import Any

from kayax.io import local_data
from kayax.text.datasets._common import need_one_of, numbered, reversed_dict
from kayax.text.datasets.wmt14 import Translation, pairs

_MARKS = ("<s>", "<e>", "<unk>")
_MOST = {"en": 11250, "de": 19220}                                  # words in the training set


class WMT16(Translation):
    """Sentences in English and German.

    data_file: ``wmt16.tar.gz``; None looks where Paddle keeps its downloads. mode: "train", "test" or "val".
    src_dict_size,
    trg_dict_size: how many words are known, the most frequent ones and three marks. lang: the source, "en" or "de".
    download: False makes the path necessary. Attributes src_dict, trg_dict: from words to numbers; in Paddle both are
    of the source's language. Nothing is downloaded: FileNotFoundError says which file to put where.
    """

    def __init__(self, data_file: str | None = None, mode: str = "train", src_dict_size: int = -1,
                 trg_dict_size: int = -1, lang: str = "en", download: bool = True):
        super().__init__()
        self.mode, self.lang = mode.lower(), lang
        need_one_of(self.mode, ("train", "test", "val"), "mode")
        need_one_of(lang, ("en", "de"), "lang")
        self.data_file = local_data.find(data_file, "data_file", "http://paddlemodels.bj.bcebos.com/wmt/wmt16.tar.gz",
                                         "wmt16", download)
        if min(src_dict_size, trg_dict_size) <= 0:
            raise AssertionError("src_dict_size and trg_dict_size must be positive, but got "
                                 f"{src_dict_size} and {trg_dict_size}.")
        source, target = (0, 1) if lang == "en" else (1, 0)
        self.src_dict_size = min(src_dict_size, _MOST["en" if lang == "en" else "de"])
        self.trg_dict_size = min(trg_dict_size, _MOST["de" if lang == "en" else "en"])
        archive = local_data.Archive(self.data_file)
        training = pairs(archive.read("wmt16/train"))
        self.src_dict = _words([pair[source] for pair in training], src_dict_size)
        self.trg_dict = _words([pair[target] for pair in training], trg_dict_size)
        start, end, unknown = range(3)
        for pair in pairs(archive.read(f"wmt16/{self.mode}")):
            ids = [self.src_dict.get(word, unknown) for word in pair[source].split()]
            target_ids = [self.trg_dict.get(word, unknown) for word in pair[target].split()]
            self._add([start, *ids, end], target_ids, start, end)

    def get_dict(self, lang: str, reverse: bool = False) -> dict[Any, Any]:
        """The numbers of a language's words, or with `reverse` the words of the numbers."""
        words = self.src_dict if lang == self.lang else self.trg_dict
        return reversed_dict(words) if reverse else words


def _words(sentences: list[str], size: int) -> dict[str, int]:
    """The marks, then the most frequent words, `size` in all."""
    counts = Counter(word for sentence in sentences for word in sentence.split())
    return numbered([*_MARKS, *(word for word, _ in counts.most_common(max(size - 3, 0)))])
