"""What `if` leaves in variables: numbers, None, containers, functions, tensors of other dtypes and shapes."""
from language import EITHER, case, whole
from language import dvec as vec

import kayax as paddle

UP, DOWN = vec(1.0, 2.0, 3.0), vec(-1.0, -2.0, -3.0)


@case(UP, DOWN, slow=True)
def local_of_one_branch_unused_after(x):
    y = x
    if x.sum() > 0:
        helper = x * x
        y = helper + 1.0
    return y


@case(UP, DOWN, expect=EITHER, allowed=(UnboundLocalError, NameError))
def set_in_one_branch_used_after(x):
    if x.sum() > 0:
        y = x * 2.0
    return y


@case(UP, DOWN, slow=True)
def set_in_one_branch_used_under_the_same_condition(x):
    positive = x.sum() > 0
    if positive:
        y = x * 2.0
    if positive:
        z = y + 1.0
    else:
        z = x
    return z


@case(UP, DOWN)
def set_in_one_branch_then_set_again(x):
    if x.sum() > 0:
        y = x * 2.0
    y = x + 1.0
    return y


@case(UP, DOWN, slow=True)
def none_in_one_branch(x):
    extra = None
    if x.sum() > 0:
        extra = x * 2.0
    if extra is not None:
        return extra + 1.0
    return x


@case(UP, DOWN)
def none_in_one_branch_returned(x):
    if x.sum() > 0:
        y = x * 2.0
    else:
        y = None
    return y


@case(UP, DOWN)
def none_from_both_branches(x):
    y = x
    if x.sum() > 0:
        z = None
    else:
        z = None
    return y, z


@case((UP, None), (UP, vec(1.0, 1.0, 1.0)))
def optional_argument(x, mask):
    if mask is None:
        y = x
    else:
        y = x * mask
    return y


@case(UP, DOWN)
def python_number_in_both_branches(x):
    if x.sum() > 0:
        k = 2
    else:
        k = 3
    return x * k


@case(UP, DOWN)
def python_number_changed_in_one_branch(x):
    k = 1
    if x.sum() > 0:
        k += 1
    return x * k


@case(UP, DOWN)
def python_number_and_tensor(x):
    scale = 1.0
    if x.sum() > 0:
        scale = x.sum()
    return x * scale


@case(UP, DOWN)
def same_python_number_in_both(x):
    if x.sum() > 0:
        y, axis = x + 1.0, 0
    else:
        y, axis = x - 1.0, 0
    return y.sum(axis=axis)


@case(UP, DOWN)
def int_in_one_branch_float_in_the_other(x):
    if x.sum() > 0:
        k = 1
    else:
        k = 0.5
    return x * k


@case(UP, DOWN)
def bool_flag_set_in_branch(x):
    seen = False
    if x.sum() > 0:
        seen = True
    if seen:
        x = x * 5.0
    return x


@case(UP, DOWN)
def same_string_in_both(x):
    if x.sum() > 0:
        mode, y = "a", x * 2.0
    else:
        mode, y = "a", x * 3.0
    return y if mode == "a" else x


@case(UP, DOWN)
def different_strings(x):
    if x.sum() > 0:
        mode = "up"
    else:
        mode = "down"
    return x * 2.0 if mode == "up" else x


@case(UP, DOWN)
def dtypes_differ_int_and_float(x):
    if x.sum() > 0:
        n = paddle.ones([3])
    else:
        n = paddle.ones([3], dtype="int64")
    return x * n.astype("float32")


@case(UP, DOWN)
def dtypes_differ_and_are_seen(x):
    if x.sum() > 0:
        n = paddle.ones([3], dtype="float64")
    else:
        n = paddle.ones([3], dtype="float32")
    return n


@case(UP, DOWN)
def shapes_differ(x):
    if x.sum() > 0:
        y = x[:2]
    else:
        y = x
    return y


@case(UP, DOWN, slow=True)
def shapes_differ_inside_only(x):
    if x.sum() > 0:
        y = x[:2]
        s = y.sum()
    else:
        y = x
        s = y.prod()
    return s


@case(UP, DOWN)
def ternary_of_numbers(x):
    return x * (2 if x.sum() > 0 else 3)


@case(UP, DOWN)
def ternary_with_none(x):
    y = x if x.sum() > 0 else None
    return x * 2.0 if y is None else y


@case(UP, DOWN)
def constant_tensor_from_branch(x):
    if x.sum() > 0:
        y = paddle.to_tensor([1.0, 2.0, 3.0])
    else:
        y = paddle.zeros([3])
    return x + y


@case(UP, DOWN)
def branch_returns_input_itself(x):
    y = x if x.sum() > 0 else x * 2.0
    return y


@case(UP, DOWN)
def tuple_assigned(x):
    if x.sum() > 0:
        pair = (x, x * 2.0)
    else:
        pair = (x * 3.0, x)
    a, b = pair
    return a - b


@case(UP, DOWN)
def list_assigned(x):
    if x.sum() > 0:
        parts = [x, x * 2.0]
    else:
        parts = [x * 3.0, x]
    return parts[0] + parts[1]


@case(UP, DOWN)
def dict_assigned(x):
    if x.sum() > 0:
        out = {"a": x, "b": x * 2.0}
    else:
        out = {"a": x * 3.0, "b": x}
    return out


@case(UP, DOWN)
def same_function_chosen_in_both(x):
    fn = paddle.tanh
    if x.sum() > 0:
        y = fn(x)
    else:
        y = fn(x * 2.0)
    return y


@case(UP, DOWN)
def different_functions_chosen(x):
    if x.sum() > 0:
        fn = paddle.tanh
    else:
        fn = paddle.exp
    return fn(x)


@case(UP, DOWN)
def deleted_variable(x):
    t = x * 2.0
    if x.sum() > 0:
        y = t + 1.0
        del t
    else:
        y = t
        del t
    return y


@case(UP, DOWN, expect=EITHER, allowed=(UnboundLocalError, NameError))
def deleted_in_one_branch_and_used(x):
    t = x * 2.0
    if x.sum() > 0:
        del t
    return t


@case(UP, DOWN)
def deleted_in_one_branch_unused(x):
    t = x * 2.0
    y = t + 1.0
    if x.sum() > 0:
        del t
    return y


@case((vec(1.0, 2.0), whole(1)), (vec(1.0, 2.0), whole(0)))
def is_none_on_tensor(x, c):
    y = None
    if c is not None and c > 0:
        y = x
    return x * 2.0 if y is None else y * 3.0


@case((UP, DOWN), (DOWN, UP))
def unpacked_from_call_in_branch(x, y):
    def pair(a, b):
        return a + b, a - b

    if x.sum() > y.sum():
        p, q = pair(x, y)
    else:
        q, p = pair(y, x)
    return p * q


@case(UP, DOWN)
def starred_assignment(x):
    if x.sum() > 0:
        a, *rest = x, x * 2.0, x * 3.0
    else:
        a, *rest = x * 4.0, x * 5.0, x * 6.0
    return a + rest[0] * rest[1]


@case(UP, DOWN)
def isinstance_after_branch(x):
    if x.sum() > 0:
        y = x * 2.0
    else:
        y = x
    if isinstance(y, paddle.Tensor):
        return y + 1.0
    return None


@case(UP, DOWN)
def shape_after_branch(x):
    if x.sum() > 0:
        y = x * 2.0
    else:
        y = x
    return y.reshape([1, y.shape[0]])


@case(UP, DOWN)
def unused_argument_in_one_branch(x):
    y = paddle.ones([3])
    if x.sum() > 0:
        y = x
    return y


@case((UP, 0), (DOWN, 1))
def lambda_in_branch(x, k):
    if x.sum() > 0:
        f = lambda v: v + k             # noqa: E731
        y = f(x)
    else:
        f = lambda v: v - k             # noqa: E731
        y = f(x)
    return y


@case(UP, DOWN, mixed=True)
def whole_number_or_a_tensor(x):
    total = x.sum()
    if total < 0:
        return {"a": total}
    return {"a": sum([v for v in x if False])}


@case((vec(1.0), vec(2.0)), (vec(-1.0), vec(2.0)), (vec(-1.0), vec(-2.0)))
def read_in_the_other_branch(x, y):
    t = x * 2.0
    if x > 0:
        t = t + 1.0
        a = t
    elif y > 0:
        a = t * 3.0
    else:
        a = x
    return a


@case((vec(1.0), vec(2.0)), (vec(-1.0), vec(2.0)), expect=UnboundLocalError)
def bound_in_the_other_branch_only(x, y):
    if x > 3.0:
        t = x
    elif y > 0:
        a = t
    return x
