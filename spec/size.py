"""The shape of a Tensor: a list of ints that prints as Paddle's does."""
from __future__ import annotations

import math
from typing import Any


class Size(list):
    """A shape, such as ``paddle.Size([2, 3])``: a list whose slices and sums are shapes too."""

    __slots__ = ()

    def numel(self) -> int:
        """The number of elements of a tensor of this shape."""
        return math.prod(self)

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        return Size(found) if isinstance(index, slice) else found

    def __add__(self, other: Any) -> Size:
        return Size([*self, *other])

    def __radd__(self, other: Any) -> Size:
        return Size([*other, *self])

    def __mul__(self, n: Any) -> Size:
        return Size(super().__mul__(n))

    __rmul__ = __mul__

    def __eq__(self, other: object) -> bool:
        return super().__eq__(list(other) if isinstance(other, tuple) else other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None         # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"paddle.Size({super().__repr__()})"


class Count(int):
    """The number of elements of a Tensor; called, its shape, or one of its sizes: ``x.size``, ``x.size(0)``."""

    shape: Size

    def __new__(cls, shape: Size) -> Count:
        self = int.__new__(cls, math.prod(shape))
        self.shape = shape
        return self

    def __call__(self, dim: int | None = None) -> Any:
        return self.shape if dim is None else self.shape[dim]

    def __reduce__(self) -> tuple:
        return int, (int(self),)
