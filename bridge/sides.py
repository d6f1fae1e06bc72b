"""The two sides that `kayax.bridge.merging` makes one value of."""
from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from kayax.bridge.blocks import Block
from kayax.bridge.cells import Storage
from kayax.bridge.either import tensors_in
from kayax.bridge.kinds import Aval
from kayax.bridge.slots import copied_from
from kayax.bridge.tensor import Tensor


class Side:
    """Where one of the two values comes from: a block's outputs, or (without a block) what was there before it."""

    def __init__(self, block: Block | None = None, tensors: Sequence[Tensor] = (), born: Any = None):
        self.block, self.born = block, born     # the objects that were made in the block, by their identities
        self.place = {id(t): i for i, t in enumerate(tensors)}
        self.tensors = list(tensors)            # held, so that their identities stay theirs

    def recipe(self, value: Any) -> tuple:
        """How to get a leaf's array on this side."""
        if not isinstance(value, Tensor):
            return "number", value
        place = self.place.get(id(value))
        return ("outer", value) if place is None else ("out", place)

    def outer(self, value: Tensor) -> bool:
        """Whether a tensor was there before the block."""
        place = self.place.get(id(value))
        return place is None or self.block is None or self.block.leaves[place][0] is value

    def was_there(self, value: Any) -> bool:
        """Whether a container was there before the block: it is that one afterwards, not another like it."""
        return self.born is not None and id(value) not in self.born and all(map(self.outer, tensors_in(value)))

    def roots(self, value: Tensor) -> list[Storage]:
        """Whose memory a tensor that the block made shares, of what is there after the block."""
        place = self.place.get(id(value))
        if place is None or self.block is None:
            return []
        return [*self.block.roots[place], *copied_from(value.storage)]

    def aval(self, value: Tensor) -> Aval:
        place = self.place.get(id(value))
        if place is None or self.block is None:
            found = Aval.of(value.storage.array, value._stop_gradient)
        else:
            found = dataclasses.replace(self.block.avals[place], stop=self.block.leaves[place][1])
        return dataclasses.replace(found, weak=True) if "is_number" in value.__dict__ else found
