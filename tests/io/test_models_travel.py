"""Models of the usual kinds, saved with open batch and sequence, predict and fine-tune as the originals do."""
import runpy
from pathlib import Path

import numpy as np
import pytest

import kayax as paddle
from kayax.static import InputSpec

BENCH = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "model_files.py"))
IDS = InputSpec(["batch", "seq"], "int64", "ids")
MODELS = {
    "lstm": (lambda: BENCH["Tagger"](50, 8), [IDS]),
    "bert": (lambda: BENCH["Encoder"](50, 8), [IDS, InputSpec(["batch", "seq"], "float32", "mask")]),
    "resnet50": (BENCH["resnet50"], [InputSpec([None, 3, 64, 64], "float32", "image")]),
}


def inputs(specs, batch, seq):
    rng = np.random.default_rng(batch)
    for spec in specs:
        shape = [{"batch": batch, -1: batch, "seq": seq}.get(d, d) for d in spec.shape]
        array = rng.integers(0, 50, shape) if spec.dtype.name == "int64" else rng.random(shape).astype("float32")
        yield paddle.to_tensor(array)


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.slow) for name in MODELS])
def test_predicts_and_fine_tunes(name, tmp_path):
    make, specs = MODELS[name]
    net = make()
    paddle.jit.save(net, str(tmp_path / "m"), input_spec=specs)
    loaded = paddle.jit.load(str(tmp_path / "m"))
    for model in (net, loaded):
        model.eval()
    for batch, seq in ((1, 3), (4, 7)):
        args = list(inputs(specs, batch, seq))
        wanted = net(*args).numpy()
        np.testing.assert_allclose(loaded(*args).numpy(), wanted, rtol=1e-4, atol=1e-5 * max(1, np.abs(wanted).max()))
    for model in (net, loaded):
        model.train()
        opt = paddle.optimizer.SGD(1e-4, parameters=model.parameters())
        paddle.seed(5)
        losses = []
        for _ in range(2):
            loss = model(*inputs(specs, 4, 5)).square().mean()
            loss.backward()
            opt.step()
            opt.clear_grad()
            losses.append(float(loss))
        if model is net:
            expected = losses
    np.testing.assert_allclose(losses, expected, rtol=1e-3)
