"""The maps behind rotations, affine and perspective transforms, in pixels: x to the right, y down."""
from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def affine_coefficients(center: Sequence[float], angle: float, translate: Sequence[float], scale: float,
                        shear: Sequence[float]) -> list[float]:
    """The six numbers of the inverse of: shear, turn clockwise by `angle` degrees, scale, about `center`, then move."""
    turn, shear_x, shear_y = math.radians(angle), math.radians(shear[0]), math.radians(shear[1])
    tilted = turn - shear_y
    a = math.cos(tilted) / math.cos(shear_y)
    b = -math.cos(tilted) * math.tan(shear_x) / math.cos(shear_y) - math.sin(turn)
    c = math.sin(tilted) / math.cos(shear_y)
    d = -math.sin(tilted) * math.tan(shear_x) / math.cos(shear_y) + math.cos(turn)
    inverse = np.array([[d, -b], [-c, a]]) / scale
    offset = np.asarray(center) - inverse @ (np.asarray(center) + np.asarray(translate))
    return [*inverse[0], offset[0], *inverse[1], offset[1]]


def rotation(center: Sequence[float], angle: float, scale: float) -> np.ndarray:
    """The map [2, 3] that turns counter-clockwise by `angle` degrees about `center`, and scales."""
    a, b = scale * math.cos(math.radians(angle)), scale * math.sin(math.radians(angle))
    x, y = center
    return np.array([[a, b, (1 - a) * x - b * y], [-b, a, b * x + (1 - a) * y]])


def inverse(forward: np.ndarray) -> np.ndarray:
    """The inverse [2, 3] of an affine map."""
    linear = np.linalg.inv(forward[:, :2])
    return np.column_stack([linear, -linear @ forward[:, 2]])


def rotated_size(width: int, height: int, angle: float, center: Sequence[float]) -> tuple[int, int]:
    """(width, height) of the smallest box that holds an image turned by `angle` degrees."""
    turn = -math.radians(angle)
    a, b = round(math.cos(turn), 15), round(math.sin(turn), 15)
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)]) - np.asarray(center)
    turned = corners @ np.array([[a, -b], [b, a]]) + np.asarray(center)
    spans = np.ceil(turned.max(0)) - np.floor(turned.min(0))
    return int(spans[0]), int(spans[1])


def perspective_coefficients(startpoints: Sequence, endpoints: Sequence) -> np.ndarray:
    """The eight numbers of the map that takes four `endpoints` back to the `startpoints`."""
    rows = []
    for (x, y), (u, v) in zip(endpoints, startpoints, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    return np.linalg.lstsq(np.array(rows, np.float64), np.asarray(startpoints, np.float64).reshape(8), rcond=None)[0]
