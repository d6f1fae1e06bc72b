"""InputSpec: the shape, dtype and name that an input will have, said before the input exists."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np

from kayax.spec.dtype import DType, convert, find

# NumPy's meaning of these names is the one that Paddle gives them here.
_NUMPY_NAMES = {"float": "float64", "int": "int64", "uint16": "bfloat16"}


class InputSpec:
    """What an input looks like: ``InputSpec([None, 784], 'float32', 'image')``.

    Args:
        shape: list or tuple of sizes. None or -1 is a dimension of any size. A name (``["batch", "seq", 64]``) is one
            too, and equal names, in whatever inputs of a function, stand for equal sizes.
        dtype: a dtype or its name; None leaves it open.
        name: the input's name.
        stop_gradient: True if no gradient will flow into the input.

    Raises:
        TypeError: `shape` is not a list or tuple, or `dtype` is not a data type.
        ValueError: a size is not an int, None or a name.

    Differs from Paddle: dimensions may have names, tuples may hold None, NumPy integers are sizes, Python and NumPy
    types (``float``, ``np.float32``) become dtypes at once, and a bool is not a size.
    """

    def __init__(self, shape: Sequence[int | str | None], dtype: Any = "float32", name: str | None = None,
                 stop_gradient: bool = False):
        self.shape = _verify(shape)
        self.dtype: DType | None = None if dtype is None else _convert(dtype)
        self.name = name
        self.stop_gradient = stop_gradient

    @classmethod
    def from_tensor(cls, tensor: Any, name: str | None = None) -> Self:
        """The spec of a Tensor (anything with `shape`, `dtype` and `name`), under its own name or the one given."""
        if not all(hasattr(tensor, a) for a in ("shape", "dtype", "name")):
            raise ValueError(f"`tensor` should be a Tensor, but it is a {type(tensor).__name__}."
                             " For a NumPy array use InputSpec.from_numpy.")
        return cls(tuple(tensor.shape), tensor.dtype, name or tensor.name)

    @classmethod
    def from_numpy(cls, ndarray: Any, name: str | None = None) -> Self:
        """The spec of a NumPy array."""
        if not all(hasattr(ndarray, a) for a in ("shape", "dtype")):
            raise TypeError(f"`ndarray` should be a NumPy array, but it is a {type(ndarray).__name__}."
                            " Make one of it with numpy.asarray.")
        return cls(tuple(ndarray.shape), ndarray.dtype, name)

    def batch(self, batch_size: int | str | Sequence[int | str | None]) -> Self:
        """Put a dimension in front of the shape, in place, and return the spec. ``[None]`` or -1 is one of any size."""
        if isinstance(batch_size, (list, tuple)):
            if len(batch_size) != 1:
                raise ValueError(f"`batch_size` should be one size, but it has {len(batch_size)}: {batch_size}.")
            size = batch_size[0]
        elif not isinstance(batch_size, str) and not _is_int(batch_size):
            raise TypeError(f"`batch_size` should be an `int`, not a {type(batch_size).__name__}: {batch_size!r}.")
        else:
            size = batch_size
        self.shape = _verify((size, *self.shape))
        return self

    def unbatch(self) -> Self:
        """Take the first dimension off the shape, in place, and return the spec."""
        if not self.shape:
            raise ValueError("There is no dimension to take off: this InputSpec has the shape ().")
        self.shape = self.shape[1:]
        return self

    def __repr__(self) -> str:
        return (f"{type(self).__name__}(shape={self.shape}, dtype={self.dtype}, name={self.name}, "
                f"stop_gradient={self.stop_gradient})")

    def _key(self) -> tuple:
        return self.shape, self.dtype, self.stop_gradient

    # Inputs that differ in name alone run the same program: as in Paddle, the name is no part of the hash.
    def __hash__(self) -> int:
        return hash(self._key())

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return False
        return self._key() == other._key() and self.name == other.name


def bind_dims(specs: Iterable[InputSpec], shapes: Iterable[Sequence[int]]) -> dict[str, int]:
    """The size that each dimension name of `specs` takes in the `shapes` of actual inputs.

    Raises:
        ValueError: a shape does not fit its spec, one name takes two sizes, or an open size is 0.
    """
    sizes: dict[str, int] = {}
    givers: dict[str, str] = {}
    for number, (spec, shape) in enumerate(zip(specs, shapes, strict=True)):
        label = f"input {spec.name!r}" if spec.name else f"input {number}"
        if len(shape) != len(spec.shape):
            raise ValueError(f"{label} should have {len(spec.shape)} dimensions, {list(spec.shape)}, "
                             f"but its shape is {list(shape)}.")
        for axis, (dim, size) in enumerate(zip(spec.shape, shape, strict=True)):
            if size == 0 and (dim == -1 or isinstance(dim, str)):
                raise ValueError(f"Axis {axis} of {label} is empty. An open dimension has at least one element.")
            if isinstance(dim, str):
                if sizes.setdefault(dim, size) != size:
                    raise ValueError(f"Dimension {dim!r} is {sizes[dim]} in {givers[dim]}, but {size} in axis {axis} "
                                     f"of {label}. Equal names mean equal sizes.")
                givers.setdefault(dim, label)
            elif dim not in (-1, size):
                raise ValueError(f"Axis {axis} of {label} should be {dim}, but its shape is {list(shape)}.")
    return sizes


def _is_int(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _verify(shape: Any) -> tuple[int | str, ...]:
    if not isinstance(shape, (list, tuple)):
        raise TypeError(f"The `shape` of an InputSpec should be a list or a tuple, but it is a {type(shape).__name__}.")
    return tuple(_dim(axis, dim) for axis, dim in enumerate(shape))


def _dim(axis: int, dim: Any) -> int | str:
    if dim is None:
        return -1
    if isinstance(dim, str):
        if not dim.isidentifier():
            raise ValueError(f"shape[{axis}] is {dim!r}: the name of a dimension should be like a variable's, "
                             "such as 'batch'.")
        return dim
    if not _is_int(dim):
        raise ValueError(f"shape[{axis}] should be an `int`, None or a name, not a {type(dim).__name__}: {dim!r}.")
    return max(int(dim), -1)


def _convert(dtype: Any) -> DType:
    name = dtype if isinstance(dtype, str) else "" if find(dtype) else str(dtype)
    return convert(_NUMPY_NAMES.get(name, dtype))
