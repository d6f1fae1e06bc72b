"""`for`, and what it may go over: Python's iterables one by one, ranges that staged tensors end as a staged loop."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from kayax.bridge.either import Either
from kayax.bridge.errors import ConversionError, at_user_line
from kayax.bridge.journal import attempt
from kayax.bridge.series import capacity
from kayax.bridge.state import root_trace, state
from kayax.bridge.tensor import Tensor
from kayax.bridge.to_static.operators import grown, iterators, numbers
from kayax.bridge.to_static.operators import values as v
from kayax.bridge.to_static.operators.branch import apart_in, if_, then
from kayax.bridge.to_static.operators.dicts import whole
from kayax.bridge.to_static.operators.filtered import Filtered
from kayax.bridge.to_static.operators.loop import UNROLLED, after_loop, after_round, staged_while
from kayax.bridge.to_static.operators.outcome import NONE, Mixed, Outcome, Variables
from kayax.bridge.to_static.operators.stacked import Stacked
from kayax.bridge.watching import watch_objects

_LONG = 32              # rounds from which a loop whose rounds have staged branches is one loop of the program


class Staged:
    """Something to go over whose length is a tensor: ``item(i)`` for i below `length`."""

    length: Any
    bound: int | None = None            # what the length is at most, if that is certain

    def item(self, i: Any) -> Any:
        raise NotImplementedError

    def plain(self) -> Any:
        """The same for Python to go over, if the tensors are settled while the program is made; or None."""
        return None

    def __iter__(self) -> Iterator[Any]:
        plain = self.plain()
        if plain is None:
            raise ConversionError(
                f"Only a `for` statement can go over something whose length a tensor decides.{at_user_line()}")
        return iter(plain)

    def __len__(self) -> int:
        plain = self.plain()
        if plain is None:
            raise ConversionError(f"The length is known only when the program runs.{at_user_line()}")
        return len(plain)


class Range(Staged):
    """`range` of tensors."""

    def __init__(self, *args: Any):
        self.args = args
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

    def plain(self) -> Any:
        args = [v.settled_key(x) for x in self.args]
        return None if any(map(v.is_staged, args)) else range(*args)


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

    def plain(self) -> Any:
        inner, start = self.inner.plain(), v.settled_key(self.start)
        return None if inner is None or v.is_staged(start) else list(enumerate(inner, start))


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

    def plain(self) -> Any:
        parts = [p.plain() for p in self.parts]
        return None if any(p is None for p in parts) else list(zip(*parts, strict=False))


class Reversed(Staged):
    """`reversed` of something staged."""

    def __init__(self, inner: Staged):
        self.inner, self.length, self.bound = inner, inner.length, inner.bound

    def item(self, i: Any) -> Any:
        return self.inner.item(self.length - 1 - i)

    def plain(self) -> Any:
        inner = self.inner.plain()
        return None if inner is None else list(inner)[::-1]


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

    def plain(self) -> Any:
        return self.source


class Counting:
    """`enumerate`, an iterator of which one can see what it goes over."""

    def __init__(self, source: Any, start: Any):
        self.source, self.start = source, start
        self.started = False
        self._items = enumerate(source, start)

    def __iter__(self) -> Counting:
        return self

    def __next__(self) -> tuple:
        self.started = True
        return next(self._items)


Counting.__name__ = "enumerate"         # in messages


class Rest(Staged):
    """What is left of a tensor's rows, a range, or either with numbers, from number `first` on."""

    def __init__(self, source: Any, first: int):
        self.source, self.first = source, first
        self.length = self.bound = _known_length(source) - first

    def item(self, i: Any) -> Any:
        return _item(self.source, self.first + i)


def _item(source: Any, i: Any) -> Any:
    from kayax.bridge.to_static.operators.stores import item
    if isinstance(source, Counting):
        return source.start + i, _item(source.source, i)
    return source.start + i * source.step if isinstance(source, range) else item(source, i)


def _known_length(source: Any) -> int:
    """How many rounds a loop over this has, of those that can be had by number; 0 for anything else."""
    if isinstance(source, Counting):
        return _known_length(source.source)
    if isinstance(source, Tensor):
        n = source.storage.array.shape[0] if source.ndim else 0
        return n if type(n) is int else 0               # of any size while a program is saved
    return len(source) if type(source) is range else 0


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


def for_(iterable: Any, body: Callable, orelse: Callable | None, variables: Variables = NONE) -> Outcome:
    """A `for` statement."""
    iterable = v.use(iterable)
    if type(iterable) is Either:
        return apart_in(lambda x: for_(x, body, orelse, variables), [iterable], variables)
    iterable = staged(whole(iterable))
    iterators.check(iterable)
    if type(iterable) is Filtered:
        return for_(iterable.items, lambda x: if_(iterable.keeps(x), lambda: body(x), None, variables), orelse,
                    variables)
    watch_objects(iterable, doing="iterate")
    run = _known_for if isinstance(iterable, Staged) else _python_for
    return after_loop(run(iterable, body, variables), orelse, variables)


def _python_for(iterable: Any, body: Callable, variables: Variables) -> Outcome:
    """One round after another."""
    outcome: Outcome = None
    n, decided = _rollable(iterable), 0
    for i, item in enumerate(iterable):
        if i and n - i >= _LONG and root_trace().decided > decided:
            rest = Rest(iterable, i)
            iterators.leave(iterable)
            outcome = then(outcome, lambda rest=rest: _rolled(rest, body, variables), variables)    # type: ignore[misc]
            break
        decided = root_trace().decided if n else 0
        if isinstance(outcome, Mixed):
            outcome = after_round(then(outcome, lambda item=item: after_round(body(item)), variables))  # type: ignore[misc]
        else:
            outcome = after_round(body(item))
        if outcome is not None and not isinstance(outcome, Mixed):
            break
    if isinstance(outcome, Mixed):
        iterators.leave(iterable)
    return outcome


def _known_for(iterable: Staged, body: Callable, variables: Variables) -> Outcome:
    """One operation; if no program can hold it, and it is known how many rounds there are, one round after another."""
    try:
        return attempt(lambda: _staged_for(iterable, body, variables))
    except ConversionError:
        plain = iterable.plain()
        if plain is None or len(plain) > UNROLLED:
            raise
    return _python_for(plain, body, variables)


def _rollable(iterable: Any) -> int:
    """How many rounds there are over this, if Python would run them but they may become one loop of the program."""
    if state.trace is None or state.trace.root.rolls is None or getattr(iterable, "started", False):
        return 0
    return _known_length(iterable)


def _rolled(rest: Rest, body: Callable, variables: Variables) -> Outcome:
    """The rest of a loop that Python could run round by round, as one loop: a branch in every round is slow to make."""
    root_trace().rolls.used = True              # type: ignore[union-attr]
    try:
        return _staged_for(rest, body, variables)
    except ConversionError:
        raise
    except Exception as error:                  # Python's rounds, which are tried next, may not raise it
        raise ConversionError(f"A loop cannot be one loop of the program: {error}") from error


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
    going = v.truth(going) if v.is_staged(going) else True          # `Rest` has a round
    return staged_while(going, lambda: counter[0] < iterable.length, step, own, iterable.bound)
