"""The cases of the table as programs of static mode, against what real Paddle 3.3.1 gave eagerly."""

from __future__ import annotations

import functools
from itertools import groupby

import pytest
import static_programs
import store
from compare import differences
from tables import load_tables

import kayax as paddle

CASES = {name: case for name, case in load_tables().items() if case.static is True and case.kind != "program"}
# Two of each topic, and those that need more than shapes while a program is built.
FEW = [name for _, group in groupby(CASES, lambda name: CASES[name].topic) for name in list(group)[::7][:2]]
FEW += ["where", "unbind", "setitem/0", "Tensor.reshape_", "nn.utils.spectral_norm", "nn.MultiHeadAttention/float-mask"]

stored = functools.cache(store.load)


def check(name: str, dims: str) -> None:
    case = CASES[name]
    _, want = stored(case.topic)[name]
    problems = differences(case, want, static_programs.run(case, paddle, want, dims), static=True)
    assert not problems, "\n".join([name, *problems])


pytestmark = pytest.mark.filterwarnings("ignore:A program runs operation by operation")


@pytest.mark.parametrize("name", dict.fromkeys(FEW))
def test_in_a_program(name: str) -> None:
    check(name, "closed")


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_all_in_programs(name: str) -> None:
    check(name, "closed")
