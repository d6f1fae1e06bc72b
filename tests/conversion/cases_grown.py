"""Lists whose length a tensor decides: grown in staged loops and under staged conditions, read, changed, returned."""
from language import FALLBACK, case, dvec, num, vec, whole

import kayax as paddle

X = dvec(1.0, 2.0, 3.0)
H = vec(1.0, 2.0, 3.0)               # wants no gradient


@case((H, whole(3)), (H, whole(0)), given_up=0)
def append_in_while(x, n):
    items = []
    i = 0
    with paddle.jit.loop_bound(4):
        while i < n:
            items.append(x * i)
            i += 1
    return items


@case((X, whole(2)), given_up=0)
def gradients(x, n):
    items = [x]
    i = 0
    with paddle.jit.loop_bound(3):
        while i < n:
            items.append(items[-1] * items[0])
            i += 1
    return items[-1].sum(), items


@case((H, whole(1)), (H, whole(3)), given_up=True)
def more_rounds_than_promised(x, n):
    items = []
    i = 0
    with paddle.jit.loop_bound(2):
        while i < n:
            items.append(x * i)
            i += 1
    return items


@case((H, whole(2)), expect=FALLBACK)
def no_bound(x, n):
    items = []
    for i in range(n):
        items.append(x * i)
    return len(items)


@case((H, whole(3)), (H, whole(0)), given_up=0)
def range_of_a_tensor(x, n):
    items = []
    with paddle.jit.loop_bound(4):
        for i in range(n):
            if i != 1:
                items.append(x * i)
    y = x
    for item in items:
        y = y + item
    return y, len(items), [y] if items else items


@case((H, num(0.0)), (H, num(2.5)), (H, num(9.0)), given_up=0)
def tensor_break_in_python_loop(x, limit):
    items = []
    for i in range(3):
        items.append(x * (i + 1))
        if items[-1][0] > limit:
            break
    return items[-1], len(items), not items, items


@case((X, num(1.5)), (H, num(9.0)), given_up=0)
def append_under_a_condition(x, limit):
    found = []
    for v in x:
        if v > limit:
            found.append(v * 2.0)
    total = x.sum() * 0.0
    for i, v in enumerate(found):
        total = total + v * (i + 1)
    return total, found


@case((H, whole(3)), (H, whole(0)), given_up=0)
def a_queue(x, n):
    waiting = [x]
    total = x * 0.0
    i = 0
    with paddle.jit.loop_bound(8):
        while waiting:
            now = waiting.pop(0)
            total = total + now
            if i < n:
                waiting.append(now * 2.0)
                waiting.append(now * 0.5)
            i += 1
    return total, i


@case((H, whole(3)), (H, whole(1)), given_up=0)
def a_stack(x, n):
    items = [x]
    for i in range(2):
        if i < n:
            items.append(x * (i + 2.0))
    top = items.pop()
    return top + items.pop() if len(items) > 1 else top, items


@case((H, whole(3)), (H, whole(1)), given_up=0)
def pairs_and_numbers(x, n):
    pairs, numbers = [], [1, 2]
    i = 0
    with paddle.jit.loop_bound(4):
        while i < n:
            pairs.append((x * i, i))
            numbers.append(i)
            i += 1
    total = x * 0.0
    for a, k in pairs:
        total = total + a * k
    return total, pairs, numbers[-1] + len(numbers), numbers[1:], numbers[:-1], numbers[-2:]


@case((H, whole(3)), (H, whole(1)), given_up=0)
def items_written(x, n):
    items = []
    i = 0
    with paddle.jit.loop_bound(4):
        while i < n:
            items.append(x * i)
            i += 1
    items[0] = x * 7.0
    items[-1] = items[-1] + 1.0
    items[n - 1] = items[n - 1] * 2.0
    return items, items[n - 1]


@case((H, whole(1)), (H, whole(2)), expect=IndexError)
def index_out_of_range(x, n):
    items = []
    for i in range(3):
        if i < n:
            items.append(x * i)
    return items[2]


@case((H, whole(2)), (H, whole(0)), given_up=0)
def loops_in_loops(x, n):
    items = []
    with paddle.jit.loop_bound(3):
        for i in range(n):
            for j in range(n):
                if j <= i:
                    items.append(x * (i + j))
            items.append(x)
    return items


@case((H, whole(2)), given_up=0)
def concatenated_copied_extended(x, n):
    items = []
    for i in range(3):
        if i < n:
            items = items + [x * i]
    more = list(items)
    more.extend(items + [x])
    more.insert(0, x * 9.0)
    return more, items[:], len(more)


@case((H, whole(2)), (H, whole(0)), given_up=0)
def returned_from_the_loop(x, n):
    items = []
    with paddle.jit.loop_bound(4):
        for i in range(4 * n):
            items.append(x * i)
            if i == n:
                return items
    return [x]


@case((H, whole(2)), (H, whole(0)), given_up=0)
def two_in_step(x, n):
    a, b = [], [x]
    with paddle.jit.loop_bound(3):
        for i in range(n):
            a.append(x * i)
            b.append(x + i)
    total = x * 0.0
    for p, q in zip(a, reversed(b)):
        total = total + p * q
    return total


@case([whole(3)], [whole(1)])
def argument_list_grows(items):
    with paddle.jit.loop_bound(4):
        while len(items) < items[0]:
            items.append(items[-1] * 2)
    return len(items)


@case((H, whole(2)), given_up=0)
def different_shapes(x, n):
    items = [x]
    for i in range(2):
        if i < n:
            items.append(x[:2] * i)
    return items


@case((H, whole(2)), expect=FALLBACK)
def different_shapes_looked_at(x, n):
    items = [x]
    for i in range(2):
        if i < n:
            items.append(x[:2] * i)
    return items[-1]


@case((H, whole(2)), expect=FALLBACK)
def written_after_it_was_appended(x, n):
    items, y = [], x * 1.0
    for i in range(2):
        if i < n:
            items.append(y)
    y.add_(x)
    return items


@case((H, whole(2)), expect=FALLBACK)
def item_written_in_place(x, n):
    items = []
    for i in range(2):
        if i < n:
            items.append(x * 1.0)
    items[0].add_(x)
    return items


@case((X, whole(2)), given_up=0)
def stacked_and_returned(x, n):
    items = []
    i = 0
    with paddle.jit.loop_bound(4):
        while i < n:
            items.append(x * i)
            i += 1
    return paddle.stack(items), {"flat": paddle.concat(items)}


@case((H, whole(0)), expect=ValueError)
def nothing_to_stack(x, n):
    items = []
    for i in range(3):
        if i < n:
            items.append(x * i)
    return paddle.stack(items)


@case((H, whole(2)), expect=FALLBACK)
def handed_to_a_library(x, n):
    items = []
    for i in range(3):
        if i < n:
            items.append(x * i)
    return paddle.add_n(items)


@case((H, whole(2)), (H, whole(0)), (H, whole(3)))
def compared_counted_and_found(x, n):
    items = [5]
    for i in range(3):
        if i < n:
            items.append(i)
    same = items == [5, 0, 1], items != [5], items == [*items], [] == items, items == (5,)
    return same, items.count(5), items.index(5), x if same[0] else x * 2.0


@case((H, whole(1)), expect=ValueError)
def index_of_what_is_not_there(x, n):
    items = []
    for i in range(3):
        if i < n:
            items.append(i)
    return items.index(2)


@case((vec(0.5, -0.25), whole(2)), (vec(-0.5, 0.75), whole(1)))
def beams_sorted_by_their_scores(x, n):
    beams = [(0.0, 0)]
    for i in range(2):
        longer = []
        for score, word in beams:
            for j in range(2):
                if x[j] + score < n:
                    longer.append((score + x[j] * (i + 1), word * 2 + j))
        longer.sort(key=lambda beam: -beam[0])
        beams = longer[:2]
    return [word for _, word in beams], sorted(beams, key=lambda beam: beam[1])[0][0]


@case((H, whole(2)), expect=FALLBACK)
def unpacked(x, n):
    items = [x]
    if n > 1:
        items.append(x * 2.0)
    _, *rest = items
    return rest


@case((H, whole(2)), expect=FALLBACK)
def handed_on_one_by_one(x, n):
    def count(*given):
        return len(given)

    items = [x]
    if n > 1:
        items.append(x * 2.0)
    return x * count(*items)


@case((H, whole(2)), expect=FALLBACK)
def made_a_tuple(x, n):
    items = [x]
    if n > 1:
        items.append(x * 2.0)
    return x * len((*items,))


@case((H, whole(2)), given_up=0)
def taken_up_by_another_list(x, n):
    items = [x]
    if n > 1:
        items.append(x * 2.0)
    more = [x * 3.0, *items, x * 4.0]
    return len(more), more[1], more[-1]


@case((whole(1), whole(0)), (whole(1), whole(1)), given_up=0)
def decoding(token, end):
    tokens = [token]
    with paddle.jit.loop_bound(6):
        while tokens[-1] != end:
            tokens.append((tokens[-1] * 3 + 1) % 5)
    return paddle.stack(tokens)


@case((H, whole(2)), (H, whole(4)), given_up=0)
def moved_about(x, n):
    a, b, c, d = [[x * i for i in range(4) if i < n] for _ in range(4)]
    a.reverse()
    b.insert(1, x[0] + x)
    b.insert(-1, x * 7.0)
    b.insert(n, x * 8.0)
    b.insert(99, x)
    c.pop(1)
    del c[-1]
    return a, b, c, d[::-1] + d[n - 1:] + d[:n - 1] + d[-n:2]


@case((H, whole(2)), (H, whole(4)), given_up=0)
def by_number_and_by_value(x, n):
    items = [x * i for i in range(4) if i < n]
    total = x * 0.0
    for i in range(1, len(items)):
        total = total + items[i] * i
    numbers = [i for i in range(4) if i < n]
    return total, n in numbers, 1.0 not in numbers, [v in numbers for v in (0, 3)], x[0] in [v for v in x if v < n]


@case((H, whole(1)), (H, whole(3)), expect=IndexError)
def deleted_what_is_not_there(x, n):
    items = [x * i for i in range(4) if i < n]
    del items[2]
    return items[2]


@case(whole(2), whole(5), given_up=0)
def decoding_without_repetition(token):
    tokens = [token]
    with paddle.jit.loop_bound(6):
        while True:
            token = (token * 3 + 1) % 7
            if token in tokens:
                break
            tokens.append(token)
    return paddle.stack(tokens)


@case((H, whole(3)), (H, whole(0)))
def tuples(x, n):
    rows = tuple([x, *[x * i for i in range(3) if i < n]])
    numbers = tuple(i for i in range(4) if i < n)
    total = x * 0.0
    for i, row in enumerate(rows):
        total = total + row * i
    longer = (7, *[]) + numbers
    return (rows, numbers, len(rows), rows[-1], rows[1:], numbers == (0, 1, 2), list(numbers) == numbers, longer,
            isinstance(rows, tuple), type(rows[::-1]) is tuple, total, paddle.stack(rows))


@case((H, whole(2)), expect=FALLBACK)
def tuple_as_a_key(x, n):
    return {tuple(i for i in range(4) if i < n): x}
