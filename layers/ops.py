"""The operations of ``paddle`` itself as the layers see them, from whichever topic they are in."""
from __future__ import annotations

from typing import Any

from kayax.bridge.ops.public import TOP_LEVEL as _NAMES

globals().update(_NAMES)


def __getattr__(name: str) -> Any:
    raise AttributeError(f"paddle has no operation {name!r}.")
