"""Factories: a kind of quanter with its arguments, from which one is made for each layer."""
from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from typing import Any


class QuanterFactory:
    """Makes quanters of one class with the same arguments. `_get_class` says which."""

    def __init__(self, *args: Any, **kwargs: Any):
        self._args, self._kwargs = args, kwargs

    @property
    def args(self) -> tuple:
        """The arguments by position."""
        return self._args

    @property
    def kwargs(self) -> dict[str, Any]:
        """The arguments by name."""
        return self._kwargs

    def _get_class(self) -> type:
        raise NotImplementedError

    def _instance(self, layer: Any) -> Any:
        return self._get_class()(layer, *self._args, **self._kwargs)

    def __repr__(self) -> str:
        given = [*map(str, self._args), *(f"{name}={value}" for name, value in self._kwargs.items())]
        return f"{type(self).__name__}({','.join(given)})"


ObserverFactory = QuanterFactory


def quanter(class_name: str) -> Callable[[type], type]:
    """A decorator of quanter classes: it makes their factory, called `class_name`, in the same module.

    The class takes a layer first; the factory takes the other arguments.
    """
    def declare(target: type) -> type:
        signature = inspect.signature(target)
        parameters = list(signature.parameters.values())[1:]

        def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
            bound = signature.replace(parameters=parameters).bind(*args, **kwargs)
            QuanterFactory.__init__(self, *bound.args, **bound.kwargs)

        factory = type(class_name, (QuanterFactory,), {"__init__": __init__, "_get_class": lambda self: target,
                                                       "__module__": target.__module__, "__doc__": target.__doc__})
        module = sys.modules[target.__module__]
        setattr(module, class_name, factory)
        if hasattr(module, "__all__"):
            module.__all__.append(class_name)
        return target

    return declare
