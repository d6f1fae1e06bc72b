"""Images in folders: one folder for each class, or without classes."""
from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from kayax.io.dataset import Dataset
from kayax.vision.image import get_image_backend, opencv, pillow

IMG_EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")


def _load(path: str) -> Any:
    """An image of red, green and blue as the chosen backend reads it: a PIL image, or with OpenCV an array."""
    if get_image_backend() == "cv2":
        return opencv().imread(path)[:, :, ::-1].copy()
    with open(path, "rb") as file:
        return pillow().open(file).convert("RGB")


def _files(root: str, extensions: Sequence[str] | None, is_valid_file: Callable[[str], bool] | None) -> Iterator[str]:
    """The files below a folder that count as samples, in order of their folders and names."""
    if extensions is not None and not isinstance(extensions, (list, tuple)):
        raise AssertionError(f"extensions must be a list or tuple, but got {extensions!r}.")
    if is_valid_file is None:
        ends = tuple(e.lower() for e in (IMG_EXTENSIONS if extensions is None else extensions))
        is_valid_file = lambda path: path.lower().endswith(ends)    # noqa: E731
    for folder, _, names in sorted(os.walk(os.path.expanduser(root), followlinks=True)):
        for name in sorted(names):
            path = os.path.join(folder, name)
            if is_valid_file(path):
                yield path


def _need_samples(samples: list, root: str, extensions: Sequence[str]) -> None:
    if not samples:
        raise RuntimeError(f"No samples were found below {root!r}. The names of files must end in one of "
                           f"{', '.join(extensions)}: pass extensions or is_valid_file for others.")


class DatasetFolder(Dataset):
    """Samples from ``root/class/...``: each folder in `root` is a class, numbered in alphabetical order.

    loader: from a path to a sample; images as the chosen backend reads them by default. extensions: ends of the names
    of samples, those of images by default. transform: applied to each sample. is_valid_file: from a path to whether it
    is a sample, in the place of `extensions`. A sample is what the loader gave and the class's number. Attributes:
    classes, class_to_idx, samples (paths and numbers), targets. No sample at all is a RuntimeError.
    """

    def __init__(self, root: str, loader: Callable | None = None, extensions: Sequence[str] | None = None,
                 transform: Any = None, is_valid_file: Callable[[str], bool] | None = None):
        self.root, self.transform, self.loader = root, transform, loader or _load
        self.extensions = IMG_EXTENSIONS if extensions is None else extensions
        self.classes, self.class_to_idx = self._find_classes(root)
        self.samples = [(path, number) for name, number in self.class_to_idx.items()
                        for path in _files(os.path.join(root, name), extensions, is_valid_file)]
        _need_samples(self.samples, root, self.extensions)
        self.targets = [number for _, number in self.samples]

    def _find_classes(self, dir: str) -> tuple[list[str], dict[str, int]]:
        classes = sorted(entry.name for entry in os.scandir(os.path.expanduser(dir)) if entry.is_dir())
        return classes, {name: number for number, name in enumerate(classes)}

    def __getitem__(self, index: int) -> tuple[Any, int]:
        path, target = self.samples[index]
        sample = self.loader(path)
        return (sample if self.transform is None else self.transform(sample)), target

    def __len__(self) -> int:
        return len(self.samples)


class ImageFolder(Dataset):
    """Samples from anywhere below `root`, without classes: each is a list of one. Arguments as for `DatasetFolder`."""

    def __init__(self, root: str, loader: Callable | None = None, extensions: Sequence[str] | None = None,
                 transform: Any = None, is_valid_file: Callable[[str], bool] | None = None):
        self.root, self.transform, self.loader = root, transform, loader or _load
        self.extensions = IMG_EXTENSIONS if extensions is None else extensions
        self.samples = list(_files(root, extensions, is_valid_file))
        _need_samples(self.samples, root, self.extensions)

    def __getitem__(self, index: int) -> list[Any]:
        sample = self.loader(self.samples[index])
        return [sample if self.transform is None else self.transform(sample)]

    def __len__(self) -> int:
        return len(self.samples)
