"""In-place operators: the value, what shares the storage, and the gradient that flows through."""

from __future__ import annotations

from harness import Caught, case, program, words
from specs import bools, const, f32, ints, pos, sym

UNARY = words("""exp_ sqrt_ rsqrt_ reciprocal_ floor_ ceil_ round_ tanh_ sigmoid_ abs_ neg_ sin_ cos_ tan_ square_ log_
log2_ log10_ log1p_ sinh_ cosh_ trunc_ frac_ digamma_ lgamma_ asinh_ atan_ i0_ logit_ relu_ sinc_""")
for name in UNARY:
    source = pos(2, 3, low=0.1, high=0.9) if name == "logit_" else pos(2, 3)
    method = (
        (lambda P, y, n=name: getattr(P.nn.functional, n)(y))
        if name == "relu_"
        else (lambda P, y, n=name: getattr(y, n)())
    )

    def run_unary(P, x, method=method):
        y = x * 1.0
        method(P, y)
        return y

    case(f"Tensor.{name}", run_unary, [source])
for name in words("acos_ asin_ atanh_ erfinv_"):
    case(f"Tensor.{name}", lambda P, x, n=name: getattr(x * 1.0, n)(), [sym(2, 3)])

BINARY = words("add_ subtract_ multiply_ divide_ remainder_ hypot_ copysign_ lerp_ mod_ floor_divide_")
for name in BINARY:

    def run_binary(P, x, v, name=name):
        y = x * 1.0
        arguments = (v, 0.3) if name == "lerp_" else (v,)
        getattr(y, name)(*arguments)
        return y

    inputs = [pos(2, 3), pos(2, 3)]
    case(f"Tensor.{name}", run_binary, inputs, grad=name != "floor_divide_")

CALLS = {
    "clip_": (lambda y: y.clip_(0.3, 1.0), pos(2, 3)),
    "scale_": (lambda y: y.scale_(2.0, 1.0), f32(2, 3)),
    "fill_": (lambda y: y.fill_(2.0), f32(2, 3)),
    "zero_": (lambda y: y.zero_(), f32(2, 3)),
    "reshape_": (lambda y: y.reshape_([3, 2]), f32(2, 3)),
    "squeeze_": (lambda y: y.squeeze_(0), f32(1, 3)),
    "unsqueeze_": (lambda y: y.unsqueeze_(1), f32(2, 3)),
    "flatten_": (lambda y: y.flatten_(), f32(2, 3)),
    "cumsum_": (lambda y: y.cumsum_(0), f32(2, 3)),
    "tril_": (lambda y: y.tril_(), f32(3, 3)),
    "triu_": (lambda y: y.triu_(1), f32(3, 3)),
    "transpose_": (lambda y: y.transpose_([1, 0]), f32(2, 3)),
    "t_": (lambda y: y.t_(), f32(2, 3)),
    "cast_": (lambda y: y.cast_("float64"), f32(2, 3)),
    "add_/number": (lambda y: y.add_(y.detach() * 0 + 2.0), f32(2)),
    "pow_": (lambda y: y.pow_(2.5), pos(2, 3)),
    "nan_to_num_": (lambda y: y.nan_to_num_(), f32(3)),
    "cumprod_": (lambda y: y.cumprod_(0), pos(3)),
}
for name, (fn, source) in CALLS.items():

    def run_call(P, x, fn=fn):
        y = x * 1.0
        fn(y)
        return y

    case(f"Tensor.{name}", run_call, [source])
case("Tensor.masked_fill_", lambda P, x, m: (x * 1.0).masked_fill_(m, 0.5), [f32(2, 3), bools(2, 3)])
case(
    "Tensor.index_add_",
    lambda P, x, i, v: (x * 1.0).index_add_(i, 0, v),
    [f32(3, 2), const([0, 2], "int64"), f32(2, 2)],
)
case("Tensor.scatter_", lambda P, x, i, v: (x * 1.0).scatter_(i, v), [f32(3, 2), const([2, 0], "int64"), f32(2, 2)])
case(
    "Tensor.put_along_axis_",
    lambda P, x, i: (x * 1.0).put_along_axis_(i, 3.0, 1),
    [f32(2, 3), const([[0], [1]], "int64")],
)
case("Tensor.fill_diagonal_", lambda P, x: (x * 1.0).fill_diagonal_(2.0), [f32(3, 3)])
case("Tensor.where_", lambda P, c, x, y: P.where_(c, x * 1.0, y), [bools(2, 3), f32(2, 3), f32(2, 3)])
for name in words("equal_ less_than_ logical_and_ logical_not_ bitwise_and_"):

    def run_logic(P, a, b, name=name):
        y = P.assign(a)
        return getattr(y, name)() if name == "logical_not_" else getattr(y, name)(b)

    case(f"Tensor.{name}", run_logic, [ints(0, 2, 4), ints(0, 2, 4)], grad=False)


def augmented(P, x, v):
    y = x * 1.0
    y += v
    y -= 0.5
    y *= v
    y /= 2.0
    return y


case("augmented-assignment", augmented, [f32(2, 3), f32(3)])


@program("in-place/storage", [f32(2, 3)])
def storage(P, x):
    a = P.to_tensor(x)
    alias, detached = a, a.detach()
    a.add_(P.ones([2, 3]))
    b = P.to_tensor(x)
    b += 1
    c = P.to_tensor(x, stop_gradient=False)
    errors = []
    for write in (lambda: c.add_(P.ones([2, 3])), lambda: c.__setitem__(0, 1.0)):
        try:
            write()
            errors.append("none")
        except (ValueError, RuntimeError) as error:
            errors.append(Caught(error))
    c = P.to_tensor(x, stop_gradient=False)  # Paddle has changed it before it refuses
    with P.no_grad():
        c.add_(P.ones([2, 3]))
    versions = [a.inplace_version, b.inplace_version]
    a.set_value(P.zeros([2, 3]))
    d = P.to_tensor(x)
    d.copy_(P.ones([2, 3]), True)
    return alias, detached, b, c, errors, a, d, versions


@program("in-place/version-check", [f32(3)])
def version_check(P, x):
    a = P.to_tensor(x, stop_gradient=False)
    b = a * 1.0
    c = b * b
    b.add_(P.ones([3]))
    try:
        c.sum().backward()
    except (RuntimeError, ValueError) as error:
        return Caught(error)
    return "none"
