"""The Tensor: a storage plus what autograd knows of it. Operators and methods are attached from the registry."""
from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from kayax.bridge import device, tape
from kayax.bridge.cells import Storage
from kayax.bridge.open_sizes import shown_to_caller
from kayax.bridge.state import bump, state
from kayax.bridge.tensor_values import Values
from kayax.spec.dtype import DType, convert
from kayax.spec.errors import ArgumentError
from kayax.spec.size import Count, Size

counter = itertools.count()
_hook_ids = itertools.count()
_new = object.__new__


class ZeroGrad:
    """The gradient after `clear_grad()`: zeros that exist only when somebody looks at them."""


ZERO = ZeroGrad()


class Tensor(Values):
    """A multi-dimensional array that records what is done to it.

    `stop_gradient` is True unless the Tensor is a Parameter or depends on one, as in Paddle. Two Tensors made by
    `detach()` share their storage, so a write through one is seen by the other.
    """

    __module__ = "kayax"                # the name that users know it by
    __slots__ = ("storage", "_stop_gradient", "node", "index", "_grad", "_name", "_hooks", "persistable",
                 "__weakref__", "__dict__")
    storage: Storage
    node: Any
    index: int
    persistable: bool
    _stop_gradient: bool
    _grad: Any
    _name: str | None
    _hooks: dict[int, Callable] | None
    __array_priority__ = 100            # NumPy arrays leave the operators to us

    def __init__(self, data: Any = None, *more: Any, **options: Any):
        from kayax.bridge.convert import constructed
        array, facts = constructed(data, more, options)
        fill(self, Storage(array), facts.get("stop_gradient", True))
        self.persistable, self._name = facts.get("persistable", False), facts.get("name")

    # ---- what it is ------------------------------------------------------------------------------------------

    @property
    def array(self) -> Any:
        """The present value as a `jax.Array` (a tracer while its function is being converted)."""
        return self.storage.array

    @property
    def shape(self) -> Size:
        """The sizes of the dimensions."""
        shape = Size(self.storage.array.shape)
        return shown_to_caller(shape) if state.portable else shape

    @property
    def dtype(self) -> DType:
        """The data type of the elements."""
        return convert(self.storage.array.dtype)

    @property
    def ndim(self) -> int:
        return self.storage.array.ndim

    @property
    def size(self) -> int:
        array = self.storage.array
        if state.trace is None:
            return Count(Size(array.shape))
        return shown_to_caller(array.size) if state.portable else array.size

    @property
    def place(self) -> device.Place:
        return device.place_of(self.storage.array)

    @property
    def name(self) -> str:
        if self._name is None:
            self._name = f"generated_tensor_{next(counter)}"
        return self._name

    @name.setter
    def name(self, value: str) -> None:
        self._name = value

    @property
    def stop_gradient(self) -> bool:
        """Whether no gradient goes through this Tensor."""
        return self._stop_gradient

    @stop_gradient.setter
    def stop_gradient(self, value: bool) -> None:
        if not isinstance(value, (bool, np.bool_)):
            raise ArgumentError(f"stop_gradient is True or False, but got {value!r}.")
        value = bool(value)
        if value != self._stop_gradient:
            if state.trace is not None:
                state.trace.note_flag(self)
            self._flag(value)

    def _flag(self, value: bool) -> None:
        self._stop_gradient = value
        bump()

    @property
    def requires_grad(self) -> bool:
        return not self._stop_gradient

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.stop_gradient = not value

    @property
    def is_leaf(self) -> bool:
        return self._stop_gradient or self.node is None

    @property
    def inplace_version(self) -> int:
        return self.storage.version

    # ---- gradients -------------------------------------------------------------------------------------------

    @property
    def grad(self) -> Tensor | None:
        """The accumulated gradient, or None."""
        grad = self._read_grad()
        if grad is ZERO:
            array = self.storage.array
            grad = wrap(jnp.zeros(array.shape, array.dtype), False)
            self._write_grad(grad)
        return grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                raise ArgumentError(f".grad must be a Tensor or None, but got {type(value).__name__}.")
            if value.shape != self.shape:
                raise ArgumentError(f".grad must have the tensor's shape {self.shape}, but got {value.shape}.")
            if value.node is None and value._stop_gradient:         # a gradient says that it is none itself
                value = view(value.storage)
                value._stop_gradient = False
        self._write_grad(value)

    def _read_grad(self, exact: bool = True) -> Any:
        trace = state.trace
        if trace is None:
            return self._grad
        if self.storage.trace is trace:
            trace.note_input_grad(self, exact)
            return self._grad
        return trace.read_grad(self, exact)

    def _write_grad(self, value: Any) -> None:
        trace = state.trace
        if trace is None or self.storage.trace is trace:
            self._grad = value
            if trace is not None:
                trace.set_input_grads.add(self)
        else:
            trace.write_grad(self, value)

    def _accumulate(self, value: Any) -> None:
        trace = state.trace
        outer = None if trace is None or self.storage.trace is trace else trace  # who keeps the gradient, if not self
        grad = self._grad if outer is None else outer.read_grad(self, exact=False)
        if grad is not None and grad is not ZERO:
            value = grad + value if isinstance(value, Tensor) else tape.Arrays.add(grad.storage.array, value)
        value = value if isinstance(value, Tensor) else wrap(value, False)
        if outer is None:
            self._grad = value
        else:
            outer.write_grad(self, value)

    def backward(self, grad_tensor: Tensor | None = None, retain_graph: bool = False, *,
                 dump_backward_graph_path: str | None = None) -> None:
        """Compute the gradients of this Tensor and add them to the `.grad` of every leaf it depends on.

        `grad_tensor` is the gradient of the final result with respect to this Tensor (ones if not given, as in Paddle).
        The graph is freed unless `retain_graph`.
        """
        from kayax.bridge.autograd import backward
        backward([self], [grad_tensor], retain_graph, dump_backward_graph_path=dump_backward_graph_path)

    def clear_gradient(self, set_to_zero: bool = True) -> None:
        """Forget the gradient: it reads as zeros afterwards, or as None with ``set_to_zero=False``."""
        grad = self._read_grad(exact=False)
        if grad is not None and grad is not ZERO:
            self._write_grad(ZERO if set_to_zero else None)
        elif not set_to_zero:
            self._write_grad(None)

    def clear_grad(self) -> None:
        """Forget the gradient: it reads as zeros afterwards."""
        self.clear_gradient()

    def gradient(self) -> np.ndarray | None:
        """The gradient as a NumPy array, or None."""
        grad = self.grad
        return None if grad is None else grad.numpy()

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> HookHandle:
        """Call `hook(gradient)` when this Tensor's gradient is computed; what it returns, if anything, replaces it."""
        if self._stop_gradient:
            raise RuntimeError("A hook needs a gradient, and this tensor has stop_gradient=True: none will come.")
        trace = state.trace
        if trace is not None:
            trace.note_hook(self)
        if self.node is None:
            if self._hooks is None:
                self._hooks = {}
            table = self._hooks
        else:
            if self.node.hooks is None:
                self.node.hooks = {}
            table = self.node.hooks.setdefault(self.index, {})
        handle = HookHandle(table, hook)
        if trace is not None:
            trace.hook(self, table, handle._id)
        return handle

    def retain_grads(self) -> None:
        """Keep this Tensor's `.grad` on backward although it is not a leaf."""
        if self.node is not None and not self._stop_gradient:
            if self.node.kept is None:
                self.node.kept = {}
            self.node.kept[self.index] = weakref.ref(self)

    # ---- identity and storage --------------------------------------------------------------------------------

    def detach(self) -> Tensor:
        """A Tensor that shares this one's storage and takes no part in its gradient."""
        if state.trace is not None and not self._stop_gradient:
            state.trace.root.detached.add(self.storage)
        return view(self.storage)

    def detach_(self) -> Tensor:
        """Take this Tensor out of the graph, in place."""
        self.node, self.index = None, 0
        self.stop_gradient = True
        self.storage.owner = None
        return self

    def _rebind(self, new: Tensor) -> Tensor:
        """Become `new` in place: the end of every in-place operation."""
        if state.graph is not None:
            return state.graph.record(Tensor._rebind, (self, new), {})
        if not self._stop_gradient and self.node is None and state.grad_enabled and self._is_value():
            raise ValueError(
                f"Leaf tensor `{self.name}` requires a gradient and cannot be changed in place by a recorded operation."
                " Do it under paddle.no_grad(), or use the out-of-place operation.")
        array = new.storage.array
        old = self.storage.array
        if array.shape != old.shape and new.node is not None and new.node is self.node:
            raise ValueError(f"An in-place operation cannot change the shape {list(old.shape)} to {list(array.shape)}.")
        if new.node is not None:            # it keeps the old value, which is the right one: no change behind its back
            new.node.storages = [None if s is self.storage else s for s in new.node.storages]
        if state.trace is not None:
            state.trace.note_rebound(self)
        if not (self.storage.is_view and self.storage.rebind(self, new)):
            if state.trace is not None and state.trace.writes_outside(self, new):
                array = state.trace.overwritten(old, array)
            self.storage.array = array
        if not state.grad_enabled:          # the value changes and the graph behind it stays, as in Paddle
            return self
        self.node, self.index = new.node, new.index
        if self._stop_gradient != new._stop_gradient:
            self._flag(new._stop_gradient)
        return self

    def _is_value(self) -> bool:
        """Whether it is a value of its own, and not one that a static graph computes."""
        return True

    def __deepcopy__(self, memo: dict) -> Tensor:
        copy = fill(_new(type(self)), Storage(jnp.copy(self.array)), self._stop_gradient)
        memo[id(self)] = copy
        copy.persistable = self.persistable
        copy.__dict__.update(self.__dict__)
        copy._name = f"{self.name}_deepcopy_{next(counter)}"
        return copy

    def __reduce__(self) -> tuple:
        return _rebuild, (type(self), self.numpy(), self._stop_gradient, self.name, self.persistable,
                          dict(self.__dict__))

    if TYPE_CHECKING:                   # the registry attaches the methods, bridge.ops.operators the operators
        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, value: Any) -> None: ...
        def _operator(self, other: Any) -> Any: ...
        def __neg__(self) -> Any: ...
        __getitem__ = __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _operator
        __truediv__ = __rtruediv__ = __pow__ = __rpow__ = __matmul__ = __rmatmul__ = _operator


class HookHandle:
    """What `register_hook` gives back; `remove()` takes the hook off again."""

    def __init__(self, table: dict[int, Callable], hook: Callable):
        self._table, self._id = table, next(_hook_ids)
        table[self._id] = hook
        bump()

    def remove(self) -> bool:
        """Take the hook off; whether it was still there."""
        bump()
        return self._table.pop(self._id, None) is not None


def fill(self: Any, storage: Storage, stop_gradient: bool) -> Any:
    """Give a Tensor that was made without its `__init__` its fields."""
    self.storage = storage
    self._stop_gradient = stop_gradient
    self.node = self._grad = self._name = self._hooks = None
    self.index = 0
    self.persistable = False
    return self


def wrap(array: Any, stop_gradient: bool = True, node: Any = None, index: int = 0) -> Tensor:
    """A Tensor of a jax array: the quick way in."""
    self = _new(Tensor)
    self.storage = Storage(array)
    self._stop_gradient = stop_gradient
    self.node = node
    self.index = index
    self._grad = None
    self._name = self._hooks = None
    self.persistable = False
    return self


def as_number(tensor: Tensor) -> Tensor:
    """Mark a tensor of a program as what is a Python number eagerly (JAX's weak types do, but it has no weak bool)."""
    tensor.__dict__["is_number"] = True
    return tensor


def is_number(tensor: Tensor) -> bool:
    """Whether a tensor of a program is a Python number eagerly."""
    return bool(jax.typeof(tensor.storage.array).weak_type) or "is_number" in tensor.__dict__


def view(storage: Storage) -> Tensor:
    """A Tensor of a storage that exists."""
    return fill(_new(Tensor), storage, True)


def restore(array: Any, edge: Any) -> Tensor:
    """The Tensor that a tape's input was: its old value, at its old place in the graph."""
    if edge is None:
        return wrap(array)
    return wrap(array, False, *edge) if isinstance(edge, tuple) else edge


def _rebuild(cls: type, data: np.ndarray, stop_gradient: bool, name: str, persistable: bool, extra: dict) -> Tensor:
    self = fill(_new(cls), Storage(jnp.asarray(data)), stop_gradient)
    self._name, self.persistable = name, persistable
    self.__dict__.update(extra)
    return self
