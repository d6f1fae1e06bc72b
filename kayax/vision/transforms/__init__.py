"""``paddle.vision.transforms``: changes of images, as functions and as classes for a Dataset's `transform`."""
from kayax.vision.transforms import functional  # noqa: F401
from kayax.vision.transforms._base import BaseTransform, Compose
from kayax.vision.transforms._color_classes import (
    BrightnessTransform,
    ColorJitter,
    ContrastTransform,
    Grayscale,
    HueTransform,
    SaturationTransform,
)
from kayax.vision.transforms._map_classes import RandomAffine, RandomPerspective, RandomRotation
from kayax.vision.transforms._shape_classes import (
    CenterCrop,
    Normalize,
    Pad,
    RandomCrop,
    RandomErasing,
    RandomHorizontalFlip,
    RandomResizedCrop,
    RandomVerticalFlip,
    Resize,
    ToTensor,
    Transpose,
)
from kayax.vision.transforms.functional import (
    adjust_brightness,
    adjust_contrast,
    adjust_hue,
    affine,
    center_crop,
    crop,
    erase,
    hflip,
    normalize,
    pad,
    perspective,
    resize,
    rotate,
    to_grayscale,
    to_tensor,
    vflip,
)

__all__ = [
    "BaseTransform", "Compose", "Resize", "RandomResizedCrop", "CenterCrop", "RandomHorizontalFlip",
    "RandomVerticalFlip", "Transpose", "Normalize", "BrightnessTransform", "SaturationTransform", "ContrastTransform",
    "HueTransform", "ColorJitter", "RandomCrop", "Pad", "RandomAffine", "RandomRotation", "RandomPerspective",
    "Grayscale", "ToTensor", "RandomErasing", "to_tensor", "hflip", "vflip", "resize", "pad", "affine", "rotate",
    "perspective", "to_grayscale", "crop", "center_crop", "adjust_brightness", "adjust_contrast", "adjust_hue",
    "normalize", "erase",
]
