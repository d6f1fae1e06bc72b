"""Lists and dicts that a function is given and changes: a program returns their new contents, the call puts them in."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kayax.bridge.errors import ConversionError
from kayax.bridge.series import Series
from kayax.spec import tree


def containers(value: Any) -> Iterator[Any]:
    """The lists and dicts in nested arguments, in a fixed order."""
    if isinstance(value, (list, dict)):
        yield value
    found = tree.parts(value)
    for part in found[2] if found is not None else ():
        yield from containers(part)


class Contents:
    """What the lists and dicts among a function's arguments hold before it runs, to tell which of them it changes."""

    def __init__(self, given: Any):
        self.places = list(containers(given))
        self.before = [_copied(place) for place in self.places]

    def changed(self) -> dict[int, Any]:
        """The new contents of those that were changed, by their number."""
        found = {i: _copied(place) for i, place in enumerate(self.places) if not _alike(place, self.before[i])}
        items = [item for contents in found.values() for item in _items(contents) if type(item) is not Series]
        if any(True for item in items for _ in containers(item)):
            raise ConversionError("The function changes a list or dict that is given as an argument and holds others, "
                                  "which a program cannot put together again.\nReturn the new values.")
        return found


def put_back(given: Any, changed: dict[int, Any]) -> None:
    """Give the caller's lists and dicts their new contents."""
    places = list(containers(given))
    for i, contents in changed.items():
        place = places[i]
        place.clear()
        if isinstance(place, dict):
            place.update(contents)
        else:
            place.extend(contents)


def _copied(place: Any) -> Any:
    return dict(place) if isinstance(place, dict) else list(place)


def _items(contents: Any) -> Sequence[Any]:
    return list(contents.values()) if isinstance(contents, dict) else contents


def _alike(place: Any, before: Any) -> bool:
    if isinstance(place, dict) and list(place) != list(before):
        return False
    now, then = _items(place), _items(before)
    return len(now) == len(then) and all(a is b for a, b in zip(now, then, strict=True))
