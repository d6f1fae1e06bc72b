"""The six models in Flax NNX with `nnx.jit` and `nnx.Optimizer`."""
from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from models_paddle import CLASSES, DEPTH, DROPOUT, FEEDFORWARD, HEADS, HIDDEN, SIZES, WIDTH, batch


class MLP(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.layers = nnx.List([nnx.Linear(256, 256, rngs=rngs) for _ in range(8)])

    def __call__(self, x: Any) -> Any:
        for layer in self.layers:
            x = nnx.relu(layer(x))
        return x


class LeNet(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.c1 = nnx.Conv(1, 6, (3, 3), padding=1, rngs=rngs)
        self.c2 = nnx.Conv(6, 16, (5, 5), padding="VALID", rngs=rngs)
        self.f = nnx.List([nnx.Linear(a, b, rngs=rngs) for a, b in ((400, 120), (120, 84), (84, 10))])

    def __call__(self, x: Any) -> Any:
        x = x.transpose(0, 2, 3, 1)
        x = nnx.max_pool(nnx.relu(self.c1(x)), (2, 2), (2, 2))
        x = nnx.max_pool(nnx.relu(self.c2(x)), (2, 2), (2, 2)).reshape(x.shape[0], -1)
        for f in self.f:
            x = f(x)
        return x


class Block(nnx.Module):
    def __init__(self, n_in: int, n: int, stride: int, rngs: nnx.Rngs):
        self.c1 = nnx.Conv(n_in, n, (3, 3), stride, padding=1, use_bias=False, rngs=rngs)
        self.c2 = nnx.Conv(n, n, (3, 3), padding=1, use_bias=False, rngs=rngs)
        self.n1, self.n2 = nnx.BatchNorm(n, momentum=0.9, rngs=rngs), nnx.BatchNorm(n, momentum=0.9, rngs=rngs)
        self.short = nnx.Sequential(nnx.Conv(n_in, n, (1, 1), stride, use_bias=False, rngs=rngs),
                                    nnx.BatchNorm(n, momentum=0.9, rngs=rngs)) if stride != 1 else None

    def __call__(self, x: Any) -> Any:
        y = self.n2(self.c2(nnx.relu(self.n1(self.c1(x)))))
        return nnx.relu(y + (x if self.short is None else self.short(x)))


class ResNet18(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.c = nnx.Conv(3, 64, (7, 7), 2, padding=3, use_bias=False, rngs=rngs)
        self.n = nnx.BatchNorm(64, momentum=0.9, rngs=rngs)
        sizes = [(64, 64, 1), (64, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2),
                 (256, 256, 1), (256, 512, 2), (512, 512, 1)]
        self.blocks = nnx.List([Block(*s, rngs=rngs) for s in sizes])
        self.fc = nnx.Linear(512, CLASSES["ResNet18"], rngs=rngs)

    def __call__(self, x: Any) -> Any:
        x = nnx.relu(self.n(self.c(x.transpose(0, 2, 3, 1))))
        x = nnx.max_pool(x, (3, 3), (2, 2), padding=((1, 1), (1, 1)))
        for block in self.blocks:
            x = block(x)
        return self.fc(x.mean((1, 2)))


class Encoder(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.attention = nnx.MultiHeadAttention(
            num_heads=HEADS, in_features=WIDTH, dropout_rate=DROPOUT, decode=False, rngs=rngs)
        self.n1, self.n2 = nnx.LayerNorm(WIDTH, epsilon=1e-5, rngs=rngs), nnx.LayerNorm(WIDTH, epsilon=1e-5, rngs=rngs)
        self.f1 = nnx.Linear(WIDTH, FEEDFORWARD, rngs=rngs)
        self.f2 = nnx.Linear(FEEDFORWARD, WIDTH, rngs=rngs)
        self.drop = nnx.Dropout(DROPOUT, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        x = x + self.drop(self.attention(self.n1(x), deterministic=False))
        return x + self.drop(self.f2(self.drop(jax.nn.gelu(self.f1(self.n2(x)), approximate=False))))


class Transformer(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        n = CLASSES["Transformer"]
        self.tokens = nnx.Embed(n, WIDTH, rngs=rngs)
        self.positions = nnx.Param(jnp.zeros((SIZES["Transformer"][1], WIDTH)))
        self.layers = nnx.List([Encoder(rngs) for _ in range(DEPTH)])
        self.norm = nnx.LayerNorm(WIDTH, epsilon=1e-5, rngs=rngs)
        self.head = nnx.Linear(WIDTH, n, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        x = self.tokens(x) + self.positions[...]
        for layer in self.layers:
            x = layer(x)
        return self.head(self.norm(x))


class LSTM(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.rnn = nnx.RNN(nnx.OptimizedLSTMCell(SIZES["LSTM"][2], HIDDEN, rngs=rngs), return_carry=True)
        self.fc = nnx.Linear(HIDDEN, 10, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        (_, hidden), _ = self.rnn(x)
        return self.fc(hidden)


MODELS = {"LinearNet": lambda rngs: nnx.Linear(784, 10, rngs=rngs), "MLP": MLP, "LeNet": LeNet, "ResNet18": ResNet18,
          "Transformer": Transformer, "LSTM": LSTM}


def make_step(name: str) -> Any:
    """A function that takes one training step and gives the loss."""
    model = MODELS[name](nnx.Rngs(0))
    optimizer = nnx.Optimizer(model, optax.adam(1e-3), wrt=nnx.Param)

    @nnx.jit
    def step(model: Any, optimizer: Any, x: Any, y: Any) -> Any:
        def loss_fn(model: Any) -> Any:
            return optax.softmax_cross_entropy_with_integer_labels(model(x), y[..., 0]).mean()

        loss, grads = nnx.value_and_grad(loss_fn)(model)
        optimizer.update(model, grads)
        return loss

    x, y = map(jnp.asarray, batch(name))
    return lambda: step(model, optimizer, x, y)
