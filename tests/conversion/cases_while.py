"""`while`, with `break`, `continue` and `else`."""
from language import EITHER, case, num, vec, whole

import kayax as paddle


@case(num(1.0), num(5.0), num(20.0))
def doubling(x):
    while x < 10:
        x = x * 2.0
    return x


@case((num(1.0), whole(0)), (num(1.0), whole(3)))
def counted_by_tensor(x, n):
    i = paddle.zeros([], dtype="int64")
    while i < n:
        x = x * 1.5
        i = i + 1
    return x, i


@case((num(1.0), whole(0)), (num(1.0), whole(3)))
def counted_by_python_number(x, n):
    i = 0
    while i < n:
        x = x * 1.5
        i += 1
    return x


@case((num(1.0), 0), (num(1.0), 3))
def python_loop(x, n):
    i = 0
    while i < n:
        x = x * 1.5
        i += 1
    return x, i


@case(num(1.0), num(50.0))
def several_variables(x):
    a, b = x, x * 2.0
    while a < 20:
        a, b = b, a + b
    return a, b


@case(num(1.0), num(50.0))
def local_variable_of_the_body(x):
    while x < 10:
        step = x * 0.5
        x = x + step
    return x


@case(num(1.0), num(50.0), expect=EITHER, allowed=(UnboundLocalError, NameError))
def variable_of_the_body_used_after(x):
    while x < 10:
        step = x * 0.5
        x = x + step
    return step


@case(num(1.0))
def variable_of_the_body_used_after_a_round_for_sure(x):
    i = 0
    while i < 2:
        y = x * i
        i += 1
    return y


@case((num(1.0), num(0.5)), (num(50.0), num(0.5)))
def reads_outer_tensor(x, r):
    while x < 10:
        x = x + r * x
    return x


@case((vec(1.0, 2.0), whole(4)), (vec(1.0, 2.0), whole(1)))
def vector(x, n):
    i = paddle.to_tensor(0)
    while i < n:
        x = x + x[i % 2]
        i += 1
    return x


@case(num(1.0), num(4.0), num(50.0))
def with_if(x):
    while x < 10:
        if x < 5:
            x = x * 2.0
        else:
            x = x + 3.0
    return x


@case(num(1.0), num(4.0))
def with_if_on_python_number(x):
    i = 0
    while x < 10:
        if i % 2 == 0:
            x = x * 2.0
        else:
            x = x + 1.0
        i += 1
    return x


@case(num(1.0), num(50.0))
def with_break(x):
    i = 0
    while x < 100:
        x = x * 2.0
        if x > 20:
            break
        i += 1
    return x


@case(num(1.0), num(7.0), num(50.0))
def break_first(x):
    while x < 100:
        if x > 6:
            break
        x = x + 2.0
    return x


@case(num(1.0), num(50.0))
def true_with_tensor_break(x):
    while True:
        x = x + 1.0
        if x > 5:
            break
    return x


@case(num(1.0), num(50.0))
def true_with_two_breaks(x):
    while True:
        if x > 5:
            break
        x = x + 1.0
        if x == 3.0:
            x = x * 10.0
            break
        x = x + 0.5
    return x


@case(num(0.0), num(3.0))
def with_continue(x):
    total = paddle.zeros([])
    i = 0
    while i < 5:
        i += 1
        if x + i > 5:
            continue
        total = total + x * i
    return total


@case(num(0.0), num(3.0))
def tensor_loop_with_continue(x):
    total = x * 0.0
    while x < 8:
        x = x + 1.0
        if x > 4:
            continue
        total = total + x
    return total


@case(num(0.0), num(3.0), num(20.0))
def break_and_continue(x):
    total = x * 0.0
    while x < 10:
        x = x + 1.0
        if x < 3:
            continue
        if x > 7:
            break
        total = total + x
    return total, x


@case(num(1.0), num(50.0))
def with_else(x):
    while x < 10:
        x = x * 2.0
    else:
        x = x + 100.0
    return x


@case(num(1.0), num(4.0), num(50.0))
def with_else_and_break(x):
    while x < 10:
        x = x * 2.0
        if x == 8.0:
            break
    else:
        x = x + 100.0
    return x


@case((num(1.0), 2), (num(1.0), 5), slow=True)
def python_loop_with_else_and_tensor_break(x, n):
    i = 0
    while i < n:
        x = x * 2.0
        if x > 10:
            break
        i += 1
    else:
        x = -x
    return x


@case((num(1.0), num(1.0)), (num(1.0), num(9.0)), (num(30.0), num(1.0)))
def nested(x, y):
    while x < 20:
        z = y
        while z < 10:
            z = z * 2.0
            x = x + 1.0
        x = x + z
    return x


@case((num(1.0), num(1.0)), (num(1.0), num(9.0)))
def nested_with_breaks(x, y):
    while x < 20:
        while True:
            y = y + 1.0
            if y > x:
                break
        x = x + 2.0
        if y > 12:
            break
    return x, y


@case((num(1.0), 3), (num(2.0), 3))
def tensor_loop_in_python_loop(x, n):
    i = 0
    while i < n:
        while x < 5 * (i + 1):
            x = x * 2.0
        i += 1
    return x


@case((num(1.0), 3), (num(9.0), 3))
def python_loop_in_tensor_loop(x, n):
    while x < 10:
        i = 0
        while i < n:
            x = x + 0.5
            i += 1
    return x


@case(num(1.0), num(50.0))
def condition_with_and(x):
    i = 0
    while x < 10 and i < 2:
        x = x * 2.0
        i += 1
    return x


@case((num(1.0), num(1.0)), (num(1.0), num(9.0)))
def condition_with_and_of_tensors(x, y):
    while x < 10 and y < 10:
        x = x + y
        y = y * 2.0
    return x, y


@case((num(1.0), num(1.0)), (num(1.0), num(9.0)))
def condition_with_or(x, y):
    while x < 10 or y < 10:
        x = x + 2.0
        y = y + 3.0
    return x, y


@case(num(1.0), num(12.0))
def condition_with_not(x):
    while not x > 10:
        x = x + 2.0
    return x


@case(num(1.0), num(12.0))
def condition_calls_a_function(x):
    def going(v):
        return v < 10

    while going(x):
        x = x + 3.0
    return x


@case((num(1.0), whole(3)))
def condition_is_the_counter(x, n):
    while n:
        x = x * 2.0
        n = n - 1
    return x


@case(num(5.0), num(0.0))
def condition_is_a_float(x):
    y = x * 0.0
    while x:
        y = y + x
        x = x - 1.0
    return y


@case(num(5.0), num(0.0))
def condition_changes_type(x):
    going = True
    i = 0
    while going:
        x = x + 1.0
        i += 1
        going = x < 8
    return x
