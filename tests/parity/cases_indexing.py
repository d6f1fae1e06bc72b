"""Reading and writing with every form of index."""

from __future__ import annotations

from harness import Caught, case, program
from specs import bools, const, distinct, f32, ints

SHAPE_BY_VALUE = "the output's shape depends on values"
X = (3, 4, 5)

READS = {  # an index written as in a user's code
    "0": lambda x: x[0],
    "-1": lambda x: x[-1],
    "1,2": lambda x: x[1, 2],
    "1,-1,2": lambda x: x[1, -1, 2],
    ":": lambda x: x[:],
    "1:": lambda x: x[1:],
    ":2": lambda x: x[:2],
    "::2": lambda x: x[::2],
    "::-1": lambda x: x[::-1],
    "1:3,::2": lambda x: x[1:3, ::2],
    "-3:-1": lambda x: x[-3:-1],
    "3:0:-2": lambda x: x[:, 3:0:-2],
    "100:": lambda x: x[:, 1:100],
    ":,1": lambda x: x[:, 1],
    "...": lambda x: x[...],
    "...,0": lambda x: x[..., 0],
    "0,...": lambda x: x[0, ...],
    "0,...,1": lambda x: x[0, ..., 1],
    "None": lambda x: x[None],
    ":,None": lambda x: x[:, None],
    "...,None": lambda x: x[..., None],
    "None,0,None": lambda x: x[None, 0, None],
    "1:,None,0,::2": lambda x: x[1:, None, 0, ::2],
    "()": lambda x: x[()],
    "[0,2]": lambda x: x[[0, 2]],
    "[0,2],[1,3]": lambda x: x[[0, 2], [1, 3]],
    ":,[0,2]": lambda x: x[:, [0, 2]],
    "[0,-1],:,[1,2]": lambda x: x[[0, -1], :, [1, 2]],
    "0,:,[1,2]": lambda x: x[0, :, [1, 2]],
    "[[0,1],[1,2]]": lambda x: x[[[0, 1], [1, 2]]],
    "...,[0,1]": lambda x: x[..., [0, 1]],
    "[0,1],None": lambda x: x[[0, 1], None],
    "0:1,[0,1]": lambda x: x[0:1, [0, 1], 1:3],
    "True-list": lambda x: x[[True, False, True]],
    "chain": lambda x: x[1:][0, 2:][:, 1],
    "empty": lambda x: x[2:1],
}
for name, read in READS.items():
    case(f"getitem/{name}", lambda P, x, f=read: f(x), [f32(*X)])

ROWS = const([2, 0, 2], "int64")
READS_BY_TENSOR = {
    "int": (lambda P, x, i: x[i], [const(1, "int64")]),
    "int32": (lambda P, x, i: x[i], [const([1, 0], "int32")]),
    "rows": (lambda P, x, i: x[i], [ROWS]),
    "second": (lambda P, x, i: x[:, i], [ROWS]),
    "two": (lambda P, x, i, j: x[i, j], [ROWS, const([3, 1, 0], "int64")]),
    "two-apart": (lambda P, x, i, j: x[i, :, j], [ROWS, const([3, 1, 0], "int64")]),
    "broadcast": (lambda P, x, i, j: x[i, j], [const([[0], [2]], "int64"), const([1, 3], "int64")]),
    "matrix": (lambda P, x, i: x[i], [const([[0, 1], [2, 2]], "int64")]),
    "int-and-tensor": (lambda P, x, i: x[1, i], [ROWS]),
    "tensor-and-int": (lambda P, x, i: x[i, 1], [ROWS]),
    "slice-and-tensor": (lambda P, x, i: x[1:, i, ::2], [ROWS]),
    "ellipsis": (lambda P, x, i: x[..., i], [ROWS]),
    "negative": (lambda P, x, i: x[i], [const([-1, -3], "int64")]),
}
for name, (fn, indices) in READS_BY_TENSOR.items():
    case(f"getitem/tensor-{name}", fn, [f32(*X), *indices])
# Paddle 3.3.1 corrupts its heap on None before an index array: the oracle says what NumPy does.
case("getitem/None,[0,1]", lambda P, x: x[None, [0, 1]], [f32(*X)], oracle=lambda P, x: x[[0, 1]].unsqueeze(0))
case("getitem/tensor-none", lambda P, x, i: x[None, i], [f32(*X), ROWS], oracle=lambda P, x, i: x[i].unsqueeze(0))
READS_BY_MASK = {
    "full": (lambda P, x, m: x[m], [bools(*X)]),
    "rows": (lambda P, x, m: x[m], [const([True, False, True], "bool")]),
    "two-dims": (lambda P, x, m: x[m], [bools(3, 4)]),
    "second": (lambda P, x, m: x[:, m], [const([True, False, True, True], "bool")]),
    "computed": (lambda P, x: x[x > 0], []),
    "and-int": (lambda P, x, m: x[m, 0], [const([True, False, True], "bool")]),
    "and-slice": (lambda P, x, m: x[m, 1:3], [const([False, True, True], "bool")]),
}
for name, (fn, indices) in READS_BY_MASK.items():
    case(f"getitem/mask-{name}", fn, [f32(*X), *indices], static=SHAPE_BY_VALUE)

WRITES = {  # index -> (a function that writes v at the index, the value's shape)
    "0": (lambda x, v: x.__setitem__(0, v), (4, 5)),
    "0-broadcast": (lambda x, v: x.__setitem__(0, v), (5,)),
    "1,2": (lambda x, v: x.__setitem__((1, 2), v), (5,)),
    ":": (lambda x, v: x.__setitem__(slice(None), v), (3, 4, 5)),
    "1:": (lambda x, v: x.__setitem__(slice(1, None), v), (2, 4, 5)),
    ":,::2": (lambda x, v: x.__setitem__((slice(None), slice(None, None, 2)), v), (3, 2, 5)),
    "::-1": (lambda x, v: x.__setitem__(slice(None, None, -1), v), (3, 4, 5)),
    "...,0": (lambda x, v: x.__setitem__((..., 0), v), (3, 4)),
    "...": (lambda x, v: x.__setitem__(..., v), ()),
    "None": (lambda x, v: x.__setitem__((None, 1), v), (1, 4, 5)),
    "[0,2]": (lambda x, v: x.__setitem__([0, 2], v), (2, 4, 5)),
    "[0,2],[1,3]": (lambda x, v: x.__setitem__(([0, 2], [1, 3]), v), (2, 5)),
    ":,[0,2]": (lambda x, v: x.__setitem__((slice(None), [0, 2]), v), (3, 2, 5)),
    "1,2,3": (lambda x, v: x.__setitem__((1, 2, 3), v), ()),
    "1:2,:,[0,1]": (lambda x, v: x.__setitem__((slice(1, 2), slice(None), [0, 1]), v), (1, 4, 2)),
}
for name, (write, shape) in WRITES.items():

    def set_tensor(P, x, v, write=write):
        y = x * 1.0
        write(y, v)
        return y

    case(f"setitem/{name}", set_tensor, [f32(*X), f32(*shape)])
for name in ("0", "1:", "...,0", "[0,2]", "1,2,3"):

    def set_number(P, x, write=WRITES[name][0]):
        y = x * 1.0
        write(y, 2.5)
        return y

    case(f"setitem/number-{name}", set_number, [f32(*X)])


def write_at(P, x, v, *index):
    y = x * 1.0
    y[index if len(index) > 1 else index[0]] = v
    return y


WRITES_BY_TENSOR = {
    "rows": (f32(2, 4, 5), [const([2, 0], "int64")]),
    "two": (f32(2, 5), [const([2, 0], "int64"), const([1, 3], "int64")]),
    "int": (f32(4, 5), [const(1, "int64")]),
    "mask-number": (const(-1.0), [bools(*X)]),
    "mask-rows": (f32(5), [bools(3, 4)]),
}
for name, (value, index) in WRITES_BY_TENSOR.items():
    case(f"setitem/tensor-{name}", write_at, [f32(*X), value, *index])


def write_masked(P, x):
    y = x * 1.0
    y[x > 0] = 0.0
    return y


case("setitem/computed-mask", write_masked, [f32(*X)])


def write_then_use(P, x, v):
    y = x * 2.0
    z = y * 1.0
    y[0] = v
    y[1] += 1.0
    return y * 3.0, z


case("setitem/then-use", write_then_use, [f32(3, 2), f32(2)])
case(
    "setitem/casts-value",
    lambda P, x, v: write_at(P, x, v, 0),
    [ints(0, 5, 3, 2), ints(0, 5, 2, dtype="int32")],
    grad=False,
)


@program("setitem/in-place-views", [distinct(3, 4)])
def in_place(P, x):
    t = P.to_tensor(x)
    t[0, 1] = 5
    t[1] = P.zeros([4])
    t[:, 2] *= 2
    t[P.to_tensor([2])] = 1.0
    t[t > 4] = -4.0
    integers = P.arange(6).reshape([2, 3])
    integers[0] = 2.9
    integers[1, 0] = True
    flags = P.to_tensor([True, False])
    flags[0] = False
    return t, integers, flags, t.detach()[0], len(t)


@program("getitem/errors", [distinct(3, 4)])
def index_errors(P, x):
    t = P.to_tensor(x)
    kinds = []
    for index in (5, -4, (0, 4), (0, 0, 0)):
        try:
            t[index]
            kinds.append("none")
        except (IndexError, ValueError) as error:
            kinds.append(Caught(error))
    return kinds


@program("iteration", [distinct(3, 2)])
def iteration(P, x):
    t = P.to_tensor(x)
    a, b, c = t
    return [a, b, c], list(t), len(t), [i for i, _ in enumerate(t)], dict(zip("ab", t[0], strict=True))
