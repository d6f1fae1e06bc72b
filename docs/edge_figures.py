"""Write the figures of the edge cases in compatibility.md: `python docs/edge_figures.py`, in an environment with Kayax.

Every recorded line of tests/parity (see `edges.py` there) is run and compared with what real Paddle gave. The lines
that depart for a reason are written to edge_departures.txt there: the tests refuse any other. Read its diff before a
commit.
"""

from __future__ import annotations

import datetime
import sys
import warnings
from collections import Counter, defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "docs"), str(ROOT / "tests" / "parity")]
DEPARTURES = ROOT / "tests" / "parity" / "edge_departures.txt"

KINDS = {
    "dtype": "other dtypes", "mixed dtypes": "one input of another dtype", "no elements": "no elements",
    "no dimensions": "no dimensions", "broadcast": "sizes of 1", "another rank": "a dimension more or less",
    "axis": "every axis, several, none, out of range", "flag": "flags the other way", "option": "every option",
    "number": "other numbers", "form of a list": "tuple, array, Tensor for a list", "as it is": "the call itself"}


def main() -> None:
    import conformance
    import edges
    import store
    from edge_differences import KNOWN, reason
    from edge_variants import all_lines

    import kayax
    warnings.simplefilter("ignore")
    kinds, recorded = all_lines(), store.load("edge_calls")
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    operators: dict[str, set[str]] = defaultdict(set)
    departing: list[str] = []
    for line, (_, want) in recorded.items():
        wrong = edges.problems(line, want, edges.outcome(kayax, line))
        counts[kinds[line]][verdict(want, wrong, reason(line, wrong))] += 1
        operators[kinds[line]].add(line.partition(" | ")[0])
        if wrong and not reason(line, wrong):
            print(line, wrong)
        elif wrong:
            departing.append(line)
    DEPARTURES.write_text("\n".join(departing) + "\n")
    rows = [f"| {KINDS[kind]} | {len(operators[kind])} | {sum(counts[kind].values())} | " + " | ".join(
        str(counts[kind][column]) for column in ("same", "raises", "different")) + " |" for kind in KINDS]
    total = sum(counts.values(), Counter())
    rows.append(f"| together | {len(set().union(*operators.values()))} | {sum(total.values())} | {total['same']} | "
                f"{total['raises']} | {total['different']} |")
    head = ["| edge | operators | calls | same result | Paddle raises | deliberate difference |",
            "| --- | ---: | ---: | ---: | ---: | ---: |"]
    reasons = ["", "The deliberate differences at edges:", "", *(f"- {why}" for why in dict.fromkeys(KNOWN.values()))]
    conformance.write("edges", head + rows + reasons, datetime.date.today().isoformat())


def verdict(want: dict, wrong: list[str], why: str) -> str:
    """How a line is counted; what Paddle refuses and this does not is a result all the same."""
    if wrong:
        return "different" if why else "wrong"
    return "raises" if "error" in want else "same"


if __name__ == "__main__":
    main()
