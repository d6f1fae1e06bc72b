"""Prices of houses in Boston by 13 features (Harrison and Rubinfeld 1978)."""
from __future__ import annotations

import numpy as np

from kayax.io import local_data
from kayax.io.dataset import Dataset
from kayax.spec.dtype import get_default_dtype
from kayax.text.datasets._common import need_one_of

_COLUMNS = 14


class UCIHousing(Dataset):
    """404 houses to train on, 102 to test with: 13 features, less their mean, over their range; and the price.

    data_file: ``housing.data``; None looks where Paddle keeps its downloads. mode: "train" or "test". download: False
    makes the path necessary. Nothing is downloaded: FileNotFoundError says which file to put where.
    """

    def __init__(self, data_file: str | None = None, mode: str = "train", download: bool = True):
        self.mode = mode.lower()
        need_one_of(self.mode, ("train", "test"), "mode")
        self.data_file = local_data.find(data_file, "data_file", "http://paddlemodels.bj.bcebos.com/uci_housing/"
                                         "housing.data", "uci_housing", download)
        table = np.fromfile(self.data_file, sep=" ").reshape(-1, _COLUMNS)
        features = table[:, :-1]
        table[:, :-1] = (features - features.mean(0)) / (features.max(0) - features.min(0))
        split = int(len(table) * 0.8)
        self.data = table[:split] if self.mode == "train" else table[split:]
        self.dtype = get_default_dtype()

    def __getitem__(self, idx: int) -> tuple[np.ndarray, np.ndarray]:
        row = self.data[idx].astype(self.dtype)
        return row[:-1], row[-1:]

    def __len__(self) -> int:
        return len(self.data)
