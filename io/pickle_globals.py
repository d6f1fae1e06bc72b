"""What the few names mean that a pickle of Paddle may mention: each is a function here that checks its arguments."""
from __future__ import annotations

import math
import re
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np

from kayax.spec import dtype as dtypes

# Numbers of paddle.dtype in paddlepaddle 3.
_PADDLE_DTYPES = {1: "bool", 2: "uint8", 3: "int8", 5: "int16", 7: "int32", 9: "int64", 10: "float32", 11: "float64",
                  12: "complex64", 13: "complex128", 15: "float16", 16: "bfloat16"}
_DTYPE_CODE = re.compile(r"(b1|[iu][1248]|f[248]|c(8|16)|[US][1-9][0-9]{0,8})\Z")
_KEY_TYPES = (str, int, float, bool, complex, bytes, type(None))
_SCALAR_ARGS = (int, float, type(None))
_MAX_NDIM = 64
_MAX_BYTES_KEY = 4096          # keys are copied, and one may be used often


class PickleError(ValueError):
    """What is wrong, at which byte of the data."""

    def __init__(self, problem: str, offset: int = -1):
        super().__init__(problem)
        self.problem, self.offset = problem, offset


class Global:
    """A name from `CALLS`: by itself it can do nothing."""

    __slots__ = ("call", "name")

    def __init__(self, module: str, name: str):
        self.name = f"{module}.{name}"
        self.call = CALLS[module, name]


class Cell:
    """Something that a later BUILD instruction completes; `value` is what it becomes."""

    value: Any = None

    def build(self, state: Any) -> None:
        raise PickleError("its state cannot be set")


class Array(Cell):
    def build(self, state: Any) -> None:
        if type(state) is not tuple or len(state) not in (4, 5):
            raise PickleError("the state of an array should have 5 parts")
        shape, dtype, fortran, raw = state[-4:]
        self.value = _to_array(raw, dtype, shape, "F" if fortran else "C")


class _Dtype(Cell):
    def __init__(self, dtype: np.dtype):
        self.value = dtype

    def build(self, state: Any) -> None:
        if type(state) is not tuple or len(state) not in (8, 9) or state[1] not in ("<", ">", "|", "="):
            raise PickleError("the state of a dtype is not known")
        if state[2] is not None or state[3] is not None or state[4] is not None:
            raise PickleError("dtypes with fields are not allowed")
        if self.value != ml_dtypes.bfloat16:
            self.value = self.value.newbyteorder(state[1])


class _PaddleDtype(Cell):
    def build(self, state: Any) -> None:
        if type(state) is not int or state not in _PADDLE_DTYPES:
            raise PickleError(f"{state!r} is not the number of a paddle.dtype")
        self.value = dtypes.convert(_PADDLE_DTYPES[state])


# ---- what the globals mean -----------------------------------------------------------------------------------------


def _raw(value: Any) -> Any:
    """The bytes of an array or scalar. Python 2 wrote them as text."""
    if type(value) is str:
        return value.encode("latin1")
    if type(value) not in (bytes, memoryview):
        raise PickleError(f"the values should be bytes, but they are a {type(value).__name__}")
    return value


def _is_size(dim: Any) -> bool:
    return type(dim) is int and 0 <= dim < 1 << 63


def _to_array(raw: Any, dtype: Any, shape: Any, order: Any) -> np.ndarray:
    if type(dtype) is not _Dtype or order not in ("C", "F"):
        raise PickleError("an array has no known dtype")
    kind = dtype.value
    if type(shape) is not tuple or len(shape) > _MAX_NDIM or not all(map(_is_size, shape)):
        raise PickleError(f"{_short(shape)} is not a shape")
    raw = _raw(raw)
    if len(raw) != math.prod(shape) * kind.itemsize or math.prod(dim or 1 for dim in shape) * kind.itemsize >= 1 << 63:
        raise PickleError(f"an array of shape {shape} and dtype {kind} cannot have {len(raw)} bytes")
    flat = np.frombuffer(raw, kind) if len(raw) else np.empty(0, kind)
    return flat.reshape(shape, order=order).astype(kind.newbyteorder("=") if kind.kind in "iufcU" else kind)


def _reconstruct(kind: Any, shape: Any, code: Any) -> Array:
    if type(kind) is not Global or kind.name != "numpy.ndarray":
        raise PickleError("only numpy.ndarray can be reconstructed")
    return Array()


def _frombuffer(raw: Any, dtype: Any, shape: Any, order: Any) -> Array:
    array = Array()
    array.value = _to_array(raw, dtype, shape, order)
    return array


def _dtype(code: Any, align: Any = 0, copy: Any = 1) -> _Dtype:
    if type(code) is Global and code.name == "ml_dtypes.bfloat16":
        return _Dtype(np.dtype(ml_dtypes.bfloat16))
    if type(code) is not str or not _DTYPE_CODE.match(code):
        raise PickleError(f"the dtype {_short(code)} is not allowed")
    return _Dtype(np.dtype(code))


def _scalar(dtype: Any, raw: Any) -> Cell:
    cell = Cell()
    cell.value = _to_array(raw, dtype, (), "C")[()]
    return cell


def _encode(text: Any, encoding: Any) -> bytes:
    if type(text) is not str or encoding != "latin1":
        raise PickleError("only text in latin1 can be encoded")
    return text.encode("latin1")


def _of_items(kind: Callable[[Any], Any]) -> Callable[..., Any]:
    def make(items: Any = ()) -> Any:
        if type(items) not in (list, tuple):
            raise PickleError(f"a {kind.__name__} should be made of a list")
        return kind(items) if kind is tuple else kind(map(as_key, items))
    return make


def _ordered(items: Any = ()) -> OrderedDict:
    if type(items) not in (list, tuple) or any(type(item) not in (list, tuple) or len(item) != 2 for item in items):
        raise PickleError("an OrderedDict should be made of pairs")
    return OrderedDict((as_key(key), value) for key, value in items)


def _numbers(kind: Callable[..., Any]) -> Callable[..., Any]:
    def make(*args: Any) -> Any:
        if any(type(arg) not in _SCALAR_ARGS for arg in args):
            raise PickleError(f"a {kind.__name__} should be made of numbers")
        return kind(*args)
    return make


def _dense_tensor(text: Any, names: Any) -> Any:
    """Paddle writes a DenseTensor as the call eval('data', {'data': array}). Nothing but that is understood."""
    if text != "data" or type(names) is not dict or list(names) != ["data"] or type(names["data"]) is not Array:
        raise PickleError("it calls eval: this file tries to run code")
    return names["data"]


def _no_bytes() -> bytes:
    return b""


def _never(*args: Any) -> Any:
    raise PickleError("this name cannot be called")


CALLS: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "ndarray"): _never, ("ml_dtypes", "bfloat16"): _never, ("numpy", "dtype"): _dtype,
    ("_codecs", "encode"): _encode, ("collections", "OrderedDict"): _ordered, ("paddle", "dtype"): _PaddleDtype,
}
for _module in ("numpy.core", "numpy._core"):
    CALLS |= {(f"{_module}.multiarray", "_reconstruct"): _reconstruct, (f"{_module}.multiarray", "scalar"): _scalar,
               (f"{_module}.numeric", "_frombuffer"): _frombuffer}
for _module in ("builtins", "__builtin__"):
    CALLS |= {(_module, "tuple"): _of_items(tuple), (_module, "set"): _of_items(set), (_module, "bytes"): _no_bytes,
               (_module, "frozenset"): _of_items(frozenset), (_module, "slice"): _numbers(slice),
               (_module, "complex"): _numbers(complex), (_module, "eval"): _dense_tensor}


def _short(value: Any) -> str:
    plain = type(value) is str or (type(value) is tuple and all(type(item) is int for item in value))
    text = value.name if type(value) is Global else repr(value) if plain else type(value).__name__
    return text if len(text) < 80 else text[:77] + "..."


def as_key(key: Any) -> Any:
    """A key of a dict or an item of a set: plain values and flat tuples of them, whose hash takes no time."""
    if type(key) is memoryview and len(key) <= _MAX_BYTES_KEY:
        return bytes(key)
    if type(key) in _KEY_TYPES or (type(key) is tuple and all(type(item) in _KEY_TYPES for item in key)):
        return key
    raise PickleError(f"a {type(key).__name__} cannot be a key")
