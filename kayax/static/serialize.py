"""Programs as bytes: what `paddle.save` and `paddle.load` do with a program, and the functions for bytes."""
from __future__ import annotations

import io
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from kayax.bridge.cells import Storage
from kayax.bridge.graph import Graph
from kayax.bridge.staging import suspended
from kayax.bridge.symbols import Symbol, declared
from kayax.bridge.tensor import Tensor
from kayax.io import atomic, graph_file, state_file
from kayax.io.paddle import interpret, pir, program_desc, tensors
from kayax.io.paddle.layer import PaddleLayer
from kayax.static.program import Program, default_main_program, normalize_program, programs


def program_bytes(program: Program) -> bytes:
    """A program, with the initializers of its parameters if it is a startup program, without values."""
    graph, initial = program.graph, dict(program.initializers)
    for main in programs:
        if main.startup is program:
            graph = Graph() if graph is program.graph else graph
            for parameter, initialize in main.graph.created:
                graph.persistable[parameter] = None
                initial[parameter.name] = initialize
    return graph_file.encode(graph, {"seed": program._seed, "fetched": program.fetched, "initial": initial})


def program_of(content: bytes, what: str = "the program") -> Program:
    """The program in these bytes. Parameters that are here by name keep their values; others have none."""
    named = dict(_cells()) | dict(Graph.values)
    graph, facts = graph_file.decode(content, named.get, ("seed", "fetched", "initial"), what)
    program = Program()
    program.graph, (program._seed, program.fetched, program.initializers) = graph, facts
    return program


def _cells() -> Iterator[tuple[str, Storage]]:
    """The parameters and buffers of all programs."""
    for program in programs:
        for tensor in program.graph.persistable:
            yield tensor.name, tensor.storage


def write_program(program: Program, path: Any) -> None:
    """Write a program to a file, or into a BytesIO."""
    content = program_bytes(program)
    if isinstance(path, io.BytesIO):
        path.write(content)
    else:
        atomic.write_file(path, content)


# ---- paddle.static's functions -----------------------------------------------------------------------------------


def serialize_program(feed_vars: Any, fetch_vars: Any, **kwargs: Any) -> bytes:
    """What computes `fetch_vars` from `feed_vars`, without the values of parameters, as bytes of this project's format.

    program: (keyword) the main program if not given. legacy_format: (keyword) accepted.
    """
    return program_bytes(_chosen(feed_vars, fetch_vars, kwargs))


def serialize_persistables(feed_vars: Any, fetch_vars: Any, executor: Any, **kwargs: Any) -> bytes | None:
    """The values of the parameters and buffers which that computation needs, as `paddle.save` writes them.

    None, with a warning, if there are none. executor: accepted. program: (keyword) the main program if not given.
    """
    values = _needed(_chosen(feed_vars, fetch_vars, kwargs))
    if not values:
        warnings.warn("The program has no parameters and no buffers: there is nothing to serialize.", stacklevel=2)
        return None
    file = io.BytesIO()
    with suspended():
        state_file.save(values, file)
    return file.getvalue()


def deserialize_program(data: bytes) -> Program:
    """The program in bytes of `serialize_program`, or of Paddle's (a ``.pdmodel`` or ``.json`` file).

    Run without a `fetch_list` it gives its results. Parameters whose names are in use here have those values; others
    have none until `deserialize_persistables`, `static.load` or `set_state_dict`.
    """
    _need_bytes(data, "data")
    return program_of(data) if data.startswith(graph_file.MAGIC) else _of_paddle(data)


def deserialize_persistables(program: Program, data: bytes, executor: Any) -> None:
    """Give the parameters and buffers of a program the values in these bytes, of this package or of Paddle.

    executor: accepted. Raises ValueError if a value is missing or has another shape.
    """
    if not isinstance(program, Program):
        raise TypeError(f"program must be a Program, but got {type(program).__name__}.")
    _need_bytes(data, "data")
    with suspended():
        own = {t.name: t for t in program.graph.persistable}
        values = (_as_file(data, lambda path: tensors.read(path, sorted(own))) if data.startswith(bytes(4))
                  else state_file.load(io.BytesIO(data), return_numpy=True))
        missing = sorted(own.keys() - values)
        if missing:
            raise ValueError(f"The bytes have no value for {', '.join(missing)}.")
        for name, tensor in own.items():
            tensor.set_value(np.array(values[name]))


def save_to_file(path: str, content: bytes) -> None:
    """Write bytes to a file. Raises ValueError for anything but bytes."""
    if not isinstance(content, bytes):
        raise ValueError(f"content must be bytes, but got {type(content).__name__}.")
    atomic.write_file(path, content)


def load_from_file(path: str) -> bytes:
    """The bytes in a file."""
    with open(path, "rb") as file:
        return file.read()


def _chosen(feed_vars: Any, fetch_vars: Any, kwargs: dict[str, Any]) -> Program:
    return normalize_program(kwargs.get("program") or default_main_program(), feed_vars, fetch_vars)


def _needed(program: Program) -> dict[str, Tensor]:
    """The parameters and buffers that its instructions read, by name."""
    read = {s for i in program.graph.instructions for s in i.reads}
    return {t.name: t for t in program.graph.persistable if t.storage in read}


def _need_bytes(value: Any, name: str) -> None:
    if not isinstance(value, bytes):
        raise ValueError(f"{name} must be bytes, but got {type(value).__name__}.")


# ---- Paddle's bytes ----------------------------------------------------------------------------------------------


def _as_file(content: bytes, read: Callable[[str], Any], suffix: str = "") -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, f"bytes{suffix}")
        with open(path, "wb") as file:
            file.write(content)
        return read(path)


def _of_paddle(data: bytes) -> Program:
    reader, suffix = (pir.read, ".json") if data.lstrip().startswith(b"{") else (program_desc.read, ".pdmodel")
    model = _as_file(data, reader, suffix)
    interpret.check(model)
    with suspended():
        layer = PaddleLayer(model, {p.name: np.zeros(p.shape, tensors.numpy_dtype(p.dtype))
                                    for p in model.parameters if p.stored})
        program = program_around(layer)
    for tensor in layer.state_dict().values():              # the values are in a file of their own
        program.graph.persistable.setdefault(tensor)
        tensor.storage._array = Symbol(tensor.storage._array.shape, tensor.storage._array.dtype)
    return program


def program_around(layer: Any) -> Program:
    """A program of one instruction: a loaded model."""
    program = Program()
    for i, spec in enumerate(layer.input_specs()):
        name = spec.name or f"feed_{i}"
        program.graph.data[name] = declared(spec.shape, spec.dtype, name, i)

    def forward(*inputs: Any) -> Any:           # it holds the Layer, which a converted method of it does not
        return layer.forward(*inputs)

    outs = program.graph.record(forward, tuple(program.graph.data.values()), {})
    program.fetched = _as_list(outs)
    return program


def _as_list(value: Any) -> Sequence[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


__all__ = ["deserialize_persistables", "deserialize_program", "load_from_file", "program_around",
           "program_bytes", "program_of", "save_to_file", "serialize_persistables", "serialize_program",
           "write_program"]
