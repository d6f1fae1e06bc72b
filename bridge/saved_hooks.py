"""Hooks on what the tape keeps for the backward pass, such as to move it to the host or to disk meanwhile."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from kayax.bridge.errors import ConversionError, at_user_line
from kayax.bridge.state import state
from kayax.bridge.tensor import Tensor, wrap


class saved_tensors_hooks:
    """Inside the `with` block, each Tensor that an operation keeps for its gradient goes through two functions.

    pack_hook: called with the Tensor when it is kept; what it returns, of any kind, is kept in its place. unpack_hook:
    called with that in the backward pass; it returns the Tensor. `save_for_backward` of a PyLayer goes through them,
    too. What a converted function keeps stays inside its program.
    """

    def __init__(self, pack_hook: Callable[[Tensor], Any], unpack_hook: Callable[[Any], Tensor]):
        if not callable(pack_hook) or not callable(unpack_hook):
            raise TypeError("pack_hook and unpack_hook must be functions.")
        self.pack_hook, self.unpack_hook = pack_hook, unpack_hook

    def __enter__(self) -> None:
        if state.trace is not None:
            raise ConversionError(f"saved_tensors_hooks inside a converted function: XLA decides there what is kept."
                                  f"{at_user_line()}\nUse paddle.distributed.fleet.utils.recompute to keep less.")
        self._held, state.saved_hooks = state.saved_hooks, self

    def __exit__(self, *_: Any) -> None:
        state.saved_hooks = self._held

    def pack(self, arrays: Sequence[Any], needed: Sequence[bool]) -> Packed:
        """The arrays that a node keeps, those that are needed through the hook."""
        return Packed([self.pack_hook(wrap(a)) if n else a for a, n in zip(arrays, needed, strict=True)], needed,
                      self.unpack_hook)


class Packed:
    """Arrays that were packed: iterating over them unpacks."""

    def __init__(self, values: list[Any], packed: Sequence[bool], unpack: Callable[[Any], Tensor]):
        self.values, self.packed, self.unpack = values, packed, unpack

    def __iter__(self) -> Iterator[Any]:
        for value, packed in zip(self.values, self.packed, strict=True):
            yield unpacked(self.unpack, value) if packed else value

    def __len__(self) -> int:
        return len(self.values)


def unpacked(unpack: Callable[[Any], Tensor], value: Any) -> Any:
    """The array of what an unpack hook gives."""
    tensor = unpack(value)
    if not isinstance(tensor, Tensor):
        raise TypeError(f"unpack_hook must return a Tensor, but returned {type(tensor).__name__}.")
    return tensor.storage.array
