"""``paddle.vision.transforms.functional``: each checks its arguments once and hands over to the kind of image given.

Images are PIL images, NumPy arrays [H, W] or [H, W, C], or Tensors [C, H, W] or [N, C, H, W]. A size is (height,
width), a point (x, y), in pixels.
"""
from __future__ import annotations

import numbers
import sys
from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from kayax.bridge.tensor import Tensor

_PADDING_MODES = ("constant", "edge", "reflect", "symmetric")


def _is_pil_image(img: Any) -> bool:
    image = sys.modules.get("PIL.Image")                            # whoever has a PIL image has imported it
    return image is not None and isinstance(img, image.Image)


def _is_tensor_image(img: Any) -> bool:
    return isinstance(img, Tensor)


def _is_numpy_image(img: Any) -> bool:
    return isinstance(img, np.ndarray) and img.ndim in (2, 3)


def _kind(img: Any) -> ModuleType:
    """The module with the transforms of this kind of image."""
    if _is_tensor_image(img):
        from kayax.vision.transforms import _tensor as module
    elif _is_numpy_image(img):
        from kayax.vision.transforms import _array as module  # type: ignore[no-redef]
    elif _is_pil_image(img):
        from kayax.vision.transforms import _pil as module  # type: ignore[no-redef]
    else:
        shape = f" of the shape {list(img.shape)}" if isinstance(img, np.ndarray) else ""
        raise TypeError("An image must be a PIL image, a Tensor, or a NumPy array with 2 or 3 dimensions, but got "
                        f"{type(img).__name__}{shape}.")
    return module


def _get_image_size(img: Any) -> tuple[int, int]:
    """(width, height)."""
    return _kind(img).size(img)


def _known(interpolation: str, modes: Iterable[str]) -> str:
    if not isinstance(interpolation, str):
        raise TypeError(f"interpolation must be a str, but got {type(interpolation).__name__}.")
    if interpolation not in modes:
        raise ValueError(f"interpolation must be one of {', '.join(modes)} for this kind of image, but got "
                         f"{interpolation!r}.")
    return interpolation


def _pair(size: Any) -> tuple[int, int]:
    return (int(size), int(size)) if isinstance(size, numbers.Number) else (size[0], size[1])    # type: ignore


def to_tensor(pic: Any, data_format: str = "CHW") -> Tensor:
    """A PIL image or NumPy array as a Tensor, [C, H, W] or with data_format="HWC" [H, W, C].

    Bytes become float32 from 0 to 1, other types keep their values. A Tensor [C, H, W] is given back.
    """
    kind = _kind(pic)
    if str(data_format).upper() not in ("CHW", "HWC"):
        raise ValueError(f"data_format must be 'CHW' or 'HWC', but got {data_format!r}.")
    return kind.to_tensor(pic, data_format.upper())


def resize(img: Any, size: Any, interpolation: str = "bilinear") -> Any:
    """The image at another size: (height, width), or a number for the shorter side, which keeps the proportions.

    interpolation: "nearest", "bilinear", "bicubic"; of PIL images also "box", "lanczos", "hamming"; of NumPy arrays
    also "area", "lanczos"; of Tensors also "area". Only Pillow's filters, and "area", average what they shrink.
    """
    kind = _kind(img)
    if not (isinstance(size, int) or (isinstance(size, Iterable) and len(list(size)) == 2)):
        raise TypeError(f"size must be a number or (height, width), but got {size!r}.")
    _known(interpolation, kind.INTERPOLATIONS)
    if isinstance(size, int):
        width, height = kind.size(img)
        if min(width, height) == size:
            return img
        size = (int(size * height / width), size) if width < height else (size, int(size * width / height))
    return kind.resize(img, (int(size[0]), int(size[1])), interpolation)


def _sides(padding: Any, fill: Any, padding_mode: Any) -> tuple[int, int, int, int]:
    """Left, top, right, bottom, of checked arguments."""
    if not isinstance(padding, (numbers.Number, list, tuple)):
        raise TypeError(f"padding must be a number, or 2 or 4 of them, but got {padding!r}.")
    if not isinstance(fill, (numbers.Number, str, list, tuple)):
        raise TypeError(f"fill must be a number, a sequence of them, or a colour's name, but got {fill!r}.")
    if not isinstance(padding_mode, str):
        raise TypeError(f"padding_mode must be a str, but got {padding_mode!r}.")
    if isinstance(padding, Sequence) and len(padding) not in (2, 4):
        raise ValueError(f"padding must be a number, (left and right, top and bottom), or (left, top, right, bottom), "
                         f"but got {len(padding)} numbers.")
    if padding_mode not in _PADDING_MODES:
        raise AssertionError(f"padding_mode must be one of {', '.join(_PADDING_MODES)}, but got {padding_mode!r}.")
    if isinstance(padding, numbers.Number):
        return (int(padding),) * 4                                  # type: ignore[call-overload]
    return tuple(padding) if len(padding) == 4 else (*padding, *padding)    # type: ignore[return-value]


def pad(img: Any, padding: Any, fill: Any = 0, padding_mode: str = "constant") -> Any:
    """The image with a margin.

    padding: of all sides, (left and right, top and bottom), or (left, top, right, bottom). fill: a number, or one for
    each channel; a single number reaches the first channel of a NumPy or PIL image with several, as in Paddle.
    padding_mode: "constant"; "edge" repeats the outermost pixel, "reflect" mirrors without it, "symmetric" with it
    (not for Tensors).
    """
    return _kind(img).pad(img, _sides(padding, fill, padding_mode), fill, padding_mode)


def crop(img: Any, top: int, left: int, height: int, width: int) -> Any:
    """The part of an image that starts at (top, left). What lies outside is cut off (black in a PIL image)."""
    return _kind(img).crop(img, top, left, height, width)


def center_crop(img: Any, output_size: Any) -> Any:
    """The middle of an image, of the size (height, width) or a number for both."""
    kind = _kind(img)
    width, height = kind.size(img)
    new_height, new_width = _pair(output_size)
    top, left = round((height - new_height) / 2.0), round((width - new_width) / 2.0)
    return kind.crop(img, top, left, new_height, new_width)


def hflip(img: Any) -> Any:
    """The image with left and right exchanged."""
    return _kind(img).hflip(img)


def vflip(img: Any) -> Any:
    """The image with top and bottom exchanged."""
    return _kind(img).vflip(img)


def adjust_brightness(img: Any, brightness_factor: float) -> Any:
    """The image's values times a factor: 0 is black, 1 the image."""
    return _kind(img).adjust_brightness(img, brightness_factor)


def adjust_contrast(img: Any, contrast_factor: float) -> Any:
    """The image away from its mean gray by a factor: 0 is gray, 1 the image. A NumPy image's is 74, as in Paddle."""
    return _kind(img).adjust_contrast(img, contrast_factor)


def adjust_saturation(img: Any, saturation_factor: float) -> Any:
    """The image away from its gray version by a factor: 0 is gray, 1 the image.

    Of a NumPy image (blue, green, red), as in Paddle, the factor is drawn from 1 - `saturation_factor` to 1 + it.
    """
    return _kind(img).adjust_saturation(img, saturation_factor)


def adjust_hue(img: Any, hue_factor: float) -> Any:
    """The image's hues turned by a part of the circle, from -0.5 to 0.5. A NumPy image is blue, green, red."""
    kind = _kind(img)
    if not -0.5 <= hue_factor <= 0.5:
        wrong = AssertionError if _is_tensor_image(img) else ValueError
        raise wrong(f"hue_factor must be in [-0.5, 0.5], but got {hue_factor}.")
    return kind.adjust_hue(img, hue_factor)


def _shears(shear: Any) -> tuple[float, float]:
    if isinstance(shear, numbers.Number):
        return (shear, 0.0)                                         # type: ignore[return-value]
    if not isinstance(shear, (list, tuple)):
        raise TypeError(f"shear must be a number or two of them, but got {shear!r}.")
    if len(shear) not in (1, 2):
        raise ValueError(f"shear must be one or two angles, but got {shear!r}.")
    return (shear[0], shear[-1])


def affine(img: Any, angle: float, translate: Sequence[float], scale: float, shear: Any,
           interpolation: str = "nearest", fill: Any = 0, center: Sequence[float] | None = None) -> Any:
    """The image turned clockwise, moved, scaled and sheared; its size stays.

    angle: degrees. translate: pixels to the right and down. shear: degrees along x, or along x and y.
    interpolation: "nearest", "bilinear", "bicubic" (not for Tensors). fill: the value outside. center: of the turn,
    (x, y), the middle by default; a NumPy image is turned about its upper left corner, as in Paddle.
    """
    kind = _kind(img)
    if not isinstance(angle, (int, float)):
        raise TypeError(f"angle must be a number, but got {type(angle).__name__}.")
    if not isinstance(translate, (list, tuple)):
        raise TypeError(f"translate must be a list or tuple, but got {type(translate).__name__}.")
    if len(translate) != 2:
        raise ValueError(f"translate must be two numbers, but got {translate!r}.")
    if scale <= 0.0:
        raise ValueError(f"scale must be positive, but got {scale}.")
    if center is not None and not isinstance(center, (list, tuple)):
        raise TypeError(f"center must be a list or tuple, but got {type(center).__name__}.")
    shears = _shears(shear)
    _known(interpolation, kind.INTERPOLATIONS)
    return kind.affine(img, float(angle), translate, scale, shears, interpolation, fill, center)


def rotate(img: Any, angle: float, interpolation: str = "nearest", expand: bool = False,
           center: Sequence[float] | None = None, fill: Any = 0) -> Any:
    """The image turned counter-clockwise by `angle` degrees.

    expand: the output is as large as the turned image needs, else as the image. center: (x, y), the middle by default.
    """
    kind = _kind(img)
    _known(interpolation, kind.INTERPOLATIONS)
    center = tuple(center) if center is not None else None
    return kind.rotate(img, angle, interpolation, expand, center, tuple(fill) if isinstance(fill, list) else fill)


def perspective(img: Any, startpoints: Sequence, endpoints: Sequence, interpolation: str = "nearest",
                fill: Any = 0) -> Any:
    """The image seen so that its four `startpoints` (x, y) come to lie at the `endpoints`."""
    kind = _kind(img)
    _known(interpolation, kind.INTERPOLATIONS)
    return kind.perspective(img, startpoints, endpoints, interpolation, fill)


def to_grayscale(img: Any, num_output_channels: int = 1) -> Any:
    """The luma of an image of red, green and blue, in one channel or the same in three."""
    kind = _kind(img)
    if num_output_channels not in (1, 3):
        raise ValueError(f"num_output_channels must be 1 or 3, but got {num_output_channels!r}.")
    return kind.to_grayscale(img, num_output_channels)


def normalize(img: Any, mean: Any, std: Any, data_format: str = "CHW", to_rgb: bool = False) -> Any:
    """``(img - mean) / std`` with a number for each channel, in float32; a PIL image becomes a NumPy array.

    data_format: where the channels are, "CHW" or "HWC". to_rgb: reverse the last axis before (not for Tensors).
    """
    if _is_pil_image(img):
        img = np.asarray(img).astype(np.float32)
    from kayax.vision.transforms import _array
    kind: Any = _kind(img) if _is_tensor_image(img) else _array
    return kind.normalize(img, mean, std, data_format.upper(), to_rgb)


def erase(img: Any, i: int, j: int, h: int, w: int, v: Any, inplace: bool = False) -> Any:
    """The image with the part of height `h` and width `w` at row `i` and column `j` replaced by `v`."""
    return _kind(img).erase(img, i, j, h, w, v, inplace)
