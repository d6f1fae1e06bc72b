"""Lists whose number of items a tensor decides.

Such a list is a Python list in which a `Series` stands for several items at once: the first `length` rows of stacked
tensors. Items that are appended follow it, so most of what is done to a list needs no thought. Rewritten code asks
before it counts, looks up or goes over items (`kayax.bridge.to_static.operators.grown`); all else is refused.
"""
from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from kayax.bridge.errors import ConversionError, at_user_line
from kayax.bridge.kinds import Aval
from kayax.bridge.tensor import Tensor
from kayax.spec import tree

LENGTH = Aval((), np.dtype("int64"), True)


def refusal() -> ConversionError:
    """The error for what cannot be done with a list of staged length."""
    return ConversionError(
        "A tensor decides how many items this list (or rows this tensor made of it) has, and what is done with it here "
        f"needs to know.{at_user_line()}\nlen(), items by number, slices, append, pop, extend and `for` work on such a "
        "list. It may be returned, as it is or by paddle.stack or concat.")


class Counted:
    """What a tensor decides the length of, and so has no meaning but to rewritten code that asks for it."""

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise refusal()

    __bool__ = __iter__ = __len__ = __call__ = __getitem__ = __add__ = __radd__ = __mul__ = __rmul__ = _refuse
    __sub__ = __rsub__ = __truediv__ = __rtruediv__ = __lt__ = __le__ = __gt__ = __ge__ = __neg__ = __int__ = _refuse
    __float__ = __index__ = __contains__ = __str__ = __repr__ = __matmul__ = __rmatmul__ = __invert__ = _refuse
    __pow__ = __rpow__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __eq__ = __ne__ = __format__ = _refuse
    __setitem__ = __delitem__ = __iadd__ = __isub__ = __imul__ = __itruediv__ = __imatmul__ = __ipow__ = _refuse
    __ifloordiv__ = __imod__ = __and__ = __or__ = __xor__ = __abs__ = __pos__ = __lshift__ = __rshift__ = _refuse
    __hash__ = object.__hash__

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise refusal()


@dataclasses.dataclass(eq=False, repr=False)
class Series(Counted):
    """Items of a list: the first `length` rows of `stacks`, one stack for each leaf of an item's form.

    form: what the items have in common (`kayax.bridge.forms`). capacity: how many there are at most. limit: how many a
    loop carries it with; 0 for one that no loop carries. least: how many there are at least.
    """

    form: Any
    stacks: list[Tensor]
    length: Any
    capacity: int
    limit: int = 0
    least: int = 0

    __hash__ = Counted._refuse                  # of a tuple that is a key


def is_grown(value: Any) -> bool:
    """Whether a value is a list, or tuple, of staged length."""
    return type(value) in (list, tuple) and any(type(part) is Series for part in value)


def capacity(items: Sequence[Any]) -> int:
    """How many items a list has at most."""
    return sum(x.capacity if type(x) is Series else 1 for x in items)


def least(items: Sequence[Any]) -> int:
    """How many items a list has at least."""
    return sum(x.least if type(x) is Series else 1 for x in items)


def limit(items: Sequence[Any]) -> int:
    """The number of items that a loop carries the list with, or 0."""
    return max((x.limit for x in items if type(x) is Series), default=0)


def mentions(spec: Any) -> bool:
    """Whether a structure's description has a list of staged length in it."""
    return isinstance(spec, tree.Branch) and (issubclass(spec.kind, Counted) or any(map(mentions, spec.children)))


# ---- the arrays ------------------------------------------------------------------------------------------------


def gathered(n: int, parts: Sequence[tuple[Any, Any]], shape: tuple, dtype: Any) -> Any:
    """One stack of n rows out of parts in order: ``(row, None)``, or ``(stack, length)`` for its first rows.

    Rows beyond the n-th are dropped; who does not know that there are none has to look.
    """
    parts = [(a, length) if length is None else (_fitted(a, shape), length) for a, length in parts]
    first = next((i for i, (_, length) in enumerate(parts) if length is not None), len(parts))
    rows = [jnp.asarray(a).astype(dtype).reshape(shape) for a, _ in parts[:first]][:n]
    stack, at = (jnp.stack(rows) if rows else jnp.zeros((0, *shape), dtype)), first
    if not rows and first < len(parts):
        stack, at = parts[first][0].astype(dtype), parts[first][1]
        first += 1
    return _followed(_resized(stack, n), at, parts[first:], shape, dtype)


def _fitted(stack: Any, shape: tuple) -> Any:
    """A stack whose rows have this shape: where a row is a list of another length at most, there is room for more."""
    more = [n - have for n, have in zip(shape, stack.shape[1:], strict=True)]
    return jnp.pad(stack, [(0, 0), *((0, n) for n in more)]) if any(more) else stack


def _followed(stack: Any, at: Any, parts: Sequence[tuple[Any, Any]], shape: tuple, dtype: Any) -> Any:
    """The stack with the rows of these parts from row `at` on."""
    n = stack.shape[0]
    if all(length is None for _, length in parts):
        for i, (array, _) in enumerate(parts):
            stack = stack.at[at + i].set(jnp.asarray(array).astype(dtype).reshape(shape), mode="drop")
        return stack
    rows, places = [], []
    passed = n                                  # rows that do not count go to places of their own behind the stack
    for array, length in parts:
        rows.append(jnp.asarray(array).astype(dtype).reshape((-1, *shape)))
        k = rows[-1].shape[0]
        here = jnp.arange(k)
        places.append(at + here if length is None else jnp.where(here < length, at + here, passed + here))
        at, passed = at + (k if length is None else length), passed + k
    return stack.at[jnp.concatenate(places)].set(jnp.concatenate(rows), mode="drop", unique_indices=True)


def _resized(stack: Any, n: int) -> Any:
    if stack.shape[0] >= n:
        return stack[:n]
    return jnp.concatenate([stack, jnp.zeros((n - stack.shape[0], *stack.shape[1:]), stack.dtype)])


def counting(stack: Any, n: Any, otherwise: Any) -> Any:
    """The stack with `otherwise` for every row beyond the n-th."""
    counts = (jnp.arange(stack.shape[0]) < n).reshape((-1, *[1] * (stack.ndim - 1)))
    return jnp.where(counts, stack, otherwise.astype(stack.dtype))
