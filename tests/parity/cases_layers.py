"""Layers as objects: names, state dicts, traversal, modes, initializers, parameter attributes."""

from __future__ import annotations

import numpy as np
from harness import fill_layer, layer, program
from specs import f32


def small_net(P):
    class Net(P.nn.Layer):
        def __init__(self):
            super().__init__()
            self.conv = P.nn.Conv2D(1, 2, 3, padding=1)
            self.norm = P.nn.BatchNorm2D(2)
            self.block = P.nn.Sequential(P.nn.Linear(4, 3), P.nn.ReLU(), P.nn.Linear(3, 2))
            self.scale = self.create_parameter([2], default_initializer=P.nn.initializer.Constant(1.5))
            self.register_buffer("steps", P.zeros([1]))
            self.register_buffer("hidden", P.ones([1]), persistable=False)
            self.items = P.nn.LayerList([P.nn.Linear(2, 2), P.nn.Tanh()])

        def forward(self, x):
            x = self.norm(self.conv(x)).mean(axis=1)
            x = self.block(x) * self.scale
            for item in self.items:
                x = item(x)
            return x

    return Net()


layer("layer/small-net", small_net, [f32(2, 1, 3, 4)], grad_atol=1e-4)
layer("layer/small-net-eval", small_net, [f32(2, 1, 3, 4)], train=False)
layer("layer/tied", lambda P: tied(P), [f32(2, 3)])


def tied(P):
    class Tied(P.nn.Layer):
        def __init__(self):
            super().__init__()
            self.first = P.nn.Linear(3, 3)
            self.second = P.nn.Linear(3, 3)
            self.second.weight = self.first.weight

        def forward(self, x):
            return self.second(P.tanh(self.first(x)))

    return Tied()


layer(
    "layer/sequential-named",
    lambda P: P.nn.Sequential(("a", P.nn.Linear(3, 4)), ("b", P.nn.Sigmoid()), ("c", P.nn.Linear(4, 1))),
    [f32(2, 3)],
)
layer(
    "layer/shared-sublayer",
    lambda P: (lambda one: P.nn.Sequential(one, P.nn.ReLU(), one))(P.nn.Linear(3, 3)),
    [f32(2, 3)],
)


@program("layer/names")
def names(P):
    with P.utils.unique_name.guard():
        net = small_net(P)
        more = P.nn.Linear(2, 2, weight_attr=P.ParamAttr(name="mine"), name="given")
        lstm = P.nn.LSTM(2, 2, num_layers=2, direction="bidirect")
        attention = P.nn.TransformerEncoderLayer(4, 2, 8)
        norms = [
            P.nn.LayerNorm(2),
            P.nn.GroupNorm(1, 2),
            P.nn.Embedding(3, 2),
            P.nn.Conv1DTranspose(1, 1, 1),
            P.nn.PReLU(),
            P.nn.InstanceNorm2D(2),
        ]
        everything = [net, more, lstm, attention, *norms]
        return {
            "parameters": [[[k, p.name] for k, p in m.named_parameters()] for m in everything],
            "buffers": [[[k, list(b.shape)] for k, b in m.named_buffers()] for m in (net, *norms)],
            "full": [m.full_name() for m in everything],
            "state": [list(m.state_dict()) for m in everything],
        }


@program("layer/traversal")
def traversal(P):
    net = small_net(P)
    out = {
        "sublayers": [type(s).__name__ for s in net.sublayers()],
        "with-self": len(net.sublayers(include_self=True)),
        "named": [k for k, _ in net.named_sublayers()],
        "children": [k for k, _ in net.named_children()],
        "prefix": [k for k, _ in net.named_parameters(prefix="p")],
        "flat": [k for k, _ in net.named_parameters(include_sublayers=False)],
        "state-prefix": list(net.state_dict(structured_name_prefix="q.")),
        "shallow": list(net.state_dict(include_sublayers=False)),
        "buffers": [k for k, _ in net.named_buffers()],
        "count": [len(net.parameters()), len(net.buffers()), len(list(net.children()))],
    }
    net.eval()
    out["training"] = [net.training, net.norm.training, net.train() is None, net.norm.training]
    seen = []
    net.apply(lambda m: seen.append(type(m).__name__))
    return out | {"apply": seen, "dir": [hasattr(net, n) for n in ("conv", "scale", "steps", "nothing")]}


@program("layer/state-dict-round-trip", [f32(2, 1, 3, 4)])
def round_trip(P, x):
    first, second = small_net(P), small_net(P)
    fill_layer(P, first, "first")
    state = {key: value.numpy() for key, value in first.state_dict().items()}
    state["conv.extra"] = np.zeros(2, "float32")
    del state["scale"]
    missing, unexpected = second.set_state_dict(state)
    first.eval()
    second.eval()
    return [list(missing), list(unexpected)], first(P.to_tensor(x)), second(P.to_tensor(x)), second.conv.weight


@program("layer/conversions", [f32(2, 3)])
def conversions(P, x):
    net = P.nn.Linear(3, 2)
    fill_layer(P, net, "conversion")
    net.to(dtype="float64")
    double = [str(net.weight.dtype), str(net(P.to_tensor(x.astype("float64"))).dtype)]
    net.to(dtype="float32")
    out = net(P.to_tensor(x))
    return (
        double,
        str(net.weight.dtype),
        out,
        net.clear_gradients() is None,
    )


@program("layer/hooks", [f32(2, 3)])
def hooks(P, x):
    net = P.nn.Linear(3, 3)
    fill_layer(P, net, "hooks")
    calls = []
    before = net.register_forward_pre_hook(lambda m, inputs: calls.append("pre") or (inputs[0] * 2,))
    after = net.register_forward_post_hook(lambda m, inputs, output: calls.append("post") or output + 1)
    first = net(P.to_tensor(x))
    before.remove()
    after.remove()
    return first, net(P.to_tensor(x)), calls


@program("layer/containers")
def containers(P):
    n = P.nn
    items = n.LayerList([n.Linear(2, 2), n.ReLU()])
    items.append(n.Tanh())
    items.insert(0, n.Sigmoid())
    items.extend([n.GELU()])
    items[1] = n.Linear(2, 3)
    del items[0]
    table = n.LayerDict({"a": n.Linear(1, 2)})
    table["b"] = n.ReLU()
    table.update({"c": n.Tanh()})
    popped = type(table.pop("b")).__name__
    sequence = n.Sequential(n.Linear(2, 2), n.ReLU(), n.Linear(2, 1))
    parameters = n.ParameterList([P.create_parameter([2], "float32") for _ in range(2)])
    parameters.append(P.create_parameter([3], "float32"))
    return {
        "list": [type(m).__name__ for m in items],
        "len": [len(items), len(table), len(sequence), len(parameters)],
        "keys": list(table.keys()),
        "popped": popped,
        "in": ["a" in table, "z" in table],
        "slice": [type(m).__name__ for m in sequence[1:]],
        "list-keys": list(items.state_dict()),
        "dict-keys": list(table.state_dict()),
        "last": type(sequence[-1]).__name__,
        "named": [k for k, _ in parameters.named_parameters()],
    }


FIXED = {
    "Constant": lambda i: i.Constant(2.5),
    "Assign": lambda i: i.Assign(np.arange(12, dtype="float32").reshape(3, 4)),
    "Dirac": lambda i: i.Dirac(),
}  # Bilinear is left out: Paddle counts its rows in fractions, so that its kernel is not symmetric
SHAPES = {"Dirac": [4, 3, 3]}


@program("initializer/fixed")
def fixed(P):
    return {
        name: P.create_parameter(SHAPES.get(name, [3, 4]), "float32", default_initializer=make(P.nn.initializer))
        for name, make in FIXED.items()
    }


RANDOM = {  # name -> the initializer, drawn into a [200, 300] matrix
    "Normal": lambda i: i.Normal(1.0, 0.5),
    "TruncatedNormal": lambda i: i.TruncatedNormal(0.0, 0.5, -0.6, 0.7),
    "Uniform": lambda i: i.Uniform(-0.3, 0.5),
    "TruncatedNormal-default": lambda i: i.TruncatedNormal(),
    "XavierUniform": lambda i: i.XavierUniform(),
    "XavierNormal": lambda i: i.XavierNormal(),
    "XavierUniform-fans": lambda i: i.XavierUniform(fan_in=10, fan_out=20, gain=2.0),
    "KaimingUniform": lambda i: i.KaimingUniform(),
    "KaimingNormal": lambda i: i.KaimingNormal(),
    "KaimingUniform-leaky": lambda i: i.KaimingUniform(negative_slope=0.3, nonlinearity="leaky_relu"),
}


@program("initializer/random", rtol=0.05, atol=0.02)
def random(P):
    P.seed(11)
    out = {}
    for name, make in RANDOM.items():
        w = (
            P.create_parameter([200, 300], "float32", default_initializer=make(P.nn.initializer))
            .numpy()
            .astype("float64")
        )
        out[name] = np.array([w.mean(), w.std(), np.quantile(w, 0.05), np.quantile(w, 0.95)])
        if "Uniform" in name or "Truncated" in name:
            out[name + "/range"] = np.array([w.min(), w.max()])
    w = P.create_parameter([6, 4], "float32", default_initializer=P.nn.initializer.Orthogonal(gain=2.0)).numpy()
    out["Orthogonal"] = (w.T @ w).astype("float64")
    return out


DEFAULTS = {  # layers whose default weights are drawn from a known law
    "Linear": lambda n: n.Linear(200, 300),
    "Conv2D": lambda n: n.Conv2D(16, 32, 5),
    "Conv2DTranspose": lambda n: n.Conv2DTranspose(16, 32, 5),
    "Embedding": lambda n: n.Embedding(200, 300),
    "LSTMCell": lambda n: n.LSTMCell(100, 100),
    "Conv1D": lambda n: n.Conv1D(32, 64, 5),
    "MultiHeadAttention": lambda n: n.MultiHeadAttention(128, 4),
    "Bilinear": lambda n: n.Bilinear(20, 20, 30),
    "BatchNorm2D": lambda n: n.BatchNorm2D(9),
}


@program("initializer/defaults", rtol=0.06, atol=0.02)
def defaults(P):
    P.seed(5)
    out = {}
    for name, make in DEFAULTS.items():
        for key, p in make(P.nn).named_parameters():
            w = p.numpy().astype("float64")
            out[f"{name}.{key}"] = np.array([w.mean(), w.std(), np.quantile(w, 0.02), np.quantile(w, 0.98)])
    return out


@program("initializer/gain-and-global")
def gain(P):
    i = P.nn.initializer
    gains = [i.calculate_gain(n) for n in ("sigmoid", "linear", "conv2d", "tanh", "relu", "leaky_relu", "selu")] + [
        i.calculate_gain("leaky_relu", 0.3)
    ]
    i.set_global_initializer(i.Constant(3.0), i.Constant(-1.0))
    try:
        net = P.nn.Linear(2, 2)
        own = P.nn.Linear(2, 2, weight_attr=P.ParamAttr(initializer=i.Constant(7.0)))
    finally:
        i.set_global_initializer(None)
    return [float(g) for g in gains], net.weight, net.bias, own.weight


@program("parameter/attributes")
def attributes(P):
    attr = P.ParamAttr(name="w", learning_rate=0.5, trainable=False, need_clip=False)
    p = P.nn.Linear(2, 2, weight_attr=attr).weight
    q = P.create_parameter([2, 3], "float64", is_bias=True)
    return (
        [p.name, p.stop_gradient, p.trainable, p.need_clip, p.optimize_attr["learning_rate"], p.is_leaf, p.persistable],
        q,
        [q.stop_gradient, str(q.dtype)],
    )
