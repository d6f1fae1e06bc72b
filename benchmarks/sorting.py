"""Sorting and selecting beside XLA's own sort (as jax.numpy calls it) and PaddlePaddle.

    python benchmarks/sorting.py

A million numbers, float32, on CPU; medians of 5 calls whose result is waited for. PaddlePaddle is there where
`KAYAX_PADDLE_PYTHON` names a Python that has it.
"""
from __future__ import annotations

import importlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

COUNT = 1_000_000
OPERATIONS: dict[str, tuple[Callable, Callable | None]] = {     # with paddle; with jax, jax.numpy and lax
    "sort": (lambda p, x: p.sort(x), lambda j, n, x: n.sort(x)),
    "argsort": (lambda p, x: p.argsort(x), lambda j, n, x: n.argsort(x)),
    "argsort of rows of 8": (lambda p, x: p.argsort(x.reshape([-1, 8]), 1),
                             lambda j, n, x: n.argsort(x.reshape(-1, 8))),
    "median": (lambda p, x: p.median(x), lambda j, n, x: n.median(x)),
    "kthvalue, the middle": (lambda p, x: p.kthvalue(x, COUNT // 2)[0], lambda j, n, x: n.sort(x)[COUNT // 2 - 1]),
    "topk, the largest 100": (lambda p, x: p.topk(x, 100)[0], lambda j, n, x: j.lax.top_k(x, 100)[0]),
    "topk, the smallest 100": (lambda p, x: p.topk(x, 100, largest=False)[0], lambda j, n, x: n.sort(x)[:100]),
    "topk, the larger half": (lambda p, x: p.topk(x, COUNT // 2)[0], lambda j, n, x: j.lax.top_k(x, COUNT // 2)[0]),
    "randperm": (lambda p, x: p.randperm(COUNT), lambda j, n, x: j.random.permutation(j.random.key(0), COUNT)),
}


def milliseconds(run: Callable[[], Any]) -> float:
    times = []
    for _ in range(6):
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    return statistics.median(times[1:]) * 1e3


def figures(package: str) -> dict[str, float]:
    """Milliseconds of each operation."""
    if package == "jax":
        import jax
        import jax.numpy as jnp
        x = jax.random.normal(jax.random.key(0), (COUNT,))
        programs = {name: jax.jit(lambda x, f=f: f(jax, jnp, x)) for name, (_, f) in OPERATIONS.items() if f}
        return {name: milliseconds(lambda f=f: jax.block_until_ready(f(x))) for name, f in programs.items()}
    paddle = importlib.import_module(package)
    paddle.seed(0)
    x = paddle.randn([COUNT])
    return {name: milliseconds(lambda f=f: f(paddle, x).numpy()) for name, (f, _) in OPERATIONS.items()}


def main() -> None:
    if len(sys.argv) > 1:
        print(json.dumps(figures(sys.argv[1])))
        return
    pythons = {"kayax": sys.executable, "jax": sys.executable}
    if "KAYAX_PADDLE_PYTHON" in os.environ:
        pythons["paddle"] = os.environ["KAYAX_PADDLE_PYTHON"]
    found = {}
    for package, python in pythons.items():
        done = subprocess.run([python, __file__, package], text=True, check=True, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL)
        found[package] = json.loads(done.stdout.splitlines()[-1])
    print(f"| a million numbers, float32 | {' | '.join(f'{p}, ms' for p in pythons)} |")
    print(f"| --- |{' ---: |' * len(pythons)}")
    for name in OPERATIONS:
        print(f"| {name} | {' | '.join(f'{found[p][name]:.1f}' for p in pythons)} |")


if __name__ == "__main__":
    main()
