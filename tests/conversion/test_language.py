"""Every case of the table of the language: what is converted does what the eager run does, or says why not."""
import importlib.util
import re
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


def test_the_document_names_cases_that_exist():
    text = (Path(__file__).parents[2] / "docs" / "conversion.md").read_text(encoding="utf-8")
    topics = {case.topic for case in CASES.values()}
    named = {name for name in re.findall(r"`(\w+/\w+)`", text) if name.partition("/")[0] in topics}
    assert len(named) > 50
    assert not named - CASES.keys(), "the document names cases that are not there"
