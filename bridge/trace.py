"""What one conversion sees: the cells it reads and writes, the tensors it captures, the facts it depends on."""
from __future__ import annotations

import contextlib
import types
import weakref
from collections.abc import Iterator
from typing import Any

import jax

from kayax.bridge.call import is_inexact
from kayax.bridge.cells import Leaked, Stale, Storage, raw_array
from kayax.bridge.errors import ConversionError, alias_written, at_user_line
from kayax.bridge.facts import Facts, Guard
from kayax.bridge.hooking import hooked, overwritten
from kayax.bridge.places import Attribute
from kayax.bridge.state import state
from kayax.bridge.surroundings import Code, Named
from kayax.bridge.tensor import ZERO, Tensor, wrap

_MOST_RECURSIONS = 100
EMPTY, HELD = "empty", "held"           # what a program assumes of a .grad: None or zeros alike; some Tensor


class GradCell(Storage):
    """The cell behind `tensor.grad`, whichever Tensor holds it at the time."""

    __slots__ = ()

    def __init__(self, tensor: Tensor):
        self.tensor, self.version, self.trace, self.shared = tensor, 0, None, False

    @property
    def _array(self) -> Any:                                            # type: ignore[override]
        return self.tensor._grad.storage._array

    @_array.setter
    def _array(self, new: Any) -> None:
        self.tensor._grad.storage._array = new


class Rolls:
    """Permission to make one loop of the program of a long loop that Python would run; `used` if that was done."""

    used = False


class Trace(Facts):
    """One run of a function over tracers. Cells made outside keep their arrays: their values inside are held here."""

    def __init__(self, values: dict[Storage, Any] | None = None, uses_tape: bool | None = None,
                 grad_cells: dict[Tensor, GradCell] | None = None):
        self.parent = state.trace
        self.values: dict[Storage, Any] = dict(values or {})
        self.reads: dict[Storage, None] = {}
        self.writes: dict[Storage, None] = {}
        self.carried: set[Storage] = set()                      # outer cells whose values come in from elsewhere
        self.captured: dict[Tensor, None] = {}                  # outer tensors that a gradient may go to
        self.flags: dict[Tensor, bool] = {}                     # the old stop_gradient of outer tensors that change it
        self.detached: weakref.WeakSet[Storage] = weakref.WeakSet()     # a tensor with a gradient has another beside it
        self.written_beside: dict[Storage, Tensor] = {}         # outer cells that blocks wrote, by tensors without one
        self.consumed: set[Storage] = set()                     # storages some operation has read
        self.grads: dict[Tensor, Any] = {}                      # .grad of outer tensors: None, ZERO or a Tensor
        self.first_grads: dict[Tensor, Any] = {}
        self.grad_cells: dict[Tensor, GradCell] = dict(grad_cells or {})
        self.grad_guards: dict[Tensor, Any] = {}
        self.inputs: dict[Tensor, int] = {}                     # the tensors that stand for a program's inputs,
        self.input_grad_guards: dict[int, Any] = {}             # what is assumed of their .grad,
        self.set_input_grads: set[Tensor] = set()               # and (among others) those whose .grad is set inside
        self.guards: dict[Any, Guard] = {}
        self.names: dict[Any, Named | Code] = {}        # what users' functions name besides their arguments
        self.active: dict[types.CodeType, int] = {}             # users' functions that run now, how deep
        self.recursions = 0                                     # calls of such ones below branches and loops
        self.looked_at: set[tuple[type, str]] = set()           # methods of classes that were noted
        self.kept: list[Attribute] = []                         # attributes that are left a tensor in by every run
        self.functions: dict[Any, None] = {}                    # users' functions that ran
        self.born: list[tuple[weakref.ref, str]] = []
        self.uses_tape = uses_tape                              # backward() runs inside; None while that is not known
        self.used_tape = False
        self.rebound: dict[Tensor, tuple] = {}                  # outer tensors written in place, and what they were
        self.bail: Storage | None = None                        # true in a run that has to be done eagerly
        self.aliases: weakref.WeakSet[Storage] = weakref.WeakSet()      # they stand for others: not to be written
        self.lent: weakref.WeakKeyDictionary[Storage, weakref.WeakSet[Storage]] = weakref.WeakKeyDictionary()
        self.copies: weakref.WeakKeyDictionary[Storage, weakref.WeakSet[Storage]] = weakref.WeakKeyDictionary()
        self.rolls: Rolls | None = None                         # whether long loops of Python become the program's
        self.left: dict[int, Any] = {}                          # iterators of loops that a tensor may have left
        self.sources: dict[int, tuple[Any, list]] = {}          # iterators, and those that they move on
        self.decided = 0                                        # how many branches tensors have decided so far
        self.grown = False                                      # a tensor decides the length of some list
        self.copied: dict[int, Any] = {}                        # containers that loops have made copies of, and these
        self.split = False                                      # a value is one of two that differ in kind
        self.prints = False                                     # something is printed when the program runs,
        self.printed: list[str] | None = None                   # into this list
        self.open_known: dict[int, Any] = {}                    # arrays of open sizes: see bridge.known_sizes
        self.known: dict[int, Any] = {}                         # arrays whose values are settled: see bridge.known

    @property
    def root(self) -> Trace:
        """The outermost trace: that of the whole program."""
        return self if self.parent is None else self.parent.root

    def __enter__(self) -> Trace:
        state.trace = self
        return self

    def __exit__(self, *_: Any) -> None:
        state.trace = self.parent
        for reference, where in self.born:
            storage = reference()
            if storage is not None and isinstance(raw_array.__get__(storage), jax.core.Tracer):
                storage.__class__ = Storage                     # a view too has nothing to be taken from any more
                storage._array = Leaked(where, self.parent is not None)

    # ---- cells -----------------------------------------------------------------------------------------------

    def read(self, storage: Storage) -> Any:
        if storage.is_view and storage.changed_in(self):
            return storage.derived()
        if storage in self.values:
            self.reads.setdefault(storage)
            return self.values[storage]
        outer = self.parent
        if outer is None or storage.trace is outer:
            array = storage._array
        else:
            array = outer.read(storage)
        if isinstance(array, Leaked):
            _ = array.dtype                                     # raises, naming the line it was made at
        self.reads.setdefault(storage)
        self.values[storage] = array
        return array

    def write(self, storage: Storage, array: Any) -> None:
        if storage not in self.values:
            self.read(storage)
        self.writes.setdefault(storage)
        self.values[storage] = array

    def note_written(self, storage: Storage) -> None:
        """Note an in-place write: what may be the tensor that was written has no value any more."""
        root = self.root
        if storage in root.aliases or root.lent.get(storage):
            raise alias_written()
        self._make_stale(root.copies, storage)

    def _make_stale(self, copies: Any, storage: Storage) -> None:
        for copy in copies.get(storage, ()):
            trace: Trace | None = self
            while trace is not None:
                if copy in trace.values:
                    trace.values[copy] = Stale()
                trace = trace.parent
            copy.__class__ = Storage                            # a view too is to be taken from nothing any more
            copy._array = Stale()
            self._make_stale(copies, copy)

    def note_rebound(self, tensor: Tensor) -> None:
        """Note that an outer tensor is about to get another place in the graph."""
        if tensor.storage.trace is not self:
            self.rebound.setdefault(tensor, (tensor.node, tensor.index, tensor._stop_gradient))

    def undo_rebound(self, leaves: bool = False) -> None:
        """Put the outer tensors back to their old places; or only those that are leaves, and want a gradient."""
        for tensor, (node, index, stop) in self.rebound.items():
            if not leaves or (node is None and not stop):
                tensor.node, tensor.index, tensor._stop_gradient = node, index, stop

    def note_flag(self, tensor: Tensor) -> None:
        """Note that `stop_gradient` of a tensor is about to be set, which only its own function may do."""
        if tensor.storage.trace is self:
            return
        if self.parent is not None:
            raise ConversionError("`stop_gradient` is set in a branch or loop that a tensor decides, of a tensor that "
                                  f"was made before it.{at_user_line()}\nUse another variable: `y = y.detach()`.")
        self.flags.setdefault(tensor, tensor._stop_gradient)

    def undo_flags(self) -> dict[Tensor, bool]:
        """Put `stop_gradient` of outer tensors back: what the function had set."""
        new = {t: t._stop_gradient for t, old in self.flags.items() if t._stop_gradient != old}
        for tensor in new:
            tensor._flag(self.flags[tensor])
        return new

    # ---- gradients of outer tensors --------------------------------------------------------------------------

    def read_grad(self, tensor: Tensor, exact: bool = True) -> Any:
        """The present `.grad`; `exact` if it matters whether an empty one is None or zeros."""
        if tensor not in self.grads:
            self.grads[tensor] = self.first_grads[tensor] = self._first_grad(tensor, exact)
        grad = self.grads[tensor]
        if grad is self.first_grads[tensor]:
            if grad is not None and grad is not ZERO:
                self.grad_guards[tensor] = HELD
            elif exact:
                self.grad_guards[tensor] = grad
            else:
                self.grad_guards.setdefault(tensor, EMPTY)
        return grad

    def _first_grad(self, tensor: Tensor, exact: bool) -> Any:
        outer = self.parent
        if tensor.node is not None:
            return None                                         # what arrives here goes on when the program ends
        if outer is None:
            grad = tensor._grad
        elif tensor.storage.trace is outer:
            outer.note_input_grad(tensor, exact)
            return tensor._grad
        else:
            return outer.read_grad(tensor, exact)
        if not isinstance(grad, Tensor):
            return grad
        inside = wrap(None)
        inside.storage = self.grad_cells.setdefault(tensor, GradCell(tensor))
        return inside

    def write_grad(self, tensor: Tensor, value: Any) -> None:
        if tensor not in self.grads:
            self.read_grad(tensor, exact=False)
        self.grads[tensor] = value

    def note_input_grad(self, tensor: Tensor, exact: bool) -> None:
        """Note that the `.grad` of an input is read or cleared: what it was before the call is not known inside."""
        place = self.inputs.get(tensor)
        if place is not None and exact and tensor._grad is None:
            self.input_grad_guards[place] = None
        elif place is not None:
            self.input_grad_guards.setdefault(place, EMPTY)

    # ---- what users' code does ---------------------------------------------------------------------------------

    def capture(self, tensor: Tensor) -> None:
        """Note an outer tensor that an operation uses: whether it wants a gradient is a fact the program depends on."""
        if tensor.storage.trace is None and tensor not in self.root.flags:
            # One of an outer trace is gone when that ends, and was made as now
            reference = weakref.ref(tensor)
            self.guard((id(tensor), "stop_gradient"), f"stop_gradient of {tensor.name}",
                       lambda: getattr(reference(), "_stop_gradient", None), tensor._stop_gradient)
        if not tensor._stop_gradient:
            self.captured.setdefault(tensor)

    @contextlib.contextmanager
    def activation(self, function: types.FunctionType) -> Iterator[None]:
        """A call of a user's function; one that calls itself where a tensor decides would have no end."""
        depth = self.active.get(function.__code__, 0)
        if depth and state.trace is not self:
            self.recursions += 1
            if self.recursions > _MOST_RECURSIONS:
                raise ConversionError(
                    f"`{function.__qualname__}` calls itself where a tensor decides whether it does, in more than "
                    f"{_MOST_RECURSIONS} ways.{at_user_line()}\nWrite it as a loop, or keep it eager "
                    "(`paddle.jit.not_to_static`).")
        self.active[function.__code__] = depth + 1
        try:
            yield
        finally:
            self.active[function.__code__] = depth

    def writes_outside(self, tensor: Tensor, new: Tensor) -> bool:
        """Whether writing `new` into a tensor leaves the graph as it was, of those that share its memory."""
        if not tensor._stop_gradient:
            return not state.grad_enabled
        storage, root = tensor.storage, self.root
        shared = storage in root.detached
        inner = self is not root and storage.trace is not self
        if shared and (inner or (new.node is not None and self.uses_tape is False)):
            raise ConversionError(
                "A tensor that detach() gave is written in place, and the one that it was made of goes on in the graph"
                f": in a branch or loop that a tensor decides, or with a value that has a gradient.{at_user_line()}\n"
                "Use clone() before.")
        if inner and storage.trace is None:
            root.written_beside.setdefault(storage, tensor)
        return new.node is None and (storage.trace is not self or shared)

    def set_outside(self, tensor: Tensor, new: Any) -> Any:
        """What to store in a tensor that gets a value outside of the graph, and stays where it is in that."""
        self.note_rebound(tensor)
        return self.overwritten(tensor.storage.array, new)

    def overwritten(self, old: Any, new: Any) -> Any:
        """What to store for a value written under no_grad: the tensor's gradient goes on to where it went before."""
        alike = old.shape == new.shape and old.dtype == new.dtype and is_inexact(new)
        return overwritten(old, new) if self.uses_tape is False and alike else new

    def note_hooks_of(self, tensor: Tensor) -> None:
        """Note that the hooks of an outer leaf are run inside."""
        reference = weakref.ref(tensor)
        self.guard((id(tensor), "hooks"), f"the hooks of {tensor.name}",
                   lambda: tuple(getattr(reference(), "_hooks", None) or ()), tuple(tensor._hooks or ()))

    def hook(self, tensor: Tensor, table: dict, key: int) -> None:
        """Let a hook that was just put on a tensor take part where the program is differentiated as a whole."""
        if self.uses_tape is not False:
            return
        tensor.storage._array = hooked(tensor.storage._array, table, key)

    def note_hook(self, tensor: Tensor) -> None:
        if tensor.storage.trace is not self:
            raise ConversionError(
                "register_hook on a tensor from outside of the converted function would add one hook in every call."
                f"{at_user_line()}\nRegister it outside of the function.")
        if self.uses_tape is False and tensor.storage in self.consumed:
            raise ConversionError(
                "register_hook on a tensor that was already used: in a converted forward the hook would miss those "
                f"uses.{at_user_line()}\nRegister the hook right after the tensor is made.")
