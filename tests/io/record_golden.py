"""Writes a model and what it computes in the present version of the format: data/golden/v<N>/.

    python tests/io/record_golden.py

Run it once after a change of the format version, and never again for a version that has been released: the files of old
versions stay as they were, and `test_golden.py` reads all of them.
"""
from pathlib import Path
from typing import NamedTuple

import numpy as np

import kayax as paddle
from kayax import nn
from kayax.io.container import VERSION
from kayax.static import InputSpec


class Pair(NamedTuple):
    logits: paddle.Tensor
    extra: dict


class Golden(nn.Layer):
    """Statistics, dropout, tied weights, two methods, structures: what a file can hold."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)
        self.second.weight = self.first.weight
        self.norm, self.drop = nn.BatchNorm1D(4), nn.Dropout(0.5)
        self.register_buffer("count", paddle.zeros([1], "int64"))

    @paddle.jit.to_static(input_spec=[InputSpec(["batch", "width"], "float32", "x"), InputSpec([], "float32", "scale")])
    def forward(self, x, scale):
        hidden = self.drop(self.norm(self.first(x.reshape([-1, 4]))))
        self.count.add_(paddle.ones([1], "int64"))
        return Pair(self.second(hidden) * scale, {"parts": [hidden, None, 3], "name": "golden"})

    @paddle.jit.to_static(input_spec=[InputSpec(["batch", 4], "float32", "x")])
    def features(self, x):
        return paddle.tanh(self.first(x))


def main(folder: Path) -> None:
    paddle.seed(7)
    net = Golden()
    x = np.random.default_rng(0).normal(size=(4, 8)).astype("float32")
    net(paddle.to_tensor(x), paddle.to_tensor(2.0))
    paddle.jit.save(net, str(folder / "net"), constraints=["width % 4 == 0"])
    net.eval()
    out = net(paddle.to_tensor(x), paddle.to_tensor(2.0))
    out.logits.sum().backward()
    np.savez_compressed(folder / "expected.npz", x=x, logits=out.logits.numpy(), hidden=out.extra["parts"][0].numpy(),
                        features=net.features(paddle.to_tensor(x[:, :4])).numpy(), count=net.count.numpy(),
                        gradient=net.first.weight.grad.numpy())


if __name__ == "__main__":
    main(Path(__file__).parent / "data" / "golden" / f"v{VERSION}")
