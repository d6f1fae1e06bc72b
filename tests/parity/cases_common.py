"""Functions that fit no other table: padding by counts of numbers, layers called by their inputs' names."""

from __future__ import annotations

import numpy as np
from harness import case, program, table
from specs import const, f32

op = table("common")
F = "nn.functional."
for pads, options in (
    ([1, 0, 0, 2], {"value": 0.5}),
    ([1, 2], {}),
    ([1, 0, 0, 1, 2, 0], {"pad_from_left_axis": False}),
    ([1, 0, 0, 1, 2, 0], {}),
    ([2, 1], {"mode": "reflect"}),
    ([1, 1], {"mode": "circular", "data_format": "NLC"}),
):
    op(F + "pad", [f32(1, 3, 4)], pads, **options)
op(F + "pad", [f32(1, 2, 3, 2)], [1, 2], data_format="NHWC")
op(F + "pad", [f32(1, 2, 3, 2)], [1, 2, 0, 1], data_format="NHWC")
case(F + "silu/inplace", lambda P, x: P.nn.functional.silu(x * 1.0, True), [f32(3)])
case(
    F + "adaptive_log_softmax_with_loss/more-clusters-than-cutoffs",
    lambda P, x, y, head, a, b: P.nn.functional.adaptive_log_softmax_with_loss(x, y, head, [[a, b]], [2]),
    [f32(3, 4), const([1, 0, 1], "int64"), f32(4, 3), f32(4, 2).fixed(), f32(2, 2).fixed()],
)


@program("layers/inputs-by-name")
def by_name(P):
    x, y = P.to_tensor(np.arange(8, dtype="float32").reshape([1, 2, 4])), P.ones([1, 2, 4])
    return [P.nn.ReLU()(x=x - 3), P.nn.AvgPool1D(2)(x=x), P.nn.MSELoss()(input=x, label=y), P.nn.Pad1D(1)(x=x)]


@program("Layer/dtype-shown-after-casts")
def shown(P):
    return [str(P.nn.Linear(1, 1).to(dtype="float64")), str(P.nn.Linear(1, 1).float())]
