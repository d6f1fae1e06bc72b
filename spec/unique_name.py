"""Names that have not been given before: ``linear_0``, ``linear_1``, ``linear_0.w_0``."""
from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterator
from typing import Any


class Generator:
    """Counts how often each key was asked for."""

    def __init__(self, prefix: str = ""):
        self.prefix = prefix
        self.counts: defaultdict[str, int] = defaultdict(int)

    def __call__(self, key: str) -> str:
        n = self.counts[key]
        self.counts[key] = n + 1
        return f"{self.prefix}{key}_{n}"


_generator = Generator()


def generate(key: str) -> str:
    """``key_0`` the first time, then ``key_1``, and so on."""
    return _generator(key)


def switch(new_generator: Generator | None = None, new_para_name_checker: Any = None) -> tuple[Generator, Any]:
    """Use another generator from now on, and give the one used before, with the checker of parameter names.

    new_para_name_checker: what an earlier `switch` gave; nothing is checked here.
    """
    global _generator
    old, _generator = _generator, new_generator if new_generator is not None else Generator()
    return old, new_para_name_checker


@contextlib.contextmanager
def guard(new_generator: Generator | str | None = None) -> Iterator[None]:
    """Use another generator (or a prefix for all names) inside a `with` block."""
    old = switch(Generator(new_generator) if isinstance(new_generator, str) else new_generator)
    try:
        yield
    finally:
        switch(*old)
