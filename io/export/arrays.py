"""Values while a program is written for another framework, and the builder that every target is made from."""
from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from kayax.bridge.errors import ConversionError
from kayax.io.export.stablehlo import numpy_dtype

Shape = tuple[int | None, ...]


class ExportError(ConversionError, NotImplementedError):
    """A program that the other framework cannot express; the message names all operations that are missing."""


@dataclasses.dataclass(eq=False)
class Array:
    """A value of the target: whatever it calls it, its dtype and shape, and how it was made."""

    name: Any
    dtype: str
    shape: Shape
    const: np.ndarray | None = None
    made: tuple = ()

    @property
    def rank(self) -> int:
        return len(self.shape)


@dataclasses.dataclass(eq=False)
class Wide:
    """A value that is broadcast, kept thin as long as operations broadcast by themselves.

    sizes: the shape as a vector, where the shape has dims of any size.
    """

    thin: Array
    shape: Shape
    sizes: Array | None

    @property
    def dtype(self) -> str:
        return self.thin.dtype


def broadcast_shape(shapes: Sequence[Shape]) -> Shape:
    """The shape of an elementwise result, aligned at the end."""
    rank = max(map(len, shapes))
    dims: list[int | None] = []
    for i in range(rank):
        here = [s[i - rank + len(s)] for s in shapes if i - rank + len(s) >= 0]
        known = [d for d in here if d not in (1, None)]
        dims.append(known[0] if known else None if None in here else 1)
    return tuple(dims)


class Builder:
    """Writes operations of a small neutral vocabulary; a target says how each is spelled (`EMIT`).

    Equal operations on equal values are written once in a scope.
    """

    EMIT: ClassVar[dict[str, Callable]] = {}

    def __init__(self) -> None:
        self.scopes: list[dict[Any, Any]] = [{}]

    # ---- what a target defines ---------------------------------------------------------------------------------

    def new_constant(self, array: np.ndarray) -> Any:
        """Write a constant, give its name."""
        raise NotImplementedError

    def choose(self, condition: Array, branches: Sequence[Callable[[], list[Array]]],
               results: Sequence[tuple[str, Shape]]) -> list[Array]:
        """An if: the first branch where the condition holds, else the second."""
        raise NotImplementedError

    def loop(self, going: Array, start: list[Array], body: Callable[[list[Array]], tuple[Array, list[Array]]],
             results: Sequence[tuple[str, Shape]]) -> list[Array]:
        """A while: `body` takes the variables, gives whether to go on and their new values."""
        raise NotImplementedError

    # ---- writing -----------------------------------------------------------------------------------------------

    def constant(self, value: Any, dtype: str | None = None) -> Array:
        """A constant; equal ones are one."""
        array = np.asarray(value) if dtype is None else np.asarray(value).astype(numpy_dtype(dtype))
        if array.size > 4096:
            return Array(self.new_constant(array), array.dtype.name, array.shape, array)
        key = ("constant", array.dtype.name, array.shape, array.tobytes())
        found = self._known(key)
        if found is None:
            found = Array(self.new_constant(array), array.dtype.name, array.shape, array, ("constant",))
            self.scopes[-1][key] = found
        return found

    def op(self, kind: str, inputs: Sequence[Array], dtype: str, shape: Sequence[int | None], **attrs: Any) -> Array:
        """One operation with one result."""
        return self.ops(kind, inputs, [(dtype, tuple(shape))], **attrs)[0]

    def ops(self, kind: str, inputs: Sequence[Array], results: Sequence[tuple[str, Shape]],
            **attrs: Any) -> list[Array]:
        """One operation with several results."""
        key = (kind, tuple(id(i) for i in inputs), tuple((k, str(v)) for k, v in sorted(attrs.items())), str(results))
        found = self._known(key)
        if found is None:
            if kind not in self.EMIT:
                raise ExportError(f"The operation {kind!r} cannot be written for {type(self).__name__}.")
            found = [Array(None, d, s, made=(kind, list(inputs), attrs)) for d, s in results]
            names = self.EMIT[kind](self, list(inputs), found, **attrs)
            for array, name in zip(found, names if isinstance(names, (list, tuple)) else [names], strict=True):
                array.name = name
            self.scopes[-1][key] = found
        return found

    def _known(self, key: Any) -> Any:
        return next((scope[key] for scope in reversed(self.scopes) if key in scope), None)

    # ---- often used --------------------------------------------------------------------------------------------

    def cast(self, x: Array, dtype: str) -> Array:
        """`x` in another dtype. Sizes are whole numbers that fit any integer dtype: they are not narrowed."""
        if x.dtype == dtype:
            return x
        if x.const is not None:
            return self.constant(x.const, dtype)
        if x.made and x.made[0] == "cast" and _is_size(x.made[1][0]) and x.made[1][0].dtype == dtype:
            return x.made[1][0]
        return self.op("cast", [x], dtype, x.shape)

    def reshape(self, x: Array, shape: Sequence[int | None], sizes: Array | None = None) -> Array:
        """`x` in another shape, whose open dims are one (inferred), or given by `sizes`."""
        shape = tuple(shape)
        if x.const is not None and None not in shape:
            return self.constant(x.const.reshape(shape))        # type: ignore[arg-type]
        while x.made and x.made[0] == "reshape":
            x = x.made[1][0]
        if x.shape == shape and None not in shape:
            return x
        if shape.count(None) <= 1:
            return self.op("reshape", [x], x.dtype, shape, to=[-1 if d is None else d for d in shape])
        if sizes is None:
            raise ExportError(f"A reshape to {list(shape)} has several open dims and no sizes.")
        return self.op("reshape", [x, self.cast(sizes, "int64")], x.dtype, shape)

    def unsqueeze(self, x: Array, axes: Sequence[int]) -> Array:
        """New axes of size 1, at these places of the result."""
        if not axes:
            return x
        rest = iter(x.shape)
        shape = [1 if i in axes else next(rest) for i in range(x.rank + len(axes))]
        if None not in x.shape:
            return self.reshape(x, shape)
        return self.op("unsqueeze", [x], x.dtype, shape, axes=list(axes))

    def transpose(self, x: Array, order: Sequence[int]) -> Array:
        if list(order) == list(range(x.rank)):
            return x
        if x.const is not None and x.const.size <= 4096:
            return self.constant(x.const.transpose(order))
        return self.op("transpose", [x], x.dtype, [x.shape[i] for i in order], order=list(order))

    def size(self, x: Array, axis: int) -> Array:
        """The size of an axis as a vector of one int64."""
        if x.shape[axis] is not None:
            return self.constant([x.shape[axis]], "int64")
        return self.op("size", [x], "int64", (1,), axis=axis)

    def expand(self, x: Array, shape: Shape, sizes: Array | None) -> Array:
        """`x` broadcast to a shape."""
        if x.shape == shape and None not in shape:
            return x
        if None not in shape:
            sizes = self.constant(list(shape), "int64")
        assert sizes is not None
        return self.op("expand", [x, self.cast(sizes, "int64")], x.dtype, shape)


def _is_size(x: Array) -> bool:
    while x.made and x.made[0] in ("reshape", "cast"):
        x = x.made[1][0]
    return bool(x.made) and x.made[0] == "size"
