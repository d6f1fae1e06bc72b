"""Pooling: average, maximum, adaptive, unpooling, in one, two and three dimensions."""

from __future__ import annotations

from harness import case, layer, table
from specs import distinct, f32, pos

op = table("pool")
F = "nn.functional."
SHAPES = {1: (2, 2, 9), 2: (2, 2, 7, 8), 3: (1, 2, 4, 5, 4)}

for n, shape in SHAPES.items():
    x = distinct(*shape)
    op(f"{F}max_pool{n}d", [x], 2)
    op(f"{F}max_pool{n}d", [x], 3, stride=2, padding=1)
    op(f"{F}max_pool{n}d", [x], 3, 2, ceil_mode=True)
    op(f"{F}max_pool{n}d", [x], 2, return_mask=True).options(grad=n != 3)
    op(f"{F}avg_pool{n}d", [x], 2)
    op(f"{F}avg_pool{n}d", [x], 3, stride=2, padding=1)
    op(f"{F}avg_pool{n}d", [x], 3, stride=2, padding=1, exclusive=False)
    op(f"{F}avg_pool{n}d", [x], 3, 2, ceil_mode=True)
    op(f"{F}adaptive_avg_pool{n}d", [x], 3)
    op(f"{F}adaptive_max_pool{n}d", [x], 3)
    op(f"{F}adaptive_max_pool{n}d", [x], 2, return_mask=True)

IMAGE = distinct(*SHAPES[2])
op(F + "max_pool2d", [IMAGE], (3, 2), stride=[2, 1], padding=(1, 0))
op(F + "max_pool2d", [IMAGE], 3, padding="SAME", stride=2)
op(F + "max_pool2d", [IMAGE], 3, padding="VALID", stride=2)
op(F + "max_pool2d", [IMAGE], 3, padding=[1, 0, 0, 1], stride=2)
op(F + "max_pool2d", [IMAGE], 3, padding=[[0, 0], [0, 0], [1, 1], [0, 1]], stride=2)
op(F + "max_pool2d", [distinct(2, 7, 8, 2)], 3, stride=2, padding=1, data_format="NHWC")
op(F + "max_pool2d", [IMAGE], 3, 2, 1, return_mask=True, ceil_mode=True)
op(F + "avg_pool2d", [IMAGE], (3, 2), stride=[2, 1], padding=(1, 0))
op(F + "avg_pool2d", [IMAGE], 3, padding="SAME", stride=2)
op(F + "avg_pool2d", [IMAGE], 3, padding="VALID", stride=2)
op(F + "avg_pool2d", [IMAGE], 3, padding=[1, 0, 0, 1], stride=2)
op(F + "avg_pool2d", [IMAGE], 3, 2, 1, divisor_override=4)
op(F + "avg_pool2d", [IMAGE], 3, 2, 1, ceil_mode=True, exclusive=False)
op(F + "avg_pool2d", [distinct(2, 7, 8, 2)], 3, stride=2, padding=1, data_format="NHWC")
op(F + "avg_pool3d", [distinct(*SHAPES[3])], 2, 2, 1, divisor_override=3)
op(F + "avg_pool3d", [distinct(1, 4, 5, 4, 2)], 2, data_format="NDHWC")
op(F + "max_pool3d", [distinct(1, 4, 5, 4, 2)], 2, data_format="NDHWC")
op(F + "adaptive_avg_pool2d", [IMAGE], (1, 1))
op(F + "adaptive_avg_pool2d", [IMAGE], (3, None))
op(F + "adaptive_avg_pool2d", [IMAGE], [5, 9])
op(F + "adaptive_avg_pool2d", [distinct(2, 7, 8, 2)], 3, data_format="NHWC")
op(F + "adaptive_avg_pool3d", [distinct(*SHAPES[3])], (2, None, 3))
op(F + "adaptive_max_pool2d", [IMAGE], (3, None))
op(F + "lp_pool1d", [pos(*SHAPES[1])], 2.0, 3, stride=2)
op(F + "lp_pool2d", [pos(*SHAPES[2])], 3.0, 2, ceil_mode=True)
op(F + "fractional_max_pool2d", [IMAGE], 3, random_u=0.4)
op(F + "fractional_max_pool2d", [IMAGE], 3, kernel_size=2, random_u=0.3, return_mask=True)

for n, shape in {1: (1, 2, 8), 2: (1, 2, 4, 6), 3: (1, 1, 4, 4, 4)}.items():

    def unpool(P, x, n=n):
        values, mask = getattr(P.nn.functional, f"max_pool{n}d")(x, 2, return_mask=True)
        return getattr(P.nn.functional, f"max_unpool{n}d")(values, mask, 2)

    case(f"{F}max_unpool{n}d", unpool, [distinct(*shape)], grad=n != 3)

LAYERS = [
    ("MaxPool1D", (2,), {}, 1),
    ("MaxPool2D", (3, 2, 1), {}, 2),
    ("MaxPool2D", (2,), {"return_mask": True}, 2),
    ("MaxPool3D", (2,), {}, 3),
    ("AvgPool1D", (3, 2, 1), {"exclusive": False}, 1),
    ("AvgPool2D", (2,), {"ceil_mode": True}, 2),
    ("AvgPool3D", (2,), {}, 3),
    ("AdaptiveAvgPool1D", (3,), {}, 1),
    ("AdaptiveAvgPool2D", ((2, None),), {}, 2),
    ("AdaptiveAvgPool3D", (2,), {}, 3),
    ("AdaptiveMaxPool1D", (3,), {}, 1),
    ("AdaptiveMaxPool2D", (3,), {"return_mask": True}, 2),
    ("AdaptiveMaxPool3D", (2,), {}, 3),
    ("LPPool2D", (2, 2), {}, 2),
]
for number, (name, arguments, options, n) in enumerate(LAYERS):
    layer(
        f"nn.{name}/{number}",
        lambda P, m=name, a=arguments, o=options: getattr(P.nn, m)(*a, **o),
        [distinct(*SHAPES[n])],
    )
layer(
    "nn.MaxUnPool2D",
    lambda P: P.nn.MaxUnPool2D(2),
    [distinct(1, 1, 4, 4)],
    call=lambda P, net, x: net(*P.nn.functional.max_pool2d(x, 2, return_mask=True)),
)
for name, arguments, shape in (
    ("Flatten", (), (2, 3, 2)),
    ("Flatten", (0, 1), (2, 3, 2)),
    ("Unflatten", (1, [2, 3]), (2, 6)),
    ("PixelShuffle", (2,), (1, 4, 2, 2)),
    ("PixelUnshuffle", (2,), (1, 1, 4, 4)),
    ("ChannelShuffle", (2,), (1, 4, 2, 2)),
    ("Unfold", (2,), (1, 2, 3, 3)),
    ("Fold", ([3, 3], 2), (1, 8, 4)),
):
    layer(f"nn.{name}/{arguments}".replace(" ", ""), lambda P, m=name, a=arguments: getattr(P.nn, m)(*a), [f32(*shape)])
