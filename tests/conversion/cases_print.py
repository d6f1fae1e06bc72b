"""`print` and f-strings of tensors: text at run time, once for each time the line is run."""
from language import case, dvec, num, whole

import kayax as paddle

UP, DOWN = dvec(1.0, 2.0), dvec(-1.0, -2.0)


@case(UP)
def a_tensor(x):
    print(x)
    return x * 2.0


@case(UP)
def text_and_tensor(x):
    print("x is", x, "and its sum", x.sum())
    return x


@case(UP, DOWN)
def in_branches(x):
    if x.sum() > 0:
        print("up", x)
    else:
        print("down")
    return x


@case(UP)
def plain_text(x):
    print("plain", 3, [1, 2])
    return x * 2.0


@case((num(1.0), whole(3)), (num(1.0), whole(0)))
def in_staged_loop(x, n):
    i = 0
    while i < n:
        print("round", i)
        x = x * 2.0
        i += 1
    return x


@case((num(1.0), 3))
def in_python_loop(x, n):
    for i in range(n):
        print(i, x)
        x = x * 2.0
    return x


@case(UP)
def separator_and_end(x):
    print("a", "b", sep="-", end="!\n")
    print(x.sum(), x.max(), sep=" | ")
    return x


@case(num(2.5))
def f_string(x):
    print(f"x = {x}")
    return x


@case(num(2.5))
def f_string_with_format(x):
    print(f"x = {float(x):.3f} of {x.shape}")
    return x


@case(num(2.5))
def f_string_of_shape(x):
    name = f"{x.ndim} dims"
    print(name)
    return x


@case(whole(7))
def integer(n):
    print(n, int(n) + 1)
    return n


@case(UP)
def shape_and_dtype(x):
    print(x.shape, x.dtype, x.stop_gradient)
    return x


@case(UP)
def list_of_tensors(x):
    print([x, x * 2.0])
    return x


@case(UP, DOWN)
def after_return(x):
    if x.sum() > 0:
        return x
    print("not up")
    return x * 2.0


@case(UP)
def in_callee(x):
    def noisy(v):
        print("noisy", v.sum())
        return v * 2.0

    return noisy(noisy(x))


@case(UP, DOWN)
def with_logging_flag(x):
    verbose = True
    if verbose:
        print("sum:", x.sum())
    return x * 2.0


@case(UP)
def nothing(x):
    print()
    return x


@case(UP)
def in_no_grad(x):
    with paddle.no_grad():
        print(x.mean())
    return x * x
