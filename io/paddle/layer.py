"""A model of PaddlePaddle's as a Layer: predicts, fine-tunes, converts, and saves again as this project's own model."""
from __future__ import annotations

import os
from typing import Any

import jax.numpy as jnp
import numpy as np

from kayax.bridge.convert import as_tensor
from kayax.bridge.parameter import Parameter
from kayax.bridge.tensor import Tensor, wrap
from kayax.bridge.to_static.static_function import StaticFunction
from kayax.io.container import ModelFileError
from kayax.io.load import TranslatedLayer
from kayax.io.paddle import interpret, pir, program_desc, tensors
from kayax.io.paddle.find import DESC, INFO, JSON, PARAMS, has_part, identity, open_part, program_file
from kayax.io.paddle.graph import Graph, Variable, walk
from kayax.io.pickle_reader import PickleError
from kayax.io.pickle_reader import read as read_pickle
from kayax.layers.layer import Layer
from kayax.spec.input_spec import InputSpec

_TRIES = 5


def load(path: Any, params_path: Any = None) -> PaddleLayer:
    """Read a model that PaddlePaddle saved: `PREFIX.json` or `PREFIX.pdmodel`, with `PREFIX.pdiparams`.

    path: the prefix, or the program's file. params_path: the parameters' file, if it has another name.

    Nothing in the files is run while they are read. Raises FileNotFoundError, ModelFileError for a damaged file, and
    UnknownOperationError naming every operation that has no counterpart here.
    """
    graph, arrays = read_files(path, params_path)
    interpret.check(graph)
    return PaddleLayer(graph, arrays)


def load_state(path: Any, return_numpy: bool = False) -> dict[str, Any]:
    """The parameters and buffers of such a model by their names in PaddlePaddle, whatever its operations are."""
    _, arrays = read_files(path)
    return {name: np.array(a) if return_numpy else _named(a, name) for name, a in arrays.items()}


def _named(array: np.ndarray, name: str) -> Tensor:
    tensor = wrap(jnp.array(array))
    tensor.name = name
    return tensor


def read_files(path: Any, params_path: Any = None) -> tuple[Graph, dict[str, np.ndarray]]:
    """The program and the parameters by name, of one save; whatever its operations are."""
    path = os.fspath(path)
    prefix = next((path[:-len(s)] for s in (JSON, DESC) if path.endswith(s)), path)
    params = os.fspath(params_path) if params_path is not None else prefix + PARAMS
    for last in (False,) * _TRIES + (True,):
        program = path if path != prefix else program_file(prefix)
        if program is None or not has_part(program):
            raise FileNotFoundError(f"There is no model of PaddlePaddle {path!r}: neither {prefix}{JSON} nor "
                                    f"{prefix}{DESC} is a program of its.")
        before = identity(program)
        graph = pir.read(program) if program.endswith(JSON) else program_desc.read(program)
        try:
            arrays = _arrays(graph, params)
            _add_info(graph, prefix + INFO)
        except (ModelFileError, FileNotFoundError):
            if last or not _changed(program, before):
                raise
            continue
        if not _changed(program, before):
            return graph, arrays
    raise ModelFileError(program, 0, "it is saved again and again while it is being read.")


def _changed(program: str, before: tuple) -> bool:
    """Whether the model was saved again since: then what was read may be of two saves."""
    try:
        return identity(program) != before
    except FileNotFoundError:
        return True


def _arrays(graph: Graph, path: str) -> dict[str, np.ndarray]:
    # Of one name in a program of static mode is one variable: two recurrent layers have their state of dropout so.
    names = sorted({p.name for p in graph.parameters if p.stored})
    if not has_part(path):
        if not names:
            return {}
        raise FileNotFoundError(f"The program {graph.origin} has {len(names)} parameters, but there is no file "
                                f"{path}.")
    arrays = tensors.read(path, names)
    for parameter in (p for p in graph.parameters if p.stored):
        found = arrays[parameter.name]
        wanted = tuple(parameter.shape)
        if found.dtype.name != parameter.dtype or not _fits(found.shape, wanted):
            raise ModelFileError(path, 0, f"tensor {parameter.name!r} is {found.dtype.name}{list(found.shape)}, "
                                 f"but the program has {parameter.dtype}{list(wanted)} there.",
                                 "The two files must be of one save.")
    return arrays


def _fits(shape: tuple[int, ...], declared: tuple[int, ...]) -> bool:
    return len(shape) == len(declared) and all(d in (-1, s) for s, d in zip(shape, declared, strict=True))


def _add_info(graph: Graph, path: str) -> None:
    """Paddle 2 keeps the names that parameters have in the Layer, and which are trained, in a file of its own."""
    if not has_part(path):
        return
    with open_part(path) as file:
        data = file.read()
    if data.startswith(b"KX"):              # of this project's own model, under the same prefix before
        return
    try:
        info, _ = read_pickle(memoryview(data))
        for parameter in graph.parameters:
            facts = info.get(parameter.name, {})
            parameter.structured = str(facts.get("structured_name") or "")
            parameter.trainable = parameter.trainable and bool(facts.get("trainable", True))
            parameter.buffer = parameter.buffer or (bool(facts) and "trainable" not in facts)
    except (PickleError, AttributeError, TypeError) as error:
        raise ModelFileError(path, 0, f"it is no table of parameters' names ({error}).") from None


class PaddleLayer(TranslatedLayer):
    """A program of PaddlePaddle's with its parameters.

    Parameters and buffers have the names they have in Paddle (`linear_0.w_0`), or, where the files tell, those of the
    Layer that was saved (`fc.weight`). It starts in evaluation mode; `train()` switches dropout on and lets the
    statistics of batch normalization move.
    """

    def __init__(self, graph: Graph, arrays: dict[str, np.ndarray]):
        Layer.__init__(self)
        self.__dict__["_graph"] = graph
        planted: dict[str, Tensor] = {}
        self.__dict__["_tensors"] = tensors = {}
        for p in graph.parameters:
            if p.stored and p.name not in planted:
                planted[p.name] = self._plant(p, arrays[p.name])
            tensors[p.key] = planted[p.name] if p.stored else None
        specs = [InputSpec([None if d < 0 else d for d in v.shape], v.dtype, v.name) for v in graph.inputs]
        self.__dict__["_specs"] = specs
        self.__dict__["forward"] = StaticFunction(type(self).forward, instance=self)
        self.eval()

    def _plant(self, parameter: Variable, array: np.ndarray) -> Tensor:
        name = parameter.structured or parameter.name
        path, _, last = name.rpartition(".")
        layer: Any = self
        for part in path.split(".") if path else ():
            if part not in layer._sub_layers:
                layer.add_sublayer(part, Layer(part))
            layer = layer._sub_layers[part]
        if parameter.buffer:
            tensor = wrap(jnp.array(array))
            tensor.name, tensor.persistable = parameter.name, True
            layer._buffers[last] = tensor
        else:
            tensor = Parameter(jnp.array(array), name=parameter.name, trainable=parameter.trainable)
            layer._parameters[last] = tensor
        return tensor

    def forward(self, *args: Any) -> Any:
        """Run the program: one Tensor for each of its inputs; one result, or a list of several."""
        graph = self._graph
        if len(args) != len(graph.inputs):
            names = ", ".join(v.name for v in graph.inputs)
            raise TypeError(f"The program takes {len(graph.inputs)} inputs ({names}), but {len(args)} were given.")
        inputs = [_input(value, spec) for value, spec in zip(args, self._specs, strict=True)]
        outs = self.outputs(inputs)
        return outs[0] if len(outs) == 1 else outs

    def outputs(self, inputs: list[Tensor]) -> list[Tensor]:
        """All outputs for these inputs, which are what the program takes."""
        return interpret.run(self._graph, inputs, self._tensors, self.training)

    def input_specs(self) -> list[InputSpec]:
        """What the program takes."""
        return list(self._specs)

    def program(self, method_name: str = "forward") -> str:
        """The program's operations, one a line."""
        return "\n".join(f"{op.outputs} = {op.name}({op.inputs})" for op in walk(self._graph.block))


def _input(value: Any, spec: InputSpec) -> Tensor:
    tensor = as_tensor(value)
    if spec.dtype is not None and tensor.dtype != spec.dtype:
        raise TypeError(f"The input {spec.name!r} is {spec.dtype}, but a Tensor of {tensor.dtype} was given. Cast it.")
    shape = tensor.storage.array.shape
    if len(shape) != len(spec.shape):
        raise ValueError(f"The input {spec.name!r} has the shape {list(spec.shape)}, but a Tensor of {list(shape)} was "
                         "given.")
    return tensor
