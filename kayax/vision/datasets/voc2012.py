"""Photographs with the class of each pixel, from the PASCAL VOC challenge (Everingham et al. 2012)."""
from __future__ import annotations

from typing import Any

from kayax.io import local_data
from kayax.io.dataset import Dataset
from kayax.vision.datasets._common import image_sample, need_backend, need_mode

_URL = "https://dataset.bj.bcebos.com/voc/VOCtrainval_11-May-2012.tar"
_ROOT = "VOCdevkit/VOC2012/"
_SETS = {"train": "trainval", "test": "train", "valid": "val"}      # Paddle trains on both and tests on the first


class VOC2012(Dataset):
    """Images and their segmentations: 2,913 to train on, 1,464 of these to test with, 1,449 of these to validate with.

    data_file: ``VOCtrainval_11-May-2012.tar``; None looks where Paddle keeps its downloads. mode: "train", "valid" or
    "test". transform: applied to each image, not to its segmentation. download: False makes the path necessary.
    backend: "pil" gives PIL images, "cv2" arrays of the default floating type. A sample is an image and a map of class
    numbers (255 at the borders). Nothing is downloaded: FileNotFoundError says which file to put where.
    """

    def __init__(self, data_file: str | None = None, mode: str = "train", transform: Any = None,
                 download: bool = True, backend: str | None = None):
        self.flag = _SETS[need_mode(mode, tuple(_SETS))]
        self.backend, self.transform = need_backend(backend), transform
        self.data_file = local_data.find(data_file, "data_file", _URL, "voc2012", download)
        self.archive = local_data.Archive(self.data_file)
        names = [line.strip() for line in self.archive.lines(f"{_ROOT}ImageSets/Segmentation/{self.flag}.txt")]
        self.data = [f"{_ROOT}JPEGImages/{name}.jpg" for name in names]
        self.labels = [f"{_ROOT}SegmentationClass/{name}.png" for name in names]

    def __getitem__(self, idx: int) -> tuple[Any, Any]:
        image = image_sample(self.archive.read(self.data[idx]), self.backend, self.transform)
        return image, image_sample(self.archive.read(self.labels[idx]), self.backend, None)

    def __len__(self) -> int:
        return len(self.data)
