"""Packages that only some exports need: found when used, with the way to install them."""
from __future__ import annotations

import importlib
from typing import Any


def need(package: str, extra: str) -> Any:
    """The package, or ImportError with the command that installs it."""
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise ImportError(f"This needs the package {package.partition('.')[0]}, which cannot be imported ({error}). "
                          f"Install it: pip install \"kayax[{extra}]\".") from error
