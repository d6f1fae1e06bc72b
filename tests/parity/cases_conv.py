"""Convolutions and transposed convolutions, with padding in every form."""

from __future__ import annotations

from harness import layer, table
from specs import f32, f64

op = table("conv")
F = "nn.functional."
BIAS = f32(4)


def conv(name, x, w, *extra, **options):
    """One convolution case; `extra` is the bias, if any."""
    op(F + name, [f32(*x), f32(*w), *extra], **options).options(grad_atol=1e-4)


conv("conv1d", (2, 3, 8), (4, 3, 3))
conv("conv1d", (2, 3, 8), (4, 3, 3), BIAS, stride=2, padding=1)
conv("conv1d", (2, 4, 9), (4, 2, 3), BIAS, dilation=2, groups=2, padding="SAME")
conv("conv1d", (2, 3, 8), (4, 3, 3), padding=[2, 1])
conv("conv1d", (2, 3, 8), (4, 3, 3), padding="VALID", stride=[3])
conv("conv1d", (2, 8, 3), (4, 3, 3), BIAS, data_format="NLC", padding=1)

X2, W2 = (2, 3, 7, 6), (4, 3, 3, 3)
conv("conv2d", X2, W2)
conv("conv2d", X2, W2, BIAS)
conv("conv2d", X2, W2, BIAS, stride=2, padding=1)
conv("conv2d", X2, W2, stride=[1, 2], padding=[1, 2])
conv("conv2d", X2, W2, padding=[1, 0, 2, 1])
conv("conv2d", X2, W2, padding=[[0, 0], [0, 0], [1, 2], [0, 1]])
conv("conv2d", X2, W2, padding="SAME", stride=2)
conv("conv2d", X2, W2, padding="valid", dilation=2)
conv("conv2d", X2, W2, padding="SAME", dilation=2)
conv("conv2d", (2, 4, 9, 8), (6, 2, 3, 3), f32(6), stride=2, padding="SAME", groups=2)
conv("conv2d", (1, 4, 5, 5), (8, 1, 3, 3), f32(8), padding=1, groups=4)
conv("conv2d", (1, 4, 5, 5), (4, 4, 1, 1))
conv("conv2d", (2, 6, 5, 3), W2, BIAS, data_format="NHWC", stride=2, padding=1)
conv("conv2d", (2, 6, 5, 3), W2, data_format="NHWC", padding=[[0, 0], [1, 1], [0, 2], [0, 0]])
op(F + "conv2d", [f64(1, 2, 4, 4), f64(3, 2, 3, 3)], padding=1, _case="float64")

conv("conv3d", (1, 2, 4, 5, 4), (3, 2, 2, 3, 2), f32(3), stride=2, padding=1)
conv("conv3d", (1, 2, 4, 5, 4), (4, 1, 2, 2, 2), BIAS, groups=2, padding="SAME", dilation=[1, 2, 1])
conv("conv3d", (1, 4, 5, 4, 2), (3, 2, 2, 3, 2), f32(3), data_format="NDHWC", padding=[0, 1, 1])
conv("conv3d", (1, 2, 4, 4, 4), (3, 2, 2, 2, 2), padding=[1, 0, 0, 1, 1, 1])

conv("conv1d_transpose", (2, 3, 5), (3, 4, 3), BIAS)
conv("conv1d_transpose", (2, 3, 5), (3, 4, 3), stride=2, padding=1, output_padding=1)
conv("conv1d_transpose", (2, 4, 5), (4, 2, 3), BIAS, stride=2, groups=2, dilation=2)
conv("conv1d_transpose", (2, 3, 5), (3, 4, 3), stride=2, output_size=[12])
conv("conv1d_transpose", (2, 5, 3), (3, 4, 3), BIAS, data_format="NLC", padding=[1, 0])

T2 = (3, 4, 3, 3)
conv("conv2d_transpose", (2, 3, 4, 5), T2)
conv("conv2d_transpose", (2, 3, 4, 5), T2, BIAS, stride=2, padding=1)
conv("conv2d_transpose", (2, 3, 4, 5), T2, stride=2, padding=1, output_padding=1)
conv("conv2d_transpose", (2, 3, 4, 5), T2, stride=[2, 3], padding=[0, 1], output_padding=[1, 2])
conv("conv2d_transpose", (2, 3, 4, 5), T2, stride=2, output_size=[10, 12])
conv("conv2d_transpose", (2, 3, 4, 5), T2, padding="SAME", stride=2)
conv("conv2d_transpose", (2, 3, 4, 5), T2, padding="VALID", stride=2)
conv("conv2d_transpose", (2, 3, 4, 5), T2, padding=[1, 0, 0, 1], stride=2)
conv("conv2d_transpose", (2, 4, 4, 4), (4, 2, 3, 3), BIAS, groups=2, stride=2, dilation=2)
conv("conv2d_transpose", (2, 4, 5, 3), T2, BIAS, data_format="NHWC", stride=2, padding=1, output_padding=1)
conv("conv3d_transpose", (1, 2, 3, 2, 3), (2, 3, 2, 2, 2), f32(3), stride=2, padding=1)
conv("conv3d_transpose", (1, 2, 3, 2, 3), (2, 2, 2, 3, 2), BIAS, groups=2, stride=2, output_padding=1)
conv("conv3d_transpose", (1, 3, 2, 3, 2), (2, 3, 2, 2, 2), data_format="NDHWC", stride=2, output_size=[7, 4, 6])

LAYERS = [
    ("Conv1D", (3, 4, 3), {}, (2, 3, 6)),
    ("Conv1D", (3, 4, 3), {"padding": 1, "padding_mode": "circular", "bias_attr": False}, (2, 3, 6)),
    ("Conv2D", (3, 4, 3), {}, (2, 3, 5, 5)),
    ("Conv2D", (4, 6, (3, 2)), {"stride": 2, "padding": 1, "groups": 2, "bias_attr": False}, (2, 4, 5, 5)),
    ("Conv2D", (3, 4, 3), {"padding": 1, "padding_mode": "reflect"}, (2, 3, 5, 5)),
    ("Conv2D", (3, 4, 3), {"padding": 1, "padding_mode": "replicate"}, (2, 3, 5, 5)),
    ("Conv2D", (3, 4, 3), {"padding": 2, "padding_mode": "circular"}, (2, 3, 5, 5)),
    ("Conv2D", (3, 4, 3), {"padding": "SAME", "data_format": "NHWC"}, (2, 5, 5, 3)),
    ("Conv3D", (2, 3, 2), {"padding": 1}, (1, 2, 3, 3, 3)),
    ("Conv3D", (2, 2, 2), {"padding": 1, "padding_mode": "replicate"}, (1, 2, 3, 3, 3)),
    ("Conv1DTranspose", (3, 2, 3), {"stride": 2}, (1, 3, 4)),
    ("Conv2DTranspose", (3, 4, 3), {"stride": 2, "padding": 1, "output_padding": 1}, (1, 3, 3, 3)),
    ("Conv2DTranspose", (4, 4, 2), {"groups": 2, "data_format": "NHWC"}, (1, 3, 3, 4)),
    ("Conv3DTranspose", (2, 3, 2), {"stride": 2, "bias_attr": False}, (1, 2, 2, 2, 2)),
]
for name, arguments, options, shape in LAYERS:
    words = ",".join(f"{k}={v}".replace(" ", "") for k, v in options.items())
    layer(
        f"nn.{name}/{words}" if words else f"nn.{name}",
        lambda P, n=name, a=arguments, o=options: getattr(P.nn, n)(*a, **o),
        [f32(*shape)],
        grad_atol=1e-4,
    )
layer(
    "nn.Conv2DTranspose/output_size",
    lambda P: P.nn.Conv2DTranspose(3, 2, 3, stride=2),
    [f32(1, 3, 3, 3)],
    call=lambda P, net, x: net(x, output_size=[8, 8]),
)
