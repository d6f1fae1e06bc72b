"""Convolutions in the form that is chosen for CPU beside XLA's own, and networks of them beside PaddlePaddle.

    python benchmarks/convolutions.py [--networks mobilenet_v2 resnet50] [--json figures.json]

The first table: forward and both gradients in one program, plain and chosen taking turns, medians. The second: a
converted training step of `paddle.vision.models` on 8 images of 64 x 64, in processes of their own; PaddlePaddle where
`KAYAX_PADDLE_PYTHON` names a Python that has it.
"""
from __future__ import annotations

import argparse
import importlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

# image, weight [out, in / groups, kernel], stride, padding, groups, what dilates the image (a transposed one's stride)
LAYERS = {
    "3 x 3 on 2 x 2": ((16, 512, 2, 2), (512, 512, 3, 3), 1, 1, 1, 1),
    "1 x 1": ((8, 256, 56, 56), (64, 256, 1, 1), 1, 0, 1, 1),
    "depthwise 3 x 3": ((16, 128, 28, 28), (128, 1, 3, 3), 1, 1, 128, 1),
    "depthwise 7 x 7": ((8, 96, 28, 28), (96, 1, 7, 7), 1, 3, 96, 1),
    "32 groups of 8": ((8, 256, 14, 14), (256, 8, 3, 3), 1, 1, 32, 1),
    "2 groups": ((8, 64, 28, 28), (64, 32, 3, 3), 1, 1, 2, 1),
    "transposed 4 x 4": ((16, 128, 16, 16), (64, 128, 4, 4), 1, 2, 1, 2),
}
NETWORKS = ("mobilenet_v1", "mobilenet_v2", "shufflenet_v2_x1_0", "resnet50", "resnext50_32x4d")


def seconds(run: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


def layer(image: tuple, weight: tuple, stride: int, padding: int, groups: int, holes: int) -> dict[str, float]:
    """Milliseconds of the plain and of the chosen form."""
    import jax
    import jax.numpy as jnp

    from kayax.bridge.ops.conv_forms import Window, convolve
    from kayax.bridge.state import portable
    window = Window((stride,) * 2, ((padding, padding),) * 2, (1, 1), (holes,) * 2)
    random = np.random.default_rng(0)
    arrays = [jnp.asarray(random.normal(size=s), jnp.float32) for s in (image, weight)]

    def gradients() -> Callable:
        def loss(x: Any, w: Any) -> Any:
            return jnp.sum(jnp.square(convolve(x, w, window, groups, False)))
        return jax.jit(jax.grad(loss, (0, 1))).lower(*arrays).compile()

    with portable():
        plain = gradients()
    programs = {"plain": plain, "chosen": gradients()}
    times: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(7):
        for name, program in programs.items():
            times[name].append(seconds(lambda program=program: jax.block_until_ready(program(*arrays))))
    return {name: statistics.median(t[1:]) * 1e3 for name, t in times.items()}


def network(package: str, name: str) -> None:
    """Print the milliseconds of a training step and of its first call."""
    paddle = importlib.import_module(package)
    paddle.seed(0)
    model = getattr(paddle.vision.models, name)(num_classes=100)
    optimizer = paddle.optimizer.Momentum(learning_rate=1e-3, parameters=model.parameters())
    loss_fn = paddle.nn.CrossEntropyLoss()
    random = np.random.RandomState(0)
    x = paddle.to_tensor(random.randn(8, 3, 64, 64).astype("float32"))
    y = paddle.to_tensor(random.randint(0, 100, (8, 1)))
    if package == "paddle":                     # which converts no whole step
        model = paddle.jit.to_static(model)

    def step(x: Any, y: Any) -> Any:
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()
        return loss

    run, last = paddle.jit.to_static(step) if package == "kayax" else step, model.parameters()[-1]
    times = [seconds(lambda: (run(x, y).numpy(), last.numpy())) * 1e3 for _ in range(8)]
    print(json.dumps({"first": times[0], "step": statistics.median(times[2:])}))


def measured(package: str, name: str) -> dict[str, float]:
    python = os.environ["KAYAX_PADDLE_PYTHON"] if package == "paddle" else sys.executable
    done = subprocess.run([python, __file__, "--network", package, name], text=True, capture_output=True)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="*", default=list(NETWORKS))
    parser.add_argument("--network", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--json")
    options = parser.parse_args()
    if options.network:
        network(*options.network)
        return
    figures: dict[str, Any] = {}
    print("| forward and gradients | plain, ms | chosen form, ms | times faster |\n| --- | ---: | ---: | ---: |")
    for name, case in LAYERS.items():
        f = figures[name] = layer(*case)
        print(f"| {name} | {f['plain']:.1f} | {f['chosen']:.1f} | {f['plain'] / f['chosen']:.1f} |", flush=True)
    packages = ["kayax"] + ["paddle"] * ("KAYAX_PADDLE_PYTHON" in os.environ)
    print("\n| network | package | step, ms | first call, s |\n| --- | --- | ---: | ---: |")
    for name in options.networks:
        for package in packages:
            f = figures[f"{name} {package}"] = measured(package, name)
            print(f"| {name} | {package} | {f['step']:.0f} | {f['first'] / 1e3:.1f} |", flush=True)
    if options.json:
        Path(options.json).write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
