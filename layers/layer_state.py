"""A layer's state as a dictionary, and moving it between devices and dtypes."""
from __future__ import annotations

import warnings
from collections import OrderedDict
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from kayax.bridge import device as devices
from kayax.bridge.call import is_inexact
from kayax.bridge.convert import owned
from kayax.bridge.state import bump, state
from kayax.bridge.tensor import Tensor
from kayax.spec import dtype as dtypes


def at_path(layer: Any, target: str, kind: type) -> Any:
    """The layer, parameter or buffer at a dotted path."""
    found = layer
    for name in target.split(".") if target else ():
        if not hasattr(found, name):
            raise AttributeError(f"There is no {name!r} in {type(found).__name__} (looking for {target!r}).")
        found = getattr(found, name)
    if not isinstance(found, kind):
        wanted = "Tensor" if kind is Tensor else "Layer"
        raise AttributeError(f"{target!r} is a {type(found).__name__}, not a {wanted}.")
    return found


def state_dict(layer: Any, destination: dict | None, include_sublayers: bool, prefix: str, use_hook: bool,
               keep_vars: bool, all_buffers: bool) -> dict[str, Tensor]:
    """The parameters, then the buffers, of a layer and those below it, by dotted name."""
    found: dict[str, Tensor] = OrderedDict() if destination is None else destination
    for store in ("_parameters", "_buffers"):
        for name, tensor in layer.__dict__[store].items():
            if tensor is None or (store == "_buffers" and not all_buffers
                                  and name in layer._non_persistable_buffer_names_set):
                continue
            found[prefix + name] = tensor if keep_vars else tensor.detach()
    if include_sublayers:
        for name, sublayer in layer._sub_layers.items():
            if sublayer is not None:
                state_dict(sublayer, found, True, f"{prefix}{name}.", use_hook, keep_vars, all_buffers)
    if use_hook:
        for hook in layer._state_dict_hooks.values():
            new = hook(found)
            if new is not None:
                found = new
    return found


def set_state_dict(layer: Any, values: dict, use_structured_name: bool) -> tuple[list[str], list[str]]:
    """Copy values in by name: (missing, unexpected)."""
    if not isinstance(values, dict):
        raise TypeError(f"set_state_dict needs a dict of names and tensors, but got {type(values).__name__}.")
    own = state_dict(layer, None, True, "", False, True, True)
    saved = state_dict(layer, None, True, "", False, True, False)
    missing, used = [], set()
    for name, tensor in own.items():
        key = name if use_structured_name else tensor.name
        if key not in values:
            if name in saved:               # a buffer that is not saved cannot be missing
                missing.append(key)
            continue
        problem = assign(tensor, values[key])
        if not problem:
            used.add(key)
        else:
            missing.append(key)
            warnings.warn(f"Skip loading {key!r}: {problem}", stacklevel=3)
    return missing, [k for k in values if k not in used and k != "StructuredToParameterName@@"]


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict` could not match."""

    missing_keys: list[str]
    unexpected_keys: list[str]


def load_state_dict(layer: Any, values: Any, strict: bool, assign: bool) -> IncompatibleKeys:
    """Copy values in by dotted name; with `strict` everything must match."""
    missing, unexpected = set_state_dict(layer, dict(values), True)
    if strict and (missing or unexpected):
        raise RuntimeError(f"The state does not fit {type(layer).__name__}. Missing: {missing}. Not expected: "
                           f"{unexpected}. Pass strict=False to load what fits.")
    return IncompatibleKeys(missing, unexpected)


def assign(tensor: Tensor, value: Any) -> str | None:
    """Copy a value (a Tensor or an array) into a tensor's storage; what is wrong with it, if it does not fit."""
    array = value.storage.array if isinstance(value, Tensor) else value
    if not isinstance(array, (np.ndarray, np.generic, jax.Array)):
        return f"it must be a Tensor or an array, but is {type(value).__name__}."
    old = tensor.storage.array
    if tuple(array.shape) != tuple(old.shape):
        return f"it has the shape {list(array.shape)}, but {list(old.shape)} is expected."
    new = jnp.array(owned(array), dtype=old.dtype)
    tensor.storage.array = new if state.trace is None else state.trace.set_outside(tensor, new)
    return None


def move(layer: Any, device: Any, dtype: Any, floating_only: bool = True, excluded: Any = None) -> Any:
    """Cast and place the tensors of a layer and those below it, keeping the Tensors themselves."""
    kinds = tuple(excluded) if isinstance(excluded, (list, tuple)) else (excluded,) if excluded else ()
    wanted = dtypes.convert(dtype) if dtype is not None else None
    target = devices.to_jax(device) if device is not None else None
    for sublayer in layer.sublayers(include_self=True):
        if kinds and isinstance(sublayer, kinds):
            continue
        for store in ("_parameters", "_buffers"):
            for tensor in sublayer.__dict__[store].values():
                if tensor is not None:
                    _move_tensor(tensor, target, wanted, floating_only)
        if wanted is not None:
            sublayer.__dict__["_dtype"] = dtype
    bump()
    return layer


def _move_tensor(tensor: Tensor, target: Any, wanted: dtypes.DType | None, floating_only: bool) -> None:
    array = tensor.storage.array
    if wanted is not None and array.dtype != wanted.numpy and (is_inexact(array) or not floating_only):
        array = array.astype(wanted.numpy)
    if target is not None:
        array = jax.device_put(array, target)
    if array is not tensor.storage.array:
        tensor.storage.array = array


class LayerMoves:
    """What a Layer is told about the device and the dtype of its tensors; each method gives the layer back."""

    def to(self, device: Any = None, dtype: Any = None, blocking: bool | None = None,
           non_blocking: bool | None = None) -> Any:
        """Move the parameters and buffers to a device, a dtype, or both. Integer buffers keep their dtype."""
        return move(self, device, dtype, floating_only=True)

    def astype(self, dtype: Any = None) -> Any:
        """Cast all parameters and buffers."""
        return move(self, None, dtype if dtype is None else dtypes.convert(dtype), floating_only=False)

    type = astype

    def float(self, excluded_layers: Any = None) -> Any:
        """Cast floating parameters and buffers to float32."""
        return move(self, None, dtypes.convert("float32"), excluded=excluded_layers)

    def double(self) -> Any:
        """Cast floating parameters and buffers to float64."""
        return move(self, None, dtypes.convert("float64"))

    def float16(self, excluded_layers: Any = None) -> Any:
        """Cast floating parameters and buffers to float16, except in the given kinds of layers."""
        return move(self, None, dtypes.convert("float16"), excluded=excluded_layers)

    def half(self) -> Any:
        """As `float16`."""
        return self.float16()

    def bfloat16(self, excluded_layers: Any = None) -> Any:
        """Cast floating parameters and buffers to bfloat16, except in the given kinds of layers."""
        return move(self, None, dtypes.convert("bfloat16"), excluded=excluded_layers)

    def cpu(self) -> Any:
        """Move everything to the host."""
        return self.to(device="cpu")

    def cuda(self, device: Any = None) -> Any:
        """Move everything to a GPU."""
        return self.to(device=f"gpu:{device or 0}" if not device or isinstance(device, int) else device)
