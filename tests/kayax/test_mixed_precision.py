"""Saved models in 16 bits: converted files, and a predictor's own choice."""
import os
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

import kayax as paddle
from kayax import nn
from kayax.inference import Config, PlaceType, PrecisionType, convert_to_mixed_precision, create_predictor
from kayax.static import InputSpec

PADDLE = Path(__file__).parents[1] / "io" / "data" / "paddle"
X = np.random.default_rng(0).normal(size=(3, 2, 6, 6)).astype("float32")


class Net(nn.Layer):
    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.out = nn.Conv2D(2, 8, 3), nn.BatchNorm2D(8), nn.Linear(8, 300)

    def forward(self, x):
        return nn.functional.softmax(self.out(self.norm(self.conv(x)).mean([2, 3])))


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    paddle.seed(1)
    net, prefix = Net(), str(tmp_path_factory.mktemp("mixed") / "net")
    net.eval()
    paddle.jit.save(net, prefix, input_spec=[InputSpec([None, 2, 6, 6], "float32", "x")])
    return net, prefix


def convert(prefix, target, *args, **kwargs):
    files = [path + suffix for path in (prefix, str(target)) for suffix in (".pdmodel", ".pdiparams")]
    convert_to_mixed_precision(*files, *args, **kwargs)


def predict(config, x=X):
    predictor = create_predictor(config)
    predictor.get_input_handle("x").copy_from_cpu(x)
    predictor.run()
    return predictor.get_output_handle(predictor.get_output_names()[0]).copy_to_cpu()


def rounded(net, dtype):
    """The net in float32, its weights rounded."""
    other = Net()
    other.set_state_dict(net.state_dict())
    other.eval()
    for p in other.parameters():
        if p.ndim > 1:
            p.set_value(p.numpy().astype(dtype).astype("float32"))
    return other(paddle.to_tensor(X)).numpy()


@pytest.mark.parametrize(("precision", "dtype", "bound"), [
    (PrecisionType.Half, np.float16, 1e-3), (PrecisionType.Bfloat16, ml_dtypes.bfloat16, 1e-2)])
def test_a_converted_model(precision, dtype, bound, saved, tmp_path):
    net, prefix = saved
    wanted = net(paddle.to_tensor(X)).numpy()
    convert(prefix, tmp_path / "m", precision, PlaceType.CPU)
    assert os.path.getsize(tmp_path / "m.pdiparams") < 0.7 * os.path.getsize(prefix + ".pdiparams")
    loaded = paddle.jit.load(tmp_path / "m")
    out = loaded(paddle.to_tensor(X))
    assert out.dtype == paddle.float32 and loaded.out.weight.dtype.numpy == dtype
    assert loaded.norm.weight.dtype == paddle.float32
    difference = np.abs(out.numpy() - wanted).max() / wanted.max()
    assert 0 < difference < bound
    text = loaded.program()
    kind = "bf16" if precision is PrecisionType.Bfloat16 else "f16"
    assert text.count("stablehlo.convolution") and f"x{kind}>) -> tensor<?x8x4x4xf32>" in text
    # The same as a predictor's choice of precision, which computes so from the float32 files.
    if precision is PrecisionType.Bfloat16:
        config = Config(prefix)
        config.enable_mkldnn_bfloat16()
        assert config.mkldnn_bfloat16_enabled() and "bfloat16" in config.summary()
        np.testing.assert_allclose(predict(config), out.numpy(), rtol=1e-5, atol=1e-7)


def test_what_is_left_in_float32(saved, tmp_path):
    net, prefix = saved
    convert(prefix, tmp_path / "m", PrecisionType.Half, PlaceType.GPU, black_list={"conv2d", "matmul_v2", "softmax"})
    np.testing.assert_allclose(paddle.jit.load(tmp_path / "m")(paddle.to_tensor(X)).numpy(), rounded(net, np.float16),
                               rtol=1e-5, atol=1e-7)


def test_inputs_and_outputs_in_16_bits(saved, tmp_path):
    net, prefix = saved
    convert(prefix, tmp_path / "m", PrecisionType.Half, PlaceType.CPU, keep_io_types=False)
    out = predict(Config(str(tmp_path / "m")), X.astype("float16"))
    wanted = net(paddle.to_tensor(X)).numpy()
    assert out.dtype == np.float16 and np.abs(out - wanted).max() < 2e-3 * wanted.max()
    config = Config(prefix)
    config.enable_mkldnn_bfloat16()
    config.enable_low_precision_io()
    config.exp_disable_mixed_precision_ops({"conv2d"})
    out = predict(config, X.astype(ml_dtypes.bfloat16))
    assert out.dtype == ml_dtypes.bfloat16 and np.abs(out.astype("float32") - wanted).max() < 2e-2 * wanted.max()


def test_a_model_of_paddles(tmp_path):
    convert_to_mixed_precision(str(PADDLE / "net.json"), str(PADDLE / "net.pdiparams"), str(tmp_path / "m.pdmodel"),
                               str(tmp_path / "m.pdiparams"), PrecisionType.Bfloat16, PlaceType.CPU)
    recorded = np.load(PADDLE / "net.npz")
    out = paddle.jit.load(tmp_path / "m")(paddle.to_tensor(recorded["input_0_0"])).numpy()
    assert 0 < np.abs(out - recorded["output_0"]).max() < 1e-2


def test_what_cannot_be(tmp_path, saved):
    net, prefix = nn.Linear(2, 2), str(tmp_path / "big")
    net.weight.set_value(net.weight * 0 + 1e6)
    paddle.jit.save(net, prefix, input_spec=[InputSpec([None, 2])])
    with pytest.raises(ValueError, match=r"weight has values up to 1e\+06, and float16 reaches 65504. Use bfloat16"):
        convert(prefix, tmp_path / "m", PrecisionType.Half, PlaceType.CPU)
    with pytest.raises(NotImplementedError, match=r"Int8 .*: use PrecisionType\.Half"):
        convert(prefix, tmp_path / "m", PrecisionType.Int8, PlaceType.CPU)
    with pytest.raises(ValueError, match="must be PrecisionType.Half or"):
        convert(prefix, tmp_path / "m", PrecisionType.Float32, PlaceType.CPU)
    with pytest.raises(ValueError, match="with one prefix"):
        convert_to_mixed_precision(prefix + ".pdmodel", "", "a.pdmodel", "b.pdiparams", PrecisionType.Half,
                                   PlaceType.CPU)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["big.pdiparams", "big.pdiparams.info", "big.pdmodel"]
