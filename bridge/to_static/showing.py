"""What conversion shows of its work: rewritten code, and why programs are made."""
from __future__ import annotations

import os
import sys
from typing import Any


class _Level:
    """What was asked for: None if nothing was, then the environment says."""

    def __init__(self, variable: str):
        self.variable, self.to_stdout = variable, False
        self.value: int | None = None

    def set(self, name: str, level: Any, also_to_stdout: Any) -> None:
        if isinstance(level, bool) or not isinstance(level, int):
            raise TypeError(f"{name} takes a number, but got {level!r}.")
        if not isinstance(also_to_stdout, bool):
            raise AssertionError(f"also_to_stdout of {name} is True or False, but got {also_to_stdout!r}.")
        self.value, self.to_stdout = level, also_to_stdout

    @property
    def on(self) -> bool:
        given = os.environ.get(self.variable, "0") if self.value is None else self.value
        return str(given).lstrip("-").isdigit() and int(given) > 0

    def show(self, text: str) -> None:
        if self.on:
            print(text, file=sys.stderr)
            if self.to_stdout:
                print(text)


_verbosity, _code = _Level("TRANSLATOR_VERBOSITY"), _Level("TRANSLATOR_CODE_LEVEL")


def set_verbosity(level: int = 0, also_to_stdout: bool = False) -> None:
    """Say each time a program is made, and why, on the standard error: for levels above 0.

    also_to_stdout: on the standard output too. The environment variable ``TRANSLATOR_VERBOSITY`` says the same, where
    this is not called. `paddle.jit.explain` tells more of one function.
    """
    _verbosity.set("set_verbosity", level, also_to_stdout)


def set_code_level(level: int = 100, also_to_stdout: bool = False) -> None:
    """Print the rewritten code of each function that is converted, on the standard error: for levels above 0.

    Paddle's levels stand for its steps of rewriting; here the code is shown after the last. also_to_stdout: on the
    standard output too. The environment variable ``TRANSLATOR_CODE_LEVEL`` says the same, where this is not called.
    """
    _code.set("set_code_level", level, also_to_stdout)


def program_made(name: str, reason: str) -> None:
    """A program was made."""
    if _verbosity.on:
        _verbosity.show(f"{name}: a program is made {reason}")


def rewritten(function: Any) -> None:
    """A function was rewritten."""
    if _code.on:
        from kayax.bridge.to_static.convert import source
        _code.show(source(function))


__all__ = ["set_code_level", "set_verbosity"]
