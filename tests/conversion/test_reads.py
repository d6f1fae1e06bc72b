"""What a program takes for granted of a user's object, whichever way the function looks at it."""
import copy
import dataclasses
import functools
import itertools
import operator

import pytest

import kayax as paddle


class Box:
    """An object all of whose special methods look at `k`."""

    def __init__(self, k=1.0):
        self.k, self.items = k, [1.0]

    def __len__(self):
        return int(self.k)

    def __iter__(self):
        return iter([self.k, self.k])

    def __contains__(self, value):
        return value < self.k

    def __lt__(self, other):
        return self.k < other.k

    def __eq__(self, other):
        return self.k == getattr(other, "k", None)

    __hash__ = None

    def __add__(self, other):
        return self.k + other

    __radd__ = __add__

    def __float__(self):
        return float(self.k)

    def __index__(self):
        return int(self.k)

    def __bool__(self):
        return self.k > 1

    def __str__(self):
        return "y" * int(self.k)

    def __format__(self, spec):
        return "x" * int(self.k)

    def __abs__(self):
        return self.k

    def __neg__(self):
        return -self.k


@dataclasses.dataclass
class Record:
    k: float


WITHOUT_SOURCE = {}
exec("""
def attribute(box): return box.k
def items(box):
    total = 0
    for value in box.items: total = total + value
    return total
""", WITHOUT_SOURCE)


def itself(box, depth=3):
    """Calls itself by its global name."""
    return box.k if depth == 0 else itself(box, depth - 1)


def by_pattern(box):
    match box:
        case Box(k=2.0):
            return 2.0
        case _:
            return 1.0


LOOKS = {
    "attrgetter": operator.attrgetter("k"), "methodcaller": operator.methodcaller("__len__"),
    "vars": lambda box: vars(box)["k"], "len": len, "list": lambda box: sum(list(box)), "sum": lambda box: sum([box]),
    "in": lambda box: 1.0 if 1.5 in box else 0.0, "sorted": lambda box: sorted([box, Box(1.5)])[0].k,
    "+": lambda box: box + 1, "right +": lambda box: 1 + box, "float": float, "an index": lambda box: [1, 2, 3][box],
    "range": lambda box: len(range(box)), "truth": lambda box: 1.0 if box else 0.0,
    "==": lambda box: 1.0 if box == Box(2.0) else 0.0, "f-string": lambda box: len(f"{box}"),
    "str": lambda box: len(str(box)), "abs": abs, "-": lambda box: -box, "copy": lambda box: copy.copy(box).k,
    "deepcopy": lambda box: copy.deepcopy(box).k, "dataclass": lambda box: dataclasses.replace(Record(1.0), k=box.k).k,
    "reduce": lambda box: functools.reduce(lambda a, b: a + b.k, [box], 0.0),
    "chain": lambda box: sum(b.k for b in itertools.chain([box], [box])),
    "hasattr": lambda box: float(hasattr(box, "new")),
    "a size": lambda box: paddle.ones([len(box)]).sum(), "without source": WITHOUT_SOURCE["attribute"],
    "without source, items": WITHOUT_SOURCE["items"], "recursion": itself, "match": by_pattern,
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_an_object_that_changes_between_two_calls(look):
    box, x = Box(), paddle.ones([])

    @paddle.jit.to_static
    def from_outside(x):
        return x * look(box)

    @paddle.jit.to_static
    def given(x, box):
        return x * look(box)

    for change in (lambda: None, lambda: (setattr(box, "k", 2.0), box.items.append(5.0), setattr(box, "new", 1))):
        change()
        wanted = float(look(box))
        assert [float(from_outside(x)), float(given(x, box))] == [wanted, wanted]


def test_a_set_that_is_given():
    sizes = paddle.jit.to_static(lambda x, items: x * len(items))
    items = {1}
    assert float(sizes(paddle.ones([]), items)) == 1.0
    items.add(7)
    assert float(sizes(paddle.ones([]), items)) == 2.0


def test_what_an_object_counts_elsewhere_makes_no_program():
    class Config:
        def __init__(self):
            self.scale, self.calls = 2.0, 0

        def __float__(self):
            return self.scale

    config = Config()
    scaled = paddle.jit.to_static(lambda x: x * float(config))
    for _ in range(3):
        config.calls += 1
        assert float(scaled(paddle.ones([]))) == 2.0
    assert [len(group) for group in scaled.programs.values()] == [1]
