"""Parameters as safetensors files, under the names that they have in the Layer."""
from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from kayax.bridge.tensor import Tensor, wrap
from kayax.io import atomic
from kayax.io.container import ModelFileError
from kayax.io.exchange.extras import need
from kayax.io.export.stablehlo import numpy_dtype

# The format's names of dtypes.
_NAMES = {"bool": "BOOL", "uint8": "U8", "int8": "I8", "int16": "I16", "int32": "I32", "int64": "I64",
          "float16": "F16", "bfloat16": "BF16", "float32": "F32", "float64": "F64", "complex64": "C64"}
_DTYPES = {short: name for name, short in _NAMES.items()} | {"U16": "uint16", "U32": "uint32", "U64": "uint64"}


def save_safetensors(source: Any, path: Any, metadata: Mapping[str, str] | None = None) -> None:
    """Write the parameters and buffers of a Layer, or a dict of Tensors or arrays, as a safetensors file.

    metadata: strings to keep in the file's header. A tensor that occurs under several names is written under each.

    Raises TypeError for something that is no tensor, ValueError for a dtype that the format has not.
    """
    library = need("safetensors.numpy", "interop")
    state = source.state_dict() if hasattr(source, "state_dict") else source
    if not isinstance(state, Mapping):
        raise TypeError(f"save_safetensors takes a Layer or a dict of Tensors, but got {type(source).__name__}.")
    entries: dict[str, np.ndarray] = {}
    for name, value in state.items():
        array = as_array(value, name)
        if array.dtype.name not in _NAMES:
            raise ValueError(f"{name!r} is {array.dtype.name}, which a safetensors file cannot hold.")
        entries[str(name)] = np.ascontiguousarray(array).reshape(array.shape)
    atomic.write_file(os.fspath(path), library.save(entries, metadata=dict(metadata or {"format": "np"})))


def load_safetensors(path: Any, return_numpy: bool = False) -> dict[str, Any]:
    """The Tensors of a safetensors file by name: ``layer.set_state_dict(load_safetensors(path))``.

    Raises FileNotFoundError, or ModelFileError if the file is damaged.
    """
    library = need("safetensors", "interop")
    with open(path, "rb") as file:
        data = file.read()
    try:
        entries = library.deserialize(data)
    except library.SafetensorError as error:
        raise ModelFileError(path, 0, f"it is no safetensors file: {error}.", "Fetch the file again.") from None
    found: dict[str, Any] = {}
    for name, entry in entries:
        dtype = _DTYPES.get(entry["dtype"])
        if dtype is None:
            raise ModelFileError(path, 0, f"tensor {name!r} is {entry['dtype']}, which has no counterpart here.",
                                 "Convert it before.")
        array = np.frombuffer(bytes(entry["data"]), numpy_dtype(dtype)).reshape(entry["shape"])
        found[name] = array if return_numpy else _tensor(array, name)
    return found


def _tensor(array: np.ndarray, name: str) -> Tensor:
    tensor = wrap(jnp.array(array))
    tensor.name = name
    return tensor


def as_array(value: Any, name: str) -> np.ndarray:
    """A NumPy array of a Tensor here, one of PyTorch's, or an array."""
    if hasattr(value, "detach") and not isinstance(value, Tensor):
        value = value.detach().cpu()
        if str(value.dtype) == "torch.bfloat16":
            import torch
            return value.view(torch.uint16).numpy().view(numpy_dtype("bfloat16"))
    if hasattr(value, "numpy"):
        value = value.numpy()
    array = np.asarray(value)
    if array.dtype == object:
        raise TypeError(f"{name!r} is a {type(value).__name__}, which is no tensor.")
    return array
