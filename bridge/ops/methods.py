"""What else a Tensor has: casts, moves between devices, copies, fills, and questions about its memory."""
from __future__ import annotations

import enum
import inspect
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from kayax.bridge import device as devices
from kayax.bridge.convert import to_array
from kayax.bridge.layout import in_order
from kayax.bridge.ops.creation import clone, unshared
from kayax.bridge.ops.manipulation import astype, cast, transpose
from kayax.bridge.registry import attach, op
from kayax.bridge.state import state
from kayax.bridge.tensor import Tensor, wrap
from kayax.bridge.views import exchange, layout_of
from kayax.spec.dtype import find, to_numpy
from kayax.spec.errors import ArgumentError

_CASTS = {"float": "float32", "double": "float64", "half": "float16", "bfloat16": "bfloat16", "int": "int32",
          "long": "int64", "short": "int16", "char": "int8", "byte": "uint8", "bool": "bool", "cfloat": "complex64",
          "cdouble": "complex128", "float16": "float16", "float32": "float32", "float64": "float64", "int8": "int8",
          "int16": "int16", "int32": "int32", "int64": "int64", "uint8": "uint8", "complex64": "complex64",
          "complex128": "complex128"}


def _caster(name: str, dtype: str) -> Callable:
    def method(self: Tensor) -> Tensor:
        return astype(self, dtype)

    method.__name__, method.__doc__ = name, f"The Tensor as {dtype}."
    return method


for _name, _dtype in _CASTS.items():
    attach(_name, _caster(_name, _dtype))


# ---- devices -------------------------------------------------------------------------------------------------------

def _moved(x: Tensor, device: Any) -> Tensor:
    """The Tensor on a device; itself if it is there."""
    place = devices.parse(device)
    array = x.storage.array
    if isinstance(array, jax.core.Tracer) or place == x.place:
        return x
    return wrap(jax.device_put(array, devices.to_jax(place)), x.stop_gradient)


def _to(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """The Tensor on another device and of another dtype: ``to(device, dtype, blocking)``, ``to(dtype, blocking)`` or
    ``to(other, blocking)``, with these names as keywords too.

    Without a dtype the Tensor itself, if it is on that device; a move to another device begins a new leaf.
    """
    unknown = set(kwargs) - {"device", "dtype", "blocking", "other"}
    if unknown:
        raise TypeError(f"to() has no argument {unknown.pop()!r}: it takes device, dtype, blocking, other.")
    device, dtype = kwargs.get("device"), kwargs.get("dtype")
    positional = [a for a in args if not isinstance(a, bool)]
    if "other" in kwargs:
        positional.insert(0, kwargs["other"])
    for given in positional:
        if isinstance(given, Tensor):
            device, dtype = given.place, given.dtype
        elif find(given) is not None:
            dtype = given
        elif given is not None:
            device = given
    out = self if device is None else _moved(self, device)
    if dtype is None:
        return out
    return cast(out, dtype) if out.dtype != dtype else unshared(out) if out is self else out


def _cuda(self: Tensor, device_id: int | None = None, blocking: bool = True) -> Tensor:
    """The Tensor on a GPU; an error if there is none."""
    return _moved(self, f"gpu:{device_id or 0}")


def _cpu(self: Tensor) -> Tensor:
    """The Tensor in the host's memory."""
    return _moved(self, "cpu")


def _tpu(self: Tensor, device_id: int | None = None) -> Tensor:
    """The Tensor on a TPU; an error if there is none. (Not in Paddle.)"""
    return _moved(self, f"tpu:{device_id or 0}")


def _pin_memory(self: Tensor, blocking: bool = True) -> Tensor:
    """The Tensor itself: JAX pins what it copies."""
    return self


def _get_device(self: Tensor) -> int:
    """The number of its GPU or TPU, or -1 on the host."""
    place = self.place
    return -1 if place.kind == "cpu" else place.index


# ---- writing -------------------------------------------------------------------------------------------------------

@op(scalars=("value",))
def _filled_with(x, value):
    return jnp.full(x.shape, value, x.dtype)


def _fill(x: Tensor, value: Any) -> Tensor:
    """Write one number everywhere, in place."""
    if isinstance(value, Tensor) and value.size != 1:
        raise ValueError(f"fill_ takes a number or a Tensor with one element, but its shape is {value.shape}.")
    return x._rebind(_filled_with(x, value if not isinstance(value, Tensor) else value.reshape([])))


def _zero(x: Tensor) -> Tensor:
    """Write zeros everywhere, in place."""
    return x._rebind(_filled_with(x, 0))


def _set_value(self: Tensor, value: Any) -> None:
    """Write a Tensor or an array of the same shape and dtype, outside of the gradient."""
    array = to_array(value, place=None if isinstance(self.storage.array, jax.core.Tracer) else self.place)
    old = self.storage.array
    if tuple(array.shape) != tuple(old.shape):
        raise ArgumentError(f"{self.name} has shape {list(old.shape)}, but the value has shape {list(array.shape)}.")
    if array.dtype != old.dtype:
        raise ArgumentError(f"{self.name} has dtype {old.dtype.name}, but the value has dtype {array.dtype.name}.")
    self.storage.array = array if state.trace is None else state.trace.set_outside(self, array)


def _copy_(self: Tensor, other: Tensor, blocking: bool = True) -> Tensor:
    """Write another Tensor's value (cast and broadcast to this one), outside of the gradient."""
    array = jnp.broadcast_to(to_array(other, self.dtype), tuple(self.shape))
    self.storage.array = array if state.trace is None else state.trace.set_outside(self, array)
    return self


def _copy_to(self: Tensor, place: Any, blocking: bool = True) -> Tensor:
    """A copy on a device."""
    return wrap(jax.device_put(jnp.copy(self.storage.array), devices.to_jax(place)), self.stop_gradient)


def _apply(self: Tensor, func: Callable[[Tensor], Tensor]) -> Tensor:
    """``func(self)``, for a Tensor that needs no gradient."""
    if not self.stop_gradient:
        raise RuntimeError("apply takes no part in the gradient: call it on a Tensor with stop_gradient=True.")
    return func(self)


def _apply_(self: Tensor, func: Callable[[Tensor], Tensor]) -> Tensor:
    """Write ``func(self)`` in place, for a Tensor that needs no gradient."""
    return self._rebind(_apply(self, func))


def _set_(x: Tensor, source: Tensor | None = None, shape: Any = None, stride: Any = None, offset: int = 0,
          name: str | None = None) -> Tensor:
    """Become `source` (None: an empty Tensor), or the part of it that shape, stride and offset name."""
    source = wrap(jnp.zeros((0,), x.storage.array.dtype)) if source is None else source
    if shape is not None:
        source = source.as_strided(shape, stride or in_order(tuple(shape)), offset)
    exchange(x, source.storage.array)
    return x


def _resize_(x: Tensor, shape: Any, fill_zero: bool = False, name: str | None = None) -> Tensor:
    """Become a Tensor of this shape with the same elements in order, as far as they go.

    fill_zero: whether more elements than there were are zeros; else they do not matter (here they are 0, too).
    """
    array, size = x.storage.array.reshape(-1), math.prod(shape)
    array = array[:size] if array.size >= size else jnp.pad(array, (0, size - array.size))
    exchange(x, array.reshape(tuple(shape)))
    return x


def _reconstruct_from_(self: Tensor, other: Tensor) -> None:
    """Become a copy of another Tensor: its value, its `stop_gradient` and its place in the graph."""
    exchange(self, other.storage.array)
    self.node, self.index = other.node, other.index
    self.stop_gradient = other.stop_gradient


def _set_tensor(self: Tensor, value: Tensor) -> None:
    """Write another Tensor's value of the same dtype and shape."""
    _set_value(self, value)


def _clone(self: Tensor) -> Tensor:
    """A copy that takes part in the gradient."""
    return clone(self)


def _requires_grad_(self: Tensor, requires_grad: bool = True) -> Tensor:
    """Set whether gradients are recorded, and give the Tensor."""
    self.stop_gradient = not requires_grad
    return self


# ---- new Tensors like this one ---------------------------------------------------------------------------------------

def _new_full(var: Tensor, size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None,
              requires_grad: bool = False, pin_memory: bool = False) -> Tensor:
    """A Tensor of this size filled with a number, of this Tensor's dtype unless another is given."""
    size = [size] if isinstance(size, int) else [int(s) for s in size]
    value = fill_value.storage.array if isinstance(fill_value, Tensor) else fill_value
    made = wrap(jnp.full(size, value, to_numpy(dtype if dtype is not None else var.dtype)), not requires_grad)
    return made if device is None else _moved(made, device)


def _new_with(name: str, value: int) -> Callable:
    def method(var: Tensor, size: Any, *more: int, dtype: Any = None, device: Any = None, requires_grad: bool = False,
               pin_memory: bool = False) -> Tensor:
        size = [size, *more] if more else size
        return _new_full(var, size, value, dtype=dtype, device=device, requires_grad=requires_grad)

    shown = [p for p in inspect.signature(method).parameters.values() if p.name != "more"]
    method.__name__, method.__signature__ = name, inspect.Signature(shown)      # type: ignore[attr-defined]
    method.__doc__ = f"A Tensor of this size filled with {value}, of this Tensor's dtype unless another is given."
    return method


# ---- questions -------------------------------------------------------------------------------------------------------

def _stride(self: Tensor, dim: int | None = None) -> Any:
    """How many elements lie between neighbours along each dimension (or along `dim`)."""
    strides = list(layout_of(self).strides)
    return strides if dim is None else strides[dim]


def _get_strides(self: Tensor) -> list[int]:
    """How many elements lie between neighbours along each dimension."""
    return list(layout_of(self).strides)


def _offset(self: Tensor) -> int:
    """How many bytes lie before its first element in the memory that it shares."""
    return layout_of(self).offset * _element_size(self)


def _contiguous(self: Tensor) -> Tensor:
    """The Tensor itself; if its elements do not lie in order, it gets memory of its own first."""
    if self.storage.is_view and not layout_of(self).contiguous:
        exchange(self, self.storage.array)
    return self


def _is_contiguous(self: Tensor) -> bool:
    """Whether the elements lie in order, one after the other."""
    return layout_of(self).contiguous


def _data_ptr(self: Tensor) -> int:
    """The address of the value's memory."""
    return self._value(".data_ptr()").unsafe_buffer_pointer()


def _same(self: Tensor) -> Tensor:
    """The Tensor itself."""
    return self


def _true(self: Tensor) -> bool:
    """True: every Tensor is dense."""
    return True


def _false(self: Tensor) -> bool:
    """False: no Tensor is sparse or distributed in Paddle's sense."""
    return False


def _ndim(var: Tensor) -> int:
    """The number of dimensions."""
    return var.ndim


def _element_size(self: Tensor) -> int:
    """The bytes of one element."""
    return self.storage.array.dtype.itemsize


def _type_as(self: Tensor, other: Tensor) -> Tensor:
    """The Tensor in the dtype of another."""
    return astype(self, other.dtype)


def _is_same_shape(self: Tensor, y: Tensor) -> bool:
    """Whether two Tensors have the same shape."""
    return tuple(self.shape) == tuple(y.shape)


def _transposed(self: Tensor) -> Tensor:
    """The Tensor with its dimensions in reverse order."""
    return transpose(self, list(range(self.ndim))[::-1])


def _matrix_transposed(self: Tensor) -> Tensor:
    """The Tensor with its last two dimensions exchanged."""
    if self.ndim < 2:
        raise ValueError(f".mT needs at least 2 dimensions, but the shape is {self.shape}.")
    return self.swapaxes(-1, -2)


def _set_data(self: Tensor, value: Tensor) -> None:
    exchange(self, value.storage.array)


class VarType(enum.Enum):
    """What kind of variable a Tensor is."""

    DENSE_TENSOR = 7


def _type(self: Tensor) -> VarType:
    """What kind of variable it is: a dense one."""
    return VarType.DENSE_TENSOR


def _layout(self: Tensor) -> str:
    """The layout of its memory: "NCHW" stands for rows in order."""
    return "NCHW"


def _is_dist(self: Tensor) -> bool:
    """Whether it was placed on a mesh by `paddle.distributed`."""
    return "placed" in self.__dict__


def _process_mesh(self: Tensor) -> Any:
    """The mesh that it was placed on, or None."""
    return self.__dict__["placed"][0] if _is_dist(self) else None


def _placements(self: Tensor) -> Any:
    """How it was placed along each dimension of its mesh, or None."""
    return self.__dict__["placed"][1] if _is_dist(self) else None


def _num_shard(self: Tensor) -> int | None:
    """Into how many parts it was divided, or None."""
    if not _is_dist(self):
        return None
    mesh, placements = self.__dict__["placed"]
    return math.prod(n for n, p in zip(mesh.shape, placements, strict=True) if p.is_shard())


def _grad(self: Tensor) -> Tensor | None:
    """The accumulated gradient, or None."""
    return self.grad


def _nbytes(self: Tensor) -> int:
    """The bytes of all elements."""
    return self.size * self.storage.array.dtype.itemsize


def _device(self: Tensor) -> str:
    """Where it is, as a device string."""
    place = self.place
    return "cpu" if place.kind == "cpu" else f"{place.kind}:{place.index}"


_METHODS = {
    "to": _to, "cuda": _cuda, "cpu": _cpu, "tpu": _tpu, "pin_memory": _pin_memory, "get_device": _get_device,
    "fill_": _fill, "zero_": _zero, "set_value": _set_value, "copy_": _copy_, "_copy_to": _copy_to, "apply": _apply,
    "resize_": _resize_, "reconstruct_from_": _reconstruct_from_, "set_tensor": _set_tensor, "is_tensor": _true,
    "apply_": _apply_, "set_": _set_, "requires_grad_": _requires_grad_, "new_full": _new_full,
    "new_zeros": _new_with("new_zeros", 0), "new_ones": _new_with("new_ones", 1),
    "new_empty": _new_with("new_empty", 0), "stride": _stride, "get_strides": _get_strides, "data_ptr": _data_ptr,
    "value": _same, "get_tensor": _same, "contiguous": _contiguous, "is_contiguous": _is_contiguous, "is_dense": _true,
    "is_dist": _is_dist, "is_sparse": _false, "is_sparse_coo": _false, "is_sparse_csr": _false,
    "is_selected_rows": _false, "dim": _ndim, "ndimension": _ndim, "element_size": _element_size,
    "type_as": _type_as, "is_same_shape": _is_same_shape, "clone": _clone,
}
_PROPERTIES: dict[str, tuple] = {
    "T": (_transposed,), "mT": (_matrix_transposed,), "data": (_same, _set_data), "strides": (_get_strides,),
    "itemsize": (_element_size,), "nbytes": (_nbytes,), "device": (_device,),
    "is_cuda": (lambda self: self.place.kind == "gpu",), "grad_fn": (lambda self: self.node,),
    "offset": (_offset,), "type": (_type,), "layout": (_layout,), "grad_": (_grad,),
    "num_shard": (_num_shard,), "placements": (_placements,), "process_mesh": (_process_mesh,),
}
for _name, _method in _METHODS.items():
    if _name not in Tensor.__dict__:
        attach(_name, _method)
for _name, _accessors in _PROPERTIES.items():
    if _name not in Tensor.__dict__:
        _getter, _setter = (*_accessors, None)[:2]
        attach(_name, property(_getter, _setter, doc=_getter.__doc__))

__all__: list[str] = []
