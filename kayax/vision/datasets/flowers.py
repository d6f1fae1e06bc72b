"""Photographs of 102 kinds of flowers (Nilsback and Zisserman 2008)."""
from __future__ import annotations

import os
import tarfile
from typing import Any

import numpy as np

from kayax.io import local_data
from kayax.io.dataset import Dataset
from kayax.vision.datasets._common import image_sample, need_backend, need_mode

_URL = "http://paddlemodels.bj.bcebos.com/flowers/"
_SETS = {"train": "tstid", "test": "trnid", "valid": "valid"}       # Paddle trains on the larger set


class Flowers(Dataset):
    """6,149 images to train on, 1,020 to test with and 1,020 to validate with, in 102 classes.

    data_file: ``102flowers.tgz``, which is unpacked beside itself once. label_file: ``imagelabels.mat``. setid_file:
    ``setid.mat``. None looks where Paddle keeps its downloads. mode: "train", "valid" or "test". transform: applied to
    each image. download: False makes the paths necessary. backend: "pil" gives PIL images, "cv2" arrays [H, W, 3] of
    the default floating type. A sample is an image and an int64 array [1]: the class, from 1. Nothing is downloaded:
    FileNotFoundError says which file to put where.
    """

    def __init__(self, data_file: str | None = None, label_file: str | None = None, setid_file: str | None = None,
                 mode: str = "train", transform: Any = None, download: bool = True, backend: str | None = None):
        mode = need_mode(mode, tuple(_SETS))
        self.backend, self.transform = need_backend(backend), transform
        data_file = local_data.find(data_file, "data_file", _URL + "102flowers.tgz", "flowers", download)
        label_file = local_data.find(label_file, "label_file", _URL + "imagelabels.mat", "flowers", download)
        setid_file = local_data.find(setid_file, "setid_file", _URL + "setid.mat", "flowers", download)
        self.data_path = _unpacked(data_file)
        from scipy.io import loadmat  # type: ignore[import-untyped]
        self.labels = loadmat(label_file)["labels"][0]
        self.indexes = loadmat(setid_file)[_SETS[mode]][0]

    def __getitem__(self, idx: int) -> tuple[Any, np.ndarray]:
        index = self.indexes[idx]
        with open(os.path.join(self.data_path, "jpg", f"image_{index:05}.jpg"), "rb") as file:
            image = image_sample(file.read(), self.backend, self.transform)
        return image, np.array([self.labels[index - 1]], np.int64)

    def __len__(self) -> int:
        return len(self.indexes)


def _unpacked(archive: str) -> str:
    """The folder beside an archive with what is in it; made if it is not there."""
    folder = archive.removesuffix(".tgz") + ("" if archive.endswith(".tgz") else "_unpacked")
    if not os.path.exists(os.path.join(folder, "jpg")):
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
    return folder
