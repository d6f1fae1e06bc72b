"""Arguments at their edges: no elements, no dimensions, one triangle of a matrix, labels that do not fit."""

from __future__ import annotations

from harness import case
from specs import c64, const, f32, pos

F = "nn.functional."
NAN = float("nan")

case("zero-dim/axis-named",
     lambda P, x: [P.sum(x, 0), P.mean(x, -1), P.max(x, 0), P.prod(x, [-1]), P.logsumexp(x, 0), P.all(x > 0, 0),
                   P.median(x, 0), P.argmax(x, -1)], [pos()])
case("empty/median", lambda P, x: [P.median(x), P.median(x, 0), *P.nanmedian(x, 0, True, mode="min")],
     [f32(0, 2)], grad=False)
case("empty/reshape-with-unknown",
     lambda P, x, y: [P.reshape(x, [0, -1]), P.reshape(x, [3, 0, -1]), P.reshape(y, [-1, 0, 4]), P.reshape(y, [0, -1])],
     [f32(0, 3), f32(2, 0, 4)])
case("tensor_split/beyond-and-negative",
     lambda P, x: [*P.tensor_split(x, [-2]), *P.tensor_split(x, [1, 9], 1), *P.tensor_split(x, [3, 1])], [f32(4, 2)])
case("gather_nd/no-dimension-named", lambda P, x: P.gather_nd(x, P.zeros([2, 0], "int64")), [f32(2, 3)])
case("scatter/scalar-index",
     lambda P, x, i, u: [P.scatter(x, i, u), P.scatter(x, i, u, False), P.scatter(x[:, 0], i, u[0])],
     [f32(3, 2), const(1, "int64"), f32(2)])
for upper in (False, True):
    case(f"linalg/one-triangle/upper={upper}",
         lambda P, x, upper=upper: [P.linalg.cholesky(x, upper), P.linalg.eigvalsh(x, "U" if upper else "L"),
                                    P.linalg.eigh(x, "U" if upper else "L")[0]],
         [const([[4.0, 3.0], [1.0, 5.0]], grad=True)])
case("linalg.svd/full-matrices", lambda P, x: [part ** 2 for part in P.linalg.svd(x, True)], [f32(3, 2)],
     grad_rtol=1e-3, grad_atol=1e-4)
case(F + "ctc_loss/labels-that-do-not-fit",
     lambda P, x, y, n, m: [P.nn.functional.ctc_loss(x, y, n, m, reduction=r) for r in ("none", "mean", "sum")],
     [f32(3, 2, 4), const([[1, 1, 2], [1, 2, 3]], "int32"), const([3, 3], "int64"), const([3, 2], "int64")])
case("pow/zero-to-zero", lambda P, x, y: [P.pow(x, y), x ** y], [const([0.0, 4.0, 0.0], grad=True),
                                                                 const([0.0, 2.0, 3.0])])
case("logit/ends", lambda P, x: P.logit(x), [const([0.0, 0.3, 1.0], grad=True)])
case("angle/real", lambda P, x: P.angle(x), [const([0.0, -1.0, 1.0, -float("inf"), NAN], grad=True)])
case("sgn/complex", lambda P, x: P.sgn(x), [c64(3)])
case(F + "batch_norm/one-value-a-channel",
     lambda P, x, m, v, w, b: [P.nn.functional.batch_norm(x, m, v, w, b, training=True), m, v],
     [f32(1, 3), f32(3).fixed(), pos(3).fixed(), f32(3), f32(3)])
