"""Constraints of open dimensions: what is understood, what it means, and what is refused."""
import pytest

from kayax.spec.constraints import Constraint, check_constraints, check_names, read_constraints, symbolic_forms


@pytest.mark.parametrize(("text", "yes", "no"), [
    ("seq % 8 == 0", {"seq": 16}, {"seq": 12}),
    ("1 <= batch <= 64", {"batch": 64}, {"batch": 65}),
    ("a > b", {"a": 3, "b": 2}, {"a": 2, "b": 2}),
    ("a < b", {"a": 1, "b": 2}, {"a": 2, "b": 2}),
    ("a == 2*b + 1", {"a": 7, "b": 3}, {"a": 6, "b": 3}),
    ("(h - 1)//2 >= 3", {"h": 7}, {"h": 6}),
    ("max(a, b) >= -min(a, b) + 5", {"a": 2, "b": 3}, {"a": 2, "b": 2}),
])
def test_meaning(text, yes, no):
    constraint = Constraint(text)
    assert constraint.names == sorted(yes)
    assert constraint.holds(yes) and not constraint.holds(no)


@pytest.mark.parametrize("text", [
    "", "seq", "seq % 8", "seq = 8", "seq != 8", "seq / 2 == 4", "2**seq == 8", "seq % n == 0", "seq % 0 == 0",
    "f(seq) == 1", "seq.real == 1", "seq == 1.5", "seq == True", "seq == '8'", "__import__('os') == 1",
    "a == 1 and b == 2", "x[0] == 1", "min(a, b, c) == 1", "min(a, key=b) == 1", "min == 1", "lambda: 1 == 1",
    "(" * 500 + "a" + ")" * 500 + " == 1", "a == " + "1" * 2000, "a == 99999999999999999999", "a in b", "a\0 == 1"])
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match="constraint"):
        Constraint(text)


def test_forms_for_jax():
    both = read_constraints(["seq % 8 == 0", "seq % 12 == 0", "2 < n <= 9"])
    assert symbolic_forms(both) == ["seq == 24*_seq_by_24", "n >= 2 + 1", "9 >= n"]
    assert symbolic_forms(read_constraints(["seq % 1 == 0"])) == []


def test_lists_and_names():
    for wrong in ("seq % 8 == 0", 3, {"seq": 8}):
        with pytest.raises(TypeError, match="list of strings"):
            read_constraints(wrong)
    with pytest.raises(TypeError, match="string such as"):
        read_constraints([8])
    with pytest.raises(ValueError, match="names seq, which is no dimension.*batch, width"):
        check_names(read_constraints(["seq % 8 == 0"]), ["batch", "width"])
    with pytest.raises(ValueError, match="names nothing.*Name the dimension first"):
        check_names(read_constraints(["1 == 1"]), [])
    with pytest.raises(ValueError, match=r"f\(\) needs n >= 4, but n is 3"):
        check_constraints(read_constraints(["n >= 4"]), {"n": 3}, "f()")
