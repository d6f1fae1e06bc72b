"""Transforms of colours: brightness, contrast, saturation, hue, gray."""
from __future__ import annotations

import numbers
import random
from typing import Any

from kayax.vision.transforms import functional as F
from kayax.vision.transforms._base import BaseTransform, Compose, require, uniform


def _range(value: Any, name: str, center: float = 1, bound: tuple[float, float] = (0, float("inf")),
           above_zero: bool = True) -> list[float] | None:
    """The range that a factor is drawn from; None where it would be the neutral factor always."""
    if isinstance(value, numbers.Number):
        require(value >= 0, f"{name} must not be negative as a single number, but got {value}.", ValueError)  # type: ignore
        ends = [center - value, center + value]                     # type: ignore[operator]
        ends[0] = max(ends[0], 0) if above_zero else ends[0]
    elif isinstance(value, (tuple, list)) and len(value) == 2:
        ends = list(value)
        require(bound[0] <= ends[0] <= ends[1] <= bound[1],
                f"{name} must be a range within {list(bound)}, but got {value}.", ValueError)
    else:
        raise TypeError(f"{name} must be a number or two of them, but got {value!r}.")
    return None if ends[0] == ends[1] == center else ends


class _Adjust(BaseTransform):
    """A colour's change by a factor that is drawn for each image; subclasses say which."""

    value: list[float] | None

    def _apply_image(self, img: Any) -> Any:
        return img if self.value is None else self._adjust(img, uniform(*self.value))

    def _adjust(self, img: Any, factor: float) -> Any:
        raise NotImplementedError


class BrightnessTransform(_Adjust):
    """`adjust_brightness` by a factor from max(0, 1 - value) to 1 + value, or from a range (low, high)."""

    def __init__(self, value: Any, keys: Any = None):
        super().__init__(keys)
        self.value = _range(value, "brightness")

    def _adjust(self, img: Any, factor: float) -> Any:
        return F.adjust_brightness(img, factor)


class ContrastTransform(_Adjust):
    """`adjust_contrast` by a factor from max(0, 1 - value) to 1 + value, or from a range (low, high)."""

    def __init__(self, value: Any, keys: Any = None):
        super().__init__(keys)
        self.value = _range(value, "contrast")

    def _adjust(self, img: Any, factor: float) -> Any:
        return F.adjust_contrast(img, factor)


class SaturationTransform(_Adjust):
    """`adjust_saturation` by a factor from max(0, 1 - value) to 1 + value, or from a range (low, high)."""

    def __init__(self, value: Any, keys: Any = None):
        super().__init__(keys)
        self.value = _range(value, "saturation")

    def _adjust(self, img: Any, factor: float) -> Any:
        return F.adjust_saturation(img, factor)


class HueTransform(_Adjust):
    """`adjust_hue` by a factor from -value to value, or from a range within [-0.5, 0.5]."""

    def __init__(self, value: Any, keys: Any = None):
        super().__init__(keys)
        self.value = _range(value, "hue", center=0, bound=(-0.5, 0.5), above_zero=False)

    def _adjust(self, img: Any, factor: float) -> Any:
        return F.adjust_hue(img, factor)


class ColorJitter(BaseTransform):
    """Brightness, contrast, saturation and hue changed at random, in a random order."""

    def __init__(self, brightness: Any = 0, contrast: Any = 0, saturation: Any = 0, hue: Any = 0, keys: Any = None):
        super().__init__(keys)
        self.brightness, self.contrast, self.saturation, self.hue = brightness, contrast, saturation, hue

    def _get_param(self, brightness: Any, contrast: Any, saturation: Any, hue: Any) -> Compose:
        kinds = [(BrightnessTransform, brightness), (ContrastTransform, contrast), (SaturationTransform, saturation),
                 (HueTransform, hue)]
        transforms = [kind(value, self.keys) for kind, value in kinds if value is not None]
        random.shuffle(transforms)
        return Compose(transforms)

    def _apply_image(self, img: Any) -> Any:
        return self._get_param(self.brightness, self.contrast, self.saturation, self.hue)(img)


class Grayscale(BaseTransform):
    """`to_grayscale`: the luma, in `num_output_channels` 1 or 3."""

    def __init__(self, num_output_channels: int = 1, keys: Any = None):
        super().__init__(keys)
        self.num_output_channels = num_output_channels

    def _apply_image(self, img: Any) -> Any:
        return F.to_grayscale(img, self.num_output_channels)
