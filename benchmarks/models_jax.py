"""The six models written by hand in JAX and optax: the limit that the benchmark measures against."""
from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import lax
from models_paddle import CLASSES, DEPTH, DROPOUT, FEEDFORWARD, HEADS, HIDDEN, SIZES, WIDTH, batch

Params = dict[str, Any]


def _dense(key: Any, n_in: int, n_out: int) -> Params:
    return {"w": jax.random.normal(key, (n_in, n_out)) * (2 / (n_in + n_out)) ** 0.5, "b": jnp.zeros(n_out)}


def _conv(key: Any, n_out: int, n_in: int, k: int, bias: bool = False) -> Params:
    p = {"w": jax.random.normal(key, (n_out, n_in, k, k)) * (2 / (n_in * k * k)) ** 0.5}
    return p | {"b": jnp.zeros(n_out)} if bias else p


def dense(p: Params, x: Any) -> Any:
    return x @ p["w"] + p["b"]


def conv(p: Params, x: Any, stride: int = 1, padding: int = 0) -> Any:
    y = lax.conv_general_dilated(x, p["w"], (stride, stride), [(padding, padding)] * 2,
                                 dimension_numbers=("NCHW", "OIHW", "NCHW"))
    return y + p["b"][:, None, None] if "b" in p else y


def max_pool(x: Any, k: int, stride: int, padding: int = 0) -> Any:
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, k, k), (1, 1, stride, stride),
                             [(0, 0), (0, 0), (padding, padding), (padding, padding)])


def cross_entropy(logits: Any, labels: Any) -> Any:
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels[..., 0]).mean()


def layer_norm(p: Params, x: Any) -> Any:
    mean = x.mean(-1, keepdims=True)
    variance = jnp.square(x - mean).mean(-1, keepdims=True)
    return (x - mean) * lax.rsqrt(variance + 1e-5) * p["w"] + p["b"]


def dropout(x: Any, key: Any) -> Any:
    return jnp.where(jax.random.bernoulli(key, 1 - DROPOUT, x.shape), x / (1 - DROPOUT), 0.0)


def _norm(n: int) -> Params:
    return {"w": jnp.ones(n), "b": jnp.zeros(n)}


# ---- models: init(keys) -> (params, state); apply(params, state, x, key) -> (logits, state) --------------------


def linear_init(keys: Any) -> tuple[Params, Params]:
    return _dense(next(keys), 784, 10), {}


def linear_apply(p: Params, state: Params, x: Any, key: Any) -> tuple[Any, Params]:
    return dense(p, x), state


def mlp_init(keys: Any) -> tuple[Params, Params]:
    return {f"l{i}": _dense(next(keys), 256, 256) for i in range(8)}, {}


def mlp_apply(p: Params, state: Params, x: Any, key: Any) -> tuple[Any, Params]:
    for i in range(8):
        x = jax.nn.relu(dense(p[f"l{i}"], x))
    return x, state


def lenet_init(keys: Any) -> tuple[Params, Params]:
    return {"c1": _conv(next(keys), 6, 1, 3, True), "c2": _conv(next(keys), 16, 6, 5, True),
            "f1": _dense(next(keys), 400, 120), "f2": _dense(next(keys), 120, 84), "f3": _dense(next(keys), 84, 10)}, {}


def lenet_apply(p: Params, state: Params, x: Any, key: Any) -> tuple[Any, Params]:
    x = max_pool(jax.nn.relu(conv(p["c1"], x, padding=1)), 2, 2)
    x = max_pool(jax.nn.relu(conv(p["c2"], x)), 2, 2)
    x = x.reshape(x.shape[0], -1)
    return dense(p["f3"], dense(p["f2"], dense(p["f1"], x))), state


def batch_norm(p: Params, s: Params, x: Any) -> tuple[Any, Params]:
    mean = x.mean((0, 2, 3))
    variance = jnp.square(x).mean((0, 2, 3)) - jnp.square(mean)
    scale = p["w"] * lax.rsqrt(variance + 1e-5)
    y = x * scale[:, None, None] + (p["b"] - mean * scale)[:, None, None]
    return y, {"m": 0.9 * s["m"] + 0.1 * mean, "v": 0.9 * s["v"] + 0.1 * variance}


_BLOCKS = [(64, 64, 1), (64, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2),
           (256, 256, 1), (256, 512, 2), (512, 512, 1)]


def resnet_init(keys: Any) -> tuple[Params, Params]:
    p: Params = {"c": _conv(next(keys), 64, 3, 7), "n": _norm(64), "fc": _dense(next(keys), 512, CLASSES["ResNet18"])}
    s: Params = {"n": {"m": jnp.zeros(64), "v": jnp.ones(64)}}
    for i, (n_in, n, stride) in enumerate(_BLOCKS):
        p[f"b{i}"] = {"c1": _conv(next(keys), n, n_in, 3), "n1": _norm(n),
                      "c2": _conv(next(keys), n, n, 3), "n2": _norm(n)}
        s[f"b{i}"] = {k: {"m": jnp.zeros(n), "v": jnp.ones(n)} for k in ("n1", "n2")}
        if stride != 1:
            p[f"b{i}"] |= {"cd": _conv(next(keys), n, n_in, 1), "nd": _norm(n)}
            s[f"b{i}"]["nd"] = {"m": jnp.zeros(n), "v": jnp.ones(n)}
    return p, s


def resnet_apply(p: Params, state: Params, x: Any, key: Any) -> tuple[Any, Params]:
    new: Params = {}
    x, new["n"] = batch_norm(p["n"], state["n"], conv(p["c"], x, 2, 3))
    x = max_pool(jax.nn.relu(x), 3, 2, 1)
    for i, (_, _, stride) in enumerate(_BLOCKS):
        b, s = p[f"b{i}"], state[f"b{i}"]
        n: Params = {}
        y, n["n1"] = batch_norm(b["n1"], s["n1"], conv(b["c1"], x, stride, 1))
        y, n["n2"] = batch_norm(b["n2"], s["n2"], conv(b["c2"], jax.nn.relu(y), 1, 1))
        if "cd" in b:
            x, n["nd"] = batch_norm(b["nd"], s["nd"], conv(b["cd"], x, stride))
        x = jax.nn.relu(x + y)
        new[f"b{i}"] = n
    return dense(p["fc"], x.mean((2, 3))), new


def transformer_init(keys: Any) -> tuple[Params, Params]:
    n = CLASSES["Transformer"]
    p: Params = {"tokens": jax.random.normal(next(keys), (n, WIDTH)) * 0.02, "norm": _norm(WIDTH),
                 "positions": jax.random.normal(next(keys), (SIZES["Transformer"][1], WIDTH)) * 0.02,
                 "head": _dense(next(keys), WIDTH, n)}
    for i in range(DEPTH):
        p[f"l{i}"] = {k: _dense(next(keys), WIDTH, WIDTH) for k in "qkvo"} | {
            "n1": _norm(WIDTH), "n2": _norm(WIDTH), "f1": _dense(next(keys), WIDTH, FEEDFORWARD),
            "f2": _dense(next(keys), FEEDFORWARD, WIDTH)}
    return p, {}


def attention(p: Params, x: Any, key: Any) -> Any:
    b, t, _ = x.shape
    q, k, v = (dense(p[n], x).reshape(b, t, HEADS, -1).swapaxes(1, 2) for n in "qkv")
    weights = jax.nn.softmax(q @ k.swapaxes(2, 3) * (WIDTH // HEADS) ** -0.5)
    return dense(p["o"], (dropout(weights, key) @ v).swapaxes(1, 2).reshape(b, t, WIDTH))


def transformer_apply(p: Params, state: Params, x: Any, key: Any) -> tuple[Any, Params]:
    h = p["tokens"][x] + p["positions"]
    for i in range(DEPTH):
        layer = p[f"l{i}"]
        key, k1, k2, k3, k4 = jax.random.split(key, 5)
        h = h + dropout(attention(layer, layer_norm(layer["n1"], h), k1), k2)
        y = jax.nn.gelu(dense(layer["f1"], layer_norm(layer["n2"], h)), approximate=False)
        h = h + dropout(dense(layer["f2"], dropout(y, k3)), k4)
    return dense(p["head"], layer_norm(p["norm"], h)), state


def lstm_init(keys: Any) -> tuple[Params, Params]:
    n_in = SIZES["LSTM"][2]
    return {"x": _dense(next(keys), n_in, 4 * HIDDEN), "h": _dense(next(keys), HIDDEN, 4 * HIDDEN),
            "fc": _dense(next(keys), HIDDEN, 10)}, {}


def lstm_apply(p: Params, state: Params, x: Any, key: Any) -> tuple[Any, Params]:
    gates = dense(p["x"], x).swapaxes(0, 1)

    def step(carry: tuple, g: Any) -> tuple:
        h, c = carry
        i, f, z, o = jnp.split(g + dense(p["h"], h), 4, -1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(z)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    zeros = jnp.zeros((x.shape[0], HIDDEN))
    (h, _), _ = lax.scan(step, (zeros, zeros), gates)
    return dense(p["fc"], h), state


MODELS = {"LinearNet": (linear_init, linear_apply), "MLP": (mlp_init, mlp_apply), "LeNet": (lenet_init, lenet_apply),
          "ResNet18": (resnet_init, resnet_apply), "Transformer": (transformer_init, transformer_apply),
          "LSTM": (lstm_init, lstm_apply)}


def make_step(name: str) -> Any:
    """A function that takes one training step and gives the loss."""
    init, apply = MODELS[name]
    params, state = init(iter(jax.random.split(jax.random.key(0), 200)))
    optimizer = optax.adam(1e-3)
    held = [params, state, optimizer.init(params), jax.random.key(1)]

    @functools.partial(jax.jit, donate_argnums=(0, 1, 2, 3))
    def step(params: Any, state: Any, slots: Any, key: Any, x: Any, y: Any) -> tuple:
        key, sub = jax.random.split(key)

        def loss_fn(params: Any) -> tuple:
            logits, new = apply(params, state, x, sub)
            return cross_entropy(logits, y), new

        (loss, state), grads = jax.value_and_grad(loss_fn, has_aux=True)(params)
        updates, slots = optimizer.update(grads, slots, params)
        return optax.apply_updates(params, updates), state, slots, key, loss

    x, y = map(jnp.asarray, batch(name))

    def run() -> Any:
        *held[:], loss = step(*held, x, y)
        return loss

    return run
