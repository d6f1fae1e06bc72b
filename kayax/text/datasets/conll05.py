"""Sentences with the roles of their parts (CoNLL-2005, Carreras and Marquez 2005): the public test set."""
from __future__ import annotations

import gzip
import itertools

import numpy as np

from kayax.io import local_data
from kayax.io.dataset import Dataset
from kayax.text.datasets._common import numbered

_URL = "http://paddlemodels.bj.bcebos.com/conll05st/"
_FILES = {"data_file": "conll05st-tests.tar.gz", "word_dict_file": "conll05st%2FwordDict.txt",
          "verb_dict_file": "conll05st%2FverbDict.txt", "target_dict_file": "conll05st%2FtargetDict.txt",
          "emb_file": "conll05st%2Femb"}
_PART = "conll05st-release/test.wsj/{0}/test.wsj.{0}.gz"
_NEIGHBOURS = (-2, -1, 0, 1, 2)


class Conll05st(Dataset):
    """A sample is a sentence and one of its verbs, as nine int arrays of the sentence's length.

    They are: the words; the verb's second and first word before, itself, first and second after, each repeated; the
    verb's number, repeated; 1 at these five words; and the label of each word's role.
    data_file, word_dict_file, verb_dict_file, target_dict_file, emb_file: ``conll05st-tests.tar.gz``,
    ``wordDict.txt``, ``verbDict.txt``, ``targetDict.txt`` and ``emb``; None looks where Paddle keeps its downloads.
    download: False makes the paths necessary. Labels are numbered by alphabet (in Paddle anew in each process).
    Nothing is downloaded: FileNotFoundError says which file to put where.
    """

    def __init__(self, data_file: str | None = None, word_dict_file: str | None = None,
                 verb_dict_file: str | None = None, target_dict_file: str | None = None,
                 emb_file: str | None = None, download: bool = True):
        given = (data_file, word_dict_file, verb_dict_file, target_dict_file, emb_file)
        (self.data_file, self.word_dict_file, self.verb_dict_file, self.target_dict_file, self.emb_file) = (
            local_data.find(path, name, _URL + file, "conll05st", download)
            for path, (name, file) in zip(given, _FILES.items(), strict=True))
        self.word_dict, self.predicate_dict = (numbered(_lines(f)) for f in (self.word_dict_file, self.verb_dict_file))
        self.label_dict = _label_dict(self.target_dict_file)
        self.sentences: list[list[str]] = []
        self.predicates: list[str] = []
        self.labels: list[list[str]] = []
        self._load()

    def _load(self) -> None:
        archive = local_data.Archive(self.data_file)
        words, props = (gzip.decompress(archive.read(_PART.format(kind))).decode().splitlines()
                        for kind in ("words", "props"))
        rows = ((word.strip(), prop.split()) for word, prop in zip(words, props, strict=False))
        for blank, sentence in itertools.groupby(rows, lambda row: not row[1]):
            if not blank:
                self._add(*zip(*sentence, strict=True))

    def _add(self, words: tuple[str, ...], props: tuple[list[str], ...]) -> None:
        """A sentence with a column of verbs, and a column of bracketed roles for each of them."""
        verbs, *roles = zip(*props, strict=True)
        for verb, column in zip((v for v in verbs if v != "-"), roles, strict=False):
            self.sentences.append(list(words))
            self.predicates.append(verb)
            self.labels.append(_roles(column))

    def __getitem__(self, idx: int) -> tuple[np.ndarray, ...]:
        sentence, labels = self.sentences[idx], self.labels[idx]
        verb, length = labels.index("B-V"), len(sentence)
        at = [verb + step for step in _NEIGHBOURS]
        around = ["bos" if i < 0 else "eos" if i >= length else sentence[i] for i in at]
        mark = [int(i in at) for i in range(length)]
        repeated = [[self.word_dict.get(word, 0)] * length for word in around]
        numbers = [[self.word_dict.get(word, 0) for word in sentence], *repeated,
                   [self.predicate_dict.get(self.predicates[idx])] * length, mark,
                   [self.label_dict.get(label) for label in labels]]
        return tuple(np.array(part) for part in numbers)

    def __len__(self) -> int:
        return len(self.sentences)

    def get_dict(self) -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
        """The numbers of words, verbs and labels."""
        return self.word_dict, self.predicate_dict, self.label_dict

    def get_embedding(self) -> str:
        """The path of the file of word vectors."""
        return self.emb_file


def _lines(path: str) -> list[str]:
    with open(path, encoding="utf-8") as file:
        return [line.strip() for line in file]


def _label_dict(path: str) -> dict[str, int]:
    """B- and I- of each role, and O for none."""
    roles = sorted({line[2:] for line in _lines(path) if line.startswith(("B-", "I-"))})
    return numbered([*(f"{prefix}-{role}" for role in roles for prefix in "BI"), "O"])


def _roles(column: tuple[str, ...]) -> list[str]:
    """Labels from brackets: ``(A0*``, ``*``, ``*)`` become B-A0, I-A0, I-A0."""
    labels, role, inside = [], "", False
    for part in column:
        if "(" in part:
            role, inside = part[1:part.find("*")], ")" not in part
            labels.append(f"B-{role}")
        elif part in ("*", "*)"):
            labels.append(f"I-{role}" if inside or part == "*)" else "O")
            inside = inside and part == "*"
        else:
            raise RuntimeError(f"A label of a role should be like (A0*, * or *), but is {part!r}.")
    return labels
