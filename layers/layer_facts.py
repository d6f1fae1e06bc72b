"""What a program takes for granted of a Layer: the attributes it reads, and what is registered in it."""
from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from kayax.bridge.places import STORES
from kayax.bridge.snapshots import Same, can_change, of_ours
from kayax.bridge.state import state
from kayax.bridge.surroundings import attribute_names
from kayax.bridge.told import ToldDict

# What a Layer keeps for itself; programs note these one by one where they read them.
_OWN_FIELDS = frozenset((*STORES, "_non_persistable_buffer_names_set", "_training", "_full_name", "_dtype", "_hooks",
                         "_state_dict_hooks", "forward"))


class LayerFacts:
    """How a Layer notes facts of the program that is being made. All of its setters bump `state.Epoch`."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:     # here, so that the signature is that of `Layer.__init__`
        new = super().__new__(cls)
        new.__dict__ = ToldDict()
        return new

    def _guard(self: Any, name: str, value: Any, get: Callable[..., Any], lasting: bool = True) -> None:
        reference = weakref.ref(self)

        def now() -> Any:
            layer = reference()
            return None if layer is None else get(layer)

        assert state.trace is not None
        state.trace.guard((id(self), name), f"{self.__dict__['_full_name']}.{name}", now, value, lasting)

    def _note_forward(self: Any) -> None:
        """Note the forward that runs: the class's, or one of this layer's own."""
        assert state.trace is not None
        self._guard("forward", _forward_of(self), _forward_of)
        state.trace.note_method_of(type(self), "forward")
        state.trace.note_function(type(self).forward)

    def _note_attributes(self: Any, names: frozenset[str] = frozenset()) -> None:
        """Note that the program being made depends on this layer's plain attributes and on which sublayers it has."""
        kind: Any = type(self)
        names |= attribute_names(kind.forward, kind)
        for name, value in self.__dict__.items():
            if name in names and name not in _OWN_FIELDS:
                self._guard(name, value, lambda layer, name=name: layer.__dict__.get(name), lasting=False)
        for store in STORES:
            self._guard(store, _held(self, store), lambda layer, store=store: _held(layer, store), lasting=False)

    def note_read(self: Any, name: str, value: Any) -> bool:
        """Note an attribute that rewritten code reads; True if it may change without a word to this layer."""
        kind: Any = type(self)
        if name in self.__dict__:
            self._guard(name, value, lambda layer: layer.__dict__.get(name), lasting=False)
            return can_change(value)
        if any(name in self.__dict__[store] for store in STORES):
            return False
        self._guard(name, None, lambda layer: layer.__dict__.get(name), lasting=False)
        return not hasattr(getattr(kind, name, None), "__get__") and not of_ours(kind)

    def note_all(self: Any, names: frozenset[str]) -> None:
        """The same of this layer and all below it: a function that names it may look at any of them."""
        for layer in self.sublayers(include_self=True):
            layer._note_attributes(names)


def _held(layer: Any, store: str) -> tuple:
    return tuple([(name, Same(value)) for name, value in layer.__dict__[store].items()])


def _forward_of(layer: Any) -> tuple:
    return type(layer), layer.__dict__.get("forward")
