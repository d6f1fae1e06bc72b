"""safetensors, Orbax, PyTorch's state dicts; StableHLO files and the command line."""
import json
import struct

import ml_dtypes
import numpy as np
import pytest

import kayax as paddle
from kayax import convert, nn
from kayax.cli.main import main
from kayax.io.container import ModelFileError
from kayax.static import InputSpec


def small():
    return nn.Sequential(nn.Conv2D(1, 2, 3), nn.BatchNorm2D(2), nn.Flatten(), nn.Linear(8, 3))


def equal(a, b):
    return all(np.array_equal(x.numpy(), y.numpy()) for x, y in zip(a.state_dict().values(), b.state_dict().values(),
                                                                   strict=True))


def test_safetensors_there_and_back(tmp_path):
    pytest.importorskip("safetensors", reason="needs the extra: pip install kayax[interop]")
    net, other = small(), small()
    convert.save_safetensors(net, tmp_path / "w.safetensors", {"made by": "a test"})
    other.set_state_dict(convert.load_safetensors(tmp_path / "w.safetensors"))
    assert equal(net, other)
    size, = struct.unpack("<Q", (tmp_path / "w.safetensors").read_bytes()[:8])
    header = json.loads((tmp_path / "w.safetensors").read_bytes()[8:8 + size])
    assert header["0.weight"]["shape"] == [2, 1, 3, 3] and header["__metadata__"] == {"made by": "a test"}


def test_safetensors_dtypes_and_damage(tmp_path):
    pytest.importorskip("safetensors", reason="needs the extra: pip install kayax[interop]")
    arrays = {"b": np.array([1.5, 2], ml_dtypes.bfloat16), "i": np.array(7), "e": np.zeros((0, 2), np.float16)}
    convert.save_safetensors(arrays, tmp_path / "w")
    back = convert.load_safetensors(tmp_path / "w", return_numpy=True)
    assert all(np.array_equal(back[k], a) and back[k].dtype == a.dtype for k, a in arrays.items())
    (tmp_path / "w").write_bytes((tmp_path / "w").read_bytes()[:-1])
    with pytest.raises(ModelFileError, match="no safetensors file"):
        convert.load_safetensors(tmp_path / "w")


@pytest.mark.filterwarnings("ignore")           # Orbax's own
def test_orbax_there_and_back(tmp_path):
    pytest.importorskip("orbax.checkpoint", reason="needs the extra: pip install kayax[interop]")
    net, other = small(), small()
    convert.save_orbax(net, tmp_path / "checkpoint")
    convert.load_orbax(other, tmp_path / "checkpoint")
    assert equal(net, other)
    with pytest.raises(ValueError, match=r"weight: here \[2, 2\], in the checkpoint none"):
        convert.load_orbax(nn.Linear(2, 2), tmp_path / "checkpoint")


class Reader(nn.Layer):
    def __init__(self):
        super().__init__()
        self.net, self.lstm, self.attention = small(), nn.LSTM(3, 2), nn.MultiHeadAttention(4, 2)


def torch_state():
    """A state dict with PyTorch's names and layouts."""
    rng = np.random.default_rng(0)
    shapes = {"net.0.weight": (2, 1, 3, 3), "net.0.bias": (2,), "net.1.weight": (2,), "net.1.bias": (2,),
              "net.1.running_mean": (2,), "net.1.running_var": (2,), "net.3.weight": (3, 8), "net.3.bias": (3,),
              "lstm.weight_ih_l0": (8, 3), "lstm.weight_hh_l0": (8, 2), "lstm.bias_ih_l0": (8,),
              "lstm.bias_hh_l0": (8,),
              "attention.in_proj_weight": (12, 4), "attention.in_proj_bias": (12,),
              "attention.out_proj.weight": (4, 4), "attention.out_proj.bias": (4,)}
    return {n: rng.normal(size=s).astype("float32") for n, s in shapes.items()} | {
        "net.1.num_batches_tracked": np.array(3)}


def test_a_torch_state_dict_fills_a_layer():
    layer, given = Reader(), torch_state()
    report = convert.load_torch(layer, given)
    assert report.complete and report.matched["net.1._mean"] == "net.1.running_mean"
    here = {n: t.numpy() for n, t in layer.state_dict().items()}
    np.testing.assert_array_equal(here["net.3.weight"], given["net.3.weight"].T)
    np.testing.assert_array_equal(here["attention.k_proj.weight"], given["attention.in_proj_weight"][4:8].T)
    np.testing.assert_array_equal(here["lstm.weight_ih_l0"], given["lstm.weight_ih_l0"])


def test_what_does_not_match_is_reported():
    layer, given = Reader(), torch_state()
    before = layer.net[3].bias.numpy()
    given["extra.weight"] = np.zeros(2)
    given["net.0.bias"] = np.zeros(5)
    del given["net.1.weight"]
    with pytest.raises(ValueError, match="1 without a value: net.1.weight\n1 without a place: extra.weight\n"
                                         r"net.0.bias: here \[2\], given \[5\]"):
        convert.load_torch(layer, given)
    np.testing.assert_array_equal(layer.net[3].bias.numpy(), before)
    report = convert.load_torch(layer, given, strict=False)
    assert not report.complete and report.mismatched == {"net.0.bias": ([2], [5])}
    renamed = {n.replace("net.", "module.body."): a for n, a in torch_state().items()}
    assert convert.load_torch(layer, renamed, rename={"module.body.": "net."}).complete


def test_torch_itself():
    torch = pytest.importorskip("torch", reason="needs PyTorch: pip install kayax[torch]")
    theirs = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.Flatten(),
                                 torch.nn.Linear(8, 3)).eval()
    ours = small()
    convert.load_torch(ours, theirs)
    ours.eval()
    x = np.random.default_rng(0).normal(size=(2, 1, 4, 4)).astype("float32")
    np.testing.assert_allclose(ours(paddle.to_tensor(x)).numpy(), theirs(torch.tensor(x)).detach().numpy(), rtol=1e-4,
                               atol=1e-6)


def test_stablehlo_files_say_what_they_take(saved, tmp_path):
    pytest.importorskip("safetensors", reason="needs the extra: pip install kayax[interop]")
    prefix, _ = saved("net")
    text = convert.to_stablehlo(prefix, tmp_path / "m")
    code = convert.to_stablehlo(prefix, tmp_path / "m", form="bytecode")
    assert text.endswith("m.mlir") and "stablehlo.convolution" in (tmp_path / "m.mlir").read_text()
    assert ".py" not in (tmp_path / "m.mlir").read_text()       # nothing of the machine that made it
    assert code.endswith("m.mlirbc") and (tmp_path / "m.mlirbc").read_bytes()[:4] == b"ML\xefR"
    table = json.loads((tmp_path / "m.arguments.json").read_text())
    assert table["inputs"] == 1 and table["arguments"][0] == {"name": "x", "shape": ["n", 2, 8, 8], "dtype": "float32"}
    stored = convert.load_safetensors(tmp_path / "m.safetensors")
    assert {a["name"] for a in table["arguments"][1:]} <= stored.keys()


@pytest.mark.slow
def test_iree_runs_the_module(tmp_path):
    """Another compiler and runtime, without JAX or Python in what is run."""
    compiler = pytest.importorskip("iree.compiler", reason="needs pip install iree-base-compiler iree-base-runtime")
    runtime = pytest.importorskip("iree.runtime", reason="needs pip install iree-base-compiler iree-base-runtime")
    net = small()
    net.eval()
    convert.to_stablehlo(net, tmp_path / "m", [InputSpec([2, 1, 4, 4], "float32", "x")])
    binary = compiler.compile_str((tmp_path / "m.mlir").read_text(), target_backends=["llvm-cpu"],
                                  input_type="stablehlo", extra_args=["--iree-llvmcpu-target-cpu=host"])
    context = runtime.SystemContext(config=runtime.Config("local-task"))
    context.add_vm_module(runtime.VmModule.copy_buffer(context.instance, binary))
    table = json.loads((tmp_path / "m.arguments.json").read_text())["arguments"]
    weights = convert.load_safetensors(tmp_path / "m.safetensors", return_numpy=True)
    x = np.random.default_rng(0).normal(size=(2, 1, 4, 4)).astype("float32")
    got = context.modules["jit_main"].main(x, *(weights[a["name"]] for a in table[1:])).to_host()
    np.testing.assert_allclose(got, net(paddle.to_tensor(x)).numpy(), rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_tensorflow_runs_a_saved_model(saved, tmp_path):
    tf = pytest.importorskip("tensorflow", reason="needs TensorFlow: pip install kayax[tensorflow]")
    prefix, calls = saved("encoder")
    run = tf.saved_model.load(convert.to_saved_model(prefix, tmp_path / "m")).signatures["serving_default"]
    for (ids, mask), wanted in calls:
        got = run(ids=tf.constant(ids), mask=tf.constant(mask))["output_0"].numpy()
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)


def test_the_command_line(saved, tmp_path, capsys):
    pytest.importorskip("safetensors", reason="needs the extra: pip install kayax[interop]")
    prefix, _ = saved("flow")
    assert main(["export", str(prefix), "--to", "paddle", "--output", str(tmp_path / "p")]) == 0
    assert main(["export", str(tmp_path / "p"), "--to", "safetensors", "--output", str(tmp_path / "w")]) == 0
    assert capsys.readouterr().out.split() == [str(tmp_path / "p"), str(tmp_path / "w")]
    for form, suffix in (("stablehlo", ".mlir"), ("stablehlo-bytecode", ".mlirbc")):
        assert main(["export", str(prefix), "--to", form, "--output", str(tmp_path / "s")]) == 0
        assert (tmp_path / f"s{suffix}").stat().st_size and capsys.readouterr().out.strip().endswith(suffix)
    assert main(["export", str(prefix), "--to", "paddle", "--method", "other"]) == 2
    assert "no method 'other', only forward" in capsys.readouterr().err
    assert main(["export", str(tmp_path / "none"), "--to", "onnx"]) == 2
