"""paddle.quantization beyond what is compared with Paddle in tests/parity."""
import numpy as np
import pytest

import kayax as paddle
from kayax import nn, quantization
from kayax.quantization.observers import AbsmaxObserver, GroupWiseWeightObserver
from kayax.quantization.quanters import FakeQuanterWithAbsMaxObserver


def quantized(**options):
    quanter = FakeQuanterWithAbsMaxObserver(**options)
    net = nn.Sequential(nn.Linear(4, 2))
    return quantization.QAT(quantization.QuantConfig(quanter, quanter)).quantize(net)


def test_training_and_conversion_of_a_whole_step():
    x = paddle.randn([8, 4])
    results = []
    for convert in (False, True):
        paddle.seed(1)
        net = quantized()
        sgd = paddle.optimizer.SGD(0.1, parameters=net.parameters())

        def step(x, net=net, sgd=sgd):
            loss = (net(x) - 1).square().mean()
            loss.backward()
            sgd.step()
            sgd.clear_grad()
            return loss

        run = paddle.jit.to_static(step) if convert else step
        results.append([float(run(x)) for _ in range(4)])
    np.testing.assert_allclose(results[0], results[1], rtol=1e-5)
    assert results[0][-1] < results[0][0]


def test_a_converted_model_can_be_saved(tmp_path):
    net = quantized()
    x = paddle.randn([8, 4])
    for _ in range(30):
        net(x)
    net.eval()
    fixed = quantization.QAT(quantization.QuantConfig(None, None)).convert(net)
    np.testing.assert_allclose(fixed(x).numpy(), net(x).numpy(), atol=0.05)
    assert (fixed[0].weight.numpy() % 1 == 0).all()
    paddle.jit.save(fixed, str(tmp_path / "net"), input_spec=[paddle.static.InputSpec([8, 4], "float32")])
    np.testing.assert_allclose(paddle.jit.load(str(tmp_path / "net"))(x).numpy(), fixed(x).numpy(), rtol=1e-6)


def test_a_quanter_of_ones_own():
    @quantization.quanter("Halver")
    class HalverLayer(quantization.BaseQuanter):
        def __init__(self, layer, factor=0.5):
            super().__init__()
            self.factor = factor

        def forward(self, input):
            return input * self.factor

        def scales(self):
            return None

        zero_points = quant_axis = bit_length = scales

    config = quantization.QuantConfig(None, None)
    net = nn.Sequential(nn.ReLU())
    config.add_layer_config(net[0], activation=globals()["Halver"](factor=0.25))
    out = quantization.QAT(config).quantize(net)(paddle.to_tensor([4.0]))
    assert out.tolist() == [1.0] and "Halver(0.25)" in str(config)


def test_scales_by_groups():
    weight = np.random.RandomState(0).standard_normal((128, 3)).astype("float32")
    observer = GroupWiseWeightObserver(group_size=64)._instance(None)
    observer(paddle.to_tensor(weight))
    np.testing.assert_allclose(observer.scales().numpy(), np.abs(weight).reshape(2, 64, 3).max(1), rtol=1e-6)


def test_weights_of_eight_bits():
    x, weight = paddle.randn([2, 64]), paddle.randn([64, 32])
    whole, scale = nn.quant.weight_quantize(weight, group_size=64)
    assert whole.dtype == paddle.int8 and whole.shape == [32, 64]
    back = nn.quant.weight_dequantize(whole, scale, out_dtype="float32", group_size=64)
    np.testing.assert_allclose(back.numpy(), weight.numpy(), atol=0.02)
    out = nn.quant.weight_only_linear(x, whole, weight_scale=scale, group_size=64)
    np.testing.assert_allclose(out.numpy(), (x @ back).numpy(), atol=1e-4)


def test_errors():
    with pytest.raises(AssertionError, match="call model.train"):
        quantization.QAT(quantization.QuantConfig(None, None)).quantize(nn.Linear(1, 1).eval())
    with pytest.raises(AssertionError, match="call model.eval"):
        quantization.PTQ(quantization.QuantConfig(AbsmaxObserver(), None)).quantize(nn.Linear(1, 1))
    with pytest.raises(NotImplementedError, match="4 bits are not"):
        nn.quant.weight_quantize(paddle.ones([64, 1]), "weight_only_int4")
