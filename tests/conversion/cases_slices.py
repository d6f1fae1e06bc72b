"""Slices of a tensor that are written, and that a tensor begins or ends."""
from language import FALLBACK, case, dvec, mat, num, vec, whole

import kayax as paddle

BUFFER = mat([0.0, 1.0, 2.0], [3.0, 4.0, 5.0], [6.0, 7.0, 8.0], [9.0, 10.0, 11.0])
ROW = dvec(1.0, 2.0, 3.0)
ENDS = [(BUFFER, ROW, whole(n)) for n in (0, 2, -1)]


@case(*ENDS)
def rest_and_beginning(buffer, row, n):
    buffer[n + 1:] = row
    buffer[:n, 0] = row.sum()
    return buffer


@case(*ENDS)
def columns_and_steps(buffer, row, n):
    buffer[..., n:] = 7
    buffer[n::2, 1:] = row[:2]
    buffer[-1, :n] = row[0]
    return buffer


@case((BUFFER, ROW, whole(1)), (BUFFER, ROW, whole(-2)), (BUFFER, ROW, whole(0)))
def window_of_known_length(buffer, row, n):
    buffer[n % 4:n % 4 + 2] = paddle.stack([row, row * 2])
    return buffer


@case((BUFFER, ROW, whole(3)), expect=ValueError)
def window_beyond_the_end(buffer, row, n):
    buffer[n:n + 2] = paddle.stack([row, row * 2])
    return buffer


@case((vec(1.0, 2.0, 3.0, 4.0), whole(3)), (vec(1.0, 2.0, 3.0, 4.0), whole(0)))
def in_a_staged_loop(buffer, n):
    i = 0
    while i < n:
        buffer[i + 1:] = buffer[i] * 2
        buffer[:i] = -1.0
        i += 1
    return buffer


@case((vec(1, 2, 3, dtype="int64"), whole(1), num(2.5)))
def of_integers(buffer, n, x):
    buffer[n:] = True
    buffer[:n] = x
    return buffer


@case((BUFFER, whole(1)), expect=FALLBACK)
def read_up_to_a_tensor(buffer, n):
    return buffer[:n].sum()


@case((BUFFER, whole(0)), (BUFFER, whole(1)), (BUFFER, whole(2)), given_up=True)
def windows_read(buffer, i):
    j = i + 2
    k = int(i)
    return buffer[:, i:i + 1], buffer[1, i - 1:i + 1], buffer[i:j, ..., 0], 2 * buffer[k:2 + int(i)]


@case((BUFFER, whole(0)), (BUFFER, whole(5)))
def windows_read_and_written_in_a_loop(buffer, i):
    while i < 2 and buffer[0, i] < 9:
        buffer[:, i + 1:i + 2] = buffer[:, i:i + 1] * 2
        buffer[i:i + 2] += 1
        i = i + 1
    return buffer, i


@case((dvec(1.0, 2.0, 3.0), whole(1)))
def gradient_through_a_window(x, i):
    return (x[i:i + 2] * x[:2]).sum()


@case((BUFFER, whole(1)), expect=FALLBACK)
def window_used_after_its_memory_was_written(buffer, i):
    buffer = buffer * 1
    window = buffer[:, i:i + 1]
    buffer[:, i] = 0.0
    return window
