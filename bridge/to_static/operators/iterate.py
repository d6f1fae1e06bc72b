"""`for`, and what it may go over: Python's iterables one by one, ranges that staged tensors end as a staged loop."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from kayax.bridge.either import Either
from kayax.bridge.errors import ConversionError, at_user_line
from kayax.bridge.journal import may_be_older
from kayax.bridge.series import capacity
from kayax.bridge.tensor import Tensor
from kayax.bridge.to_static.operators import grown, numbers
from kayax.bridge.to_static.operators import values as v
from kayax.bridge.to_static.operators.branch import apart_in, then
from kayax.bridge.to_static.operators.dicts import whole
from kayax.bridge.to_static.operators.loop import after_loop, after_round, staged_while
from kayax.bridge.to_static.operators.outcome import NONE, Mixed, Outcome, Variables
from kayax.bridge.to_static.operators.stacked import Stacked


class Staged:
    """Something to go over whose length is a tensor: ``item(i)`` for i below `length`."""

    length: Any
    bound: int | None = None            # what the length is at most, if that is certain

    def item(self, i: Any) -> Any:
        raise NotImplementedError

    def __iter__(self) -> Iterator[Any]:
        raise ConversionError(
            f"Only a `for` statement can go over something whose length a tensor decides.{at_user_line()}")

    def __len__(self) -> int:
        raise ConversionError(f"The length is known only when the program runs.{at_user_line()}")


class Range(Staged):
    """`range` of tensors."""

    def __init__(self, *args: Any):
        self.start, self.stop, self.step = (0, args[0], 1) if len(args) == 1 else (*args, 1)[:3]
        if v.is_staged(self.step):
            up = self.step > 0
            self.length = numbers.as_int(up) * self._count(1) + (1 - numbers.as_int(up)) * self._count(-1)
        else:
            if self.step == 0:
                raise ValueError("range() arg 3 must not be zero")
            self.length = self._count(1 if self.step > 0 else -1)
        most = getattr(self.stop, "__dict__", {}).get("at_most")            # the length of a list
        if most is not None and type(self.start) is int and type(self.step) is int and self.step > 0:
            self.bound = len(range(self.start, most, self.step))

    def _count(self, sign: int) -> Any:
        span = (self.stop - self.start) * sign
        step = self.step * sign
        return (span + step - 1) // step

    def item(self, i: Any) -> Any:
        return self.start + i * self.step


class Enumerated(Staged):
    """`enumerate` of something staged."""

    def __init__(self, inner: Staged, start: Any = 0):
        self.inner, self.start = inner, start

    @property
    def length(self) -> Any:                                                    # type: ignore[override]
        return self.inner.length

    @property
    def bound(self) -> int | None:                                              # type: ignore[override]
        return self.inner.bound

    def item(self, i: Any) -> Any:
        return self.start + i, self.inner.item(i)


class Zipped(Staged):
    """`zip` of things of which one at least is staged."""

    def __init__(self, parts: tuple):
        self.parts = [p if isinstance(p, Staged) else Rows(p) for p in parts]
        self.length = self.parts[0].length
        for part in self.parts[1:]:
            shorter = part.length < self.length
            self.length = v_where(shorter, part.length, self.length)
        self.bound = min((p.bound for p in self.parts if p.bound is not None), default=None)

    def item(self, i: Any) -> Any:
        return tuple([p.item(i) for p in self.parts])


class Reversed(Staged):
    """`reversed` of something staged."""

    def __init__(self, inner: Staged):
        self.inner, self.length, self.bound = inner, inner.length, inner.bound

    def item(self, i: Any) -> Any:
        return self.inner.item(self.length - 1 - i)


class Rows(Staged):
    """A tensor's rows, or a list's items, by number."""

    def __init__(self, source: Any):
        if not isinstance(source, (Tensor, list, tuple, range)):
            raise ConversionError(f"zip() goes over a range that a tensor ends and a {type(source).__name__}, "
                                  f"whose items cannot be had by number.{at_user_line()}")
        self.source, self.length = source, len(source)
        self.bound = self.length

    def item(self, i: Any) -> Any:
        from kayax.bridge.to_static.operators.stores import item
        return item(self.source, i)


class Items(Staged):
    """The items of a list whose length a tensor decides: as they are at the time, like an iterator's of Python."""

    def __init__(self, items: list):
        self.items = items
        self.bound: int = capacity(items)

    @property
    def length(self) -> Any:                                                    # type: ignore[override]
        if capacity(self.items) > self.bound:
            raise ConversionError(f"A loop over a list whose length a tensor decides adds to it.{at_user_line()}\n"
                                  "Go over a copy of it: list(items).")
        return grown.length(self.items)

    def item(self, i: Any) -> Any:
        return grown.at(self.items, i)


def staged(iterable: Any) -> Any:
    """A list, or a tensor made of one, as something staged, if a tensor decides its length; anything else as it is."""
    iterable = iterable.listed() if isinstance(iterable, Stacked) else iterable
    return Items(iterable) if grown.is_grown(iterable) else iterable


def v_where(flag: Any, a: Any, b: Any) -> Any:
    """``a if flag else b`` for numbers, staged or not."""
    if not v.is_staged(flag):
        return a if flag else b
    chosen = numbers.as_int(flag)
    return chosen * a + (1 - chosen) * b


def check_own(iterator: Any) -> None:
    """Refuse an iterator from outside: it would move on when the program is made, and in no other call."""
    if hasattr(type(iterator), "__next__") and may_be_older(iterator):
        raise ConversionError(f"An iterator ({type(iterator).__name__}) that was made outside of the function moves on "
                              f"in it.{at_user_line()}\nPass its next item as an argument, or make it inside.")


def for_(iterable: Any, body: Callable, orelse: Callable | None, variables: Variables = NONE) -> Outcome:
    """A `for` statement."""
    iterable = v.use(iterable)
    if type(iterable) is Either:
        return apart_in(lambda x: for_(x, body, orelse, variables), [iterable], variables)
    iterable = staged(whole(iterable))
    check_own(iterable)
    if isinstance(iterable, Staged):
        return after_loop(_staged_for(iterable, body, variables), orelse, variables)
    outcome: Outcome = None
    for item in iterable:
        if isinstance(outcome, Mixed):
            outcome = after_round(then(outcome, lambda item=item: after_round(body(item)), variables))  # type: ignore[misc]
        else:
            outcome = after_round(body(item))
        if outcome is not None and not isinstance(outcome, Mixed):
            break
    return after_loop(outcome, orelse, variables)


def _staged_for(iterable: Staged, body: Callable, variables: Variables) -> Outcome:
    """A counter runs beside the loop's own variables."""
    counter: list[Any] = [0]

    def readers() -> list[Callable]:
        return [lambda: counter[0], *(lambda value=value: value for value in variables.get())]     # type: ignore[misc]

    def put(values: list[Any]) -> None:
        counter[0] = values[0]
        variables.put(values[1:])

    def step() -> Outcome:
        i = counter[0]
        outcome = body(iterable.item(i))
        counter[0] = i + 1
        return outcome

    own = Variables(("the counter", *variables.names), readers, put)
    going = counter[0] < iterable.length
    return staged_while(v.truth(going), lambda: counter[0] < iterable.length, step, own,
                        iterable.bound)
