"""Sounds of the environment in 50 classes (Piczak 2015)."""
from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from kayax.audio.datasets.dataset import AudioClassificationDataset, need_folder


class ESC50(AudioClassificationDataset):
    """2,000 recordings of 5 seconds in five folds.

    mode: "train" for the folds other than `split` (1 to 5), else that fold. feat_type, kwargs: see
    `AudioClassificationDataset`. archive: {"url": ...} of where the files come from, for the error. They are looked
    for in ``ESC-50-master`` in Paddle's folder of downloads; FileNotFoundError says what to put there.
    """

    archive: Mapping[str, str] = MappingProxyType(
        {"url": "https://paddleaudio.bj.bcebos.com/datasets/ESC-50-master.zip"})
    label_list = (
        "Dog", "Rooster", "Pig", "Cow", "Frog", "Cat", "Hen", "Insects (flying)", "Sheep", "Crow",
        "Rain", "Sea waves", "Crackling fire", "Crickets", "Chirping birds", "Water drops", "Wind", "Pouring water",
        "Toilet flush", "Thunderstorm",
        "Crying baby", "Sneezing", "Clapping", "Breathing", "Coughing", "Footsteps", "Laughing", "Brushing teeth",
        "Snoring", "Drinking, sipping",
        "Door knock", "Mouse click", "Keyboard typing", "Door, wood creaks", "Can opening", "Washing machine",
        "Vacuum cleaner", "Clock alarm", "Clock tick", "Glass breaking",
        "Helicopter", "Chainsaw", "Siren", "Car horn", "Engine", "Train", "Church bells", "Airplane", "Fireworks",
        "Hand saw")
    meta = os.path.join("ESC-50-master", "meta", "esc50.csv")
    audio_path = os.path.join("ESC-50-master", "audio")

    def __init__(self, mode: str = "train", split: int = 1, feat_type: str = "raw",
                 archive: Mapping[str, str] | None = None, **kwargs: Any):
        if split not in range(1, 6):
            raise AssertionError(f"split must be a number from 1 to 5, but got {split!r}.")
        self.archive = self.archive if archive is None else archive
        files, labels = self._get_data(mode, split)
        super().__init__(files, labels, feat_type, **kwargs)

    def _get_data(self, mode: str, split: int) -> tuple[list[str], list[int]]:
        folder = need_folder(self.audio_path, self.archive["url"])
        with open(os.path.join(os.path.dirname(folder), "meta", "esc50.csv"), encoding="utf-8", newline="") as file:
            chosen = [row for row in csv.DictReader(file) if (int(row["fold"]) != split) == (mode == "train")]
        return [os.path.join(folder, row["filename"]) for row in chosen], [int(row["target"]) for row in chosen]
