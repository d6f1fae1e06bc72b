"""`jit.load`: a saved model as a Layer that predicts and trains without its source."""
from __future__ import annotations

import copy
import functools
import os
import threading
from typing import Any

import numpy as np

from kayax.bridge.call import Call
from kayax.bridge.convert import as_tensor
from kayax.bridge.dispatch import run_call
from kayax.bridge.parameter import Parameter
from kayax.bridge.rng import default_generator
from kayax.bridge.staging import staged
from kayax.bridge.tensor import Tensor, view, wrap
from kayax.bridge.to_static.exporting import Imported
from kayax.bridge.to_static.specs import check_inputs
from kayax.io import state_file
from kayax.io.container import PREAMBLE
from kayax.io.model_format import INFO, MODEL, FunctionRecord, InfoFile, ModelFile, ModelFileError, TensorInfo, load_set
from kayax.io.paddle.find import is_paddle_model
from kayax.io.parsed import check_parses, trust_all
from kayax.io.save import EVAL, TRAIN
from kayax.io.saved_function import check_program, read_function, read_programs
from kayax.io.stored import Stored, find_arrays, load_state
from kayax.layers.layer import Layer
from kayax.spec import tree

_NOTHING = np.zeros(0, np.float32)          # in place of the values that have not been read yet


def load(path: str, **configs: Any) -> TranslatedLayer:
    """Read what `jit.save` wrote under a prefix, here or in PaddlePaddle (versions 2 and 3).

    It takes milliseconds: the values are mapped, and come on use.

    digest: the digest of the model that is expected (``kayax inspect`` shows it): any other is refused, and this
        one's programs are trusted.

    Before a program runs first, it is checked whole (parsed by a process of its own, if it is not known on this machine
    yet) and so are all values that it takes; a single parameter is checked
    when anything first asks for it. So a damaged file is never used.

    Raises FileNotFoundError if there is no such model, ModelFileError if a file is damaged or of another save; for a
    model of PaddlePaddle's also UnknownOperationError (a NotImplementedError), which names every operation that is
    missing here.
    """
    digest = configs.pop("digest", None)
    unknown = sorted(set(configs) - {"model_filename", "params_filename"})
    if unknown or any(value is not None for value in configs.values()):
        raise ValueError(f"jit.load has no option {(unknown or sorted(configs))[0]!r}: give the prefix that jit.save "
                         "was given, and digest= if the model must be a certain one.")
    if digest is None and is_paddle_model(path):
        from kayax.io.paddle.layer import load as load_paddle
        return load_paddle(path)
    try:
        parts = load_set(path, digest)
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(f"There is no model {os.fspath(path)!r}: the file {os.fspath(path)}{MODEL} does not "
                                "exist. Give the prefix that jit.save was given, without a suffix.") from None
    if digest is not None:
        trust_all(parts)
    return TranslatedLayer(parts)


def load_object(path: Any, **configs: Any) -> Any:
    """Read what `paddle.save` wrote, or the parameters of a model that `jit.save` wrote under this prefix.

    Either may come from PaddlePaddle.

    path: a file, a BytesIO, or a prefix. A model gives a dict of its parameters and buffers by unique name
        (``linear_0.w_0``): ``layer.set_state_dict(paddle.load(prefix), use_structured_name=False)``.
    return_numpy: NumPy arrays in place of Tensors. The other configs are those of `paddle.load`.
    """
    if isinstance(path, (str, os.PathLike)) and not os.path.isfile(path):
        if is_paddle_model(path):
            from kayax.io.paddle.layer import load_state as load_paddle_state
            return load_paddle_state(path, bool(configs.get("return_numpy")))
        if os.path.isfile(os.fspath(path) + MODEL):
            return load_state(os.fspath(path), bool(configs.get("return_numpy")))
    return state_file.load(path, **configs)


class TranslatedLayer(Layer):
    """A saved model: a Layer with the parameters and buffers of the original, at the same places.

    It runs as it was saved. `train()` and `eval()` switch between the two behaviours of a model saved in training
    mode; one saved in evaluation mode has only that.
    """

    def __init__(self, parts: dict[str, Any]):
        super().__init__()
        info: InfoFile = parts[INFO]
        arrays = find_arrays(parts)
        planted: dict[tuple, Tensor] = {}
        self.__dict__["_tensors"] = {name: _planted(self, name, stored, info, planted)
                                     for name, stored in arrays.items()}
        methods: dict[str, dict[str, _Method]] = {}
        for suffix, part in parts.items():
            if isinstance(part, ModelFile):
                method = suffix[1:-len(MODEL)] or "forward"
                if not part.functions:
                    raise ModelFileError(part.path, PREAMBLE, "there is no function in it.", where="model.functions")
                methods[method] = {m: _Method(record, arrays, part.path, f"model.functions[{m!r}]")
                                   for m, record in part.functions.items()}
        self.__dict__["_methods"] = methods
        for name, value in _properties(parts[MODEL]).items():
            self.__dict__[name] = functools.partial(copy.deepcopy, value)
        for name in methods:
            if name != "forward":
                self.__dict__[name] = functools.partial(self._run, name)
        if not info.training:
            self.eval()

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Run the saved `forward`."""
        return self._run("forward", *args, **kwargs)

    @staged
    def _run(self, name: str, *args: Any, **kwargs: Any) -> Any:
        modes = self._methods[name]
        method = modes.get(TRAIN if self.training else EVAL) or next(iter(modes.values()))
        return method(self._tensors, args, kwargs)

    def input_specs(self) -> list[Any]:
        """What the saved `forward` takes: an InputSpec for each Tensor."""
        modes = self._methods["forward"]
        return list((modes.get(EVAL) or next(iter(modes.values()))).specs)

    def program(self, method_name: str = "forward") -> str:
        """The saved program as StableHLO text."""
        modes = self._methods[method_name]
        method = modes.get(TRAIN if self.training else EVAL) or next(iter(modes.values()))
        return method.imported.exported["predict"].mlir_module()

    def __deepcopy__(self, memo: dict) -> TranslatedLayer:
        raise TypeError("A loaded model cannot be deep-copied: load it again.")


def _properties(model: ModelFile) -> dict[str, Any]:
    """The values of methods that `to_static(property=True)` marked."""
    found = model.metadata.get("properties", {})
    if not isinstance(found, dict) or not all(name.isidentifier() and name[0] != "_" for name in found):
        raise ModelFileError(model.path, PREAMBLE, "these are no names of properties.", where="metadata.properties")
    return found


class _Method:
    """One saved function in one mode. Its programs are read when it is first called."""

    def __init__(self, record: FunctionRecord, arrays: dict[str, Stored], path: str, where: str):
        self.facts = read_function(record, path, where)
        self.specs, self.parameters = record.inputs, record.parameters
        self._source = record, arrays, path, where
        self._lock = threading.Lock()

    @functools.cached_property
    def imported(self) -> Imported:
        """The programs, compared with the record."""
        record, arrays, path, where = self._source
        check_parses(record.programs, path, where)
        return read_programs(self.facts, record, lambda n: arrays[n].file.shape_dtype(arrays[n].name), path, where)

    @functools.cached_property
    def call(self) -> Call:
        """What runs, after the programs and all values that they take are checked."""
        _, arrays, path, where = self._source
        with self._lock:
            for name, exported in self.imported.exported.items():
                check_program(exported, path, f"{where}.programs[{name!r}]")
            for file in {id(arrays[n].file): arrays[n].file for n in self.parameters}.values():
                file.check(arrays[n].name for n in self.parameters if arrays[n].file is file)
        return self.imported.call

    def __call__(self, tensors: dict[str, Tensor], args: tuple, kwargs: dict[str, Any]) -> Any:
        facts = self.facts
        leaves = check_inputs(facts.structure, self.specs, args, kwargs, facts.name, facts.constraints)
        inputs = [as_tensor(leaf) for leaf in leaves]
        names = iter(self.parameters)
        generator = default_generator()
        cells = [view(generator.storage) if kind == "random" else tensors[next(names)] for kind in facts.cells]
        n_read = len(cells) - facts.n_written
        # What is overwritten below goes in as arrays: no gradient passes through it, and its old value may be lost.
        arrays = [*inputs, *cells[:n_read], *(c.storage.array for c in cells[n_read:])]
        outs = run_call(self.call, arrays)
        n = len(outs) - facts.n_written
        for cell, new in zip(cells[n_read:], outs[n:], strict=True):
            cell.storage.array = new.storage.array
        results = [o.detach() if stop else o for o, stop in zip(outs[:n], facts.out_stops, strict=True)]
        return tree.unflatten(facts.out_structure, results)


def _planted(root: Layer, name: str, stored: Stored, info: InfoFile, planted: dict[tuple, Tensor]) -> Tensor:
    """Put a parameter or buffer at its place; those that have one array in the files are one Tensor again."""
    key = id(stored.file), stored.name
    tensor = planted.get(key)
    if tensor is None:
        tensor = planted[key] = _tensor(stored, info.tensors[name])
    return _plant(root, name, tensor, info)


def _tensor(stored: Stored, facts: TensorInfo) -> Tensor:
    if facts.buffer:
        tensor = wrap(None)
        tensor.name, tensor.persistable = facts.unique_name, True
    else:
        tensor = Parameter(_NOTHING, name=facts.unique_name, trainable=facts.trainable)
    tensor.storage = stored.cell()
    return tensor


def _plant(root: Layer, name: str, tensor: Tensor, info: InfoFile) -> Tensor:
    """Put a tensor where its name says, with plain Layers on the way."""
    path, _, last = name.rpartition(".")
    layer: Any = root
    for part in path.split(".") if path else ():
        if part not in layer._sub_layers:
            layer.add_sublayer(part, Layer(part))
        layer = layer._sub_layers[part]
    (layer._buffers if info.tensors[name].buffer else layer._parameters)[last] = tensor
    return tensor


__all__ = ["TranslatedLayer", "load", "load_object", "load_state"]
