"""Every case of the table, eager and converted, against what real Paddle 3.3.1 gave.

`KAYAX_PARITY_MODULE=paddle` runs the table on Paddle itself, which shows that the table is right and stable.
"""

from __future__ import annotations

import functools
import importlib
import os
from dataclasses import replace

import pytest
import store
from compare import AMP_TOLERANCE, differences, renamed
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
    case = case.on_paddle() if MODULE == "paddle" else case
    got = run(case, importlib.import_module(MODULE), static)
    problems = differences(case, want, got, static)
    assert not problems, "\n".join([case.name, *problems])


AMP_LAYERS = ("nn.Conv2D", "nn.Conv2DTranspose", "nn.MultiHeadAttention")
AMP_NAMES = ("matmul", "bmm", "nn.functional.linear", "nn.functional.cross_entropy/soft", "nn.Linear", "nn.LSTM",
             "incubate.nn.functional.fused_linear")
# Its weights, changed by bfloat16's rounding alone, change float32 gradients by more than they are themselves.
ILL_CONDITIONED = {"nn.TransformerDecoder"}

AMP = [n for n in STATIC if (n.startswith(AMP_LAYERS) or n in AMP_NAMES) and "float64" not in n]


@pytest.mark.parametrize("static", [False, True], ids=["eager", "converted"])
@pytest.mark.parametrize("name", AMP)
def test_auto_cast(name: str, static: bool) -> None:
    """Under auto_cast O1 values stay near float32's, and gradients of float32 inputs are float32."""
    case, module = CASES[name], importlib.import_module(MODULE)
    _, want = stored(case.topic)[name]
    with module.amp.auto_cast(level="O1", dtype="bfloat16"):
        got = run(case, module, static)
    problems = differences(replace(case, **AMP_TOLERANCE), want, renamed(got, want), static)
    assert not problems, "\n".join([name, *problems])


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in STATIC if n not in ILL_CONDITIONED and n not in AMP])
def test_auto_cast_of_all(name: str) -> None:
    """As above, of every case: what computes in 32 bits under auto_cast is as ever."""
    test_auto_cast(name, False)
    test_auto_cast(name, True)


@pytest.mark.parametrize("name", CASES)
def test_eager(name: str) -> None:
    check(CASES[name], static=False)


@pytest.mark.parametrize("name", STATIC)
def test_converted(name: str) -> None:
    check(CASES[name], static=True)
