"""ONNX files: checked by onnx, run by onnxruntime, compared with the eager run."""
import numpy as np
import pytest

import kayax as paddle
from kayax import nn
from kayax.static import InputSpec

onnx = pytest.importorskip("onnx", reason="needs the extra: pip install kayax[interop]")
ort = pytest.importorskip("onnxruntime", reason="needs the extra: pip install kayax[interop]")
from kayax import convert  # noqa: E402
from kayax.cli.main import main  # noqa: E402

F = nn.functional


def run(path, arrays):
    options = ort.SessionOptions()
    options.log_severity_level = 3
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return session.run(None, dict(zip([i.name for i in session.get_inputs()], arrays, strict=True)))


@pytest.mark.parametrize("name", ["net", "encoder", "recurrent", "flow"])
def test_a_saved_model_runs_in_onnxruntime_at_any_size(name, saved, tmp_path):
    prefix, calls = saved(name)
    path = convert.to_onnx(prefix, tmp_path / name)
    for arrays, wanted in calls:
        np.testing.assert_allclose(run(path, arrays)[0], wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet50", "mobilenet_v2", "mobilenet_v3_small"])
def test_models_of_the_zoo(name, tmp_path):
    paddle.seed(1)
    model = getattr(paddle.vision.models, name)(num_classes=10)
    model.eval()
    path = convert.to_onnx(model, tmp_path / "m", [InputSpec(["n", 3, 64, 64], "float32", "x")])
    for n in (1, 2):
        x = np.random.default_rng(n).normal(size=(n, 3, 64, 64)).astype("float32")
        wanted = model(paddle.to_tensor(x)).numpy()
        np.testing.assert_allclose(run(path, [x])[0], wanted, atol=1e-4 * np.abs(wanted).max())


@pytest.mark.parametrize("options", [[], ["--weights", "float16"]])
def test_the_command_line_writes_onnx(options, saved, tmp_path, capsys):
    prefix, calls = saved("net")
    assert main(["export", str(prefix), "--to", "onnx", "--output", str(tmp_path / "m"), *options]) == 0
    (arrays, wanted), *_ = calls
    np.testing.assert_allclose(run(capsys.readouterr().out.strip(), arrays)[0], wanted, atol=1e-2 if options else 1e-5)


def test_names_and_open_dims_are_kept(saved, tmp_path):
    prefix, _ = saved("encoder")
    graph = onnx.load(convert.to_onnx(prefix, tmp_path / "m")).graph
    shapes = {v.name: [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim]
              for v in (*graph.input, *graph.output)}
    assert shapes == {"ids": ["b", "s"], "mask": ["b", "s"], "output_0": ["b", 3]}
    assert "out.weight" in {i.name for i in graph.initializer}
    assert "Erf" in {node.op_type for node in graph.node}       # JAX writes a polynomial of 100 operations


def test_a_convolution_is_one_node(tmp_path):
    net = nn.Sequential(nn.Conv2D(4, 4, 3, groups=4), nn.Conv2D(4, 8, 2), nn.AdaptiveAvgPool2D(2),
                        nn.Conv2D(8, 8, 3, padding=1, groups=2))
    path = convert.to_onnx(net, tmp_path / "m", [InputSpec([None, 4, 6, 6], "float32", "x")])
    assert [n.op_type for n in onnx.load(path).graph.node].count("Conv") == 3
    x = np.linspace(-1, 1, 288, dtype="float32").reshape(2, 4, 6, 6)
    np.testing.assert_allclose(run(path, [x])[0], net(paddle.to_tensor(x)).numpy(), atol=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_parameters_in_half_the_space(dtype, tmp_path):
    paddle.seed(0)
    net, spec = nn.Linear(64, 64), [InputSpec([None, 64], "float32", "x")]
    x = np.linspace(-1, 1, 128, dtype="float32").reshape(2, 64)
    full = convert.to_onnx(net, tmp_path / "full", spec)
    half = convert.to_onnx(net, tmp_path / "half", spec, weights=dtype)
    assert (tmp_path / "half.onnx").stat().st_size < 0.6 * (tmp_path / "full.onnx").stat().st_size
    np.testing.assert_allclose(run(half, [x])[0], run(full, [x])[0], atol=0.02)


def test_paddle_onnx_export(tmp_path):
    net = nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.5))
    paddle.onnx.export(net, str(tmp_path / "m"), [InputSpec([None, 3], "float32", "x")])
    x = np.ones((2, 3), "float32")
    assert net.training
    net.eval()
    np.testing.assert_allclose(run(tmp_path / "m.onnx", [x])[0], net(paddle.to_tensor(x)).numpy(), rtol=1e-6)
    with pytest.raises(ValueError, match="opset_version=9"):
        paddle.onnx.export(net, str(tmp_path / "m"), [InputSpec([None, 3])], opset_version=9)


def test_everything_that_is_missing_is_named(tmp_path):
    def function(x):
        return paddle.fft.fft(x).abs() + paddle.linalg.cholesky(paddle.matmul(x, x.T))

    with pytest.raises(convert.ExportError, match=r"3 operations .*: complex64 constant, custom_call .*, fft"):
        convert.to_onnx(function, tmp_path / "m", [InputSpec([3, 3])])
    with pytest.raises(convert.ExportError, match="draws random numbers"):
        convert.to_onnx(lambda x: F.dropout(x, 0.5), tmp_path / "m", [InputSpec([4])])


X = np.random.default_rng(0).normal(size=(2, 4, 6, 6)).astype("float32")
M, V = X[0, 0], np.abs(X[0, 0]) + 0.1
PLACES = np.array([[0, 3, 1], [2, 2, 5]])


def written(x):
    y = x.clone()
    y[0] = 1.0
    y[:, 2] = x[0]
    return y


# Functions of many operations each: programs are written, and sessions opened, once for each.
MANY = {
    "convolutions": (lambda x: [
        F.conv2d_transpose(x, paddle.ones([4, 3, 3, 3]), stride=2, padding=1, output_padding=1),
        F.conv1d(x[:, :, 0], paddle.ones([6, 2, 3]), padding=1, groups=2),
        F.conv2d(x, paddle.ones([4, 1, 3, 3]), dilation=2, groups=4),
        F.conv2d(x.transpose([0, 2, 3, 1]), paddle.ones([3, 4, 3, 3]), data_format="NHWC")], [X]),
    "pooling": (lambda x: [
        F.max_pool2d(x, 3, 2, 0, ceil_mode=True), F.avg_pool2d(x, 3, 2, 1), F.avg_pool2d(x, 3, 2, 1, exclusive=False),
        F.adaptive_avg_pool2d(x, [4, 3]), F.max_pool1d(x[:, :, 0], 2),
        F.interpolate(x, scale_factor=2, mode="bilinear"),
        F.pad(x, [1, 2, 0, 1], value=3.0), F.pad(x, [1, 2, 2, 1], mode="reflect"), F.pixel_shuffle(x, 2),
        F.group_norm(x, 2) + F.instance_norm(x) + F.local_response_norm(x, 3)], [X]),
    "choosing": (lambda x, i: [
        paddle.topk(x, 3), paddle.sort(x, 1, descending=True), paddle.argsort(x, 0), paddle.argmax(x, 1),
        paddle.gather(x, i[0], 1), x[i], x[i, i], paddle.take_along_axis(x[:2], i, 1), F.one_hot(i, 7), written(x),
        paddle.index_add(x, i[1], 0, x[:3]), paddle.scatter(x, i[1], x[:3] * 1e9),
        paddle.put_along_axis(x, i, x[1:3, :3], 1, "amax", broadcast=False),
        paddle.where(x > 0, x, -x), F.embedding(i, x, padding_idx=2)],
                 [M, PLACES]),
    "elementwise": (lambda x: [
        F.relu6(x) + F.selu(x) + F.softplus(x) + F.mish(x) + F.hardsigmoid(x) + F.leaky_relu(x) + F.celu(x),
        F.gelu(x), F.gelu(x, True), paddle.log1p(x * 1e-4), paddle.expm1(x * 1e-4), x % 0.7, paddle.trunc(x * 3),
        paddle.atan2(x, x + 1), paddle.round(x * 2), paddle.isnan(x / (x - x)), ((x > 0) & (x < 1)) ^ (x == 0)], [V]),
    "reductions": (lambda x: [
        x.sum(1), x.max(0), x.prod(1), (x > 0).any(1), (x > 0).all(), paddle.logsumexp(x, 1), x.std(), x.norm(),
        paddle.cumsum(x, 1), paddle.cumprod(x, 1), paddle.einsum("ij,kj->ik", x, x), F.softmax(x, 0)], [M]),
}


def of_open_sizes(x):
    one = F.conv2d_transpose(x.unsqueeze([0, 1]), paddle.ones([1, 1, 2, 3]), stride=2)
    row = x[:1]
    rows = paddle.concat([row, row - 1e9, -row])
    rows = paddle.scatter(paddle.ones([4, 1]) * row, paddle.to_tensor([1, 0, 1]), rows)
    return [paddle.cumsum(x, 1), rows, one]


def flat(value):
    return [v for e in value for v in flat(e)] if isinstance(value, (list, tuple)) else [value]


def read_back(path, arrays):
    return [out.numpy() for out in paddle.jit.load(path)(*map(paddle.to_tensor, arrays))]


@pytest.mark.parametrize("export, again", [(convert.to_onnx, run), (convert.to_paddle, read_back)])
def test_running_sums_writes_and_gaps_of_open_sizes(export, again, tmp_path):
    """Of a row that is written twice the last value counts: the others are written out of range, and left away."""
    path = export(of_open_sizes, tmp_path / "m", [InputSpec(["n", "s"], "float32", "x")])
    for x in (M, M[:3, :5]):
        for got, wanted in zip(again(path, [x]), of_open_sizes(paddle.to_tensor(x)), strict=True):
            np.testing.assert_allclose(got, wanted.numpy(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", MANY)
def test_many_operations(name, tmp_path):
    function, arrays = MANY[name]
    specs = [InputSpec(list(a.shape), str(a.dtype), f"x{i}") for i, a in enumerate(arrays)]
    got = run(convert.to_onnx(function, tmp_path / "m", specs), arrays)
    for array, wanted in zip(got, flat(function(*map(paddle.to_tensor, arrays))), strict=True):
        assert array.shape == tuple(wanted.shape)
        np.testing.assert_allclose(array, wanted.numpy(), rtol=1e-4, atol=1e-5)
