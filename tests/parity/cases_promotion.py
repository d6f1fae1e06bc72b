"""Type promotion: every pair of dtypes for the operators, and tensors with Python numbers."""

from __future__ import annotations

import operator

from harness import NOT_KNOWN, program, words

DTYPES = words("bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex64 complex128")
OPERATORS = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
    "==": operator.eq,
    "<": operator.lt,
}
FUNCTIONS = words("maximum where concat atan2")
# The other operators follow the same rules; each table costs a hundred small programs.
TABLES = {"pairs": words("+ / // == **"), "zero-dim": words("+ /"), "numbers": words("+ / // **")}
SCALARS = {"True": True, "2": 2, "1.5": 1.5, "1j": 1j}
# Real Paddle on the CPU has no 16-bit kernels for most of these; what it does not compute says nothing about the type.
KERNEL = ("not registered", "NotFound")


def outcome(fn, *arguments):
    """The result's dtype; "refused" if the types may not be combined; NOT_KNOWN where Paddle lacks the kernel."""
    try:
        return str(fn(*arguments).dtype).rsplit(".", 1)[-1]
    except Exception as error:
        return NOT_KNOWN if any(word in str(error) for word in KERNEL) else "refused"


def table_of(rows, columns, fn):
    return {row: [outcome(fn, row, column) for column in columns] for row in rows}


for symbol, function in OPERATORS.items():

    def pairs(P, function=function):
        made = {d: P.ones([2, 2]).astype(d) for d in DTYPES}
        return table_of(DTYPES, DTYPES, lambda a, b: function(made[a], made[b]))

    def zero_dim(P, function=function):
        made = {d: P.ones([2, 2]).astype(d) for d in DTYPES}
        scalars = {d: P.ones([]).astype(d) for d in words("bool int32 int64 float32 float64 complex64")}
        return table_of(DTYPES, list(scalars), lambda a, b: function(made[a], scalars[b]))

    def numbers(P, function=function):
        made = {d: P.ones([2]).astype(d) for d in DTYPES}
        return [
            table_of(DTYPES, SCALARS, lambda a, b: function(made[a], SCALARS[b])),
            table_of(DTYPES, SCALARS, lambda a, b: function(SCALARS[b], made[a])),
        ]

    for label, fn in (("pairs", pairs), ("zero-dim", zero_dim), ("numbers", numbers)):
        if symbol not in TABLES[label]:
            continue
        fn.__module__ = __name__
        program(f"promotion{symbol}/{label}")(fn)

for name in FUNCTIONS:

    def combine(P, name=name):
        def fn(a, b):
            if name == "where":
                return P.where(P.to_tensor([True, False]), made[a], made[b])
            return P.concat([made[a], made[b]]) if name == "concat" else getattr(P, name)(made[a], made[b])

        made = {d: P.ones([2]).astype(d) for d in DTYPES}
        return table_of(DTYPES, DTYPES, fn)

    combine.__module__ = __name__
    program(f"promotion-{name}")(combine)

UNARY = words("exp sqrt sin abs mean sum floor round tanh reciprocal log square sign prod max cumsum argmax any isnan")


@program("promotion-unary")
def unary(P):
    return {name: [outcome(getattr(P, name), P.ones([2]).astype(d)) for d in DTYPES] for name in UNARY}


@program("promotion-values")
def values(P):
    i, f, b = P.to_tensor([7, -7]), P.to_tensor([2.5, -2.5]), P.to_tensor([True, False])
    return {
        "int/int": i / 2,
        "int//int": i // 2,
        "int%int": i % 3,
        "int**2": i**2,
        "int*1.5": i * 1.5,
        "2**int": 2 ** P.to_tensor([1, 2]),
        "1.5-int": 1.5 - i,
        "bool+1": b + 1,
        "bool*2.0": b * 2.0,
        "float//": f // 2,
        "float%": f % 2,
        "float>1": f > 1,
        "int==7.0": i == 7.0,
        "-bool": b.astype("int32"),
        "3-f": 3 - f,
        "2/f": 2 / f,
        "i/i": i / i,
    }
