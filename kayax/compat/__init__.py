"""``paddle.compat``: functions with PyTorch's arguments and results, where Paddle's of the same name differ."""
from __future__ import annotations

import importlib
from typing import Any, NamedTuple

import jax.numpy as jnp

from kayax.bridge import rng
from kayax.bridge.keywords import finish
from kayax.bridge.ops.public import LINALG as _LINALG
from kayax.bridge.ops.public import TOP_LEVEL as _TOP
from kayax.bridge.tensor import Tensor


class MinMaxRetType(NamedTuple):
    """The extreme values along a dimension, and where they are."""

    values: Tensor
    indices: Tensor


class MedianRetType(NamedTuple):
    """The medians along a dimension, and where they are."""

    values: Tensor
    indices: Tensor


class SortRetType(NamedTuple):
    """The sorted values, and where they were."""

    values: Tensor
    indices: Tensor


class SlogdetResult(NamedTuple):
    """The sign of a determinant, and the logarithm of its absolute value."""

    sign: Tensor
    logabsdet: Tensor


def equal(input: Tensor, other: Tensor) -> bool:
    """Whether two Tensors have the same shape and elements, of whatever types."""
    if input.shape != other.shape:
        return False
    meeting = jnp.promote_types(input.dtype.numpy, other.dtype.numpy)
    return bool(_TOP["equal"](input.astype(meeting), other.astype(meeting)).all())


def _extreme(name: str, input: Tensor, args: tuple, kwargs: dict[str, Any], out: Any) -> Any:
    """The three forms of `max` and `min`: of everything, along a dimension, and of two Tensors."""
    names = ("other",) if args and isinstance(args[0], Tensor) else ("dim", "keepdim")
    given = dict(zip(names, args, strict=False)) | kwargs
    if len(args) > len(names) or (not given.keys() <= {"dim", "keepdim"} and given.keys() != {"other"}):
        raise TypeError(f"compat.{name} takes (input), (input, dim, keepdim=False) or (input, other), but got "
                        f"{', '.join(map(repr, given)) or len(args)}.")
    if "other" in given:
        return _TOP[name + "imum"](input, given["other"], out=out)
    if not given:
        return finish(_TOP[name](input), out)
    dim, keepdim = given.get("dim"), given.get("keepdim", False)
    if not isinstance(dim, int):
        raise TypeError(f"dim must be an int, but got {dim!r}.")
    indices = _TOP["arg" + name](input, dim, keepdim=True)
    values = _TOP["take_along_axis"](input, indices, dim) if input.ndim else input
    if not keepdim and input.ndim:
        values, indices = values.squeeze(dim), indices.squeeze(dim)
    return MinMaxRetType(*finish((values, indices), out))


def max(input: Tensor, *args: Any, out: Any = None, **kwargs: Any) -> Any:
    """The maximum of all elements; with `dim`, (values, indices) along it; with a second Tensor, of both elementwise.

    Forms: ``max(input)``, ``max(input, dim, keepdim=False)``, ``max(input, other)``. The first of equal ones counts.
    """
    return _extreme("max", input, args, kwargs, out)


def min(input: Tensor, *args: Any, out: Any = None, **kwargs: Any) -> Any:
    """The minimum of all elements; with `dim`, (values, indices) along it; with a second Tensor, of both elementwise.

    Forms: ``min(input)``, ``min(input, dim, keepdim=False)``, ``min(input, other)``. The first of equal ones counts.
    """
    return _extreme("min", input, args, kwargs, out)


def _median(name: str, input: Tensor, dim: int | None, keepdim: bool, out: Any) -> Any:
    if dim is None:
        return finish(_TOP[name](input, mode="min", keepdim=keepdim), out)
    return MedianRetType(*finish(tuple(_TOP[name](input, dim, keepdim, mode="min")), out))


def median(input: Tensor, dim: int | None = None, keepdim: bool = False, *, out: Any = None) -> Any:
    """The lower median of all elements; with `dim`, (values, indices) along it."""
    return _median("median", input, dim, keepdim, out)


def nanmedian(input: Tensor, dim: int | None = None, keepdim: bool = False, *, out: Any = None) -> Any:
    """The lower median of the elements that are not nan; with `dim`, (values, indices) along it."""
    return _median("nanmedian", input, dim, keepdim, out)


def seed() -> int:
    """Seed the random state with a number from the operating system, and give that number."""
    return rng.default_generator().seed()


def slogdet(x: Tensor, out: Any = None) -> SlogdetResult:
    """The sign and the logarithm of the absolute value of the determinants of the matrices `x` [..., n, n]."""
    found = _LINALG.get("slogdet", _TOP.get("slogdet"))(x)      # type: ignore[misc]
    return SlogdetResult(*finish((found[0], found[1]), out))


def sort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False, out: Any = None) -> SortRetType:
    """(values, indices): the elements sorted along `dim`, and where they were."""
    indices = _TOP["argsort"](input, dim, descending, stable)
    values = _TOP["take_along_axis"](input, indices, dim) if input.ndim else input
    return SortRetType(*finish((values, indices), out))


def split(tensor: Tensor, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Parts of `tensor` along `dim`: of one size (the last may be smaller), or of the sizes in a list."""
    sections = split_size_or_sections
    if isinstance(sections, int):
        if sections <= 0:
            raise AssertionError(f"split_size_or_sections must be positive, but got {sections}.")
        length = tensor.shape[dim]
        sections = [sections] * (length // sections) + [length % sections] * (length % sections > 0)
    return tuple(_TOP["split"](tensor, list(sections), dim))


def unique(input: Tensor, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False,
           dim: int | None = None) -> Any:
    """The distinct elements (or slices along `dim`), sorted.

    return_inverse, return_counts: a tuple, with where each element went (flat, as in Paddle) and how often each occurs.
    """
    return _TOP["unique"](input, return_inverse=return_inverse, return_counts=return_counts, axis=dim)


def __getattr__(name: str) -> Any:
    if name == "nn":
        return importlib.import_module("kayax.compat.nn")
    raise AttributeError(f"module 'kayax.compat' has no attribute {name!r}")


__all__ = ["equal", "max", "median", "min", "nanmedian", "seed", "slogdet", "sort", "split", "unique"]
