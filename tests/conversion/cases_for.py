"""`for`: over ranges, tensors, lists, dicts, enumerate, zip, reversed; with break, continue and else."""
from language import EITHER, case, mat, num, vec, whole

import kayax as paddle

X = vec(1.0, 2.0, 3.0)


@case((num(2.0), whole(3)), (num(2.0), whole(0)))
def range_of_tensor(x, n):
    for i in range(n):
        x = x + i
    return x


@case((num(2.0), whole(1), whole(4)), (num(2.0), whole(4), whole(1)))
def range_of_two_tensors(x, a, b):
    for i in range(a, b):
        x = x * i
    return x


@case((num(2.0), whole(6), whole(2)), (num(2.0), whole(7), whole(3)), (num(2.0), whole(0), whole(1)))
def range_with_tensor_step(x, n, step):
    for i in range(0, n, step):
        x = x + i
    return x


@case((num(2.0), whole(3)), (num(2.0), whole(0)))
def range_downwards(x, n):
    for i in range(n, 0, -1):
        x = x * i
    return x


@case((num(2.0), 3), (num(2.0), 0))
def range_of_python_number(x, n):
    for i in range(n):
        x = x + i
    return x


@case((num(2.0), whole(3)), (num(2.0), whole(0)))
def range_of_cast(x, n):
    for i in range(int(n)):
        x = x + i
    return x


@case((num(2.0), 3), (num(2.0), 1))
def loop_variable_after_the_loop(x, n):
    for i in range(n):
        x = x + 1.0
    return x * i


@case((num(2.0), whole(3)), (num(2.0), whole(1)), expect=EITHER, allowed=(UnboundLocalError, NameError))
def loop_variable_after_a_tensor_range(x, n):
    for i in range(n):
        x = x + 1.0
    return x * i


@case((num(2.0), whole(3)), (num(2.0), whole(1)))
def loop_variable_defined_before(x, n):
    i = 7
    for i in range(n):                  # noqa: B007
        x = x + 1.0
    return x * i


@case((num(2.0), whole(3)), (num(2.0), whole(1)))
def loop_variable_is_rebound(x, n):
    for i in range(n):
        i = i * 2
        x = x + i
    return x


@case(X)
def over_tensor(x):
    total = 0
    for v in x:
        total = total + v * v
    return total


@case(mat((1.0, 2.0), (3.0, 4.0), (5.0, 6.0)))
def over_matrix_rows(m):
    y = paddle.zeros([2])
    for row in m:
        y = y * 0.5 + row
    return y


@case(X, vec(-1.0, 5.0, -2.0))
def over_tensor_with_condition(x):
    total = x.sum() * 0.0
    for v in x:
        if v > 0:
            total = total + v
    return total


@case(X, vec(1.0, 9.0, 2.0))
def over_tensor_with_break(x):
    total = 0.0
    for v in x:
        if v > 2.5:
            break
        total = total + v
    return total


@case(X, vec(1.0, 9.0, 2.0))
def over_tensor_with_continue(x):
    total = 0.0
    for v in x:
        if v > 2.5:
            continue
        total = total + v
    return total


@case(X, vec(1.0, 9.0, 2.0))
def over_tensor_with_else(x):
    for v in x:
        if v > 5:
            y = v
            break
    else:
        y = x.sum()
    return y


@case((X, whole(2)), (X, whole(0)), (X, whole(3)), mixed=True)
def index_by_loop_variable(x, n):
    total = 0.0
    for i in range(n):
        total = total + x[i]
    return total


@case((X, whole(1)))
def indices_from_tensor(x, k):
    total = 0.0
    for i in range(len(x)):
        if i == k:
            total = total + x[i] * 10.0
        else:
            total = total + x[i]
    return total


@case((num(2.0), whole(2), whole(3)), (num(2.0), whole(0), whole(3)), (num(2.0), whole(2), whole(0)))
def nested_tensor_ranges(x, n, m):
    for i in range(n):
        for j in range(m):
            x = x + i * j + 1
    return x


@case((num(2.0), 2, whole(3)), (num(2.0), 2, whole(0)))
def tensor_range_in_python_range(x, n, m):
    for i in range(n):
        for _ in range(m):
            x = x + i + 1
    return x


@case((num(2.0), whole(3), 2), (num(2.0), whole(0), 2))
def python_range_in_tensor_range(x, n, m):
    for i in range(n):
        for j in range(m):
            x = x * 1.5 + i * j
    return x


@case((num(2.0), whole(5)), (num(2.0), whole(1)))
def tensor_range_with_break(x, n):
    for i in range(n):
        if i > 2:
            break
        x = x * 2.0
    return x


@case((num(2.0), whole(5)), (num(20.0), whole(5)))
def tensor_range_with_tensor_break(x, n):
    for _ in range(n):
        x = x * 2.0
        if x > 10:
            break
    return x


@case((num(2.0), 5), (num(20.0), 5))
def python_range_with_tensor_break(x, n):
    for _ in range(n):
        x = x * 2.0
        if x > 10:
            break
    return x


@case((num(2.0), 5), (num(20.0), 5))
def python_range_with_tensor_break_counts(x, n):
    count = 0
    for i in range(n):
        x = x * 2.0
        if x > 10:
            break
        count = i
    return x * count


@case((num(2.0), whole(5)), (num(20.0), whole(3)))
def tensor_range_with_continue(x, n):
    y = 0.0
    for i in range(n):
        if i % 2 == 0:
            continue
        y = y + x * i
    return y


@case((num(2.0), 4), (num(-2.0), 4))
def python_range_with_tensor_continue(x, n):
    y = x * 0.0
    for i in range(n):
        x = -x
        if x > 0:
            continue
        y = y + x * i
    return y


@case((num(2.0), whole(3)), (num(200.0), whole(3)), (num(2.0), whole(0)))
def tensor_range_with_else(x, n):
    for _ in range(n):
        x = x + 1.0
        if x > 100:
            break
    else:
        x = -x
    return x


@case((num(1.0), num(2.0)), (num(30.0), num(2.0)))
def break_of_inner_loop_only(x, y):
    for i in range(2):
        for j in range(3):
            x = x + y
            if x > 6:
                break
            y = y + j
        y = y + 10.0 * i
    return x, y


@case((num(1.0), num(2.0)), (num(30.0), num(2.0)))
def break_of_outer_after_inner(x, y):
    for _ in range(3):
        for _ in range(2):
            x = x + y
        if x > 9:
            break
    return x


@case(X)
def unused_variable(x):
    for _ in range(3):
        x = x * 0.5
    return x


@case((X, 0), (X, 2))
def loop_that_may_not_run(x, n):
    y = x
    for i in range(n):
        y = y + i
    return y


@case((X, whole(2)), (X, whole(0)))
def dtype_of_loop_variable(x, n):
    y = x
    for i in range(n):
        y = y + i / 2
    return y


@case((X, whole(3)), (X, whole(0)))
def power_of_loop_variable(x, n):
    y = x * 0.0
    for i in range(n):
        y = y + x ** i
    return y
