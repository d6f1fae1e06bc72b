"""`if`, `elif`, `else`, ternaries: on tensors and on Python values."""
from language import FULL, case, flag, whole
from language import dmat as mat
from language import dnum as num
from language import dvec as vec

import kayax as paddle

UP, DOWN = vec(1.0, 2.0, 3.0), vec(-1.0, -2.0, -3.0)


@case(UP, DOWN)
def both_branches(x):
    if x.sum() > 0:
        y = x * 2.0
    else:
        y = x - 1.0
    return y


@case(UP, DOWN)
def no_else(x):
    y = x * 1.0
    if x.sum() > 0:
        y = y * 3.0
    return y


@case(UP, DOWN)
def parameter_is_rebound(x):
    if x.sum() > 0:
        x = x * x
    return x + 1.0


@case(UP, DOWN, vec(0.0, 0.0, 0.0))
def elif_chain(x):
    if x.sum() > 0:
        y = x
    elif x.sum() < 0:
        y = x * 10.0
    else:
        y = x + 5.0
    return y


@case(num(0.5), num(1.5), num(2.5), num(3.5))
def long_elif_chain(x):
    if x < 1:
        y = x
    elif x < 2:
        y = x * x
    elif x < 3:
        y = x * x * x
    else:
        y = -x
    return y


@case((num(1.0), num(1.0)), (num(1.0), num(-1.0)), (num(-1.0), num(1.0)), (num(-1.0), num(-1.0)))
def nested(x, y):
    if x > 0:
        if y > 0:
            z = x + y
        else:
            z = x - y
    else:
        z = x * y
        if y > 0:
            z = z * 2.0
    return z


@case(UP, DOWN)
def two_variables(x):
    a = x * 1.0
    b = x * 2.0
    if x.sum() > 0:
        a, b = b, a
    return a, b


@case(UP, DOWN)
def new_variable_in_both(x):
    if x.mean() > 0:
        a = x + 1.0
        b = a * 2.0
    else:
        b = x - 1.0
        a = b * 3.0
    return a * b


@case((UP, True), (UP, False))
def python_condition(x, double):
    if double:
        return x * 2.0
    return x


@case((UP, 3), (DOWN, 3), (DOWN, 0))
def python_and_tensor_conditions_mixed(x, n):
    if n > 2:
        if x.sum() > 0:
            y = x * n
        else:
            y = x - n
    else:
        y = x
    return y


@case(UP, DOWN)
def ternary(x):
    y = x * 2.0 if x.sum() > 0 else x - 2.0
    return y


@case(UP, DOWN)
def ternary_in_call(x):
    return paddle.add(x, x * 2.0 if x.max() > 0 else x)


@case(num(0.5), num(1.5), num(2.5))
def ternary_nested(x):
    return x if x < 1 else (x * x if x < 2 else -x)


@case((UP, True), (UP, False))
def ternary_python(x, c):
    return x + 1.0 if c else x - 1.0


@case(flag(True), flag(False))
def bool_tensor(c):
    if c:
        y = paddle.ones([2])
    else:
        y = paddle.zeros([2])
    return y


@case((UP, flag(True)), (UP, flag(False)))
def not_bool_tensor(x, c):
    if not c:
        x = x * 2.0
    return x


@case((UP, whole(0)), (UP, whole(2)), (UP, whole(-1)))
def integer_tensor_as_condition(x, n):
    if n:
        x = x * 2.0
    return x


@case((UP, num(0.0)), (UP, num(0.1)))
def float_tensor_as_condition(x, n):
    if n:
        return x * 2.0
    return x


@case((UP, vec(1.0)), (UP, vec(-1.0)))
def condition_of_shape_one(x, c):
    if c > 0:
        x = x + 1.0
    return x


@case(vec(1.0, 2.0), expect=TypeError)
def condition_of_several_elements(x):
    if x > 0:
        return x
    return -x


@case((UP, 1), (UP, 3))
def condition_on_shape(x, n):
    if x.shape[0] > n:
        return x[:n]
    return x


@case(UP, mat((1.0, 2.0)))
def condition_on_ndim(x):
    if x.ndim == 1:
        return x.sum()
    else:
        return x.sum(axis=1)


@case(UP, DOWN)
def pass_branch(x):
    if x.sum() > 0:
        pass
    else:
        x = -x
    return x


@case(UP, DOWN)
def both_pass(x):
    if x.sum() > 0:
        pass
    else:
        pass
    return x * 1.0


@case(UP, DOWN, slow=True)
def walrus(x):
    if (s := x.sum()) > 0:
        return x * s
    return x - s


@case(UP, DOWN)
def walrus_in_expression(x):
    y = (z := x * 2.0) + z.sum()
    return y, z


@case(UP, DOWN, slow=True)
def deep_nesting(x):
    y = x
    if x.sum() > 0:
        if x.max() > 2:
            if x.min() > 0:
                y = x * 2.0
            else:
                y = x * 3.0
        else:
            y = x * 4.0
    return y


@case(UP, DOWN, vec(0.0, 0.0, 0.0))
def sequence_of_ifs(x):
    if x.sum() > 0:
        x = x + 1.0
    if x.max() > 3:
        x = x * 2.0
    if x.min() < 0:
        x = x - 1.0
    return x


@case((UP, [1, 2]), (DOWN, [1, 2]))
def condition_on_list_length(x, items):
    if len(items) > 1:
        if x.sum() > 0:
            return x * len(items)
    return x


@case(UP, DOWN)
def condition_is_used_after(x):
    c = x.sum() > 0
    if c:
        x = x * 2.0
    return x, c


@case(num(2.0, dtype="float64"), num(-2.0, dtype="float64"))
def float64(x):
    if x > 0:
        return x * 3.0
    return x / 3.0


@case(UP, DOWN, expect=FULL, slow=True)
def random_in_branches(x):
    if x.sum() > 0:
        y = x + paddle.rand([3])
    else:
        y = x - paddle.rand([3])
    return y


@case(UP, DOWN, slow=True)
def random_in_one_branch(x):
    if x.sum() > 0:
        x = x + paddle.rand([3])
    return x + paddle.rand([3])


@case(UP, DOWN, slow=True)
def comparison_with_itself(x):
    y = x * 2.0
    if (x == y).all():
        return x
    if paddle.equal_all(x, x):
        return y
    return x + y


@case((UP, whole(1)), (UP, whole(3)))
def variable_that_is_not_read_after_an_early_return(x, k):
    y = x.sum()
    if k < 2:
        return y
    if x.sum() > 0:
        x = x * 2.0
        y = 0.25 if (x > 0.5).any() else y + 1.0
    return x


@case((UP, whole(1)), (UP, whole(3)))
def variable_that_is_not_read_after_the_else_of_a_loop(x, k):
    y, n = x.sum(), 0
    while n < 2 and k < 2:
        n += 1
        return y
    else:
        if x.sum() > 0:
            x = x * 2.0
            y = y + x.max() if (x > 0.5).any() else y + 1.0
    return x


@case(UP, DOWN)
def changed_in_one_branch_and_read_in_the_other(x):
    if x.sum() > 0:
        x = x * 2.0
        y = x + 1.0
    else:
        y = x
    return y
