"""A step of an optimizer prepared, and what it was prepared for."""
from __future__ import annotations

import copy
import operator
from collections.abc import Callable
from typing import Any

from kayax.bridge.cells import Storage
from kayax.bridge.tensor import Tensor
from kayax.layers.optimizer.regularizer import WeightDecayRegularizer
from kayax.layers.optimizer.update import Update

PLAIN = {"learning_rate": 1.0}              # the attributes of a Tensor that is not a Parameter
_FIELDS = operator.attrgetter("__dict__")
_OWN = operator.itemgetter("optimize_attr", "regularizer", "need_clip")


class Plan:
    """A step prepared: the pure function, and the cells it writes beside the parameters."""

    __slots__ = ("facts", "update", "cells", "custom")

    def __init__(self, facts: tuple, update: Update, cells: list[Storage], custom: list[Custom]):
        self.facts, self.update, self.cells, self.custom = facts, update, cells, custom


class Custom:
    """A clip of the user's own kind, called on the pairs of its group."""

    def __init__(self, clip: Callable, group: int, groups: list[int]):
        self.clip = clip
        self.places = [i for i, g in enumerate(groups) if g == group]

    def __call__(self, params: list[Tensor], grads: list[Any]) -> list[Any]:
        from kayax.bridge.autograd import no_grad
        grads = list(grads)
        with no_grad():
            pairs = self.clip([(params[i], grads[i]) for i in self.places])
        for i, (_, grad) in zip(self.places, pairs, strict=True):
            grads[i] = grad
        return grads


def facts_of(params: list[Tensor], groups: list[dict[str, Any]], grad_clip: Any) -> tuple:
    """What a user may change from step to step: of parameters, of groups, of clipping."""
    try:
        own = [*map(_OWN, map(_FIELDS, params))]
    except KeyError:                        # Tensors that are no Parameters
        own = [(getattr(p, "optimize_attr", PLAIN), getattr(p, "regularizer", None),
                getattr(p, "need_clip", True)) for p in params]
    options = [[*group.values()][1:] for group in groups]       # all but "params"
    clips = [grad_clip, *[group["grad_clip"] for group in groups]]
    return own, options, [c and (type(c), c.settings) for c in clips]


def copied(facts: Any) -> Any:
    """Facts that stay as they are when the objects in them are changed, and equal them until then."""
    if isinstance(facts, (list, tuple)):
        return type(facts)([copied(part) for part in facts])
    return copy.copy(facts) if isinstance(facts, (dict, WeightDecayRegularizer)) else facts
