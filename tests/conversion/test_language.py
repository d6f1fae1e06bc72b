"""Every case of the table of the language: what is converted does what the eager run does, or says why not."""
import importlib.util
from pathlib import Path

import pytest
from language import CASES, run, run_eagerly


def load():
    for path in sorted(Path(__file__).parent.glob("cases_*.py")):
        spec = importlib.util.spec_from_file_location(f"conversion_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)


load()


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * case.slow)
                                  for name, case in CASES.items()])
def test_converted(name):
    run(CASES[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_eager(name):
    run_eagerly(CASES[name])
