"""Words spoken in seven emotions (Toronto emotional speech set, Pichora-Fuller and Dupuis 2020)."""
from __future__ import annotations

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from kayax.audio.datasets.dataset import AudioClassificationDataset, need_folder


class TESS(AudioClassificationDataset):
    """2,800 recordings of words, in `n_folds` folds by their order (of names; in Paddle of the file system).

    mode: "train" for the folds other than `split` (1 to n_folds), else that fold. feat_type, kwargs: see
    `AudioClassificationDataset`. archive: {"url": ...} of where the files come from, for the error. They are looked
    for in ``TESS_Toronto_emotional_speech_set`` in Paddle's folder of downloads; FileNotFoundError says what to put
    there.
    """

    archive: Mapping[str, str] = MappingProxyType(
        {"url": "https://bj.bcebos.com/paddleaudio/datasets/TESS_Toronto_emotional_speech_set.zip"})
    label_list = ("angry", "disgust", "fear", "happy", "neutral", "ps", "sad")      # ps: a pleasant surprise
    audio_path = "TESS_Toronto_emotional_speech_set"

    def __init__(self, mode: str = "train", n_folds: int = 5, split: int = 1, feat_type: str = "raw",
                 archive: Mapping[str, str] | None = None, **kwargs: Any):
        if not isinstance(n_folds, int) or n_folds < 1:
            raise AssertionError(f"n_folds must be a positive number, but got {n_folds!r}.")
        if split not in range(1, n_folds + 1):
            raise AssertionError(f"split must be a number from 1 to {n_folds} (n_folds), but got {split!r}.")
        self.archive = self.archive if archive is None else archive
        files, labels = self._get_data(mode, n_folds, split)
        super().__init__(files, labels, feat_type, **kwargs)

    def _get_data(self, mode: str, n_folds: int, split: int) -> tuple[list[str], list[int]]:
        folder = need_folder(self.audio_path, self.archive["url"])
        sounds = sorted(os.path.join(root, name) for root, _, names in os.walk(folder) for name in names
                        if name.endswith(".wav"))
        chosen = [path for i, path in enumerate(sounds) if (i % n_folds + 1 != split) == (mode == "train")]
        return chosen, [self.label_list.index(path[:-len(".wav")].rpartition("_")[2]) for path in chosen]
