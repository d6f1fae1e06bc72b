"""Record what real Paddle 3.3.1 gives for every line of `edge_variants.py` (in the environment of `record.py`).

What is recorded already is kept, unless --all is given. Paddle crashes on some lines, and reads memory that nobody
wrote on others: each line runs in a process that may die, and twice, with other memory around it. A line that does not
give the same both times is not recorded.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any

import edges
import store
from edge_variants import all_lines

PATIENCE = 60       # seconds for one line


def main() -> None:
    lines = list(all_lines())
    known = {} if "--all" in sys.argv else {k: v for k, v in store.load("edge_calls").items() if k in lines}
    lines = [line for line in lines if line not in known]
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(_run, (lines, lines[::-1]))
    kept = {line: (store.inputs_digest(edges.case(line)), record) for line, record in first.items()
            if line in second and not edges.problems(line, record, second[line])}
    print(f"{len(lines)} lines: {len(lines) - len(first)} crash, {len(first) - len(kept)} differ from run to run; "
          f"{store.save('edge_calls', known | kept)} bytes")


def _run(lines: list[str]) -> dict[str, Any]:
    """The records of the lines, without those at which the process died or hung."""
    found: dict[str, Any] = {}
    context = multiprocessing.get_context("spawn")
    rest = list(lines)
    while rest:
        here, there = context.Pipe()
        process = context.Process(target=_serve, args=(there, rest), daemon=True)
        process.start()
        there.close()
        try:
            while rest and here.poll(PATIENCE if len(rest) < len(lines) else 10 * PATIENCE):
                found[rest[0]] = here.recv()
                rest.pop(0)
        except EOFError:
            pass
        if rest:
            print("Paddle crashes or hangs:", rest.pop(0), flush=True)
        process.kill()
    return found


def _serve(pipe: Connection, lines: list[str]) -> None:
    warnings.simplefilter("ignore")
    for stream in (1, 2):           # what Paddle says when it crashes
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    import paddle

    for line in lines:
        pipe.send(edges.outcome(paddle, line))


if __name__ == "__main__":
    main()
