"""How Paddle switches between its two kinds of programs; there is one kind here, which has no need of it."""
from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import kayax as _paddle
from kayax.bridge.symbols import Variable as Value
from kayax.bridge.to_static.static_function import Switch

OpResult = Value


class ProgramTranslator:
    """The switch of conversion, as one object for all: `enable` is `paddle.jit.enable_to_static`."""

    _instance: ProgramTranslator | None = None

    def __new__(cls) -> ProgramTranslator:
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

    @classmethod
    def get_instance(cls) -> ProgramTranslator:
        """The one there is."""
        return cls()

    @classmethod
    def reset(cls) -> None:
        """Switch conversion on."""
        cls().enable(True)

    def enable(self, enable_to_static: bool) -> None:
        """Whether functions are converted, or run eagerly."""
        _paddle.jit.enable_to_static(enable_to_static)

    @property
    def enable_to_static(self) -> bool:
        """Whether functions are converted."""
        return Switch.on


@contextlib.contextmanager
def _static_mode() -> Iterator[None]:
    """Static mode inside, where imperative mode comes back afterwards."""
    imperative = _paddle.in_dynamic_mode()
    _paddle.enable_static()
    try:
        yield
    finally:
        if imperative:
            _paddle.disable_static()


IrGuard = OldIrGuard = _static_mode
DygraphPirGuard = DygraphOldIrGuard = contextlib.nullcontext


def symbolic_translate(fn: Any, **_: Any) -> Any:
    """The function converted, with the fallback to eager where it cannot be."""
    return _paddle.jit.to_static(fn, full_graph=False)


@contextlib.contextmanager
def sot_mode_guard(value: bool) -> Iterator[None]:
    """Changes nothing: there is one way of conversion, which falls back where `full_graph` is False."""
    yield


__all__ = ["DygraphOldIrGuard", "DygraphPirGuard", "IrGuard", "OldIrGuard", "OpResult", "ProgramTranslator", "Value",
           "sot_mode_guard", "symbolic_translate"]
