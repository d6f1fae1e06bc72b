"""Where the values of a saved model are, and cells that fetch them when they are asked for."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from kayax.bridge.cells import Storage, Unread
from kayax.bridge.tensor import wrap
from kayax.io.container import PREAMBLE
from kayax.io.model_format import INFO, InfoFile, ModelFile, ModelFileError, ParamsFile, load_set


def load_state(path: str, return_numpy: bool = False) -> dict[str, Any]:
    """The parameters and buffers of a saved model by their unique names."""
    parts = load_set(path)
    found: dict[str, Any] = {}
    for name, stored in find_arrays(parts).items():
        unique = parts[INFO].tensors[name].unique_name
        if return_numpy:
            found[unique] = np.array(stored.file[stored.name])
            continue
        found[unique] = wrap(None)
        found[unique].storage = stored.cell()
        found[unique].name = unique
    return found


@dataclass(frozen=True)
class Stored:
    """Where an array is: a parameter file, and its name in it."""

    file: ParamsFile
    name: str

    def cell(self) -> Storage:
        """A cell whose array is checked and given to JAX when it is first asked for; on the CPU it is not copied."""
        return Unread(lambda: jax.device_put(self.file[self.name], may_alias=True))

    def digest(self) -> tuple:
        return (*self.file.shape_dtype(self.name), self.file.digest(self.name))


def find_arrays(parts: dict[str, Any]) -> dict[str, Stored]:
    """All arrays of a model by structured name. One without an array of its own is another of the same unique name.

    Raises ModelFileError if a function or `.pdiparams.info` names an array that is nowhere, or the reverse.
    """
    info: InfoFile = parts[INFO]
    found: dict[str, Stored] = {}
    for part in parts.values():
        if isinstance(part, ParamsFile):
            for name in part:
                found.setdefault(name, Stored(part, name))
    for name in found:
        if name not in info.tensors:
            raise ModelFileError(info.path, PREAMBLE, f"{name!r}, which {found[name].file.path} has, is not in it.",
                                 where="info.tensors")
    owners = {info.tensors[name].unique_name: stored for name, stored in reversed(found.items())}
    for name, facts in info.tensors.items():
        if name not in found and facts.unique_name in owners:
            found[name] = owners[facts.unique_name]
    wanted = [name for part in parts.values() if isinstance(part, ModelFile)
              for record in part.functions.values() for name in record.parameters]
    missing = next((name for name in (*info.tensors, *wanted) if name not in found), None)
    if missing is not None:
        raise ModelFileError(info.path, PREAMBLE, f"{missing!r} is in none of the model's parameter files.",
                             where="info.tensors")
    return {name: found[name] for name in info.tensors}
