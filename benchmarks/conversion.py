"""What conversion costs: the overhead of a call beside `jax.jit`, and the time to rewrite and trace a large model.

    python benchmarks/conversion.py [--json figures.json]

Calls: a function of one small tensor that reads k buffers, converted, beside `jax.jit` of the same arrays; both take
turns. Tracing: from the model to a lowered program, nothing compiled, beside `jax.jit(...).lower` of the model by hand.
"""
from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import models_jax as by_hand

import kayax as paddle
from kayax import nn
from kayax.jit import StaticFunction, to_static

CELLS = (1, 10, 100, 300)
DEPTH = 12
BLOCKS = [(64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)]


def microseconds(*calls: Callable[[], Any], rounds: int = 15, n: int = 300) -> list[float]:
    """The median time of each call; they take turns."""
    for call in calls:
        call()
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(rounds):
        for i, call in enumerate(calls):
            start = time.perf_counter()
            for _ in range(n):
                out = call()
            jax.block_until_ready(out.array if hasattr(out, "storage") else out)
            times[i].append((time.perf_counter() - start) / n * 1e6)
    return [statistics.median(t) for t in times]


def call_overhead() -> list[dict[str, float]]:
    rows = []
    for k in CELLS:
        cells = [paddle.ones([1]) for _ in range(k)]
        arrays = [c.array for c in cells]
        x = paddle.ones([1])
        holder, jitted = Holder(cells), jax.jit(sum_of)
        converted = to_static(holder.forward, full_graph=True)
        a, b = microseconds(lambda: converted(x), lambda: jitted(x.array, arrays))     # noqa: B023
        rows.append({"cells": k, "kayax_us": a, "jax_us": b, "over_us": a - b, "bar_us": 15 + 0.1 * k})
    return rows


def sum_of(x: Any, cells: Any) -> Any:
    for cell in cells:
        x = x + cell
    return x


class Holder(nn.Layer):
    """Reads all of its buffers."""

    def __init__(self, cells: list[Any]):
        super().__init__()
        for i, cell in enumerate(cells):
            self.register_buffer(f"c{i}", cell)
        self.n = len(cells)

    def forward(self, x: Any) -> Any:
        for i in range(self.n):
            x = x + getattr(self, f"c{i}")
        return x


class Encoder(nn.Layer):
    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(by_hand.WIDTH, by_hand.HEADS, by_hand.FEEDFORWARD, normalize_before=True)
        self.tokens = nn.Embedding(1000, by_hand.WIDTH)
        self.encoder = nn.TransformerEncoder(layer, DEPTH)
        self.head = nn.Linear(by_hand.WIDTH, 1000)

    def forward(self, x: Any) -> Any:
        return self.head(self.encoder(self.tokens(x)))


def bottleneck_apply(p: Any, state: Any, x: Any, key: Any) -> Any:
    x = jax.nn.relu(by_hand.batch_norm(p["n"], state, by_hand.conv(p["c"], x, 2, 3))[0])
    x = by_hand.max_pool(x, 3, 2, 1)
    for i, (_, count, stride) in enumerate(BLOCKS):
        for j in range(count):
            b, s = p[f"b{i}.{j}"], stride if j == 0 else 1
            y = jax.nn.relu(by_hand.batch_norm(b["n1"], b["s1"], by_hand.conv(b["c1"], x))[0])
            y = jax.nn.relu(by_hand.batch_norm(b["n2"], b["s1"], by_hand.conv(b["c2"], y, s, 1))[0])
            y, _ = by_hand.batch_norm(b["n3"], b["s3"], by_hand.conv(b["c3"], y))
            if "cd" in b:
                x, _ = by_hand.batch_norm(b["nd"], b["s3"], by_hand.conv(b["cd"], x, s))
            x = jax.nn.relu(x + y)
    return by_hand.dense(p["fc"], x.mean((2, 3)))


def bottleneck_params() -> Any:
    def conv(n: int, m: int, k: int) -> Any:
        return {"w": jnp.zeros((n, m, k, k))}

    def norm(n: int) -> Any:
        return {"w": jnp.ones(n), "b": jnp.zeros(n)}

    p: Any = {"c": conv(64, 3, 7), "n": norm(64), "fc": {"w": jnp.zeros((2048, 1000)), "b": jnp.zeros(1000)}}
    before = 64
    for i, (n, count, _) in enumerate(BLOCKS):
        for j in range(count):
            b = {"c1": conv(n, before, 1), "n1": norm(n), "c2": conv(n, n, 3), "n2": norm(n), "c3": conv(4 * n, n, 1),
                 "n3": norm(4 * n), "s1": {"m": jnp.zeros(n), "v": jnp.ones(n)},
                 "s3": {"m": jnp.zeros(4 * n), "v": jnp.ones(4 * n)}}
            p[f"b{i}.{j}"] = b | ({"cd": conv(4 * n, before, 1), "nd": norm(4 * n)} if j == 0 else {})
            before = 4 * n
    return p


def seconds(run: Callable[[], Any], rounds: int = 5) -> float:
    found = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        found.append(time.perf_counter() - start)
    return statistics.median(found)


def lowered(net: Any, x: Any) -> None:
    """Rewrite, trace twice, lower: all that comes before the compiler."""
    static = StaticFunction(type(net).forward, instance=net)
    tensors, key = static._key((x,), {})
    program = static._make((x,), {}, tensors, static._reason(key))
    program.run.lower([x.array], [s.array for s in program.reads], [s.array for s in program.writes])


def tracing() -> list[dict[str, Any]]:
    rows = []
    image, words = paddle.randn([1, 3, 224, 224]), paddle.zeros([2, 64], "int64")
    state = {"m": jnp.zeros(64), "v": jnp.ones(64)}
    by_hand.DEPTH = DEPTH
    transformer, _ = by_hand.transformer_init(iter(jax.random.split(jax.random.key(0), 400)))
    key = jax.random.key(0)
    models = {
        "ResNet50": (paddle.vision.models.resnet50(), image, lambda: jax.jit(lambda p, x: bottleneck_apply(
            p, state, x, None)).lower(bottleneck, image.array)),
        "Transformer, 12 layers": (Encoder(), words, lambda: jax.jit(lambda p, x: by_hand.transformer_apply(
            p, {}, x, key)[0]).lower(transformer, words.array)),
    }
    transformer, bottleneck, state = jax.tree.map(lambda a: a.astype("float32"),
                                                  (transformer, bottleneck_params(), state))
    for name, (net, x, hand) in models.items():
        with paddle.no_grad():
            lowered(net, x)
            hand()
            rows.append({"model": name, "kayax_s": seconds(lambda net=net, x=x: lowered(net, x)),    # type: ignore[misc]
                         "jax_s": seconds(hand)})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE", help="write the figures there as well")
    args = parser.parse_args()
    calls, traces = call_overhead(), tracing()
    print("| cells read | converted call, us | jax.jit, us | more, us | bar |\n| ---: | ---: | ---: | ---: | ---: |")
    for row in calls:
        print(f"| {row['cells']} | {row['kayax_us']:.1f} | {row['jax_us']:.1f} | {row['over_us']:.1f} | "
              f"{row['bar_us']:.0f} |")
    print("\n| model | convert and trace, s | jax.jit by hand, s | ratio |\n| --- | ---: | ---: | ---: |")
    for row in traces:
        print(f"| {row['model']} | {row['kayax_s']:.2f} | {row['jax_s']:.2f} | {row['kayax_s'] / row['jax_s']:.1f} |")
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump({"calls": calls, "tracing": traces}, file, indent=1)


if __name__ == "__main__":
    main()
