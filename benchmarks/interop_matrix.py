"""The table of docs/interop.md: models by frameworks, with the largest difference seen.

    python benchmarks/interop_matrix.py --paddle PY --paddle2 PY --tensorflow PY --iree PY [--models resnet18,flow]
        [--columns onnx,tensorflow]

Each PY is a Python that has that framework (paddlepaddle 3.3, paddlepaddle 2.6, TensorFlow together with this project's
dependencies, IREE's compiler and runtime); a column without one is left out. ONNX is run by the onnxruntime of this
Python. A cell is the largest absolute difference between the other framework's output and this project's eager one,
divided by the largest absolute output; both work in float32.
"""
from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests" / "interop")]

SIZES = {"resnet18": 64, "resnet50": 64, "mobilenet_v1": 64, "mobilenet_v2": 64, "mobilenet_v3_small": 64,
         "mobilenet_v3_large": 64, "vgg11": 64, "densenet121": 64, "shufflenet_v2_x0_25": 64, "googlenet": 224,
         "inception_v3": 96, "squeezenet1_1": 64}
OWN = ("net", "encoder", "recurrent", "flow")
COLUMNS = {"paddle": "from Paddle 3.3", "paddle2": "from Paddle 2.6", "onnx": "ONNX", "half": "ONNX, float16 weights",
           "to_paddle": "to Paddle 3.3", "tensorflow": "SavedModel", "iree": "StableHLO in IREE"}

SAVE = """
import sys, numpy as np, paddle
name, prefix, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
paddle.seed(1)
model = getattr(paddle.vision.models, name)(num_classes=10)
model.eval()
x = np.random.default_rng(0).normal(size=(1, 3, size, size)).astype("float32")
out = model(paddle.to_tensor(x))
out = out[0] if isinstance(out, (list, tuple)) else out
paddle.jit.save(model, prefix, [paddle.static.InputSpec([None, 3, size, size], "float32", "x")])
np.savez(prefix + ".npz", x=x, out=out.numpy())
"""
RUN_PADDLE = """
import sys, numpy as np, paddle
prefix = sys.argv[1]
given = np.load(prefix + ".in.npz")
out = paddle.jit.load(prefix)(*[paddle.to_tensor(given[k]) for k in sorted(given)])
np.save(prefix + ".out.npy", (out[0] if isinstance(out, (list, tuple)) else out).numpy())
"""
RUN_TENSORFLOW = """
import sys, numpy as np, tensorflow as tf
from kayax import convert
prefix = sys.argv[1]
given = np.load(prefix + ".in.npz")
run = tf.saved_model.load(convert.to_saved_model(prefix, prefix + "_tf")).signatures["serving_default"]
out = run(**{k.partition("_")[2]: tf.constant(given[k]) for k in sorted(given)})
np.save(prefix + ".out.npy", out["output_0"].numpy())
"""
RUN_IREE = """
import json, sys, numpy as np
import iree.compiler, iree.runtime as rt
from safetensors.numpy import load_file
prefix = sys.argv[1]
given = np.load(prefix + ".in.npz")
table, weights = json.load(open(prefix + ".arguments.json")), load_file(prefix + ".safetensors")
binary = iree.compiler.compile_str(open(prefix + ".mlir").read(), target_backends=["llvm-cpu"],
                                   input_type="stablehlo", extra_args=[
    "--iree-llvmcpu-target-cpu=host", "--iree-llvmcpu-fail-on-out-of-bounds-stack-allocation=false"])
context = rt.SystemContext(config=rt.Config("local-sync"))      # the threads of local-task have too small stacks
context.add_vm_module(rt.VmModule.copy_buffer(context.instance, binary))
out = context.modules["jit_main"].main(*[given[k] for k in sorted(given)],
                                       *[weights[a["name"]] for a in table["arguments"][table["inputs"]:]])
np.save(prefix + ".out.npy", (out[0] if isinstance(out, (list, tuple)) else out).to_host())
"""


def difference(got: np.ndarray, wanted: np.ndarray) -> str:
    """The relative difference as a cell of the table."""
    if got.shape != wanted.shape:
        return f"shape {list(got.shape)}"
    return f"{np.abs(got - wanted).max() / np.abs(wanted).max():.0e}"


def run(python: str, code: str, *arguments: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([python, "-c", code, *arguments], capture_output=True, text=True, timeout=7200,
                          env=environment)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1] if done.stderr else "no message")


class Row:
    """One model: made here, and compared with each framework."""

    def __init__(self, name: str, folder: Path, pythons: dict[str, str | None]):
        import kayax as paddle
        self.name, self.folder, self.pythons = name, folder, pythons
        if name in OWN:
            from travellers import TRAVELLERS
            make, self.specs, calls = TRAVELLERS[name]
            self.arrays = calls[0]
        else:
            size = SIZES[name]
            self.specs = [paddle.static.InputSpec(["n", 3, size, size], "float32", "x")]
            self.arrays = [np.random.default_rng(0).normal(size=(2, 3, size, size)).astype("float32")]

            def make():
                return getattr(paddle.vision.models, name)(num_classes=10)

        paddle.seed(1)
        self.model = make()
        self.model.eval()
        out = self.model(*map(paddle.to_tensor, self.arrays))
        self.wanted = (out[0] if isinstance(out, (list, tuple)) else out).numpy()
        self.prefix = str(folder / name)
        paddle.jit.save(self.model, self.prefix, self.specs, trainable=False)

    def cell(self, column: str) -> str:
        """The difference in one framework, or what went wrong."""
        try:
            return getattr(self, column)()
        except Exception as error:
            print(f"{self.name}, {column}: {error}", file=sys.stderr)
            return "error"

    def given(self, prefix: str) -> None:
        np.savez(prefix + ".in.npz", **{f"{i}_{s.name}": a for i, (s, a) in enumerate(
            zip(self.specs, self.arrays, strict=True))})

    def run_elsewhere(self, which: str, code: str, prefix: str) -> str:
        self.given(prefix)
        run(self.pythons[which] or "", code, prefix)
        return difference(np.load(prefix + ".out.npy"), self.wanted)

    # ---- columns -----------------------------------------------------------------------------------------------

    def _from_paddle(self, which: str, suffix: str) -> str:
        import kayax as paddle
        if self.name in OWN:
            prefix = str(ROOT / "tests" / "io" / "data" / "paddle" / (self.name + suffix))
            recorded = np.load(prefix + ".npz")
            inputs, wanted = [recorded[k] for k in sorted(recorded) if k.startswith("input_0")], recorded["output_0"]
        else:
            prefix = str(self.folder / (self.name + "_from" + suffix))
            run(self.pythons[which] or "", SAVE, self.name, prefix, str(SIZES[self.name]))
            recorded = np.load(prefix + ".npz")
            inputs, wanted = [recorded["x"]], recorded["out"]
        out = paddle.jit.load(prefix)(*map(paddle.to_tensor, inputs))
        return difference((out[0] if isinstance(out, (list, tuple)) else out).numpy(), wanted)

    def paddle(self) -> str:
        return self._from_paddle("paddle", "")

    def paddle2(self) -> str:
        return self._from_paddle("paddle2", "2")

    def onnx(self, weights: str = "float32") -> str:
        import onnxruntime as ort

        from kayax import convert
        path = convert.to_onnx(self.prefix, f"{self.prefix}_{weights}", weights=weights)
        options = ort.SessionOptions()
        options.log_severity_level = 3
        session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        names = [i.name for i in session.get_inputs()]
        return difference(session.run(None, dict(zip(names, self.arrays, strict=True)))[0], self.wanted)

    def half(self) -> str:
        return self.onnx("float16")

    def to_paddle(self) -> str:
        from kayax import convert
        return self.run_elsewhere("paddle", RUN_PADDLE, convert.to_paddle(self.prefix, self.prefix + "_paddle"))

    def tensorflow(self) -> str:
        return self.run_elsewhere("tensorflow", RUN_TENSORFLOW, self.prefix)

    def iree(self) -> str:
        import kayax as paddle
        from kayax import convert
        specs = [paddle.static.InputSpec(list(a.shape), str(a.dtype), s.name)
                 for s, a in zip(self.specs, self.arrays, strict=True)]
        prefix = self.prefix + "_iree"
        convert.to_stablehlo(self.model, prefix, specs)
        return self.run_elsewhere("iree", RUN_IREE, prefix)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for which in ("paddle", "paddle2", "tensorflow", "iree"):
        parser.add_argument(f"--{which}")
    parser.add_argument("--models", default=",".join([*OWN, *SIZES]))
    parser.add_argument("--columns", default=",".join(COLUMNS), help=", ".join(COLUMNS))
    options = parser.parse_args()
    pythons = {k: getattr(options, k) for k in ("paddle", "paddle2", "tensorflow", "iree")}
    columns = [c for c in options.columns.split(",")
               if c in ("onnx", "half") or pythons["paddle" if c == "to_paddle" else c]]
    print("| model |", " | ".join(COLUMNS[c] for c in columns), "|")
    print("| --- |" + " ---: |" * len(columns))
    with tempfile.TemporaryDirectory() as folder:
        for name in options.models.split(","):
            row = Row(name, Path(folder), pythons)
            print(f"| {name} |", " | ".join(row.cell(c) for c in columns), "|", flush=True)


if __name__ == "__main__":
    main()
