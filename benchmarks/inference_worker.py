"""Predicts with one model in one way: reads numbers of seconds, writes the median time of an answer as JSON."""
from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
Answer = Callable[[np.ndarray], np.ndarray]


def make(name: str, paddle: Any) -> Any:
    """The network, in evaluation mode, of the given package."""
    if name == "ResNet18":
        net = importlib.import_module(f"{paddle.__name__}.vision.models").resnet18()
    else:
        import models_paddle
        net = models_paddle.make(name, paddle)
    net.eval()
    return net


def spec(name: str, paddle: Any) -> list[Any]:
    """Batch and, of text, length are left open."""
    if name == "ResNet18":
        return [paddle.static.InputSpec([None, 3, 224, 224], "float32", "x")]
    return [paddle.static.InputSpec([None, 64], "int64", "x")]


def example(name: str, batch: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    if name == "ResNet18":
        return rng.standard_normal((batch, 3, 224, 224), np.float32)
    return rng.integers(0, 1000, (batch, 64))


def prepare(folder: str, name: str, batch: int) -> None:
    """Save the model in every form, with an input and its output."""
    import kayax as paddle
    paddle.seed(0)
    net, x = make(name, paddle), example(name, batch)
    paddle.jit.save(net, f"{folder}/net", input_spec=spec(name, paddle), trainable=False)
    paddle.save(net.state_dict(), f"{folder}/net.pdparams")
    np.savez(f"{folder}/data.npz", x=x, y=net(paddle.to_tensor(x)).numpy())
    try:
        paddle.onnx.export(net, f"{folder}/net", input_spec=spec(name, paddle))
    except Exception as error:          # whatever kind: the bench goes on without it
        with open(f"{folder}/onnx.txt", "w", encoding="utf-8") as file:
            file.write(f"{type(error).__name__}: {error}".splitlines()[0])


def predictor(folder: str, name: str, paddle: Any, prog: str, cache: str | None = None) -> Answer:
    inference = importlib.import_module(f"{paddle.__name__}.inference")
    config = inference.Config(f"{folder}/net{prog}", f"{folder}/net.pdiparams")
    config.disable_glog_info()
    config.set_cpu_math_library_num_threads(os.cpu_count() or 1)
    if cache:
        config.set_optim_cache_dir(cache)
    made = inference.create_predictor(config)
    into = made.get_input_handle(made.get_input_names()[0])
    out = made.get_output_handle(made.get_output_names()[0])

    def answer(x: np.ndarray) -> np.ndarray:
        into.copy_from_cpu(x)
        made.run()
        return out.copy_to_cpu()

    return answer


def load(way: str, folder: str, name: str, x: np.ndarray) -> Answer:
    if way == "onnx":
        if not os.path.exists(f"{folder}/net.onnx"):
            with open(f"{folder}/onnx.txt", encoding="utf-8") as file:
                raise SystemExit(f"no ONNX file ({file.read()})")
        import onnxruntime
        session = onnxruntime.InferenceSession(f"{folder}/net.onnx", providers=["CPUExecutionProvider"])
        entry = session.get_inputs()[0].name
        return lambda x: session.run(None, {entry: x})[0]
    if way == "paddle":
        import paddle
        return predictor(f"{folder}/paddle", name, paddle, ".json")
    import kayax as paddle
    if way == "layer":
        loaded = paddle.jit.load(f"{folder}/net")
        return lambda x: loaded(paddle.to_tensor(x)).numpy()
    return predictor(folder, name, paddle, ".pdmodel", f"{folder}/cache" if way == "restart" else None)


def before(way: str, folder: str, name: str, x: np.ndarray) -> None:
    """What is to be there before the clock runs: Paddle's own files; a program that an earlier process compiled."""
    if way == "paddle":
        import paddle
        net = make(name, paddle)
        net.set_state_dict(paddle.load(f"{folder}/net.pdparams"))
        paddle.jit.save(paddle.jit.to_static(net, input_spec=spec(name, paddle)), f"{folder}/paddle/net")
    if way == "restart":
        import subprocess
        subprocess.run([sys.executable, __file__, "fill", folder, name, str(len(x))], check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def main() -> None:
    way, folder, name, batch = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    if way == "prepare":
        prepare(folder, name, batch)
        return
    data = np.load(f"{folder}/data.npz")
    x, y = data["x"], data["y"]
    before(way, folder, name, x)
    start = time.perf_counter()
    answer = load("restart" if way == "fill" else way, folder, name, x)
    loaded = time.perf_counter()
    first = answer(x)
    print(json.dumps({"load": loaded - start, "first": time.perf_counter() - loaded,
                      "difference": float(np.abs(first - y).max())}), flush=True)
    for line in sys.stdin:
        seconds, times, begin, used = float(line), [], time.perf_counter(), time.process_time()
        while not times or time.perf_counter() - begin < seconds:
            now = time.perf_counter()
            answer(x)
            times.append(time.perf_counter() - now)
        used = (time.process_time() - used) / len(times)
        print(json.dumps({"cpu": used, "median": float(np.median(times)), "p99": float(np.quantile(times, 0.99)),
                          "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}), flush=True)


if __name__ == "__main__":
    main()
