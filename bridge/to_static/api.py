"""The front door of conversion: `to_static`, `not_to_static` and switching it off."""
from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any

from kayax.bridge.state import state
from kayax.bridge.to_static.build_strategy import BuildStrategy
from kayax.bridge.to_static.convert import ignored_modules
from kayax.bridge.to_static.static_function import StaticFunction, enable_to_static

_OPTIONS = {"full_graph", "property", "for_frozen_tensor"}


def to_static(function: Any = None, input_spec: Any = None, build_strategy: BuildStrategy | None = None,
              backend: Any = None, **kwargs: Any) -> Any:
    """Turn a function, a method, a Layer or a whole training step into compiled programs.

    function: what to convert; without it, a decorator is given. A Layer is converted in place (its `forward`).
    input_spec: an InputSpec for each argument, nested as the arguments are; Python values for the others. Calls are
        checked against it, and `jit.save` uses it. Dims of None accept any size.
    build_strategy: a `paddle.static.BuildStrategy`. backend: None or "CINN"; XLA always compiles.
    full_graph: True to raise where something cannot be converted, instead of running it eagerly.
    property: True for a method without arguments that gives a Python value: `jit.save` saves the value.

    Arguments that are Tensors or arrays are inputs of the program; any other argument is static, and each value of it
    has a program of its own. All programs share the parameters, buffers and random state.
    """
    unknown = set(kwargs) - _OPTIONS
    if unknown:
        raise TypeError(f"to_static got unknown arguments: {', '.join(sorted(unknown))}.")
    if build_strategy is not None and not isinstance(build_strategy, BuildStrategy):
        raise TypeError("build_strategy must be a paddle.static.BuildStrategy or None, but got "
                        f"{type(build_strategy).__name__}.")
    if backend is not None and (not isinstance(backend, str) or backend.upper() != "CINN"):
        raise ValueError(f"backend must be None or 'CINN', but got {backend!r}. XLA always compiles.")
    if input_spec is not None and not isinstance(input_spec, (list, tuple)):
        raise TypeError("input_spec must be a list or tuple with one entry for each argument, but got "
                        f"{type(input_spec).__name__}.")
    if kwargs.get("property") and callable(function):
        getattr(function, "__func__", function)._is_property = True
    options = {"input_spec": input_spec, "build_strategy": build_strategy, "full_graph": bool(kwargs.get("full_graph"))}
    if function is None:
        return functools.partial(to_static, input_spec=input_spec, build_strategy=build_strategy, **kwargs)
    return _convert(function, **options)


def _convert(function: Any, **options: Any) -> Any:
    if getattr(function, "_not_to_static", False):
        return function
    if isinstance(function, StaticFunction):
        return function.with_options(**options)
    if isinstance(function, (staticmethod, classmethod)):
        return type(function)(_convert(function.__func__, **options))
    if isinstance(function, types.MethodType):
        return StaticFunction(function.__func__, instance=function.__self__, holds=not hasattr(
            function.__self__, "named_sublayers"), **options)
    if not isinstance(function, type) and hasattr(function, "named_sublayers"):
        function.forward = _convert(function.forward, **options)
        return function
    if not callable(function):
        raise TypeError(f"to_static converts functions, methods and Layers, but got {type(function).__name__}.")
    return StaticFunction(function, **options)


def not_to_static(func: Callable | None = None) -> Any:
    """Mark a function that conversion must leave alone."""
    if func is None:
        return not_to_static
    marked: Any = getattr(func, "__func__", func)
    marked._not_to_static = True
    return func


class loop_bound:
    """Say how many rounds the loops in a `with` block have at most: ``with paddle.jit.loop_bound(20): while ...``.

    n: a Python int. A converted loop whose end a tensor decides can then hold a list that it appends to. It has no
    effect on what is computed: a run that has more rounds than were promised, so that a list has no room, is done over
    eagerly. It holds for loops in the functions called, too, unless those say something else.
    """

    def __init__(self, n: int):
        if not isinstance(n, int) or isinstance(n, bool) or n < 0:
            raise TypeError(f"loop_bound takes a Python int that is not negative, but got {n!r}.")
        self.n = n

    def __enter__(self) -> None:
        self._held, state.loop_bound = state.loop_bound, self.n

    def __exit__(self, *_: Any) -> None:
        state.loop_bound = self._held


def ignore_module(modules: list[types.ModuleType]) -> None:
    """Leave the functions of these modules alone when the source of what calls them is converted."""
    if not isinstance(modules, (list, tuple)) or not all(isinstance(m, types.ModuleType) for m in modules):
        raise TypeError("ignore_module takes a list of modules.")
    ignored_modules.update(m.__name__ for m in modules)


__all__ = ["enable_to_static", "ignore_module", "loop_bound", "not_to_static", "to_static"]
