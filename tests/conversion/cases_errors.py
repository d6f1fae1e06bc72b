"""`raise`, `try`, `assert`: errors in branches taken and not taken keep their type."""
from language import EITHER, case, dvec, num, vec, whole

import kayax as paddle

UP, DOWN = dvec(1.0, 2.0, 3.0), dvec(-1.0, -2.0, -3.0)


class Custom(Exception):
    pass


@case(UP)
def raise_in_a_branch_not_taken(x):
    if x.sum() < 0:
        raise ValueError("negative")
    return x * 2.0


@case(DOWN, expect=ValueError)
def raise_in_a_branch_taken(x):
    if x.sum() < 0:
        raise ValueError("negative")
    return x * 2.0


@case(UP)
def raise_in_else(x):
    if x.sum() > 0:
        y = x * 2.0
    else:
        raise RuntimeError(f"sum is {x.sum()}")
    return y


@case(DOWN, expect=RuntimeError)
def raise_in_else_taken(x):
    if x.sum() > 0:
        y = x * 2.0
    else:
        raise RuntimeError(f"sum is {x.sum()}")
    return y


@case(DOWN, expect=Custom)
def own_exception(x):
    if x.sum() < 0:
        raise Custom("mine")
    return x


@case((UP, -1), expect=ValueError)
def python_condition(x, n):
    if n < 0:
        raise ValueError("n must not be negative")
    return x * n


@case(UP, expect=ValueError)
def unconditional(x):
    raise ValueError("always")


@case((num(1.0), whole(3)))
def not_raised_in_staged_loop(x, n):
    i = 0
    while i < n:
        if x > 100:
            raise OverflowError("too large")
        x = x * 2.0
        i += 1
    return x


@case((num(1.0), whole(9)), expect=OverflowError)
def raised_in_staged_loop(x, n):
    i = 0
    while i < n:
        if x > 100:
            raise OverflowError("too large")
        x = x * 2.0
        i += 1
    return x


@case((num(1.0), 9), expect=OverflowError)
def raised_in_python_loop(x, n):
    for _ in range(n):
        if x > 100:
            raise OverflowError("too large")
        x = x * 2.0
    return x


@case(UP)
def raise_in_callee_not_taken(x):
    def check(v):
        if v.min() < 0:
            raise ValueError("negative")
        return v

    return check(x) * 2.0


@case(DOWN, expect=ValueError)
def raise_in_callee_taken(x):
    def check(v):
        if v.min() < 0:
            raise ValueError("negative")
        return v

    return check(x) * 2.0


@case(UP)
def try_without_error(x):
    try:
        y = x * 2.0
    except ValueError:
        y = x
    return y


@case(UP)
def try_with_python_error(x):
    try:
        y = {}["missing"]
    except KeyError:
        y = x * 3.0
    return y


@case(UP, DOWN)
def tensor_branch_inside_try(x):
    try:
        if x.sum() > 0:
            y = x * 2.0
        else:
            y = x
    except ValueError:
        y = x * 100.0
    return y


@case(UP, DOWN, expect=EITHER)
def caught_raise_under_tensor_condition(x):
    try:
        if x.sum() > 0:
            raise ValueError("up")
        y = x
    except ValueError:
        y = x * 100.0
    return y


@case(UP)
def finally_clause(x):
    seen = []
    try:
        y = x * 2.0
    finally:
        seen.append(1)
    return y, len(seen)


@case(UP)
def try_else(x):
    try:
        n = int("3")
    except ValueError:
        n = 0
    else:
        n += 1
    return x * n


@case(UP, expect=ValueError)
def shape_error(x):
    if x.sum() > 0:
        return paddle.matmul(x, paddle.ones([2]))
    return x


@case(UP, expect=NameError)
def undefined_name(x):
    if x.sum() > 0:
        return x * undefined            # noqa: F821
    return x


@case(UP, expect=UnboundLocalError)
def unbound_local(x):
    if x.shape[0] > 5:
        y = x
    return y


@case(UP, expect=AttributeError)
def missing_attribute(x):
    if x.sum() > 0:
        return x.no_such_method()
    return x


@case(UP, expect=KeyError)
def missing_key(x):
    table = {"a": x}
    return table["b"]


@case(UP, expect=IndexError)
def list_index(x):
    return [x][3]


@case(UP, expect=TypeError)
def wrong_arguments(x):
    def f(a):
        return a

    return f(x, x)


@case(UP, expect=TypeError)
def calling_a_tensor(x):
    return x()


@case((UP, 1), expect=ZeroDivisionError)
def python_division_by_zero(x, n):
    return x * (n / 0)


@case(vec(1.0, 2.0), expect=TypeError)
def condition_of_several_elements(x):
    while x > 0:
        x = x - 1.0
    return x


@case(UP, expect=AssertionError)
def assertion_with_message(x):
    assert x.sum() < 0, f"sum is {float(x.sum())}"
    return x


@case(UP, expect=ValueError)
def reraised(x):
    try:
        raise ValueError("first")
    except ValueError:
        raise


@case(UP, expect=RuntimeError)
def raised_from(x):
    try:
        int("x")
    except ValueError as error:
        raise RuntimeError("second") from error


@case((UP, 0), (UP, 1))
def with_statement_and_error_swallowed(x, n):
    import contextlib
    y = x
    with contextlib.suppress(ZeroDivisionError):
        y = x * (1 / n)
    return y
