"""Every case of the table, eager and converted, against what real Paddle 3.3.1 gave.

`KAYAX_PARITY_MODULE=paddle` runs the table on Paddle itself, which shows that the table is right and stable.
"""

from __future__ import annotations

import functools
import importlib
import os

import pytest
import store
from compare import differences
from harness import Case, run
from tables import load_tables

CASES = load_tables()
MODULE = os.environ.get("KAYAX_PARITY_MODULE", "kayax")
STATIC = [name for name, case in CASES.items() if case.static is True] if MODULE == "kayax" else []

stored = functools.cache(store.load)


def check(case: Case, static: bool) -> None:
    reference = stored(case.topic).get(case.name)
    assert reference is not None, f"{case.name} was never recorded: run tests/parity/record.py {case.topic}"
    digest, want = reference
    assert digest == store.inputs_digest(case), f"the inputs of {case.name} changed: run record.py {case.topic}"
    got = run(case, importlib.import_module(MODULE), static)
    problems = differences(case, want, got, static)
    assert not problems, "\n".join([case.name, *problems])


@pytest.mark.parametrize("name", CASES)
def test_eager(name: str) -> None:
    check(CASES[name], static=False)


@pytest.mark.parametrize("name", STATIC)
def test_converted(name: str) -> None:
    check(CASES[name], static=True)
