"""Functions and objects of a graph by name: operations, staged functions, and what optimizers are made of.

Nothing else is found by a name in a file, and nothing is called that a file says, but the constructor of an optimizer.
"""
from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable
from typing import Any

from kayax.bridge import graph as graphs
from kayax.bridge.registry import OPS, Op
from kayax.bridge.state import state
from kayax.layers.initializer import Initializer
from kayax.layers.optimizer.clip import ClipGradBase
from kayax.layers.optimizer.lr_base import LRScheduler
from kayax.layers.optimizer.optimizer import Optimizer
from kayax.layers.optimizer.regularizer import WeightDecayRegularizer

_OWN = {f.__name__: f for f in graphs.OWN}
_OBJECTS = (Optimizer, LRScheduler, ClipGradBase, WeightDecayRegularizer, Initializer)
_MODULE = re.compile(r"kayax(\.[a-z][a-z0-9_]*)+")


def name_of_function(fn: Any) -> list[str]:
    """An instruction's function as [kind, module, name]. Raises TypeError for one that a file cannot name."""
    if isinstance(fn, Op):
        return ["op", fn.fn.__module__, fn.name]
    module, name = getattr(fn, "__module__", ""), getattr(fn, "__qualname__", "")
    if _OWN.get(name) is fn:
        return ["own", "", name]
    if getattr(_at(module, name), "staged_function", None) is fn:
        return ["staged", module, name]
    raise TypeError(f"The program calls {module}.{name or fn!r}, which a file cannot hold. Save what predicts with "
                    "paddle.static.save_inference_model, or make the program again with the script.")


def function_named(named: list[str]) -> Callable:
    """The function that `name_of_function` named. Raises ValueError for any other."""
    kind, module, name = named
    if kind == "own":
        return _OWN[name]
    found: Any = (getattr(_at(module, name), "staged_function", None) if kind == "staged" else
                  _import(module) and OPS.get(name))
    if found is None:
        raise ValueError(f"there is no operation {module}.{name} in this version of the library")
    return found


def _import(module: str) -> Any:
    if not _MODULE.fullmatch(module) or module.startswith("kayax.io."):
        raise ValueError(f"{module!r} is no module of operations")
    return importlib.import_module(module)


def _at(module: str, name: str) -> Any:
    try:
        return inspect.getattr_static(_import(module), name, None)
    except (ImportError, ValueError):
        return None


def is_known_object(value: Any) -> bool:
    """Whether a file can hold this object: an optimizer of ours, or what describes one."""
    return isinstance(value, _OBJECTS) and _class(type(value).__module__, type(value).__name__) is type(value)


def _class(module: str, name: str) -> Any:
    found = _at(module, name)
    return found if isinstance(found, type) and issubclass(found, _OBJECTS) else None


def object_named(value: Any, encode: Callable[[Any], Any]) -> list[Any]:
    """An object as [module, class, fields]: of an optimizer the arguments that it was made with."""
    fields = _arguments(value) if isinstance(value, Optimizer) else {
        k: v for k, v in vars(value).items() if k != "_listeners"}
    return [type(value).__module__, type(value).__name__, [[k, encode(v)] for k, v in fields.items()]]


def made_object(module: str, name: str, fields: list[Any], decode: Callable[[Any], Any]) -> Any:
    """The object that `object_named` took apart."""
    kind = _class(module, name)
    if kind is None:
        raise ValueError(f"there is no {module}.{name} in this version of the library")
    values = {k: decode(v) for k, v in fields}
    if issubclass(kind, Optimizer):
        state.graph, held = graphs.Graph(), state.graph         # where parameters may be found later
        try:
            return kind(**values)
        finally:
            state.graph = held
    made = object.__new__(kind)
    if issubclass(kind, LRScheduler):
        made._start(0.0, -1, False)
    vars(made).update(values)
    return made


def _arguments(optimizer: Optimizer) -> dict[str, Any]:
    args, kwargs = optimizer._given
    found = inspect.signature(type(optimizer)).bind(*args, **kwargs).arguments
    if len(optimizer._param_groups) == 1:           # it may have been an iterator, or come with the gradients
        found["parameters"] = list(optimizer._parameter_list)
    found["learning_rate"] = optimizer._learning_rate
    return found
