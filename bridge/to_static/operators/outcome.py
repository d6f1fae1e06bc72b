"""How control left a block: at its end (None), or by break, continue or return; and variables a block may change."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kayax.bridge.places import UNDEFINED

NORMAL, BROKEN, CONTINUED, RETURNED = range(4)


class Exit:
    """`break` or `continue`."""

    def __init__(self, code: int):
        self.code = code


BREAK, CONTINUE = Exit(BROKEN), Exit(CONTINUED)


class Return:
    """`return value`."""

    code = RETURNED

    def __init__(self, value: Any):
        self.value = value


class Mixed:
    """Control left in one of several ways (`codes`); which one, the tensor `code` says."""

    def __init__(self, code: Any, value: Any, codes: frozenset[int]):
        self.code, self.value, self.codes = code, value, codes


Outcome = None | Exit | Return | Mixed


def code_of(outcome: Any) -> Any:
    return NORMAL if outcome is None else outcome.code


def value_of(outcome: Any) -> Any:
    return getattr(outcome, "value", UNDEFINED)


def codes_of(outcome: Any) -> frozenset[int]:
    return outcome.codes if isinstance(outcome, Mixed) else frozenset({code_of(outcome)})


def outcome_of(code: Any, value: Any, codes: frozenset[int]) -> Outcome:
    """The outcome that has this code, a number or a tensor."""
    if len(codes) == 1:
        code = next(iter(codes))
    if not isinstance(code, int):
        return Mixed(code, value, codes)
    if code == RETURNED:
        return Return(value)
    return None if code == NORMAL else BREAK if code == BROKEN else CONTINUE


class Variables:
    """Variables of a function, to be read and written by an operator: an unbound one reads as UNDEFINED."""

    def __init__(self, names: Sequence[str], readers: Callable[[], list[Callable]], put: Callable[[list[Any]], None]):
        self.names, self._readers, self._put = names, readers, put

    def get(self) -> list[Any]:
        return [_read(r) for r in self._readers()]

    def put(self, values: Sequence[Any]) -> None:
        self._put(list(values))


def _read(reader: Callable) -> Any:
    try:
        return reader()
    except NameError:
        return UNDEFINED


NONE = Variables((), list, lambda values: None)
