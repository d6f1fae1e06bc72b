"""Matrix products, decompositions, einsum."""

from __future__ import annotations

from harness import case, table, words
from specs import const, distinct, f32, f64, ints, spd

op = table("linalg")

op("matmul", [f32(2, 3), f32(3, 4)])
op("matmul", [f32(3, 2), f32(4, 3)], transpose_x=True, transpose_y=True)
op("matmul", [f32(2, 3), f32(4, 3)], False, True)
op("matmul", [f32(3), f32(3)], _case="1d-1d")
op("matmul", [f32(2, 3), f32(3)], _case="2d-1d")
op("matmul", [f32(3), f32(3, 2)], _case="1d-2d")
op("matmul", [f32(2, 2, 3), f32(3, 2)], _case="3d-2d")
op("matmul", [f32(2, 1, 2, 3), f32(1, 4, 3, 2)], _case="broadcast")
op("matmul", [f64(2, 3), f64(3, 2)], _case="float64")
op("matmul", [ints(0, 5, 2, 3), ints(0, 5, 3, 2)], _case="int")
op("mm", [f32(2, 3), f32(3, 4)])
op("bmm", [f32(2, 2, 3), f32(2, 3, 4)])
op("mv", [f32(2, 3), f32(3)])
op("dot", [f32(4), f32(4)])
op("dot", [f32(2, 4), f32(2, 4)], _case="batch")
op("addmm", [f32(2, 4), f32(2, 3), f32(3, 4)], beta=0.5, alpha=2.0)
op("addmm", [f32(4), f32(2, 3), f32(3, 4)], _case="vector")
op("baddbmm", [f32(2, 2, 4), f32(2, 2, 3), f32(2, 3, 4)], beta=0.5, alpha=2.0)
op("t", [f32(2, 3)])
op("t", [f32(3)], _case="1d")
op("vecdot", [f32(2, 3), f32(2, 3)])
op("tensordot", [f32(2, 3, 4), f32(3, 4, 2)], 2)
op("tensordot", [f32(2, 3, 4), f32(4, 2)], axes=[[2, 0], [0, 1]])
case("linalg.multi_dot", lambda P, *xs: P.linalg.multi_dot(list(xs)), [f32(2, 3), f32(3, 4), f32(4, 2)])

EINSUM = {
    "ij,jk->ik": [(2, 3), (3, 4)],
    "bij,bjk->bik": [(2, 2, 3), (2, 3, 2)],
    "ij->ji": [(2, 3)],
    "ii->i": [(3, 3)],
    "ij->": [(2, 3)],
    "i,j->ij": [(2,), (3,)],
    "bhqd,bhkd->bhqk": [(1, 2, 3, 2), (1, 2, 4, 2)],
    "...ij,...jk->...ik": [(2, 2, 3), (2, 3, 2)],
    "ij,jk": [(2, 3), (3, 4)],
    "ijk,k->ij": [(2, 3, 4), (4,)],
    "i,ij,j->": [(2,), (2, 3), (3,)],
}
for equation, shapes in EINSUM.items():
    case(f"einsum/{equation}", lambda P, *xs, e=equation: P.einsum(e, *xs), [f32(*s) for s in shapes])

op("cholesky", [spd(3, 3)]).options(grad_rtol=1e-3)
op("cholesky", [spd(2, 3, 3)], upper=True).options(grad_rtol=1e-3)
op("inverse", [spd(3, 3)])
op("linalg.inv", [spd(2, 2, 2)])
op("linalg.det", [spd(3, 3)])
op("linalg.slogdet", [spd(3, 3)])
op("linalg.solve", [spd(3, 3), f32(3, 2)])
op("linalg.solve", [spd(3, 3), f32(3)], _case="vector")
op("linalg.triangular_solve", [spd(3, 3), f32(3, 2)])
op("linalg.triangular_solve", [spd(3, 3), f32(3, 2)], upper=False, transpose=True)
case(
    "linalg.cholesky_solve",
    lambda P, b, a: P.linalg.cholesky_solve(b, P.cholesky(a), upper=False),
    [f32(3, 2), spd(3, 3)],
)
op("linalg.matrix_power", [f32(3, 3)], 3)
op("linalg.matrix_power", [spd(3, 3)], -2).options(grad_rtol=1e-3)
op("linalg.pinv", [distinct(3, 2)]).options(rtol=1e-3, grad_rtol=1e-2)
op("linalg.eigvalsh", [spd(3, 3)])
op("linalg.svdvals", [distinct(3, 2)])
op("linalg.cond", [spd(3, 3)]).options(grad=False)
op("linalg.matrix_rank", [distinct(3, 4).fixed()])
op("linalg.matrix_exp", [f32(3, 3)]).options(rtol=1e-3, grad_rtol=1e-3)
op("linalg.lstsq", [distinct(4, 2).fixed(), f32(4, 1).fixed()]).options(rtol=1e-3, atol=1e-4)
case(
    "linalg.eigh/reconstructed",
    lambda P, x: (lambda w, v: P.matmul(v * w, v, transpose_y=True))(*P.linalg.eigh(x)),
    [spd(3, 3)],
    grad=False,
)
case("linalg.eigh/values", lambda P, x: P.linalg.eigh(x)[0], [spd(3, 3)])
case("linalg.qr/reconstructed", lambda P, x: P.matmul(*P.linalg.qr(x)), [f32(4, 3)], grad_atol=1e-4)
case(
    "linalg.qr/shapes",
    lambda P, x: [list(P.linalg.qr(x, mode=m)[0].shape) for m in ("reduced", "complete")],
    [f32(4, 3)],
    grad=False,
)
case(
    "linalg.svd/reconstructed",
    lambda P, x: (lambda u, s, vh: P.matmul(u * s, vh))(*P.linalg.svd(x)),
    [distinct(4, 3)],
    grad_atol=1e-3,
)
case("linalg.lu/values", lambda P, x: P.linalg.lu(x), [distinct(3, 3)], grad=False)
case("linalg.cholesky_inverse", lambda P, x: P.linalg.cholesky_inverse(P.tril(x)), [spd(3, 3)], grad=False)
op("matrix_transpose", [f32(2, 3, 4)])
for name in words("T mT"):
    case(f"Tensor.{name}", lambda P, x, n=name: getattr(x, n), [f32(2, 3)])
op("linalg.norm", [f32(2, 3)])
op("nn.functional.linear", [f32(2, 3), f32(3, 4), f32(4)])
op("nn.functional.linear", [f32(2, 2, 3), f32(3, 4)])
op("nn.functional.bilinear", [f32(2, 3), f32(2, 4), f32(5, 3, 4), f32(1, 5)])
case("cartesian_prod", lambda P, a, b: P.cartesian_prod([a, b]), [f32(2), f32(3)])
op("combinations", [f32(4)])
op("combinations", [f32(3)], r=2, with_replacement=True)
op("cross", [const([[1.0, 2.0, 3.0]], grad=True), f32(1, 3)], axis=1)
