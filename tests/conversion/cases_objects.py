"""Objects of plain classes that a function makes: in a branch or round with tensors in them, kept, and returned."""
import collections
import enum
import functools
import types

import numpy as np
from language import FALLBACK, case, dnum, dvec, vec, whole

UP, DOWN = dvec(1.0, 2.0), dvec(-1.0, -2.0)


class Pair:
    def __init__(self, value, n=0):
        self.value, self.n = value, n

    def total(self):
        return self.value + self.n


class Slotted:
    __slots__ = ("value", "n")

    def __init__(self, value):
        self.value = value


class Node:
    def __init__(self, value, parent=None):
        self.value, self.parent, self.children = value, parent, []
        if parent is not None:
            parent.children.append(self)


class Doubled:
    def __init__(self, x):
        self._x = x

    @property
    def x(self):
        return self._x * 2

    @x.setter
    def x(self, value):
        self._x = value


@case(UP, DOWN)
def made_in_both_branches(x):
    if x.sum() > 0:
        p = Pair(x * 2)
    else:
        p = Pair(x * 3, 2)
    p.n += 1
    return p.total(), p.n


@case(UP, DOWN)
def made_in_one_branch(x):
    p = None
    if x.sum() > 0:
        p = Pair(x * 2)
    return x if p is None else p.value


@case(vec(1.0, 2.0), whole(1, 2))
def remade_in_a_loop(x):
    p = Pair(x)
    while p.value.sum() < 100:
        p = Pair(p.value * 2, p.n + 1)
    return p.value, p.n


@case(UP, DOWN)
def with_slots(x):
    p = Slotted(x * 2)
    if x.sum() > 0:
        p = Slotted(x * 3)
        p.n = x
    else:
        p.n = -x
    return p.value, p.n


@case(UP, DOWN)
def behind_a_property(x):
    p = Doubled(x)
    if x.sum() > 0:
        p = Doubled(x * 3)
    p.x = p.x + 1
    return p.x, p


@case(UP, DOWN)
def from_a_function_that_branches(x):
    def pair(x):
        if x.sum() > 0:
            return Pair(x)
        return Pair(-x, 2)

    return pair(x).total() + pair(-x).total()


@case(vec(1.0, -2.0))
def in_a_list_of_staged_length(x):
    pairs = [Pair(v, i) for i, v in enumerate(x) if v > 0]
    return pairs


@case(UP, DOWN)
def another_name_stays_the_old_one(x):
    p = q = Pair(x)
    if x.sum() > 0:
        p = Pair(x * 2)
    p.n = 7
    return q.n, p.n, p.value


@case(UP, DOWN)
def node_with_a_parent(x):
    root = Node(x)
    if x.sum() > 0:
        inner = Node(x * 2, root)
    else:
        inner = Node(x * 3, root)
    return inner.value, len(root.children)


@case(UP)
def returned(x):
    bare = types.SimpleNamespace(x=x + 1, name="n")
    bare.more = Slotted(x * 3)
    return Pair(x * 2), bare, [Pair(x), {"p": Pair(3)}]


@case(UP, expect=FALLBACK)
def returned_object_that_holds_itself(x):
    root = Node(x * 2)
    Node(x, root)
    return root


@case(UP, expect=FALLBACK)
def returned_function_with_a_tensor(x):
    y = x * 2
    return lambda: y


@case(UP, expect=FALLBACK)
def returned_generator(x):
    return (v * 2 for v in x)


@case(UP, expect=FALLBACK)
def returned_array(x):
    return np.zeros(3), x


class Mode(enum.Enum):
    FAST = "fast"


@case(UP)
def returned_member_of_an_enum(x):
    return Mode("fast"), x


@case(UP)
def returned_set_and_deque(x):
    return {1, 2}, collections.deque([x * 2], 3), functools.reduce


@case(dnum(1.0))
class left_in_an_attribute:
    def run(self, x):
        pair = Pair(x * 2)
        self.last = pair
        return pair


@case(UP, DOWN)
def objects_in_objects(x):
    a = Pair(Pair(x, 1), 2)
    if x.sum() > 0:
        a.value.value = x * 5
        a.value.n = 9
    else:
        a.value = Pair(x * 7, 8)
    return a.value.total(), a


@case(UP, DOWN)
def attribute_of_one_branch(x):
    p = Pair(x)
    if x.sum() > 0:
        p = Pair(x * 2)
        p.extra = 1
    return getattr(p, "extra", 0), hasattr(p, "extra"), p.value


@case(UP, DOWN, expect=FALLBACK)
def whether_two_are_one_after_a_loop(x):
    p = q = Pair(x)
    while p.value.sum() < 10:
        p = Pair(p.value.abs() + 1)
    return p is q
