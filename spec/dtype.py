"""The data types that a Tensor can have, under Paddle's names, and the default floating type."""
from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np


class DType:
    """A data type such as ``paddle.float32``. There is one object for each type, so ``is`` compares them too.

    It equals its own name and its NumPy type as well (``x.dtype == "float32"``), which Paddle's does not.
    """

    __slots__ = ("name", "numpy", "is_floating", "is_complex", "is_integer", "_hash")

    name: str
    numpy: np.dtype
    is_floating: bool
    is_complex: bool
    is_integer: bool
    _hash: int

    def __new__(cls, name: Any, numpy_type: Any = None) -> DType:
        if numpy_type is None:              # as users call it: the type of this name
            return convert(name)
        self = object.__new__(cls)
        self.name = name
        self.numpy = np.dtype(numpy_type)
        self.is_complex = name.startswith("complex")
        self.is_floating = "float" in name
        self.is_integer = "int" in name
        self._hash = hash(self.numpy)
        return self

    @property
    def is_differentiable(self) -> bool:
        """Whether gradients exist: floating or complex."""
        return self.is_floating or self.is_complex

    @property
    def itemsize(self) -> int:
        """The bytes of one element."""
        return self.numpy.itemsize

    def __eq__(self, other: object) -> bool:
        return self is other or (not isinstance(other, DType) and find(other) is self)

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"paddle.{self.name}"

    def __reduce__(self) -> tuple:
        return convert, (self.name,)


_NUMPY_TYPES = {
    "bool": np.bool_, "uint8": np.uint8, "int8": np.int8, "int16": np.int16, "int32": np.int32, "int64": np.int64,
    "float16": np.float16, "bfloat16": ml_dtypes.bfloat16, "float32": np.float32, "float64": np.float64,
    "complex64": np.complex64, "complex128": np.complex128,
}
ALL = {name: DType(name, numpy_type) for name, numpy_type in _NUMPY_TYPES.items()}
_ALIASES = {"float": "float64", "double": "float64", "half": "float16", "int": "int64", "long": "int64",
            "uint16": "bfloat16"}                   # uint16 is what Paddle's files call bfloat16
# Second names of the types as attributes of the module: paddle.float is float32, as a string "float" is float64.
MODULE_ALIASES = {"float": ALL["float32"], "double": ALL["float64"], "half": ALL["float16"], "cfloat": ALL["complex64"],
                  "cdouble": ALL["complex128"], "int": ALL["int32"], "long": ALL["int64"], "short": ALL["int16"],
                  "uint16": ALL["bfloat16"]}
_BY_KEY: dict[Any, DType] = {dtype.numpy: dtype for dtype in ALL.values()}
_BY_KEY |= {dtype.numpy.type: dtype for dtype in ALL.values()}
_BY_KEY |= ALL | {f"paddle.{name}": dtype for name, dtype in ALL.items()}
_BY_KEY |= {alias: ALL[name] for alias, name in _ALIASES.items()}
_BY_KEY |= {bool: ALL["bool"], int: ALL["int64"], float: ALL["float64"], complex: ALL["complex128"]}

_default = ALL["float32"]


def find(dtype: Any) -> DType | None:
    """The DType that a name, a NumPy type, a Python type or a DType means, or None."""
    if isinstance(dtype, DType):
        return dtype
    try:
        found = _BY_KEY.get(dtype)
        return found if found is not None else _BY_KEY.get(np.dtype(dtype)) if dtype is not None else None
    except TypeError:
        return None


def convert(dtype: Any) -> DType:
    """As `find`, but an unknown type is a TypeError that lists the known ones."""
    found = find(dtype)
    if found is None:
        raise TypeError(f"{dtype!r} is not a data type. The data types are: {', '.join(ALL)}.")
    return found


def to_numpy(dtype: Any) -> np.dtype:
    """The NumPy dtype of whatever `convert` understands."""
    return convert(dtype).numpy


def set_default_dtype(d: Any) -> None:
    """Set the floating type of new parameters and of Python floats: float16, bfloat16, float32 or float64."""
    global _default
    dtype = convert(d)
    if not dtype.is_floating:
        raise TypeError(f"The default dtype must be float16, bfloat16, float32 or float64, but got {dtype.name}.")
    _default = dtype


def get_default_dtype() -> str:
    """The name of the default floating type."""
    return _default.name


def default() -> DType:
    """The default floating type itself."""
    return _default
