"""`for` over lists, dicts, `enumerate`, `zip`, `reversed`, layers, tensors and generators."""
from language import FALLBACK, case, mat, num, vec, whole

import kayax as paddle
from kayax import nn

X = vec(1.0, 2.0, 3.0)


@case((X, [1.0, 2.0, 3.0]))
def over_list_of_numbers(x, weights):
    y = 0.0
    for w in weights:
        y = y + x * w
    return y


@case([num(1.0), num(2.0), num(3.0)])
def over_list_of_tensors(items):
    y = items[0] * 0.0
    for item in items:
        if item > 1.5:
            y = y + item
    return y


@case((num(1.0), num(2.0)))
def over_tuple_display(a, b):
    y = 0.0
    for v in (a, b, a * b):
        y = y * 2.0 + v
    return y


@case({"a": num(1.0), "b": num(2.0)})
def over_dict_items(table):
    y = 0.0
    for name, v in table.items():
        if name == "a":
            y = y + v * 10.0
        else:
            y = y + v
    return y


@case({"a": num(1.0), "b": num(2.0)})
def over_dict_keys_and_values(table):
    y = 0.0
    for name in table:
        y = y + table[name]
    for v in table.values():
        y = y * v
    return y


@case(X)
def enumerate_tensor(x):
    y = 0.0
    for i, v in enumerate(x):
        y = y + i * v
    return y


@case(X, vec(1.0, 9.0, 2.0))
def enumerate_with_break(x):
    y = 0.0
    for i, v in enumerate(x):
        if v > 2.5:
            break
        y = y + v * (i + 1)
    return y


@case(X)
def enumerate_with_start(x):
    y = 0.0
    for i, v in enumerate(x, 5):
        y = y + i * v
    return y


@case([num(1.0), num(2.0)])
def enumerate_list(items):
    y = 0.0
    for i, v in enumerate(items):
        y = y + i * v
    return y


@case((X, vec(4.0, 5.0, 6.0)))
def zip_tensors(x, z):
    y = 0.0
    for a, b in zip(x, z):
        y = y + a * b
    return y


@case((X, [3, 4]))
def zip_tensor_and_list(x, items):
    y = 0.0
    for a, b in zip(x, items):
        y = y + a * b
    return y


@case((X, vec(4.0, 5.0, 6.0)), (X, vec(-4.0, 5.0, 6.0)), mixed=True)
def zip_with_break(x, z):
    y = 0.0
    for a, b in zip(x, z):
        if b < 0:
            break
        y = y + a * b
    return y


@case((X, vec(4.0, 5.0, 6.0)))
def enumerate_zip(x, z):
    y = 0.0
    for i, (a, b) in enumerate(zip(x, z)):
        y = y + i * a * b
    return y


@case(X)
def reversed_list(x):
    y = 0.0
    for k in reversed([1.0, 2.0, 3.0]):
        y = y * 2.0 + x * k
    return y


@case((X, 3))
def reversed_range(x, n):
    y = 0.0
    for i in reversed(range(n)):
        y = y * 2.0 + x[i]
    return y


@case(X)
def over_len(x):
    y = 0.0
    for i in range(len(x)):
        y = y + x[i] * i
    return y


@case(X)
def over_shape(x):
    y = 0.0
    for i in range(x.shape[0]):
        y = y + x[i] * i
    return y


@case(X)
def over_paddle_shape(x):
    y = 0.0
    for i in range(paddle.shape(x)[0]):
        y = y + x[i] * i
    return y


@case(X)
def over_arange(x):
    y = 0.0
    for i in paddle.arange(3):
        y = y + x[i]
    return y


@case(mat((1.0, 2.0), (3.0, 4.0)))
def tuple_target(m):
    y = 0.0
    for a, b in m:
        y = y + a * b
    return y


@case([(num(1.0), num(2.0)), (num(3.0), num(4.0))])
def nested_targets(pairs):
    y = 0.0
    for i, (a, b) in enumerate(pairs):
        y = y + i * a + b
    return y


@case([[num(1.0), num(2.0), num(5.0)], [num(3.0), num(4.0), num(6.0)]])
def starred_target(rows):
    y = 0.0
    for a, *rest in rows:
        y = y + a * rest[0] - rest[1]
    return y


@case(X)
class LayerListLoop(nn.Layer):
    def __init__(self):
        super().__init__()
        self.parts = nn.LayerList([nn.Linear(3, 3) for _ in range(2)])

    def forward(self, x):
        for part in self.parts:
            x = part(x)
            if x.sum() > 0:
                x = x * 2.0
        return x


@case(X, vec(-1.0, -2.0, -3.0), slow=True)
class SequentialWithEarlyExit(nn.Layer):
    def __init__(self):
        super().__init__()
        self.parts = nn.LayerList([nn.Linear(3, 3) for _ in range(3)])

    def forward(self, x):
        for i, part in enumerate(self.parts):
            x = part(x)
            if x.mean() > 0.2:
                break
            x = x + i
        return x


@case(X)
class LayerDictLoop(nn.Layer):
    def __init__(self):
        super().__init__()
        self.parts = nn.LayerDict({"a": nn.Linear(3, 3), "b": nn.Linear(3, 3)})

    def forward(self, x):
        for name, part in self.parts.items():
            x = part(x)
            if name == "a":
                x = x * 2.0
        return x


@case(X)
class ParameterListLoop(nn.Layer):
    def __init__(self):
        super().__init__()
        self.weights = nn.ParameterList([self.create_parameter([3]) for _ in range(2)])

    def forward(self, x):
        for w in self.weights:
            x = x * w + 1.0
        return x


@case(mat((1.0, 2.0, 3.0), (4.0, 5.0, 6.0)))
def rnn_over_time(m):
    h = paddle.zeros([3])
    outputs = []
    for x in m:
        h = paddle.tanh(h * 0.5 + x)
        outputs.append(h)
    return paddle.stack(outputs), h


@case((X, whole(3)))
def iterating_a_generator(x, n):
    def steps():
        yield 1.0
        yield 2.0

    y = x
    for k in steps():
        y = y * k
        if y.sum() > n:
            y = y - 1.0
    return y


@case((X, {1, 2, 3}))
def over_set(x, numbers):
    y = x
    for n in sorted(numbers):
        y = y + n
    return y


@case(X)
def over_string(x):
    y = x
    for c in "ab":
        y = y * 2.0 if c == "a" else y + 1.0
    return y


@case((X, vec(1.0, 2.0)))
def changes_the_iterated_name(x, z):
    items = z
    y = x
    for v in items:
        items = items * 2.0
        y = y + v
    return y, items


@case((X,), (vec(-1.0, -2.0, -3.0),), expect=FALLBACK)
def iterator_used_after_a_break(x):
    items = enumerate(x)
    total = x.sum() * 0
    for _, row in items:
        total = total + row
        if row > 1:
            break
    return total, [row for _, row in items]


@case((X,), (vec(-1.0, -2.0, -3.0),), expect=FALLBACK)
def source_of_an_iterator_after_a_break(x):
    items = iter([x, x * 2, x * 3])
    total = x * 0
    for row, n in zip(items, range(2)):
        total = total + row
        if total.sum() > n + 6:
            break
    return total, list(items)


@case((X,))
def iterator_used_after_all_rounds(x):
    items = iter(x)
    total = x.sum() * 0
    for row, _ in zip(items, range(2)):
        if row > 0:
            total = total + row
    return total, next(items, None)
