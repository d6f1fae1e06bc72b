"""`jit.save`: a Layer or a function, as programs and parameters in three files."""
from __future__ import annotations

import functools
import importlib.metadata
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax

from kayax.bridge.errors import ConversionError
from kayax.bridge.parameter import Parameter
from kayax.bridge.rng import default_generator
from kayax.bridge.tensor import Tensor
from kayax.bridge.to_static.exporting import Exported
from kayax.bridge.to_static.specs import as_spec, is_tensor_like
from kayax.bridge.to_static.static_function import StaticFunction
from kayax.io.model_format import INFO, MODEL, PARAMS, FunctionRecord, InfoFile, ModelFile, TensorInfo, save_set
from kayax.io.open_dims import export_open
from kayax.io.parsed import trust
from kayax.io.tensor_names import Names
from kayax.layers.hooks import Hooks
from kayax.layers.layer import Layer, mode
from kayax.spec import tree
from kayax.spec.constraints import Constraint, check_names, read_constraints
from kayax.spec.input_spec import InputSpec
from kayax.spec.plain_tree import TreeError, describe

ANY, TRAIN, EVAL = "any", "train", "eval"
# Paddle's options that choose between layouts of its own files, and mean nothing here.
_PADDLE_CONFIGS = frozenset(("output_spec", "combine_params", "clip_extra", "skip_forward",
                             "input_names_after_prune", "skip_prune_program", "separate_parameters"))


def save(layer: Any, path: str, input_spec: Sequence[Any] | None = None, **configs: Any) -> None:
    """Write a Layer or a function as a model that runs without its source.

    layer: a Layer (its `forward`, and every further method decorated with `to_static`), a function, or a converted one.
        Of a method decorated with ``to_static(property=True)`` the Python value that it gives now is saved.
    path: the files' common prefix: ``path.pdmodel``, ``path.pdiparams`` and ``path.pdiparams.info``, and for a further
        method ``path.method.pdmodel`` and ``path.method.pdiparams``.
    input_spec: an InputSpec, Tensor or Python value for each argument, nested as the arguments are. Not needed if
        `to_static` was given one, or if the converted function was called, which tells then, its first dim left open.
    trainable: (True) also save the gradient, so that the loaded model can be trained.
    with_hook: (True) run the Layer's own forward hooks, as a call does; those of the Layers inside run always.
    constraints: what is known of named open dims, such as ``["seq % 8 == 0", "batch <= 64"]``; calls are held to it.

    format: "kayax", or "paddle" for the files of PaddlePaddle 3 itself: ``path.json`` and ``path.pdiparams``, the
        `forward` alone in evaluation mode, which real Paddle's `jit.load` reads (and ours).

    A Layer in training mode is saved with both of its behaviours, one in evaluation mode with that alone.

    Raises ValueError if an argument has no InputSpec, OpenDimensionError (a ValueError) if the function does not work
    for every size of its open dims, ConversionError if it is no pure program.
    """
    form = configs.pop("format", "kayax")
    if form not in ("kayax", "paddle"):
        raise ValueError(f"format must be 'kayax' or 'paddle', but got {form!r}.")
    if form == "paddle":
        from kayax.io.export.to_paddle import export
        export(layer, path, input_spec)
        return
    options = _Options(input_spec, configs.pop("trainable", True), read_constraints(configs.pop("constraints", [])))
    with_hook = configs.pop("with_hook", True)
    _check_configs(configs)
    if not isinstance(path, (str, os.PathLike)) or os.path.basename(os.fspath(path)) == "":
        raise ValueError(f"The path must be a prefix such as 'folder/model', but got {path!r}.")
    functions = _functions(layer)
    properties = {name: functions.pop(name).dygraph_function() for name in list(functions)
                  if getattr(functions[name].dygraph_function, "_is_property", False)}
    if len(functions) > 1 and input_spec is not None:
        raise ValueError(f"The layer has {len(functions)} converted methods ({', '.join(functions)}), so jit.save "
                         "cannot tell which one input_spec is for. Give each its own: @to_static(input_spec=[...]).")
    names = Names(layer if isinstance(layer, Layer) else None)
    parts: dict[str, Any] = {}
    stored: set[str] = set()
    for name, function in functions.items():
        prefix = "" if name == "forward" else f".{name}"
        hooks = layer._hooks if name == "forward" and with_hook and isinstance(layer, Layer) else None
        model = _export_modes(layer, function, options, names, hooks)
        parts[prefix + MODEL] = model
        used = {p: names.tensors[p] for record in model.functions.values() for p in record.parameters}
        if name == "forward":
            used = names.persistable | used
        stored |= used.keys()
        parts[prefix + PARAMS] = {n: t.numpy() for n, t in names.unstored(used)}
    options.check_used()
    if properties:
        parts[MODEL].metadata["properties"] = properties
    training = isinstance(layer, Layer) and layer.training
    parts[INFO] = InfoFile(
        {n: TensorInfo(t.name, isinstance(t, Parameter) and t.trainable, n in names.buffers)
         for n, t in names.tensors.items() if n in stored},
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


@dataclass
class _Options:
    """What `save` was asked for, and the dimensions that the saved functions turn out to have."""

    input_spec: Any
    trainable: bool
    constraints: list[Constraint]
    named: dict[str, None] = field(default_factory=dict)

    def constraints_of(self, specs: Sequence[InputSpec]) -> list[Constraint]:
        """Those about the dimensions of one function."""
        mine = dict.fromkeys(d for s in specs for d in s.shape if isinstance(d, str))
        self.named |= mine
        return [c for c in self.constraints if mine.keys() >= set(c.names)]

    def check_used(self) -> None:
        """A ValueError if a constraint is about no dimension of any function."""
        check_names(self.constraints, self.named)


def _check_configs(configs: dict[str, Any]) -> None:
    unknown = sorted(set(configs) - _PADDLE_CONFIGS)
    if unknown:
        raise ValueError(f"jit.save has no option {unknown[0]!r}. Its options are input_spec, trainable, constraints.")
    if configs.get("output_spec") is not None:
        raise ValueError("jit.save saves all outputs: output_spec is not supported. Save a function that returns only "
                         "the outputs that are wanted.")


def _export_modes(layer: Any, function: StaticFunction, options: _Options, names: Names,
                  hooks: Hooks | None) -> ModelFile:
    """The programs of one function: for training and evaluation where they differ."""
    around = None if hooks is None else functools.partial(hooks.run, layer)
    versions = {"kayax": _version(), "jax": jax.__version__, "flax": importlib.metadata.version("flax"),
                "python": platform.python_version()}
    first, record = _export(function, options, names, around)
    if not (isinstance(layer, Layer) and first.reads_training):
        return ModelFile({ANY: record}, producer=versions)
    if not layer.training:
        return ModelFile({EVAL: record}, producer=versions)
    with mode(layer, training=False):
        _, evaluation = _export(function, options, names, around)
    return ModelFile({TRAIN: record, EVAL: evaluation}, producer=versions)


def _version() -> str:
    try:
        return importlib.metadata.version("kayax")
    except importlib.metadata.PackageNotFoundError:         # run from a checkout that is not installed
        return "unknown"


def _export(function: StaticFunction, options: _Options, names: Names,
            around: Callable | None) -> tuple[Exported, FunctionRecord]:
    """around: what calls the function with hooks."""
    positional, keywords, by_example = _arguments(function, options.input_spec)
    leaves, structure = tree.flatten((tuple(positional), keywords), is_tensor_like)
    specs = [as_spec(leaf) for leaf in leaves]
    known = options.constraints_of(specs)
    call = function.rewritten

    def body(tensors: list[Tensor]) -> Any:
        args, kwargs = tree.unflatten(structure, tensors)
        return call(*args, **kwargs) if around is None else around(call, args, kwargs)

    exported, specs = export_open(body, specs, by_example, function.__name__, options.trainable, known)
    cells, parameters = [], []
    for storage in exported.cells:
        if storage is default_generator().storage:
            cells.append("random")
        else:
            cells.append("tensor")
            parameters.append(names.of(storage, exported.fact.captured))
    metadata = {"cells": cells, "n_written": exported.n_written, "wanted": exported.wanted,
                "out_stops": exported.out_stops, "name": function.__name__}
    if known:
        metadata["constraints"] = [constraint.text for constraint in known]
    if exported.differentiable:
        metadata |= {"sources": exported.sources, "given": exported.given}
    try:
        trees = describe(structure), describe(exported.fact.out_spec)
    except TreeError as error:
        raise ConversionError(f"`{function.__name__}` cannot be saved. {error}") from None
    trust(exported.programs, keep=True)
    return exported, FunctionRecord(exported.programs, specs, parameters, *trees, metadata)


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
