"""Values that are known when a program is converted: shapes, and what a program computes from shapes.

Paddle's programs compute shapes with ordinary operations on small integer tensors. Those are done here at once, on
NumPy arrays of Python integers or of symbolic dims, so that a shape stays a shape.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from kayax.bridge.convert import to_tensor
from kayax.bridge.ops.public import TOP_LEVEL as P
from kayax.bridge.tensor import Tensor, wrap
from kayax.io.paddle.tensors import numpy_dtype

MOST = 64               # elements; anything larger is a tensor


class Known:
    """A small array whose elements are Python numbers or symbolic dims, and the dtype it has as a tensor."""

    __slots__ = ("array", "dtype")

    def __init__(self, array: Any, dtype: str):
        self.array, self.dtype = array if isinstance(array, np.ndarray) else _objects(array), dtype

    def tensor(self) -> Tensor:
        """The value as a Tensor."""
        if all(isinstance(v, (bool, int, float)) for v in self.array.flat):
            return to_tensor(np.array(self.array.tolist(), numpy_dtype(self.dtype)).reshape(self.array.shape))
        flat = [jnp.asarray(v, numpy_dtype(self.dtype)) for v in self.array.flat]
        return wrap(jnp.stack(flat).reshape(self.array.shape))


class Mixed:
    """A vector some of whose elements are known, the others Tensors of shape [1]: bounds of a window, mostly."""

    __slots__ = ("dtype", "parts")

    def __init__(self, parts: list[Any], dtype: str):
        self.parts, self.dtype = parts, dtype

    def tensor(self) -> Tensor:
        """The value as a Tensor."""
        return P["concat"]([p if isinstance(p, Tensor) else Known([p], self.dtype).tensor() for p in self.parts])


def mix(name: str, inputs: dict[str, Any], attrs: dict[str, Any]) -> Mixed | None:
    """What joining known values and Tensors gives, and casting or computing with the result; None for anything else."""
    if name == "cast" and isinstance(inputs["x"], Mixed):
        return Mixed([p.astype(attrs["dtype"]) if isinstance(p, Tensor) else p for p in inputs["x"].parts],
                     attrs["dtype"])
    if name in _MIXED and isinstance(inputs["x"], (Known, Mixed)) and isinstance(inputs["y"], (Known, Mixed)):
        return _by_element(name, inputs["x"], inputs["y"])
    if name != "concat":
        return None
    found: list[Any] = []
    for item in inputs["x"]:
        if isinstance(item, Known) and item.array.ndim == 1:
            found += item.array.tolist()
        elif isinstance(item, Tensor) and list(item.shape) == [1] and str(item.dtype) in _INTEGERS:
            found.append(item)
        else:
            return None
    known = any(isinstance(item, Known) for item in inputs["x"])
    return Mixed(found, str(inputs["x"][0].dtype).removeprefix("paddle.")) if known else None


def _by_element(name: str, x: Known | Mixed, y: Known | Mixed) -> Mixed | None:
    """A sum or the like of two vectors, known where both are."""
    left, right = ([*v.parts] if isinstance(v, Mixed) else v.array.reshape(-1).tolist() for v in (x, y))
    count = max(len(left), len(right))
    left, right = (part * count if len(part) == 1 else part for part in (left, right))
    if len(left) != len(right) or x.dtype != y.dtype:
        return None
    found: list[Any] = []
    for a, b in zip(left, right, strict=True):
        if isinstance(a, Tensor) or isinstance(b, Tensor):
            found.append(P[name](*(v if isinstance(v, Tensor) else Known([v], x.dtype).tensor() for v in (a, b))))
        else:
            found.append(FOLDED[name]({"x": Known([a], x.dtype), "y": Known([b], x.dtype)}).array[0])
    return Mixed(found, x.dtype)


_MIXED = ("add", "subtract", "maximum", "minimum")
_INTEGERS = ("paddle.int32", "paddle.int64")


def _objects(values: Any) -> np.ndarray:
    array = np.empty(np.shape(values), object)
    array[...] = values
    return array


def ints(value: Any) -> Any:
    """A list of sizes from whatever a program gives: numbers, known values, tensors, lists of them."""
    if isinstance(value, Known):
        return value.array.reshape(-1).tolist()
    if isinstance(value, Tensor):
        return [int(v) for v in np.ravel(value.tolist())]
    if isinstance(value, (list, tuple)):
        return [v for item in value for v in (ints(item) if isinstance(item, (Known, Tensor, list)) else [item])]
    return [value]


def number(value: Any) -> Any:
    """One number, known; a Tensor that is not known stays a Tensor."""
    if isinstance(value, Known):
        return value.array.reshape(-1).tolist()[0]
    return value


def _cast(v: dict[str, Any]) -> Known:
    x, dtype = v["x"], v["dtype"]
    if np.dtype(numpy_dtype(dtype)).kind in "iu":
        return Known(np.frompyfunc(lambda e: int(e) if isinstance(e, float) else e, 1, 1)(x.array) + _objects(0), dtype)
    return Known(x.array, dtype)


def _slice(v: dict[str, Any]) -> Known:
    x = v["input"]
    index: list[Any] = [slice(None)] * x.array.ndim
    for axis, start, end in zip(v["axes"], ints(v["starts"]), ints(v["ends"]), strict=True):
        index[axis] = slice(start, end)
    out = x.array[tuple(index)]
    keep = [n for axis, n in enumerate(out.shape) if axis not in (v.get("decrease_axis") or ())]
    return Known(out.reshape(keep), x.dtype)


def _scale(v: dict[str, Any]) -> Known:
    factor, bias = number(v.get("scale", 1.0)), v.get("bias", 0.0)
    x = v["x"]
    whole = np.dtype(numpy_dtype(x.dtype)).kind in "iu"
    factor, bias = (int(n) if whole and float(n).is_integer() else n for n in (factor, bias))
    out = x.array * factor + bias if v.get("bias_after_scale", True) else (x.array + bias) * factor
    return Known(out, x.dtype)


def _binary(operation: Callable) -> Callable:
    def run(v: dict[str, Any]) -> Known:
        return Known(_objects(operation(v["x"].array, v["y"].array)), v["x"].dtype)
    return run


def _stack(v: dict[str, Any]) -> Known:
    return Known(np.stack([x.array for x in v["x"]], v["axis"]), v["x"][0].dtype)


def _concat(v: dict[str, Any]) -> Known:
    return Known(np.concatenate([x.array for x in v["x"]], int(number(v.get("axis", 0)))), v["x"][0].dtype)


def _reshape(v: dict[str, Any]) -> Known:
    return Known(v["x"].array.reshape(ints(v["shape"])), v["x"].dtype)


def _squeeze(v: dict[str, Any]) -> Known:
    return Known(np.squeeze(v["x"].array, tuple(ints(v["axis"])) or None), v["x"].dtype)


def _unsqueeze(v: dict[str, Any]) -> Known:
    return Known(np.expand_dims(v["x"].array, tuple(ints(v["axis"]))), v["x"].dtype)


def _gather(v: dict[str, Any]) -> Known:
    return Known(np.take(v["x"].array, np.array(v["index"].array.tolist(), int), axis=0), v["x"].dtype)


# What is done on known values when all inputs are known.
FOLDED: dict[str, Callable[[dict[str, Any]], Known]] = {
    "cast": _cast, "slice": _slice, "scale": _scale, "stack": _stack, "concat": _concat, "reshape": _reshape,
    "squeeze": _squeeze, "unsqueeze": _unsqueeze, "gather": _gather, "assign": lambda v: v["x"],
    "add": _binary(lambda a, b: a + b), "subtract": _binary(lambda a, b: a - b),
    "multiply": _binary(lambda a, b: a * b), "floor_divide": _binary(lambda a, b: a // b),
    "maximum": _binary(np.frompyfunc(max, 2, 1)), "minimum": _binary(np.frompyfunc(min, 2, 1)),
    "share_data_": lambda v: v["x"],
}


# The same for numbers alone: of symbolic dims these would have to be decided. Exported programs divide sizes so.
_ON_NUMBERS: dict[str, Callable[..., Any]] = {
    "divide": np.true_divide, "remainder": np.mod, "trunc": np.trunc, "floor": np.floor, "sign": np.sign, "abs": np.abs,
    "equal": np.equal, "not_equal": np.not_equal, "less_than": np.less, "less_equal": np.less_equal,
    "greater_than": np.greater, "greater_equal": np.greater_equal, "logical_and": np.logical_and,
    "logical_or": np.logical_or, "logical_not": np.logical_not, "where": np.where,
}


def fold(name: str, inputs: dict[str, Any], arguments: dict[str, Any]) -> Known | None:
    """The result of an operation on known values, or None if it has to be computed on tensors."""
    if not all_known(inputs):
        return None
    if name in FOLDED:
        return FOLDED[name](arguments)
    values = list(inputs.values())
    if name not in _ON_NUMBERS or any(type(e) not in (bool, int, float) for v in values for e in v.array.flat):
        return None
    arrays = [np.array(v.array.tolist(), numpy_dtype(v.dtype)) for v in values]
    if name == "divide" and arrays[0].dtype.kind != "f":
        return None
    with np.errstate(all="ignore"):
        out = _ON_NUMBERS[name](*arrays)
    return Known(_objects(out.tolist()), out.dtype.name)


def all_known(inputs: dict[str, Any]) -> bool:
    """Whether every input, also in lists, is a known value (and there is one)."""
    flat = [item for value in inputs.values() for item in (value if isinstance(value, list) else [value])
            if item is not None]
    return bool(flat) and all(isinstance(item, Known) for item in flat)
