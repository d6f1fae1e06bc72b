"""`match`: on Python values, structures and tensors."""
import collections

from language import EITHER, case, dvec, num, vec, whole

import kayax as paddle

X = dvec(1.0, 2.0, 3.0)
H = vec(1.0, 2.0, 3.0)               # wants no gradient
Point = collections.namedtuple("Point", "x y")


@case((X, "double"), (X, "half"), (X, "other"))
def strings(x, mode):
    match mode:
        case "double":
            return x * 2.0
        case "half":
            return x / 2.0
        case _:
            return x


@case((X, 1), (X, 2), (X, 7))
def numbers_and_alternatives(x, n):
    match n:
        case 0 | 1:
            y = x
        case 2 | 3:
            y = x * 2.0
        case _:
            y = x * n
    return y


@case((X, 1), (vec(-1.0, -2.0, -3.0), 1), (X, 2))
def tensor_branches_inside(x, n):
    match n:
        case 1:
            if x.sum() > 0:
                y = x * 2.0
            else:
                y = x
        case _:
            y = x * 5.0
    return y


@case((X, 1), (vec(-1.0, -2.0, -3.0), 1), (X, 2))
def tensor_guard(x, n):
    match n:
        case 1 if x.sum() > 0:
            y = x * 2.0
        case 1:
            y = x * 3.0
        case _:
            y = x
    return y


@case((num(1.0), num(2.0)))
def sequence_of_tensors(x, y):
    match [x, y]:
        case [a, b]:
            return a * b
        case _:
            return x


@case({"a": num(1.0), "b": num(2.0)}, {"a": num(1.0)})
def mapping(table):
    match table:
        case {"a": a, "b": b}:
            return a + b
        case {"a": a}:
            return a * 10.0


@case(num(3.0))
def classes(x):
    match Point(x, x * 2.0):
        case Point(a, b):
            return a + b


@case((num(1.0), num(2.0)))
def capture_and_star(x, y):
    match (x, y, x * y):
        case (first, *rest):
            return first + rest[-1]


@case((H, whole(0)), (H, whole(1)), (H, whole(5)))
def on_tensor_values(x, n):
    match n:
        case 0:
            return x
        case 1:
            return x * 2.0
        case _:
            return x * 3.0


@case((X, None), (X, vec(1.0, 1.0, 1.0)))
def none(x, mask):
    match mask:
        case None:
            return x
        case _:
            return x * mask


@case((num(1.0), whole(3)), (num(1.0), whole(0)))
def inside_a_staged_loop(x, n):
    for i in range(n):
        match x.ndim:
            case 0:
                x = x * 2.0 + i
            case _:
                x = x
    return x


@case((X, 2), (X, 0), expect=EITHER)
def with_continue_and_break(x, n):
    y = x
    for i in range(4):
        match i:
            case 0:
                continue
            case 3:
                break
        if x.sum() > n:
            y = y + i
    return y


@case(paddle.float32, paddle.int64)
def as_pattern(kind):
    match str(kind):
        case ("paddle.float32" | "float32") as name:
            return len(name)
        case _:
            return 0
