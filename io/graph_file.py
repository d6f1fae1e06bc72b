"""Static graphs as bytes, and back: every instruction with its arguments, and what is known of the values.

The bytes are a container of ours (docs/format.md). A function is written by its name, and only operations and staged
functions of this library are found by such a name: reading runs nothing that the bytes say. Values of parameters and
buffers are not in them, those of constants are.
"""
from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kayax.bridge.amp import Policy
from kayax.bridge.cells import Storage
from kayax.bridge.device import CPUPlace, Place
from kayax.bridge.graph import Block, Graph, Instruction
from kayax.bridge.open_sizes import is_open
from kayax.bridge.parameter import Parameter
from kayax.bridge.staging import suspended
from kayax.bridge.symbols import Symbol, Variable, parsed_dim
from kayax.bridge.tensor import Tensor, fill
from kayax.io.container import PREAMBLE, ModelFileError, frame, pack, read_body
from kayax.io.graph_names import function_named, is_known_object, made_object, name_of_function, object_named
from kayax.spec import dtype as dtypes
from kayax.spec import plain_tree

MAGIC = b"KXGRAPH\0"
_CAP = 2 << 30
_ELLIPSIS = "..."

Held = Callable[[str], Storage | None]


def encode(graph: Graph, facts: dict[str, Any]) -> bytes:
    """A graph as bytes. facts: what else is to be kept, of what an argument can be.

    Raises TypeError if an instruction has an argument that no file holds, such as a Python function.
    """
    with suspended():
        body = pack(_Writer(graph).whole(graph, facts))
    return frame(MAGIC, body) + body


def decode(content: bytes, held: Held, wanted: Sequence[str], what: str = "the program") -> tuple[Graph, list[Any]]:
    """The graph in these bytes, and of the facts that were kept with it those that are wanted.

    held: the cell of a parameter or buffer by name, if there is one; any other has no value until it gets one. what:
    what errors call the bytes. Raises ModelFileError if they are damaged, or no graph.
    """
    body = read_body(io.BytesIO(content), what, MAGIC, _CAP, exact=True)
    try:
        with suspended():
            reader = _Reader(body, held)
            facts = reader.value(body["facts"], reader.graph)
            return reader.graph, [facts[name] for name in wanted]
    except ModelFileError:
        raise
    except Exception as error:                  # of whatever the bytes ask to be put together: an optimizer, a shape
        raise ModelFileError(what, PREAMBLE, f"it holds no program ({type(error).__name__}: {error}).") from None


class _Writer:
    """Cells and Tensors get numbers when they are first met."""

    def __init__(self, graph: Graph):
        self.persistable = {t.storage: t.name for t in graph.persistable}
        self.cells: dict[Storage, int] = {}
        self.tensors: dict[Tensor, int] = {}
        self.cell_records: list[Any] = []
        self.tensor_records: list[Any] = []

    def whole(self, graph: Graph, facts: dict[str, Any]) -> dict[str, Any]:
        own = {"facts": self.value(facts, "program"),
               "data": [self.tensor(t) for t in graph.data.values()],
               "persistable": [self.tensor(t) for t in graph.persistable],
               "measured": [[name, self.cell(s)] for name, s in graph.measured.items()],
               "instructions": self.instructions(graph)}
        return own | {"cells": self.cell_records, "tensors": self.tensor_records}

    def instructions(self, graph: Graph) -> list[Any]:
        return [self.instruction(i) for i in graph.instructions]

    def instruction(self, one: Instruction) -> dict[str, Any]:
        where: str = getattr(one.fn, "name", None) or getattr(one.fn, "__qualname__", "") or repr(one.fn)
        amp = one.amp and [one.amp.level, one.amp.dtype, sorted(one.amp.white), sorted(one.amp.black), one.amp.promote]
        return {"fn": name_of_function(one.fn), "args": [self.value(a, where) for a in one.args],
                "kwargs": [[k, self.value(v, where)] for k, v in one.kwargs.items()],
                "outs": [self.tensor(t) for t in one.outs], "declared": [_kind(s) for s in one.declared],
                "stops": one.stops, "reads": [self.cell(s) for s in one.reads],
                "writes": sorted(self.cell(s) for s in one.writes), "effect": bool(one.effect),
                "grad_enabled": one.grad_enabled, "amp": amp}

    def cell(self, storage: Storage) -> int:
        if storage not in self.cells:
            self.cells[storage] = len(self.cells)
            array = storage._array
            record = _kind(array)
            if storage in self.persistable:
                record["name"] = self.persistable[storage]
            elif type(array) is not Symbol:
                record["value"] = np.asarray(array).tobytes()
            self.cell_records.append(record)
        return self.cells[storage]

    def tensor(self, tensor: Tensor) -> int:
        if tensor not in self.tensors:
            self.tensors[tensor] = len(self.tensors)
            record: dict[str, Any] = {"cell": self.cell(tensor.storage), "name": tensor.name,
                                      "stop": tensor._stop_gradient, "persistable": bool(tensor.persistable)}
            if isinstance(tensor, Parameter):
                regularizer = self.value(tensor.regularizer, tensor.name)
                record["parameter"] = [float(tensor.optimize_attr["learning_rate"]), regularizer, tensor.need_clip]
            elif isinstance(tensor, Variable):
                record["open_dims"] = tensor.__dict__.get("open_dims")
            self.tensor_records.append(record)
        return self.tensors[tensor]

    def value(self, value: Any, where: str) -> Any:
        """An argument: a plain value as it is, anything else as a list of its kind and what it is made of."""
        if value is None or type(value) in (bool, int, float, str, bytes):
            return value
        if value is Ellipsis:
            return [_ELLIPSIS]
        if isinstance(value, Tensor):
            return ["tensor", self.tensor(value)]
        if is_open(value):
            return ["dim", str(value)]
        if isinstance(value, (list, tuple)):
            return ["tuple" if isinstance(value, tuple) else "list", [self.value(v, where) for v in value]]
        if isinstance(value, dict):
            return ["dict", [[self.value(k, where), self.value(v, where)] for k, v in value.items()]]
        if isinstance(value, slice):
            return ["slice", [self.value(v, where) for v in (value.start, value.stop, value.step)]]
        if isinstance(value, complex):
            return ["complex", value.real, value.imag]
        if isinstance(value, (np.ndarray, np.generic, jax.Array)):
            array = np.asarray(value)
            return ["array", type(value).__name__, dtypes.convert(array.dtype).name, list(array.shape), array.tobytes()]
        if isinstance(value, (dtypes.DType, np.dtype)):
            return ["dtype", dtypes.convert(value).name, isinstance(value, np.dtype)]
        if isinstance(value, Place):
            return ["place", value.kind, value.index]
        if isinstance(value, Block):
            inner = value.graph
            return ["block", [self.tensor(t) for t in inner.arguments], self.instructions(inner),
                    [self.tensor(t) for t in value.outs], plain_tree.describe(value.spec)]
        if is_known_object(value):
            return ["object", *object_named(value, lambda v: self.value(v, where))]
        raise TypeError(f"`{where}` of the program was given a {type(value).__module__}.{type(value).__qualname__}, "
                        "which a file cannot hold. Save what predicts with paddle.static.save_inference_model, or make "
                        "the program again with the script.")


def _kind(array: Any) -> dict[str, Any]:
    return {"shape": [d if isinstance(d, int) else str(d) for d in array.shape],
            "dtype": dtypes.convert(array.dtype).name}


class _Reader:
    """The reverse."""

    def __init__(self, body: dict[str, Any], held: Held):
        self.dims: dict[str, Any] = {}
        self.held, self.body = held, body
        self.cells = [self.cell(record) for record in body["cells"]]
        self.tensors = [self.tensor(record) for record in body["tensors"]]
        self.graph = graph = Graph()
        graph.data = {t.name: t for t in (self.tensors[i] for i in body["data"]) if isinstance(t, Variable)}
        graph.persistable = {self.tensors[i]: None for i in body["persistable"]}
        graph.measured = {str(self.dim(name)): self.cells[i] for name, i in body["measured"]}
        graph.instructions = self.instructions(body["instructions"], graph)

    def dim(self, text: Any) -> Any:
        """An open dim: those that are found when a program runs get new names, for they are numbered in a process."""
        return text if type(text) is int else parsed_dim(text, self.dims)

    def symbol(self, record: dict[str, Any]) -> Symbol:
        return Symbol(tuple(self.dim(d) for d in record["shape"]), dtypes.to_numpy(record["dtype"]))

    def cell(self, record: dict[str, Any]) -> Storage:
        symbol = self.symbol(record)
        if "value" in record:
            return Storage(jnp.asarray(np.frombuffer(record["value"], symbol.dtype).reshape(record["shape"])))
        found = self.held(record["name"]) if "name" in record else None
        if found is not None and (found._array.shape, found._array.dtype) == (symbol.shape, symbol.dtype):
            return found
        return Storage(symbol)

    def tensor(self, record: dict[str, Any]) -> Tensor:
        storage = self.cells[record["cell"]]
        if "parameter" in record:
            rate, regularizer, need_clip = record["parameter"]
            made: Tensor = Parameter([], name=record["name"], optimize_attr={"learning_rate": rate},
                                     regularizer=self.value(regularizer), need_clip=need_clip)
            made.storage, made._stop_gradient = storage, record["stop"]
            return made
        made = fill(object.__new__(Variable if "open_dims" in record else Tensor), storage, record["stop"])
        made._name, made.persistable = record["name"], record["persistable"]
        if record.get("open_dims") is not None:
            made.__dict__["open_dims"] = record["open_dims"]
        return made

    def instructions(self, records: Sequence[dict[str, Any]], graph: Graph) -> list[Instruction]:
        return [self.instruction(record, graph) for record in records]

    def instruction(self, record: dict[str, Any], graph: Graph) -> Instruction:
        args = tuple([self.value(v, graph) for v in record["args"]])
        made = Instruction(function_named(record["fn"]), args, {k: self.value(v, graph) for k, v in record["kwargs"]},
                           [self.tensors[i] for i in record["outs"]], [self.cells[i] for i in record["reads"]],
                           record["effect"], [self.cells[i] for i in record["writes"]])
        made.declared, made.stops = [self.symbol(s) for s in record["declared"]], record["stops"]
        amp = record["amp"]
        made.grad_enabled = record["grad_enabled"]
        made.amp = amp and Policy(amp[0], amp[1], frozenset(amp[2]), frozenset(amp[3]), amp[4])
        return made

    def value(self, value: Any, graph: Graph | None = None) -> Any:
        if type(value) is not list:
            return value
        match value:
            case ["tensor", int(number)]:
                return self.tensors[number]
            case ["dim", str(text)]:
                return self.dim(text)
            case ["list", list(items)]:
                return [self.value(v, graph) for v in items]
            case ["tuple", list(items)]:
                return tuple([self.value(v, graph) for v in items])
            case ["dict", list(items)]:
                return {self.value(k, graph): self.value(v, graph) for k, v in items}
            case ["slice", list(parts)]:
                return slice(*[self.value(v, graph) for v in parts])
            case ["complex", float(real), float(imaginary)]:
                return complex(real, imaginary)
            case ["array", str(kind), str(dtype), list(shape), bytes(content)]:
                array = np.frombuffer(content, dtypes.to_numpy(dtype)).reshape(shape)
                return array.copy() if kind == "ndarray" else array[()] if not shape else jnp.asarray(array)
            case ["dtype", str(name), bool(numpy)]:
                return dtypes.to_numpy(name) if numpy else dtypes.convert(name)
            case ["place", str(kind), int(index)]:
                return CPUPlace() if kind == "cpu" else Place(kind, index)
            case ["block", list(arguments), list(instructions), list(outs), tree] if graph is not None:
                inner = graph.inner([self.tensors[i] for i in arguments])
                inner.instructions = self.instructions(instructions, inner)
                return Block.of(inner, [self.tensors[i] for i in outs], plain_tree.rebuild(tree))
            case ["object", str(module), str(name), list(fields)]:
                return made_object(module, name, fields, lambda v: self.value(v, graph))
            case [kind] if kind == _ELLIPSIS:
                return Ellipsis
        raise ValueError(f"{str(value)[:80]!r} describes no argument")


__all__ = ["MAGIC", "decode", "encode"]
