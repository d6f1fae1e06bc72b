"""The arguments of an operation as a key: Python values by type and value, with places for arrays."""
from __future__ import annotations

from typing import Any

import jax
import numpy as np

from kayax.bridge.open_sizes import OpenDim
from kayax.bridge.tensor import Tensor
from kayax.spec.dtype import DType

ARRAY, SCALAR = "<array>", "<scalar>"               # a run-time argument stands here
PLAIN = frozenset({type(None), str, DType, type})
NUMBERS = frozenset({bool, int, float, complex})


def freeze(value: Any, inputs: list[Any]) -> Any:
    """A hashable form that compares by type and value; Tensors and arrays inside go to `inputs`."""
    kind = type(value)
    if kind in PLAIN:
        return value
    if kind in NUMBERS:
        return (kind, value)
    if isinstance(value, (Tensor, np.ndarray, jax.Array)):
        inputs.append(value.copy() if isinstance(value, np.ndarray) else value)     # which the user may change
        return ARRAY
    if kind in (list, tuple):
        return (tuple, tuple([freeze(v, inputs) for v in value]))
    if isinstance(value, np.generic):
        return (type(value.item()), value.item())
    if kind is dict:
        return (dict, tuple([(k, freeze(v, inputs)) for k, v in value.items()]))
    if kind is slice:
        return (slice, tuple([freeze(v, inputs) for v in (value.start, value.stop, value.step)]))
    if isinstance(value, (list, tuple)):
        return (tuple, tuple([freeze(v, inputs) for v in value]))
    if kind is OpenDim:
        return (_As, value.dim)
    # What calls itself an array, or (if sparse) says why it is none; an open dim of a shape is a number, not an array.
    if hasattr(kind, "__jax_array__") and hasattr(kind, "dtype"):
        inputs.append(value.__jax_array__())
        return ARRAY
    return (_As, value)


class _As:
    """In a key: the value stands for itself."""


def thaw(part: Any, arrays: Any) -> Any:
    """The value again; Tensors and arrays come from the iterator `arrays`."""
    if part is ARRAY or part is SCALAR:
        return next(arrays)
    if type(part) is not tuple:
        return part
    kind, value = part
    if kind is tuple:
        return tuple([thaw(v, arrays) for v in value])
    if kind is dict:
        return {k: thaw(v, arrays) for k, v in value}
    if kind is slice:
        return slice(*[thaw(v, arrays) for v in value])
    return value
