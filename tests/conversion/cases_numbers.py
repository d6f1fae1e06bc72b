"""Operators on Python numbers that a tensor decides: the type, the value and the error are Python's."""
from language import FALLBACK, case, num, vec, whole


@case((whole(5), whole(3)), (whole(-5), whole(0)))
def bits(n, m):
    i, j, t = int(n), int(m), n > 1
    b = bool(t)
    return i & j, i | j, i ^ j, 6 & i, i | True, b & True, b | b, b ^ 3, ~i, ~j


@case((whole(5), whole(3)), (whole(-5), whole(0)), (whole(1), whole(62)))
def shifts(n, m):
    i, j = int(n), int(m)
    return i << 2, i >> 1, True << 3, 1 << j, i >> j


@case((whole(5), whole(-3)), expect=ValueError)
def negative_shift(n, m):
    return int(n) << int(m)


@case(whole(5), expect=TypeError)
def bits_of_a_float(n):
    return float(n) & 1


@case((whole(7), whole(2)), (whole(-7), whole(2)))
def divisions(n, m):
    i, j, f = int(n), int(m), float(n)
    return divmod(i, j), divmod(f, 2), i // j, i % j, f // j, i / j, divmod(50, i), abs(i), pow(i, 2)


@case(whole(7), whole(0))
def divided_by_what_may_be_zero(n):
    i = int(n)
    try:
        return divmod(10, i)
    except ZeroDivisionError:
        return -1, -1


@case(num(2.5), num(3.5), num(-0.5))
def rounded(x):
    f = float(x)
    return round(f), round(f * 10), round(int(x), 2), round(bool(x))


@case(num(2.345), expect=FALLBACK)
def rounded_to_digits(x):
    return round(float(x), 2)


@case((num(2.5), whole(1)), (num(-2.5), whole(0)))
def truth_values_count(x, n):
    a, b = bool(x > 0), bool(n)
    return a + b, a * 3, -a, +b, a - b, a == b, a < b, a + 0.5, sum([a, b, True]), max(a, 0), a == 1


@case((vec(1.0, -2.0, 3.0), whole(2)), (vec(-1.0, -2.0, 3.0), whole(3)))
def bits_in_a_loop(x, n):
    code, i = 0, 0
    while i < n:
        code = (code << 1) | bool(x[i] > 0)
        i += 1
    return code, code & 1, x * (code & 1)
