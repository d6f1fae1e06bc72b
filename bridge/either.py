"""A value that is one thing or another, by a tensor's value, and what messages say of it."""
from __future__ import annotations

from typing import Any

from kayax.bridge.errors import ConversionError, at_user_line
from kayax.bridge.places import UNDEFINED
from kayax.bridge.tensor import Tensor
from kayax.spec import tree


class Either:
    """One of two values that no one value can stand for: `first` where `flag` is true, else `second`.

    Rewritten code does with both what it does with one, each on its own path
    (`kayax.bridge.to_static.operators.branch.apart`). Python itself cannot.
    """

    __slots__ = ("flag", "first", "second", "name")

    def __init__(self, flag: Any, first: Any, second: Any, name: str = ""):
        self.flag, self.first, self.second, self.name = flag, first, second, name

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise unsettled(self)

    __bool__ = __iter__ = __len__ = __call__ = __getitem__ = __add__ = __radd__ = __mul__ = __rmul__ = _refuse
    __sub__ = __rsub__ = __truediv__ = __rtruediv__ = __lt__ = __le__ = __gt__ = __ge__ = __neg__ = __int__ = _refuse
    __float__ = __index__ = __contains__ = __str__ = __repr__ = __matmul__ = __rmatmul__ = __invert__ = _refuse
    __pow__ = __rpow__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __format__ = __abs__ = __pos__ = _refuse
    __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = __lshift__ = __rlshift__ = __rshift__ = _refuse
    __rrshift__ = __round__ = __enter__ = __exit__ = __eq__ = __ne__ = __jax_array__ = __array__ = __hash__ = _refuse     # type: ignore[assignment]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise unsettled(self)


class TooManyKinds(ConversionError):
    """There are more kinds of a value than a program should hold."""


def named(*values: Any) -> str:
    """The variable that one of these values was in, in a message."""
    return next((f"`{v.name}`" for v in values if isinstance(v, Either) and v.name), "A value")


def unsettled(either: Either) -> ConversionError:
    """The error for a value that is one thing or another, by a tensor's value."""
    return ConversionError(
        f"{named(either)} is {describe(either.first)} on one path and {describe(either.second)} on another, a tensor "
        f"decides which, and what is done with it here wants one of them.{at_user_line()}\nGive it one type, shape and "
        "dtype on all paths (cast it in the branch, say), or do this in the branches.")


def describe(value: Any) -> str:
    """A value in a message: a tensor by its dtype and shape."""
    if isinstance(value, Tensor):
        try:
            kind = value.dtype.name
            return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind} tensor of shape {list(value.shape)}"
        except RuntimeError:                    # made in a branch, which has ended
            return "a tensor"
    if value is UNDEFINED or value is None or isinstance(value, (bool, int, float, complex, str)):
        return repr(value)
    if isinstance(value, Either):
        return f"{describe(value.first)} or {describe(value.second)}"
    found = tree.parts(value)
    kind = type(value).__name__
    return f"{'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind}" + (f" of {len(found[2])}" if found is not None else "")


def depth(value: Any) -> int:
    """How many Eithers a value is made of."""
    return 1 + depth(value.first) + depth(value.second) if isinstance(value, Either) else 0


def tensors_in(values: Any) -> list[Tensor]:
    """All Tensors in nested values, Eithers included, each once."""
    found: dict[int, Tensor] = {}
    stack = [values]
    while stack:
        value = stack.pop()
        if isinstance(value, Tensor):
            found.setdefault(id(value), value)
        elif isinstance(value, Either):
            stack += [value.flag, value.first, value.second]
        else:
            parts = tree.parts(value)
            if parts is not None:
                stack += parts[2]
    return list(found.values())
