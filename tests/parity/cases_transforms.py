"""vision.transforms on a real photograph, as PIL image, NumPy array and Tensor; random ones after the same seeds."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
from harness import Case, _add, case, words
from PIL import Image
from specs import const

PHOTO = Image.open(Path(__file__).parent / "images" / "astronaut.png").convert("RGB")  # 25 rows, 20 columns
PIXELS = np.asarray(PHOTO)
PLANES = const(PIXELS.transpose(2, 0, 1)[:, :12, :10] / 255.0, grad=True)  # a Tensor [3, 12, 10]
ROUNDED = {"atol": 1.01, "rtol": 0.0}  # OpenCV keeps these weights in fixed point: one level up or down


def rounded(image: Any) -> Any:
    """A NumPy image as floats, whose levels may differ by one."""
    return image.astype(np.float32) if isinstance(image, np.ndarray) else image


KINDS = {"pil": PHOTO.copy, "array": PIXELS.copy, "gray": lambda: PHOTO.convert("L"), "plane": PIXELS[:, :, :1].copy}


def unpack(image: Any) -> Any:
    """What can be compared: a PIL image as its mode and pixels."""
    return [image.mode, np.asarray(image)] if isinstance(image, Image.Image) else image


def on_photo(label: str, fn: Any, kinds: str = "pil array", **options: Any) -> None:
    """One case for each kind of image: `fn(T, image)` with T the module vision.transforms."""
    for kind in kinds.split():

        def run(P: Any, kind: str = kind) -> Any:
            random.seed(7)
            np.random.seed(7)
            return unpack(fn(P.vision.transforms, KINDS[kind]()))

        name = f"vision.transforms/{label}/{kind}"
        _add(Case(name, run, (), "program", "transforms", static="a whole program")).options(**options)


for size in (10, 31, (12, 30), (50, 40)):
    on_photo(f"resize/{size}", lambda T, x, s=size: T.resize(x, s))
on_photo("resize/lanczos", lambda T, x: rounded(T.resize(x, (14, 9), "lanczos")), **ROUNDED)
for mode in words("nearest bicubic"):
    on_photo(f"resize/{mode}", lambda T, x, m=mode: T.resize(x, (14, 9), m))
on_photo("resize/area", lambda T, x: T.resize(x, (10, 8), "area"), "array plane")
on_photo("resize/box", lambda T, x: T.resize(x, (10, 8), "box"), "pil gray")
on_photo("to_tensor", lambda T, x: T.to_tensor(x), "pil array gray plane")
on_photo("to_tensor/HWC", lambda T, x: T.to_tensor(x, "HWC"))
for mode in words("constant edge reflect symmetric"):
    on_photo(f"pad/{mode}", lambda T, x, m=mode: T.pad(x, (1, 2, 3, 4), 0, m))
on_photo("pad/fill", lambda T, x: T.pad(x, 2, 9), "array gray")
on_photo("pad/two", lambda T, x: T.pad(x, (1, 3), (9, 8, 7)))
on_photo("crop", lambda T, x: T.crop(x, 3, 4, 10, 6))
on_photo("center_crop", lambda T, x: T.center_crop(x, (8, 11)))
on_photo("hflip", lambda T, x: T.hflip(x), "pil array gray")
on_photo("vflip", lambda T, x: T.vflip(x), "pil array gray")
for factor in (0.4, 1.7):
    for name in words("brightness contrast"):
        on_photo(f"adjust_{name}/{factor}", lambda T, x, n=name, f=factor: getattr(T, f"adjust_{n}")(x, f))
    on_photo(f"adjust_saturation/{factor}", lambda T, x, f=factor: T.functional.adjust_saturation(x, f))
for factor in (-0.3, 0.2):
    on_photo(f"adjust_hue/{factor}", lambda T, x, f=factor: T.adjust_hue(x, f))
on_photo("to_grayscale", lambda T, x: T.to_grayscale(x))
on_photo("to_grayscale/3", lambda T, x: T.to_grayscale(x, 3))
on_photo("normalize", lambda T, x: T.normalize(x, [127.5, 120, 110], [127.5, 60, 50], "HWC"))
on_photo("normalize/to_rgb", lambda T, x: T.normalize(x, [127.5, 120, 110], [127.5, 60, 50], "HWC", True), "array")
on_photo("erase", lambda T, x: T.erase(x, 3, 4, 5, 6, 9))
for mode in words("nearest bilinear bicubic"):
    on_photo(f"rotate/{mode}", lambda T, x, m=mode: rounded(T.rotate(x, 33, m)), **ROUNDED)
    on_photo(f"affine/{mode}", lambda T, x, m=mode: T.affine(x, 20, [2, -1], 0.8, [5, 3], m))
    on_photo(f"perspective/{mode}", lambda T, x, m=mode: T.perspective(x, START, END, m))
on_photo("rotate/expand", lambda T, x: T.rotate(x, 40, "bilinear", True, None, (9, 8, 7)))
on_photo("rotate/center", lambda T, x: T.rotate(x, -40, "nearest", False, [5, 6]))
# Not whole numbers: a corner between two pixels would be either, as the last bit of a least-squares solver falls.
START, END = [[0, 0], [19, 0], [19, 24], [0, 24]], [[2.3, 1.2], [17.1, 3.4], [17.8, 21.7], [1.4, 22.6]]

CLASSES = {
    "Compose": lambda T: T.Compose([T.Resize(30), T.RandomCrop(24), T.RandomHorizontalFlip(), T.ToTensor(),
                                    T.Normalize([0.5] * 3, [0.2] * 3)]),
    "RandomResizedCrop": lambda T: T.RandomResizedCrop((12, 9)),
    "RandomVerticalFlip": lambda T: T.RandomVerticalFlip(0.9),
    "Transpose": lambda T: T.Transpose(),
    "ColorJitter": lambda T: T.ColorJitter(0.4, 0.3, 0.2, 0.1),
    "RandomCrop": lambda T: T.RandomCrop((20, 22), 2, True, 0, "edge"),
    "Pad": lambda T: T.Pad([2, 1]),
    "RandomAffine": lambda T: T.RandomAffine((-30, 40), (0.1, 0.2), (0.8, 1.2), (5, 10, 2, 3)),
    "RandomRotation": lambda T: T.RandomRotation(50),
    "RandomPerspective": lambda T: T.RandomPerspective(0.9, 0.4),
    "Grayscale": lambda T: T.Grayscale(),
    "RandomErasing": lambda T: T.RandomErasing(0.9, value=[1, 2, 3]),
    "RandomErasing/random": lambda T: T.RandomErasing(0.9, value="random"),
}
for name, build in CLASSES.items():
    on_photo(f"{name}/seeded", lambda T, x, b=build: b(T)(x))

TENSORS = {
    "resize": lambda T, x: T.resize(x, 7),
    "resize/nearest": lambda T, x: T.resize(x, (5, 4), "nearest"),
    "pad": lambda T, x: T.pad(x, (1, 2, 3, 4), 0.5),
    "pad/edge": lambda T, x: T.pad(x, 2, 0, "edge"),
    "pad/reflect": lambda T, x: T.pad(x, (1, 2), 0, "reflect"),
    "crop": lambda T, x: T.crop(x, 3, 4, 7, 30),
    "center_crop": lambda T, x: T.center_crop(x, 5),
    "hflip": lambda T, x: T.hflip(x),
    "vflip": lambda T, x: T.vflip(x),
    "adjust_brightness": lambda T, x: T.adjust_brightness(x, 1.7),
    "adjust_contrast": lambda T, x: T.adjust_contrast(x, 0.4),
    "adjust_saturation": lambda T, x: T.functional.adjust_saturation(x, 0.3),
    "adjust_hue": lambda T, x: T.adjust_hue(x, 0.2),
    "to_grayscale": lambda T, x: T.to_grayscale(x, 3),
    "normalize": lambda T, x: T.normalize(x, [0.5, 0.4, 0.3], [0.2, 0.3, 0.1]),
    "erase": lambda T, x: T.erase(x, 3, 4, 5, 30, 0.5),
    "rotate": lambda T, x: T.rotate(x, 33.0, "bilinear", False, [5, 6], [0.1, 0.2, 0.3]),
    "rotate/expand": lambda T, x: T.rotate(x, 40.0, "nearest", True),
    "affine": lambda T, x: T.affine(x, 20, [2, -1], 0.8, [5, 3], "bilinear"),
    "perspective": lambda T, x: T.perspective(x, [[0, 0], [9, 0], [9, 11], [0, 11]],
                                              [[1, 1], [8, 2], [9, 9], [1, 10]], "bilinear"),
}
CONVERTED = words("resize crop normalize erase rotate/expand")
for name, fn in TENSORS.items():
    case(f"vision.transforms/{name}/tensor", lambda P, x, f=fn: f(P.vision.transforms, x), [PLANES],
         static=name in CONVERTED or "made of the same operations")
