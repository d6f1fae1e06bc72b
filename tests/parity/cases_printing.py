"""How tensors, parameters, layers, dtypes and places print."""

from __future__ import annotations

from harness import program, words
from specs import bools, distinct, f32, ints


@program("print/tensors", [distinct(2, 3), f32(2, 2, 2), ints(-5, 100, 2, 3), bools(3)])
def tensors(P, a, b, c, d):
    arrays = [
        a,
        b * 1e-3,
        b * 1e6,
        b * 1e10,
        c,
        d,
        a.astype("float64"),
        c.astype("int32"),
        a[:0],
        a[0, 0],
        a > 0,
        a * 0,
        a * 1e-8,
    ]
    texts = [str(P.to_tensor(x)) for x in arrays]
    texts += [
        str(P.to_tensor(a, stop_gradient=False)),
        repr(P.to_tensor(a)),
        str(P.to_tensor(2.0)),
        str(P.to_tensor(3)),
        str(P.to_tensor(True)),
    ]
    texts += [str(P.to_tensor([1 + 2j, -0.5j])), str(P.zeros([0])), str(P.ones([2, 2], dtype="float16"))]
    texts += [
        str(P.to_tensor([float("nan"), float("inf"), 1.0])),
        str(P.to_tensor([-float("inf"), 1e-20])),
        str(P.to_tensor([1.0, 1000.0])),
    ]
    texts += [
        str(P.to_tensor([1.0, 2.0])),
        str(P.to_tensor([0.1, 0.25])),
        str(P.to_tensor([[1e-5, 1.0]])),
        str(P.to_tensor([123456.789])),
    ]
    return texts


@program("print/bfloat16")
def bfloat(P):
    return [str(P.to_tensor([1.5, -2.25], dtype="bfloat16")), str(P.ones([2], dtype="bfloat16"))]


@program("print/large")
def large(P):
    texts = [str(P.arange(n)) for n in (1000, 1001, 1200)]
    texts += [
        str(P.arange(3000).reshape([30, 100])),
        str(P.arange(2000, dtype="float32").reshape([10, 10, 20])),
        str(P.ones([40, 40])),
    ]
    texts += [str(P.ones([1500, 2])), str(P.arange(64).reshape([4, 4, 4])), str(P.ones([2, 100])), str(P.arange(200.0))]
    return texts


@program("print/options")
def options(P):
    x = P.to_tensor([[1.23456789, 1000.5], [0.001, -2.0]])
    texts = []
    try:
        P.set_printoptions(precision=3)
        texts.append(str(x))
        P.set_printoptions(precision=4, sci_mode=True)
        texts.append(str(x))
        P.set_printoptions(sci_mode=False, threshold=5, edgeitems=1)
        texts.append(str(P.arange(20.0)))
        P.set_printoptions(linewidth=20, threshold=1000)
        texts.append(str(P.arange(20.0)))
    finally:
        P.set_printoptions(precision=8, threshold=1000, edgeitems=3, linewidth=80, sci_mode=False)
    return texts


@program("print/gradients", [f32(2, 2)])
def gradients(P, x):
    a = P.to_tensor(x, stop_gradient=False)
    y = (a * a).sum()
    y.backward()
    return [str(a), str(y), str(a.grad), str(y.detach()), str(a.clone()), str(a.T)]


@program("print/parameters")
def parameters(P):
    with P.utils.unique_name.guard():
        net = P.nn.Linear(2, 3)
        net.weight.set_value(P.full([2, 3], 0.5))
        return [
            str(net.weight),
            repr(net.bias),
            net.weight.name,
            net.bias.name,
            str(
                P.create_parameter(
                    [2], "float32", name="mine", attr=None, default_initializer=P.nn.initializer.Constant(2.0)
                )
            ),
        ]


@program("print/dtypes-and-places")
def dtypes(P):
    names = words("bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex64 complex128")
    kinds = [getattr(P, name) for name in names]
    equal = [
        P.float32 == P.to_tensor(1.0).dtype,
        P.float32 != P.float64,
        P.int64 in (P.int32, P.int64),
    ]
    return (
        [str(k) for k in kinds],
        [len({*kinds, P.float32})],
        equal,
        [str(P.CPUPlace()), str(P.to_tensor(1).place), P.get_device()],
    )


LAYERS = {
    "Linear": lambda n: n.Linear(3, 4),
    "Linear-no-bias": lambda n: n.Linear(3, 4, bias_attr=False),
    "Conv2D": lambda n: n.Conv2D(3, 4, 3),
    "Conv2D-all": lambda n: n.Conv2D(
        4, 4, (3, 2), stride=2, padding="SAME", dilation=2, groups=2, padding_mode="zeros", data_format="NHWC"
    ),
    "Conv2D-padding": lambda n: n.Conv2D(3, 4, 3, padding=1, stride=[1, 2]),
    "Conv2DTranspose": lambda n: n.Conv2DTranspose(3, 4, 3, output_padding=1, stride=2),
    "Conv1D": lambda n: n.Conv1D(3, 4, 3),
    "Conv3D": lambda n: n.Conv3D(3, 4, 3),
    "BatchNorm2D": lambda n: n.BatchNorm2D(3),
    "BatchNorm1D": lambda n: n.BatchNorm1D(3, momentum=0.8, epsilon=1e-3, data_format="NLC"),
    "LayerNorm": lambda n: n.LayerNorm([3, 4]),
    "GroupNorm": lambda n: n.GroupNorm(2, 4),
    "InstanceNorm2D": lambda n: n.InstanceNorm2D(3),
    "Dropout": lambda n: n.Dropout(0.3),
    "Dropout-axis": lambda n: n.Dropout(0.3, axis=1, mode="downscale_in_infer"),
    "Dropout2D": lambda n: n.Dropout2D(0.3),
    "ReLU": lambda n: n.ReLU(),
    "LeakyReLU": lambda n: n.LeakyReLU(0.2),
    "GELU": lambda n: n.GELU(True),
    "ELU": lambda n: n.ELU(0.4),
    "Sigmoid": lambda n: n.Sigmoid(),
    "Softmax": lambda n: n.Softmax(1),
    "Softplus": lambda n: n.Softplus(),
    "PReLU": lambda n: n.PReLU(),
    "Hardtanh": lambda n: n.Hardtanh(),
    "MaxPool2D": lambda n: n.MaxPool2D(2),
    "AvgPool2D": lambda n: n.AvgPool2D(3, 2, 1),
    "AdaptiveAvgPool2D": lambda n: n.AdaptiveAvgPool2D((2, None)),
    "Flatten": lambda n: n.Flatten(),
    "Embedding": lambda n: n.Embedding(5, 3),
    "Embedding-padding": lambda n: n.Embedding(5, 3, padding_idx=1, sparse=True),
    "LSTM": lambda n: n.LSTM(3, 4),
    "LSTM-all": lambda n: n.LSTM(3, 4, 2, direction="bidirect", time_major=True, dropout=0.1),
    "LSTMCell": lambda n: n.LSTMCell(3, 4),
    "SimpleRNNCell": lambda n: n.SimpleRNNCell(3, 4, "relu"),
    "MultiHeadAttention": lambda n: n.MultiHeadAttention(4, 2),
    "TransformerEncoderLayer": lambda n: n.TransformerEncoderLayer(4, 2, 8),
    "CrossEntropyLoss": lambda n: n.CrossEntropyLoss(),
    "MSELoss": lambda n: n.MSELoss(),
    "Pad2D": lambda n: n.Pad2D(1),
    "PixelShuffle": lambda n: n.PixelShuffle(2),
    "Upsample": lambda n: n.Upsample(scale_factor=2),
    "Identity": lambda n: n.Identity(),
    "UpsamplingBilinear2D": lambda n: n.UpsamplingBilinear2D(scale_factor=2),
    "Unfold": lambda n: n.Unfold(2),
    "CosineSimilarity": lambda n: n.CosineSimilarity(),
    "Sequential": lambda n: n.Sequential(n.Linear(2, 3), n.ReLU(), n.Sequential(("inner", n.Linear(3, 1)))),
    "LayerList": lambda n: n.LayerList([n.Linear(2, 2), n.ReLU()]),
    "LayerDict": lambda n: n.LayerDict({"a": n.Linear(2, 2), "b": n.Tanh()}),
    "AlphaDropout": lambda n: n.AlphaDropout(0.2),
    "Bilinear": lambda n: n.Bilinear(2, 3, 4),
    "LocalResponseNorm": lambda n: n.LocalResponseNorm(3),
    "MaxPool1D": lambda n: n.MaxPool1D(2),
    "ParameterList": lambda n: n.ParameterList(),
}


for name, make in LAYERS.items():

    def text(P, make=make):
        return str(make(P.nn))

    text.__module__ = __name__
    program(f"print/layer-{name}")(text)
