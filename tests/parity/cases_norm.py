"""Normalizations, in training and evaluation, with every option."""

from __future__ import annotations

from harness import case, layer, table
from specs import f32, f64, pos

op = table("norm")
F = "nn.functional."

BATCH_NORM = [
    ("training", (3, 2, 4), {"training": True}),
    ("training-2d", (4, 2), {"training": True}),
    ("training-4d-momentum", (2, 2, 3, 3), {"training": True, "momentum": 0.7, "epsilon": 1e-3}),
    ("eval", (3, 2, 4), {"training": False}),
    ("global-stats", (3, 2, 4), {"training": True, "use_global_stats": True}),
    ("batch-stats-eval", (3, 2, 4), {"training": False, "use_global_stats": False}),
    ("channel-last", (3, 4, 2), {"training": True, "data_format": "NLC"}),
    ("channel-last-4d", (2, 3, 3, 2), {"training": True, "data_format": "NHWC"}),
]
for name, shape, options in BATCH_NORM:
    case(
        f"{F}batch_norm/{name}",
        lambda P, x, m, v, w, b, o=options: (P.nn.functional.batch_norm(x, m, v, weight=w, bias=b, **o), m, v),
        [f32(*shape), f32(2).fixed(), pos(2).fixed(), f32(2), f32(2)],
        grad=name != "batch-stats-eval",  # Paddle's gradient ignores that the statistics are the batch's
        grad_atol=1e-4,
    )
op(F + "batch_norm", [f32(3, 2, 4), f32(2).fixed(), pos(2).fixed()], training=True)

op(F + "layer_norm", [f32(2, 3, 4)], 4)
op(F + "layer_norm", [f32(2, 3, 4)], [3, 4], epsilon=1e-3)
op(
    F + "layer_norm",
    [
        f32(2, 3, 4),
    ],
    (4,),
)
case(
    F + "layer_norm/affine", lambda P, x, w, b: P.nn.functional.layer_norm(x, [4], w, b), [f32(2, 3, 4), f32(4), f32(4)]
)
case(F + "layer_norm/weight", lambda P, x, w: P.nn.functional.layer_norm(x, [4], weight=w), [f32(2, 3, 4), f32(4)])
case(F + "layer_norm/bias", lambda P, x, b: P.nn.functional.layer_norm(x, [4], bias=b), [f32(2, 3, 4), f32(4)])
case(
    F + "layer_norm/float64",
    lambda P, x, w, b: P.nn.functional.layer_norm(x, [3, 4], w, b),
    [f64(2, 3, 4), f64(12), f64(12)],
)
# Paddle's gradient is wrong without weight and bias: ones and zeros give the right one.
case(
    F + "group_norm",
    lambda P, x: P.nn.functional.group_norm(x, 2),
    [f32(2, 4, 3)],
    oracle=lambda P, x: P.nn.functional.group_norm(x, 2, weight=P.ones([4]), bias=P.zeros([4])),
)
case(
    F + "group_norm/affine",
    lambda P, x, w, b: P.nn.functional.group_norm(x, 2, 1e-3, w, b),
    [f32(2, 4, 3, 2), f32(4), f32(4)],
)
case(
    F + "group_norm/NHWC",
    lambda P, x, w, b: P.nn.functional.group_norm(x, 2, weight=w, bias=b, data_format="NHWC"),
    [f32(2, 3, 2, 4), f32(4), f32(4)],
)
op(F + "instance_norm", [f32(2, 3, 4)])
case(
    F + "instance_norm/affine",
    lambda P, x, w, b: P.nn.functional.instance_norm(x, weight=w, bias=b, eps=1e-3),
    [f32(2, 3, 4, 2), f32(3), f32(3)],
    grad_atol=1e-4,
)
op(F + "local_response_norm", [f32(2, 4, 3, 3)], 3)
op(F + "local_response_norm", [f32(2, 4, 5)], size=4, alpha=0.5, beta=0.6, k=1.5)
op(F + "local_response_norm", [f32(2, 3, 3, 4)], size=3, alpha=0.5, data_format="NHWC")


def rms_norm(P, x, *weight):
    scaled = x / P.sqrt(P.mean(x * x, axis=-1, keepdim=True) + (1e-3 if weight else 1e-5))
    return scaled * weight[0] if weight else scaled


case(
    F + "rms_norm/weight",
    lambda P, x, w: P.nn.functional.rms_norm(x, [4], w, 1e-3)[0],
    [f32(2, 3, 4), f32(4)],
    oracle=rms_norm,
)
case(F + "rms_norm", lambda P, x: P.nn.functional.rms_norm(x, [4])[0], [f32(2, 3, 4)], oracle=rms_norm)

BATCH = {
    "BatchNorm1D": (4, 3, 5),
    "BatchNorm2D": (2, 3, 4, 2),
    "BatchNorm3D": (2, 3, 2, 2, 2),
    "BatchNorm": (4, 3, 2, 2),
}
for name, shape in BATCH.items():
    for train in (True, False):
        layer(
            f"nn.{name}/{'train' if train else 'eval'}",
            lambda P, n=name: getattr(P.nn, n)(3),
            [f32(*shape)],
            train=train,
            grad_atol=1e-4,
        )
layer("nn.BatchNorm1D/2d-input", lambda P: P.nn.BatchNorm1D(3), [f32(4, 3)], grad_atol=1e-4)
layer(
    "nn.BatchNorm2D/NHWC",
    lambda P: P.nn.BatchNorm2D(3, momentum=0.8, epsilon=1e-3, data_format="NHWC"),
    [f32(2, 2, 2, 3)],
    grad_atol=1e-4,
)
layer(
    "nn.BatchNorm2D/no-affine",
    lambda P: P.nn.BatchNorm2D(3, weight_attr=False, bias_attr=False),
    [f32(2, 3, 2, 2)],
    grad_atol=1e-4,
)
layer("nn.BatchNorm2D/global", lambda P: P.nn.BatchNorm2D(3, use_global_stats=True), [f32(2, 3, 2, 2)])
layer("nn.BatchNorm/act", lambda P: P.nn.BatchNorm(3, act="relu"), [f32(2, 3, 2, 2)], grad_atol=1e-4)
layer(
    "nn.BatchNorm/twice",
    lambda P: P.nn.BatchNorm1D(3),
    [f32(4, 3), f32(4, 3)],
    call=lambda P, net, x, y: (net(x), net(y)),
    grad_atol=1e-4,
)
layer("nn.LayerNorm", lambda P: P.nn.LayerNorm(4), [f32(2, 3, 4)])
layer("nn.LayerNorm/two-dims", lambda P: P.nn.LayerNorm([3, 4], epsilon=1e-3), [f32(2, 3, 4)])
layer("nn.LayerNorm/no-bias", lambda P: P.nn.LayerNorm(4, bias_attr=False), [f32(2, 3, 4)])
layer("nn.LayerNorm/plain", lambda P: P.nn.LayerNorm(4, weight_attr=False, bias_attr=False), [f32(2, 3, 4)])
layer("nn.GroupNorm", lambda P: P.nn.GroupNorm(2, 4), [f32(2, 4, 3, 2)])
layer(
    "nn.GroupNorm/no-affine",
    lambda P: P.nn.GroupNorm(4, 4, 1e-3, weight_attr=False, bias_attr=False),
    [f32(2, 4, 3)],
    grad=False,
)
for name, shape in {
    "InstanceNorm1D": (2, 3, 4),
    "InstanceNorm2D": (2, 3, 2, 3),
    "InstanceNorm3D": (1, 3, 2, 2, 2),
}.items():
    layer(f"nn.{name}", lambda P, n=name: getattr(P.nn, n)(3), [f32(*shape)], grad_atol=1e-4)
    layer(f"nn.{name}/eval", lambda P, n=name: getattr(P.nn, n)(3), [f32(*shape)], train=False, grad_atol=1e-4)
layer(
    "nn.InstanceNorm2D/no-affine",
    lambda P: P.nn.InstanceNorm2D(3, weight_attr=False, bias_attr=False),
    [f32(2, 3, 2, 3)],
    grad_atol=1e-4,
)
layer("nn.LocalResponseNorm", lambda P: P.nn.LocalResponseNorm(3), [f32(1, 4, 3, 3)])
# Paddle's gradient disagrees with finite differences.
layer("nn.SpectralNorm", lambda P: P.nn.SpectralNorm([3, 4], dim=0, power_iters=2), [f32(3, 4)], grad=False)
case(
    "nn.SyncBatchNorm/eval",
    lambda P, x: (lambda net: (net.eval(), net(x))[1])(P.nn.SyncBatchNorm(3)),
    [f32(2, 3, 2, 2)],
    oracle=lambda P, x: (lambda net: (net.eval(), net(x))[1])(P.nn.BatchNorm2D(3)),
    static="a layer made inside the function",
)


def without_buffer(net):
    """The weight that the utilities compute is a buffer in Paddle, and a plain attribute here."""
    net._buffers.pop("weight", None)
    return net


def call_without_buffer(P, net, x):
    out = net(x)
    without_buffer(net)
    return out


for name, normalize in {
    "weight_norm": lambda P: P.nn.utils.weight_norm(P.nn.Linear(3, 4), dim=1),
    "weight_norm/dim=None": lambda P: P.nn.utils.weight_norm(P.nn.Linear(3, 4), dim=None),
    "spectral_norm": lambda P: P.nn.utils.spectral_norm(P.nn.Linear(3, 4), n_power_iterations=2),
}.items():

    def build(P, normalize=normalize):
        return without_buffer(normalize(P))

    layer(f"nn.utils.{name}", build, [f32(2, 3)], call=call_without_buffer, grad_atol=1e-4)
