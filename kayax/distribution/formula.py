"""Methods of a distribution as operations: a pure function of arrays whose further parameters are attributes."""
from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from numbers import Number
from typing import Any

import jax.numpy as jnp
import numpy as np

from kayax.bridge.registry import op
from kayax.bridge.tensor import Tensor, wrap

_PREFIX = "distribution."


def formula(fn: Callable | None = None, *, cast: bool = True) -> Any:
    """Make ``def log_prob(value, /, loc, scale)`` the method ``log_prob(self, value)``, one differentiable operation.

    What stands before the slash are the method's arguments, what follows are attributes of the distribution.
    cast: arguments take the dtype of the first attribute that is a Tensor.
    """
    if fn is None:
        return functools.partial(formula, cast=cast)
    parameters = list(inspect.signature(fn).parameters.values())
    given = [p for p in parameters if p.kind is p.POSITIONAL_ONLY]
    read = [p.name for p in parameters[len(given):]]
    count = len(given)

    @functools.wraps(fn)
    def body(*arrays: Any) -> Any:
        values, attributes = arrays[:count], arrays[count:]
        if cast and values:
            dtype = next(a.dtype for a in attributes if hasattr(a, "dtype"))
            values = tuple([v.astype(dtype) for v in values])
        return fn(*values, *attributes)

    operation = op(body, name=_PREFIX + fn.__qualname__).op

    @functools.wraps(fn)
    def method(self: Any, *arguments: Any, **named: Any) -> Any:
        if named:
            arguments = signature.bind(self, *arguments, **named).args[1:]
        return operation(*map(_tensor, arguments), *[getattr(self, name) for name in read])

    signature = inspect.Signature([inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD), *[
        p.replace(kind=inspect.Parameter.POSITIONAL_OR_KEYWORD) for p in given]])
    method.__signature__ = signature            # type: ignore[attr-defined]
    return method


def draw(fn: Callable) -> Callable:
    """Make ``def _draw(key, shape, /, loc, scale)`` the method ``_draw(self, shape)``, one random operation."""
    read = list(inspect.signature(fn).parameters)[2:]
    operation = op(fn, name=_PREFIX + fn.__qualname__, random=True, static=("shape",)).op

    @functools.wraps(fn)
    def method(self: Any, shape: Any) -> Tensor:
        return operation(shape, *[getattr(self, name) for name in read])

    return method


def _tensor(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value
    if isinstance(value, (Number, list, tuple, np.ndarray, np.generic)):
        return wrap(jnp.asarray(value))
    raise TypeError(f"A value must be a Tensor or a number, but got {type(value).__name__}.")
