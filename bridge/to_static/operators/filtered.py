"""`filter`, whose function a tensor may answer for."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kayax.bridge.journal import born
from kayax.bridge.to_static.convert import adopt
from kayax.bridge.to_static.operators import grown, iterators


class Filtered:
    """The items that a function keeps, one after another as Python's own.

    A `for` statement goes over `items` and asks `keeps` in every round; what uses all items at once gets them in a
    list, and `next` the first. Only these can do with an answer that is a tensor.
    """

    def __init__(self, function: Callable | None, iterable: Any):
        self.function = function
        self.items: Any = iterable if grown.is_grown(iterable) else born(iter(iterable))
        iterators.note_sources(self.items, [iterable])

    def keeps(self, item: Any) -> Any:
        """What the function says of an item."""
        from kayax.bridge.to_static.operators.call import call
        return item if self.function is None else call(self.function, item)

    def used_up(self) -> Any:
        """The items in a list."""
        return self._run(_kept)

    def first(self, *default: Any) -> Any:
        """What `next` gives."""
        return self._run(_first, default)

    def _run(self, function: Any, *args: Any) -> Any:
        from kayax.bridge.to_static.operators.call import call
        adopt(function)
        return call(function, self.function or _itself, self.items, *args)

    def __iter__(self) -> Filtered:
        return self

    def __next__(self) -> Any:
        iterators.check(self.items)
        while True:
            item = next(self.items)
            if self.keeps(item):
                return item


Filtered.__name__ = "filter"            # in messages


def _kept(keeps: Callable, items: Any) -> list:
    return [item for item in items if keeps(item)]


def _first(keeps: Callable, items: Any, given: tuple) -> Any:
    for item in items:
        if keeps(item):
            return item
    return default(given)


def default(given: tuple) -> Any:
    """What ``next(iterator, *given)`` gives if there is no item."""
    if not given:
        raise StopIteration
    return given[0]


def _itself(item: Any) -> Any:
    return item
