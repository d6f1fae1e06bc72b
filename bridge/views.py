"""Views: tensors that share memory with another one, as Paddle's slices, reshapes and transposes do.

A view has an array of its own, computed when it is made, and costs nothing more until somebody writes in place. A write
through a view puts the new elements into its root, the cell that has the memory; every other view of that root sees by
the root's version that it is behind, and takes its elements anew when it is read. Its tensor then gets the gradient of
that, so gradients go through such a write, and through views made before it. (Paddle shares the values alone.)
"""
from __future__ import annotations

import functools
import math
import weakref
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax import lax

from kayax.bridge.call import Call
from kayax.bridge.cells import Storage, raw_array, raw_version, root_of
from kayax.bridge.dispatch import run_call
from kayax.bridge.errors import ConversionError, at_user_line
from kayax.bridge.layout import Layout, in_order, reshaped
from kayax.bridge.state import outside_traces, state
from kayax.bridge.tensor import Tensor, fill

UNKNOWN: Any = object()                 # the layout of a view whose place only the program knew


class View(Storage):
    """A cell whose elements lie in another one, its `root`.

    owner: the Tensor that the view was made of as far as gradients go, or None (made under `no_grad`, of a detached
    Tensor); it counts as long as it has the root. tensor: a weak reference to the view's Tensor. layout: where the
    elements lie, or None until that matters: then it follows from `place`, which is (the place or layout that the view
    was made of, None for a root; the shape there; rule; its arguments; an index's numbers).
    """

    __slots__ = ()
    is_view = True

    @property                               # type: ignore[override]
    def version(self) -> int:
        """Shared by a root and its views, as in Paddle."""
        return self.root.version

    @version.setter
    def version(self, value: int) -> None:
        self.root.version = value
        raw_version.__set__(self, value)

    @property                               # type: ignore[override]
    def _array(self) -> Any:
        return raw_array.__get__(self) if self.root.version == raw_version.__get__(self) else self._renewed()

    @_array.setter
    def _array(self, new: Any) -> None:
        self.put(new)

    array = property(Storage.array.fget, lambda self, new: self.put(new))     # type: ignore

    # ---- reading ---------------------------------------------------------------------------------------------

    def _renewed(self) -> Any:
        """The elements as they are now."""
        if self.is_copy() or self._is_left_behind():
            return raw_array.__get__(self)
        if self.trace is not state.trace:
            if self.trace is not None:
                return self.derived()
            with outside_traces():
                return self._renewed()
        owner, layout = self._owner(), self.layout
        if owner is None:
            call = _taking(layout)
            return self._hold((call.forward if self.trace is None else call.fn)(self.root.array, layout.offset))
        new = _recorded(_taking(layout), owner, layout.offset)
        self._follow(new)
        return self._hold(new.storage.array)

    def derived(self) -> Any:
        """The elements as they are in a part of a program that has changed the root, or gets it from outside."""
        trace: Any = state.trace
        if self.is_copy():
            return trace.read(self)
        differentiable = any(t is not None and not t._stop_gradient for t in (self._owner(), self.tensor()))
        if differentiable and trace.uses_tape:
            raise ConversionError("A tensor that shares memory with one that was written in place is used here, and "
                                  f"its gradient is needed.{at_user_line()}\nMake the view after the write, or clone() "
                                  "it before.")
        return _taking(self.layout).fn(self.root.array, self.layout.offset)

    def changed_in(self, trace: Any) -> bool:
        """Whether the root has another value in this trace than where the view was made."""
        while trace is not None and trace is not self.trace:
            if self.root in trace.writes or self.root in trace.carried:
                return True
            trace = trace.parent
        return self.trace is not None and self.root.version != raw_version.__get__(self)

    def _follow(self, new: Tensor) -> None:
        """Give the view's Tensor its new place in the graph, unless the user gave it one of its own."""
        tensor = self.tensor()
        if tensor is None or (tensor.node is None) != tensor._stop_gradient:
            return
        tensor.node, tensor.index = new.node, new.index
        tensor._flag(new._stop_gradient)

    def _hold(self, array: Any) -> Any:
        raw_array.__set__(self, array)
        raw_version.__set__(self, self.root.version)
        return array

    # ---- writing ---------------------------------------------------------------------------------------------

    def put(self, new: Any) -> None:
        """Write values, as `Tensor.set_value` does; of another shape or dtype they get memory of their own."""
        mine = raw_array.__get__(self)
        if self.is_copy() or new.shape != mine.shape or new.dtype != mine.dtype:
            if state.trace is not None and self.trace is not state.trace:
                raise _other_memory()
            self.__class__ = Storage            # type: ignore[assignment]
            self.array = new
            return
        call, old = _putting(self._written()), self.root.array
        array = (call.forward if state.trace is None else call.fn)(old, new, self.layout.offset)
        self.root.array = array if state.trace is None else state.trace.overwritten(old, array)
        if self.trace is state.trace:
            self._hold(new)

    def rebind(self, tensor: Tensor, new: Tensor) -> bool:
        """Let a Tensor of this view become `new`, and what it is a view of with it; False if it is a copy.

        A leaf gets the values and stays a leaf: the view has a gradient of its own from then on, as in Paddle.
        """
        if self.is_copy():
            return False
        array = new.storage.array
        owner = self._owner() if self.tensor() is tensor else None
        if owner is None:
            self.put(array)
            return True
        recording, leaf = state.grad_enabled, not owner._stop_gradient and owner.node is None
        if leaf and recording:
            if self.trace is not state.trace:
                raise ConversionError(f"A view of a parameter, made outside, is written in place.{at_user_line()}\n"
                                      "Do it under paddle.no_grad(), or make the view in the converted function.")
            self.owner = None
        state.grad_enabled = recording and not leaf
        try:
            owner._rebind(run_call(_putting(self._written()), (owner, new, self.layout.offset)))
        finally:
            state.grad_enabled = recording
        if recording and self.trace is state.trace:
            self._hold(array)
        return True

    # ---- where it lies ---------------------------------------------------------------------------------------

    def _owner(self) -> Any:
        """The Tensor that has the root now, if it takes part in the gradient."""
        owner = self.owner
        if owner is not None and owner.storage.is_view and owner.storage.root is self.root:     # after its transpose_
            owner = owner.storage.owner
        return owner if owner is not None and owner.storage is self.root else None

    def is_copy(self) -> bool:
        """Find its layout. If it has none, the operation copied, as in Paddle: from now on this is a plain cell."""
        if self.layout is UNKNOWN:
            raise RuntimeError("This tensor came out of a converted function as a part of one of its arguments, and "
                               "the program chose which. So it cannot share memory with it: use clone() before either "
                               "is written in place.")
        if self.layout is None:
            self.layout = _resolved(self.place, raw_array.__get__(self).shape)
            if self.layout is None:
                self.__class__ = Storage        # type: ignore[assignment]
                return True
        return False

    def _is_left_behind(self) -> bool:
        """Whether the root has got other memory (as by `cast_`) since: the view keeps what there was before."""
        root, seen = self.root, raw_version.__get__(self)
        moved = getattr(root, "place", 0)
        if moved <= seen and root.array.dtype == raw_array.__get__(self).dtype and self.layout.end <= root.array.size:
            return False
        if (moved if moved > seen else root.version) != seen + 1:
            raise RuntimeError("The tensor that this one shared memory with was written in place, and then got other "
                               "memory: what this one would hold is lost. Use clone() to keep a value.")
        self.__class__ = Storage                # type: ignore[assignment]
        return True

    def _written(self) -> Layout:
        """The layout, to be written."""
        if self.layout.overlaps:
            raise RuntimeError(f"The elements of this tensor share memory with each other (shape "
                               f"{list(self.layout.shape)}, strides {list(self.layout.strides)}): it cannot be written "
                               "in place. Use clone() first.")
        return self.layout


def view_of(x: Tensor, out: Tensor, rule: Callable, args: tuple = (), given: tuple = ()) -> Tensor:
    """Make `out`, which an operation computed from `x`, a view of it, if the rule gives one; it is `out` either way.

    rule, args: see `kayax.bridge.layout`. given: an index's numbers, each an int or (tracer, size of its dimension).
    """
    base = x.storage
    if not base.is_view:
        base.shared = True
        return _make_view(out, base, x, (None, base._array.shape, rule, args, given), None)
    layout: Any = base.layout
    eager = state.trace is None
    place = (layout if eager and layout else base.place, raw_array.__get__(base).shape, rule, args, given)
    if layout is not UNKNOWN:
        layout = None
        if eager and _may_copy(base, rule):
            layout = _found(place, out.storage._array.shape)
            if layout is None:
                return out
    return _make_view(out, base.root, base.owner if base.tensor() is x else None, place, layout)


def _may_copy(base: Any, rule: Callable) -> bool:
    """Whether to find out at once if a view of a view is one: a copy should not keep what it was made of.

    Also where the way back to the root grows long.
    """
    before = base.place
    return before[0] is not None or (rule is reshaped and before[2] is not reshaped)


def _make_view(out: Tensor, root: Storage, owner: Any, place: Any, layout: Any) -> Tensor:
    view = out.storage
    view.root = root
    view.place = place
    view.layout = layout
    # Under no_grad it takes no part in the gradient of what it was made of.
    view.owner = owner if out.node is not None or owner is None or owner._stop_gradient else None
    view.tensor = weakref.ref(out)
    view.version = root.version
    view.__class__ = View
    return out


def replace(x: Tensor, new: Tensor, rule: Callable | None, args: tuple) -> Tensor:
    """Let `x`, which shares memory, become `new`, of another shape or dtype: the end of `reshape_`, `cast_` and so on.

    With a rule (and its arguments) `x` goes on sharing its elements; without, it gets memory of its own, as in Paddle.
    """
    if state.trace is not None and x.storage.trace is not state.trace:
        raise _other_memory()
    if not x.storage.is_view and rule in (None, reshaped):
        x._rebind(new)
        if rule is None:
            leave_views(x.storage)
        return x
    if rule is not None:
        before = x if x.storage.is_view else fill(Tensor.__new__(Tensor), x.storage, x._stop_gradient)
        before.node, before.index = x.node, x.index
        view_of(before, new, rule, args)
    x.storage, new.storage = new.storage, x.storage
    if x.storage.is_view:
        x.storage.tensor = weakref.ref(x)
    if state.grad_enabled:
        x.node, x.index = new.node, new.index
        x._flag(new._stop_gradient)
    return x


def exchange(x: Tensor, array: Any) -> None:
    """Give a Tensor memory of its own with these elements, as ``x.data = ...`` does: its views keep the old ones."""
    storage = x.storage
    if state.trace is not None and storage.trace is not state.trace and (storage.is_view or storage.shared):
        raise _other_memory()
    if storage.is_view:
        x.storage = Storage(array)
        return
    storage.array = array
    if storage.shared:
        leave_views(storage)


def layout_of(x: Tensor) -> Layout:
    """Where a Tensor's elements lie in memory."""
    storage: Any = x.storage
    if storage.is_view and storage.layout is not UNKNOWN and not storage.is_copy():
        return storage.layout
    shape = tuple(storage.array.shape)
    return Layout(shape, in_order(shape))


def chain_of(storage: Storage) -> list[tuple] | None:
    """How a view follows from its root, as steps; None if that depends on what is known at run time only."""
    steps, place = [], storage.place
    while place is not None:
        if type(place) is Layout or not all(isinstance(g, int) for g in place[-1]):
            return None
        steps.append(place[1:])
        place = place[0]
    return steps[::-1]


def link(out: Tensor, x: Tensor, steps: list[tuple] | None) -> None:
    """Make `out`, what a program gave for a view of `x`, such a view; without steps one that must not be written."""
    base = x.storage
    place: Any = (base.layout or base.place) if base.is_view else None
    for step in steps or ():
        place = (place, *step)
    layout = UNKNOWN if steps is None else _resolved(place, out.storage._array.shape)
    if layout is not None:
        base.shared = True
        owner = (base.owner if base.tensor() is x else None) if base.is_view else x
        _make_view(out, root_of(base), owner, place, layout)


def _other_memory() -> ConversionError:
    return ConversionError(f"A tensor from outside that shares memory would get memory of its own in every call."
                           f"{at_user_line()}\nWrite into it, as with x[:] = value, or give it a clone() before.")


def leave_views(root: Storage) -> None:
    """Note that a cell has just got memory of its own: what was made as a view of it keeps the old elements."""
    root.place = root.version


def _resolved(place: tuple, shape: tuple) -> Layout | None:
    parent, before, rule, args, given = place
    if type(parent) is Layout:
        found: Any = parent
    else:
        found = Layout(before, in_order(before)) if parent is None else _resolved(parent, before)
    return None if found is None else found.step(shape, rule, args, tuple(map(_number, given)))


_found = functools.lru_cache(maxsize=4096)(_resolved)


def _number(given: Any) -> Any:
    """An index's number, from the front: an int, or one that is known when the program runs."""
    if isinstance(given, int):
        return given
    array, n = given
    return jnp.where(array < 0, array + n, array)


def _recorded(call: Call, *inputs: Any) -> Tensor:
    """The result of a call, recorded whatever is recorded now."""
    held = state.grad_enabled, state.saved_hooks
    state.grad_enabled, state.saved_hooks = True, None
    try:
        return run_call(call, inputs)
    finally:
        state.grad_enabled, state.saved_hooks = held


# ---- the two programs ------------------------------------------------------------------------------------------------

def _positions(layout: Layout) -> Any:
    return sum((lax.broadcasted_iota(jnp.int64, layout.shape, d) * s for d, s in enumerate(layout.strides)),
               start=jnp.zeros(layout.shape, jnp.int64))


def _taking(layout: Layout) -> Call:
    return _taking_at(layout.shape, layout.strides)


@functools.lru_cache(maxsize=4096)
def _taking_at(shape: tuple, strides: tuple) -> Call:
    layout = Layout(shape, strides)

    def view(root: Any, offset: Any) -> Any:
        flat = root.reshape(-1)
        if layout.contiguous:
            return lax.dynamic_slice_in_dim(flat, offset, math.prod(shape)).reshape(shape)
        return flat.at[offset + _positions(layout)].get(mode="promise_in_bounds")

    return Call(view, "view")


def _putting(layout: Layout) -> Call:
    return _putting_at(layout.shape, layout.strides)


@functools.lru_cache(maxsize=4096)
def _putting_at(shape: tuple, strides: tuple) -> Call:
    layout = Layout(shape, strides)

    def write_view(root: Any, new: Any, offset: Any) -> Any:
        flat = root.reshape(-1)
        if layout.contiguous:
            flat = lax.dynamic_update_slice_in_dim(flat, new.reshape(-1), offset, 0)
        else:
            places = offset + _positions(layout)
            flat = flat.at[places].set(new, mode="promise_in_bounds", unique_indices=True)
        return flat.reshape(root.shape)

    return Call(write_view, "view_write")
