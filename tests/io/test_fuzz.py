"""Damaged, lying and hostile files: refused with one class of error, or the model itself (fuzz_model_files.py)."""
import runpy
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("fuzz_model_files.py")


@pytest.mark.parametrize("count", [300, pytest.param(20_000, marks=pytest.mark.slow)])
def test_no_mutation_crashes_hangs_or_is_misread(count):
    results, _ = runpy.run_path(str(SCRIPT))["run"](count, seed=count)
    kinds = {kind for kind, _ in results}
    assert kinds == {"raw", "lie", "msgpack", "program", "stablehlo", "journal"} and sum(results.values()) == count
