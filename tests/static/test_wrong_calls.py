"""Calls with arguments that do not fit are errors while a program is built, of the types of Paddle's own programs."""
from pathlib import Path

import pytest
from wrong_calls import outcome

import kayax as paddle
from kayax import static

RECORDED = [line.split("\t") for line in (Path(__file__).parent / "reference" / "wrong_calls.txt").read_text(
    encoding="utf-8").splitlines()]


@pytest.fixture(autouse=True)
def static_mode():
    paddle.enable_static()
    yield
    paddle.disable_static()


@pytest.mark.filterwarnings("ignore")
def test_errors_are_of_paddles_types():
    wrong = []
    for wanted, call in RECORDED:
        found = outcome(paddle, call)
        kinds = ["ok"] if found == "ok" else [kind.__name__ for kind in type(found).__mro__]
        if wanted not in kinds:
            wrong.append(f"{call}: {kinds[0]} in place of {wanted}: {found}")
    assert len(RECORDED) > 250 and not wrong, "\n".join(wrong)


def test_what_is_no_variable_is_said():
    with pytest.raises(TypeError, match="was given a numpy.ndarray for `x`.*static.data"):
        outcome_of("F.relu(arr)")
    with pytest.raises(TypeError, match=r"no variable of int64.*astype"):
        outcome_of("F.relu(xi)")
    with pytest.raises(TypeError, match="cannot end by Python values"):
        outcome_of("static.nn.while_loop(lambda i: True, lambda i: [i], [x])")
    x = static.data("open", [None, 3])
    assert (x / x.shape[0]).shape == [-1, 3] and (2 - x).shape == (x + 1.5).shape


def outcome_of(call):
    found = outcome(paddle, call)
    if found != "ok":
        raise found
