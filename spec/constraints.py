"""What is known of open dimensions besides that they are open: ``seq % 8 == 0``, ``1 <= batch <= 64``."""
from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

_ARITHMETIC: dict[type, tuple[Callable, str]] = {
    ast.Add: (operator.add, "({} + {})"), ast.Sub: (operator.sub, "({} - {})"), ast.Mult: (operator.mul, "({}*{})"),
    ast.FloorDiv: (operator.floordiv, "floordiv({}, {})"), ast.Mod: (operator.mod, "mod({}, {})")}
_FUNCTIONS: dict[str, tuple[Callable, str]] = {"min": (min, "min({}, {})"), "max": (max, "max({}, {})")}
# How jax.export writes a comparison: it knows >= and == alone.
_COMPARISONS: dict[type, tuple[Callable, str]] = {
    ast.Eq: (operator.eq, "{0} == {1}"), ast.GtE: (operator.ge, "{0} >= {1}"), ast.LtE: (operator.le, "{1} >= {0}"),
    ast.Gt: (operator.gt, "{0} >= {1} + 1"), ast.Lt: (operator.lt, "{1} >= {0} + 1")}
_LONGEST = 1000
_LARGEST = 1 << 62


class Constraint:
    """A comparison of whole numbers and names of dimensions, as in Python: ``+ - * // %``, ``min``, ``max`` of two.

    text: such as ``"seq % 8 == 0"`` or ``"1 <= batch <= 64"``. names: the dimensions in it.

    Raises ValueError if the text is anything else.
    """

    def __init__(self, text: str):
        if not isinstance(text, str):
            raise TypeError(f"A constraint is a string such as 'seq % 8 == 0', but got {text!r}.")
        self.text = text
        try:
            tree = ast.parse(text.strip(), mode="eval").body if len(text) <= _LONGEST else None
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            tree = None
        if not isinstance(tree, ast.Compare) or not all(type(o) in _COMPARISONS for o in tree.ops):
            raise ValueError(f"The constraint {text!r} is not understood. It compares dimensions and whole numbers "
                             "with ==, >=, <=, > or <, such as 'seq % 8 == 0' or '1 <= batch <= 64'.")
        self._sides, self._ops = [tree.left, *tree.comparators], tree.ops
        self.names = sorted({node.id for side in self._sides for node in ast.walk(side)
                             if isinstance(node, ast.Name) and node.id not in _FUNCTIONS})
        for side in self._sides:
            self._form(side)

    def holds(self, sizes: Mapping[str, int]) -> bool:
        """Whether it is true of these sizes, which must name every dimension in it."""
        values = [self._value(side, sizes) for side in self._sides]
        return all(_COMPARISONS[type(op)][0](a, b) for op, a, b in zip(self._ops, values, values[1:]))

    def forms(self) -> list[str]:
        """The same as comparisons for `jax.export`."""
        sides = [self._form(side) for side in self._sides]
        return [_COMPARISONS[type(op)][1].format(a, b) for op, a, b in zip(self._ops, sides, sides[1:])]

    def divisible(self) -> tuple[str, int] | None:
        """Name and divisor, if it says that one dimension is divisible."""
        match self._sides, self._ops:
            case ([ast.BinOp(ast.Name(name), ast.Mod(), ast.Constant(int(divisor))), ast.Constant(0)],
                  [ast.Eq()]) if divisor > 0:
                return name, divisor
        return None

    def _value(self, node: Any, sizes: Mapping[str, int]) -> int:
        match node:
            case ast.Constant(int(value)):
                return value
            case ast.Name(name):
                return sizes[name]
            case ast.UnaryOp(ast.USub(), inner):
                return -self._value(inner, sizes)
            case ast.BinOp(left, op, right):
                return _ARITHMETIC[type(op)][0](self._value(left, sizes), self._value(right, sizes))
        return _FUNCTIONS[node.func.id][0](*(self._value(argument, sizes) for argument in node.args))

    def _form(self, node: Any) -> str:
        match node:
            case ast.Constant(value) if type(value) is int and value < _LARGEST:
                return str(value)
            case ast.Name(name) if name not in _FUNCTIONS:
                return name
            case ast.UnaryOp(ast.USub(), inner):
                return f"(0 - {self._form(inner)})"
            case ast.BinOp(left, ast.FloorDiv() | ast.Mod() as op, ast.Constant(int(divisor))) if divisor > 0:
                return _ARITHMETIC[type(op)][1].format(self._form(left), divisor)
            case ast.BinOp(left, ast.Add() | ast.Sub() | ast.Mult() as op, right):
                return _ARITHMETIC[type(op)][1].format(self._form(left), self._form(right))
            case ast.Call(ast.Name(name), [_, _] as arguments, []) if name in _FUNCTIONS:
                return _FUNCTIONS[name][1].format(*map(self._form, arguments))
        raise ValueError(f"The constraint {self.text!r} has {ast.unparse(node)!r} in it. Only whole numbers, names of "
                         "dimensions, + - *, // and % by a number above 0, and min and max of two can be there.")

    def __repr__(self) -> str:
        return f"Constraint({self.text!r})"


def symbolic_forms(constraints: Sequence[Constraint]) -> list[str]:
    """All constraints for `jax.export.symbolic_shape`: a divisible dimension becomes a multiple, which JAX reasons best
    about."""
    divisors: dict[str, int] = {}
    rest: list[str] = []
    for constraint in constraints:
        divisible = constraint.divisible()
        if divisible is None:
            rest += constraint.forms()
        else:
            name, divisor = divisible
            divisors[name] = math.lcm(divisors.get(name, 1), divisor)
    return [f"{name} == {divisor}*_{name}_by_{divisor}" for name, divisor in divisors.items() if divisor > 1] + rest


def read_constraints(texts: Any) -> list[Constraint]:
    """The constraints of a list of strings. Raises TypeError or ValueError if one is not understood."""
    if isinstance(texts, str) or not isinstance(texts, (list, tuple)):
        raise TypeError(f"constraints must be a list of strings such as 'seq % 8 == 0', but got {texts!r}.")
    return [Constraint(text) for text in texts]


def check_names(constraints: Sequence[Constraint], named: Iterable[str]) -> None:
    """A ValueError unless the constraints are about dimensions with these names."""
    named = list(named)
    for constraint in constraints:
        unknown = [name for name in constraint.names if name not in named]
        if unknown or not constraint.names:
            known = (f"The named dimensions are: {', '.join(named)}." if named else
                     "Name the dimension first: InputSpec(['batch', 'seq', 64]).")
            raise ValueError(f"The constraint {constraint.text!r} names {unknown[0] if unknown else 'nothing'}, which "
                             f"is no dimension of the InputSpecs. {known}")


def check_constraints(constraints: Sequence[Constraint], sizes: Mapping[str, int], where: str) -> None:
    """A ValueError unless all hold for these sizes."""
    for constraint in constraints:
        if not constraint.holds(sizes):
            given = ", ".join(f"{name} is {sizes[name]}" for name in constraint.names)
            raise ValueError(f"{where} needs {constraint.text}, but {given}.")
