"""Long loops of Python whose rounds have branches that tensors decide: loops of the program, if that can be."""
import numpy as np
from language import case, mat, num

import kayax as paddle

ROWS = np.linspace(-2.0, 3.0, 80).reshape(40, 2)
LONG = mat(*ROWS.tolist())


@case((LONG,))
def filter_of_rows(x):
    kept = [row * 2 for row in x if row.sum() > 0]
    return paddle.stack(kept).sum(axis=0), len(kept)


@case((LONG, num(5.0)), (LONG, num(1e9)))
def rows_until_a_break(x, most):
    total, last = paddle.zeros([2], dtype=x.dtype), 0
    for row in x:
        if total.sum() > most:
            break
        total, last = total + row * row, last + 1
    else:
        total = -total
    return total, last


@case((LONG,))
def range_with_a_branch(x):
    h, n = x[0], 0
    for t in range(len(x)):
        if x[t].sum() > 0:
            h, n = h * 0.5 + x[t] * t, n + 1
    return h, n, t


@case((LONG,), (mat(*(-ROWS).tolist()),))
def return_from_a_round(x):
    for t in range(39, -1, -1):
        if x[t].sum() < 0:
            return x[t] * t, t
    return x[0], None


@case((LONG,))
def a_list_that_grows(x):
    states = [x[0]]
    for row in x:
        if row[0] > states[-1][0]:
            states.append(row + states[-1] * 0.1)
    return states[-1], len(states)


@case((LONG,))
def loops_in_loops(x):
    total = x.sum() * 0
    for a in x:
        for b in range(34):
            if a[0] > b * 0.05:
                total = total + a[1] * b
    return total


@case((LONG,))
def number_that_python_wants(x):
    scales = [(f"{i}", 0.1 * i) for i in range(len(x))]
    total = x.sum() * 0
    for i in range(35):
        if x[i].sum() > 0:
            total = total + float(scales[i][0]) * x[i].sum()
    return total


@case((LONG,))
def rows_written_in_place(x):
    y = x * 1
    for row in y:
        if row.sum() < 0:
            row.zero_()
    return y


@case((LONG,))
def enumerate_of_rows(x):
    best, where = x[0].sum(), 0
    for i, row in enumerate(x, 1):
        if row.prod() > best:
            best, where = row.prod(), i
    return best, where, i
