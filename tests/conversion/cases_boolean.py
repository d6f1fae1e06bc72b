"""`and`, `or`, `not`, comparison chains, `in`, `is`, `assert`, `any`, `all`."""
from language import case, dvec, flag, num, vec, whole

import kayax as paddle

X = dvec(1.0, 2.0, 3.0)


@case((num(1.0), num(1.0)), (num(1.0), num(-1.0)), (num(-1.0), num(1.0)), (num(-1.0), num(-1.0)))
def and_of_tensors(x, y):
    if x > 0 and y > 0:
        return x * y
    return x - y


@case((num(1.0), num(1.0)), (num(1.0), num(-1.0)), (num(-1.0), num(1.0)), (num(-1.0), num(-1.0)))
def or_of_tensors(x, y):
    if x > 0 or y > 0:
        return x * y
    return x - y


@case(num(1.0), num(-1.0))
def not_of_tensor(x):
    if not x > 0:
        return x * 2.0
    return x


@case(num(1.0), num(-1.0))
def not_not(x):
    return x * 2.0 if not not x > 0 else x


@case((num(1.0), True), (num(1.0), False), (num(-1.0), True))
def python_and_tensor(x, c):
    if c and x > 0:
        return x * 2.0
    return x


@case((num(1.0), True), (num(1.0), False), (num(-1.0), True))
def tensor_and_python(x, c):
    if x > 0 and c:
        return x * 2.0
    return x


@case((num(1.0), None), (num(1.0), num(1.0)), (num(1.0), num(-1.0)))
def short_circuit_of_none(x, y):
    if y is not None and y > 0:
        return x + y
    return x


@case((num(1.0), None), (num(1.0), num(1.0)))
def short_circuit_or_of_none(x, y):
    if y is None or y < 0:
        return x
    return x + y


@case((vec(1.0, 2.0), 1), (vec(1.0, 2.0), 5))
def short_circuit_of_index(x, i):
    if i < len(x) and x[i] > 0:
        return x[i]
    return x[0]


@case((num(1.0), num(1.0), num(1.0)), (num(1.0), num(-1.0), num(1.0)), (num(-1.0), num(-1.0), num(1.0)))
def three_operands(x, y, z):
    if x > 0 and y > 0 or z < 0:
        return x
    return x * y * z


@case(num(5.0), num(-5.0), num(50.0))
def chain(x):
    if 0 < x < 10:
        return x * 2.0
    return x


@case((num(1.0), num(2.0), num(3.0)), (num(1.0), num(0.0), num(3.0)), (num(1.0), num(2.0), num(2.0)))
def chain_of_tensors(x, y, z):
    if x < y < z:
        return x + y + z
    return x


@case((num(1.0), num(2.0)), (num(3.0), num(3.0)), (num(9.0), num(2.0)))
def chain_of_different_operators(x, y):
    if 0 < x <= y != 7:
        return x * 2.0
    return y


@case(num(5.0), num(-5.0))
def chain_as_value(x):
    return 0 < x < 10


@case((num(5.0), 3), (num(5.0), 30))
def chain_with_python_ends(x, n):
    if 0 < n < 10 and 0 < x < 10:
        return x * n
    return x


@case(num(1.0), num(2.0), num(5.0))
def chain_evaluates_middle_once(x):
    seen = []

    def middle():
        seen.append(1)
        return x

    result = x * 2.0 if 0 < middle() < 3 else x
    return result, len(seen)


@case((num(1.0), num(0.0)), (num(0.0), num(2.0)))
def or_as_value(x, y):
    return x or y


@case((num(1.0), num(0.0)), (num(0.0), num(2.0)))
def and_as_value(x, y):
    return x and y


@case((num(1.0), None), (num(1.0), 2.0), (num(1.0), 0.0))
def default_by_or(x, scale):
    scale = scale or 3.0
    return x * scale


@case((num(1.0), num(2.0)))
def not_as_value(x, y):
    return not x > y


@case((flag(True), flag(False)), (flag(True), flag(True)))
def booleans(a, b):
    if a and not b:
        return paddle.ones([2])
    return paddle.zeros([2])


@case((flag(True), flag(False)), (flag(True), flag(True)))
def bitwise(a, b):
    if a & ~b:
        return paddle.ones([2])
    return paddle.zeros([2])


@case((flag(True), flag(False)), (flag(False), flag(False)))
def logical_functions(a, b):
    if paddle.logical_or(a, b):
        return paddle.ones([2])
    return paddle.zeros([2])


@case(num(1.0), num(-1.0))
def logical_in_ternary(x):
    return x if x > 0 and x < 2 else -x


@case((num(1.0), num(3.0)), (num(5.0), num(3.0)))
def logical_in_while(x, y):
    while x < 4 and not y > 8:
        x = x + 1.0
        y = y * 1.5
    return x, y


@case((num(1.0), whole(3)))
def side_effect_only_where_evaluated(x, n):
    seen = []

    def note(v):
        seen.append(v)
        return True

    if False and note(1):
        x = x * 2.0
    if True or note(2):
        x = x * 3.0
    return x, len(seen)


@case((num(2.0), [1, 2, 3]), (num(2.0), [5]))
def python_in(x, items):
    if 2 in items:
        return x * 2.0
    return x


@case((num(2.0), {"a": 1}), (num(2.0), {}))
def in_dict(x, table):
    if "a" in table and x > 1:
        return x * 2.0
    return x


@case((whole(2), whole(1, 2, 3)), (whole(7), whole(1, 2, 3)))
def tensor_in_tensor(n, items):
    if n in items:
        return n * 10
    return n


@case((whole(2), [1, 2, 3]), (whole(7), [1, 2, 3]))
def tensor_in_list(n, items):
    if n in items:
        return n * 10
    return n


@case((whole(2), [1, 2, 3]), (whole(7), [1, 2, 3]))
def tensor_not_in_list(n, items):
    if n not in items:
        return n * 10
    return n


@case((num(1.0), num(2.0)))
def is_same(x, y):
    z = x
    if z is x and z is not y:
        return x * 2.0
    return x


@case(X, vec(1.0, -2.0, 3.0), slow=True)
def method_all_any(x):
    if (x > 0).all():
        return x
    if (x > 2).any():
        return x * 2.0
    return x * 3.0


@case(X, vec(1.0, -2.0, 3.0), slow=True)
def builtin_any(x):
    if any(v < 0 for v in x):
        return x * 2.0
    return x


@case(X, vec(1.0, -2.0, 3.0), slow=True)
def builtin_all(x):
    if all([v > 0 for v in x]):
        return x * 2.0
    return x


@case(num(1.0), num(-1.0))
def equality(x):
    if x == 1.0:
        return x * 2.0
    if x != -1.0:
        return x
    return x * 3.0


@case((num(3.0), num(2.0)), (num(1.0), num(2.0)))
def flag_kept(x, y):
    bigger = x > y
    smaller = not bigger
    if bigger:
        x = x * 2.0
    if smaller:
        y = y * 2.0
    return x, y


@case((num(3.0), num(2.0)), (num(1.0), num(2.0)))
def flags_combined(x, y):
    c = x > y
    c = c and x > 2
    c = c or y > 5
    return x if c else y


@case(X)
def assertion_on_shape(x):
    assert x.shape[0] == 3, "three elements"
    return x * 2.0


@case(X)
def assertion_on_tensor(x):
    assert x.sum() > 0
    return x * 2.0


@case(vec(-1.0, -2.0), expect=AssertionError)
def failing_assertion_on_tensor(x):
    assert x.sum() > 0, "must be positive"
    return x * 2.0


@case(X, expect=AssertionError)
def failing_assertion_on_shape(x):
    assert x.shape[0] == 4, f"shape {x.shape}"
    return x


@case((num(1.0), 0), (num(1.0), 2))
def truth_of_containers(x, n):
    items = [x] * n
    if items:
        return items[0] * 2.0
    if not items:
        return x
    return None


@case((num(1.0), ""), (num(1.0), "a"))
def truth_of_strings(x, name):
    return x * 2.0 if name else x


@case((vec(1.0, 2.0), whole(3)), (vec(-1.0, -2.0), whole(0)), (vec(0.25, 0.5), whole(1)), (vec(9.0, 9.0), whole(1)))
def walrus_in_a_part_that_may_not_run(x, n):
    if x.sum() > 0 and (m := x.max()) > 1:
        kept = m
    else:
        kept = x.min()
    if n > 1 or (k := x.min()) < 0:
        k = n
    y = (z := x * 2) if x.sum() > 0 else (z := x * 3)
    last = x.sum() > 1 and ((a := x * 5).sum() > 3 and (b := a.sum() + 1) > 2 and b)
    i = 0
    while i < 5 and (s := x.sum()) < 20:
        x = x * 2 + 1
        i += 1
    return kept, k, y, z, last, x, i, s


@case(num(1.0), name="walrus_unbound")
@case(num(-1.0), expect=UnboundLocalError, name="walrus_not_run")
def walrus_unbound(x):
    x > 0 and (m := x * 2)
    return m
