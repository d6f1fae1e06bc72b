"""Layers that are one function with its arguments fixed: activations, losses, pooling, padding."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kayax.bridge.tensor import Tensor
from kayax.layers.layer import Layer

# What PyTorch calls an argument: readable under that name too.
_OTHER_NAMES = {"dim": "axis", "return_indices": "return_mask", "lambd": "threshold"}


class FunctionLayer(Layer):
    """Calls ``function(*inputs, **arguments)``; the arguments can be read as attributes.

    `shown` are the arguments that printing shows (all, if None).
    """

    def __init__(self, function: Callable, shown: tuple[str, ...] | None = None, **arguments: Any):
        super().__init__()
        fields = self.__dict__
        fields["_function"], fields["_arguments"], fields["_shown"] = function, arguments, shown
        for name, value in arguments.items():
            if isinstance(value, Tensor):
                setattr(self, name, value)          # a buffer, as in Paddle: it moves with the layer

    def __getattr__(self, name: str) -> Any:
        arguments = self.__dict__.get("_arguments", {})
        for known in (name, name.removeprefix("_"), _OTHER_NAMES.get(name)):
            if known in arguments:
                return arguments[known]
        return super().__getattr__(name)

    def forward(self, *inputs: Any, **named: Any) -> Any:
        return self._function(*inputs, **named, **self._arguments)

    def extra_repr(self) -> str:
        shown = self._arguments if self._shown is None else self._shown
        return ", ".join(f"{name}={self._arguments[name]}" for name in shown if name != "name")
