"""Paddle 3 programs: the `.json` files of `jit.save`, plain JSON of Paddle's intermediate representation (PIR)."""
from __future__ import annotations

import json
from typing import Any

from kayax.io.container import ModelFileError
from kayax.io.paddle.find import read_file
from kayax.io.paddle.graph import Block, Graph, Operation, Variable
from kayax.io.paddle.signatures import ARGUMENTS

DTYPES = {"t_bool": "bool", "t_ui8": "uint8", "t_i8": "int8", "t_i16": "int16", "t_i32": "int32", "t_i64": "int64",
          "t_f16": "float16", "t_bf16": "bfloat16", "t_f32": "float32", "t_f64": "float64", "t_c64": "complex64",
          "t_c128": "complex128"}
_MOST_BYTES = 2**28
_MOST_OPERATIONS = 2**20
_DIALECTS = {"0": "builtin", "1": "pd_op", "2": "cf"}


def read(path: str) -> Graph:
    """The program of a file. Raises ModelFileError if it is no such program."""
    try:
        whole = json.loads(read_file(path, _MOST_BYTES))
    except (ValueError, RecursionError) as error:
        place = error.pos if isinstance(error, json.JSONDecodeError) else 0
        raise ModelFileError(path, place, f"it is not JSON: {error}.") from None
    try:
        if whole["base_code"]["magic"] != "pir":
            raise KeyError("magic")
        (region,) = whole["program"]["regions"]
        (block,) = region["blocks"]
        return _Reader(path).graph(block)
    except ModelFileError:
        raise
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError) as error:
        raise ModelFileError(path, 0, f"it does not have the form of a Paddle 3 program "
                             f"({type(error).__name__}: {error}).") from None


class _Reader:
    def __init__(self, path: str):
        self.path, self.count = path, 0
        self.inputs: list[Variable] = []
        self.parameters: list[Variable] = []
        self.outputs: list[tuple[int, Variable]] = []

    def graph(self, block: dict[str, Any]) -> Graph:
        operations = self._block(block)
        outputs = [variable for _, variable in sorted(self.outputs, key=lambda pair: pair[0])]
        return Graph(self.inputs, self.parameters, outputs, operations, origin=self.path)

    def _block(self, block: dict[str, Any]) -> Block:
        operations, results = [], []
        for raw in block["ops"]:
            self.count += 1
            if self.count > _MOST_OPERATIONS:
                raise ModelFileError(self.path, 0, f"it has more than {_MOST_OPERATIONS} operations.")
            name = str(raw["#"])
            if name == "p":
                self._parameter(raw)
            elif name == "2.yield":
                results = [_key(i["%"]) for i in raw["I"]]
            else:
                operations += self._operation(name, raw)
        # In a loop's body the arguments are numbered downwards from -1.
        return Block(operations, [_key(a["#"]) for a in block.get("args") or []], results)

    def _parameter(self, raw: dict[str, Any]) -> None:
        _, _, _, name = raw["A"]
        persistable, stopped, trainable = raw["OA"]
        key, (dtype, shape) = _key(raw["O"]["%"]), _type(raw["O"]["TT"])
        trainable = bool(trainable) and not stopped and dtype.startswith(("float", "bfloat"))
        self.parameters.append(Variable(key, str(name), shape, dtype, trainable, buffer=not trainable,
                                        stored=bool(persistable)))

    def _operation(self, name: str, raw: dict[str, Any]) -> list[Operation]:
        dialect, _, short = name.partition(".")
        full = short if _DIALECTS.get(dialect) == "pd_op" else f"{_DIALECTS.get(dialect, dialect)}.{short}"
        attrs = {a["N"]: _attribute(a["AT"]) for a in raw["A"]}
        keys = [_key(i["%"]) for i in raw["I"]]
        outputs = [_key(o["%"]) for o in raw["O"]]
        if full == "data":
            dtype, shape = _type(raw["O"][0]["TT"])
            self.inputs.append(Variable(outputs[0], str(attrs["name"]), shape, dtype))
            return []
        if full == "fetch":
            dtype, shape = _type(raw["O"][0]["TT"])
            self.outputs.append((int(attrs["col"]), Variable(keys[0], str(attrs["name"]), shape, dtype)))
            return []
        if full in ("builtin.combine", "while"):
            inputs: dict[str, Any] = {"values": keys}
        elif full in ("builtin.split", "builtin.slice"):
            inputs = {"x": keys[0]}
        else:
            names = ARGUMENTS.get(full, ())
            inputs = {n: key or None for n, key in zip(names, keys, strict=False)}
            if len(keys) > len(names):
                inputs["..."] = keys[len(names):]
        blocks = [self._block(b) for region in raw.get("regions", ()) for b in region["blocks"]]
        declared = _type(raw["O"][0]["TT"])[1] if full == "slice" else None
        return [Operation(full, inputs, attrs, outputs, blocks, shape=declared)]


def _key(number: Any) -> int:
    if type(number) is not int:
        raise ValueError(f"a value is numbered {number!r}")
    return number


def _type(raw: Any) -> tuple[str, list[int]]:
    """Dtype and shape of a tensor's type."""
    dtype, shape, *_ = raw["D"]
    return DTYPES[dtype["#"].split(".")[1]], [int(d) for d in shape]


def _attribute(raw: dict[str, Any]) -> Any:
    """An attribute as a Python value: numbers, strings, bools, lists of them."""
    # JSON has no infinities: there the value is a word in another field.
    kind = raw["#"].split(".")[1]
    value: Any = raw.get("D", raw.get("VD"))
    if kind == "a_array":
        return [_attribute(item) for item in value]
    if kind in ("a_f32", "a_f64", "a_dtype", "a_str", "a_bool", "a_i32", "a_i64", "a_intarray", "a_index"):
        if isinstance(value, list):
            return [int(v) for v in value]
        return float(value) if kind.startswith("a_f") else value
    if kind == "a_scalar":
        return _attribute(value) if isinstance(value, dict) else value
    return value
