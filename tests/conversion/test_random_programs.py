"""Random programs: a converted one may fall back or raise a ConversionError, but never differs from the eager run.

`make test` runs a few, always the same. `make fuzz ARGS="--programs 5000 --minutes 60 --seed 7"` runs new ones and
counts: it is this file run as a script.
"""
from __future__ import annotations

import argparse
import collections
import time
import warnings

import jax
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from programs import Program, programs

from kayax.bridge.errors import ConversionError
from kayax.bridge.to_static.check import Mismatch
from kayax.jit import check, to_static

OPTIONS = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}
FULL, FELL_BACK, RAISED = "converted as a whole", "fell back to eager", "raised a ConversionError"
OVERWRITTEN = "has a value that the eager gradient has not"
_OVERWRITTEN = "was changed in place after it was used, and its old value is needed for the gradient"


def outcome(program: Program) -> tuple[str, str]:
    """What became of a program, and why. Raises `Mismatch` if it does something else than the eager run."""
    function = to_static(program.build())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            reports = [check(function, *program.arguments(call), calls=1) for call in program.calls]
    except ConversionError as error:
        return RAISED, str(error).split("\n")[0]
    except Mismatch as error:
        if _OVERWRITTEN in str(error) and "the converted run returns" in str(error):
            return OVERWRITTEN, ""              # the one error that a program need not raise
        raise
    if any(r.fell_back for r in reports):
        return FELL_BACK, next((w.split("\n")[1] for r in reports for w in r.warnings), "")
    return FULL, ""


@pytest.mark.parametrize("number", range(3))
def test_agrees_with_the_eager_run(number):
    found: collections.Counter = collections.Counter()

    @seed(number)
    @settings(max_examples=6, phases=[Phase.generate], **OPTIONS)
    @given(programs())
    def run(program: Program) -> None:
        found[outcome(program)[0]] += 1

    run()
    assert found[FULL] > found[FELL_BACK] + found[RAISED], found


def fuzz(count: int, minutes: float, number: int) -> None:
    """Try `count` new programs, or as many as go into the time; stop at a disagreement and show its smallest form."""
    found: collections.Counter = collections.Counter()
    reasons: collections.Counter = collections.Counter()

    def run(program: Program) -> None:
        kind, why = outcome(program)
        found[kind] += 1
        reasons[why] += bool(why)

    end = time.monotonic() + 60 * minutes
    while found.total() < count and time.monotonic() < end:
        size = min(_BATCH, count - found.total())
        options = settings(max_examples=size, phases=[Phase.generate, Phase.shrink], **OPTIONS)
        seed(number)(options(given(programs())(run)))()
        jax.clear_caches()
        print(f"seed {number}: {found.total()} programs, {dict(found)}", flush=True)
        number += 1
    print(f"{found.total()} programs, none disagrees with its eager run.")
    for why, n in reasons.most_common(10):
        print(f"{n:6} {why}")


_BATCH = 50             # programs between two cleanings of JAX's caches


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Check random programs, converted against eager.")
    parser.add_argument("--programs", type=int, default=5000)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    fuzz(arguments.programs, arguments.minutes, arguments.seed)
