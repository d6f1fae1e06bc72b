"""The calls of `calls/*.txt` give what real Paddle 3.3.1 gave: values, dtypes, shapes, types, text, or an error.

The error is one that the same `except` catches. Where Paddle raises, a result is allowed too.
"""

from __future__ import annotations

import importlib
import warnings

import calls
import pytest
import store
from test_parity import MODULE

AREAS = [pytest.param(area, marks=[pytest.mark.slow] if area.endswith("_more") else []) for area in calls.areas()]


@pytest.mark.parametrize("area", AREAS)
def test_calls(area: str) -> None:
    module = importlib.import_module(MODULE)
    shared, lines = calls.read(calls.FOLDER / f"{area}.txt")
    recorded = store.load(f"calls_{area}")
    assert set(lines) == set(recorded), "record the new lines: tests/parity/record_calls.py"
    wrong = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for line in lines:
            wrong += [f"{line} >> {problem}" for problem in calls.problems(
                line, recorded[line][1], calls.outcome(module, shared, line))]
    assert not wrong, "\n".join(wrong)
