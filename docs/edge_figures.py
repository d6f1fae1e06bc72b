"""Write the figures of the edge cases in compatibility.md: `python docs/edge_figures.py`, in an environment with Kayax.

Every recorded line of tests/parity (see `edges.py` there) is run and compared with what real Paddle gave. The lines
that depart for a reason are written to edge_departures.txt there: the tests refuse any other. Read its diff before a
commit.
"""

from __future__ import annotations

import datetime
import multiprocessing
import os
import sys
import warnings
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "docs"), str(ROOT / "tests" / "parity")]
SHARDS = 20
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")       # compiling is most of the time
DEPARTURES = ROOT / "tests" / "parity" / "edge_departures.txt"

KINDS = {
    "dtype": "other dtypes", "mixed dtypes": "one input of another dtype", "no elements": "no elements",
    "no dimensions": "no dimensions", "broadcast": "sizes of 1", "another rank": "a dimension more or less",
    "axis": "every axis, several, none, out of range", "flag": "flags the other way", "option": "every option",
    "number": "other numbers", "form of a list": "tuple, array, Tensor for a list", "as it is": "the call itself"}


def main() -> None:
    import conformance
    from edge_differences import KNOWN

    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        found = [row for rows in pool.map(departures, range(SHARDS), [SHARDS] * SHARDS) for row in rows]
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    subjects: dict[str, set[str]] = defaultdict(set)
    departing: list[str] = []
    for line, kind, subject, want_raises, wrong, why in found:
        outcome = ("different" if why else "wrong") if wrong else "raises" if want_raises else "same"
        counts[kind][outcome] += 1
        subjects[kind].add(subject)
        if wrong and not why:
            print(line, wrong)
        elif wrong:
            departing.append(line)
    DEPARTURES.write_text("\n".join(sorted(departing)) + "\n")
    rows = [f"| {KINDS[kind]} | {len(subjects[kind])} | {sum(counts[kind].values())} | " + " | ".join(
        str(counts[kind][column]) for column in ("same", "raises", "different")) + " |" for kind in KINDS]
    total = sum(counts.values(), Counter())
    rows.append(f"| together | {len(set().union(*subjects.values()))} | {sum(total.values())} | {total['same']} | "
                f"{total['raises']} | {total['different']} |")
    head = ["| edge | operators, classes | calls | same result | Paddle raises | deliberate difference |",
            "| --- | ---: | ---: | ---: | ---: | ---: |"]
    reasons = ["", "The deliberate differences at edges:", "", *(f"- {why}" for why in dict.fromkeys(KNOWN.values()))]
    conformance.write("edges", head + rows + reasons, datetime.date.today().isoformat())


def departures(shard: int, shards: int) -> list[tuple]:
    """Of every so many lines one: its kind, operator or class, whether Paddle raises, how it departs, and why."""
    import edges
    import jax
    import store
    from edge_differences import reason
    from edge_variants import all_lines

    import kayax
    warnings.simplefilter("ignore")
    kinds, found = all_lines(), []
    for line, (_, want) in list(store.load("edge_calls").items())[shard::shards]:
        wrong = edges.problems(line, want, edges.outcome(kayax, line))
        found.append((line, kinds[line], edges.parse(line).subject, "error" in want, wrong, reason(line, wrong)))
    jax.clear_caches()
    return found


if __name__ == "__main__":
    main()
