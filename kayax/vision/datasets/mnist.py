"""Handwritten digits (LeCun et al. 1998) and articles of clothing (Xiao et al. 2017): gray images of 28 x 28."""
from __future__ import annotations

import gzip
import struct
from typing import Any

import numpy as np

from kayax.io import local_data
from kayax.io.dataset import Dataset
from kayax.vision.datasets._common import image_sample, need_backend, need_mode


def _read(path: str, dimensions: int) -> np.ndarray:
    """An array of bytes in the IDX format: a magic number, big-endian sizes, the values."""
    with gzip.open(path, "rb") as file:
        data = file.read()
    header = f">{1 + dimensions}I"
    magic, *shape = struct.unpack_from(header, data.ljust(struct.calcsize(header), b"\0"))
    if magic != 0x800 + dimensions:
        raise ValueError(f"{path} is not an IDX file of bytes with {dimensions} dimensions: it starts with {magic:#x}.")
    values = np.frombuffer(data, np.uint8, offset=struct.calcsize(header))
    if values.size != np.prod(shape):
        raise ValueError(f"{path} should hold {shape} bytes, but has {values.size}: it was cut.")
    return values.reshape(shape)


class MNIST(Dataset):
    """60,000 images of digits to train on, 10,000 to test with.

    image_path, label_path: the files ``*-images-idx3-ubyte.gz`` and ``*-labels-idx1-ubyte.gz``; None looks where
    Paddle keeps its downloads. mode: "train" or "test". transform: applied to each image. download: False makes the
    paths necessary. backend: "pil" gives PIL images of mode "L", "cv2" float arrays [28, 28]. A sample is an image and
    an int64 array [1]. Nothing is downloaded: FileNotFoundError says which file to put where.
    """

    NAME = "mnist"
    URL_PREFIX = "https://dataset.bj.bcebos.com/mnist/"
    TEST_IMAGE_URL = URL_PREFIX + "t10k-images-idx3-ubyte.gz"
    TEST_LABEL_URL = URL_PREFIX + "t10k-labels-idx1-ubyte.gz"
    TRAIN_IMAGE_URL = URL_PREFIX + "train-images-idx3-ubyte.gz"
    TRAIN_LABEL_URL = URL_PREFIX + "train-labels-idx1-ubyte.gz"

    def __init__(self, image_path: str | None = None, label_path: str | None = None, mode: str = "train",
                 transform: Any = None, download: bool = True, backend: str | None = None):
        self.mode, self.backend, self.transform = need_mode(mode, ("train", "test")), need_backend(backend), transform
        train = self.mode == "train"
        image_url = self.TRAIN_IMAGE_URL if train else self.TEST_IMAGE_URL
        label_url = self.TRAIN_LABEL_URL if train else self.TEST_LABEL_URL
        self.image_path = local_data.find(image_path, "image_path", image_url, self.NAME, download)
        self.label_path = local_data.find(label_path, "label_path", label_url, self.NAME, download)
        self.images = _read(self.image_path, 3)
        self.labels = _read(self.label_path, 1).astype(np.int64)[:, None]
        if len(self.images) != len(self.labels):
            raise ValueError(f"{self.image_path} has {len(self.images)} images, but {self.label_path} "
                             f"{len(self.labels)} labels.")

    def __getitem__(self, idx: int) -> tuple[Any, np.ndarray]:
        pixels = self.images[idx] if self.backend == "pil" else self.images[idx].astype(np.float32)
        return image_sample(pixels, self.backend, self.transform), self.labels[idx]

    def __len__(self) -> int:
        return len(self.labels)


class FashionMNIST(MNIST):
    """60,000 images of clothing to train on, 10,000 to test with: files and arguments as for `MNIST`."""

    NAME = "fashion-mnist"
    URL_PREFIX = "https://dataset.bj.bcebos.com/fashion_mnist/"
    TEST_IMAGE_URL = URL_PREFIX + "t10k-images-idx3-ubyte.gz"
    TEST_LABEL_URL = URL_PREFIX + "t10k-labels-idx1-ubyte.gz"
    TRAIN_IMAGE_URL = URL_PREFIX + "train-images-idx3-ubyte.gz"
    TRAIN_LABEL_URL = URL_PREFIX + "train-labels-idx1-ubyte.gz"
