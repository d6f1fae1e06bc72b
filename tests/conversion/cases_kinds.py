"""Variables whose type, dtype, shape or identity a tensor decides: what is done with them is what eager does."""
from language import FALLBACK, case, num, vec, whole

import kayax as paddle

UP, DOWN, FAR = vec(1.0, 2.0, 3.0), vec(-1.0, -2.0, -3.0), vec(30.0, 40.0, 50.0)
GRAD_UP, GRAD_DOWN = vec(1.0, 2.0, 3.0, grad=True), vec(-1.0, -2.0, -3.0, grad=True)


@case(UP, DOWN)
def dtype_of_one_branch(x):
    y = x.astype("int32") if x.sum() > 0 else x
    return y


@case(GRAD_UP, GRAD_DOWN)
def dtypes_met_by_operations(x):
    if x.sum() > 0:
        y = x.astype("float64")
    else:
        y = x
    z = (y * 2.5 + 1) @ y
    return z, y.astype("float32") - x, -y


@case(UP, DOWN)
def dtype_asked_for(x):
    y = x
    if x.sum() > 0:
        y = x.astype("int32")
    if y.dtype == paddle.int32:
        return y + 1
    return y.sum()


@case(UP, DOWN)
def dtypes_in_functions_and_lists(x):
    def scaled(value, by):
        return value * by

    if x.sum() > 0:
        y = x.astype("float64")
    else:
        y = x
    both = paddle.concat([y, scaled(y, 2)])
    return both, paddle.stack([y, y]).sum(), max(y.sum(), 0.25)


@case(UP, DOWN)
def written_in_place(x):
    y = x * 1.0
    if x.sum() > 0:
        y = x.astype("float64")
    y[0] = 5.0
    y += 1
    return y


@case((UP, whole(3, 4)), (DOWN, whole(3, 4)))
def int_or_float_meets_ints(x, n):
    k = 1
    if x.sum() < 0:
        k = 0.5
    return n * k, k // 2, k


@case((UP, vec(3.0, 4.0, 5.0, dtype="float64")), (DOWN, vec(3.0, 4.0, 5.0, dtype="float64")))
def number_or_tensor_meets_another_dtype(x, y):
    scale = 0.1
    if x.sum() > 0:
        scale = x.sum()
    return y * scale, scale


@case(UP, DOWN)
def bool_or_int(x):
    k = True
    if x.sum() > 0:
        k = 2
    return k, k + 1, k == 1


@case(UP, DOWN)
def shapes_that_differ(x):
    y = x[:2] * 1.0 if x.sum() > 0 else x * 1.0
    return y, (y * y).sum(), y.shape[0], [row + 1.0 for row in [y]]


@case(UP, DOWN)
def texts_and_functions(x):
    mode = "up" if x.sum() > 0 else "down"
    fn = paddle.tanh if mode == "up" else paddle.exp
    return fn(x), mode


@case(UP, DOWN)
def lengths_that_differ(x):
    total = 0
    for row in ((x, x * 2.0) if x.sum() > 0 else (x,)):
        total = total + row
    return total


@case(UP, DOWN)
def printed_and_asked(x):
    y = x.astype("int32") if x.sum() > 0 else x
    print("y", y[1])
    assert y.dtype != paddle.bool
    return isinstance(y, paddle.Tensor)


@case(UP, DOWN)
def text_of_one_dtype_or_another(x):
    y = x.astype("int32") if x.sum() > 0 else x
    print(f"y is {y[0]}")
    return y[0]


@case(UP, FAR)
def dtype_changes_in_the_first_round(x):
    y = x.astype("int32")
    while y.sum() < 40:
        y = y * 1.5 + 1
    return y


@case(UP, FAR)
def number_changes_its_type_in_a_loop(x):
    n, best = 1, 0.1
    while x.sum() < 10:
        n = n * 0.5 if x.sum() > 8 else n + 1
        best = x.max() if x.max() > best else best
        x = x + 1
    return n, best


@case((GRAD_UP, num(2.0)), (GRAD_UP, num(0.0)), slow=True)
def dtype_changes_and_a_gradient_goes_through(x, n):
    y = (x * 2).astype("float64")
    i = 0
    while i < n:
        y = (y * x).astype("float32") * 1.25
        i += 1
    return y


@case(UP, DOWN)
class Kept:
    def __init__(self):
        self.kind = "none"

    def run(self, x):
        if x.sum() > 0:
            self.last = x.astype("int32")
        else:
            self.last = x * 2.0
        return self.last * 2


# ---- which object it is ------------------------------------------------------------------------------------------


@case(UP, DOWN)
def one_of_two_lists_is_changed(x):
    a, b = [x], [x * 2.0]
    c = a if x.sum() > 0 else b
    c.append(x)
    c[0] = x * 3.0
    return a, b, len(c)


@case(UP, DOWN)
def one_of_two_objects_is_changed(x):
    class Box:
        pass

    a, b = Box(), Box()
    a.t, b.t = x, x * 2.0
    chosen = a if x.sum() > 0 else b
    chosen.t = chosen.t + 1.0
    return a.t, b.t


@case(UP, DOWN)
def an_old_list_or_a_new_one(x):
    old = [x]
    held = {"items": old}
    if x.sum() > 0:
        held = {"items": [x, x]}
    held["items"].append(x)
    return len(old), len(held["items"])


@case(UP, DOWN)
def two_names_of_one_list(x):
    if x.sum() > 0:
        a = [x]
        b = a
    else:
        a = [x * 2.0]
        b = a
    b.append(x)
    return len(a)


@case(UP, DOWN, expect=FALLBACK)
def two_names_of_one_list_on_one_path(x):
    if x.sum() > 0:
        a = b = [x]
    else:
        a, b = [x * 2.0], [x * 3.0]
    b.append(x)
    return len(a)


@case(UP, FAR, expect=FALLBACK)
def list_of_before_a_loop_is_changed(x):
    first = [x]
    items = first
    while x.sum() < 10:
        items = [x]
        x = x + 1
    items.append(x)
    return len(first), len(items)


@case(UP, FAR)
def list_that_only_a_loop_has_is_changed(x):
    items = [x, x * 2.0]
    while x.sum() < 10:
        items = [items[1], items[0] + 1.0]
        x = x + 1
    items.append(x)
    return items


@case(UP, DOWN)
def unpacked(x):
    y = x.astype("int32") if x.sum() > 0 else x
    a, *_, b = y
    return a, b * 2


@case(UP, DOWN, expect=FALLBACK)
def put_into_a_text(x):
    y = x.astype("int32") if x.sum() > 0 else x
    return "%s" % y.sum()
