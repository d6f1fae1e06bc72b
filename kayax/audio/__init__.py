"""``paddle.audio``: features, the functions behind them, files of sound, and datasets from local files."""
from typing import Any

from kayax.audio import backends, datasets, features, functional

__all__ = ["functional", "features", "datasets", "backends", "load", "info", "save"]


def __getattr__(name: str) -> Any:
    if name in ("load", "info", "save"):                            # of the backend that is chosen now
        return getattr(backends.current(), name)
    raise AttributeError(f"module 'kayax.audio' has no attribute {name!r}")
