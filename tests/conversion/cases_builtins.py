"""Calls of built-in functions and of `paddle.static.nn`."""
import enum
import functools
import math

import numpy as np
from language import case, dvec, num, vec, whole

import kayax as paddle
from kayax.nn import functional as F

UP, DOWN = dvec(1.0, 2.0, 3.0), dvec(-1.0, -2.0, -3.0)
H = vec(1.0, 2.0, 3.0)               # wants no gradient


@case(UP, DOWN)
def builtin_functions(x):
    n = len([1, 2, 3])
    k = max(1, 2) + min(3, 4) + abs(-1) + sum([1, 2]) + round(2.4)
    return x * n + k


@case((num(3.0), num(-2.0)), (num(-3.0), num(2.0)))
def max_min_abs_of_tensors(x, y):
    return max(x, y) + min(x, y) * 2.0 + abs(x)


@case(UP, DOWN, slow=True)
def max_min_sum_of_a_tensor(x):
    return max(x) + min(x) * 2.0 + sum(x)


@case((num(3.0), 2), (num(1.0), 2), mixed=True)
def max_of_tensor_and_number(x, n):
    return max(x, n) * 1.0


@case((num(2.6),))
def round_and_pow(x):
    return pow(x, 2) + round(2.6) + divmod(7, 2)[1]


@case(UP)
def math_and_numpy_on_python_values(x):
    return x * math.sqrt(4.0) + float(np.mean([1.0, 2.0]))


@case(UP, DOWN)
def isinstance_and_hasattr(x):
    if isinstance(x, paddle.Tensor) and hasattr(x, "shape"):
        return x * 2.0
    return None


@case(UP, DOWN)
def getattr_by_name(x):
    op = getattr(paddle, "tanh" if x.ndim == 1 else "exp")
    return op(x)


@case((UP, "relu"), (DOWN, "tanh"))
def dispatch_table(x, name):
    table = {"relu": F.relu, "tanh": paddle.tanh}
    return table[name](x)


@case(UP, DOWN)
def cond_of_static_nn(x):
    return paddle.static.nn.cond(x.sum() > 0, lambda: x * 2.0, lambda: x - 1.0)


@case(UP, DOWN)
def cond_with_converted_branches(x):
    def inside():
        if x.max() > 2:
            return x * 2.0
        return x * 3.0

    return paddle.static.nn.cond(x.sum() > 0, inside, lambda: x)


@case((num(1.0), whole(3)), (num(1.0), whole(0)))
def while_loop_of_static_nn(x, n):
    i = paddle.to_tensor(0)
    i, x = paddle.static.nn.while_loop(lambda i, x: i < n, lambda i, x: [i + 1, x * 2.0], [i, x])
    return x


@case((H, whole(0)), (H, whole(1)), (H, whole(5)))
def switch_case_of_static_nn(x, k):
    return paddle.static.nn.switch_case(k, {0: lambda: x, 1: lambda: x * 2.0}, default=lambda: x * 3.0)


@case(num(0.5), num(1.5), num(2.5), slow=True)
def case_of_static_nn(x):
    return paddle.static.nn.case([(x < 1, lambda: x), (x < 2, lambda: x * 2.0)], default=lambda: x * 3.0)


@case((UP, 2), (DOWN, 2))
def reduce(x, n):
    return functools.reduce(lambda a, b: a + b if a.sum() > 0 else a - b, [x] * n)


@case(UP, DOWN)
def extremes_by_a_key(x):
    beams = [{"score": x[0], "word": "a"}, {"score": -x[1], "word": "b"}, {"score": x[2], "word": "c"}]
    best = max(beams, key=lambda beam: beam["score"])
    return best["score"], best["word"], min(x, key=lambda v: (v - 2).abs()), max(x[0], x[1] * 2, key=abs)


@case(H)
def extremes_of_python_values(x):
    return max([], default=x), min([2, 1]), max([[1, 2], [3]], key=len), max("ab", "b"), max([3], default=4, key=abs)


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


@case(UP, DOWN)
def enumerated_numbers(x):
    level = Level.HIGH if x.sum() > 0 else Level.LOW
    return x * level, x ** Level.HIGH, level == Level.HIGH
