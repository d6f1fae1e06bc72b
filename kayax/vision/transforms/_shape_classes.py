"""Transforms of size, layout and values: resizing, cropping, flipping, padding, normalizing, erasing."""
from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from kayax.bridge.convert import to_tensor
from kayax.bridge.tensor import Tensor
from kayax.vision.transforms import functional as F
from kayax.vision.transforms._base import BaseTransform, chance, integer, pair, require, uniform_numpy


class ToTensor(BaseTransform):
    """`to_tensor`: PIL images and arrays as Tensors; bytes become float32 from 0 to 1."""

    def __init__(self, data_format: str = "CHW", keys: Any = None):
        super().__init__(keys)
        self.data_format = data_format

    def _apply_image(self, img: Any) -> Any:
        return F.to_tensor(img, self.data_format)


class Resize(BaseTransform):
    """`resize` to (height, width), or to a number as the shorter side."""

    def __init__(self, size: Any, interpolation: str = "bilinear", keys: Any = None):
        super().__init__(keys)
        require(isinstance(size, int) or (isinstance(size, Iterable) and len(list(size)) == 2),
                f"size must be a number or (height, width), but got {size!r}.")
        self.size, self.interpolation = size, interpolation

    def _apply_image(self, img: Any) -> Any:
        return F.resize(img, self.size, self.interpolation)


def _range(value: Any, name: str) -> Any:
    require(value[0] <= value[1], f"{name} must be (smallest, largest), but got {value!r}.")
    return value


class RandomResizedCrop(BaseTransform):
    """A random part of an image, resized.

    size: of the result, a number or (height, width). scale: range of the part's share of the area. ratio: range of its
    width / height. After ten tries that do not fit, the largest middle part of a ratio in the range is taken.
    """

    def __init__(self, size: Any, scale: Any = (0.08, 1.0), ratio: Any = (3.0 / 4, 4.0 / 3),
                 interpolation: str = "bilinear", keys: Any = None):
        super().__init__(keys)
        self.size = (size, size) if isinstance(size, int) else size
        self.scale, self.ratio = _range(scale, "scale"), _range(ratio, "ratio")
        self.interpolation = interpolation

    def _dynamic_get_param(self, image: Any, attempts: int = 10) -> tuple[int, int, int, int]:
        width, height = F._get_image_size(image)
        for _ in range(attempts):
            area = uniform_numpy(*self.scale) * height * width
            ratio = math.exp(uniform_numpy(*(math.log(r) for r in self.ratio)))
            w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
            if 0 < w <= width and 0 < h <= height:
                top, left = integer(0, height - h), integer(0, width - w)
                return top, left, h, w
        w, h = width, height
        if width / height < min(self.ratio):
            h = round(width / min(self.ratio))
        elif width / height > max(self.ratio):
            w = round(height * max(self.ratio))
        return (height - h) // 2, (width - w) // 2, h, w

    def _apply_image(self, img: Any) -> Any:
        return F.resize(F.crop(img, *self._dynamic_get_param(img)), self.size, self.interpolation)


class CenterCrop(BaseTransform):
    """`center_crop`: the middle of the size (height, width), or a number for both."""

    def __init__(self, size: Any, keys: Any = None):
        super().__init__(keys)
        self.size = pair(size)

    def _apply_image(self, img: Any) -> Any:
        return F.center_crop(img, self.size)


def _probability(prob: float) -> float:
    require(0 <= prob <= 1, f"prob must be from 0 to 1, but got {prob}.")
    return prob


class RandomHorizontalFlip(BaseTransform):
    """Left and right exchanged with the probability `prob`."""

    def __init__(self, prob: float = 0.5, keys: Any = None):
        super().__init__(keys)
        self.prob = _probability(prob)

    def _apply_image(self, img: Any) -> Any:
        return F.hflip(img) if chance(self.prob) else img


class RandomVerticalFlip(BaseTransform):
    """Top and bottom exchanged with the probability `prob`."""

    def __init__(self, prob: float = 0.5, keys: Any = None):
        super().__init__(keys)
        self.prob = _probability(prob)

    def _apply_image(self, img: Any) -> Any:
        return F.vflip(img) if chance(self.prob) else img


class Normalize(BaseTransform):
    """`normalize`: ``(img - mean) / std``, each a number or one for each channel."""

    def __init__(self, mean: Any = 0.0, std: Any = 1.0, data_format: str = "CHW", to_rgb: bool = False,
                 keys: Any = None):
        super().__init__(keys)
        self.mean = [mean] * 3 if isinstance(mean, numbers.Number) else mean
        self.std = [std] * 3 if isinstance(std, numbers.Number) else std
        self.data_format, self.to_rgb = data_format, to_rgb

    def _apply_image(self, img: Any) -> Any:
        return F.normalize(img, self.mean, self.std, self.data_format, self.to_rgb)


class Transpose(BaseTransform):
    """The axes in another order; a PIL image becomes a NumPy array [H, W, C] first."""

    def __init__(self, order: Sequence[int] = (2, 0, 1), keys: Any = None):
        super().__init__(keys)
        self.order = order

    def _apply_image(self, img: Any) -> Any:
        if not isinstance(img, Tensor):
            img = np.asarray(img)
            img = img[..., np.newaxis] if img.ndim == 2 else img
        return img.transpose(self.order)


class RandomCrop(BaseTransform):
    """A part of an image at a random place.

    size: (height, width), or a number for both. padding, fill, padding_mode: of a `pad` before. pad_if_needed: pad an
    image that is smaller than the part; else that is a ValueError.
    """

    def __init__(self, size: Any, padding: Any = None, pad_if_needed: bool = False, fill: Any = 0,
                 padding_mode: str = "constant", keys: Any = None):
        super().__init__(keys)
        self.size = pair(size)
        self.padding, self.pad_if_needed, self.fill, self.padding_mode = padding, pad_if_needed, fill, padding_mode

    def _get_param(self, img: Any, output_size: Any) -> tuple[int, int, int, int]:
        width, height = F._get_image_size(img)
        h, w = output_size
        if (w, h) == (width, height):
            return 0, 0, h, w
        require(h <= height and w <= width, f"The part (height {h}, width {w}) is larger than the image ({height}, "
                f"{width}): pass pad_if_needed=True.", ValueError)
        return integer(0, height - h), integer(0, width - w), h, w

    def _apply_image(self, img: Any) -> Any:
        if self.padding is not None:
            img = F.pad(img, self.padding, self.fill, self.padding_mode)
        width, height = F._get_image_size(img)
        if self.pad_if_needed and width < self.size[1]:
            img = F.pad(img, (self.size[1] - width, 0), self.fill, self.padding_mode)
        if self.pad_if_needed and height < self.size[0]:
            img = F.pad(img, (0, self.size[0] - height), self.fill, self.padding_mode)
        return F.crop(img, *self._get_param(img, self.size))


class Pad(BaseTransform):
    """`pad`: a margin of all sides, (left and right, top and bottom), or (left, top, right, bottom)."""

    def __init__(self, padding: Any, fill: Any = 0, padding_mode: str = "constant", keys: Any = None):
        require(isinstance(padding, (numbers.Number, list, tuple)), f"padding must be numbers, but got {padding!r}.")
        require(isinstance(fill, (numbers.Number, str, list, tuple)), f"fill must be numbers, but got {fill!r}.")
        F._sides(padding, fill, padding_mode)
        super().__init__(keys)
        self.padding = tuple(padding) if isinstance(padding, list) else padding
        self.fill = tuple(fill) if isinstance(fill, list) else fill
        self.padding_mode = padding_mode

    def _apply_image(self, img: Any) -> Any:
        return F.pad(img, self.padding, self.fill, self.padding_mode)


class RandomErasing(BaseTransform):
    """A random rectangle replaced, with the probability `prob` (Zhong et al. 2020).

    scale: range of its share of the area. ratio: range of its height / width. value: a number, one for each channel,
    or "random" for normal noise. After ten tries that do not fit, the image stays.
    """

    def __init__(self, prob: float = 0.5, scale: Any = (0.02, 0.33), ratio: Any = (0.3, 3.3), value: Any = 0,
                 inplace: bool = False, keys: Any = None):
        super().__init__(keys)
        for name, ends in (("scale", scale), ("ratio", ratio)):
            require(isinstance(ends, (tuple, list)), f"{name} must be a tuple or list, but got {ends!r}.")
        require(0 <= scale[0] <= scale[1] <= 1, f"scale must be a range within [0, 1], but got {scale}.")
        require(0 <= ratio[0] <= ratio[1], f"ratio must be (smallest, largest), but got {ratio}.")
        require(isinstance(value, (numbers.Number, str, tuple, list)),
                f"value must be a number, a sequence of them, or 'random', but got {value!r}.")
        require(not isinstance(value, str) or value == "random", f"value must be 'random' as a str, but got {value!r}.",
                ValueError)
        self.prob, self.scale, self.ratio, self.value, self.inplace = _probability(prob), scale, ratio, value, inplace

    def _rectangle(self, height: int, width: int) -> tuple[int, int] | None:
        for _ in range(10):
            area = uniform_numpy(*self.scale) * height * width
            ratio = np.exp(uniform_numpy(*np.log(self.ratio)))
            h, w = round(np.sqrt(area * ratio)), round(np.sqrt(area / ratio))
            if h < height and w < width:
                return h, w
        return None

    def _filling(self, img: Any, h: int, w: int, channels: int) -> Any:
        as_tensor = isinstance(img, Tensor)
        if isinstance(self.value, str):
            noise = np.random.normal(size=(channels, h, w) if as_tensor else (h, w, channels))
            return to_tensor(noise.astype("float32")) if as_tensor else noise * 255
        values: Any = [self.value] if isinstance(self.value, numbers.Number) else list(self.value)
        require(len(values) in (1, 3), f"value must be one number or three, but got {self.value!r}.", ValueError)
        return np.reshape(values, (-1, 1, 1) if as_tensor else (1, 1, -1))

    def _apply_image(self, img: Any) -> Any:
        if not chance(self.prob):
            return img
        width, height = F._get_image_size(img)
        part = self._rectangle(height, width)
        if part is None:
            return img
        h, w = part
        channels = img.shape[-3] if isinstance(img, Tensor) else np.asarray(img).reshape(height, width, -1).shape[-1]
        filling = self._filling(img, h, w, channels)
        top, left = np.random.randint(0, height - h + 1), np.random.randint(0, width - w + 1)
        return F.erase(img, int(top), int(left), h, w, filling, self.inplace)
