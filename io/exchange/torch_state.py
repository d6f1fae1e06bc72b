"""PyTorch's state dicts into Layers: names and layouts differ in a few known ways."""
from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from kayax.io.exchange.extras import need
from kayax.io.exchange.safetensors_file import as_array, load_safetensors
from kayax.layers.layer import Layer

# PyTorch's ending -> Paddle's. None: Paddle has no such tensor.
_ENDINGS = {"running_mean": "_mean", "running_var": "_variance", "num_batches_tracked": None}
_PROJECTIONS = ("q_proj", "k_proj", "v_proj")


@dataclasses.dataclass
class TorchReport:
    """What became of a state dict. matched: names of the Layer that got a value, with the name it came from.

    missing: names of the Layer without a value. unexpected: names of the state dict without a place.
    mismatched: names of the Layer whose shape differs, with both shapes.
    """

    matched: dict[str, str]
    missing: list[str]
    unexpected: list[str]
    mismatched: dict[str, tuple[list[int], list[int]]]

    @property
    def complete(self) -> bool:
        """Whether every tensor of both sides found its counterpart."""
        return not (self.missing or self.unexpected or self.mismatched)

    def __str__(self) -> str:
        lines = [f"{len(self.matched)} tensors loaded"]
        for what, names in (("without a value", self.missing), ("without a place", self.unexpected)):
            if names:
                lines.append(f"{len(names)} {what}: {', '.join(names)}")
        lines += [f"{name}: here {here}, given {given}" for name, (here, given) in self.mismatched.items()]
        return "\n".join(lines)


def load_torch(layer: Layer, source: Any, rename: Mapping[str, str] | Callable[[str], str] | None = None,
               strict: bool = True) -> TorchReport:
    """Copy the parameters of a PyTorch model into a Layer of the same architecture.

    layer: the Layer, whose names are compared with PyTorch's: weights of Linear are transposed, the statistics of
        batch normalization and the packed projections of attention are renamed, values are cast to the Layer's dtypes.
    source: a state dict (of PyTorch Tensors or arrays), a PyTorch module, or a file: ``.safetensors``, or one that
        ``torch.load`` reads with ``weights_only=True``, for which PyTorch must be installed.
    rename: what else differs: a function of PyTorch's name, or a dict from its prefixes to the Layer's.
    strict: raise ValueError, with the report, unless every tensor of both sides has a counterpart. Nothing is loaded
        then.
    """
    given = _translated(_state_of(source), _renamer(rename))
    here = layer.state_dict()
    transposed = _linear_weights(layer)
    arrays: dict[str, np.ndarray] = {}
    report = TorchReport({}, [], [], {})
    for name, (origin, array) in given.items():
        if name not in here:
            report.unexpected.append(origin)
            continue
        array = array.T if name in transposed and array.ndim == 2 else array
        wanted = list(here[name].shape)
        if list(array.shape) != wanted:
            report.mismatched[name] = wanted, list(array.shape)
            continue
        arrays[name] = array
        report.matched[name] = origin
    filled = {here[n].storage for n in (*report.matched, *report.mismatched)}       # some have a second name
    report.missing = [n for n in here if here[n].storage not in filled]
    if strict and not report.complete:
        raise ValueError(f"The state dict does not fit the Layer (strict=False loads what fits):\n{report}")
    for name, array in arrays.items():
        tensor = here[name]
        tensor.set_value(np.ascontiguousarray(array).astype(tensor.dtype.numpy))
    return report


def _state_of(source: Any) -> Mapping[str, Any]:
    if isinstance(source, (str, os.PathLike)):
        path = os.fspath(source)
        if path.endswith(".safetensors"):
            return load_safetensors(path, return_numpy=True)
        loaded = need("torch", "torch").load(path, map_location="cpu", weights_only=True)
        return loaded.get("state_dict", loaded) if isinstance(loaded, Mapping) else loaded
    if not isinstance(source, Mapping) and hasattr(source, "state_dict"):
        source = source.state_dict()
    if not isinstance(source, Mapping):
        raise TypeError(f"load_torch takes a state dict, a module or a file, but got {type(source).__name__}.")
    return source


def _renamer(rename: Any) -> Callable[[str], str]:
    if rename is None:
        return lambda name: name
    if callable(rename):
        return rename
    prefixes = sorted(rename.items(), key=lambda pair: -len(pair[0]))

    def apply(name: str) -> str:
        return next((new + name[len(old):] for old, new in prefixes if name.startswith(old)), name)

    return apply


def _translated(state: Mapping[str, Any], rename: Callable[[str], str]) -> dict[str, tuple[str, np.ndarray]]:
    """The tensors under Paddle's names, with the names they came from."""
    found: dict[str, tuple[str, np.ndarray]] = {}
    for origin, value in state.items():
        name, array = rename(origin), as_array(value, origin)
        head, _, last = name.rpartition(".")
        prefix = f"{head}." if head else ""
        if last in _ENDINGS:
            ending = _ENDINGS[last]
            if ending is not None:
                found[prefix + ending] = origin, array
        elif re.fullmatch(r"in_proj_(weight|bias)", last):
            for projection, part in zip(_PROJECTIONS, np.split(array, 3), strict=True):
                found[f"{prefix}{projection}.{last[8:]}"] = origin, part
        else:
            found[name] = origin, array
    return found


def _linear_weights(layer: Layer) -> set[str]:
    """The names of the weights that PyTorch keeps transposed."""
    from kayax.layers.linear import Linear
    return {f"{name}.weight" if name else "weight" for name, sub in layer.named_sublayers(include_self=True)
            if isinstance(sub, Linear)}
