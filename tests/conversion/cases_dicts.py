"""Dicts, tuples, named tuples, dataclasses and other containers in branches and loops."""
import collections
import dataclasses

from language import FALLBACK, case, dvec, mat, num, vec, whole

import kayax as paddle

X = dvec(1.0, 2.0, 3.0)
UP, DOWN = X, dvec(-1.0, -2.0, -3.0)
H = vec(1.0, 2.0, 3.0)               # wants no gradient
State = collections.namedtuple("State", "h c")


@dataclasses.dataclass
class Carry:
    h: object
    n: int = 0


@case(({"a": num(1.0)},))
def argument_dict_is_changed(table):
    table["b"] = table["a"] * 2.0
    return table["b"]


@case(UP, DOWN)
def dict_item_in_branches(x):
    out = {"y": x}
    if x.sum() > 0:
        out["y"] = x * 2.0
    else:
        out["y"] = out["y"] * 3.0
    return out["y"]


@case(UP, DOWN)
def dict_key_added_in_both_branches(x):
    out = {}
    if x.sum() > 0:
        out["y"] = x * 2.0
    else:
        out["y"] = x
    return out


@case(UP, DOWN)
def dict_key_added_in_one_branch(x):
    out = {"x": x}
    if x.sum() > 0:
        out["y"] = x * 2.0
    return out


@case((H, whole(3)), (H, whole(0)))
def dict_key_added_in_staged_loop(x, n):
    out = {}
    i = 0
    while i < n:
        out["y"] = x * i
        i += 1
    return out


@case((X, 3))
def dict_keys_added_in_python_loop(x, n):
    out = {}
    for i in range(n):
        out[f"y{i}"] = x * i
    return out


@case(X)
def dict_methods(x):
    out = {"a": x}
    out.update(b=x * 2.0)
    out.setdefault("c", x * 3.0)
    y = out.pop("a") + out.get("d", x * 4.0)
    return y, out


@case(X)
def unsorted_dict_keys(x):
    out = {"z": x, "a": x * 2.0}
    for name in out:
        out[name] = out[name] + 1.0
    return out


@case((H, whole(3)), (H, whole(0)))
def named_tuple_in_loop(x, n):
    state = State(x, x * 2.0)
    i = 0
    while i < n:
        state = State(state.c, state.h + state.c)
        i += 1
    return state


@case((H, whole(3)), (H, whole(0)))
def named_tuple_replaced_in_loop(x, n):
    state = State(x, x * 2.0)
    i = 0
    while i < n:
        state = state._replace(h=state.h + state.c)
        i += 1
    return state.h


@case((H, whole(3)), (H, whole(0)))
def dataclass_in_loop(x, n):
    carry = Carry(x)
    i = 0
    while i < n:
        carry = Carry(carry.h * 2.0)
        i += 1
    return carry.h


@case((H, whole(3)), (H, whole(0)))
def dataclass_changed_in_loop(x, n):
    carry = Carry(x)
    i = 0
    while i < n:
        carry.h = carry.h * 2.0
        i += 1
    return carry.h


@case(UP, DOWN)
def tuple_unpacked(x):
    a, (b, c) = x, (x * 2.0, x * 3.0)
    if x.sum() > 0:
        a, b = b, a
    return a, b, c


@case(X)
def tensor_unpacked(x):
    a, b, c = x
    return a * b - c


@case(mat((1.0, 2.0, 3.0), (4.0, 5.0, 6.0)))
def shape_unpacked(m):
    rows, columns = m.shape
    return m.reshape([columns, rows])


@case(X)
def star_unpacked(x):
    first, *middle, last = [x, x * 2.0, x * 3.0, x * 4.0]
    return first + last, middle


@case(X)
def star_in_display_and_call(x):
    parts = [x, x * 2.0]
    return paddle.stack([*parts, x]), {**{"a": x}, "b": x * 2.0}


@case((X, 3))
def deque(x, n):
    window = collections.deque(maxlen=2)
    for i in range(n):
        window.append(x * i)
    return paddle.stack(list(window))


@case((X, 2))
def default_dict(x, n):
    groups = collections.defaultdict(list)
    for i in range(n):
        groups[i % 2].append(x * i)
    return groups[0][0] + groups[1][0]


@case((H, whole(1)), (H, whole(2)))
def set_membership(x, n):
    seen = set()
    seen.add(1)
    if 1 in seen:
        x = x * 2.0
    return x * n


@case((X, whole(3)), (X, whole(1)))
def key_that_a_loop_sets_is_read(x, n):
    out = {"n": 1}
    for i in range(n):
        out["y"] = x * i
        out["last"] = i
    return out["y"], out["last"]


@case((X, whole(0)), expect=KeyError)
def key_that_no_round_sets_is_read(x, n):
    out = {}
    for i in range(n):
        out["y"] = x * i
    return out["y"]


@case((X, whole(3)), (X, whole(0)))
def keys_that_a_loop_may_have_set_are_asked_for(x, n):
    out = {}
    for i in range(n):
        out.setdefault("first", i)
        out["rounds"] = out.get("rounds", 0) + 1
        if "sum" in out:
            out["sum"] = out["sum"] + x
        else:
            out["sum"] = x
    return out.get("first"), out.get("rounds", 0), "sum" in out, "other" in out


@case(UP, DOWN)
def keys_that_differ_on_two_paths(x):
    out = {"start": x}
    if x.sum() > 0:
        out["a"] = x
    else:
        out["b"] = x * 2.0
    out["end"] = 1
    return list(out), len(out), {**out, "more": 2}, out


@case(UP, DOWN)
def a_key_keeps_its_place(x):
    out = {"b": 1}
    if x.sum() > 0:
        out["a"] = x
    out["c"] = 2
    out["a"] = x * 3.0
    return out


@case(UP, DOWN)
def dicts_of_different_keys_as_arguments(x):
    def joined(a, b=0.0):
        return a + b

    out = {"a": x} if x.sum() > 0 else {"a": x, "b": x}
    total = 0
    for value in out.values():
        total = total + value
    return joined(**out), total, out.get("b")


@case((X, whole(2)), (X, whole(0)))
def constants_beside_tensors_in_a_loop(x, n):
    options = {"state": x, "cached": True, "mode": "fast"}
    hits = i = 0
    while i < n:
        options = dict(options, state=options["state"] * 2.0)
        if options["cached"] is True and options["mode"] == "fast":
            hits += 1
        i += 1
    return options, hits


@case(UP, DOWN, expect=FALLBACK)
def tuple_that_a_tensor_decides_as_a_key(x):
    table = {(0, "a"): x, (1, "b"): x * 2.0}
    return table[(1, "b") if x.sum() > 0 else (0, "a")]


@case(UP)
def tensors_and_tuples_as_keys(x):
    y = x * 2.0
    table = {x: 1, (x, y): 2, (0, (1, 2)): y}
    return table[x], table[x, y], table[0, (1, 2)]
