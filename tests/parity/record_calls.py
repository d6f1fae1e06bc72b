"""Record what real Paddle 3.3.1 gives for the lines of `calls/*.txt` (in the environment of `record.py`).

Without names of areas, all of them. What is recorded already is kept, unless --all is given or what the lines of a file
share has changed. A line that does not give the same in two processes, or at which one dies or hangs, is named and not
recorded.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any

import calls
import store

PATIENCE = 30       # seconds for one line


def main() -> None:
    for area in [word for word in sys.argv[1:] if word != "--all"] or calls.areas():
        shared, lines = calls.read(calls.FOLDER / f"{area}.txt")
        digest = zlib.crc32(shared.encode())
        known = {} if "--all" in sys.argv else {line: kept for line, kept in store.load(f"calls_{area}").items()
                                                if line in lines and kept[0] == digest}
        new = [line for line in lines if line not in known]
        with ThreadPoolExecutor(2) as pool:
            first, second = pool.map(lambda _: _run(shared, new), range(2))
        for line in new:
            one, two = first.get(line), second.get(line)
            if one is None or two is None or one.keys() != two.keys() or calls.problems(line, one, two):
                print("crashes, or differs from run to run:", line)
            else:
                known[line] = (digest, one)
        print(f"{area}: {len(known)} of {len(lines)} lines, {store.save(f'calls_{area}', known)} bytes", flush=True)


def _run(shared: str, lines: list[str]) -> dict[str, Any]:
    """The outcomes of the lines, without those at which the process died or hung."""
    found: dict[str, Any] = {}
    context = multiprocessing.get_context("spawn")
    rest = list(lines)
    while rest:
        here, there = context.Pipe()
        process = context.Process(target=_serve, args=(there, shared, rest), daemon=True)
        process.start()
        there.close()
        try:
            while rest and here.poll(PATIENCE):
                found[rest[0]] = here.recv()
                rest.pop(0)
        except EOFError:
            pass
        process.kill()
        rest.pop(0) if rest else None
    return found


def _serve(pipe: Connection, shared: str, lines: list[str]) -> None:
    warnings.simplefilter("ignore")
    for stream in (1, 2):           # what Paddle prints, and says when it crashes
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    import paddle

    for line in lines:
        pipe.send(calls.outcome(paddle, shared, line))


if __name__ == "__main__":
    main()
