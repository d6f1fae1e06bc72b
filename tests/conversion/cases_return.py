"""`return` at any depth, with and without values, of different structures."""
import collections
import dataclasses

from language import EITHER, case, dvec, mat, num, vec, whole

import kayax as paddle

UP, DOWN = dvec(1.0, 2.0, 3.0), dvec(-1.0, -2.0, -3.0)
Pair = collections.namedtuple("Pair", "first second")


@dataclasses.dataclass
class Outputs:
    logits: object
    loss: object = None


@case(UP, DOWN)
def in_both_branches(x):
    if x.sum() > 0:
        return x * 2.0
    else:
        return x - 1.0


@case(UP, DOWN)
def early(x):
    if x.sum() > 0:
        return x * 2.0
    x = x + 1.0
    return x


@case(UP, DOWN)
def early_in_else(x):
    if x.sum() > 0:
        x = x * 2.0
    else:
        return x
    return x + 1.0


@case(num(0.5), num(1.5), num(2.5), num(9.0))
def guard_clauses(x):
    if x < 1:
        return x
    if x < 2:
        return x * 2.0
    y = x + 1.0
    if x < 3:
        return y
    return y * x


@case((num(1.0), num(1.0)), (num(1.0), num(-1.0)), (num(-1.0), num(1.0)))
def nested(x, y):
    if x > 0:
        if y > 0:
            return x + y
        x = x * 3.0
    else:
        y = y * 2.0
    return x - y


@case(num(1.0), num(7.0), num(50.0))
def in_while(x):
    while x < 10:
        x = x * 2.0
        if x == 8.0:
            return x * 100.0
    return x


@case(num(1.0), num(50.0))
def in_while_true(x):
    while True:
        x = x * 2.0
        if x > 20:
            return x


@case(num(1.0), num(50.0))
def first_statement_in_while(x):
    while x < 10:
        return x * 5.0
    return x


@case((num(1.0), 5), (num(-9.0), 5))
def in_python_for_under_tensor_if(x, n):
    for i in range(n):
        x = x + i
        if x > 3:
            return x * 10.0
    return x


@case((num(1.0), whole(5)), (num(-9.0), whole(5)), (num(1.0), whole(0)))
def in_tensor_range(x, n):
    for i in range(n):
        x = x + i
        if x > 3:
            return x * 10.0
    return x


@case(vec(1.0, 2.0, 3.0), vec(9.0, 2.0, 3.0))
def in_for_over_tensor(x):
    for v in x:
        if v > 5:
            return v
    return x.sum()


@case((num(1.0), num(1.0)), (num(30.0), num(1.0)), slow=True)
def in_nested_loops(x, y):
    for i in range(3):
        while y < 10 * (i + 1):
            y = y + x
            if y > 25:
                return y
        x = x + 1.0
    return x + y


@case((num(1.0), num(1.0)), (num(30.0), num(1.0)), slow=True)
def in_nested_while_loops(x, y):
    while x < 20:
        while y < 10:
            y = y + x
            if y > 8:
                return x, y
        x = x + y
    return y, x


@case(num(1.0), num(50.0))
def in_loop_else(x):
    while x < 10:
        x = x * 2.0
        if x == 4.0:
            break
    else:
        return x + 100.0
    return x


@case(UP, DOWN)
def without_value(x):
    if x.sum() > 0:
        return
    x = x + 1.0


@case(UP, DOWN)
def none_or_tensor(x):
    if x.sum() > 0:
        return None
    return x


@case(UP, DOWN)
def falls_off_the_end(x):
    if x.sum() > 0:
        return x * 2.0


@case(UP, DOWN, expect=EITHER)
def different_lengths(x):
    if x.sum() > 0:
        return x, x * 2.0
    return x


@case(UP, DOWN, expect=EITHER)
def tuples_of_different_lengths(x):
    if x.sum() > 0:
        return x, x * 2.0
    return x, x * 2.0, x * 3.0


@case(UP, DOWN)
def tuples(x):
    if x.sum() > 0:
        return x, x * 2.0
    return x * 3.0, x


@case(UP, DOWN, slow=True)
def dicts(x):
    if x.sum() > 0:
        return {"a": x, "b": [x * 2.0]}
    return {"a": x * 3.0, "b": [x]}


@case(UP, DOWN, expect=EITHER)
def dicts_with_different_keys(x):
    if x.sum() > 0:
        return {"a": x}
    return {"b": x}


@case(UP, DOWN)
def named_tuples(x):
    if x.sum() > 0:
        return Pair(x, x * 2.0)
    return Pair(x * 3.0, second=x)


@case(UP, DOWN)
def dataclass(x):
    if x.sum() > 0:
        return Outputs(x, x.sum())
    return Outputs(x * 2.0, loss=x.mean())


@case(UP, DOWN)
def dataclass_with_none(x):
    out = Outputs(x)
    if x.sum() > 0:
        out = Outputs(x * 3.0)
    return out


@case(UP, DOWN)
def python_numbers(x):
    if x.sum() > 0:
        return 1
    return 2


@case(UP, DOWN)
def same_python_number(x):
    if x.sum() > 0:
        return x, 1
    return x * 2.0, 1


@case(UP, DOWN)
def booleans(x):
    if x.sum() > 0:
        return True
    return False


@case(UP, DOWN)
def comparison(x):
    return x.sum() > 0


@case(UP, DOWN, expect=EITHER)
def strings(x):
    if x.sum() > 0:
        return "up"
    return "down"


@case(UP, DOWN, expect=EITHER)
def shapes_differ(x):
    if x.sum() > 0:
        return x
    return x.sum()


@case(UP, DOWN, expect=EITHER)
def dtypes_differ(x):
    if x.sum() > 0:
        return x
    return x.astype("float64")


@case(UP, DOWN)
def stop_gradients_differ(x):
    if x.sum() > 0:
        return (x * 2.0).sum()
    return (x * 3.0).sum() + 1.0


@case(UP, DOWN)
def dead_code_after(x):
    if x.sum() > 0:
        return x
    else:
        return x * 2.0
    x = x / 0                           # never reached
    return x


@case((UP, True), (UP, False))
def python_return_before_tensor_if(x, stop):
    if stop:
        return x
    if x.sum() > 0:
        return x * 2.0
    return x * 3.0


@case((UP, True), (DOWN, True), (DOWN, False), slow=True)
def tensor_return_under_python_if(x, check):
    if check:
        if x.sum() > 0:
            return x * 2.0
    return x * 3.0


@case(num(1.0), num(5.0))
def through_helper(x):
    def clip(v):
        if v > 3:
            return v * 0.0 + 3.0
        return v

    return clip(x) + clip(x * 2.0)


@case(mat((1.0, 2.0), (3.0, 4.0)), mat((1.0, -2.0), (3.0, 4.0)), slow=True)
def from_nested_for(m):
    for row in m:
        for v in row:
            if v < 0:
                return v * 100.0
    return m.sum()


@case((num(1.0), whole(3)), (num(9.0), whole(3)))
def with_break_and_return(x, n):
    for i in range(n):
        x = x + 1.0
        if x > 8:
            return x * 2.0
        if i == 1:
            break
    return -x


@case((num(1.0), 4), (num(9.0), 4))
def with_continue_and_return(x, n):
    total = 0.0
    for i in range(n):
        if i == 1:
            continue
        x = x + 1.0
        if x > 11:
            return total
        total = total + x
    return total + 100.0


@case(num(1.0), num(-1.0))
def in_with_block(x):
    with paddle.no_grad():
        if x > 0:
            return x * 2.0
    return x


@case(num(1.0), num(-1.0))
def in_try_block(x):
    try:
        if x > 0:
            return x * 2.0
        y = x * 3.0
    finally:
        z = 1.0
    return y + z


@case(num(4.0), num(-4.0))
def of_a_conditional_expression(x):
    return paddle.sqrt(x) if x > 0 else x * 0.0


@case((UP, DOWN), (DOWN, UP))
def one_of_two_arguments(x, y):
    if x.sum() > 0:
        return x
    return y


@case(UP, DOWN)
def empty_containers(x):
    if x.sum() > 0:
        return x, [], {}
    return x * 2.0, [], {}


@case((UP, 0), (UP, 3), (DOWN, 3), slow=True)
def from_python_while(x, n):
    while n > 0:
        n -= 1
        if x.sum() > 0:
            return x * n
        x = x - n
    return x
