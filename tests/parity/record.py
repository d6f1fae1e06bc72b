"""Record the reference values of the parity cases from real Paddle.

Run in an environment of its own that has paddlepaddle==3.3.1 and NumPy below 2.4 (extra `parity`):

    python tests/parity/record.py                 record everything
    python tests/parity/record.py loss conv       record these topics
    python tests/parity/record.py --check         run on Paddle again and compare: the table is stable
"""

from __future__ import annotations

import sys
import traceback
import warnings
from collections import defaultdict
from typing import Any

import paddle
import store
from compare import differences
from harness import Case, Record, run
from tables import load_tables


def main(arguments: list[str]) -> int:
    check = "--check" in arguments
    wanted = [argument for argument in arguments if not argument.startswith("-")]
    topics: dict[str, list[Case]] = defaultdict(list)
    for case in load_tables().values():
        topics[case.topic].append(case)
    failed = 0
    for topic in wanted or topics:
        records, errors = _run_topic(topics[topic])
        failed += errors
        failed += _check(topics[topic], records) if check else _save(topic, records)
    print(f"{failed} failed")
    return 1 if failed else 0


def _run_topic(cases: list[Case]) -> tuple[dict[str, tuple[int, Record]], int]:
    records: dict[str, tuple[int, Record]] = {}
    errors = 0
    for case in cases:
        try:
            records[case.name] = (store.inputs_digest(case), run(case.on_paddle(), paddle))
        except Exception:
            errors += 1
            print(f"{case.name}: {_last_lines(traceback.format_exc())}")
    return records, errors


def _last_lines(text: str) -> str:
    return " | ".join(line.strip() for line in text.strip().splitlines()[-2:])


def _save(topic: str, records: dict[str, Any]) -> int:
    print(f"{topic}: {len(records)} cases, {store.save(topic, records)} bytes")
    return 0


def _check(cases: list[Case], records: dict[str, tuple[int, Record]]) -> int:
    stored = store.load(cases[0].topic)
    bad = 0
    for case in cases:
        if case.name not in records:
            continue
        problems = (["not recorded"] if case.name not in stored else
                    differences(case, stored[case.name][1], records[case.name][1], static=False))
        if problems:
            bad += 1
            print(f"{case.name}: {problems}")
    print(f"{cases[0].topic}: {len(cases)} cases checked")
    return bad


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.exit(main(sys.argv[1:]))
