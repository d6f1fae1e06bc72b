"""`jit.save`: a Layer or a function, as programs and parameters in three files."""
from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Callable, Sequence
from typing import Any

import jax

from kayax.bridge.cells import Storage
from kayax.bridge.errors import ConversionError
from kayax.bridge.parameter import Parameter
from kayax.bridge.rng import default_generator
from kayax.bridge.tensor import Tensor, view
from kayax.bridge.to_static.exporting import Exported, describe_tree
from kayax.bridge.to_static.specs import as_spec, is_tensor_like
from kayax.bridge.to_static.static_function import StaticFunction
from kayax.io.model_format import INFO, MODEL, PARAMS, FunctionRecord, InfoFile, ModelFile, TensorInfo, save_set
from kayax.layers.layer import Layer, mode
from kayax.spec import tree
from kayax.spec.input_spec import InputSpec

ANY, TRAIN, EVAL = "any", "train", "eval"


def save(layer: Any, path: str, input_spec: Sequence[Any] | None = None, **configs: Any) -> None:
    """Write a Layer or a function as a model that runs without its source.

    layer: a Layer (its `forward`, and every further method decorated with `to_static`), a function, or a converted one.
    path: the files' common prefix: ``path.pdmodel``, ``path.pdiparams`` and ``path.pdiparams.info``, and for a further
        method ``path.method.pdmodel`` and ``path.method.pdiparams``.
    input_spec: an InputSpec, Tensor or Python value for each argument, nested as the arguments are. Not needed if
        `to_static` was given one, or if the converted function was called, which tells then, its first dim left open.
    trainable: (True) also save the gradient, so that the loaded model can be trained.

    A Layer in training mode is saved with both of its behaviours, one in evaluation mode with that alone.

    Raises ValueError if an argument has no InputSpec, ConversionError if the function is no pure program.
    """
    trainable = configs.pop("trainable", True)
    if not isinstance(path, (str, os.PathLike)) or os.path.basename(os.fspath(path)) == "":
        raise ValueError(f"The path must be a prefix such as 'folder/model', but got {path!r}.")
    functions = _functions(layer)
    if len(functions) > 1 and input_spec is not None:
        raise ValueError(f"The layer has {len(functions)} converted methods ({', '.join(functions)}), so jit.save "
                         "cannot tell which one input_spec is for. Give each its own: @to_static(input_spec=[...]).")
    names = _Names(layer if isinstance(layer, Layer) else None)
    parts: dict[str, Any] = {}
    for name, function in functions.items():
        prefix = "" if name == "forward" else f".{name}"
        model = _export_modes(layer, name, function, input_spec, trainable, names)
        parts[prefix + MODEL] = model
        used = {p: names.tensors[p] for record in model.functions.values() for p in record.parameters}
        if name == "forward":
            used = names.persistable | used
        parts[prefix + PARAMS] = {n: t.numpy() for n, t in used.items()}
    training = isinstance(layer, Layer) and layer.training
    parts[INFO] = InfoFile(
        {n: TensorInfo(t.name, isinstance(t, Parameter) and t.trainable, n in names.buffers)
         for n, t in names.tensors.items()},
        training=training, random_state=default_generator().get_state().words.tolist())
    save_set(path, parts)


def _functions(layer: Any) -> dict[str, StaticFunction]:
    """What is to be saved, by method name; a plain function counts as "forward"."""
    if isinstance(layer, Layer):
        found = {"forward": _as_static(layer.forward, layer)}
        for name in dir(type(layer)):
            if name != "forward" and isinstance(getattr(type(layer), name, None), StaticFunction):
                found[name] = getattr(layer, name)
        return found | {name: value for name, value in layer.__dict__.items()
                        if name != "forward" and isinstance(value, StaticFunction)}
    if callable(layer):
        return {"forward": _as_static(layer, None)}
    raise TypeError(f"jit.save saves a Layer or a function, but got {type(layer).__name__}.")


def _as_static(function: Any, layer: Layer | None) -> StaticFunction:
    if isinstance(function, StaticFunction):
        return function
    bound = getattr(function, "__self__", None)
    return StaticFunction(getattr(function, "__func__", function), instance=bound)


def _export_modes(layer: Any, name: str, function: StaticFunction, input_spec: Any, trainable: bool,
                  names: _Names) -> ModelFile:
    """The programs of one function: for training and evaluation where they differ."""
    versions = {"kayax": "0.1", "jax": jax.__version__, "flax": importlib.metadata.version("flax")}
    first, record = _export(function, input_spec, trainable, names)
    if not (isinstance(layer, Layer) and first.reads_training):
        return ModelFile({ANY: record}, producer=versions)
    if not layer.training:
        return ModelFile({EVAL: record}, producer=versions)
    with mode(layer, training=False):
        _, evaluation = _export(function, input_spec, trainable, names)
    return ModelFile({TRAIN: record, EVAL: evaluation}, producer=versions)


def _export(function: StaticFunction, input_spec: Any, trainable: bool,
            names: _Names) -> tuple[Exported, FunctionRecord]:
    positional, keywords, by_example = _arguments(function, input_spec)
    leaves, structure = tree.flatten((tuple(positional), keywords), is_tensor_like)
    specs = [as_spec(leaf) for leaf in leaves]
    call = function.dygraph_function

    def body(tensors: list[Tensor]) -> Any:
        args, kwargs = tree.unflatten(structure, tensors)
        return call(*args, **kwargs)

    exported, specs = _try_open(body, specs, by_example, function.__name__, trainable)
    cells, parameters = [], []
    for storage in exported.cells:
        if storage is default_generator().storage:
            cells.append("random")
        else:
            cells.append("tensor")
            parameters.append(names.of(storage, exported.fact.captured))
    metadata = {"cells": cells, "n_written": exported.n_written, "wanted": exported.wanted,
                "out_stops": exported.out_stops, "name": function.__name__}
    if exported.differentiable:
        metadata |= {"sources": exported.sources, "given": exported.given}
    return exported, FunctionRecord(exported.programs, specs, parameters, describe_tree(structure),
                                    describe_tree(exported.fact.out_spec), metadata)


def _arguments(function: StaticFunction, input_spec: Any) -> tuple[list[Any], dict[str, Any], bool]:
    """The nested specs of positional and keyword arguments, and whether they come from a call or examples."""
    if input_spec is None and function.input_spec is None and function.last_example is not None:
        (args, values), keys = function.last_example
        return list(args), dict(zip(keys, values, strict=True)), True
    given = input_spec if input_spec is not None else function.input_spec
    if given is not None and not isinstance(given, (list, tuple)):
        raise TypeError(f"input_spec must be a list with one entry for each argument, but got {type(given).__name__}.")
    entries = function.entries([] if given is None else given)
    leaves, structure = tree.flatten([value for _, value in entries], is_tensor_like)
    by_example = bool(leaves) and not any(isinstance(leaf, InputSpec) for leaf in leaves)
    labels = iter(_labels(entries))
    values = tree.unflatten(structure, [as_spec(leaf, next(labels)) for leaf in leaves])
    return values, {}, by_example


def _labels(entries: list[tuple[str, Any]]) -> list[str | None]:
    """The name for each tensor of the entries: the argument's, where it is one tensor."""
    labels: list[str | None] = []
    for name, value in entries:
        leaves, structure = tree.flatten(value, is_tensor_like)
        labels += [name if structure is tree.LEAF else None] * len(leaves)
    return labels


def _try_open(body: Callable, specs: list[InputSpec], by_example: bool, name: str,
              trainable: bool) -> tuple[Exported, list[InputSpec]]:
    """Export with the open dims that were asked for. Specs of examples get an open first dim where that works."""
    if by_example:
        opened = [InputSpec(["batch", *s.shape[1:]], s.dtype, s.name) if len(s.shape) else s for s in specs]
        try:
            return Exported(body, opened, False, name, trainable), opened
        except (ValueError, TypeError, ConversionError):
            return Exported(body, specs, False, name, trainable), specs
    try:
        return Exported(body, specs, False, name, trainable), specs
    except Exception as error:
        first = [s for s in specs if len(s.shape) and s.shape[0] in (None, -1)]
        if len(first) < 2 or not _is_symbolic(error):
            raise
        shared = [InputSpec(["batch", *s.shape[1:]], s.dtype, s.name) if s in first else s for s in specs]
        return Exported(body, shared, True, name, trainable), shared


def _is_symbolic(error: Exception) -> bool:
    """Whether an export failed because two open dims would have to be compared."""
    return isinstance(error, (ValueError, TypeError, jax.errors.InconclusiveDimensionOperation))


class _Names:
    """The name in the file of every cell that a saved function uses."""

    def __init__(self, layer: Layer | None):
        everything = layer.to_static_state_dict() if layer is not None else {}
        self.persistable = dict(layer.state_dict()) if layer is not None else {}
        self.tensors: dict[str, Tensor] = dict(everything)
        self.buffers = {n for n, t in everything.items() if not isinstance(t, Parameter)}
        self._by_storage: dict[Storage, str] = {}
        for name, tensor in everything.items():
            self._by_storage.setdefault(tensor.storage, name)

    def of(self, storage: Storage, captured: Sequence[Tensor]) -> str:
        """The structured name; a tensor that belongs to no layer (a closure's, a global) gets a name here."""
        name = self._by_storage.get(storage)
        if name is None:
            owner = next((t for t in captured if t.storage is storage), None)
            tensor = owner if owner is not None else view(storage)
            name = f"captured_{sum(n.startswith('captured_') for n in self.tensors)}"
            self.tensors[name] = tensor
            self._by_storage[storage] = name
            if not isinstance(tensor, Parameter):
                self.buffers.add(name)
        return name

