"""What an optimizer's arguments mean: its groups of parameters, and their regularizers."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kayax.bridge.state import state
from kayax.bridge.tensor import Tensor
from kayax.layers.optimizer.regularizer import L2Decay, WeightDecayRegularizer


def regularizer_of(weight_decay: Any) -> WeightDecayRegularizer | None:
    """The regularizer that an optimizer's or a group's `weight_decay` means."""
    if weight_decay is None or isinstance(weight_decay, WeightDecayRegularizer):
        return weight_decay
    if isinstance(weight_decay, (int, float)) and not isinstance(weight_decay, bool):
        return L2Decay(weight_decay)
    if isinstance(weight_decay, Tensor):
        return L2Decay(float(weight_decay))
    raise TypeError("weight_decay must be a float, a paddle.regularizer.L1Decay or L2Decay, or None, but got "
                    f"{type(weight_decay).__name__}.")


def groups_of(parameters: Any) -> list[dict[str, Any]]:
    """The parameter groups that an optimizer's argument means."""
    if parameters is None and state.graph is not None:
        return []
    if parameters is None:
        raise AttributeError("An optimizer needs its parameters: pass parameters=model.parameters().")
    if isinstance(parameters, (Tensor, str)) or not isinstance(parameters, Iterable):
        raise TypeError("parameters must be a list of Tensors, such as model.parameters(), but got "
                        f"{type(parameters).__name__}.")
    if isinstance(parameters, dict):
        raise TypeError("parameters must be a list: for parameter groups, a list of dicts.")
    given = list(parameters)
    if not any(isinstance(g, dict) for g in given):
        return [{"params": given}]
    for group in given:
        if not isinstance(group, dict) or "params" not in group:
            raise AssertionError("Each parameter group must be a dict with 'params', but one is "
                                 f"{sorted(group) if isinstance(group, dict) else type(group).__name__}.")
    return given
