"""Where a variable of a program comes from, and what uses it: what Paddle's own values can be asked."""
from __future__ import annotations

from typing import Any

from kayax.bridge.registry import attach
from kayax.bridge.tensor import Tensor
from kayax.static.program import Operation, Program, programs


def _program_of(x: Tensor) -> Program | None:
    for program in programs:
        graph = program.graph
        if x in graph.persistable or any(x is t for t in graph.data.values()) or any(
                x is t for i in graph.instructions for t in i.outs):
            return program
    return None


def get_defining_op(x: Tensor) -> Operation | None:
    """The operation that gives this variable; None for an input, a parameter or a constant."""
    program = _program_of(x)
    return None if program is None else next(
        (op for op in reversed(program.ops) if any(x is t for t in op.results())), None)


def all_used_ops(x: Tensor) -> list[Operation]:
    """The operations that take this variable."""
    program = _program_of(x)
    return [] if program is None else [op for op in program.ops if any(x is t for t in op.operands_source())]


def use_empty(x: Tensor) -> bool:
    """Whether no operation takes this variable."""
    return not all_used_ops(x)


def is_same(x: Tensor, other: Any) -> bool:
    """Whether both are one variable."""
    return x is other


for _function in (get_defining_op, all_used_ops, use_empty, is_same):
    attach(_function.__name__, _function)

__all__ = ["all_used_ops", "get_defining_op", "is_same", "use_empty"]
