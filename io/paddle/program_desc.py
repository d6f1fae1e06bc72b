"""Paddle 2 programs: `.pdmodel` files, protocol buffers of type ProgramDesc, read in terms of Paddle 3's operations."""
from __future__ import annotations

from typing import Any

from kayax.io.container import ModelFileError
from kayax.io.paddle.find import read_file
from kayax.io.paddle.graph import Block, Graph, Operation, Variable
from kayax.io.paddle.older import OLDER
from kayax.io.paddle.tensors import DTYPES, TENSOR_DESC
from kayax.io.paddle.wire import Message, WireError

_VAR = Message(parameter=(1, "str"), arguments=(2, "str", True))
_ATTR = Message(name=(1, "str"), type=(2, "int"), i=(3, "int"), f=(4, "float"), s=(5, "str"), ints=(6, "int", True),
                floats=(7, "float", True), strings=(8, "str", True), b=(10, "bool"), bools=(11, "bool", True),
                block=(12, "int"), long=(13, "int"), longs=(15, "int", True), float64s=(16, "double", True),
                var=(17, "str"), vars=(18, "str", True), float64=(19, "double"),
                scalar=(20, Message(type=(1, "int"), b=(2, "bool"), i=(3, "int"), r=(4, "double"))),
                scalars=(21, Message(type=(1, "int"), b=(2, "bool"), i=(3, "int"), r=(4, "double")), True))
_OP = Message(inputs=(1, _VAR, True), outputs=(2, _VAR, True), type=(3, "str"), attrs=(4, _ATTR, True))
_TENSOR = Message(tensor=(1, TENSOR_DESC))
_TYPE = Message(type=(1, "int"), lod_tensor=(3, _TENSOR))
_VARIABLE = Message(name=(1, "str"), type=(2, _TYPE), persistable=(3, "bool"), is_parameter=(5, "bool"),
                    stop_gradient=(6, "bool"))
_BLOCK = Message(idx=(1, "int"), parent=(2, "int"), vars=(3, _VARIABLE, True), ops=(4, _OP, True))
_PROGRAM = Message(blocks=(1, _BLOCK, True))

# The field of an attribute that holds its value, by the attribute's type.
_FIELDS = ("i", "f", "s", "ints", "floats", "strings", "b", "bools", "block", "long", "blocks", "longs", "float64s",
           "var", "vars", "float64", "scalar", "scalars")
_NOT_DATA = (9, 10, 11, 17)     # feeds, fetches, scopes and raw variables hold no tensor
_MOST_BYTES = 2**28


def read(path: str) -> Graph:
    """The program of a file. Raises ModelFileError if it is no such program."""
    data = memoryview(read_file(path, _MOST_BYTES))
    try:
        program = _PROGRAM.read(data)
        return _Reader(path, program["blocks"]).graph()
    except WireError as error:
        raise ModelFileError(path, error.offset, f"{error.problem} It is no program that PaddlePaddle "
                             "wrote, or it is damaged.") from None
    except (KeyError, TypeError, ValueError, IndexError, RecursionError) as error:
        if isinstance(error, ModelFileError):
            raise
        raise ModelFileError(path, 0, f"it does not have the form of a Paddle 2 program "
                             f"({type(error).__name__}: {error}).") from None


class _Reader:
    def __init__(self, path: str, blocks: list[dict[str, Any]]):
        self.path, self.blocks = path, blocks
        self.variables = {v["name"]: v for b in blocks for v in b["vars"]}
        self.inputs: list[tuple[int, Variable]] = []
        self.outputs: list[tuple[int, Variable]] = []
        self.statistics: set[str] = set()           # of batch normalization

    def graph(self) -> Graph:
        block = self._block(0, ())
        parameters = [self._variable(name, v) for name, v in self.variables.items()
                      if v["persistable"] and v["type"]["type"] not in _NOT_DATA]
        return Graph([v for _, v in sorted(self.inputs, key=lambda pair: pair[0])],
                     sorted(parameters, key=lambda p: p.name),
                     [v for _, v in sorted(self.outputs, key=lambda pair: pair[0])], block, origin=self.path)

    def _variable(self, name: str, raw: dict[str, Any]) -> Variable:
        desc = raw["type"]["lod_tensor"]["tensor"]
        dtype = DTYPES[desc["data_type"]]
        # Programs saved for inference no longer say which of their variables are parameters.
        buffer = not dtype.startswith(("float", "bfloat")) or name in self.statistics
        return Variable(name, name, desc["dims"], dtype, trainable=not buffer, buffer=buffer)

    def _block(self, index: int, above: tuple[int, ...]) -> Block:
        if not 0 <= index < len(self.blocks) or index in above:
            raise ValueError(f"block {index} is inside itself or missing")
        operations = []
        for raw in self.blocks[index]["ops"]:
            slots = {v["parameter"]: v["arguments"] for v in raw["inputs"]}
            outs = {v["parameter"]: v["arguments"] for v in raw["outputs"]}
            attrs = {a["name"]: _attribute(a) for a in raw["attrs"]}
            name = raw["type"]
            if "batch_norm" in name:
                self.statistics |= {*slots["Mean"], *slots["Variance"]}
            if name == "feed":
                key = outs["Out"][0]
                self.inputs.append((attrs["col"], self._variable(key, self.variables[key])))
            elif name == "fetch":
                key = slots["X"][0]
                self.outputs.append((attrs["col"], self._variable(key, self.variables[key])))
            elif name in ("conditional_block", "while"):
                operations.append(self._nested(name, slots, outs, attrs, (*above, index)))
            else:
                operations.append(_rename(name, slots, outs, attrs))
        return Block(operations)

    def _nested(self, name: str, slots: dict, outs: dict, attrs: dict, above: tuple[int, ...]) -> Operation:
        """A block writes variables of the blocks around it: what it carries is made explicit."""
        block = self._block(attrs["sub_block"], above)
        written = {key for op in block.operations for key in op.outputs if key}
        outside = [key for key in outs["Out"] if key in written]
        block.results = outside
        condition = slots["Cond" if name == "conditional_block" else "Condition"][0]
        return Operation(f"paddle2.{name}", {"cond": condition}, {}, outside, [block])


def _attribute(raw: dict[str, Any]) -> Any:
    field = _FIELDS[raw["type"]]
    value: Any = raw.get(field)
    if field == "scalar":
        return _scalar(value)
    return [_scalar(v) for v in value] if field == "scalars" else value


def _scalar(raw: dict[str, Any]) -> Any:
    return {1: raw["b"], 2: raw["i"], 3: raw["r"]}[raw["type"]]


def _rename(name: str, slots: dict[str, list[str]], outs: dict[str, list[str]], attrs: dict[str, Any]) -> Operation:
    older = OLDER.get(name)
    if older is None:
        return Operation(f"paddle2.{name}", {}, attrs, [])
    inputs: dict[str, Any] = {}
    for slot, argument in older.inputs.items():
        keys = slots.get(slot) or []
        if not keys:
            continue
        inputs[argument] = keys if slot in older.lists else keys[0]
    for old, new in older.attrs.items():
        if old in attrs:
            attrs[new] = attrs[old]
    for attr in ("dtype", "out_dtype"):             # written as numbers; -1 says nothing
        if attr in attrs:
            attrs[attr] = DTYPES.get(attrs[attr], "Undefined")
    outputs: list[Any] = []
    for slot in older.outputs:
        results: list[Any] = outs.get(slot) or [None]
        outputs += results if older.spread else [results if slot in older.lists else results[0]]
    return Operation(older.name, inputs, attrs, outputs, spread=older.spread)
