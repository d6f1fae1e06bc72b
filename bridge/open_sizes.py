"""Questions about open dims that have one answer for every size, or none. (JAX answers `==` and `bool` anyway.)"""
from __future__ import annotations

import contextlib
import functools
import operator
from collections.abc import Callable, Iterable
from typing import Any

import jax
import numpy as np
from jax import export

from kayax.bridge.errors import OpenDimensionError, at_user_line
from kayax.bridge.state import state


def is_open(value: Any) -> bool:
    """Whether a value is a dimension of any size, or computed from such."""
    return export.is_symbolic_dim(value)


def has_open(value: Any) -> bool:
    """Whether a value, or an item of a shape, is open."""
    return any(map(is_open, value)) if isinstance(value, (list, tuple)) else is_open(value)


def equal(a: Any, b: Any) -> bool:
    """``a == b``, of sizes or shapes. Raises InconclusiveDimensionOperation if it is so for some sizes alone."""
    shapes = isinstance(a, (list, tuple)), isinstance(b, (list, tuple))
    if all(shapes):
        return len(a) == len(b) and _all(functools.partial(equal, x, y) for x, y in zip(a, b, strict=True))
    if any(shapes) or not (_whole(a) and _whole(b)):
        return bool(a == b)
    a, b = (n if is_open(n) else int(n) for n in ((a, b) if is_open(a) else (b, a)))
    if a == b:
        return True
    for differs in (operator.lt, operator.gt):
        with contextlib.suppress(jax.errors.InconclusiveDimensionOperation):
            if differs(a, b):
                return False
    raise jax.errors.InconclusiveDimensionOperation(f"Symbolic dimension comparison '{a}' == '{b}' is inconclusive.")


def _whole(n: Any) -> bool:
    return is_open(n) or (isinstance(n, (int, float, np.integer, np.floating)) and float(n).is_integer())


def _all(answers: Iterable[Callable[[], bool]]) -> bool:
    """Whether all are true; one that is false answers it, whatever is not known of the others."""
    unknown = None
    for answer in answers:
        try:
            if not answer():
                return False
        except jax.errors.InconclusiveDimensionOperation as error:
            unknown = error
    if unknown is not None:
        raise unknown
    return True


def contains(items: Any, item: Any) -> bool:
    """``item in items``, in the same sense as `equal`."""
    return not _all(functools.partial(_different, item, x) for x in items)


def _different(a: Any, b: Any) -> bool:
    return not equal(a, b)


def is_one(size: Any) -> bool:
    """Whether a dimension has the size 1. In the sense of `equal` for a program that is made for every size; a static
    graph is made again for each, and takes an open size for another one."""
    return equal(size, 1) if state.portable or not is_open(size) else False


def need_known(x: Any, axis: int, why: str) -> None:
    """An OpenDimensionError, which says why the size of this axis must be known, if it is open."""
    if is_open(x.shape[axis]):
        raise OpenDimensionError(f"The size of axis {axis} is open ({x.shape[axis]}). {why}{at_user_line()}\nGive the "
                                 "dimension a fixed size.")
