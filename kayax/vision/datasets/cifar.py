"""Small colour photographs in 10 or 100 classes (Krizhevsky 2009)."""
from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from kayax.io import local_data, pickle_reader
from kayax.io.dataset import Dataset
from kayax.vision.datasets._common import image_sample, need_backend, need_mode


class Cifar10(Dataset):
    """50,000 images of 32 x 32 in 10 classes to train on, 10,000 to test with.

    data_file: ``cifar-10-python.tar.gz``; None looks where Paddle keeps its downloads. mode: "train" or "test".
    transform: applied to each image. download: False makes the path necessary. backend: "pil" gives PIL images, "cv2"
    arrays [32, 32, 3] of the default floating type. A sample is an image and an int64 array []. The batches are
    pickles, which are read without running code from them. Nothing is downloaded: FileNotFoundError says which file to
    put where.
    """

    _url = "https://dataset.bj.bcebos.com/cifar/cifar-10-python.tar.gz"
    _members: Mapping[str, str] = MappingProxyType({"train": "data_batch", "test": "test_batch"})
    _labels = "labels"

    def __init__(self, data_file: str | None = None, mode: str = "train", transform: Any = None,
                 download: bool = True, backend: str | None = None):
        self.mode, self.backend, self.transform = need_mode(mode, ("train", "test")), need_backend(backend), transform
        self.data_file = local_data.find(data_file, "data_file", self._url, "cifar", download)
        self._load()

    def _load(self) -> None:
        archive = local_data.Archive(self.data_file)
        part = self._members[self.mode]
        names = sorted(name for name in archive.members if name.rpartition("/")[2].startswith(part))
        if not names:
            raise ValueError(f"{self.data_file} has no member {part!r}: it is no archive of {type(self).__name__}.")
        images, labels = [], []
        for name in names:
            batch = {key.decode() if isinstance(key, bytes) else key: value
                     for key, value in pickle_reader.read(memoryview(archive.read(name)))[0].items()}
            images.append(np.asarray(batch["data"], np.uint8).reshape(-1, 3, 32, 32))
            labels.append(np.asarray(batch[self._labels], np.int64))
        self.data = list(zip(np.concatenate(images), np.concatenate(labels), strict=True))

    def __getitem__(self, idx: int) -> tuple[Any, np.ndarray]:
        pixels, label = self.data[idx]
        return image_sample(pixels.transpose(1, 2, 0), self.backend, self.transform), np.array(label)

    def __len__(self) -> int:
        return len(self.data)


class Cifar100(Cifar10):
    """50,000 images in 100 classes to train on, 10,000 to test with: ``cifar-100-python.tar.gz``, else as `Cifar10`."""

    _url = "https://dataset.bj.bcebos.com/cifar/cifar-100-python.tar.gz"
    _members = MappingProxyType({"train": "train", "test": "test"})
    _labels = "fine_labels"
