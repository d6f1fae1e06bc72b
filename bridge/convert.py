"""Into Tensors: NumPy arrays, Python numbers and nested lists, jax arrays, other Tensors."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kayax.bridge import device as devices
from kayax.bridge import known
from kayax.bridge.cells import Storage
from kayax.bridge.open_sizes import is_open, plain
from kayax.bridge.state import state
from kayax.bridge.tensor import Tensor, wrap
from kayax.spec.dtype import convert, default, find, to_numpy
from kayax.spec.errors import ArgumentError

_FRESH = (list, tuple, int, float, complex, np.generic)        # NumPy makes an array of its own of them


def to_array(data: Any, dtype: Any = None, place: Any = None) -> Any:
    """A jax array of the data: Python floats get the default dtype, ints int64; NumPy dtypes are kept."""
    wanted = to_numpy(dtype) if dtype is not None else None
    if isinstance(data, Tensor):
        array = data.storage.array
        source, same = array, wanted is None or array.dtype == wanted
        array = jnp.copy(array) if same else array.astype(wanted)
        if same:
            known.note_copy(array, source)
    elif isinstance(data, jax.Array):
        array = data.astype(wanted) if wanted is not None and data.dtype != wanted else data
    elif state.portable and _has_open(data):
        array = _of_sizes(data)
        array = array.astype(wanted or (default().numpy if array.dtype.kind == "f" else np.int64))
    else:
        found = _to_numpy(data, wanted)
        found = found if isinstance(data, _FRESH) else owned(found)
        array = jnp.asarray(found)
        known.note(array, found)
    if place is not None and not isinstance(array, jax.core.Tracer):
        array = jax.device_put(array, devices.to_jax(place))
    return array


_POSITIONS = ("place", "persistable", "zero_copy", "name", "stop_gradient")


def constructed(data: Any, more: tuple, options: dict) -> tuple[Any, dict]:
    """The array, and what else is said, of ``Tensor(data, place, persistable, zero_copy, name, stop_gradient)``.

    Sizes (``Tensor(2, 3)``) make that many zeros, nested lists elements of the default dtype.
    """
    data = options.pop("value", data)
    facts = dict(zip(_POSITIONS, () if _is_size(data) else more, strict=False)) | options
    wanted, place = facts.get("dtype"), facts.get("place")
    if _is_size(data):
        return to_array(np.zeros((data, *more), to_numpy(wanted or default())), None, place), facts
    if isinstance(data, (list, tuple)) and wanted is None and not _holds_tracer(data):
        wanted = default()
    return to_array([] if data is None else data, wanted, place), facts


def _is_size(data: Any) -> bool:
    return isinstance(data, (int, np.integer)) and not isinstance(data, bool)


def owned(array: Any) -> Any:
    """A NumPy array's values in memory of their own: JAX may keep the memory itself, or read it later."""
    return array.copy() if isinstance(array, np.ndarray) else array


def _has_open(data: Any) -> bool:
    return any(map(_has_open, data)) if isinstance(data, (list, tuple)) else is_open(data)


def _of_sizes(data: Any) -> Any:
    """Open sizes, in nested lists with numbers, as an array of a program."""
    return jnp.stack(list(map(_of_sizes, data))) if isinstance(data, (list, tuple)) else jnp.asarray(plain(data))


def _to_numpy(data: Any, wanted: Any) -> np.ndarray:
    if isinstance(data, (np.ndarray, np.generic)):
        found = np.asarray(data)
        natural = found.dtype
    else:
        found = _from_python(data)
        natural = found.dtype
        if not _has_tensor(data):           # arrays in a list count as its numbers do
            natural = _NATURAL.get(natural.kind, lambda dtype: dtype)(natural)
    if natural == np.uint16:                # what NumPy keeps bfloat16 in
        found = found.view(to_numpy("bfloat16"))
        natural = found.dtype
    if find(natural) is None:
        raise ArgumentError(f"A Tensor cannot be made of data of type {type(data).__name__} with NumPy dtype "
                        f"{found.dtype}: use numbers, booleans, nested lists of them with equal lengths, or a NumPy "
                        "array.")
    return found.astype(wanted if wanted is not None else natural, copy=False)


def _from_python(data: Any) -> np.ndarray:
    if isinstance(data, (list, tuple)):
        data = _unwrap(data)
    try:
        return np.asarray(data)
    except ValueError as error:
        raise ValueError(f"The nested lists do not have equal lengths, so they make no Tensor: {error}") from None


def _unwrap(data: Any) -> Any:
    if isinstance(data, (list, tuple)):
        return [_unwrap(d) for d in data]
    return data.numpy() if isinstance(data, Tensor) else data


_NATURAL: dict[str, Callable[[np.dtype], np.dtype]] = {
    "f": lambda dtype: default().numpy,
    "c": lambda dtype: np.dtype("complex128" if default().name == "float64" else "complex64"),
    "i": lambda dtype: np.dtype("int64") if dtype == np.int32 else dtype,
}


def _has_tensor(data: Any) -> bool:
    if isinstance(data, (list, tuple)):
        return any(_has_tensor(d) for d in data[:8])
    return isinstance(data, Tensor)


def _holds_tracer(data: Any) -> bool:
    if isinstance(data, (list, tuple)):
        return any(map(_holds_tracer, data))
    return isinstance(data, Tensor) and isinstance(data.storage.array, jax.core.Tracer)


def _holds_symbol(data: Any) -> bool:
    if isinstance(data, (list, tuple)):
        return any(map(_holds_symbol, data))
    return isinstance(data, Tensor) and not isinstance(data.storage._array, jax.Array)


def to_tensor(data: Any, dtype: Any = None, place: Any = None, stop_gradient: bool = True) -> Tensor:
    """A new Tensor of the data.

    data: a number, nested lists, a NumPy or jax array, or a Tensor (copied). Python floats become the default dtype
        (float32), Python ints int64; arrays keep their dtype.
    dtype: the data type, or None for the data's own. place: where it lives. stop_gradient: False to record gradients.
    """
    if state.graph is not None and _holds_symbol(data):
        return state.graph.record(to_tensor, (data, dtype, place, stop_gradient), {})
    if state.trace is not None and isinstance(data, (list, tuple)) and _holds_tracer(data):
        array = _stack(data)
        if dtype is not None:
            array = array.astype(to_numpy(dtype))
    else:
        array = to_array(data, dtype, place)
    tensor = wrap(array)
    tensor._stop_gradient = bool(stop_gradient)
    if state.graph is not None:
        tensor.__dict__["constant"] = True          # which starts with its value in each run
    return tensor


def _stack(data: Any) -> Any:
    if isinstance(data, (list, tuple)):
        return jnp.stack([jnp.asarray(_stack(d)) for d in data])
    if isinstance(data, Tensor):
        return data.storage.array
    return to_array(data)


def as_tensor(x: Any, dtype: Any = None) -> Tensor:
    """The Tensor itself, or a new one of anything else."""
    return x if isinstance(x, Tensor) else to_tensor(x, dtype)


__all__ = ["as_tensor", "owned", "to_array", "to_tensor", "Storage", "convert"]
