"""paddle.sparse: from values at fixed places, so that gradients of values and dense operands are compared."""

from __future__ import annotations

from typing import Any

from harness import case, layer, words
from specs import Spec, bools, const, f32, unit

X = [[0, 2, 0, 1, 2], [1, 0, 3, 3, 2]]  # in a matrix [3, 4], not in order
Y = [[0, 1, 2], [1, 0, 2]]
CROWS, COLS = [0, 2, 3, 5], [1, 3, 3, 0, 2]
POINTS = [[0, 0, 1, 1], [0, 2, 1, 1], [1, 2, 0, 1], [2, 0, 1, 1]]  # in [2, 3, 3, 3, channels]


def coo(P: Any, values: Any, indices: Any = None, shape: Any = (3, 4)) -> Any:
    return P.sparse.sparse_coo_tensor(indices or X, values, list(shape), stop_gradient=values.stop_gradient)


def csr(P: Any, values: Any) -> Any:
    return P.sparse.sparse_csr_tensor(CROWS, COLS, values, [3, 4], stop_gradient=values.stop_gradient)


def parts(out: Any) -> Any:
    """What a sparse tensor consists of."""
    if out.is_sparse_coo():
        return list(out.shape), out.indices(), out.values()
    return (list(out.shape), out.crows(), out.cols(), out.values()) if out.is_sparse_csr() else out


def add(label: str, fn: Any, *inputs: Spec, oracle: Any = None, **options: Any) -> None:
    """`fn(P, *tensors)` gives a sparse or dense tensor; the places are not compared where Paddle cannot compute it."""
    first = (lambda P, *t: parts(fn(P, *t))[0 if oracle is None else -1:]) if oracle is None else fn
    case("sparse." + label, (lambda P, *t: _tensors(first(P, *t))) if oracle is None else first, inputs, oracle=oracle,
         static="places are known eagerly alone", **options)


def _tensors(found: Any) -> Any:
    return found[1:] if isinstance(found, tuple) and isinstance(found[0], list) else found


NNZ, MORE = f32(5), f32(3)
for name in words("sin expm1 rad2deg"):
    add(name, lambda P, v, n=name: getattr(P.sparse, n)(coo(P, v)), NNZ)
for name in words("asin sqrt"):
    add(name, lambda P, v, n=name: getattr(P.sparse, n)(coo(P, v)), unit(5))
add("pow", lambda P, v: P.sparse.pow(coo(P, v), 3), NNZ)
add("isnan", lambda P, v: P.sparse.isnan(coo(P, v)), NNZ)
add("cast", lambda P, v: P.sparse.cast(csr(P, v), "int32", "float64"), NNZ, grad=False)
add("coalesce", lambda P, v: P.sparse.coalesce(coo(P, v, [[0, 2, 0, 1, 2], [1, 0, 1, 3, 0]])), NNZ, grad=False)
for name in words("add multiply"):
    add(name, lambda P, v, w, n=name: getattr(P.sparse, n)(coo(P, v).coalesce(), coo(P, w, Y)), NNZ, MORE, grad=False)
    add(f"{name}/csr", lambda P, v, w, n=name: getattr(P.sparse, n)(csr(P, v), csr(P, w)), NNZ, NNZ, grad=False)
add("divide/number", lambda P, v: P.sparse.divide(coo(P, v), 4), NNZ)
add("multiply/number", lambda P, v: P.sparse.multiply(coo(P, v), 3), NNZ)
add("mask_as", lambda P, x, v: P.sparse.mask_as(x, coo(P, v)), f32(3, 4), NNZ.fixed())
add("mask_as/csr", lambda P, x, v: P.sparse.mask_as(x, csr(P, v)), f32(3, 4), NNZ.fixed(), grad=False)
add("transpose", lambda P, v: P.sparse.transpose(coo(P, v), [1, 0]), NNZ)
add("transpose/csr", lambda P, v: P.sparse.transpose(csr(P, v), [1, 0]), NNZ, grad=False)
add("reshape", lambda P, v: P.sparse.reshape(coo(P, v), [2, -1]), NNZ)
add("reshape/csr", lambda P, v: P.sparse.reshape(csr(P, v), [4, 3]), NNZ, grad=False)
add("slice", lambda P, v: P.sparse.slice(coo(P, v), [0, 1], [0, 1], [2, -1]), NNZ, grad=False)
for axis, keep in ((0, False), (-1, True), (1, False)):
    add(f"sum/{axis},{keep}", lambda P, v, a=axis, k=keep: P.sparse.sum(coo(P, v), a, keepdim=k), NNZ, grad=False)
add("sum/csr", lambda P, v: P.sparse.sum(csr(P, v), -1), NNZ, grad=False)
add("to_dense", lambda P, v: coo(P, v).to_dense(), NNZ)
add("to_dense/csr", lambda P, v: csr(P, v).to_dense(), NNZ, grad=False)
add("to_sparse_csr", lambda P, v: coo(P, v).coalesce().to_sparse_csr(), NNZ, grad=False)
add("to_sparse_coo", lambda P, v: csr(P, v).to_sparse_coo(2), NNZ, grad=False)
for sparse_dim in (1, 2):
    add(f"from_dense/{sparse_dim}", lambda P, x, m, d=sparse_dim: (x * m.astype("float32")).to_sparse_coo(d),
        f32(3, 4), bools(3, 4), grad=False)
for name in words("relu leaky_relu"):
    add(f"nn.functional.{name}", lambda P, v, n=name: getattr(P.sparse.nn.functional, n)(coo(P, v)), NNZ)
add("nn.functional.softmax", lambda P, v: P.sparse.nn.functional.softmax(csr(P, v)), NNZ, grad=False)


def rows(P: Any, v: Any) -> Any:
    """The dense tensor of `csr`, through coordinates: Paddle has no gradients of compressed rows on the CPU."""
    return coo(P, v, [[0, 0, 1, 2, 2], COLS]).to_dense()


# Paddle has no CPU kernels for products of sparse matrices: dense ones tell the values and gradients.
add("matmul", lambda P, v, y: P.sparse.matmul(coo(P, v), y), NNZ, f32(4, 2),
    oracle=lambda P, v, y: coo(P, v).to_dense() @ y)
add("matmul/csr", lambda P, v, y: P.sparse.matmul(csr(P, v), y), NNZ, f32(4, 2),
    oracle=lambda P, v, y: rows(P, v) @ y)
add("matmul/sparse", lambda P, v, w: P.sparse.matmul(coo(P, v), coo(P, w, Y, (4, 3))).to_dense(), NNZ, MORE,
    oracle=lambda P, v, w: coo(P, v).to_dense() @ coo(P, w, Y, (4, 3)).to_dense())
add("masked_matmul", lambda P, x, y, v: P.sparse.masked_matmul(x, y, csr(P, v)).to_dense(), f32(3, 2), f32(2, 4),
    NNZ.fixed(), oracle=lambda P, x, y, v: (x @ y) * (csr(P, v).to_dense() != 0).astype("float32"))
add("mv", lambda P, v, y: P.sparse.mv(csr(P, v), y), NNZ.fixed(), f32(4).fixed(), oracle=lambda P, v, y: rows(P, v) @ y)
add("addmm", lambda P, i, v, y: P.sparse.addmm(i, coo(P, v), y, 2.0, 3.0), f32(3, 2), NNZ, f32(4, 2),
    oracle=lambda P, i, v, y: 2 * i + 3 * (coo(P, v).to_dense() @ y))


def dense_attention(P: Any, q: Any, k: Any, v: Any, mask: Any, padding: Any, more: Any) -> Any:
    scores = q @ k.transpose([0, 1, 3, 2]) / q.shape[-1] ** 0.5 + padding.unsqueeze([1, 2]) + more
    scores = P.where(mask.reshape([2, 2, 3, 3]), scores, P.full_like(scores, -1e30))
    return P.nn.functional.softmax(scores) @ v


LOOKS = const([[[1, 0, 1], [0, 1, 0], [1, 1, 1]]] * 4, "bool")
add("nn.functional.attention", lambda P, q, k, v, mask, padding, more: P.sparse.nn.functional.attention(
    q, k, v, mask.astype("float32").to_sparse_csr(), padding, more), *[f32(2, 2, 3, 2).fixed()] * 3, LOOKS,
    f32(2, 3).fixed(), f32(3, 3).fixed(), oracle=dense_attention)


def points(P: Any, values: Any) -> Any:
    return coo(P, values, POINTS, (2, 3, 3, 3, values.shape[1]))


WEIGHT, VALUES = f32(2, 2, 2, 2, 3), f32(4, 2)
add("nn.functional.conv3d", lambda P, v, w: P.sparse.nn.functional.conv3d(points(P, v), w), VALUES, WEIGHT)
add("nn.functional.conv3d/options", lambda P, v, w, b: P.sparse.nn.functional.conv3d(
    points(P, v), w, b, [2, 1, 1], [1, 0, 1], [1, 2, 1]), VALUES, WEIGHT, f32(3), grad=False)
add("nn.functional.conv2d", lambda P, v, w: P.sparse.nn.functional.conv2d(
    coo(P, v, POINTS[:3], (2, 3, 3, 2)), w, padding=1), VALUES, f32(2, 2, 2, 3))
add("nn.functional.max_pool3d", lambda P, v: P.sparse.nn.functional.max_pool3d(points(P, v), 2, 1), VALUES)

for name, build in {
    "SubmConv3D": lambda P: P.sparse.nn.SubmConv3D(2, 3, 3),
}.items():
    layer(f"sparse.nn.{name}", build, [VALUES], call=lambda P, net, v: parts(net(points(P, v)))[1:], grad_atol=1e-4,
          static="places are known eagerly alone")


def normalized(P: Any, values: Any) -> Any:
    net = P.sparse.nn.BatchNorm(2)
    out = net(points(P, values)).values()
    return out, net._mean.detach(), net._variance.detach()


case("sparse.nn.BatchNorm", normalized, [VALUES.fixed()], static="a layer made inside the function", grad=False)
