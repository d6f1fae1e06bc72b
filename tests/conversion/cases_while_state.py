"""What a staged `while` carries: numbers, None, tuples, dicts, tensors that change dtype or shape."""
from language import EITHER, FALLBACK, case, mat, num, vec, whole

import kayax as paddle


@case(num(1.0), num(50.0))
def walrus_in_condition(x):
    while (y := x * 2.0) < 20:
        x = y + 1.0
    return x, y


@case(num(1.0), num(50.0), mixed=True)
def integer_variable_becomes_float(x):
    y = 0
    while x < 10:
        y = y + x
        x = x * 2.0
    return y * 1.0


@case((whole(0), num(1.5)), (whole(9), num(1.5)), expect=EITHER)
def tensor_changes_dtype(n, x):
    k = n
    y = n
    while k < 3:
        y = y + x
        k = k + 1
    return y.astype("float32")


@case(num(1.0), num(50.0))
def none_before_the_loop(x):
    last = None
    while x < 10:
        last = x
        x = x * 2.0
    if last is None:
        return x
    return last + x


@case(num(1.0), num(50.0))
def none_before_and_tested_inside(x):
    best = None
    while x < 10:
        if best is None:
            best = x
        else:
            best = paddle.maximum(best, -x)
        x = x * 2.0
    return x if best is None else best


@case((vec(1.0, 2.0), whole(2)), (vec(1.0, 2.0), whole(0)), expect=FALLBACK)
def shape_grows(x, n):
    i = paddle.to_tensor(0)
    while i < n:
        x = paddle.concat([x, x[:1]])
        i += 1
    return x


@case(vec(1.0, 2.0))
def shape_grows_in_python_loop(x):
    i = 0
    while i < 2:
        x = paddle.concat([x, x[:1]])
        i += 1
    return x


@case((num(1.0), whole(3)), (num(1.0), whole(0)))
def tuple_as_state(x, n):
    pair = (x, x * 2.0)
    i = 0
    while i < n:
        pair = (pair[1], pair[0] + pair[1])
        i += 1
    return pair


@case((num(1.0), whole(3)), (num(1.0), whole(0)))
def dict_as_state(x, n):
    state = {"a": x, "b": x * 2.0}
    i = 0
    while i < n:
        state["a"] = state["a"] + state["b"]
        i += 1
    return state


@case((num(1.0), whole(3)), (num(1.0), whole(0)))
def nested_state(x, n):
    state = {"pair": (x, x * 2.0), "list": [x]}
    i = 0
    while i < n:
        a, b = state["pair"]
        state["pair"] = (b, a + b)
        state["list"][0] = state["list"][0] * 2.0
        i += 1
    return state


@case((num(1.0), whole(3)), (num(1.0), whole(0)))
def unused_result(x, n):
    i = 0
    while i < n:
        _ = x * 2.0
        i += 1
    return x * 1.0


@case((num(10.0), num(3.0)), (num(1.0), num(3.0)))
def assigned_but_not_changed(x, y):
    k = y
    while x > y:
        k = y
        x = x - k
    return x, k


@case(mat((1.0, 2.0), (3.0, 4.0)))
def matrix_power(x):
    y = x
    while y.max() < 100:
        y = paddle.matmul(y, x)
    return y


@case(num(27.0), num(1.0), slow=True)
def collatz(x):
    n = paddle.to_tensor(0)
    while x != 1 and n < 6:
        if x % 2 == 0:
            x = x / 2
        else:
            x = 3 * x + 1
        n += 1
    return x, n


@case((num(1.0), whole(4)), (num(1.0), whole(0)), slow=True)
def random_numbers(x, n):
    i = 0
    while i < n:
        x = x + paddle.rand([])
        i += 1
    return x


@case((num(1.0), whole(3)), (num(1.0), whole(0)))
def counter_is_returned(x, n):
    i = 0
    while i < n:
        x = x * 2.0
        i += 1
    return x, i


@case((num(2.0), 3))
def walks_down(x, n):
    while n > 0:
        x = x * n
        n -= 1
    return x


@case((num(1.0), whole(3)), (num(1.0), whole(0)))
def del_in_body(x, n):
    i = 0
    while i < n:
        t = x * 2.0
        x = t + 1.0
        del t
        i += 1
    return x


@case((num(1.0), num(3.0)), (num(7.0), num(3.0)))
def two_loops_after_each_other(x, y):
    while x < 5:
        x = x + 1.0
    while y < x:
        y = y * 2.0
    return x - y


@case(num(1.0), num(30.0))
def stop_gradient_inside(x):
    y = x
    while y < 10:
        y = y * 2.0 + x.detach()
    return y


@case(num(1.0), num(30.0))
def no_grad_inside(x):
    y = x * 1.0
    with paddle.no_grad():
        while y < 10:
            y = y * 2.0
    return x * y
