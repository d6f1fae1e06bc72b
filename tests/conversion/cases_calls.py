"""Calls: what a converted function calls is converted too, whatever kind of callable it is."""
import functools

from language import EITHER, FALLBACK, case, dvec, num, vec, whole

import kayax as paddle
from kayax.jit import not_to_static, to_static
from kayax.nn import functional as F

UP, DOWN = dvec(1.0, 2.0, 3.0), dvec(-1.0, -2.0, -3.0)
H = vec(1.0, 2.0, 3.0)               # wants no gradient


def relu_like(x):
    if x.sum() > 0:
        return x
    return x * 0.1


def twice(fn):
    @functools.wraps(fn)
    def wrapper(*args, **kwargs):
        return fn(*args, **kwargs) * 2.0

    return wrapper


def scaled(by):
    def decorate(fn):
        def wrapper(x):
            if x.max() > by:
                return fn(x) / by
            return fn(x)

        return wrapper

    return decorate


@twice
def decorated_helper(x):
    if x.sum() > 0:
        return x + 1.0
    return x - 1.0


@scaled(2.0)
def decorated_with_arguments_helper(x):
    if x.sum() > 0:
        return x + 1.0
    return x


@not_to_static
def left_alone(x):
    return x * 3.0


@not_to_static
def left_alone_with_branch(x):
    if x.sum() > 0:
        return x * 3.0
    return x


@to_static
def converted_helper(x):
    if x.sum() > 0:
        return x * 3.0
    return x


@case(UP, DOWN)
def function(x):
    return relu_like(x) + 1.0


@case(UP, DOWN)
def function_of_function(x):
    def outer(v):
        return relu_like(v) * 2.0

    return outer(outer(x))


@case(UP, DOWN)
def nested_function_with_free_variable(x):
    k = 2.0

    def inner(v):
        if v.sum() > 0:
            return v * k
        return v + k

    return inner(x)


@case(UP, DOWN)
def free_variable_changed_before_call(x):
    k = 2.0

    def inner(v):
        if v.sum() > 0:
            return v * k
        return v + k

    k = 5.0
    return inner(x)


@case(UP, DOWN)
def free_variable_set_in_branch(x):
    y = x

    def inner():
        return y * 2.0

    if x.sum() > 0:
        y = x + 1.0
    return inner()


@case(UP, DOWN)
def nonlocal_variable(x):
    total = x * 0.0

    def add(v):
        nonlocal total
        if v.sum() > 0:
            total = total + v
        else:
            total = total - v

    add(x)
    add(x * 2.0)
    return total


@case(UP, DOWN)
def nonlocal_python_counter(x):
    n = 0

    def count(v):
        nonlocal n
        n += 1
        return v * n

    return count(x) + count(x)


@case(UP, DOWN)
def lambdas(x):
    f = lambda v: v * 2.0 if v.sum() > 0 else v     # noqa: E731
    return f(x)


@case(UP, DOWN)
def lambda_called_at_once(x):
    return (lambda v, k: v * k if v.sum() > 0 else v)(x, 3.0)


@case(UP, DOWN)
def partial(x):
    def power(v, k, shift=0.0):
        if v.sum() > 0:
            return v ** k + shift
        return v + shift

    f = functools.partial(power, k=2, shift=1.0)
    return f(x)


@case(UP, DOWN)
def decorated(x):
    return decorated_helper(x)


@case(UP, DOWN, slow=True)
def decorated_with_arguments(x):
    return decorated_with_arguments_helper(x)


@case(UP, DOWN)
def args_and_kwargs(x):
    def pick(*args, **kwargs):
        if args[0].sum() > 0:
            return args[0] * kwargs["k"]
        return args[-1]

    return pick(x, x * 2.0, k=3.0)


@case(UP, DOWN)
def spread_arguments(x):
    def f(a, b, *, c, d=4.0):
        if a.sum() > 0:
            return a + b * c
        return a - d

    return f(*[x, 2.0], **{"c": 3.0})


@case((UP, 2.0), (UP,), (DOWN,))
def default_argument(x, k=5.0):
    if x.sum() > 0:
        return x * k
    return x


@case((UP,), (DOWN,), kwargs={"k": 3.0})
def keyword_only(x, *, k, m=2.0):
    if x.sum() > 0:
        return x * k
    return x * m


@case((UP, DOWN), (DOWN, UP))
def variadic_itself(*xs):
    y = xs[0]
    for v in xs[1:]:
        if v.sum() > 0:
            y = y + v
        else:
            y = y * 2.0
    return y


@case((UP,), kwargs={"a": 2.0, "b": vec(1.0, 1.0, 1.0)})
def keywords_itself(x, **options):
    y = x
    for name, v in options.items():
        y = y * v if name == "a" else y + v
    return y


@case((num(1.0), 5), (num(-1.0), 5), slow=True)
def recursion_on_python_number(x, n):
    def power(v, k):
        if k == 0:
            return v * 0.0 + 1.0
        if v > 0:
            return v * power(v, k - 1)
        return power(v, k - 1) - v

    return power(x, n)


def halve(x):
    if x < 1:
        return x
    return halve(x / 2.0)


@case(num(9.0), num(0.5), num(1e30))
def recursion_on_tensor(x):
    return halve(x) + 1.0


def fibonacci(n):
    if n < 2:
        return n
    return fibonacci(n - 1) + fibonacci(n - 2)


@case(num(3.0), expect=FALLBACK, grad=False)
def recursion_on_tensor_in_two_ways(x):
    return fibonacci(x)


@case((num(2.0), [1, [2, 3], [[4]]]))
def recursion_over_structure(x, tree):
    def walk(node):
        if isinstance(node, list):
            total = 0.0
            for child in node:
                total = total + walk(child)
            return total
        if x > node:
            return x * node
        return x + node

    return walk(tree)


@case((UP, F.relu), (DOWN, F.relu), (UP, paddle.tanh), slow=True)
def function_as_argument(x, fn):
    if x.sum() > 0:
        return fn(x)
    return x


@case((UP, relu_like), (DOWN, relu_like), slow=True)
def converted_function_as_argument(x, fn):
    return fn(x)


@case(UP, DOWN)
def not_to_static_callee(x):
    if x.sum() > 0:
        return left_alone(x)
    return x


@case(UP, DOWN, expect=FALLBACK)
def not_to_static_callee_with_tensor_branch(x):
    return left_alone_with_branch(x) + 1.0


@case(UP, DOWN)
def to_static_callee(x):
    return converted_helper(x) + 1.0


@case(UP, DOWN, slow=True)
def methods_of_tensors_in_branches(x):
    if x.sum() > 0:
        y = x.exp().sum()
    else:
        y = x.abs().max()
    return y


@case((num(2.0), whole(3)), (num(2.0), whole(0)))
def call_in_staged_loop(x, n):
    def step(v, k):
        if v > 5:
            return v - k
        return v * 2.0

    i = 0
    while i < n:
        x = step(x, i)
        i += 1
    return x


@case(UP, DOWN)
def generator_function(x):
    def parts(v):
        for i in range(2):
            yield v * i

    total = x * 0.0
    for p in parts(x):
        total = total + p
    return total


@case(UP, DOWN, expect=EITHER)
def generator_function_with_tensor_branch(x):
    def parts(v):
        for i in range(2):
            if v.sum() > 0:
                yield v * i
            else:
                yield v - i

    total = x * 0.0
    for p in parts(x):
        total = total + p
    return total


@case(UP, DOWN)
def context_manager(x):
    with paddle.no_grad():
        if x.sum() > 0:
            y = x * 2.0
        else:
            y = x
    return x * y


@case(UP, DOWN)
def wrapped_by_lru_cache(x):
    @functools.lru_cache(maxsize=None)                          # noqa: UP033
    def size(n):
        return n * 2.0

    return x * size(3)
