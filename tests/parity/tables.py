"""Finds the tables of cases: every module `cases_*.py` beside this file."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path

from harness import CASES, Case


@functools.cache
def load_tables() -> dict[str, Case]:
    """All cases, by name."""
    for path in sorted(Path(__file__).parent.glob("cases_*.py")):       # by path: other tests have tables of that name
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None and spec.loader is not None
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
    return CASES
