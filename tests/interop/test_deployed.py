"""Models that people have deployed (deployed.py): from PaddlePaddle, to PaddlePaddle, and as ONNX.

PaddlePaddle 3.3.1 wrote tests/io/data/paddle/deployed_* (`python tests/interop/deployed.py FOLDER`). Where
KAYAX_PADDLE_PYTHON names a Python that has it, it writes them anew, and runs what is written here.
"""
import gzip
import os
import shutil
import subprocess
from pathlib import Path

import deployed
import numpy as np
import pytest

import kayax as paddle
from kayax import convert
from kayax.static import InputSpec

DATA = Path(__file__).parents[1] / "io" / "data" / "paddle"
REAL = os.environ.get("KAYAX_PADDLE_PYTHON")
NAMES = ("folded", "window", "lengths", "masked", "yolo", "unet", "greedy", "small", "reader", "patches", "rotary")
# Names and constraints without which their programs are not the same for all sizes.
OPEN = {"lengths": ([["n", "s"], ["n"]], []),
        "yolo": ([["n", 3, "h", "w"]], ["h % 8 == 0", "w % 8 == 0", "h >= 8", "w >= 8"]),
        "unet": ([["n", 2, "h", "w"]], ["h % 4 == 0", "w % 4 == 0", "h >= 4", "w >= 4"])}
RUN = """
import sys, numpy as np, paddle
for path in sys.argv[1:]:
    recorded, model = np.load(path + ".npz"), paddle.jit.load(path)
    for call in range(2):
        inputs = [paddle.to_tensor(recorded[k]) for k in sorted(recorded) if k.startswith(f"input_{call}_")]
        np.testing.assert_allclose(model(*inputs).numpy(), recorded[f"output_{call}"], rtol=1e-4, atol=1e-5)
"""


def slow_but(*fast):
    return [name if name in fast else pytest.param(name, marks=pytest.mark.slow) for name in NAMES]


def check(run, recorded):
    for call in range(2):
        inputs = [recorded[k] for k in sorted(recorded) if k.startswith(f"input_{call}_")]
        np.testing.assert_allclose(run(*inputs), recorded[f"output_{call}"], rtol=1e-4, atol=1e-5)


def here(model):
    return lambda *arrays: model(*map(paddle.to_tensor, arrays)).numpy()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Each model saved here once: the prefix, and what PaddlePaddle computed with the same parameters."""
    folder, found = tmp_path_factory.mktemp("deployed"), {}

    def get(name):
        if name not in found:
            layer, specs, _ = deployed.model(paddle, name)
            shapes, constraints = OPEN.get(name, ([s for s, _ in specs], []))
            paddle.jit.save(layer, folder / name, [InputSpec(s, d, f"in_{i}") for i, (s, (_, d)) in enumerate(
                zip(shapes, specs, strict=True))], trainable=False, constraints=constraints)
            found[name] = folder / name, np.load(DATA / f"deployed_{name}.npz")
        return found[name]

    return get


@pytest.mark.parametrize("name", [*slow_but("small"), "lengths_static"])
def test_from_paddle(name, tmp_path):
    (tmp_path / "m.json").write_bytes(gzip.decompress((DATA / f"deployed_{name}.json.gz").read_bytes()))
    shutil.copy(DATA / f"deployed_{name}.pdiparams", tmp_path / "m.pdiparams")
    check(here(paddle.jit.load(tmp_path / "m")), np.load(DATA / f"deployed_{name}.npz"))


@pytest.mark.parametrize("name", slow_but())
def test_saved_here_and_as_onnx(name, made, tmp_path):
    prefix, recorded = made(name)
    check(here(paddle.jit.load(prefix)), recorded)
    runtime = pytest.importorskip("onnxruntime", reason="needs the extra: pip install kayax[onnx]")
    session = runtime.InferenceSession(convert.to_onnx(prefix, tmp_path / "m"), providers=["CPUExecutionProvider"])
    names = [i.name for i in session.get_inputs()]
    check(lambda *arrays: session.run(None, dict(zip(names, arrays, strict=True)))[0], recorded)


@pytest.mark.parametrize("name", slow_but())
def test_written_for_paddle_and_read_back(name, made, tmp_path):
    prefix, recorded = made(name)
    check(here(paddle.jit.load(convert.to_paddle(prefix, tmp_path / "m"))), recorded)


@pytest.mark.slow
@pytest.mark.skipif(not REAL, reason="KAYAX_PADDLE_PYTHON does not name a Python with paddlepaddle 3.3")
def test_with_paddle_itself(made, tmp_path):
    """What it writes now, with jit.save and static.save_inference_model, is read; what is written here, it runs."""
    subprocess.run([REAL, deployed.__file__, str(tmp_path / "theirs")], check=True, timeout=600)
    written = sorted((tmp_path / "theirs").glob("*.json"))
    assert len(written) == len(NAMES) + 7
    for path in written:
        check(here(paddle.jit.load(path.with_suffix(""))), np.load(path.with_suffix(".npz")))
    for name in NAMES:
        prefix, recorded = made(name)
        convert.to_paddle(prefix, tmp_path / name)
        np.savez(tmp_path / f"{name}.npz", **recorded)
    subprocess.run([REAL, "-c", RUN, *(str(tmp_path / n) for n in NAMES)], check=True, timeout=600)
