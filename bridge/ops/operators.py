"""The operators of Tensor: ``+ - * / // % ** @``, comparisons, bitwise operators and shifts."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from kayax.bridge.ops import arithmetic, linalg, logic, math
from kayax.bridge.parameter import Parameter
from kayax.bridge.registry import attach
from kayax.bridge.tensor import Tensor
from kayax.spec.size import Count

_DIRECT = frozenset({Tensor, Parameter, int, float, bool, complex, np.ndarray})
_NUMBERS = frozenset({int, float, bool, complex})


def _operand(other: Any) -> Any:
    """What an operation takes for `other`, or NotImplemented for a type that is none of ours."""
    if isinstance(other, (Tensor, jax.Array)):
        return other
    if isinstance(other, np.generic):
        return other.item()
    if isinstance(other, Count):
        return int(other)
    if isinstance(other, (bool, int, float, complex)):
        return other
    if hasattr(type(other), "__jax_array__") and not hasattr(type(other), "dtype"):     # an open dim of a shape
        return other
    return NotImplemented


def _binary(function: Callable) -> tuple[Callable, Callable]:
    """The operator and its reflection."""
    operation = function.op                 # type: ignore[attr-defined]

    def forward(self: Tensor, other: Any) -> Any:
        if type(other) not in _DIRECT:
            other = _operand(other)
            if other is NotImplemented:
                return NotImplemented
        return operation(self, other)

    def reflected(self: Tensor, other: Any) -> Any:
        if type(other) not in _DIRECT:
            other = _operand(other)
            if other is NotImplemented:
                return NotImplemented
        return operation(other, self)

    return forward, reflected


def _unary(function: Callable) -> Callable:
    operation = function.op                 # type: ignore[attr-defined]

    def forward(self: Tensor) -> Any:
        return operation(self)

    return forward


_ARITHMETIC = {
    "add": arithmetic.add, "sub": arithmetic.subtract, "mul": arithmetic.multiply, "truediv": arithmetic.divide,
    "floordiv": arithmetic.floor_divide, "mod": arithmetic.remainder, "pow": arithmetic.power, "matmul": linalg.matmul,
    "and": logic.bitwise_and, "or": logic.bitwise_or, "xor": logic.bitwise_xor,
    "lshift": logic.bitwise_left_shift, "rshift": logic.bitwise_right_shift,
}
_COMPARISONS = {"eq": logic.equal, "ne": logic.not_equal, "lt": logic.less_than, "le": logic.less_equal,
                "gt": logic.greater_than, "ge": logic.greater_equal}
_UNARY = {"neg": math.neg, "abs": math.abs, "invert": logic.bitwise_not, "pos": math.positive}


def _name(method: Callable, name: str, doc: str | None) -> Callable:
    method.__name__ = method.__qualname__ = name
    method.__doc__ = doc
    return method


def _set(name: str, method: Callable, doc: str | None) -> None:
    setattr(Tensor, name, _name(method, name, doc))


for _key, _function in _ARITHMETIC.items():
    _forward, _reflected = _binary(_function)
    _set(f"__{_key}__", _forward, _function.__doc__)
    _set(f"__r{_key}__", _reflected, _function.__doc__)
for _key, _function in _COMPARISONS.items():
    _set(f"__{_key}__", _binary(_function)[0], _function.__doc__)
for _key, _function in _UNARY.items():
    _set(f"__{_key}__", _unary(_function), _function.__doc__)


def _product(operation: Callable) -> Callable:
    """A matrix product in which a NumPy array takes the Tensor's dtype, as in Paddle."""
    def forward(self: Tensor, other: Any) -> Any:
        return operation(self, other.astype(self.dtype.numpy, copy=False) if isinstance(other, np.ndarray) else other)

    return forward


for _key in ("__matmul__", "__rmatmul__"):
    _set(_key, _product(getattr(Tensor, _key)), linalg.matmul.__doc__)
attach("__div__", Tensor.__truediv__)
attach("__rdiv__", Tensor.__rtruediv__)
