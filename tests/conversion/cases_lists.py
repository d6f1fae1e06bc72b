"""Lists, tuples, dicts and sets: built, grown, changed and read in branches and loops."""
import collections

from language import EITHER, FALLBACK, case, dvec, mat, num, vec, whole

import kayax as paddle
from kayax import nn

X = dvec(1.0, 2.0, 3.0)
UP, DOWN = X, dvec(-1.0, -2.0, -3.0)
H = vec(1.0, 2.0, 3.0)               # wants no gradient
State = collections.namedtuple("State", "h c")


@case((X, 3), (X, 1))
def append_in_python_loop(x, n):
    items = []
    for i in range(n):
        items.append(x * i)
    return paddle.stack(items)


@case(mat((1.0, 2.0), (3.0, 4.0)))
def append_in_tensor_loop(m):
    items = []
    for row in m:
        items.append(row * 2.0)
    return items


@case(mat((1.0, 2.0), (3.0, 4.0)))
def append_in_tensor_loop_and_stack(m):
    items = []
    h = paddle.zeros([2])
    for i in range(m.shape[0]):
        h = h + m[i]
        items.append(h)
    return paddle.stack(items)


@case((H, whole(3)), (H, whole(1)), expect=FALLBACK)
def append_with_unbounded_trip_count(x, n):
    items = []
    i = 0
    while i < n:
        items.append(x * i)
        i += 1
    return items


@case((X, 3), slow=True)
def append_under_tensor_condition_in_both_branches(x, n):
    items = []
    for i in range(n):
        if x[i] > 1.5:
            items.append(x[i] * 10.0)
        else:
            items.append(x[i])
    return paddle.stack(items)


@case(UP, DOWN)
def append_in_both_branches(x):
    items = [x]
    if x.sum() > 0:
        items.append(x * 2.0)
    else:
        items.append(x * 3.0)
    return items


@case(UP, DOWN)
def append_in_one_branch(x):
    items = [x]
    if x.sum() > 0:
        items.append(x * 2.0)
    return items


@case((X, 3))
def append_in_loop_with_tensor_break(x, n):
    items = []
    for i in range(n):
        items.append(x * i)
        if x[i] > 1.5:
            break
    return items


@case(X)
def pop(x):
    items = [x, x * 2.0, x * 3.0]
    last = items.pop()
    first = items.pop(0)
    return last - first, items


@case((X, 3))
def append_and_pop_in_loop(x, n):
    items = [x]
    for i in range(n):
        items.append(items.pop() * 2.0 + i)
    return items


@case((H, whole(3)), (H, whole(0)))
def append_and_pop_in_staged_loop(x, n):
    items = [x]
    i = 0
    while i < n:
        items.append(items.pop() * 2.0)
        i += 1
    return items[0]


@case((H, whole(3)), (H, whole(0)))
def item_written_in_staged_loop(x, n):
    items = [x, x * 2.0]
    i = 0
    while i < n:
        items[0] = items[0] + items[1]
        i += 1
    return items


@case(UP, DOWN)
def item_written_in_branch(x):
    items = [x, x * 2.0]
    if x.sum() > 0:
        items[1] = x * 5.0
    return items


@case((H, whole(1)), (H, whole(0)))
def index_by_tensor(x, i):
    items = [x, x * 2.0]
    return items[i]


@case((H, whole(1)), (H, whole(0)))
def index_by_tensor_written(x, i):
    items = [x, x * 2.0]
    items[i] = x * 7.0
    return items


@case((H, whole(3)), (H, whole(2)))
def index_by_loop_counter(x, n):
    items = [x, x * 2.0, x * 3.0]
    y = x * 0.0
    for i in range(n):
        y = y + items[i]
    return y


@case(X)
def negative_index_and_slices(x):
    items = [x, x * 2.0, x * 3.0, x * 4.0]
    return items[-1] + items[1:3][0], items[::2], items[:-1]


@case(X)
def insert_extend_remove(x):
    items = [x]
    items.insert(0, x * 2.0)
    items.extend([x * 3.0, x * 4.0])
    items += [x * 5.0]
    del items[1]
    items.reverse()
    return items


@case(X)
def concatenated_and_repeated(x):
    return [x] + [x * 2.0] * 2


@case((X, 2))
def length_of_grown_list(x, n):
    items = []
    while len(items) < n:
        items.append(x)
    return x * len(items)


@case((H, whole(2)))
def length_in_condition(x, n):
    items = [x, x]
    if len(items) == n:
        return x * 2.0
    return x


@case(UP, DOWN)
def nested_lists(x):
    items = [[x], [x * 2.0]]
    if x.sum() > 0:
        items[0].append(x * 3.0)
        items[1][0] = x * 4.0
    else:
        items[0].append(x)
    return items


@case((X, 2))
def nested_lists_in_loops(x, n):
    rows = []
    for i in range(n):
        row = []
        for j in range(n):
            row.append(x * (i + j))
        rows.append(paddle.stack(row))
    return paddle.stack(rows)


@case([num(3.0), num(1.0)])
def argument_list_is_changed(items):
    items.append(items[0] * 2.0)
    items[0] = items[1]
    return items[-1]


@case([num(3.0)], [num(-3.0)])
def argument_list_is_changed_in_branches(items):
    if items[0] > 0:
        items.append(items[0] * 2.0)
    else:
        items.append(items[0] * 3.0)


@case(X)
def sorted_and_sum(x):
    items = sorted([3, 1, 2])
    return sum([x * k for k in items])


@case((H, whole(2)))
def split_and_loop(x, n):
    y = 0.0
    for part in paddle.split(x, 3):
        y = y + part * n
    return y


@case(UP, DOWN)
def alias_of_list(x):
    items = [x]
    same = items
    if x.sum() > 0:
        same.append(x * 2.0)
    else:
        same.append(x * 3.0)
    return items[-1]


@case(UP, DOWN)
def list_from_helper(x):
    def grow(items, v):
        items.append(v)
        if v.sum() > 0:
            items[0] = v * 2.0

    items = [x]
    grow(items, x * 3.0)
    return items


@case((H, whole(2)), (H, whole(0)))
def list_read_in_staged_loop(x, n):
    weights = [1.0, 2.0]
    i = 0
    while i < n:
        for w in weights:
            x = x * w + 1.0
        i += 1
    return x


@case((H, whole(2)), (H, whole(3)), expect=EITHER)
def buffer_list_in_staged_loop(x, n):
    last = [x, x]
    for i in range(n):
        last.append(last[-1] + last[-2] + i)
        last.pop(0)
    return last[-1]


@case((H, whole(2)))
def list_of_python_numbers_in_staged_loop(x, n):
    counts = [0, 0]
    i = 0
    while i < n:
        counts[0] += 1
        counts[1] += counts[0]
        i += 1
    return x * counts[1]


@case(dvec(3.0, -1.0, 2.0, 2.0))
def sorted_by_tensors(x):
    items = [x[0], x[1], x[2], x[3]]
    beams = sorted([(x[i] * 2.0, [i], x * i) for i in range(4)], key=lambda beam: beam[0], reverse=True)
    items.sort(key=lambda v: v.abs())
    return items, sorted(items, reverse=True), beams[:2], sorted(items, key=lambda v: 1), sorted({"b": 1, "a": 2})


@case((vec(3.0, -1.0, 2.0, 2.0), whole(3)), (vec(3.0, float("nan"), 2.0, 2.0), whole(2)))
def sorted_list_of_staged_length(x, n):
    items = [x[i] for i in range(4) if i < n]
    down = sorted(items, reverse=True)
    items.sort()
    return items, down, sorted([i % 2 for i in range(4) if i < n])


@case((H, whole(1)), (H, whole(0)), expect=FALLBACK)
def written_after_a_tensor_chose_it(x, k):
    items = [x * 1.0, x * 2.0]
    chosen = items[k]
    items[1][0] = 7.0
    return chosen


@case((H, whole(1)), (H, whole(0)))
def number_chosen_by_a_tensor(x, k):
    scales, (i, n) = [0.5, 1.5], (0, 3)
    while i < k:
        i += 1
    return x.astype("float16") * scales[k], (True, False)[k], [i, n][-k], x.astype("int32") * (1, 2)[k]


@case(vec(3.0, 1.0), vec(1.0, 3.0))
def function_that_a_tensor_chooses(x):
    functions = [paddle.tanh, lambda v: v * 3.0, paddle.sin]
    return functions[int(x.argmax())](x), ("a", x, None)[x.argmin()]


@case((H, whole(-1)), (H, whole(2)))
class layer_that_a_tensor_chooses(nn.Layer):
    def __init__(self):
        super().__init__()
        self.experts = nn.LayerList([nn.Linear(3, 3), nn.Sequential(nn.ReLU(), nn.Linear(3, 3)), nn.Tanh()])

    def forward(self, x, k):
        return self.experts[int(k)](x)


@case((H, whole(3)), expect=IndexError)
def layer_that_is_not_there(x, k):
    return nn.LayerList([nn.ReLU()])[int(k)](x)


@case(UP, DOWN)
def shapes_returned(x):
    return x.shape, {"shape": x.unsqueeze(0).shape[1:]}
