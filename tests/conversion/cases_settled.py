"""Tensors whose values follow from shapes and constants: where a program cannot do without a value, it is known."""
import numpy as np
from language import FALLBACK, case, dvec, mat, num, vec, whole

import kayax as paddle

X = vec(1.0, 2.0, 3.0)
DX = dvec(1.0, 2.0, 3.0)
M = mat((1.0, 2.0, 3.0), (4.0, 5.0, 6.0))


@case(M)
def list_filled_up_to_a_size(x):
    rows = []
    for i in range(paddle.shape(x)[0]):
        rows.append(x[i] * 2.0)
    return rows, len(rows)


@case(M)
def list_in_a_list_filled_up_to_a_size(x):
    found = [[], []]
    for i in range(paddle.shape(x)[0]):
        found[0].append(x[i])
        if x[i].sum() > 10:
            found[1].append(i)
    return found


@case(M)
def list_of_unlike_items_filled_up_to_a_size(x):
    found = [[1, 2], "rows"]
    for i, k in zip(range(paddle.shape(x)[0]), (True, None), strict=True):
        found.append((i, k))
    return found


@case(DX)
def shape_grows_in_a_loop_over_a_constant(x):
    y = x
    for _ in range(paddle.to_tensor(2)):
        y = paddle.concat([y, x], axis=0)
    return y, y.shape[0]


@case(X)
def shape_grows_while_a_size_allows(x):
    n = 2
    while n < 4:
        n = paddle.shape(x)[0]
        x = paddle.concat([x, x])
    return x


@case(X)
def loop_that_a_tensor_takes_over(x):
    i = paddle.to_tensor(0)
    seen = []
    while i < 2:
        seen.append(i)
        i = i + 1
    while i < x.sum():
        i = i + 1
    return seen, i


@case(X)
def range_with_a_break(x):
    found = []
    for i in range(paddle.numel(x)):
        if x[i] > 2.5:
            break
        found.append(float(i))
    else:
        found.append(-1.0)
    return found


@case(X)
def reversed_and_enumerated(x):
    found = []
    for i, k in enumerate(reversed(range(paddle.shape(x)[0])), paddle.to_tensor(1)):
        found.append(x[k] * i)
    return found, [k for k in range(paddle.shape(x)[0])], len(range(paddle.shape(x)[0]))


@case(M)
def sizes_as_arguments(x):
    two = paddle.full([1], 2, dtype="int32")
    rows = paddle.shape(x)[0]
    return (paddle.reshape(x, [-1, two]), x.reshape(paddle.shape(x)[::-1]), paddle.zeros([rows, int(rows) + 1]),
            x.sum(axis=rows - 1), x[:, :rows], x[: rows - 1])


@case(M)
def size_as_index_and_key(x):
    rows = paddle.shape(x)[0]
    table = {2: x}
    items = [1, "two", x]
    items[rows - 1] = "three"
    return table[int(rows)], items[rows], items


@case(M)
def conditions_on_sizes_choose_at_once(x):
    if paddle.shape(x)[0] == 2:
        y = [x, "two"]
    else:
        y = x.reshape([7])
    assert paddle.shape(x)[1] > 2, "at least three"
    z = x.reshape([7]) if paddle.rank(x) > 2 else 1
    return y, z, paddle.shape(x)[0] > 1 and "wide"


@case(X)
def numbers_of_constants(x):
    n = paddle.to_tensor(2) * 3
    return x * n.item(), int(n), float(n) + 0.5, n.numpy().tolist(), f"{n.item():03d}"


@case(X)
def constant_that_is_written(x):
    n = paddle.to_tensor([1, 2, 3])
    n[0] = 2
    n.add_(paddle.to_tensor(1))
    k = n.clone()
    k[1] = paddle.to_tensor(7)
    return x[: n[0] - 1], n, k, paddle.zeros([k[1]])


@case((X, whole(2)), (X, whole(3)), expect=FALLBACK)
def written_with_what_is_not_known(x, m):
    n = paddle.to_tensor([1, 2])
    n[0] = m
    return x[: n[0]]


@case((X, whole(2)), (X, whole(0)), expect=FALLBACK)
def changed_by_a_loop(x, m):
    n = paddle.to_tensor(1)
    while n <= m:
        n = n + 1
    return paddle.zeros([n])


class Counted(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.register_buffer("count", paddle.to_tensor(2))

    def forward(self, x):
        if self.count > 1:                      # a cell from outside is no constant
            x = x * 2.0
        for _ in range(self.count):
            x = x + 1.0
        self.count -= 1
        return x


case(X, name="buffer_is_no_constant", calls=3)(Counted)


@case(M)
def items_deleted_and_slices_written(x):
    found = [1, 2, 3]
    for i in range(paddle.shape(x)[0]):
        found.append(i)
        del found[0]
        found[0:1] = [x[i], "new"]
    return found


@case((M, whole(1)), (M, whole(0)), (mat((1.0, 2.0, 3.0)), whole(1)))
def shapes_of_two_paths_meet_a_third(x, flag):
    y = paddle.ones([2, 2]) if flag else paddle.zeros([2, 4])
    if paddle.shape(x)[0] == 2:
        y = paddle.concat([y, x], axis=-1)
    return y


# ---- iterators ---------------------------------------------------------------------------------------------------


@case(num(1.0), num(-1.0), expect=FALLBACK)
def iterator_used_up_in_a_branch(x):
    rest = iter([1.0, 2.0])
    if x > 0:
        x = x + sum(rest)
    return x + sum(rest)


@case(num(1.0), num(-1.0), expect=FALLBACK)
def generator_wrapped_in_a_branch(x):
    rest = (k * 2.0 for k in (1.0, 2.0))
    if x > 0:
        for k in map(abs, rest):
            x = x + k
    return x, list(rest)


@case(num(1.0), num(-1.0), expect=FALLBACK)
def iterator_unpacked_in_a_branch(x):
    rest = iter([1.0, 2.0, 3.0])
    if x > 0:
        a, *_ = rest
        x = x + a
    return x, 2.0 in rest


@case(X)
def iterators_made_and_used_up_inside(x):
    def halves(n):
        for i in range(n):
            yield x * i / 2

    rest = iter([1.0, 2.0, 3.0])
    first = next(rest)
    return sum(halves(3)), [*map(lambda k: k * first, rest)], list(enumerate(halves(2)))


@case(X)
def numpy_array_that_changes_after_a_tensor_was_made_of_it(x):
    numbers = np.array([2, 3])
    made = paddle.to_tensor(numbers)
    numbers[0] = 7
    return paddle.zeros(made) + x, made * 2
