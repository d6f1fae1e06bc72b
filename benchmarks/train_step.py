"""Time of one training step, in every way, beside hand-written JAX, Flax NNX and PaddlePaddle.

    python benchmarks/train_step.py [--models LinearNet LSTM] [--rounds 7] [--plot figure.png] [--json figures.json]

Each way runs in a process of its own. The processes take turns, A B C A B C ..., so a change in the machine's speed
meets all of them; the medians over the turns are reported, and their ratios to hand-written `jax.jit` + optax.
PaddlePaddle is measured where `KAYAX_PADDLE_PYTHON` names a Python that has it.
"""
from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
MODELS = ("LinearNet", "MLP", "LeNet", "ResNet18", "Transformer", "LSTM")
LIMIT = "jax.jit + optax"
WAYS = {LIMIT: ("jax", ""), "kayax step": ("kayax", "step"), "kayax forward": ("kayax", "forward"),
        "kayax eager": ("kayax", "eager"), "nnx.jit": ("nnx", ""), "paddle to_static": ("paddle", "forward"),
        "paddle eager": ("paddle", "eager")}


class Worker:
    """A process that measures one model in one way, whenever it is asked."""

    def __init__(self, model: str, package: str, way: str):
        python = os.environ["KAYAX_PADDLE_PYTHON"] if package == "paddle" else sys.executable
        self.process = subprocess.Popen([python, str(HERE / "step_worker.py"), model, package, way], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.first = self._read()               # seconds until the first step was done, and until it was steady

    def _read(self) -> dict[str, float]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        assert self.process.stderr is not None
        raise RuntimeError(self.process.stderr.read()[-2000:])

    def measure(self, seconds: float) -> dict[str, float]:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()
        return self._read()

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def measure_model(model: str, ways: dict[str, tuple[str, str]], rounds: int, seconds: float) -> dict[str, Any]:
    """The figures of one model: for each way the median time of a step, peak memory and first-call time."""
    workers: dict[str, Worker] = {}
    figures: dict[str, Any] = {}
    for name, (package, way) in ways.items():
        try:
            workers[name] = Worker(model, package, way)
        except RuntimeError as error:
            print(f"{model}, {name}: {str(error).strip().splitlines()[-1]}", file=sys.stderr)
    times: dict[str, list[float]] = {name: [] for name in workers}
    for _ in range(rounds):
        for name, worker in workers.items():
            times[name].append(worker.measure(seconds)["step"])
    for name, worker in workers.items():
        last = worker.measure(0.0)
        pairs = [t / limit for t, limit in zip(times[name], times.get(LIMIT, times[name]), strict=True)]
        figures[name] = {"us": statistics.median(times[name]) * 1e6, "ratio": statistics.median(pairs),
                         "memory_mb": last["memory_mb"], "first_s": worker.first["first"]}
        worker.close()
    return figures


def report(results: dict[str, dict[str, Any]]) -> str:
    """The figures as Markdown tables."""
    lines = ["| model | way | microseconds a step | of hand-written JAX | first call, s | peak memory, MB |",
             "| --- | --- | ---: | ---: | ---: | ---: |"]
    for model, figures in results.items():
        for name, f in figures.items():
            lines.append(f"| {model} | {name} | {f['us']:,.0f} | {f['ratio']:.2f} | {f['first_s']:.1f} | "
                         f"{f['memory_mb']:,.0f} |")
    return "\n".join(lines)


def plot(results: dict[str, dict[str, Any]], path: str) -> None:
    """Bars of the ratios to hand-written JAX, on a logarithmic axis."""
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    names = [n for n in WAYS if n != LIMIT and any(n in f for f in results.values())]
    figure, axes = plt.subplots(figsize=(10, 4.5), layout="constrained")
    width = 0.8 / max(len(names), 1)
    for i, name in enumerate(names):
        heights = [f.get(name, {}).get("ratio", float("nan")) for f in results.values()]
        axes.bar([x + i * width for x in range(len(results))], heights, width, label=name)
    axes.axhline(1.0, color="black", linewidth=1)
    axes.set_yscale("log")
    axes.set_xticks([x + 0.4 - width / 2 for x in range(len(results))], list(results))
    axes.set_ylabel(f"time of a step, of {LIMIT}")
    axes.legend(ncols=3, fontsize=8)
    figure.savefig(path, dpi=130)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=MODELS)
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.7, help="of one turn")
    parser.add_argument("--plot")
    parser.add_argument("--json")
    options = parser.parse_args()
    paddle = os.environ.get("KAYAX_PADDLE_PYTHON")
    ways = {n: w for n, w in WAYS.items() if n in options.ways and (w[0] != "paddle" or paddle)}
    results = {}
    for model in options.models:
        results[model] = measure_model(model, ways, options.rounds, options.seconds)
        print(report({model: results[model]}).split("\n", 2)[2] if len(results) > 1 else report(results), flush=True)
    if options.json:
        Path(options.json).write_text(json.dumps(results, indent=1))
    if options.plot:
        plot(results, options.plot)


if __name__ == "__main__":
    main()
