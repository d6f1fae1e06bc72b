"""Values out of nothing: constants, ranges, shapes. Small ones stay known while a program is converted."""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from kayax.bridge.convert import to_tensor
from kayax.bridge.ops.public import TOP_LEVEL as P
from kayax.bridge.tensor import Tensor
from kayax.io.paddle.known import MOST, Known, ints, number
from kayax.io.paddle.tensors import numpy_dtype


def _dtype(v: dict[str, Any], default: str = "float32") -> str:
    value = v.get("dtype", default)
    return default if "Undefined" in value else value


def _shape_of(v: dict[str, Any]) -> Known:
    x = v["x"]
    dims = x.array.shape if isinstance(x, Known) else x.storage.array.shape
    return Known(list(dims), v.get("kind", "int64"))


def _filled(shape: list[Any], value: Any, dtype: str) -> Any:
    small = all(isinstance(d, int) for d in shape) and math.prod(shape) <= MOST
    if small and isinstance(value, (bool, int, float)):
        whole = np.dtype(numpy_dtype(dtype)).kind
        if math.isfinite(value) and whole in "iub":
            value = bool(value) if whole == "b" else int(value)
        array = np.empty(shape, object)
        array.fill(value)
        return Known(array, dtype)
    return P["full"](shape, value, dtype)


def _full(v: dict[str, Any]) -> Any:
    return _filled(list(v["shape"]), v["value"], _dtype(v))


def _full_ints(v: dict[str, Any]) -> Known:
    return Known(list(v["value"]), _dtype(v, "int64"))


def _full_with_tensor(v: dict[str, Any]) -> Any:
    return _filled(ints(v["shape"]), number(v["value"]), _dtype(v))


def _fill2(v: dict[str, Any]) -> Any:
    """Paddle 2's constant: the value may be written as a string, so that large integers stay exact."""
    text, value = v.get("str_value"), v.get("value", 0.0)
    dtype = _dtype(v)
    if isinstance(value, (Known, Tensor)):
        value = number(value)
    elif text:
        value = float(text) if np.dtype(numpy_dtype(dtype)).kind not in "iu" else int(float(text)) \
            if not text.lstrip("-").isdigit() else int(text)
    return _filled(ints(v["shape"]), value, dtype)


def _assign_value(v: dict[str, Any]) -> Any:
    dtype = _dtype(v)
    array = np.array(v["values"]).astype(numpy_dtype(dtype)).reshape(v["shape"])
    if array.size <= MOST and array.dtype.kind in "iub":
        return Known(np.array(array.tolist(), object).reshape(array.shape), dtype)
    return to_tensor(array)


def _assign_value2(v: dict[str, Any]) -> Any:
    lists = ("values", "fp32_values", "int32_values", "int64_values", "bool_values", "fp64_values")
    values: Any = next((v[name] for name in lists if v.get(name)), [])
    return _assign_value({**v, "values": values})


def _arange(v: dict[str, Any]) -> Tensor:
    bounds = [number(v[name]) for name in ("start", "end", "step")]
    dtype = v.get("dtype", v["end"].dtype if isinstance(v["end"], (Known, Tensor)) else "int64")
    if isinstance(dtype, str) and numpy_dtype(dtype).kind in "iu":
        bounds = [int(b) if isinstance(b, float) else b for b in bounds]
    return P["arange"](*bounds, dtype=dtype)


def _linspace(v: dict[str, Any]) -> Tensor:
    return P["linspace"](number(v["start"]), number(v["stop"]), int(number(v["number"])), _dtype(v))


def _batch_like(v: dict[str, Any]) -> Tensor:
    shape = list(v["shape"])
    shape[v.get("output_dim_idx", 0)] = v["input"].shape[v.get("input_dim_idx", 0)]
    return P["full"](shape, v["value"], _dtype(v))


def _full_like(v: dict[str, Any]) -> Any:
    x, value = v["x"], number(v.get("value", 0.0))
    dtype = _dtype(v, "") or None
    if isinstance(x, Known):
        return _filled(list(x.array.shape), value, dtype or x.dtype)
    return P["full_like"](x, value, dtype)


def _numel(v: dict[str, Any]) -> Known:
    x = v["x"]
    dims = x.array.shape if isinstance(x, Known) else x.storage.array.shape
    return Known(np.array(math.prod(dims), object), "int64")


def _eye(v: dict[str, Any]) -> Tensor:
    rows, columns = (int(number(v[n])) for n in ("num_rows", "num_columns"))
    return P["eye"](rows, rows if columns < 0 else columns, _dtype(v))


RULES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "shape": lambda v: _shape_of({**v, "kind": "int32"}), "shape64": _shape_of, "numel": _numel,
    "full": _full, "full_int_array": _full_ints, "full_with_tensor": _full_with_tensor, "paddle2_fill": _fill2,
    "full_like": _full_like, "zeros_like": _full_like, "ones_like": lambda v: _full_like({**v, "value": 1.0}),
    "full_batch_size_like": _batch_like, "assign_value": _assign_value, "assign_value_": _assign_value,
    "paddle2_assign_value": _assign_value2, "arange": _arange, "linspace": _linspace, "eye": _eye,
    "assign": lambda v: v["x"], "assign_out_": lambda v: v["x"], "share_data_": lambda v: v["x"],
}

KEEPS_KNOWN = frozenset(RULES) - {"full_batch_size_like", "linspace_"}
