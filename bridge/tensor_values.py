"""What Python and other libraries see of a Tensor's values."""
from __future__ import annotations

from typing import Any

import jax
import numpy as np

from kayax.bridge import known
from kayax.bridge.errors import ArgumentError, concretization


class Values:
    """Conversions of a Tensor: to numbers, lists, NumPy, other libraries' arrays, text."""

    __slots__ = ()

    def _value(self: Any, use: str) -> Any:
        """The concrete array, or the error for asking while the function is being converted."""
        array = self.storage.array
        if isinstance(array, jax.core.Tracer):
            settled = known.value_of(array)
            if settled is None:
                raise concretization(use)
            return settled
        return array

    def _numbers(self: Any, use: str) -> np.ndarray:
        """The value as an array whose items are numbers, or open sizes."""
        sizes = known.open_of(self.storage.array)
        return np.asarray(self._value(use)) if sizes is None else sizes

    def numpy(self: Any) -> np.ndarray:
        """A NumPy array of the value (a copy that may be written)."""
        return np.array(self._value(".numpy()"))

    def item(self: Any, *args: int) -> Any:
        """The Python number of a one-element Tensor, or of the element at `args`."""
        try:
            return self._numbers(".item()").item(*args)
        except IndexError as error:
            raise ValueError(f"item{args}: {error}.") from None

    def tolist(self: Any) -> Any:
        """The value as nested lists of Python numbers."""
        return self._numbers(".tolist()").tolist()

    def _scalar(self: Any, use: str) -> Any:
        array = self._value(use)
        if array.size != 1:
            raise ArgumentError(f"{use} needs a Tensor with one element, but this one has shape {list(array.shape)}.")
        return np.asarray(array).reshape(())[()].item()

    def __bool__(self: Any) -> bool:
        return bool(self._scalar("bool(tensor), as in `if` and `while`,"))

    def __int__(self: Any) -> int:
        return int(self._scalar("int(tensor)"))

    def __index__(self: Any) -> int:
        return int(self._scalar("Using a tensor as a Python integer"))

    def __float__(self: Any) -> float:
        return float(self._scalar("float(tensor)"))

    def __complex__(self: Any) -> complex:
        return complex(self._scalar("complex(tensor)"))

    def __len__(self: Any) -> int:
        if self.ndim == 0:
            raise ArgumentError("len() of a 0-D tensor.")
        return self.storage.array.shape[0]

    def __iter__(self: Any) -> Any:
        if self.ndim == 0:
            raise ArgumentError("iteration over a 0-D tensor.")
        return (self[i] for i in range(len(self)))

    def __array__(self: Any, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self._value("numpy.asarray(tensor)"), dtype=dtype, copy=copy is not False or None)

    def __jax_array__(self: Any) -> Any:
        return self.storage.array

    def __dlpack__(self: Any, **kwargs: Any) -> Any:
        return self._value("__dlpack__").__dlpack__(**kwargs)

    def __dlpack_device__(self: Any) -> Any:
        return self._value("__dlpack__").__dlpack_device__()

    def __hash__(self: Any) -> int:
        return id(self)

    def __repr__(self: Any) -> str:
        from kayax.bridge.printing import describe
        return describe(self)

    __str__ = __repr__

    def __format__(self: Any, spec: str) -> str:
        if self.ndim == 0 and not (isinstance(self.storage.array, jax.core.Tracer) and not spec):
            return format(self.item(), spec)
        if spec:
            raise TypeError(f"The format {spec!r} is for a number, and this Tensor has the shape "
                            f"{list(self.shape)}.")
        return str(self)
