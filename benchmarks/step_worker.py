"""Measures one model in one way: reads numbers of seconds, writes the mean time of a step as JSON."""
from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))


def make(model: str, package: str, way: str) -> tuple[Any, Any]:
    """One step as a function of nothing, and a function of its result that waits for all that the step writes."""
    if package in ("jax", "nnx"):
        import jax
        return importlib.import_module(f"models_{package}").make_step(model), jax.block_until_ready
    import models_paddle
    return models_paddle.make_step(model, way, importlib.import_module(package))


def main() -> None:
    start = time.perf_counter()
    step, wait = make(*sys.argv[1:4])
    made = time.perf_counter()
    wait(step())
    first = time.perf_counter() - made
    for _ in range(2):
        wait(step())
    begin = time.perf_counter()
    wait(step())
    # Steps are dispatched ahead, but never for more than a twentieth of a second.
    ahead = max(1, min(20, int(0.05 / (time.perf_counter() - begin))))
    print(json.dumps({"first": first, "make": made - start}), flush=True)
    for line in sys.stdin:
        seconds, count, begin = float(line), 0, time.perf_counter()
        while seconds and (count == 0 or time.perf_counter() - begin < seconds):
            loss = step()
            count += 1
            if count % ahead == 0:
                wait(loss)
        if seconds:
            wait(loss)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"step": (time.perf_counter() - begin) / max(count, 1), "memory_mb": memory}), flush=True)


if __name__ == "__main__":
    main()
