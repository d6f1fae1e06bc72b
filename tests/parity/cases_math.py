"""Elementwise math: unary, binary, clipping, special values."""

from __future__ import annotations

from harness import case, in_float32, resolve, table, words
from specs import c64, const, distinct, f32, f64, ints, pos, sym, unit, wide

op = table("math")

UNARY_ANY = words("""abs ceil cos erf exp expm1 floor neg round sign sin sinh square tan tanh trunc
cosh asinh atan sigmoid deg2rad rad2deg frac sinc negative positive stanh sgn i0 i0e i1 i1e""")
UNARY_POSITIVE = words("log log10 log1p log2 sqrt rsqrt reciprocal digamma lgamma gammaln")
UNARY_ARC = words("acos asin atanh erfinv")

for name in UNARY_ANY:
    op(name, [f32(2, 3)])
for name in UNARY_POSITIVE:
    op(name, [pos(2, 3)])
for name in UNARY_ARC:
    op(name, [sym(2, 3)])
for name in words("exp tanh sqrt log erf sin digamma rsqrt"):
    op(name, [pos(2, 3).astype("float64")], _case="float64")
op("acosh", [pos(2, 3, low=1.2, high=3)])
op("logit", [unit(2, 3)])
op("logit", [pos(2, 3, low=-0.2, high=1.2)], eps=0.1)
op("polygamma", [pos(2, 3)], 1)
op("polygamma", [pos(2, 3)], 2)
op("multigammaln", [pos(2, 3, low=2, high=5)], 2)
op("gammainc", [pos(2, 3).fixed(), pos(2, 3)]).options(grad=False)
op("gammaincc", [pos(2, 3).fixed(), pos(2, 3)]).options(grad=False)
op("nan_to_num", [const([[1.0, float("nan")], [float("inf"), -float("inf")]], grad=True)])
op("nan_to_num", [const([float("nan"), float("inf"), -1.0], grad=True)], nan=2.0, posinf=5.0, neginf=-5.0)

BINARY = words("add subtract multiply maximum minimum fmax fmin atan2 hypot logaddexp copysign heaviside nextafter")
for name in BINARY:
    if name != "nextafter":
        op(name, [f32(2, 3), f32(2, 3)])
        op(name, [f32(2, 1, 3), f32(4, 1)], _case="broadcast")
op("nextafter", [f32(2, 3), f32(2, 3)]).options(grad=False)
op("divide", [f32(2, 3), pos(2, 3)])
op("divide", [ints(1, 9, 4), ints(1, 9, 4)], _case="int")
op("pow", [pos(2, 3)], 2.5)
op("pow", [f32(2, 3)], 2)
op("pow", [pos(2, 3), f32(3)], _case="tensor")
op("pow", [ints(1, 5, 4)], 3)
for name in words("mod remainder floor_mod floor_divide"):
    op(name, [wide(2, 4), pos(4, low=0.7)]).options(grad=name != "floor_divide")
    op(name, [ints(-20, 20, 6), ints(1, 6, 6)], _case="int")
    op(name, [ints(-20, 20, 6), ints(-6, 0, 6)], _case="negative-int")
op("ldexp", [f32(4), ints(-3, 3, 4, dtype="int32")])
op("gcd", [ints(1, 50, 6), ints(1, 50, 6)])
op("lcm", [ints(1, 20, 6), ints(1, 20, 6)])
op("lerp", [f32(2, 3), f32(2, 3)], 0.3)
op("lerp", [f32(2, 3), f32(2, 3), f32(2, 3).fixed()], _case="tensor")
op("scale", [f32(2, 3)], 2.0, 1.5)
op("scale", [f32(2, 3)], scale=2.0, bias=1.5, bias_after_scale=False)
op("scale", [ints(0, 9, 4)], 3)
op("scale", [f32(2, 3)], scale=2.0, bias=0.5, act="tanh")
op("increment", [f32(1).fixed()], 2.0)
op("clip", [f32(3, 4)], -0.5, 0.5)
op("clip", [f32(3, 4)], min=0.1)
op("clip", [f32(3, 4)], max=0.1)
op("clip", [ints(-9, 9, 6)], -3, 3)
case("clip/tensor-bounds", lambda P, x, lo, hi: P.clip(x, lo, hi), [f32(3, 4), const(-0.5), const(0.5)])
op("add_n", [f32(2, 3)])
case("add_n/list", lambda P, *xs: P.add_n(list(xs)), [f32(2, 3), f32(2, 3), f32(2, 3)])
op("outer", [f32(3), f32(4)])
op("inner", [f32(2, 3), f32(4, 3)])
op("kron", [f32(2, 3), f32(3, 2)])
op("cross", [f32(2, 3), f32(2, 3)])
op("cross", [f32(3, 2), f32(3, 2)], axis=0)
op("frexp", [f32(5).fixed()])
op("signbit", [f32(5).fixed()])
op("trapezoid", [f32(3, 4)])
op("trapezoid", [f32(3, 4), distinct(3, 4)], axis=0, _case="x")
op("cumulative_trapezoid", [f32(3, 4)], dx=0.5)
op("diff", [f32(3, 5)])
op("diff", [f32(3, 5)], n=2, axis=0)
case("diff/prepend-append", lambda P, x, a, b: P.diff(x, prepend=a, append=b), [f32(2, 3), f32(2, 1), f32(2, 2)])
op("vander", [f32(4)])
op("vander", [f32(4)], n=3, increasing=True)
op("renorm", [wide(3, 2, 2)], p=2.0, axis=1, max_norm=1.5)
op("round", [wide(5)], decimals=1).options(grad=False)

BITWISE = words("bitwise_and bitwise_or bitwise_xor")
for name in BITWISE:
    op(name, [ints(0, 64, 5), ints(0, 64, 5)])
op("bitwise_not", [ints(0, 64, 5)])
op("bitwise_left_shift", [ints(0, 64, 5), ints(0, 5, 5)])
op("bitwise_right_shift", [ints(0, 640, 5), ints(0, 5, 5)])

COMPLEX_UNARY = words("abs angle conj real imag exp sin square")
for name in COMPLEX_UNARY:
    op(name, [c64(2, 3)], _case="complex")
op("complex", [f32(2, 3), f32(2, 3)])
op("polar", [pos(2, 3), f32(2, 3)])
op("as_complex", [f32(3, 2)])
op("as_real", [c64(3)])
op("multiply", [c64(2, 3), c64(2, 3)], _case="complex")
op("divide", [c64(2, 3), c64(3)], _case="complex")
op("matmul", [c64(2, 3), c64(3, 2)], _case="complex")

for name in words("add multiply subtract"):
    op(name, [f64(2, 3), f64(2, 3)], _case="float64")
    op(name, [ints(-9, 9, 4), ints(-9, 9, 4)], _case="int64")

OPERATORS = {
    "+": lambda P, x, y: x + y,
    "-": lambda P, x, y: x - y,
    "*": lambda P, x, y: x * y,
    "/": lambda P, x, y: x / y,
    "//": lambda P, x, y: x // y,
    "%": lambda P, x, y: x % y,
    "**": lambda P, x, y: x**y,
    "@": lambda P, x, y: x @ y,
    "<": lambda P, x, y: x < y,
    "<=": lambda P, x, y: x <= y,
    ">": lambda P, x, y: x > y,
    ">=": lambda P, x, y: x >= y,
    "==": lambda P, x, y: x == y,
    "!=": lambda P, x, y: x != y,
}
for name, fn in OPERATORS.items():
    case(f"operator{name}", fn, [pos(3, 3), pos(3, 3)], grad=name != "//")
for name in ("+", "-", "*", "/", "**", "//", "%"):
    fn = OPERATORS[name]
    case(f"operator{name}/scalar", lambda P, x, fn=fn: fn(P, x, 2), [pos(3)], grad=name != "//")
    case(f"operator{name}/reflected", lambda P, x, fn=fn: fn(P, 2.5, x), [pos(3)], grad=name != "//")
case("operator-neg-abs-invert", lambda P, x, n: (-x, abs(x), ~n), [f32(3), ints(-9, 9, 3)])
case("operator-bits", lambda P, a, b: (a & b, a | b, a ^ b, a << 1, a >> 1), [ints(0, 50, 4), ints(0, 50, 4)])

for dtype in words("bfloat16 float16"):
    for name in words("add multiply divide maximum matmul"):

        def binary(P, x, y, name=name):
            return getattr(P, name)(x, y)

        case(
            f"{name}/{dtype}",
            binary,
            [f32(3, 3, dtype=dtype), pos(3, 3).astype(dtype)],
            oracle=in_float32(binary, dtype),
        )
    for name in words(
        "tanh exp mean sum nn.functional.relu nn.functional.gelu nn.functional.softmax nn.functional.log_softmax"
    ):

        def unary(P, x, name=name):
            return resolve(P, name)(x)

        case(f"{name}/{dtype}", unary, [f32(2, 3, dtype=dtype)], oracle=in_float32(unary, dtype))
