"""Casts, `len`, shapes and dtypes: `int()`, `float()`, `bool()` of tensors inside converted code."""
from language import EITHER, FALLBACK, case, dvec, flag, mat, num, vec, whole

import kayax as paddle

X = dvec(1.0, 2.0, 3.0)
H = vec(1.0, 2.0, 3.0)               # wants no gradient


@case((X, num(2.7)), (X, num(-2.7)))
def int_of_float(x, n):
    return x * int(n)


@case((H, whole(3)))
def float_of_int(x, n):
    return x * float(n)


@case((X, num(0.5)), (X, num(0.0)))
def bool_of_float(x, n):
    if bool(n):
        return x * 2.0
    return x


@case((X, flag(True)), (X, flag(False)))
def bool_times_tensor(x, c):
    return x * int(c)


@case((H, whole(2)), (H, whole(5)))
def int_in_condition(x, n):
    if int(n) > 3:
        return x * 2.0
    return x


@case((H, whole(2)), (H, whole(5)))
def int_division_and_modulo(x, n):
    k = int(n) // 2 + int(n) % 2
    return x * k


@case((X, num(2.0)))
def float_of_python_and_tensor(x, n):
    return x * float("2.5") + float(n) + float(3)


@case(num(2.5), mixed=True)
def returned_float(x):
    return float(x) * 2.0


@case(num(2.5))
def returned_int(x):
    return int(x)


@case(num(2.5), num(0.0))
def returned_bool(x):
    return bool(x)


@case(num(2.5))
def cast_stops_the_gradient(x):
    return x * float(x)


@case((H, whole(2)))
def cast_as_index(x, n):
    return x[int(n)]


@case((H, whole(2)))
def tensor_as_index(x, n):
    return x[n] + x[n - 1]


@case((H, whole(2)), expect=FALLBACK)
def tensor_as_slice_end(x, n):
    return x[:n]


@case((H, whole(2)), expect=FALLBACK)
def cast_as_shape(x, n):
    return paddle.zeros([int(n)]) + x[0]


@case(X, mat((1.0, 2.0), (3.0, 4.0)))
def length(x):
    return x * len(x)


@case(X, mat((1.0, 2.0), (3.0, 4.0)), slow=True)
def shape_numbers(x):
    n = x.shape[0]
    return x.reshape([n, -1]).sum(axis=1) * n


@case(X)
def shape_tensor(x):
    n = paddle.shape(x)[0]
    if n > 2:
        return x * n
    return x


@case(X)
def shape_in_condition(x):
    if x.shape[0] > 2 and x.shape[-1] == 3:
        return x * 2.0
    return x


@case(X)
def ndim_size_numel(x):
    return x * x.ndim + x.size + paddle.numel(x)


@case(X)
def dtype_in_condition(x):
    if x.dtype == paddle.float32:
        return x.astype("float64")
    return x


@case(vec(1.5, -2.5))
def astype_in_branch(x):
    n = x.astype("int64")
    if n.sum() < 0:
        n = n * 2
    return n


@case((whole(7), whole(2)), slow=True)
def integer_arithmetic(a, b):
    return a // b, a % b, a / b, a ** b, -a


@case((whole(7), num(2.0)))
def mixed_arithmetic(a, x):
    return a * x, a + 1, a / 2, x + 1


@case((H, whole(2)))
def python_scalar_stays_weak(x, n):
    k = 2
    if n > 1:
        k = 3
    return (x * k).astype("float32"), x.astype("float16") * k


@case((num(1.0, dtype="float16"), whole(3)))
def float16_loop(x, n):
    i = 0
    while i < n:
        x = x * 1.5
        i += 1
    return x


@case((num(1.0, dtype="float64"), whole(3)))
def float64_loop(x, n):
    i = 0
    y = 1.0
    while i < n:
        y = y * x + 0.5
        i += 1
    return y


@case((H, whole(3)))
def int_variable_plus_tensor(x, n):
    total = 0
    for i in range(n):
        total += i
    return x * total


@case((H, whole(3)))
def float_variable_in_loop(x, n):
    scale = 1.0
    for _ in range(n):
        scale *= 0.5
    return x * scale


@case((H, whole(3)))
def int_becomes_float_in_loop(x, n):
    scale = 1
    for _ in range(n):
        scale = scale * 0.5
    return x * scale


@case((H, whole(3)))
def bool_variable_in_loop(x, n):
    even = True
    for _ in range(n):
        even = not even
    if even:
        return x
    return x * 2.0


@case(num(3.0), expect=FALLBACK)
def numpy_in_the_middle(x):
    return x * x.numpy().sum()


@case(num(3.0), expect=FALLBACK)
def item_in_the_middle(x):
    return x * round(x.item())


@case(X, expect=FALLBACK)
def tolist_in_the_middle(x):
    return x * len(set(x.tolist()))


@case((H, whole(2)), expect=FALLBACK)
def list_of_computed_length(x, n):
    return [x] * int(n)


@case(vec(1.0, -2.0, 3.0), expect=FALLBACK)
def boolean_mask(x):
    return x[x > 0] * 2.0


@case(vec(1.0, -2.0, 3.0), expect=FALLBACK)
def nonzero(x):
    return paddle.nonzero(x > 0)


@case(vec(1.0, -2.0, 3.0), expect=EITHER)
def boolean_mask_reduced(x):
    return (x[x > 0] * 2.0).sum()


@case(whole(1, 1, 3), expect=FALLBACK)
def unique(n):
    return paddle.unique(n)


@case(num(2.0))
def isinstance_of_cast(x):
    n = int(x)
    if isinstance(n, int):
        return x * 2.0
    return x


@case((H, whole(1)), expect=EITHER)
def format_of_cast(x, n):
    name = f"y{int(n)}"
    return {name: x}


@case(num(2.0))
def complex_numbers(x):
    z = paddle.complex(x, x * 2.0)
    if z.real() > 1:
        z = z * 2.0
    return z.real() + z.imag()
