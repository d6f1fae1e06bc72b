"""Calls that do not fit, in static mode: what a program and these variables make of an expression."""
import numpy as np


def outcome(paddle, expression):
    """"ok", or the error of a call while a program is built."""
    static, main = paddle.static, paddle.static.Program()
    with static.program_guard(main, static.Program()):
        shapes = {"x": [2, 3], "x3": [2, 4, 3], "x4": [2, 3, 4, 4], "w3": [2, 3, 3], "w4": [2, 3, 3, 3], "v1": [1],
                  "v2": [2], "v3": [3], "x32": [3, 2], "x33": [2, 2]}
        kinds = {"xi": ([2, 3], "int64"), "xb": ([2, 3], "bool"), "b": ([2, 3], "bool"), "b0": ([], "bool"),
                 "i0": ([1], "int64"), "i1": ([2], "int64"), "i2": ([2, 1], "int64")}
        names = {n: static.data(n, s, "float32") for n, s in shapes.items()}
        names |= {n: static.data(n, *kind) for n, kind in kinds.items()}
        names |= {"paddle": paddle, "static": static, "nn": paddle.nn, "F": paddle.nn.functional, "np": np,
                  "arr": np.ones((2, 3), "float32")}
        try:
            eval(expression, names)
        except Exception as error:
            return error
    return "ok"
