"""What is exported: the evaluation program of a Layer, of a function or of a saved model, with its parameters."""
from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import Sequence
from typing import Any

import numpy as np

from kayax.io.export.arrays import ExportError
from kayax.io.load import TranslatedLayer, load
from kayax.io.save import EVAL, save
from kayax.layers.layer import Layer, mode
from kayax.spec.input_spec import InputSpec


@dataclasses.dataclass
class Model:
    """A program and what it takes: `inputs`, then the arrays of `parameters`. n_outputs of its results are returned.

    names: the unique names of the parameters. trainable: those that are trained.
    """

    exported: Any
    inputs: list[InputSpec]
    parameters: dict[str, np.ndarray]
    arguments: list[str]
    n_outputs: int
    names: dict[str, str]
    trainable: frozenset[str]

    @property
    def text(self) -> str:
        """The program as StableHLO text."""
        return self.exported.mlir_module()


def read(source: Any, input_spec: Sequence[Any] | None = None, method: str = "forward") -> Model:
    """The model behind a prefix of saved files, a loaded model, a Layer or a function.

    A Layer is taken in evaluation mode. Raises ExportError for a program that draws random numbers or writes buffers.
    """
    if isinstance(source, (str, os.PathLike)):
        source = load(os.fspath(source))
    if not (isinstance(source, TranslatedLayer) and "_methods" in source.__dict__):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "model")
            _save(source, path, input_spec)
            found = _read(load(path), method)
        return found
    return _read(source, method)


def _save(source: Any, path: str, input_spec: Sequence[Any] | None) -> None:
    if input_spec is None and hasattr(source, "input_specs"):
        input_spec = source.input_specs()
    if isinstance(source, Layer):
        with mode(source, training=False):
            save(source, path, input_spec=input_spec, trainable=False)
    else:
        save(source, path, input_spec=input_spec, trainable=False)


def _read(layer: TranslatedLayer, method: str) -> Model:
    modes = layer._methods.get(method)
    if modes is None:
        raise ValueError(f"The model has no method {method!r}, only {', '.join(layer._methods)}.")
    saved = modes.get(EVAL) or next(iter(modes.values()))
    facts = saved.facts
    if "random" in facts.cells:
        raise ExportError("The program draws random numbers (dropout in training mode?). Export the Layer in "
                          "evaluation mode: layer.eval().")
    tensors = layer._tensors
    # Views of buffers that jax owns: taken as copies, since the files behind them may be temporary.
    parameters = {n: np.array(tensors[n].numpy()) for n in dict.fromkeys(saved.parameters)}
    names = {n: tensors[n].name for n in parameters}
    return Model(saved.imported.exported["predict"], list(saved.specs), parameters, list(saved.parameters),
                 len(facts.out_stops), names, frozenset(n for n in parameters if not tensors[n].stop_gradient))


