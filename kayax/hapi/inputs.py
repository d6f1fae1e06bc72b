"""The InputSpecs of a Model: given by the user, or made from what `forward` takes and what was seen."""
from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from kayax.hapi.steps import as_list
from kayax.static import InputSpec


def named_specs(specs: Any, what: str) -> list[Any]:
    """A list of InputSpecs, checked to have names; a dict is taken in its order."""
    found = list(specs.values()) if isinstance(specs, dict) else as_list(specs)
    for spec in found:
        if not isinstance(spec, InputSpec):
            raise AssertionError(f"{what} of Model must be InputSpecs, but one is a {type(spec).__name__}.")
        if spec.name is None:
            raise ValueError(f"{what} of Model must have names, but {spec} has none.")
    return found


def input_specs(network: Any, seen: Sequence[Any] | None = None) -> list[Any]:
    """One InputSpec for each parameter of ``network.forward``, with the shapes and dtypes of what was seen."""
    forward = network.forward
    parameters = inspect.signature(getattr(forward, "dygraph_function", forward)).parameters.values()
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if seen is None:
        return [InputSpec([None], name=name) for name in names]
    return [InputSpec(list(x.shape), x.dtype, name=name) for name, x in zip(names, seen, strict=False)]
