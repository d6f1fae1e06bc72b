"""Models that PaddlePaddle saved (versions 3.3.1 and 2.6.2), read without it: values, fine-tuning, damage.

tests/io/record_paddle_models.py made the files.
"""
import gzip
import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import kayax as paddle
from kayax.io.container import ModelFileError
from kayax.io.paddle import find, interpret, pir, tensors, wire

DATA = Path(__file__).parent / "data" / "paddle"
_spec = importlib.util.spec_from_file_location("paddle_zoo", Path(__file__).parent / "paddle_zoo.py")
zoo = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(zoo)
SMALL = ["net", "net2", "encoder", "recurrent2", "flow", "flow2",
         *(pytest.param(name, marks=pytest.mark.slow) for name in ("encoder2", "recurrent"))]


def calls(name):
    recorded = np.load(DATA / f"{name}.npz")
    count = sum(k.startswith("output_") for k in recorded)
    for c in range(count):
        yield [recorded[k] for k in sorted(recorded) if k.startswith(f"input_{c}_")], recorded[f"output_{c}"]


@pytest.mark.parametrize("name", SMALL)
def test_a_loaded_model_computes_what_paddle_computed(name):
    model = paddle.jit.load(DATA / name)
    assert isinstance(model, paddle.jit.TranslatedLayer) and not model.training
    for inputs, wanted in calls(name):
        np.testing.assert_allclose(model(*map(paddle.to_tensor, inputs)).numpy(), wanted, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("name", [n if n == "resnet18" else pytest.param(n, marks=pytest.mark.slow) for n in zoo.ZOO])
def test_the_model_zoo(name, tmp_path):
    packed = gzip.decompress((DATA / f"zoo_{name}.json.gz").read_bytes())
    (tmp_path / "model.json").write_bytes(packed)
    graph = pir.read(str(tmp_path / "model.json"))
    with open(tmp_path / "model.pdiparams", "wb") as file:
        tensors.write(file, {p.name: zoo.drawn(p.name, p.shape) for p in graph.parameters})
    model = paddle.jit.load(tmp_path / "model")
    out = model(paddle.to_tensor(zoo.pixels(zoo.ZOO[name])))
    out = out[0] if isinstance(out, list) else out
    wanted = np.load(DATA / f"zoo_{name}.npz")["output"]
    np.testing.assert_allclose(out.numpy(), wanted, rtol=1e-4, atol=1e-4 * np.abs(wanted).max())


def test_every_operation_of_the_zoo_has_a_rule(tmp_path):
    for name in zoo.ZOO:
        path = tmp_path / f"{name}.json"
        path.write_bytes(gzip.decompress((DATA / f"zoo_{name}.json.gz").read_bytes()))
        interpret.check(pir.read(str(path)))


@pytest.mark.parametrize("name", ["net", "net2"])
def test_gradients_are_paddles(name):
    model, recorded = paddle.jit.load(DATA / name), np.load(DATA / f"{name}.npz")
    (inputs, _), = calls(name)
    loss = -paddle.log(model(paddle.to_tensor(inputs[0]))[:, 0]).mean()
    loss.backward()
    assert loss.item() == pytest.approx(float(recorded["loss"]), rel=1e-5)
    by_name = {p.name: p for p in model.parameters()}
    for key in (k for k in recorded if k.startswith("grad_")):
        np.testing.assert_allclose(by_name[key[5:]].grad.numpy(), recorded[key], rtol=1e-4, atol=1e-6)


def test_a_loaded_model_is_fine_tuned_and_saved_again(tmp_path):
    # Saved in evaluation mode, its statistics are frozen, and the file says no more than that: here they are not.
    program = (DATA / "net.json").read_text()
    frozen = '{"#":"0.a_bool","D":true},"N":"use_global_stats"'
    assert frozen in program
    (tmp_path / "net.json").write_text(program.replace(frozen, frozen.replace("true", "false")))
    shutil.copy(DATA / "net.pdiparams", tmp_path)
    model = paddle.jit.load(tmp_path / "net")
    (inputs, _), = calls("net")
    x, label = paddle.to_tensor(inputs[0]), paddle.to_tensor([0, 1, 2])
    model.train()
    mean = model.state_dict()["batch_norm2d_0.w_1"].numpy()
    adam = paddle.optimizer.Adam(0.05, parameters=model.parameters())
    losses = []
    for _ in range(12):
        loss = paddle.nn.functional.nll_loss(paddle.log(model(x)), label)
        loss.backward()
        adam.step()
        adam.clear_grad()
        losses.append(loss.item())
    assert min(losses[-3:]) < losses[0] / 2
    assert np.abs(model.state_dict()["batch_norm2d_0.w_1"].numpy() - mean).max() > 1e-3
    model.eval()
    paddle.jit.save(model, tmp_path / "ours", [paddle.static.InputSpec(["n", 2, 8, 8], "float32")],
                    trainable=False)
    np.testing.assert_allclose(paddle.jit.load(tmp_path / "ours")(x).numpy(), model(x).numpy(), rtol=1e-6)


def test_names_of_a_layers_parameters():
    assert "linear_0.w_0" in paddle.jit.load(DATA / "net").state_dict()
    assert "body.1._mean" in paddle.jit.load(DATA / "net2").state_dict()


def test_parameters_alone():
    state = paddle.load(str(DATA / "net"))
    assert state["linear_0.w_0"].shape == [16, 3] and state["linear_0.w_0"].name == "linear_0.w_0"
    assert paddle.load(str(DATA / "net2"), return_numpy=True)["linear_0.b_0"].shape == (3,)


def test_missing_operations_are_named_all_at_once(tmp_path):
    program = json.loads((DATA / "net.json").read_text())
    operations = program["program"]["regions"][0]["blocks"][0]["ops"]
    for old, new in (("1.relu", "1.no_such"), ("1.softmax", "3.fused_thing")):
        next(o for o in operations if o["#"] == old)["#"] = new
    (tmp_path / "net.json").write_text(json.dumps(program))
    shutil.copy(DATA / "net.pdiparams", tmp_path)
    with pytest.raises(NotImplementedError, match=r"2 operations .*: 3\.fused_thing, no_such"):
        paddle.jit.load(tmp_path / "net")


def test_wrong_calls():
    model = paddle.jit.load(DATA / "net")
    with pytest.raises(TypeError, match=r"takes 1 inputs \(in_0\), but 2"):
        model(paddle.ones([1]), paddle.ones([1]))
    with pytest.raises(ValueError, match=r"has the shape \[-1, 2, 8, 8\]"):
        model(paddle.ones([2, 8]))
    with pytest.raises(TypeError, match="is paddle.float32, but a Tensor of paddle.int64"):
        model(paddle.ones([1, 2, 8, 8], "int64"))


def test_which_files_are_paddles(tmp_path):
    assert find.is_paddle_model(DATA / "net") and find.is_paddle_model(DATA / "net2")
    paddle.jit.save(paddle.nn.Linear(2, 2), tmp_path / "ours", [paddle.static.InputSpec([None, 2])])
    assert not find.is_paddle_model(tmp_path / "ours") and not find.is_paddle_model(tmp_path / "none")
    (tmp_path / "ours.json").write_text('{"any": "other file"}')
    assert not find.is_paddle_model(tmp_path / "ours")
    (tmp_path / "alone.json").write_text('{"any": "other file"}')
    assert not find.is_paddle_model(tmp_path / "alone")


# ---- damage --------------------------------------------------------------------------------------------------------


def damaged(path, rng):
    data = bytearray(path.read_bytes())
    kind = rng.integers(3)
    if kind == 0:
        return bytes(data[:rng.integers(len(data))])
    for _ in range(rng.integers(1, 4)):
        data[rng.integers(len(data))] = rng.integers(256)
    if kind == 1:
        at = rng.integers(len(data))
        data[at:at] = rng.bytes(rng.integers(1, 9))
    return bytes(data)


@pytest.mark.parametrize("name", ["flow.json", "flow2.pdmodel", "net.pdiparams", "net2.pdiparams.info"])
def test_damaged_files_give_one_kind_of_error_or_a_model(name, tmp_path):
    """Whatever the bytes: a ModelFileError, an operation that is not known, or a program, and never anything else."""
    rng, prefix = np.random.default_rng(3), name.partition(".")[0]
    for other in DATA.glob(f"{prefix}.*"):
        shutil.copy(other, tmp_path)
    refused = 0
    for _ in range(120):
        (tmp_path / name).write_bytes(damaged(DATA / name, rng))
        try:
            paddle.jit.load(tmp_path / prefix)
        except (ModelFileError, interpret.UnknownOperationError, FileNotFoundError):
            refused += 1
    assert refused > 20


def test_hostile_sizes(tmp_path):
    (tmp_path / "a.pdiparams").write_bytes(b"\0" * 16 + (2**31 - 1).to_bytes(4, "little") + b"\x08\x05")
    with pytest.raises(ModelFileError, match="description claims"):
        tensors.read(tmp_path / "a.pdiparams", ["x"])
    desc = b"\x08\x05\x10\xff\xff\xff\xff\xff\xff\xff\x7f\x10\xff\xff\xff\xff\x7f"
    (tmp_path / "a.pdiparams").write_bytes(b"\0" * 16 + len(desc).to_bytes(4, "little") + desc)
    with pytest.raises(ModelFileError, match="claims .* bytes, but 0 are left"):
        tensors.read(tmp_path / "a.pdiparams", ["x"])
    with pytest.raises(wire.WireError, match="ten bytes"):
        wire.varint(memoryview(b"\xff" * 11), 0, 11)


def test_parameters_of_another_model_are_refused(tmp_path):
    shutil.copy(DATA / "net.json", tmp_path / "a.json")
    shutil.copy(DATA / "flow.pdiparams", tmp_path / "a.pdiparams")
    with pytest.raises(ModelFileError):
        paddle.jit.load(tmp_path / "a")
