"""A StableHLO program as plain Python objects, with its functions inlined and its constants folded.

This is what every exporter starts from: any model here, saved or not, is StableHLO, whose operations are few and
specified (https://openxla.org/stablehlo/spec).
"""
from __future__ import annotations

import dataclasses
import itertools
import math
import re
from collections.abc import Sequence
from typing import Any

import ml_dtypes
import numpy as np
from jax.extend.mlir import ir
from jax.extend.mlir.dialects import sdy
from jax.extend.mlir.dialects import stablehlo as hlo

DTYPES = {"i1": "bool", "i8": "int8", "i16": "int16", "i32": "int32", "i64": "int64", "ui8": "uint8", "ui16": "uint16",
          "ui32": "uint32", "ui64": "uint64", "f16": "float16", "bf16": "bfloat16", "f32": "float32",
          "f64": "float64", "complex<f32>": "complex64", "complex<f64>": "complex128"}
_numbers = itertools.count()


@dataclasses.dataclass(eq=False)
class Value:
    """What an operation gives: its dtype, its shape (None: any size), and its array where that is a constant."""

    dtype: str
    shape: tuple[int | None, ...]
    const: np.ndarray | None = None
    number: int = dataclasses.field(default_factory=lambda: next(_numbers))


@dataclasses.dataclass
class Node:
    """One operation (without the prefix ``stablehlo.``)."""

    name: str
    operands: list[Value]
    results: list[Value]
    attrs: dict[str, Any]
    regions: list[Region]


@dataclasses.dataclass
class Region:
    """Operations in their order, with the region's arguments and results."""

    arguments: list[Value]
    nodes: list[Node]
    results: list[Value]


def read(program: bytes) -> Region:
    """The main function of a serialized StableHLO program."""
    context = ir.Context()
    sdy.register_dialect(context)           # calls of LAPACK carry its attributes
    module = hlo.deserialize_portable_artifact(context, program)
    functions = {ir.StringAttr(f.operation.attributes["sym_name"]).value: f.operation
                 for f in module.body.operations if f.operation.name == "func.func"}
    return _Reader(functions).main()


def numpy_dtype(name: str) -> np.dtype:
    """A dtype by its name."""
    return np.dtype(getattr(ml_dtypes, name)) if name == "bfloat16" else np.dtype(name)


class _Reader:
    def __init__(self, functions: dict[str, Any]):
        self.functions = functions
        self.values: dict[Any, Value] = {}
        self.made: dict[Value, Node] = {}

    def main(self) -> Region:
        block = self.functions["main"].regions[0].blocks[0]
        first = self._declared(block.arguments)
        # A program for several kinds of devices asks on which it is: the first is the CPU.
        kinds = self.functions["main"].attributes.get("arg_attrs") or []
        for value, facts in zip(first, kinds, strict=False):
            if "_platform_index" in str(facts):
                value.const = np.zeros((), np.int32)
        region = self._region(block)
        region.arguments = [v for v in region.arguments if v.const is None]
        return region

    def _declared(self, arguments: Sequence[Any]) -> list[Value]:
        found = []
        for argument in arguments:
            value = self.values.get(argument)
            if value is None:
                value = self.values[argument] = Value(*_type(argument.type))
            found.append(value)
        return found

    def _region(self, block: Any) -> Region:
        region = Region(self._declared(block.arguments), [], [])
        for operation in block.operations:
            op = operation.operation
            if op.name in ("stablehlo.return", "func.return"):
                region.results = [self.values[o] for o in op.operands]
            else:
                self._operation(op, region.nodes)
        return region

    def _operation(self, op: Any, nodes: list[Node]) -> None:
        operands = [self.values[o] for o in op.operands]
        if op.name == "func.call":
            self._inline(ir.FlatSymbolRefAttr(op.attributes["callee"]).value, op, operands, nodes)
            return
        name = op.name.removeprefix("stablehlo.")
        if name == "constant":
            self._constant(op, nodes)
            return
        attrs = {key: _attribute(op.attributes[key]) for key in op.attributes}
        if name == "composite" and attrs["name"] not in KEPT:
            self._inline(attrs["decomposition"], op, operands, nodes)
            return
        if name == "custom_call" and attrs["call_target_name"] == "shape_assertion":
            return
        results = [Value(*_type(r.type)) for r in op.results]
        for result, value in zip(op.results, results, strict=True):
            self.values[result] = value
        if name == "case" and operands[0].const is not None:
            self._choose(op, int(operands[0].const), results, nodes)
            return
        if name == "composite":
            name = attrs["name"]
        node = Node(name, operands, results, attrs, [])
        if _fold(node):
            return
        node.regions = [self._region(block) for region in op.regions for block in region.blocks]
        if attrs.get("call_target_name") == "stablehlo.dynamic_reduce_window":
            node.name = "dynamic_reduce_window"
            node.regions = [self._body(attrs["called_computations"].strip("[@]"))]
            attrs["entries"] = [entries(v, self.made) for v in operands[2:]]
        self.made.update(dict.fromkeys(results, node))
        nodes.append(node)

    def _constant(self, op: Any, nodes: list[Node]) -> None:
        value = self.values[op.results[0]] = Value(*_type(op.results[0].type))
        if value.dtype.startswith("complex"):           # no target has any: it is named with what else is missing
            nodes.append(Node(f"{value.dtype} constant", [], [value], {}, []))
        else:
            value.const = _constant(op.attributes["value"], value)

    def _body(self, name: str) -> Region:
        """A function as the region of a reduction."""
        outer, self.values = self.values, {}
        region = self._region(self.functions[name].regions[0].blocks[0])
        self.values = outer
        return region

    def _inline(self, name: str, op: Any, operands: list[Value], nodes: list[Node]) -> None:
        """The body of a function in place of its call, with values of its own."""
        outer, block = self.values, self.functions[name].regions[0].blocks[0]
        self.values = dict(zip(block.arguments, operands, strict=True))
        region = self._region(block)
        self.values = outer
        nodes += region.nodes
        for result, value in zip(op.results, region.results, strict=True):
            self.values[result] = value

    def _choose(self, op: Any, index: int, results: list[Value], nodes: list[Node]) -> None:
        """A choice that is known: its branch in place of it."""
        regions = list(op.regions)
        first = regions[0].blocks[0].operations[0].operation
        if first.name == "func.call" and "convolution_on_cpu" in str(first.attributes["callee"]):
            index = -1                          # beside a convolution its form for XLA: others know the convolution
        region = self._region(regions[index if 0 <= index < len(regions) else -1].blocks[0])
        nodes += region.nodes
        for result, value in zip(op.results, region.results, strict=True):
            self.values[result] = value


# Operations above StableHLO that exporters know by name; any other is replaced by what it stands for.
KEPT = {"chlo.erf", "chlo.erfc", "chlo.top_k", "chlo.asinh", "chlo.acosh", "chlo.atanh", "chlo.sinh", "chlo.cosh",
        "chlo.asin", "chlo.acos", "chlo.atan", "chlo.square"}


def _type(kind: Any) -> tuple[str, tuple[int | None, ...]]:
    ranked = ir.RankedTensorType(kind)
    shape = tuple(None if ranked.is_dynamic_dim(i) else ranked.get_dim_size(i) for i in range(ranked.rank))
    return DTYPES.get(str(ranked.element_type), str(ranked.element_type)), shape


def _constant(attr: Any, value: Value) -> np.ndarray:
    shape = tuple(d or 0 for d in value.shape)
    dtype = numpy_dtype(value.dtype)
    if value.dtype == "bfloat16":
        return _bfloat16(str(attr), shape)
    return np.array(attr).astype(dtype).reshape(shape)


def _bfloat16(text: str, shape: tuple[int, ...]) -> np.ndarray:
    """The bindings read no bfloat16: from the text, where a number is decimal, or its bits in hexadecimal."""
    content = text.removeprefix("dense<").rpartition("> : tensor<")[0]
    if content.startswith('"0x'):
        bits = np.frombuffer(bytes.fromhex(content.strip('"')[2:]), np.uint16)
        array = bits.view(ml_dtypes.bfloat16)
    else:
        items = re.findall(r"0x[0-9A-Fa-f]+|[-+.eE0-9]+", content)
        floats = np.array([0.0 if i.startswith("0x") else float(i) for i in items], np.float32)
        array = floats.astype(ml_dtypes.bfloat16)
        for place, item in enumerate(items):
            if item.startswith("0x"):
                array.view(np.uint16)[place] = int(item, 16)
    return np.full(shape, array.reshape(-1)[0]) if array.size == 1 else array.reshape(shape)


_STRUCTURES = {
    "gather": (hlo.GatherDimensionNumbers, """offset_dims collapsed_slice_dims operand_batching_dims
               start_indices_batching_dims start_index_map index_vector_dim"""),
    "scatter": (hlo.ScatterDimensionNumbers, """update_window_dims inserted_window_dims input_batching_dims
                scatter_indices_batching_dims scattered_dims_to_operand_dims index_vector_dim"""),
    "dot": (hlo.DotDimensionNumbers, """lhs_batching_dimensions rhs_batching_dimensions lhs_contracting_dimensions
            rhs_contracting_dimensions"""),
    "conv": (hlo.ConvDimensionNumbers, """input_batch_dimension input_feature_dimension input_spatial_dimensions
             kernel_input_feature_dimension kernel_output_feature_dimension kernel_spatial_dimensions
             output_batch_dimension output_feature_dimension output_spatial_dimensions"""),
}


def _attribute(attr: Any) -> Any:
    """An attribute as a Python value; a structure as a dict, an enumeration as its word."""
    kind = type(attr).__name__
    if kind in ("DenseI64ArrayAttr", "DenseBoolArrayAttr", "DenseI32ArrayAttr"):
        return list(attr)
    if kind in ("IntegerAttr", "StringAttr", "FloatAttr", "BoolAttr", "FlatSymbolRefAttr"):
        return attr.value
    if kind == "DenseIntElementsAttr":
        return np.array(attr)
    text = str(attr)
    word = re.fullmatch(r"#stablehlo<\w+ (\w+)>", text)
    if word:
        return word[1]
    structure = re.match(r"#stablehlo\.(\w+)<", text)
    if structure and structure[1] in _STRUCTURES:
        reader, names = _STRUCTURES[structure[1]]
        opened = reader(attr)
        return {name: getattr(opened, name) for name in names.split()}
    return text


Entry = tuple[Value | None, int]


def entries(vector: Value, made: dict[Value, Node]) -> list[Entry]:
    """The items of a vector of sizes, each as a value and what is added to it, or None and a number."""
    if vector.const is not None:
        return [(None, int(v)) for v in vector.const.reshape(-1)]
    node = made.get(vector)
    if node is not None and node.name in ("convert", "reshape", "broadcast_in_dim"):
        inner = entries(node.operands[0], made)
        if len(inner) == math.prod(d or 0 for d in vector.shape):
            return inner
    if node is not None and node.name == "concatenate":
        return [e for operand in node.operands for e in entries(operand, made)]
    if node is not None and node.name == "add":
        more = node.operands[1].const
        if more is not None and more.size == 1:
            (root, number), = entries(node.operands[0], made)
            return [(root, number + int(more.reshape(-1)[0]))]
    return [(vector, 0)] * math.prod(d or 0 for d in vector.shape)


# ---- folding -----------------------------------------------------------------------------------------------------

_MOST = 4096                # elements of a constant that is computed here


def _fold(node: Node) -> bool:
    """Compute a node whose operands are constants: shapes, mostly."""
    rule = FOLDS.get(node.name)
    if rule is None or not node.operands or any(v.const is None for v in node.operands):
        return False
    (result,) = node.results
    shape = tuple(d for d in result.shape if d is not None)
    if len(shape) < len(result.shape) or math.prod(shape) > _MOST:
        return False
    arrays = [v.const for v in node.operands]
    with np.errstate(all="ignore"):
        result.const = np.asarray(rule(node, *arrays)).astype(numpy_dtype(result.dtype)).reshape(shape)
    return True


def _broadcast(node: Node, x: np.ndarray, *_: Any) -> np.ndarray:
    dims, shape = node.attrs["broadcast_dimensions"], tuple(d or 0 for d in node.results[0].shape)
    wide = [1] * len(shape)
    for i, d in enumerate(dims):
        wide[d] = x.shape[i]
    return np.broadcast_to(x.reshape(wide), shape)


def _slice(node: Node, x: np.ndarray) -> np.ndarray:
    bounds = zip(node.attrs["start_indices"], node.attrs["limit_indices"], node.attrs["strides"], strict=True)
    return x[tuple(slice(*b) for b in bounds)]


COMPARE = {"EQ": np.equal, "NE": np.not_equal, "LT": np.less, "LE": np.less_equal, "GT": np.greater,
           "GE": np.greater_equal}

FOLDS: dict[str, Any] = {
    "convert": lambda n, x: x, "reshape": lambda n, x: x, "broadcast_in_dim": _broadcast, "slice": _slice,
    "concatenate": lambda n, *xs: np.concatenate(xs, n.attrs["dimension"]),
    "add": lambda n, x, y: x + y, "subtract": lambda n, x, y: x - y,
    "multiply": lambda n, x, y: x * y, "maximum": lambda n, x, y: np.maximum(x, y),
    "minimum": lambda n, x, y: np.minimum(x, y), "negate": lambda n, x: -x,
    "and": lambda n, x, y: x & y, "or": lambda n, x, y: x | y, "not": lambda n, x: ~x,
    "compare": lambda n, x, y: COMPARE[n.attrs["comparison_direction"]](x, y),
    "select": lambda n, c, x, y: np.where(c, x, y), "transpose": lambda n, x: x.transpose(n.attrs["permutation"]),
    "clamp": lambda n, low, x, high: np.minimum(np.maximum(x, low), high),
    "dynamic_broadcast_in_dim": _broadcast, "dynamic_reshape": lambda n, x, *_: x,
    "sqrt": lambda n, x: np.sqrt(x), "divide": lambda n, x, y: x / y if x.dtype.kind == "f" else _whole(x, y),
}


def _whole(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Integer division towards zero."""
    return np.sign(x) * np.sign(y) * (np.abs(x) // np.abs(np.where(y == 0, 1, y)))
