"""A piece of code as one operation, under a transformation of JAX's."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kayax.bridge.blocks import Block, Operands, stage, write_cells
from kayax.bridge.either import tensors_in
from kayax.bridge.merging import ANYTHING, Planner, build
from kayax.bridge.sides import Side
from kayax.bridge.slots import fill, note_operands
from kayax.bridge.tensor import Tensor


def enclosed(body: Callable[[], Any], transformation: Callable[[Callable], Callable], name: str) -> Any:
    """What ``body()`` gives, computed by one operation ``transformation(run)``, while a function is being converted."""
    result: list[Any] = []

    def run_body(_: list[Tensor]) -> list[Tensor]:
        result[:] = [body()]
        return tensors_in(result[0])

    block = Block(run_body)
    planner = Planner(Side(), Side(block, tensors_in(result[0])))
    plan = planner.plan(ANYTHING, result[0])
    operands = Operands([block])
    note_operands(planner.slots, operands)

    def run(*arrays: Any) -> tuple:
        outs, cells = operands.run(block, arrays)
        return (*fill(planner.slots, 1, outs, cells, arrays), *(cells[s] for s in block.writes))

    outs = stage(transformation(run), name, operands.sources)
    n = len(planner.slots)
    write_cells(block.writes, outs[n:], [block])
    return build(plan, planner.filled(outs[:n]))
