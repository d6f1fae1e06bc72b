"""A function that runs as programs: binds arguments, finds the program for them, makes one when there is none."""
from __future__ import annotations

import functools
import inspect
import types
import weakref
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from kayax.bridge.convert import to_tensor
from kayax.bridge.state import state
from kayax.bridge.tensor import Tensor
from kayax.bridge.to_static.program import Program
from kayax.spec import dtype, tree


class Switch:
    """Whether conversion is on at all (`enable_to_static`)."""

    on = True


def enable_to_static(enable_to_static_bool: bool) -> None:
    """Switch conversion on or off everywhere: while off, converted functions run eagerly, for debugging."""
    if not isinstance(enable_to_static_bool, bool):
        raise TypeError(f"enable_to_static takes True or False, but got {enable_to_static_bool!r}.")
    Switch.on = enable_to_static_bool


def _is_leaf(value: Any) -> bool:
    return isinstance(value, (Tensor, np.ndarray, jax.Array))


class StaticFunction:
    """A function or method that runs as compiled programs, one for each kind of arguments it is called with.

    Tensors and arrays are inputs; every other argument is static: another value makes another program. Programs share
    the parameters, buffers and random state that the function uses.
    """

    def __init__(self, function: Callable, input_spec: Any = None, build_strategy: Any = None, full_graph: bool = False,
                 instance: Any = None, **kwargs: Any):
        self._function = function
        self._input_spec = input_spec
        self._build_strategy = build_strategy
        self._full_graph = full_graph
        self._instance = weakref.ref(instance) if instance is not None else None
        self._bound: weakref.WeakKeyDictionary[Any, StaticFunction] = weakref.WeakKeyDictionary()
        self.programs: dict[Any, list[Program]] = {}
        self._last_call: Any = None
        self.signature = inspect.signature(function)
        self._defaults_key = None
        functools.update_wrapper(self, function)

    # ---- methods ---------------------------------------------------------------------------------------------

    def __get__(self, instance: Any, owner: type | None = None) -> StaticFunction:
        if instance is None:
            return self
        bound = self._bound.get(instance)
        if bound is None:
            bound = StaticFunction(self._function, self._input_spec, self._build_strategy, self._full_graph, instance)
            self._bound[instance] = bound
        return bound

    @property
    def __self__(self) -> Any:
        return self._instance() if self._instance is not None else None

    @property
    def dygraph_function(self) -> Callable:
        """The function as it was written, bound if it is a method."""
        instance = self.__self__
        return self._function if instance is None else types.MethodType(self._function, instance)

    # ---- calling ---------------------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not Switch.on or state.trace is not None:
            return self.dygraph_function(*args, **kwargs)
        tensors, key = self._key(args, kwargs)
        programs = self.programs.get(key)
        if programs is not None:
            for program in programs:
                if program.applies():
                    if program is not programs[0]:
                        programs.remove(program)
                        programs.insert(0, program)
                    return program(tensors)
        return self._make(args, kwargs, tensors, key)(tensors)

    def _key(self, args: tuple, kwargs: dict[str, Any]) -> tuple[list[Tensor], Any]:
        """The input tensors, and everything that tells one program from another."""
        tensors: list[Tensor] = []
        parts: list[Any] = [state.grad_enabled, state.amp, dtype.default()]
        for arg in args:
            if isinstance(arg, Tensor):
                tensors.append(arg)
            else:
                leaves, spec = tree.flatten(arg, _is_leaf)
                parts.append((len(tensors), spec))
                tensors += [t if isinstance(t, Tensor) else to_tensor(t) for t in leaves]
        for name in sorted(kwargs):
            leaves, spec = tree.flatten(kwargs[name], _is_leaf)
            parts.append((name, spec))
            tensors += [t if isinstance(t, Tensor) else to_tensor(t) for t in leaves]
        parts.append(len(args))
        for t in tensors:
            array = t.storage._array
            parts += (array.shape, array.dtype, t._stop_gradient)
        if len(tensors) > 1 and len({id(t.storage) for t in tensors}) < len(tensors):
            storages = [t.storage for t in tensors]
            parts.append(tuple([storages.index(s) for s in storages]))
        return tensors, tuple(parts)

    def _make(self, args: tuple, kwargs: dict[str, Any], tensors: list[Tensor], key: Any) -> Program:
        names = sorted(kwargs)
        _, spec = tree.flatten((args, tuple([kwargs[n] for n in names])), _is_leaf)
        function = self.dygraph_function

        def body(inputs: list[Tensor]) -> Any:
            positional, named = tree.unflatten(spec, inputs)
            return function(*positional, **dict(zip(names, named, strict=True)))

        program = Program(body, tensors, getattr(self._function, "__name__", "function"), self._compiler_options())
        self.programs.setdefault(key, []).insert(0, program)
        return program

    def _compiler_options(self) -> dict | None:
        return self._build_strategy.compiler_options() if self._build_strategy is not None else None
