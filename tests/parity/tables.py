"""Finds the tables of cases: every module `cases_*.py` beside this file."""

from __future__ import annotations

import importlib
from pathlib import Path

from harness import CASES, Case


def load_tables() -> dict[str, Case]:
    """All cases, by name."""
    for path in sorted(Path(__file__).parent.glob("cases_*.py")):
        importlib.import_module(path.stem)
    return CASES
