"""What the text datasets share."""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any


def need_one_of(value: str, known: tuple[str, ...], name: str) -> None:
    """Refuse a value that is not one of those known."""
    if value not in known:
        raise AssertionError(f"{name} must be one of {', '.join(known)}, but got {value!r}.")


def numbered(words: Iterable[Any]) -> dict[Any, int]:
    """Each word's number, in the given order."""
    return {word: i for i, word in enumerate(words)}


def by_frequency(counts: Counter, cutoff: int) -> dict[Any, int]:
    """The words that occur more than `cutoff` times, from the most frequent (then by alphabet), and "<unk>" last."""
    def order(word: Any) -> tuple[int, bytes]:
        return -counts[word], word.encode() if isinstance(word, str) else word

    kept = sorted((word for word, count in counts.items() if count > cutoff), key=order)
    return numbered([*kept, "<unk>"])


def reversed_dict(words: dict[str, int]) -> dict[int, str]:
    """From numbers to words."""
    return {number: word for word, number in words.items()}
