"""Arrays of Tensors, which are lists: the older functions of `paddle.tensor`."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kayax.bridge.tensor import Tensor


def create_array(dtype: Any = None, initialized_list: Sequence[Tensor] | None = None) -> list[Tensor]:
    """A list with these Tensors. dtype: accepted; each Tensor has its own."""
    found = list(initialized_list or ())
    wrong = [type(v).__name__ for v in found if not isinstance(v, Tensor)]
    if wrong:
        raise TypeError(f"initialized_list must hold Tensors, but has a value of type {wrong[0]}.")
    return found


def array_length(array: list[Tensor]) -> int:
    """How many Tensors there are."""
    return len(_list(array))


def array_read(array: list[Tensor], i: Any) -> Tensor:
    """The Tensor at the place `i`, an int or a Tensor with one element."""
    return _list(array)[_place(i)]


def array_write(x: Tensor, i: Any, array: list[Tensor] | None = None) -> list[Tensor]:
    """The list (a new one if None) with `x` at the place `i`: one that it has, or the next."""
    array, place = [] if array is None else _list(array), _place(i)
    if place > len(array):
        raise AssertionError(f"i must be at most {len(array)}, the length of the array, but got {place}.")
    array[place:place + 1] = [x]
    return array


def _place(i: Any) -> int:
    return int(i.item()) if isinstance(i, Tensor) else int(i)


def _list(array: Any) -> list[Tensor]:
    if not isinstance(array, list):
        raise AssertionError(f"array must be a list of Tensors, but got {type(array).__name__}.")
    return array


__all__ = ["array_length", "array_read", "array_write", "create_array"]
