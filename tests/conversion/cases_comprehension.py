"""Comprehensions and generator expressions, with filters."""
from language import FALLBACK, case, dvec, mat, num, vec, whole

import kayax as paddle

X = dvec(1.0, 2.0, 3.0)
H = vec(1.0, 2.0, 3.0)               # wants no gradient


@case(X)
def list_over_range(x):
    return [x * i for i in range(3)]


@case(X)
def list_over_tensor(x):
    return paddle.stack([v * 2.0 for v in x])


@case(X, vec(-1.0, 2.0, -3.0), slow=True)
def element_with_tensor_condition(x):
    return paddle.stack([v * 2.0 if v > 0 else v for v in x])


@case((X, 3))
def python_filter(x, n):
    return [x * i for i in range(n) if i % 2 == 0]


@case(X, vec(-1.0, 2.0, -3.0), given_up=0)
def tensor_filter(x):
    return [v * 2.0 for v in x if v > 1.5]


@case(H, vec(-1.0, 2.0, -3.0), vec(-1.0, -2.0, -3.0), given_up=0)
def built_in_functions_of_what_is_left(x):
    left = [v for v in x if v > 0]
    numbers = [i for i in range(3) if x[i] > 0]
    return (sum(left) + x.sum(), sum([v > 1 for v in left]) + 0 * x.sum(), sum(numbers, 5), any(numbers), all(left),
            len(left), max([x[0], *left]), min(i for i in range(4) if i == 3 or x[i] > 0))


@case(X, vec(-1.0, 2.0, -3.0), given_up=0)
def sum_with_tensor_filter(x):
    return sum(v * 2.0 for v in x if v > 1.5) + x.sum()


@case((mat((1.0, 2.0), (3.0, 4.0)), whole(2)), (mat((1.0, 2.0), (3.0, 4.0)), whole(0)), given_up=True)
def sum_of_rows(m, n):
    """Without any, the sum is a number, which is no row."""
    return sum(row for i, row in enumerate(m) if i < n)


@case(H, vec(-1.0, -2.0, 3.0), given_up=0)
def extremes_of_equal_and_of_nan(x):
    nan = x[1] * float("nan")
    a = max(v for v in [nan, x[0], x[2], x[0] + 0.0] if v != 3)
    b = max(v for v in [x[0], nan, x[2]] if not v > 3)
    return a, b


@case(vec(-1.0, -2.0, -3.0), expect=ValueError)
def greatest_of_none(x):
    return max(v for v in x if v > 0)


@case((mat((1.0, -2.0), (-3.0, 4.0)), whole(1)), (mat((1.0, -2.0), (-3.0, 4.0)), whole(0)), given_up=0)
def nested_with_tensor_filters(m, n):
    v = m[0, 0] * 7.0
    found = [(v, last := i + j) for i, row in enumerate(m) if i >= n for j, v in enumerate(row) if v > 0 and j < 2]
    return found, v, last


@case((H, whole(2)), (H, whole(0)), given_up=0)
def over_a_list_of_staged_length(x, n):
    items = [x * i for i in range(3) if i < n]
    return [v + 1.0 for v in items], [v for k, v in enumerate(items) if k != 1], len([1 for _ in items])


@case((H, whole(2)), (H, whole(0)), given_up=0)
def over_a_range_of_a_tensor(x, n):
    with paddle.jit.loop_bound(3):
        return [x * i for i in range(n)], sum(i for i in range(n) if i != 1)


@case((H, whole(2)), expect=FALLBACK)
def over_a_range_without_a_bound(x, n):
    return [x * i for i in range(n)]


@case(H, vec(-1.0, 2.0, -3.0), given_up=0)
def any_and_all_stop_early(x):
    seen = []

    def positive(v):
        seen.append(1)
        return v > 0

    return any(positive(v) for v in x[:2] if v != 2), all(v > 0 for v in x[:2] if v != 1), len(seen)


@case((num(1.0), whole(3)), given_up=0)
def in_the_test_of_a_loop(x, n):
    while len([k for k in range(3) if x * k > 4.0]) < 2:
        x = x + 1.0
    return x


@case(H, expect=FALLBACK)
def lazy_generator_with_a_filter(x):
    found = (v for v in x if v > 1.5)
    return next(found)


@case(H, expect=FALLBACK)
def set_with_a_tensor_filter(x):
    return len({i % 2 for i in range(3) if x[i] > 1.5})


@case(H, given_up=0)
def dict_with_a_tensor_filter(x):
    return {i: v for i, v in enumerate(x) if v > 1.5}


@case(H)
def tuple_with_a_tensor_filter(x):
    return tuple(v for v in x if v > 1.5)


@case(H)
def name_of_a_built_in_function(x):
    def sum(items):
        return next(items)

    return sum(v * 2.0 for v in x)


@case(())
class Private:
    def __init__(self):
        self.__k = 2.0

    def run(self):
        x = paddle.to_tensor([1.0, -2.0, 3.0])
        fns = [lambda v=v: v * self.__k for v in x if v.shape == []]
        return [f() for f in fns], [v * self.__k for v in x if v > 0], [(lambda: i)() for i in range(3)]


@case(X)
def nested(x):
    return [x * (i + j) for i in range(2) for j in range(2) if i <= j]


@case(mat((1.0, 2.0), (3.0, 4.0)))
def of_comprehensions(m):
    return [[v * 2.0 for v in row] for row in m]


@case({"a": num(1.0), "b": num(2.0)})
def dict_comprehension(table):
    return {name: v * 2.0 for name, v in table.items()}


@case({"a": num(1.0), "b": num(2.0)})
def dict_comprehension_with_filter(table):
    return {name: v * 2.0 for name, v in table.items() if name != "a"}


@case((X, 3))
def set_comprehension(x, n):
    return x * len({i % 2 for i in range(n)})


@case(X)
def generator_in_sum(x):
    return sum(v * v for v in x)


@case(X)
def generator_in_max(x):
    return max(v * -1.0 for v in x)


@case(X)
def generator_in_stack(x):
    return paddle.stack(list(v * k for k, v in enumerate(x)))


@case((H, whole(2)))
def closes_over_variables(x, n):
    k = 3.0
    return [x * k + n for _ in range(2)]


@case(X)
def does_not_leak_its_variable(x):
    v = x * 5.0
    parts = [v * 2.0 for v in x]
    return v, parts


@case(X)
def zip_and_enumerate(x):
    return [a * b + i for i, (a, b) in enumerate(zip(x, x * 2.0, strict=True))]


@case(X)
def calls_a_converted_function(x):
    def clip(v):
        if v > 2:
            return v * 0.0 + 2.0
        return v

    return [clip(v) for v in x]


@case((num(1.0), whole(3)), (num(1.0), whole(0)))
def inside_a_staged_loop(x, n):
    i = 0
    while i < n:
        x = sum([x * k for k in (0.5, 0.25)]) + 1.0
        i += 1
    return x


@case(num(1.0), num(-1.0))
def inside_a_branch(x):
    if x > 0:
        parts = [x * k for k in range(3)]
    else:
        parts = [x + k for k in range(3)]
    return parts


@case(X)
def map_and_filter(x):
    return list(map(lambda v: v * 2.0, x)), [k for k in filter(lambda k: k > 1, [1, 2, 3])]


@case(X)
def map_with_tensor_condition(x):
    return list(map(lambda v: v if v > 1.5 else -v, x))


@case(X)
def walrus_in_comprehension(x):
    parts = [(y := v * 2.0) for v in x]
    return parts, y


@case((H, whole(2)), (H, whole(0)), given_up=0)
def read_only_in_a_comprehension_that_may_not_run(x, n):
    if n > 1:
        k = 2
    else:
        k = 5
    found = x if n > 5 else sum([v * k for v in x]) + x
    return found


@case(dvec(1.0, -2.0, 3.0, 4.0))
def filter_used_at_once(x):
    kept = list(filter(lambda v: v > 0, x * 2))
    return sum(filter(lambda v: v > 2, x)), paddle.stack(kept), max(filter(None, x)), any(filter(lambda v: v > 9, x))


@case(vec(1.0, -2.0, 3.0, 4.0), vec(1.0, 1.0, 1.0, 9.0))
def filter_in_a_for_statement(x):
    total = x[0]
    for v in filter(lambda v: v > 0, x):
        if v > 3:
            break
        total = total + v
    else:
        total = total * 100
    return total


@case(vec(1.0, -2.0, 3.0), vec(-1.0, -2.0, -3.0))
def next_of_a_generator_with_a_filter(x):
    return next((v for v in x if v > 0), None), next((i for i, v in enumerate(x) if v < 0), -1)


@case(vec(-1.0, -2.0), expect=StopIteration)
def next_of_a_generator_without_an_item(x):
    return next(v for v in x if v > 0)


@case(vec(1.0, 3.0), vec(-1.0, -3.0))
def next_of_a_filter(x):
    y = x
    if x.sum() > 0:
        y = next(filter(lambda v: v > 2, x), x[0])
    return y, next(filter(lambda v: v > 2, x), None)


@case(vec(1.0, 3.0), expect=FALLBACK)
def filter_goes_on_after_a_loop_that_a_tensor_left(x):
    items = filter(lambda v: v > 0, x)
    for v in items:
        if v > 2:
            break
    return list(items)


@case(vec(1.0, 3.0))
def filter_by_python_values_goes_on(x):
    odd = filter(lambda n: n % 2, range(10))
    for n in odd:
        if n > 3:
            break
    return x * n, list(odd)
