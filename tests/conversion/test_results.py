"""What a converted function returns is made anew in each call, and what is one object in it is one."""
import collections

import kayax as paddle


class Pair:
    def __init__(self, value):
        self.value = value


@paddle.jit.to_static(full_graph=True)
def shared(x):
    pair = Pair(x * 2)
    items = [pair]
    return pair, items, {"pair": pair, "items": items}


@paddle.jit.to_static(full_graph=True)
def plain(x):
    return {1, 2}, collections.deque([1], 2), Pair(3), x


def test_what_is_one_object_is_one():
    pair, items, table = shared(paddle.ones([2]))
    assert pair is items[0] is table["pair"] and items is table["items"]


def test_what_a_caller_changes_is_not_seen_by_the_next():
    numbers, items, pair, _ = plain(paddle.ones([2]))
    numbers.add(9)
    items.append(9)
    pair.value = 9
    numbers, items, pair, _ = plain(paddle.ones([2]))
    assert numbers == {1, 2} and items == collections.deque([1], 2) and items.maxlen == 2 and pair.value == 3
