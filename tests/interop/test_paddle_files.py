"""Models written in PaddlePaddle's own files: read back here, and by PaddlePaddle itself where there is one.

KAYAX_PADDLE_PYTHON names a Python that has paddlepaddle 3.3 (it needs an older NumPy than JAX may have).
"""
import json
import os
import subprocess

import numpy as np
import pytest

import kayax as paddle
from kayax import convert
from kayax.static import InputSpec

REAL = os.environ.get("KAYAX_PADDLE_PYTHON")
RUN = """
import sys, numpy as np, paddle
for path in sys.argv[1:]:
    recorded = np.load(path + ".npz")
    model = paddle.jit.load(path)
    for call in range(2):
        inputs = [paddle.to_tensor(recorded[k]) for k in sorted(recorded) if k.startswith(f"input_{call}_")]
        np.testing.assert_allclose(model(*inputs).numpy(), recorded[f"output_{call}"], rtol=1e-4, atol=1e-5)
"""
NAMES = ["net", "encoder", "flow", "recurrent"]


@pytest.mark.parametrize("name", ["net", "flow", pytest.param("encoder", marks=pytest.mark.slow),
                                  pytest.param("recurrent", marks=pytest.mark.slow)])
def test_what_is_written_reads_back(name, saved, tmp_path):
    prefix, calls = saved(name)
    model = paddle.jit.load(convert.to_paddle(prefix, tmp_path / name))
    for arrays, wanted in calls:
        np.testing.assert_allclose(model(*map(paddle.to_tensor, arrays)).numpy(), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.skipif(not REAL, reason="KAYAX_PADDLE_PYTHON does not name a Python with paddlepaddle 3.3")
def test_paddle_itself_runs_them(saved, tmp_path):
    for name in NAMES:
        prefix, calls = saved(name)
        convert.to_paddle(prefix, tmp_path / name)
        recorded = {f"output_{c}": wanted for c, (_, wanted) in enumerate(calls)}
        recorded |= {f"input_{c}_{i}": a for c, (arrays, _) in enumerate(calls) for i, a in enumerate(arrays)}
        np.savez(tmp_path / f"{name}.npz", **recorded)
    subprocess.run([REAL, "-c", RUN, *(str(tmp_path / n) for n in NAMES)], check=True, timeout=300)


TRAIN = """
import sys, numpy as np, paddle
recorded = np.load(sys.argv[1] + ".npz")
model = paddle.jit.load(sys.argv[1])
model.train()
(model(paddle.to_tensor(recorded["x"])) ** 2).sum().backward()
trained = {p.name.rpartition("_")[0]: p.grad.numpy() for p in model.parameters() if not p.stop_gradient}
assert trained.keys() == set(recorded) - {"x"}, sorted(trained)
for name, grad in trained.items():
    np.testing.assert_allclose(grad, recorded[name], rtol=1e-4, atol=1e-5)
"""


def test_it_says_what_can_be_trained(tmp_path):
    net = paddle.nn.Sequential(paddle.nn.Conv2D(1, 2, 3), paddle.nn.BatchNorm2D(2), paddle.nn.Linear(2, 2))
    net[2].bias.stop_gradient = True
    net.eval()
    paddle.jit.save(net, tmp_path / "m", [InputSpec([None, 1, 4, 4], "float32", "x")], format="paddle")
    operations = json.loads((tmp_path / "m.json").read_text())["program"]["regions"][0]["blocks"][0]["ops"]
    trained = {o["A"][3] for o in operations if o["#"] == "p" and o["OA"] == [1, 0, 1]}
    assert trained == {p.name for p in net.parameters() if not p.stop_gradient}
    assert sum(o["#"] == "p" for o in operations) == 8
    if REAL:
        x = paddle.arange(32, dtype="float32").reshape([2, 1, 4, 4]) / 10
        (net(x) ** 2).sum().backward()
        np.savez(tmp_path / "m.npz", x=x.numpy(), **{p.name: p.grad.numpy() for p in net.parameters()
                                                      if not p.stop_gradient})
        subprocess.run([REAL, "-c", TRAIN, str(tmp_path / "m")], check=True, timeout=300)


def test_jit_save_in_paddles_format(tmp_path):
    net = paddle.nn.Sequential(paddle.nn.Linear(3, 2), paddle.nn.ReLU())
    paddle.jit.save(net, tmp_path / "m", [InputSpec([None, 3])], format="paddle")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.json", "m.pdiparams"]
    x = paddle.ones([2, 3])
    again = paddle.jit.load(tmp_path / "m")
    np.testing.assert_allclose(again(x).numpy(), net(x).numpy(), rtol=1e-6)
    assert {p.name for p in again.parameters()} == {p.name for p in net.parameters()}
    # Over a model of our own, and the reverse: what was saved last is loaded.
    paddle.jit.save(net, tmp_path / "m", [InputSpec([None, 3])])
    net[0].bias.set_value(paddle.to_tensor([1.0, 2.0]))
    assert not np.allclose(paddle.jit.load(tmp_path / "m")(x).numpy(), net(x).numpy())
    paddle.jit.save(net, tmp_path / "m", [InputSpec([None, 3])], format="paddle")
    np.testing.assert_allclose(paddle.jit.load(tmp_path / "m")(x).numpy(), net(x).numpy(), rtol=1e-6)
    with pytest.raises(ValueError, match="'kayax' or 'paddle'"):
        paddle.jit.save(net, tmp_path / "m", [InputSpec([None, 3])], format="onnx")
