"""What code changes without saying so: by libraries, special methods, context managers, generators, flags and modes."""
import bisect
import collections
import contextlib
import functools
import heapq
import operator
import queue

import numpy as np
from language import FALLBACK, case, dvec, mat, vec

import kayax as paddle
from kayax import nn

UP, DOWN = vec(1.0, 2.0), vec(-1.0, -2.0)
X, Y = dvec(1.0, 2.0), dvec(-1.0, -2.0)


# ---- by functions that are not rewritten -----------------------------------------------------------------------


@case(UP, DOWN)
def heap(x):
    items = [1, 5]
    if x.sum() > 0:
        heapq.heappush(items, 3)
    else:
        bisect.insort(items, 4)
    return items, x


@case(UP, DOWN)
def unbound_methods(x):
    items, found = [1, 5], {}
    if x.sum() > 0:
        list.append(items, 3)
        operator.setitem(items, 0, 7)
    else:
        dict.__setitem__(found, "a", 1)
    return len(items), found.get("a", 0), x


class Plain:
    k = 0


@case(UP, DOWN)
def attributes_past_the_class(x):
    a, b = Plain(), Plain()
    a.k = b.k = 1
    if x.sum() > 0:
        object.__setattr__(a, "k", 5)
        vars(b)["k"] = 6
    return a.k, b.k, x


@case(UP, DOWN, expect=FALLBACK)
def elements_of_an_array(x):
    values = np.zeros(2, "float32")
    if x.sum() > 0:
        values[0] = 5.0
    else:
        values.fill(7.0)
    return x + paddle.to_tensor(values)


@case(UP, DOWN, expect=FALLBACK)
def queue_filled(x):
    waiting = queue.Queue()
    if x.sum() > 0:
        waiting.put(5)
    return waiting.qsize(), x


@case(UP, DOWN, expect=FALLBACK)
def counted_words(x):
    words, seen = collections.Counter("aab"), collections.defaultdict(int)
    if x.sum() > 0:
        words.update("b")
        seen["q"] += 1
    return dict(words), dict(seen), x


@case(UP, DOWN, expect=FALLBACK)
def order_of_keys(x):
    table = collections.OrderedDict(a=1, b=2)
    if x.sum() > 0:
        table.move_to_end("a")
    return list(table), x


_HEAP = [1, 5]


@case(UP, expect=FALLBACK)
def outer_heap_in_every_call(x):
    heapq.heappush(_HEAP, 3)
    return x * len(_HEAP)


_TABLE = {}


@case(UP, expect=FALLBACK)
def list_made_by_the_first_call(x):
    _TABLE.setdefault("k", []).append(1)
    return x * len(_TABLE["k"])


# ---- by special methods ----------------------------------------------------------------------------------------


class Counted:
    def __init__(self, v):
        self.v, self.asked = v, 0

    def __add__(self, other):
        self.asked += 1
        return Counted(self.v + other)

    def __iadd__(self, other):
        self.v = self.v + other
        return self

    def __len__(self):
        self.asked += 1
        return 2

    def __contains__(self, item):
        self.asked += 1
        return True

    def __iter__(self):
        for i in range(2):
            self.asked += 1
            yield self.v * i

    def __lt__(self, other):
        self.asked += 1
        return self.v.sum() < other


@case(UP, DOWN)
def operators_of_a_class(x):
    a, b = Counted(x), Counted(x)
    if x.sum() > 0:
        a + 1
        len(a)
        3 in a                      # noqa: B015
        for item in a:
            x = x + item
    while b.v.sum() < 5:
        b += 1
    return a.asked, b.v, x


class Items(list):
    def __getitem__(self, i):
        self.reads = getattr(self, "reads", 0) + 1
        return super().__getitem__(i)

    def __setitem__(self, i, value):
        super().__setitem__(i, value * 2)


class Asked(dict):
    def __init__(self):
        super().__init__()
        self.reads = self.asked = 0

    def __getitem__(self, key):
        self.reads += 1
        return super().__getitem__(key)

    def __contains__(self, key):
        self.asked += 1
        return super().__contains__(key)


@case(UP, DOWN)
def special_methods_run_once(x):
    table = Asked()
    table["a"] = x
    if x.sum() > 0 and "a" in table and "b" not in table:
        table["a"] = table["a"] * 2
    return table["a"], table.reads, table.asked


class Defaults(dict):
    def __missing__(self, key):
        self[key] = 5
        return self[key]


@case(UP, DOWN)
def items_of_subclasses(x):
    items, table = Items([1, 2]), Defaults(a=1)
    if x.sum() > 0:
        items[0] = 4
        table["a"]
    else:
        items[1] = items[0] + 7
    return [items[0], items[1]], items.reads, table["b"], x


class Doubled:
    def __set_name__(self, owner, name):
        self.name = "_" + name

    def __get__(self, owner, kind=None):
        return getattr(owner, self.name) if owner is not None else self

    def __set__(self, owner, value):
        setattr(owner, self.name, value * 2 if value > 1 else value)


class Described:
    k = Doubled()

    def __init__(self):
        self.k = 1

    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        if name != "last":
            self.last = name


@case(UP, DOWN)
def descriptors_and_setattr(x):
    a = Described()
    if x.sum() > 0:
        a.k = x.sum()
    else:
        a.z = 3
    return a.k, a.last, x


class Slotted:
    __slots__ = ("k",)


class Mixed(Slotted):
    pass


@case(UP, DOWN)
def slots_under_a_dict(x):
    a = Mixed()
    a.k = 1
    if x.sum() > 0:
        a.k, a.q = 2, 3
    else:
        a.q = 4
    return a.k, a.q, x


# ---- by context managers and generators ------------------------------------------------------------------------


class Scope:
    def __init__(self, x):
        self.x, self.n = x, 0

    def __enter__(self):
        self.n = 1 if self.x.sum() > 3 else 2
        return self.x * 2

    def __exit__(self, *_):
        self.n += 10


@contextlib.contextmanager
def setting(table, value):
    held, table["k"] = table["k"], value
    try:
        yield table
    finally:
        table["k"] = held
        table["left"] = value


@case(UP, DOWN)
def managers_in_a_branch(x):
    scope, table = Scope(x), {"k": 1.0, "left": 0.0}
    if x.sum() > 0:
        with scope as y, setting(table, 2.0) as inner:
            x = y * inner["k"]
        with setting(table, x.sum()):
            x = x + table["k"]
    return x, scope.n, table


@case(UP, DOWN, expect=FALLBACK)
def manager_that_swallows_errors(x):
    with contextlib.suppress(Exception):
        x = x * x.numpy().sum()
    return x


def noted(log, n):
    for i in range(n):
        log.append(i)
        yield i * 2


@case(UP, DOWN)
def generator_in_a_branch(x):
    log = []
    if x.sum() > 0:
        for value in noted(log, 2):
            x = x + value
    return x, len(log)


def rows(x):
    total = x[0] * 0
    for row in x:
        for i in range(3):
            if row > i:
                total = total + row
        yield total
    yield from noted([], 2)


@case(X, Y)
def generator_with_conditions(x):
    return sum(rows(x)), [row * 2 for row in rows(x)][1]


def both(x):
    if x.sum() > 0:
        yield x
    yield x * 2


@case(UP, DOWN, expect=FALLBACK)
def generator_that_a_tensor_stops(x):
    return list(both(x))


@case(UP, DOWN)
@paddle.no_grad()
def under_no_grad(x):
    return x * 2 if x.sum() > 0 else x


# ---- identity --------------------------------------------------------------------------------------------------


@case(UP, DOWN, expect=FALLBACK)
def identity_of_merged_tensors(x):
    a = x * 1
    b = a if x.sum() < 0 else a * 2
    return b is a


# ---- flags of tensors, modes of layers -------------------------------------------------------------------------


@case(X, Y, expect=FALLBACK)
def stop_gradient_in_a_branch(x):
    y = x * 2
    if x.sum() > 0:
        y.stop_gradient = True
    return y * 3 + x


class Frozen(nn.Layer):
    def __init__(self):
        super().__init__()
        self.w = paddle.create_parameter([2], "float32", default_initializer=nn.initializer.Constant(3.0))

    def forward(self, x):
        self.w.stop_gradient = False
        y = x * self.w
        self.w.stop_gradient = True
        return y + (self.w * x).sum()


case(X, Y)(Frozen)


class Switching(nn.Layer):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1D(2)

    def forward(self, x):
        if x.sum() > 0:
            self.norm.eval()
        else:
            self.norm.train()
        return self.norm(x)


case(mat([1.0, 2.0], [3.0, 5.0]), mat([-1.0, -2.0], [-3.0, 5.0]), expect=FALLBACK)(Switching)


class Hooking(nn.Layer):
    def __init__(self):
        super().__init__()
        self.inner = nn.ReLU()

    def forward(self, x):
        if x.sum() > 0:
            handle = self.inner.register_forward_post_hook(lambda layer, given, out: out * 10)
            x = self.inner(x)
            handle.remove()
        return self.inner(x)


case(UP, DOWN, expect=FALLBACK)(Hooking)


class Registering(nn.Layer):
    def forward(self, x):
        if x.sum() > 0:
            self.register_buffer("b", x * 2)
        return x * len(list(self.buffers()))


case(UP, DOWN, expect=FALLBACK)(Registering)


@case(UP, DOWN)
def attributes_of_a_tensor(x):
    y = x * 1
    y.tag = 0
    if x.sum() > 0:
        y.tag, y.persistable = 1, True
    return y * y.tag, y.persistable


# ---- a tensor beside another one -------------------------------------------------------------------------------


@case(X, Y)
def detached_written(x):
    y = x * 2
    d = y.detach()
    d.add_(paddle.ones([2]))
    d[0] = 5.0
    return (y * x).sum() + (d * x).sum()


@case(X, Y, expect=FALLBACK)
def detached_written_in_a_branch(x):
    y = x * 2
    d = y.detach()
    if x.sum() > 0:
        d.add_(paddle.ones([2]))
    return (y * x).sum()


@case(X, Y, expect=FALLBACK)
def detached_written_with_a_gradient(x):
    y = x * 2
    d = y.detach()
    d.add_(x)
    return (y * x).sum()


class Clipped(nn.Layer):
    def __init__(self):
        super().__init__()
        self.w = paddle.create_parameter([2], "float32", default_initializer=nn.initializer.Constant(3.0))

    def forward(self, x):
        self.w.detach().clip_(0.0, 2.0)
        return self.w * x


case(X, Y)(Clipped)


class Wanting(nn.Layer):
    def __init__(self):
        super().__init__()
        held = paddle.ones([2])
        held.stop_gradient = False
        self.register_buffer("held", held)

    def forward(self, x):
        self.held = (self.held * 2).detach()
        return x * self.held


case(X, expect=FALLBACK)(Wanting)


# ---- what functools keeps --------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=4)
def table_of(n, start=1.0):
    return paddle.full([n], start)


@case(UP, DOWN)
def cached_tensors(x):
    return x * table_of(2) + (table_of(2, 3.0) if x.sum() > 0 else table_of(2))


@functools.cache
def doubled(x):
    return x * 2


@case(UP, expect=FALLBACK)
def cached_by_a_tensor(x):
    return doubled(x) + doubled(x)


class Lazy(nn.Layer):
    n = 2

    @functools.cached_property
    def table(self):
        return paddle.arange(self.n).astype("float32")

    @functools.lru_cache(maxsize=2)     # noqa: B019
    def larger(self, k):
        return self.table + k

    def forward(self, x):
        return x * self.table + (self.larger(1) if x.sum() > 0 else self.larger(2))


case(UP, DOWN)(Lazy)


# ---- PyLayers --------------------------------------------------------------------------------------------------


class Branching(paddle.autograd.PyLayer):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * 2 if x.sum() > 0 else x * 3

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensor()
        return g * 11 if x.sum() > 0 else g * 13


@case(X, Y)
def branches_of_a_pylayer(x):
    return Branching.apply(x) + 1
