"""`jit.load`: a saved model as a Layer that predicts and trains without its source."""
from __future__ import annotations

import functools
import os
from typing import Any

import jax.numpy as jnp
import numpy as np

from kayax.bridge.convert import as_tensor
from kayax.bridge.dispatch import run_call
from kayax.bridge.parameter import Parameter
from kayax.bridge.rng import default_generator
from kayax.bridge.tensor import Tensor, view, wrap
from kayax.bridge.to_static.exporting import Imported, rebuild_tree
from kayax.bridge.to_static.specs import check_inputs
from kayax.io import state_file
from kayax.io.model_format import INFO, MODEL, FunctionRecord, InfoFile, ModelFile, ParamsFile, load_set
from kayax.io.save import EVAL, TRAIN
from kayax.layers.layer import Layer
from kayax.spec import tree


def load(path: str, **configs: Any) -> TranslatedLayer:
    """Read what `jit.save` wrote under a prefix.

    Raises FileNotFoundError if there is no such model, ModelFileError if a file is damaged or of another save.
    """
    if not os.path.exists(os.fspath(path) + MODEL):
        raise FileNotFoundError(f"There is no model {os.fspath(path)!r}: the file {os.fspath(path)}{MODEL} does not "
                                "exist. Give the prefix that jit.save was given, without a suffix.")
    return TranslatedLayer(load_set(path))


def load_object(path: Any, **configs: Any) -> Any:
    """Read what `paddle.save` wrote, or the parameters of a model that `jit.save` wrote under this prefix.

    path: a file, a BytesIO, or a prefix. A model gives a dict of its parameters and buffers by unique name
        (``linear_0.w_0``): ``layer.set_state_dict(paddle.load(prefix), use_structured_name=False)``.
    return_numpy: NumPy arrays in place of Tensors. The other configs are those of `paddle.load`.
    """
    if isinstance(path, (str, os.PathLike)) and not os.path.isfile(path) and os.path.isfile(os.fspath(path) + MODEL):
        return load_state(os.fspath(path), bool(configs.get("return_numpy")))
    return state_file.load(path, **configs)


def load_state(path: str, return_numpy: bool = False) -> dict[str, Any]:
    """The parameters and buffers of a saved model by their unique names."""
    parts = load_set(path)
    info: InfoFile = parts[INFO]
    found: dict[str, Any] = {}
    for name, array in _arrays(parts).items():
        unique = info.tensors[name].unique_name
        if return_numpy:
            found[unique] = np.array(array)
            continue
        found[unique] = wrap(jnp.array(array))
        found[unique].name = unique
    return found


def _arrays(parts: dict[str, Any]) -> dict[str, np.ndarray]:
    """All arrays of a model's parameter files by structured name."""
    arrays: dict[str, np.ndarray] = {}
    for part in parts.values():
        if isinstance(part, ParamsFile):
            for name in part:
                if name not in arrays:
                    arrays[name] = part[name]
    return arrays


class TranslatedLayer(Layer):
    """A saved model: a Layer with the parameters and buffers of the original, at the same places.

    It runs as it was saved. `train()` and `eval()` switch between the two behaviours of a model saved in training
    mode; one saved in evaluation mode has only that.
    """

    def __init__(self, parts: dict[str, Any]):
        super().__init__()
        info: InfoFile = parts[INFO]
        planted: dict[str, Tensor] = {}
        self.__dict__["_tensors"] = {name: _planted(self, name, array, info, planted)
                                     for name, array in _arrays(parts).items()}
        methods: dict[str, dict[str, _Method]] = {}
        for suffix, part in parts.items():
            if isinstance(part, ModelFile):
                method = suffix[1:-len(MODEL)] or "forward"
                methods[method] = {m: _Method(record) for m, record in part.functions.items()}
        self.__dict__["_methods"] = methods
        for name in methods:
            if name != "forward":
                self.__dict__[name] = functools.partial(self._run, name)
        if not info.training:
            self.eval()

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Run the saved `forward`."""
        return self._run("forward", *args, **kwargs)

    def _run(self, name: str, *args: Any, **kwargs: Any) -> Any:
        modes = self._methods[name]
        method = modes.get(TRAIN if self.training else EVAL) or next(iter(modes.values()))
        return method(self._tensors, args, kwargs)

    def program(self, method_name: str = "forward") -> str:
        """The saved program as StableHLO text."""
        modes = self._methods[method_name]
        method = modes.get(TRAIN if self.training else EVAL) or next(iter(modes.values()))
        return method.imported.exported["predict"].mlir_module()

    def __deepcopy__(self, memo: dict) -> TranslatedLayer:
        raise TypeError("A loaded model cannot be deep-copied: load it again.")


class _Method:
    """One saved function in one mode."""

    def __init__(self, record: FunctionRecord):
        meta = record.metadata
        self.name, self.specs = meta["name"], record.inputs
        self.structure, self.out_structure = rebuild_tree(record.input_tree), rebuild_tree(record.output_tree)
        self.cells, self.parameters = meta["cells"], record.parameters
        self.n_written, self.out_stops = meta["n_written"], meta["out_stops"]
        self.imported = Imported(record.programs, self.name, meta["wanted"], meta.get("sources", ()),
                                 meta.get("given", ()))

    def __call__(self, tensors: dict[str, Tensor], args: tuple, kwargs: dict[str, Any]) -> Any:
        inputs = [as_tensor(leaf) for leaf in check_inputs(self.structure, self.specs, args, kwargs, self.name)]
        names = iter(self.parameters)
        generator = default_generator()
        cells = [view(generator.storage) if kind == "random" else tensors[next(names)] for kind in self.cells]
        n_read = len(cells) - self.n_written
        # What is overwritten below goes in as arrays: no gradient passes through it, and its old value may be lost.
        arrays = [*inputs, *cells[:n_read], *(c.storage.array for c in cells[n_read:])]
        outs = run_call(self.imported.call, arrays)
        n = len(outs) - self.n_written
        for cell, new in zip(cells[n_read:], outs[n:], strict=True):
            cell.storage.array = new.storage.array
        results = [o.detach() if stop else o for o, stop in zip(outs[:n], self.out_stops, strict=True)]
        return tree.unflatten(self.out_structure, results)


def _planted(root: Layer, name: str, array: np.ndarray, info: InfoFile, planted: dict[str, Tensor]) -> Tensor:
    """Put a parameter or buffer at its place; one that several layers shared is shared again."""
    unique = info.tensors[name].unique_name
    known = planted.get(unique)
    if known is not None and np.asarray(known.array).tobytes() == array.tobytes():
        return _plant(root, name, known, info)
    tensor = planted[unique] = _plant(root, name, array, info)
    return tensor


def _plant(root: Layer, name: str, array: np.ndarray | Tensor, info: InfoFile) -> Tensor:
    """Put a parameter or buffer (made of an array, or existing) where its name says, with plain Layers on the way."""
    path, _, last = name.rpartition(".")
    layer: Any = root
    for part in path.split(".") if path else ():
        if part not in layer._sub_layers:
            layer.add_sublayer(part, Layer(part))
        layer = layer._sub_layers[part]
    facts = info.tensors[name]
    if isinstance(array, Tensor):
        (layer._buffers if facts.buffer else layer._parameters)[last] = tensor = array
    elif facts.buffer:
        tensor = wrap(jnp.array(array))
        tensor.name = facts.unique_name
        layer._buffers[last] = tensor
        tensor.persistable = True
    else:
        tensor = Parameter(jnp.array(array), name=facts.unique_name, trainable=facts.trainable)
        layer._parameters[last] = tensor
    return tensor


__all__ = ["TranslatedLayer", "load", "load_object", "load_state"]
