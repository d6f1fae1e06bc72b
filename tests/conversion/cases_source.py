"""How a function is written: one-liners, continued lines, comments, strings, odd names, async, doc strings."""
# fmt: off
import functools

from language import case, dvec, num

import kayax as paddle
from kayax.jit import to_static

UP, DOWN = dvec(1.0, 2.0, 3.0), dvec(-1.0, -2.0, -3.0)


@case(UP, DOWN)
def one_line_if(x):
    if x.sum() > 0: x = x * 2.0
    else: x = x - 1.0
    return x


@case(UP, DOWN)
def semicolons(x):
    y = x; z = y * 2.0
    if z.sum() > 0: y = z; z = x
    return y, z


@case(UP, DOWN)
def continued_lines(x):
    if (x.sum()
            > 0):
        y = x * \
            2.0
    else:
        y = (
            x
            - 1.0
        )
    return y


@case(UP, DOWN)
def strings_and_comments(x):
    """A doc string with `if x:` in it."""
    # if x: a comment
    text = """
    while True:
    """
    if x.sum() > 0:
        # only a comment before
        return x * len(text)
    return x


@case(UP, DOWN)
def annotated(x: paddle.Tensor, k: float = 2.0) -> paddle.Tensor:
    y: paddle.Tensor
    if x.sum() > 0:
        y = x * k
    else:
        y = x
    z: paddle.Tensor = y + 1.0
    return z


@case(UP, DOWN, name="wrapped_under_another_name")
@functools.wraps(one_line_if)
def wrapped(x):
    return x * 2.0 if x.sum() > 0 else x


@case(UP, DOWN)
@to_static
def decorated_by_to_static(x):
    if x.sum() > 0:
        return x * 2.0
    return x


@case(UP, DOWN)
def unusual_names(x):
    été, _, __, _x1 = x, x * 2.0, 3.0, 4.0
    if été.sum() > 0:
        _ = été * __
    return _ + _x1


@case(UP, DOWN)
def names_like_helpers(x):
    if_true, cond, body, state, true_fn = x, 1.0, 2.0, 3.0, 4.0
    if x.sum() > 0:
        if_true = if_true * cond + body
    else:
        true_fn = state
    return if_true * true_fn


@case(UP, DOWN)
def shadowed_builtins(x):
    range = 3.0
    len = x.sum()
    if len > 0:
        return x * range
    return x


@case(UP, DOWN)
def shadowed_modules(x):
    def paddle(v):
        return v * 5.0

    if x.sum() > 0:
        return paddle(x)
    return x


one_line_lambda = case(UP, DOWN, name="one_line_lambda")(lambda x: x * 2.0 if x.sum() > 0 else x)


@case(UP, DOWN)
def two_lambdas_on_a_line(x):
    f, g = (lambda v: v * 2.0 if v.sum() > 0 else v), (lambda v: v - 1.0 if v.sum() > 0 else v + 5.0)
    return f(x) + g(x)


@case(num(3.0))
def global_statement_reads(x):
    global UP
    return x * len(UP.values)


def make(k):
    def closed(x):
        if x.sum() > 0:
            return x * k
        return x

    return closed


from_factory = case(UP, DOWN)(make(3.0))


@case(UP, DOWN)
def import_inside(x):
    import math
    from functools import reduce
    if x.sum() > 0:
        return x * math.pi
    return reduce(lambda a, b: a + b, [x, x])


@case(UP, DOWN)
def nested_definitions(x):
    def a(v):
        def b(w):
            def c(u):
                if u.sum() > 0:
                    return u * 2.0
                return u

            return c(w) + 1.0

        return b(v) * 3.0

    return a(x)


@case(UP, DOWN)
def empty_statements(x):
    ...
    if x.sum() > 0:
        ...
    else:
        """Nothing."""
    return x * 1.0


@case(UP, DOWN)
def multiple_targets(x):
    a = b = x * 2.0
    if x.sum() > 0:
        a = b = a + 1.0
    return a, b


@case(UP, DOWN)
def slice_and_attribute_targets(x):
    y = x * 1.0
    out = [None, None]
    if x.sum() > 0:
        out[0], out[1] = y, y * 2.0
    else:
        out[:] = [y * 3.0, y]
    return out


@case(UP)
def names_of_what_is_defined_inside(x):
    class Inner:
        def method(self):
            return lambda: 1

    if x.sum() > 0:
        x = x * 2.0
    return Inner.__qualname__, Inner.method.__qualname__, Inner().method().__qualname__, repr(Inner), Inner()
