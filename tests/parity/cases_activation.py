"""nn.functional's activations, softmaxes, dropout without randomness."""

from __future__ import annotations

from harness import case, layer, table, words
from specs import distinct, f32, f64, wide

op = table("activation")
F = "nn.functional."

PLAIN = words("""relu relu6 sigmoid tanh gelu silu swish mish elu selu celu leaky_relu hardtanh hardshrink hardsigmoid
hardswish softplus softsign softshrink tanhshrink thresholded_relu log_sigmoid softmax log_softmax glu swiglu""")
for name in PLAIN:
    op(F + name, [wide(3, 4)])
for name in words("gelu softplus silu softmax log_softmax"):
    op(F + name, [f64(2, 4)], _case="float64")
op(F + "gelu", [wide(3, 4)], approximate=True).options(grad_atol=3e-5)      # cancels where it is flat
op(F + "elu", [wide(3, 4)], alpha=0.3)
op(F + "celu", [wide(3, 4)], alpha=0.3)
op(F + "selu", [wide(3, 4)], scale=1.5, alpha=1.2)
op(F + "leaky_relu", [wide(3, 4)], negative_slope=0.2)
op(F + "hardtanh", [wide(3, 4)], min=-0.5, max=2.0)
op(F + "hardshrink", [wide(3, 4)], threshold=1.0)
op(F + "hardsigmoid", [wide(3, 4)], slope=0.2, offset=0.4)
op(F + "softplus", [wide(3, 4)], beta=2, threshold=3)
op(F + "softshrink", [wide(3, 4)], threshold=1.5)
op(F + "thresholded_relu", [wide(3, 4)], threshold=0.5, value=-2.0)
op(F + "softmax", [wide(2, 3, 4)], axis=1)
op(F + "softmax", [f32(2, 3)], axis=0, dtype="float64")
op(F + "log_softmax", [wide(2, 3, 4)], axis=1)
op(F + "glu", [wide(4, 3)], axis=0)
op(F + "swiglu", [wide(3, 4), wide(3, 4)], _case="two")
op(F + "maxout", [distinct(2, 6, 2, 1)], groups=3, axis=1)
op(F + "maxout", [distinct(2, 1, 3, 4)], 2, -1)
op(F + "prelu", [wide(2, 3, 4), f32(3)])
op(F + "prelu", [wide(2, 3, 4), f32(1)], _case="one-weight")
op(F + "prelu", [wide(2, 4, 3), f32(3)], data_format="NLC")
op(F + "rrelu", [wide(3, 4)], training=False)
op(F + "normalize", [wide(3, 4)])
op(F + "normalize", [wide(3, 4)], p=3, axis=0, epsilon=1e-3)
op(F + "normalize", [wide(3, 4)], p=1)
op(F + "cosine_similarity", [f32(3, 4), f32(3, 4)])
op(F + "cosine_similarity", [f32(3, 4), f32(3, 4)], axis=0, eps=0.5)
op(F + "pairwise_distance", [f32(3, 4), f32(3, 4)])
op(F + "pairwise_distance", [f32(3, 4), f32(4)], p=1.0, keepdim=True)
op(F + "label_smooth", [distinct(2, 4)])
op(F + "label_smooth", [distinct(2, 4)], epsilon=0.3)
for name in words("dropout dropout1d dropout2d dropout3d alpha_dropout"):
    shape = {"dropout1d": (2, 3, 4), "dropout3d": (1, 2, 2, 2, 2)}.get(name, (1, 2, 3, 4))
    op(F + name, [f32(*shape)], 0.4, training=False)
    op(F + name, [f32(*shape)], p=0.0)
op(F + "dropout", [f32(3, 4)], 0.4, training=False, mode="downscale_in_infer")
op(F + "dropout", [f32(3, 4)], p=1.0)
for name in words("relu softmax elu leaky_relu tanh"):
    case(F + name + "_", lambda P, x, n=name: getattr(P.nn.functional, n + "_")(x * 1.0), [wide(3, 4)])

LAYERS = {
    "ReLU": (),
    "ReLU6": (),
    "Sigmoid": (),
    "Tanh": (),
    "GELU": (True,),
    "Silu": (),
    "Swish": (),
    "Mish": (),
    "ELU": (0.4,),
    "SELU": (),
    "CELU": (0.4,),
    "LeakyReLU": (0.2,),
    "Hardtanh": (-0.5, 2.0),
    "Hardshrink": (0.7,),
    "Hardsigmoid": (),
    "Hardswish": (),
    "Softplus": (2, 10),
    "Softsign": (),
    "Softshrink": (0.7,),
    "Tanhshrink": (),
    "ThresholdedReLU": (0.5,),
    "LogSigmoid": (),
    "Softmax": (),
    "LogSoftmax": (),
    "GLU": (),
    "Identity": (),
    "Softmax2D": (),
    "RReLU": (),
}
for name, arguments in LAYERS.items():
    inputs = [wide(1, 2, 3, 2)] if name == "Softmax2D" else [wide(3, 4)]
    layer("nn." + name, lambda P, n=name, a=arguments: getattr(P.nn, n)(*a), inputs, train=name != "RReLU")
layer("nn.PReLU", lambda P: P.nn.PReLU(), [wide(2, 3, 4)])
layer("nn.PReLU/3", lambda P: P.nn.PReLU(3, 0.1), [wide(2, 3, 4)])
layer("nn.Maxout", lambda P: P.nn.Maxout(2), [distinct(2, 4, 3, 1)])
for name in words("Dropout Dropout2D Dropout3D AlphaDropout"):
    shape = (1, 2, 2, 2, 2) if name == "Dropout3D" else (1, 2, 3, 4)
    layer(f"nn.{name}/eval", lambda P, n=name: getattr(P.nn, n)(0.4), [f32(*shape)], train=False)
layer("nn.Dropout/p=0", lambda P: P.nn.Dropout(0.0), [f32(3, 4)])
layer("nn.CosineSimilarity", lambda P: P.nn.CosineSimilarity(axis=1), [f32(3, 4), f32(3, 4)])
layer("nn.PairwiseDistance", lambda P: P.nn.PairwiseDistance(p=2.0), [f32(3, 4), f32(3, 4)])
