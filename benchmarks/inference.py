"""Latency of predicting with a saved model, beside Paddle Inference and onnxruntime.

    python benchmarks/inference.py [--models ResNet18 Transformer] [--batches 1 8] [--rounds 7]

One model, the same weights everywhere; each way in a process of its own, and the processes take turns. Paddle Inference
is measured where `KAYAX_PADDLE_PYTHON` names a Python that has paddlepaddle, onnxruntime where it is installed and the
model can be exported to ONNX. `first` is the time from an empty predictor to the first answer, which is where XLA
compiles; `second start` is that of a new process that finds the compiled program kept. `CPU ms` is the processor time
of an answer, of all threads: on a loaded machine it says more than the latency.
"""
from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
MODELS = ("ResNet18", "Transformer")
WAYS = {"kayax predictor": "predictor", "kayax second start": "restart", "kayax loaded layer": "layer",
        "paddle inference": "paddle", "onnxruntime": "onnx"}


class Worker:
    """A process that answers with one model in one way, and says how long it took."""

    def __init__(self, way: str, folder: str, model: str, batch: int):
        python = os.environ["KAYAX_PADDLE_PYTHON"] if way == "paddle" else sys.executable
        self.process = subprocess.Popen([python, str(HERE / "inference_worker.py"), way, folder, model, str(batch)],
                                        text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        self.first = self._read()

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None and self.process.stderr is not None
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        raise RuntimeError((self.process.stderr.read().strip().splitlines() or ["it ended without a word"])[-1])

    def measure(self, seconds: float) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()
        return self._read()

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def measure(model: str, batch: int, ways: dict[str, str], rounds: int, seconds: float) -> dict[str, dict[str, float]]:
    """For each way: the median of the turns' medians, the worst 99th percentile, load and first answer."""
    with tempfile.TemporaryDirectory() as folder:
        script = str(HERE / "inference_worker.py")
        subprocess.run([sys.executable, script, "prepare", folder, model, str(batch)], check=True)
        workers: dict[str, Worker] = {}
        for name, way in ways.items():
            try:
                workers[name] = Worker(way, folder, model, batch)
            except RuntimeError as error:
                print(f"{model}, batch {batch}, {name}: not measured: {error}", file=sys.stderr)
        turns: dict[str, list[dict[str, Any]]] = {name: [] for name in workers}
        for _ in range(rounds):
            for name, worker in workers.items():
                turns[name].append(worker.measure(seconds))
        figures = {}
        for name, worker in workers.items():
            figures[name] = {"ms": statistics.median(turn["median"] for turn in turns[name]) * 1e3,
                             "cpu": statistics.median(turn["cpu"] for turn in turns[name]) * 1e3,
                             "p99": statistics.median(turn["p99"] for turn in turns[name]) * 1e3,
                             "memory": turns[name][-1]["memory_mb"], **worker.first}
            worker.close()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=MODELS)
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS))
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 8])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0, help="of one turn")
    options = parser.parse_args()
    ways = {name: WAYS[name] for name in options.ways}
    if not os.environ.get("KAYAX_PADDLE_PYTHON"):
        ways.pop("paddle inference", None)
    print("| model | batch | way | ms, median | ms, 99 % | load, s | first, s | memory, MB | difference | CPU ms |")
    print("| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for model in options.models:
        for batch in options.batches:
            for name, f in measure(model, batch, ways, options.rounds, options.seconds).items():
                print(f"| {model} | {batch} | {name} | {f['ms']:.2f} | {f['p99']:.2f} | {f['load']:.2f} | "
                      f"{f['first']:.2f} | {f['memory']:.0f} | {f['difference']:.1g} | {f['cpu']:.2f} |", flush=True)


if __name__ == "__main__":
    main()
