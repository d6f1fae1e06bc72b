"""Scopes: the variables of programs by name, and their values as objects that are read and written."""
from __future__ import annotations

import contextlib
import weakref
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from kayax.bridge.convert import to_tensor
from kayax.bridge.device import CPUPlace
from kayax.bridge.graph import Graph
from kayax.bridge.registry import attach
from kayax.bridge.staging import suspended
from kayax.bridge.symbols import NoValueError, is_symbolic
from kayax.bridge.tensor import Tensor
from kayax.static.program import programs


class DenseTensor:
    """A value of a program: read as an array, written by `set`, fed to an Executor.

    It has no sequence lengths (LoD): only empty ones can be set.
    """

    def __init__(self, tensor: Tensor | None = None):
        self._tensor = tensor

    def set(self, array: Any, place: Any = None) -> None:
        """Write its value, of any shape if it has none. place: accepted."""
        with suspended():
            if self._tensor is None:
                self._tensor = to_tensor(np.asarray(array))
            else:
                self._tensor.set_value(np.asarray(array))

    def shape(self) -> list[int]:
        """The sizes of its dimensions."""
        return [] if self._tensor is None else list(self._tensor.shape)

    def numpy(self) -> np.ndarray:
        """Its value as an array."""
        if self._tensor is None:
            raise RuntimeError("The tensor has no value yet: call set(array, place).")
        return self._tensor.numpy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self.numpy(), dtype=dtype)

    def name(self) -> str:
        """The name of the variable whose value it is, for files; "" for one of its own."""
        return "" if self._tensor is None else self._tensor.name

    def _dtype(self) -> Any:
        return None if self._tensor is None else self._tensor.dtype

    def _numel(self) -> int:
        return 0 if self._tensor is None else int(np.prod(self.shape()))

    def _is_initialized(self) -> bool:
        return self._tensor is not None and not is_symbolic(self._tensor)

    def _place(self) -> Any:
        return CPUPlace() if self._tensor is None else self._tensor.place

    def lod(self) -> list[list[int]]:
        """Empty: there are no sequence lengths."""
        return []

    recursive_sequence_lengths = lod

    def set_lod(self, lod: Sequence[Any]) -> None:
        """Accepts no lengths; anything else is an error."""
        if len(lod):
            raise NotImplementedError("There are no sequences of lengths in a Tensor (LoD): pad them, and use "
                                      "paddle.nn.functional.sequence_mask.")

    set_recursive_sequence_lengths = set_lod

    def __str__(self) -> str:
        values = " ".join(f"{v:g}" for v in self.numpy().reshape(-1).astype(float))
        return (f"  - shape: {self.shape()}\n  - layout: NCHW\n  - place: {self._place()}\n"
                f"  - dtype: {str(self._dtype()).removeprefix('paddle.')}\n  - data: [{values}]")


class ScopeVariable:
    """A variable of a scope, which holds a value."""

    def __init__(self, name: str, tensor: Tensor | None = None):
        self._name, self._value = name, DenseTensor(tensor)

    def name(self) -> str:
        """Its name."""
        return self._name

    def get_tensor(self) -> DenseTensor:
        """Its value."""
        return self._value

    def is_initialized(self) -> bool:
        """Whether it has a value."""
        return self._value._is_initialized()

    def __getattr__(self, name: str) -> Any:            # what its value can do
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._value, name)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self._value.numpy(), dtype=dtype)


class Scope:
    """The parameters and buffers of programs, and variables of its own, by name."""

    def __init__(self) -> None:
        self._own: dict[str, Any] = {}
        self._kids: list[Scope] = []
        self.values: Any = weakref.WeakValueDictionary()        # of parameters that are made while it is in use

    def var(self, name: str) -> ScopeVariable:
        """The variable with this name, made if there is none."""
        return self.find_var(name) or self._own.setdefault(name, ScopeVariable(name))

    def find_var(self, name: str) -> ScopeVariable | None:
        """The variable with this name, None if there is none."""
        if name in self._own:
            return self._own[name]
        for program in programs:
            for tensor in (*program.graph.persistable, *(t for t, _ in program.graph.created)):
                if tensor.name == name:
                    return ScopeVariable(name, tensor)
        return None

    def erase(self, names: Sequence[str]) -> None:
        """Forget variables of its own."""
        for name in names:
            self._own.pop(name, None)

    def local_var_names(self) -> list[str]:
        """The names of all variables."""
        found = dict.fromkeys(self._own)
        for program in programs:
            found |= dict.fromkeys(t.name for t in program.graph.persistable)
        return list(found)

    def new_scope(self) -> Scope:
        """A scope within this one."""
        self._kids.append(Scope())
        return self._kids[-1]

    def drop_kids(self) -> None:
        """Forget the scopes within."""
        self._kids.clear()


_scopes = [Scope()]


def global_scope() -> Scope:
    """The scope in use."""
    return _scopes[-1]


@contextlib.contextmanager
def scope_guard(scope: Scope) -> Iterator[None]:
    """Inside, this scope is in use: parameters that are made share their values by name among its programs alone.

    Unlike in Paddle, a program has the same values in every scope.
    """
    if not isinstance(scope, Scope):
        raise TypeError(f"scope must be a Scope, but got {type(scope).__name__}.")
    _scopes.append(scope)
    held, Graph.values = Graph.values, scope.values
    try:
        yield
    finally:
        _scopes.pop()
        Graph.values = held


def get_value(x: Tensor, scope: Any = None) -> DenseTensor:
    """The value of a parameter or buffer. scope: accepted."""
    if is_symbolic(x):
        raise NoValueError("get_value()")
    return DenseTensor(x)


attach("get_value", get_value)

__all__ = ["DenseTensor", "Scope", "ScopeVariable", "global_scope", "scope_guard"]
