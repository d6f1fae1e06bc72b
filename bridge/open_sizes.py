"""Open dims: questions about them that have one answer for every size, or none. (JAX answers `==` and `bool` anyway.)

JAX's own symbols go through operations. User code sees an `OpenDim` instead, which cannot be taken for one size by
Python itself: as a key of a dict, in a text, by `list.count` or `functools.cache`.
"""
from __future__ import annotations

import contextlib
import functools
import operator
import sys
from collections.abc import Callable, Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import export

from kayax.bridge.errors import OpenDimensionError, SizeKeyError, UndecidedSizeError, at_user_line, is_ours
from kayax.bridge.state import state
from kayax.spec.size import Size


def is_open(value: Any) -> bool:
    """Whether a value is a dimension of any size, or computed from such."""
    return type(value) is OpenDim or export.is_symbolic_dim(value)


def has_open(value: Any) -> bool:
    """Whether a value, or an item of a shape, is open."""
    return any(map(is_open, value)) if isinstance(value, (list, tuple)) else is_open(value)


def equal(a: Any, b: Any) -> bool:
    """``a == b``, of sizes or shapes. Raises UndecidedSizeError if it is so for some sizes alone."""
    a, b = plain(a), plain(b)
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
    raise UndecidedSizeError(f"Symbolic dimension comparison '{a}' == '{b}' is inconclusive.")


def _whole(n: Any) -> bool:
    return is_open(n) or (isinstance(n, (int, float, np.integer, np.floating)) and float(n).is_integer())


def _all(answers: Iterable[Callable[[], bool]]) -> bool:
    """Whether all are true; one that is false answers it, whatever is not known of the others."""
    unknown = None
    for answer in answers:
        try:
            if not answer():
                return False
        except UndecidedSizeError as error:
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
    return is_size(size, 1)


def is_size(size: Any, other: Any) -> bool:
    """As `is_one`, for any size."""
    return equal(size, other) if state.portable or not (is_open(size) or is_open(other)) else size == other


def common_shape(*shapes: Any) -> tuple:
    """What these shapes are broadcast to. Open sizes are taken to fit: to the known one, or to the first."""
    if not any(map(has_open, shapes)):
        return np.broadcast_shapes(*map(tuple, shapes))
    rank = max(map(len, shapes))
    columns = zip(*([1] * (rank - len(s)) + list(s) for s in shapes), strict=True)
    return tuple(map(_fitting, columns))


def _fitting(sizes: Any) -> Any:
    known = [n for n in sizes if not is_open(n) and n != 1]
    if known:
        return np.broadcast_shapes(*((n,) for n in known))[0]
    return next((n for n in sizes if is_open(n)), 1)


def need_known(x: Any, axis: int, why: str) -> None:
    """An OpenDimensionError, which says why the size of this axis must be known, if it is open (in a static graph it
    is known when the operation runs)."""
    if state.graph is None and is_open(x.shape[axis]):
        raise OpenDimensionError(f"The size of axis {axis} is open ({x.shape[axis]}). {why}{at_user_line()}\nGive the "
                                 "dimension a fixed size.")


# ---- what user code sees -----------------------------------------------------------------------------------------

class OpenDim:
    """A dimension of any size, or a whole number computed from such: what holds for every size can be done with it."""

    __slots__ = ("dim",)

    def __init__(self, dim: Any):
        self.dim = dim

    def __jax_array__(self) -> Any:
        return jnp.asarray(self.dim)

    def __eq__(self, other: object) -> bool:
        return equal(self, other)

    def __ne__(self, other: object) -> bool:
        return not equal(self, other)

    def __bool__(self) -> bool:
        return not equal(self, 0)

    def __hash__(self) -> int:
        raise SizeKeyError(
            f"The size {self.dim} is open, and as a key (of a dict, in a set, or of a function that remembers its "
            f"results) it would count as one size.{at_user_line()}\nIf it has a few sizes alone, save a model for "
            "each, with the dimension fixed. Numbers for each size can be looked up in a Tensor: "
            "paddle.to_tensor(table)[paddle.shape(x)[i]].")

    def __index__(self) -> int:
        raise OpenDimensionError(
            f"A known size is needed here, but {self.dim} is open.{at_user_line()}\nWhere the code computes with the "
            "size, or counts to it, let it be a Tensor: paddle.shape(x)[i]. Otherwise give the dimension a fixed size.")

    __int__ = __float__ = __complex__ = __round__ = __trunc__ = __floor__ = __ceil__ = __index__    # type: ignore[assignment]

    def __str__(self) -> str:
        return OpenText(self.dim)

    def __format__(self, spec: str) -> str:
        return OpenText(format(str(self.dim), spec if spec[-1:] not in tuple("dnxXob") else spec[:-1]))

    __repr__ = __str__

    def __copy__(self) -> OpenDim:
        return self

    def __deepcopy__(self, memo: Any) -> OpenDim:
        return self

    def __getattr__(self, name: str) -> Any:
        if not hasattr(int, name):
            raise AttributeError(f"'int' object has no attribute {name!r}")
        raise OpenDimensionError(f"{name!r} of a size needs a known one, but {self.dim} is open.{at_user_line()}\nGive "
                                 "the dimension a fixed size.")

    def __abs__(self) -> Any:
        return self if self >= 0 else -self             # type: ignore[operator]

    def is_integer(self) -> bool:
        """Sizes are whole numbers."""
        return True


def _operator(compute: Callable, back: bool = False) -> Any:
    def run(self: OpenDim, *other: Any) -> Any:
        if not all(isinstance(x, (int, float, complex, np.generic, OpenDim)) or is_open(x) for x in other):
            return NotImplemented
        operands = [self.dim, *map(plain, other)]
        try:
            return shown(compute(*(reversed(operands) if back else operands)))
        except jax.errors.InconclusiveDimensionOperation as error:
            raise UndecidedSizeError(str(error)) from None

    return run


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "divmod"):
    _compute = divmod if _name == "divmod" else getattr(operator, _name)
    setattr(OpenDim, f"__{_name}__", _operator(_compute))
    setattr(OpenDim, f"__r{_name}__", _operator(_compute, back=True))
for _name in ("lt", "le", "gt", "ge", "neg", "pos"):
    setattr(OpenDim, f"__{_name}__", _operator(getattr(operator, _name)))


class OpenText(str):
    """Text with an open size in it: it can be printed and put into other text, not looked at."""

    __slots__ = ()

    def __add__(self, other: str) -> OpenText:
        return OpenText(str.__add__(self, other))

    def __radd__(self, other: str) -> OpenText:
        return OpenText(str.__add__(other, self))

    def _refuse(self, *_: Any) -> Any:
        raise SizeKeyError(f"The text {str(self)!r} has an open size in it: it can be printed, not compared or "
                                 f"looked up.{at_user_line()}\nDecide on the size itself, or give it a fixed one.")


for _name in ("eq", "ne", "lt", "le", "gt", "ge", "hash", "contains", "len", "iter", "getitem"):
    setattr(OpenText, f"__{_name}__", OpenText._refuse)
for _name in ("startswith", "endswith", "find", "rfind", "index", "rindex", "count", "split", "isdigit", "encode"):
    setattr(OpenText, _name, OpenText._refuse)


def shown(value: Any) -> Any:
    """A size, or sizes in a list, as user code sees them."""
    if isinstance(value, (list, tuple)):
        made = Size if isinstance(value, Size) else type(value)
        return made([OpenDim(n) if export.is_symbolic_dim(n) else n for n in value]) if (
            made in (Size, list, tuple) and any(map(export.is_symbolic_dim, value))) else value
    return OpenDim(value) if export.is_symbolic_dim(value) else value


def shown_to_caller(value: Any) -> Any:
    """The same if the function that calls a property is user code; our own computes with JAX's symbols."""
    return value if is_ours(sys._getframe(2).f_code.co_filename) else shown(value)


def plain(value: Any) -> Any:
    """The opposite of `shown`."""
    if type(value) is OpenDim:
        return value.dim
    if isinstance(value, (list, tuple)) and any(type(n) is OpenDim for n in value):
        return (Size if isinstance(value, Size) else list if isinstance(value, list) else tuple)(map(plain, value))
    return value
