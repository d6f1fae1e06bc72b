"""Transforms by random maps: rotation, affine, perspective."""
from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

from kayax.vision.transforms import functional as F
from kayax.vision.transforms._base import BaseTransform, angles, chance, need_sequence, require, uniform

_INTERPOLATIONS = ("nearest", "bilinear", "bicubic")


def _interpolation(name: str) -> str:
    require(name in _INTERPOLATIONS, f"interpolation must be one of {', '.join(_INTERPOLATIONS)}, but got {name!r}.")
    return name


class RandomAffine(BaseTransform):
    """`affine` with random numbers.

    degrees: range of the angle, from -degrees to degrees for a number. translate: largest share of width and height.
    scale: range. shear: degrees along x: a number, a range, or ranges along x and y. interpolation, fill, center: of
    `affine`.
    """

    def __init__(self, degrees: Any, translate: Any = None, scale: Any = None, shear: Any = None,
                 interpolation: str = "nearest", fill: Any = 0, center: Any = None, keys: Any = None):
        self.degrees = angles(degrees, "degrees")
        super().__init__(keys)
        self.interpolation = _interpolation(interpolation)
        if translate is not None:
            need_sequence(translate, "translate")
            require(all(0.0 <= t <= 1.0 for t in translate),
                    f"translate must be shares from 0 to 1, but got {translate}.", ValueError)
        if scale is not None:
            need_sequence(scale, "scale")
            require(all(s > 0 for s in scale), f"scale must be positive, but got {scale}.", ValueError)
        if center is not None:
            need_sequence(center, "center")
        require(fill is None or isinstance(fill, (Sequence, numbers.Number)),
                f"fill must be a number or a sequence of them, but got {fill!r}.", TypeError)
        self.translate, self.scale, self.center = translate, scale, center
        self.shear = None if shear is None else angles(shear, "shear", (2, 4))
        self.fill = 0 if fill is None else fill

    def _get_param(self, img_size: Any, degrees: Any, translate: Any = None, scale_ranges: Any = None,
                   shears: Any = None) -> tuple:
        angle = uniform(*degrees)
        moves: tuple[int, ...] = (0, 0)
        if translate is not None:
            moves = tuple(int(uniform(-share * side, share * side)) for share, side in zip(translate, img_size))
        scale = 1.0 if scale_ranges is None else uniform(*scale_ranges)
        shear_x = 0.0 if shears is None else uniform(*shears[:2])
        shear_y = uniform(*shears[2:]) if shears is not None and len(shears) == 4 else 0.0
        return angle, moves, scale, (shear_x, shear_y)

    def _apply_image(self, img: Any) -> Any:
        angle, moves, scale, shears = self._get_param(
            F._get_image_size(img), self.degrees, self.translate, self.scale, self.shear)
        return F.affine(img, angle, moves, scale, shears, self.interpolation, self.fill, self.center)


class RandomRotation(BaseTransform):
    """`rotate` by an angle from a range, or from -degrees to degrees. The other arguments are those of `rotate`."""

    def __init__(self, degrees: Any, interpolation: str = "nearest", expand: bool = False, center: Any = None,
                 fill: Any = 0, keys: Any = None):
        if isinstance(degrees, numbers.Number):
            require(degrees >= 0, f"degrees must not be negative as a single number, but got {degrees}.",  # type: ignore
                    ValueError)
            degrees = (-degrees, degrees)                           # type: ignore[operator]
        require(len(degrees) == 2, f"degrees must be a number or a range, but got {degrees!r}.", ValueError)
        super().__init__(keys)
        self.degrees, self.interpolation, self.expand, self.center, self.fill = (
            degrees, interpolation, expand, center, fill)

    def _get_param(self, degrees: Any) -> float:
        return uniform(*degrees)

    def _apply_image(self, img: Any) -> Any:
        angle = self._get_param(self.degrees)
        return F.rotate(img, angle, self.interpolation, self.expand, self.center, self.fill)


class RandomPerspective(BaseTransform):
    """`perspective` with the probability `prob`: each corner moves inwards by up to half of `distortion_scale`."""

    def __init__(self, prob: float = 0.5, distortion_scale: float = 0.5, interpolation: str = "nearest",
                 fill: Any = 0, keys: Any = None):
        super().__init__(keys)
        require(0 <= prob <= 1, f"prob must be from 0 to 1, but got {prob}.")
        require(0 <= distortion_scale <= 1, f"distortion_scale must be from 0 to 1, but got {distortion_scale}.")
        require(isinstance(fill, (numbers.Number, str, list, tuple)), f"fill must be numbers, but got {fill!r}.")
        self.prob, self.distortion_scale, self.fill = prob, distortion_scale, fill
        self.interpolation = _interpolation(interpolation)

    def get_params(self, width: int, height: int, distortion_scale: float) -> tuple[list, list]:
        """The corners (x, y) from the upper left clockwise, and where they move to."""
        x, y = int(distortion_scale * (width // 2)), int(distortion_scale * (height // 2))
        left, right = (0, x + 1), (width - x - 1, width)
        top, bottom = (0, y + 1), (height - y - 1, height)
        corners = ((left, top), (right, top), (right, bottom), (left, bottom))
        moved = [[int(uniform(*ends)) for ends in corner] for corner in corners]
        return [[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]], moved

    def _apply_image(self, img: Any) -> Any:
        width, height = F._get_image_size(img)
        if not chance(self.prob):
            return img
        return F.perspective(img, *self.get_params(width, height, self.distortion_scale), self.interpolation, self.fill)
