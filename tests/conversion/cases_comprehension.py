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


@case(X, vec(-1.0, 2.0, -3.0), expect=FALLBACK)
def tensor_filter(x):
    return [v * 2.0 for v in x if v > 1.5]


@case(X, vec(-1.0, 2.0, -3.0), expect=FALLBACK)
def sum_with_tensor_filter(x):
    return sum(v * 2.0 for v in x if v > 1.5) + x.sum()


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
