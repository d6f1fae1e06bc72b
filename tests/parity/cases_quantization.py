"""paddle.quantization: quanters in training, observers, and converted models."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from harness import program
from specs import f32, sym


def network(P: Any, weight: Any) -> Any:
    class Net(P.nn.Layer):
        def __init__(self):
            super().__init__()
            self.fc, self.relu = P.nn.Linear(4, 3), P.nn.ReLU()

        def forward(self, x):
            return self.relu(self.fc(x))

    net = Net()
    net.fc.weight.set_value(weight)
    net.fc.bias.set_value(np.full(3, 0.1, "float32"))
    return net


def part(P: Any, name: str) -> Any:
    return importlib.import_module(f"{P.__name__}.quantization.{name}")


@program("quantization/QAT", [f32(2, 4), sym(4, 3)])
def qat(P, x, weight):
    quanter = part(P, "quanters").FakeQuanterWithAbsMaxObserver(moving_rate=0.8, bit_length=4)
    config = P.quantization.QuantConfig(activation=quanter, weight=quanter)
    net = P.quantization.QAT(config).quantize(network(P, weight))
    x = P.to_tensor(x, stop_gradient=False)
    outs = [net(x * k) for k in (1.0, 2.0, 0.5)]
    outs[-1].sum().backward()
    grads = x.grad, net.fc.weight.grad
    net.eval()
    return outs, grads, net(x), list(net.state_dict()), [v.numpy() for v in net.state_dict().values()]


@program("quantization/PTQ", [f32(2, 4), sym(4, 3)])
def ptq(P, x, weight):
    observer = part(P, "observers").AbsmaxObserver(quant_bits=6)
    config = P.quantization.QuantConfig(activation=None, weight=None)
    config.add_type_config(P.nn.Linear, activation=observer, weight=observer)
    ptq = P.quantization.PTQ(config)
    net = network(P, weight)
    net.eval()
    net = ptq.quantize(net)
    x = P.to_tensor(x)
    seen = [net(x), net(2 * x)]
    converted = ptq.convert(net)
    whole = ptq.convert(net, remain_weight=True)
    return seen, converted(x), whole(x), converted.fc.weight, list(converted.state_dict())


@program("nn.quant.weight_quantize", [f32(128, 64)])
def weight_quantize(P, weight):
    weight = P.to_tensor(weight)
    scales = [P.nn.quant.weight_quantize(weight.astype("float16"), "llm.int8", 80, g)[1] for g in (-1, 64)]
    return [P.nn.quant.weight_quantize(weight.astype("float16"), arch=80)[1].astype("float32"), *scales]
