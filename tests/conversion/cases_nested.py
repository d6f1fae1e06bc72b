"""Lists and dicts in lists whose length a tensor decides, and such lists in lists, dicts, tuples and objects."""
import dataclasses

from language import FALLBACK, case, dvec, num, vec, whole

import kayax as paddle

X = dvec(1.0, 2.0, 3.0)
H = vec(1.0, 2.0, 3.0)               # wants no gradient


@dataclasses.dataclass
class Beam:
    tokens: list
    score: float


@case((X, whole(2)), (H, whole(0)), given_up=0)
def lists_and_dicts_as_items(x, n):
    pairs = [[x * i, x + i] for i in range(3) if i < n]
    found = [{"a": x * i, "k": (i, None)} for i in range(3) if i < n]
    total = x * 0.0
    for (a, b), d in zip(pairs, found):
        total = total + a * b + d["a"] * d["k"][0]
    return total, pairs, found


@case((X, whole(3)), (H, whole(1)), given_up=0)
def lists_of_staged_length_as_items(x, n):
    rows = []
    for i in range(3):
        if i < n:
            rows.append([v * (i + 1) for v in x if v > i])
    total = x.sum() * 0.0
    for row in rows:
        for k, v in enumerate(row):
            total = total + v * k
    return total, rows, [len(row) for row in rows], rows[0][-1]


@case((H, whole(2)), (H, whole(0)), given_up=0)
def known_and_staged_lengths_as_items(x, n):
    rows = [[x, x + 1.0], [x, x]]
    for i in range(2):
        if i < n:
            rows.append([x * i, x])
    rows[1] = [x * 3.0, x]
    rows[-1] = [x, x * 4.0]
    last = rows.pop()
    return rows, len(last), (rows + [[x]])[-1]


@case((H, whole(2)), expect=FALLBACK)
def two_known_lengths_on_the_way(x, n):
    rows = [[x] if i else [x, x] for i in range(3) if i < n]
    return len(rows[0])


@case((H, whole(2)), (H, whole(0)), given_up=0)
def objects_as_items(x, n):
    beams = [Beam([x * i, x], 0.5 * i) for i in range(3) if i < n]
    scores = 0.0
    for beam in beams:
        scores = scores + beam.score * len(beam.tokens)
    return scores, [beam.tokens[0] for beam in beams]


@case((H, whole(2)), (H, whole(0)))
def inside_of_containers(x, n):
    table, pair, box = {"a": [], "b": [x]}, ([], []), Beam([], 0.0)
    with paddle.jit.loop_bound(3):
        for i in range(n):
            table["a"].append(x * i)
            if i > 0:
                table["b"].append(x + i)
            pair = (pair[0], pair[1] + [i])
            box.tokens.append(x)
    return table, pair, box


@case((H, whole(20)), (H, whole(0)), given_up=0)
def beams_that_a_tensor_chooses(x, n):
    beams = [[x * i] for i in range(2)]
    for step in range(2):
        best = (beams[0][-1].sum() < n).astype("int64")
        if beams[1 - best][0].sum() < 3 * step:
            beams = [beams[best] + [x], beams[1 - best]]
        else:
            beams = [beams[best], beams[1 - best]]
    return beams, len(beams[0])


@case((H, whole(2)), (H, whole(0)), given_up=0)
def beams_that_grow_in_a_staged_loop(x, n):
    beams = [[x * i] for i in range(2)]
    with paddle.jit.loop_bound(3):
        while len(beams[0]) <= n:
            beams = [b + [b[-1] * 2.0] for b in beams]
    return beams


@case((H, whole(2)), expect=FALLBACK)
def item_changed(x, n):
    rows = [[x * i] for i in range(3) if i < n]
    rows[0].append(x)
    return rows


@case((H, whole(2)), expect=FALLBACK)
def changed_after_it_was_appended(x, n):
    rows, row = [], []
    for i in range(3):
        row.append(x * i)
        if i < n:
            rows.append(row)
    return rows


@case((H, whole(2)), expect=FALLBACK)
def attribute_of_an_item_changed(x, n):
    beams = [Beam([x], 0.5 * i) for i in range(3) if i < n]
    for beam in beams:
        beam.score += 1.0
    return beams


@case((H, whole(0)), (H, whole(1)), given_up=0)
def list_that_a_tensor_chooses_changed(x, n):
    groups = [[], []]
    groups[n].append(x)
    return groups


@case((H, whole(2)), expect=FALLBACK)
def identity_of_an_item(x, n):
    row = [x]
    rows = [row]
    if n > 1:
        rows.append([x])
    rows.append(row)
    return rows[-2] is row, x * len([r for r in rows])


@case((H, whole(2)), expect=FALLBACK)
def unpacked_in_a_loop(x, n):
    rows = [[x], [x * 2.0]]
    if n > 1:
        rows[1].append(x)
    total = x * 0.0
    for i, (a, *_) in enumerate(rows):
        total = total + a * i
    return total


@case((H, whole(2)), expect=FALLBACK)
def items_that_are_not_alike(x, n):
    rows = [{"a": x}]
    if n > 1:
        rows.append({"b": x})
    for row in rows:
        x = x + len(row)
    return x


@case((num(2.0), whole(1)), (num(-2.0), whole(2)), grad=False)
def lists_with_room_for_more_on_one_path(x, n):
    short, long = [i for i in range(2) if i < n], [i for i in range(4) if i <= n]
    found = [(short, x) for i in range(2) if i < n]
    if x > 0:
        found = [(long, x * 2.0) for i in range(2) if i < n]
    return [len(words) for words, _ in found], [sum(words) * k for words, k in found]
