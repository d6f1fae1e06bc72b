"""nn.functional as the layers see it: every function of the functional topics, from whichever file it is in."""
from __future__ import annotations

from typing import Any

from kayax.bridge.ops.public import FUNCTIONAL_NAMES as _NAMES

globals().update(_NAMES)


def __getattr__(name: str) -> Any:
    raise AttributeError(f"nn.functional has no {name!r}.")
