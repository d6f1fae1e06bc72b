"""The cell: the one place where a value changes. Everything mutable that a program may see is a `Storage`."""
from __future__ import annotations

import contextlib
import functools
import sys
import threading
import weakref
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from kayax.bridge.errors import ConversionError, LeakedTensorError, alias_written, at_user_line, user_line
from kayax.bridge.state import state

# References to an array that only its storage holds, as seen by `getrefcount` over a list of such arrays.
_HELD_ONCE = 3


class Storage:
    """A mutable cell that holds a `jax.Array`, or a tracer if it was made inside a function being converted.

    Several Tensors may share one (`detach()`, tied weights): a write is seen by all of them.
    Inside a trace, cells made outside of it keep their arrays: the trace holds their values and notes reads, writes.
    shared: whether another Tensor may see this memory. The slots from `root` on are a view's (`kayax.bridge.views`).
    """

    __slots__ = ("_array", "version", "trace", "shared", "root", "owner", "place", "layout", "tensor", "__weakref__")
    is_view = False
    root: Any
    owner: Any
    place: Any
    layout: Any
    tensor: Any

    if TYPE_CHECKING:                   # what a view can do
        def changed_in(self, trace: Any) -> bool: ...
        def derived(self) -> Any: ...
        def is_copy(self) -> bool: ...
        def rebind(self, tensor: Any, new: Any) -> bool: ...

    def __init__(self, array: Any):
        self._array = array
        self.version = 0
        self.shared = False
        self.trace = trace = state.trace
        if trace is not None:
            trace.born.append((weakref.ref(self), user_line()))

    @property
    def array(self) -> Any:
        trace = state.trace
        if trace is None or self.trace is trace:
            return self._array
        return trace.read(self)

    @array.setter
    def array(self, new: Any) -> None:
        self.version += 1
        trace = state.trace
        if trace is not None:
            trace.note_written(self)
        if trace is None or self.trace is trace:
            self._array = new
        else:
            trace.write(self, new)


raw_array: Any = Storage.__dict__["_array"]         # the slots themselves, beneath what subclasses make of them
raw_version: Any = Storage.__dict__["version"]
_fetching = threading.RLock()


class Unread(Storage):
    """A cell whose array is fetched when anything first asks for it; from then on it is a plain Storage."""

    __slots__ = ()

    def __init__(self, fetch: Callable[[], Any]):
        super().__init__(None)
        raw_array.__set__(self, fetch)
        self.__class__ = Unread             # type: ignore[assignment]

    @property                               # type: ignore[override]
    def _array(self) -> Any:
        with _fetching:                     # another thread may have it by now
            if type(self) is Unread:
                with jax.ensure_compile_time_eval():
                    self._array = raw_array.__get__(self)()
        return raw_array.__get__(self)

    @_array.setter
    def _array(self, new: Any) -> None:
        with _fetching:
            raw_array.__set__(self, new)
            self.__class__ = Storage        # type: ignore[assignment]


def root_of(storage: Storage) -> Storage:
    """The cell that has the memory."""
    return storage.root if storage.is_view else storage


class Leaked:
    """What a cell holds after the program, or a `block` of it, that made it has ended: using it says where."""

    def __init__(self, where: str, block: bool = False):
        object.__setattr__(self, "where", where)
        object.__setattr__(self, "block", block)

    def __getattr__(self, name: str) -> Any:
        where = object.__getattribute__(self, "where")
        if object.__getattribute__(self, "block") and state.trace is not None:
            raise ConversionError(
                f"A Tensor that was made in a branch or loop which a tensor decides, at {where}, is used after it, out "
                f"of an object that was made there as well.{at_user_line()}\nMake the object before the branch or the "
                "loop, or give the Tensor a variable of its own.")
        raise LeakedTensorError(where)


def is_leaked(storage: Storage) -> bool:
    """Whether a storage was made in a program or block that has ended."""
    try:
        return type(raw_array.__get__(storage)) is Leaked
    except AttributeError:                      # a cell whose array is kept elsewhere
        return False


class Stale(Leaked):
    """What a cell holds that may be another one, which was written since then: using it would give the old value."""

    def __init__(self) -> None:
        super().__init__("")

    def __getattr__(self, name: str) -> Any:
        raise alias_written()


def owned(arrays: Sequence[Any]) -> list[Any]:
    """The arrays, each safe to donate: one that somebody else holds too (a tape node, a shared output) is copied."""
    if max(map(sys.getrefcount, arrays), default=0) <= _HELD_ONCE:
        return arrays if isinstance(arrays, list) else list(arrays)
    return [array if sys.getrefcount(array) <= _HELD_ONCE + 1 else jnp.copy(array) for array in arrays]


_updates: dict[Any, Any] = {}


def run_update(fn: Callable, written: Sequence[Storage], read: Sequence[Storage], grads: Sequence[Any],
               static: Hashable = None) -> None:
    """Write ``fn(written_arrays, read_arrays, grad_arrays)`` into the `written` cells.

    Eagerly it is one compiled program that reuses the memory of what it overwrites; inside a trace it is inlined.
    `fn` is made once by the caller; `static` tells apart programs of the same `fn` that have different static parts.
    """
    skip = state.skip_updates
    if state.trace is not None:
        old = [s.array for s in written]
        new = _guarded(fn, old, [s.array for s in read], [g.storage.array for g in grads], skip)
        for storage, array in zip(written, new, strict=True):
            storage.array = array
        return
    key = (fn, static, skip is None)
    program = _updates.get(key)
    if program is None:
        program = _updates[key] = jax.jit(functools.partial(_guarded, fn), donate_argnums=0)
    new = program(owned([s._array for s in written]), [s._array for s in read], [g.storage._array for g in grads], skip)
    for storage, array in zip(written, new, strict=True):
        storage._array = array
        storage.version += 1


def _guarded(fn: Callable, written: list[Any], read: list[Any], grads: list[Any], skip: Any) -> list[Any]:
    new = fn(written, read, grads)
    return new if skip is None else [jnp.where(skip, a, b) for a, b in zip(written, new, strict=True)]


@contextlib.contextmanager
def skip_updates_if(condition: Any) -> Iterator[None]:
    """Inside, `run_update` leaves every cell as it was where `condition` (a boolean array) is true."""
    held, state.skip_updates = state.skip_updates, condition
    try:
        yield
    finally:
        state.skip_updates = held
