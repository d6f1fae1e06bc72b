"""Creation of tensors, casts, and questions about tensors."""

from __future__ import annotations

import numpy as np
from harness import case, program, table, words
from specs import bools, c64, const, distinct, f32, f64, ints, pos

op = table("creation")

for name in words("zeros ones"):
    op(name, [], [2, 3])
    op(name, [], [2], dtype="int32")
    op(name, [], (2, 1), "bool")
for dtype in words("bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex64"):
    op("full", [], [2], 1, dtype)
op("full", [], [2, 2], 1.5)
op("full", [], [2], 3)
op("full", [], [2], True)
op("full", [], [], 4.5)
for name in words("zeros_like ones_like"):
    op(name, [f32(2, 3)])
    op(name, [ints(0, 5, 2)], dtype="float64")
op("full_like", [f32(2, 3)], 2.5)
op("full_like", [ints(0, 5, 3)], 7, dtype="float32")
op("arange", [], 5)
op("arange", [], 1, 6)
op("arange", [], 1, 6, 2)
op("arange", [], 5, 1, -1)
op("arange", [], 0.0, 1.0, 0.25)
op("arange", [], 3.0)
op("arange", [], 1, 6, dtype="float32")
op("arange", [], 1, 6, dtype="int32")
op("linspace", [], 0, 10, 5)
op("linspace", [], 1, -1, 4, dtype="float64")
op("linspace", [], 0, 10, 5, dtype="int32")
op("linspace", [], 0, 10, 1)
op("logspace", [], 0, 3, 4)
op("logspace", [], 0, 3, 4, base=2.0, dtype="float64")
op("eye", [], 3)
op("eye", [], 2, 4, "int64")
op("tril_indices", [], 3, 4, 1)
op("triu_indices", [], 3, 4, -1)
op("tril", [f32(3, 4)])
op("tril", [f32(2, 3, 3)], -1)
op("triu", [f32(3, 4)], 1)
op("diag", [f32(3)])
op("diag", [f32(3)], offset=1, padding_value=2.0)
op("diag", [f32(3, 4)], offset=-1)
op("diagflat", [f32(2, 2)], offset=1)
op("diag_embed", [f32(2, 3).fixed()])
op("diag_embed", [f32(2, 3).fixed()], offset=1, dim1=0, dim2=2)
op("diagonal", [f32(2, 3, 4)])
op("diagonal", [f32(2, 3, 4)], offset=1, axis1=1, axis2=2)
case("meshgrid", lambda P, a, b: P.meshgrid(a, b), [f32(2), f32(3)])
case("meshgrid/list", lambda P, a, b, c: P.meshgrid([a, b, c]), [f32(2), f32(3), f32(2)])
op("clone", [f32(2, 3)])
op("assign", [f32(2, 3)])
op("complex", [f32(2), f32(2)])
case("empty_like", lambda P, x: (list(P.empty_like(x).shape), list(P.empty([2, 0]).shape)), [f32(2, 3)])
op("nn.functional.one_hot", [ints(0, 4, 2, 3)], 5)
op("nn.functional.one_hot", [ints(0, 4, 4)]).options(static="the number of classes is read from the values")
op("nn.functional.sequence_mask", [ints(1, 5, 3)], maxlen=6)
op("nn.functional.sequence_mask", [const([2, 4, 1], "int64")], dtype="float32").options(
    static="the mask's length is the largest value"
)


for dtype in words("bool int8 int32 int64 float16 float32 float64 complex64"):
    op("cast", [pos(3)], dtype, _case="float32")
    op("cast", [ints(0, 3, 3)], dtype, _case="int64")
op("cast", [f64(3)], "float32")
op("cast", [bools(3)], "float32")
op("cast", [c64(3)], "float32", _case="complex")
case("Tensor.astype", lambda P, x: (x.astype("float64"), x.astype(P.int32), x.astype(np.float32)), [pos(2, 3)])
case("Tensor.to/dtype", lambda P, x: x.to("float64"), [f32(2)])
case("Tensor.type_as", lambda P, x, y: x.type_as(y), [f32(2), f64(2)])
case(
    "Tensor.casts",
    lambda P, x: [getattr(x, n)() for n in words("float double half int long bool")],
    [pos(3)],
    grad=False,
)

LIKE = {
    "bool": True,
    "int": 3,
    "float": 2.5,
    "complex": 1 + 2j,
    "list": [1, 2],
    "nested": [[1.0, 2], [3, 4]],
    "mixed": [1, 2.5],
    "bools": [True, False],
    "empty": [],
    "tuple": (1, 2, 3),
}


@program("to_tensor/python")
def to_tensor_python(P):
    return {name: P.to_tensor(value) for name, value in LIKE.items()}


@program("to_tensor/numpy")
def to_tensor_numpy(P):
    dtypes = words("bool uint8 int8 int16 int32 int64 float16 float32 float64 complex64 complex128")
    return {name: P.to_tensor(np.ones(2, name)) for name in dtypes}


@program("to_tensor/dtype-and-stop-gradient")
def to_tensor_options(P):
    made = [P.to_tensor([1, 2], dtype=d) for d in words("float32 float64 int32 bool float16 bfloat16 complex64")]
    nested = P.to_tensor([P.to_tensor([1.0, 2.0]), P.to_tensor([3.0, 4.0])])
    return [*made, nested, P.to_tensor(2.0, stop_gradient=False), P.to_tensor(P.ones([2]), dtype="int32")]


@program("default-dtype")
def default_dtype(P):
    out = [P.get_default_dtype()]
    try:
        P.set_default_dtype("float64")
        made = [
            P.ones([2]),
            P.to_tensor(1.5),
            P.full([1], 2.0),
            P.linspace(0, 1, 3),
            P.arange(0.0, 2.0),
            P.rand([2]) * 0,
            P.nn.Linear(2, 2).weight * 0,
            P.to_tensor([1, 2]) / 2,
            P.eye(2),
            P.to_tensor(np.ones(2, "float32")),
        ]
        return [*out, P.get_default_dtype(), made]
    finally:
        P.set_default_dtype("float32")


@program("questions", [f32(2, 3), ints(0, 3, 2)])
def questions(P, x, i):
    a, b = P.to_tensor(x), P.to_tensor(i)
    return {
        "is_tensor": [P.is_tensor(a), P.is_tensor(x)],
        "rank": P.rank(a),
        "shape": P.shape(a),
        "numel": a.numel(),
        "floating": [P.is_floating_point(a), P.is_floating_point(b)],
        "integer": [P.is_integer(a), P.is_integer(b)],
        "complex": [P.is_complex(a), P.is_complex(P.to_tensor(1j))],
        "empty": P.is_empty(P.zeros([0, 2])),
        "facts": [
            list(a.shape),
            a.ndim,
            int(a.size),
            a.dim(),
            a.ndimension(),
            a.is_leaf,
            a.persistable,
            a.stop_gradient,
        ],
        "sizes": [a.element_size(), a.itemsize, len(a), a.is_contiguous()],
        "shapes": [P.broadcast_shape([2, 1, 3], [4, 1])],
        "dtype": str(a.dtype),
        "place": str(a.place),
    }


@program("finfo-iinfo")
def finfo(P):
    floats = {
        d: [P.finfo(d).bits, P.finfo(d).eps, P.finfo(d).max, P.finfo(d).min, P.finfo(d).tiny, P.finfo(d).dtype]
        for d in (P.float16, P.bfloat16, P.float32, P.float64)
    }
    ints_ = {
        d: [P.iinfo(d).bits, P.iinfo(d).max, P.iinfo(d).min, P.iinfo(d).dtype]
        for d in (P.int8, P.uint8, P.int32, P.int64)
    }
    return {str(d): facts for d, facts in (floats | ints_).items()}


@program("conversions", [distinct(2, 2)])
def conversions(P, x):
    t = P.to_tensor(x)
    return {
        "tolist": [str(t.tolist())],
        "item": t[0, 1].item(),
        "float": float(t[0, 0]),
        "int": int(t[1, 1]),
        "bool": bool(t[0, 0].abs() + 1),
        "array": np.asarray(t),
        "item-index": t.item(3),
        "repr-list": str(P.to_tensor([1, 2]).tolist()),
        "iter": [row.numpy() for row in t],
        "index": [10, 20, 30][P.to_tensor(1)],
        "format": f"{P.to_tensor(1.23456):.2f}",
        "complex": str(complex(P.to_tensor(1 + 2j))),
    }


RANDOM = {
    "rand": ([400],),
    "randn": ([400],),
    "randint": (0, 5, [400]),
    "randperm": (20,),
    "uniform": ([400],),
    "normal": (0.0, 1.0, [400]),
    "standard_normal": ([400],),
}


@program("random/shapes-and-bounds")
def random_draws(P):
    P.seed(7)
    out = {}
    for name, args in RANDOM.items():
        t = getattr(P, name)(*args)
        values = t.numpy().astype("float64")
        out[name] = [
            list(t.shape),
            str(t.dtype),
            t.stop_gradient,
            bool(abs(values.mean()) < 12),
            bool(np.unique(values).size > 4),
        ]
    p = P.full([2000], 0.3)
    out["bernoulli"] = [bool(abs(P.bernoulli(p).mean().item() - 0.3) < 0.06), str(P.bernoulli(p).dtype)]
    m = P.multinomial(P.to_tensor([0.0, 1.0, 3.0]), 50, replacement=True)
    out["multinomial"] = [list(m.shape), str(m.dtype), bool((m.numpy() > 0).all())]
    out["uniform-range"] = bool((P.uniform([500], min=2.0, max=3.0).numpy() >= 2).all())
    out["normal-tensor"] = list(P.normal(P.zeros([3]), P.ones([3])).shape)
    P.seed(3)
    first = P.rand([4]).numpy()
    P.seed(3)
    out["seed"] = bool((P.rand([4]).numpy() == first).all())
    state = P.get_rng_state()
    first = P.rand([4]).numpy()
    P.set_rng_state(state)
    out["state"] = bool((P.rand([4]).numpy() == first).all())
    return out
