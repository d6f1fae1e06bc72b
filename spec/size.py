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

    def __repr__(self) -> str:
        return f"paddle.Size({super().__repr__()})"
