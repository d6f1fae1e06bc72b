"""A Paddle program, whichever kind of file it came from: blocks of operations on numbered or named values.

Operations have the names, arguments and attributes of Paddle 3 (`conv2d(input, filter)`, strides, paddings ...); those
of Paddle 2 are renamed on reading.
"""
from __future__ import annotations

import dataclasses
from typing import Any


@dataclasses.dataclass
class Operation:
    """One operation: its arguments by name (a value's key, a list of keys, or None), attributes, results, blocks.

    spread: the one result is a list, and `outputs` are its members. shape: of the first result, as the file has it.
    """

    name: str
    inputs: dict[str, Any]
    attrs: dict[str, Any]
    outputs: list[Any]
    blocks: list[Block] = dataclasses.field(default_factory=list)
    spread: bool = False
    shape: list[int] | None = None


@dataclasses.dataclass
class Block:
    """Operations in their order. arguments: the values that a loop's body gets. results: what the block gives."""

    operations: list[Operation]
    arguments: list[Any] = dataclasses.field(default_factory=list)
    results: list[Any] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Variable:
    """What a file says of an input, a parameter or an output. stored: its value is in the file of parameters.

    structured: the name in the Layer that was saved, where a file tells it.
    """

    key: Any
    name: str
    shape: list[int]
    dtype: str
    trainable: bool = True
    buffer: bool = False
    stored: bool = True
    structured: str = ""


@dataclasses.dataclass
class Graph:
    """A whole program."""

    inputs: list[Variable]
    parameters: list[Variable]
    outputs: list[Variable]
    block: Block
    origin: str = ""


def walk(block: Block) -> list[Operation]:
    """All operations of a block and of the blocks inside."""
    found = []
    for operation in block.operations:
        found.append(operation)
        for inner in operation.blocks:
            found += walk(inner)
    return found
