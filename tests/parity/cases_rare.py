"""What is used now and then, and fits no other table: padding layers, rare pools and losses, second names."""

from __future__ import annotations

from typing import Any

import numpy as np
from harness import case, layer, program
from specs import bf16, const, distinct, f32, ints, pos

PADS = {1: [1, 2], 2: [1, 0, 2, 1], 3: [1, 0, 0, 1, 1, 0]}
FORMATS = {1: "NLC", 2: "NHWC", 3: "NDHWC"}
KINDS = ("CircularPad", "ReflectionPad", "ReplicationPad", "ZeroPad")
for n, shape in {1: (1, 2, 4), 2: (1, 2, 3, 4), 3: (1, 2, 2, 2, 3)}.items():

    def pads(P: Any, x: Any, n: int = n) -> Any:
        made = [getattr(P.nn, f"{kind}{n}D")(PADS[n]) for kind in KINDS]
        return [net(x) for net in (*made, getattr(P.nn, f"ConstantPad{n}D")(1, -2.5))]

    def last(P: Any, x: Any, n: int = n) -> Any:
        return [getattr(P.nn, f"{kind}{n}D")(1, data_format=FORMATS[n])(x) for kind in KINDS]

    case(f"nn.{'|'.join(f'{k}{n}D' for k in (*KINDS, 'ConstantPad'))}", pads, [f32(*shape)])
    case(f"nn.pads/{FORMATS[n]}", last, [f32(*shape[:1], *shape[2:], 2)])

CUBE = distinct(1, 2, 4, 5, 4)
case(
    "nn.functional.fractional_max_pool3d",
    lambda P, x: [P.nn.functional.fractional_max_pool3d(x, 2, random_u=0.4),
                  P.nn.functional.fractional_max_pool3d(x, [2, 3, 2], kernel_size=2, random_u=0.3)],
    [CUBE],
)
layer("nn.FractionalMaxPool3D", lambda P: P.nn.FractionalMaxPool3D(2, random_u=0.6), [CUBE])
layer("nn.FractionalMaxPool2D", lambda P: P.nn.FractionalMaxPool2D([2, 3], random_u=0.6, return_mask=True),
      [distinct(1, 2, 5, 6)])
layer("nn.LPPool1D", lambda P: P.nn.LPPool1D(3, 2, 1, ceil_mode=True), [pos(1, 2, 5)])
for n, shape in {1: (1, 1, 4), 3: (1, 1, 2, 2, 4)}.items():
    layer(
        f"nn.MaxUnPool{n}D",
        lambda P, n=n: getattr(P.nn, f"MaxUnPool{n}D")(2),
        [distinct(*shape)],
        call=lambda P, net, x, n=n: net(*getattr(P.nn.functional, f"max_pool{n}d")(x, 2, return_mask=True)),
        grad=n == 1,                                # Paddle has no gradient of three-dimensional unpooling
    )
for reduction in ("mean", "sum", "none"):
    layer(f"nn.MultiLabelMarginLoss/{reduction}", lambda P, r=reduction: P.nn.MultiLabelMarginLoss(r),
          [f32(3, 4), const([[1, 2, -1, 0], [0, -1, 2, 3], [3, 0, 1, 2]], "int64")])
layer("nn.FeatureAlphaDropout/evaluation", lambda P: P.nn.FeatureAlphaDropout(0.4), [f32(1, 2, 2)], train=False)
case("nn.functional.feature_alpha_dropout/nothing-dropped",
     lambda P, x: [P.nn.functional.feature_alpha_dropout(x, 0.0),
                   P.nn.functional.feature_alpha_dropout(x, training=False)],
     [f32(2, 2, 2)])
case("Tensor/casts-to-complex", lambda P, x: [x.cfloat(), x.cdouble(), x.contiguous()], [f32(2, 2)])


@program("random/laws", rtol=0.05, atol=0.05)
def laws(P: Any) -> Any:
    """Random fills and choices: what holds of every draw, and their means."""
    P.seed(3)
    one_hot = P.nn.functional.gumbel_softmax(P.zeros([500, 4]), hard=True)
    soft = P.nn.functional.gumbel_softmax(P.zeros([3, 4]), temperature=0.5, axis=0)
    normal, uniform = P.empty([4000]).normal_(2.0, 0.5), P.empty([4000]).uniform_(-1.0, 3.0)
    return [one_hot.sum(-1).numpy(), np.unique(one_hot.numpy()), soft.sum(0).numpy(), normal.mean().numpy(),
            normal.std().numpy(), uniform.mean().numpy(), [float(uniform.min()) >= -1, float(uniform.max()) <= 3]]


@program("random/dropped-channels")
def channels(P: Any) -> Any:
    """A channel is dropped as a whole, to one value."""
    P.manual_seed(5)
    x = P.nn.functional.feature_alpha_dropout(P.zeros([4, 8, 5]), 0.5).numpy()
    return [bool((x == x[..., :1]).all()), len(np.unique(x.round(5))), list(x.shape)]


@program("names/second")
def second(P: Any) -> Any:
    """Second names of layers, and small questions."""
    nn, x = P.nn, P.ones([2])
    same = [nn.Conv1d is nn.Conv1D, nn.Conv2d is nn.Conv2D, nn.Conv3d is nn.Conv3D, nn.Module is nn.Layer,
            nn.ModuleList is nn.LayerList, nn.ModuleDict is nn.LayerDict, nn.SiLU is nn.Silu]
    tensor = P.as_tensor([1, 2], dtype="float32", requires_grad=True)
    flags = [tensor.stop_gradient, x.requires_grad, x.requires_grad_().requires_grad, x.is_sparse(), x.is_leaf]
    state = nn.ParameterDict({"a": P.create_parameter([2], "float32")})
    return [same, flags, tensor, list(state), len(state), P.from_dlpack(P.to_dlpack(P.arange(3)))]


@program("weight_norm/removed")
def removed(P: Any) -> Any:
    net = P.nn.Linear(2, 3)
    net.weight.set_value(np.arange(6, dtype="float32").reshape(2, 3))
    names = [n for n, _ in P.nn.utils.weight_norm(net).named_parameters()]
    P.nn.utils.remove_weight_norm(net)
    return [names, [n for n, _ in net.named_parameters()], net.weight]


# ---- edges of everyday operators --------------------------------------------------------------------------------

EMPTY = [f32(0, 3)]
case("empty/reductions", lambda P, x: [P.sum(x, 1), P.mean(x, 1), P.prod(x, 1), P.logsumexp(x, 1), P.cumsum(x, 1),
                                       P.flip(x, [1]), P.sort(x, 1), P.sum(x)], EMPTY)
case("empty/softmax-relu-linear", lambda P, x, w: [P.nn.functional.softmax(x), P.nn.functional.relu(x), x @ w],
     [*EMPTY, f32(3, 2)])
case("empty/joins", lambda P, x, y: [P.concat([x, y]), P.stack([x, x]), P.split(x, [1, 2], 1), x.reshape([3, 0])],
     [*EMPTY, f32(2, 3)])
case("zero-dim/math", lambda P, x, y: [x * y, P.maximum(x, y), P.exp(x), P.sum(x), P.max(x), x.reshape([1, 1])],
     [f32(), f32()])
case("zero-dim/broadcast", lambda P, x, y: [x + y, P.where(y > 0, x, y), P.stack([x, x])], [f32(), f32(2, 3)])
case("negative-axes", lambda P, x: [P.cumprod(x, -2), P.logsumexp(x, [-1, -3]), P.roll(x, 1, -1), P.unsqueeze(x, -2),
                                    P.transpose(x, [-1, 0, -2]), P.topk(x, 2, -2)[0], P.max(x, -3), P.std(x, -1)],
     [distinct(2, 3, 2)])
case("int-inputs", lambda P, x, y: [x // y, x % y, P.mean(x.astype("float32")), P.sum(x), P.prod(x), x / y,
                                    P.maximum(x, y), P.cumsum(x, 0), x ** 2, P.abs(x), P.sign(x)],
     [ints(-4, 5, 2, 3), ints(1, 4, 3)])
case("int32-inputs", lambda P, x: [P.sum(x), P.mean(x.astype("float64")), x * 2.5, x + True, P.sqrt(x.abs())],
     [ints(-4, 5, 2, 3, dtype="int32")])


def sixteen(P: Any, x: Any, y: Any) -> Any:
    return [x + y, x * 2, P.maximum(x, y), P.concat([x, y])]


case("bfloat16-inputs", sixteen, [bf16(2, 3), bf16(2, 3)]).options(     # without a kernel on Paddle's CPU
    oracle=lambda P, x, y: [t.astype("bfloat16") for t in sixteen(P, x.astype("float32"), y.astype("float32"))])
