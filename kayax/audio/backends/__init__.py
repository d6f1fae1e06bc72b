"""``paddle.audio.backends``: which library reads and writes files of sound."""
from __future__ import annotations

import importlib.util
from types import ModuleType

from kayax.audio.backends import soundfile_backend, wave_backend
from kayax.audio.backends.wave_backend import AudioInfo  # noqa: F401

__all__ = ["get_current_backend", "list_available_backends", "set_backend"]

_MODULES = {"wave_backend": wave_backend, "soundfile": soundfile_backend}
_chosen = "wave_backend"


def list_available_backends() -> list[str]:
    """The backends that can be chosen: "soundfile" if that package is installed, and "wave_backend"."""
    return [*(["soundfile"] if importlib.util.find_spec("soundfile") else []), "wave_backend"]


def get_current_backend() -> str:
    """The chosen backend; "wave_backend" at first."""
    return _chosen


def set_backend(backend_name: str) -> None:
    """Choose what `paddle.audio.load`, `info` and `save` use: "wave_backend" (WAV files alone) or "soundfile"."""
    global _chosen
    if backend_name not in list_available_backends():
        raise NotImplementedError(f"The audio backend {backend_name!r} is not available; {list_available_backends()} "
                                  "are. Others than WAV files need soundfile: pip install soundfile.")
    _chosen = backend_name


def current() -> ModuleType:
    """The module of the chosen backend."""
    return _MODULES[_chosen]
