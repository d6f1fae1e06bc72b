"""Structures as plain values and back."""
import collections
import dataclasses
from typing import NamedTuple

import pytest

from kayax.spec import plain_tree, tree


class Point(NamedTuple):
    x: object
    y: object


@dataclasses.dataclass
class Out:
    a: object
    b: object


def around(value):
    leaves, spec = tree.flatten(value, lambda v: isinstance(v, bytes))
    back = plain_tree.rebuild(plain_tree.describe(spec))
    assert plain_tree.count(back) == len(leaves)
    return tree.unflatten(back, leaves)


@pytest.mark.parametrize("value", [
    b"", None, True, 1, 1.5, "s", 1 + 2j, [], (), {}, [b"a", (b"b", None)], {"k": [b"a"], 1: b"b", None: 2, False: 3},
    collections.OrderedDict([("z", b"1"), ("a", 2)])])
def test_comes_back_as_it_was(value):
    back = around(value)
    assert back == value and type(back) is type(value)


def test_records_come_back_as_named_tuples():
    back = around([Point(b"x", Point(1, None)), Out(b"a", [2])])
    assert back[0] == Point(b"x", Point(1, None)) and back[0].y._fields == ("x", "y")
    assert type(back[1]).__name__ == "Out" and back[1].b == [2] and tuple(back[1]) == (b"a", [2])
    assert type(around(Point(1, 2))) is type(around(Point(3, 4)))
    assert around(collections.defaultdict(list, a=b"1")) == {"a": b"1"}


@pytest.mark.parametrize(("value", "text"), [(object(), "builtins.object"), ({(1, 2): b""}, r"\(1, 2\)"),
                                             (dataclasses.make_dataclass("D", ["_a"])(b""), "named tuple")])
def test_what_cannot_be_written(value, text):
    with pytest.raises(plain_tree.TreeError, match=text):
        around(value)


@pytest.mark.parametrize("plain", [
    None, 3, "x", [], {}, {"value": []}, {"value": 1, "list": []}, {"list": {}}, {"list": ["x"]}, {"dict": [["k"]]},
    {"dict": [[[], "*"]]}, {"dict": [["k", "*"], ["k", "*"]]}, {"namedtuple": ["N", ["a"], []]}, {"complex": [1]},
    {"namedtuple": ["class", [], []]}, {"namedtuple": ["N", ["import os"], ["*"]]}, {"namedtuple": ["N", [3], ["*"]]},
    {"namedtuple": ["N", [["a"]], ["*"]]}, {"namedtuple": ["N", ["a", "a"], ["*", "*"]]}, {"eval": "1"}])
def test_what_is_no_description(plain):
    with pytest.raises(plain_tree.TreeError):
        plain_tree.rebuild(plain)
