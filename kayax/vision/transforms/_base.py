"""What every transform class shares: how inputs are paired with their kinds, and where random numbers come from."""
from __future__ import annotations

import numbers
import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from kayax.bridge.errors import ConversionError, at_user_line
from kayax.bridge.state import tracing


class BaseTransform:
    """The base of transforms of one image, or of a tuple of an image and what belongs to it.

    keys: what the inputs are, in order: "image", "coords", "boxes" or "mask". A subclass defines
    ``_apply_image(image)``, and ``_apply_coords`` and so on if it handles them, and may define
    ``_get_params(inputs)``, whose result is in ``self.params`` meanwhile. Inputs beyond `keys` pass through unchanged.
    """

    holds_settings = True

    def __init__(self, keys: Sequence[str] | None = None):
        keys = ("image",) if keys is None else keys
        if not isinstance(keys, Sequence):
            raise ValueError(f"keys must be a sequence of str, but got {keys!r}.")
        for key in keys:
            if self._get_apply(key) is None:
                raise NotImplementedError(f"{type(self).__name__} has no way to transform {key!r}: it needs a method "
                                          f"`_apply_{key}`.")
        self.keys = keys
        self.params: Any = None

    def _get_params(self, inputs: tuple) -> Any:
        """What the transform of this tuple of inputs depends on, drawn once for all of them."""

    def __call__(self, inputs: Any) -> Any:
        inputs = inputs if isinstance(inputs, tuple) else (inputs,)
        self.params = self._get_params(inputs)
        applied = [self._get_apply(key)(value) for key, value in zip(self.keys, inputs, strict=False)]
        outputs = (*applied, *inputs[len(applied):])
        return outputs[0] if len(outputs) == 1 else outputs

    def _get_apply(self, key: str) -> Any:
        return getattr(self, f"_apply_{key}", None)

    def _unknown(self, kind: str) -> NotImplementedError:
        return NotImplementedError(f"{type(self).__name__} does not transform {kind}: define `_apply_{kind}`.")

    def _apply_image(self, image: Any) -> Any:
        raise self._unknown("image")

    def _apply_boxes(self, boxes: Any) -> Any:
        raise self._unknown("boxes")

    def _apply_mask(self, mask: Any) -> Any:
        raise self._unknown("mask")

    def _apply_coords(self, coords: Any) -> Any:
        raise self._unknown("coords")


class Compose:
    """Transforms one after another. An error notes in which of them it happened."""

    holds_settings = True

    def __init__(self, transforms: Sequence[Any]):
        self.transforms = transforms

    def __call__(self, data: Any) -> Any:
        for i, transform in enumerate(self.transforms):
            try:
                data = transform(data)
            except Exception as error:
                error.add_note(f"This happened in transform {i} of a Compose: {transform}")
                raise
        return data

    def __repr__(self) -> str:
        return "".join([type(self).__name__, "(", *(f"\n    {t}" for t in self.transforms), "\n)"])


# ---- random numbers: Python's and NumPy's global generators, in Paddle's order: the same seeds give the same ---

def _need_eager(what: str) -> None:
    if tracing():
        raise ConversionError(
            f"A random transform draws {what} from Python's generator, which a program would do only once."
            f"{at_user_line()}\nApply it to each sample, in the Dataset or the DataLoader, or keep this function eager "
            "(`paddle.jit.not_to_static`).")


def chance(prob: float) -> bool:
    """True with the probability `prob`."""
    _need_eager("a choice")
    return random.random() < prob


def uniform(low: float, high: float) -> float:
    """A number between two, from Python's generator."""
    _need_eager("a number")
    return random.uniform(low, high)


def uniform_numpy(low: float, high: float) -> float:
    """A number between two, from NumPy's generator."""
    _need_eager("a number")
    return np.random.uniform(low, high)


def integer(low: int, high: int) -> int:
    """A whole number from `low` to `high`, both included."""
    _need_eager("a position")
    return random.randint(low, high)


# ---- arguments -----------------------------------------------------------------------------------------------------

def require(fact: Any, message: str, kind: type[Exception] = AssertionError) -> None:
    """Raise `kind` if a fact about the arguments does not hold."""
    if not fact:
        raise kind(message)


def pair(value: Any) -> Any:
    """A number as (height, width)."""
    return (int(value), int(value)) if isinstance(value, numbers.Number) else value     # type: ignore[call-overload]


def need_sequence(value: Any, name: str, lengths: tuple[int, ...] = (2,)) -> None:
    """Refuse what is not a sequence of one of these lengths."""
    shown = " or ".join(map(str, lengths))
    require(isinstance(value, Sequence), f"{name} must be a sequence of {shown} numbers, but got {value!r}.", TypeError)
    require(len(value) in lengths, f"{name} must be a sequence of {shown} numbers, but got {value!r}.", ValueError)


def angles(value: Any, name: str, lengths: tuple[int, ...] = (2,)) -> list[float]:
    """Degrees from -value to value, or the given range."""
    if isinstance(value, numbers.Number):
        require(value >= 0, f"{name} must not be negative as a single number, but got {value}.", ValueError)  # type: ignore
        return [-float(value), float(value)]                        # type: ignore[arg-type]
    need_sequence(value, name, lengths)
    return [float(v) for v in value]
