"""``paddle.nn.attention``: which kernel attention runs on, which XLA decides here."""
from __future__ import annotations

import contextlib
from collections.abc import Iterator
from enum import IntEnum
from typing import Any


class SDPBackend(IntEnum):
    """The kernels of Paddle."""

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2


@contextlib.contextmanager
def sdpa_kernel(backends: Any, set_priority: bool = False) -> Iterator[dict]:
    """Accepted for scripts that choose kernels: inside, attention is what it is outside, since XLA chooses."""
    chosen = [backends] if isinstance(backends, SDPBackend) else backends
    if not isinstance(chosen, list):
        raise AssertionError(f"backends must be a SDPBackend or a list of them, but got {type(backends).__name__}.")
    if not all(isinstance(b, SDPBackend) for b in chosen):
        raise TypeError(f"backends must be SDPBackends, but got {chosen!r}.")
    if not chosen:
        raise ValueError("At least one backend is needed.")
    yield {}


__all__ = ["SDPBackend", "sdpa_kernel"]
