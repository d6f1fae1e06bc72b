"""Tensor methods with an underscore that Paddle's own libraries call: memory, versions, gradients."""
from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from kayax.bridge.registry import attach
from kayax.bridge.tensor import Tensor
from kayax.bridge.views import exchange, layout_of


def _is_initialized(self: Tensor) -> bool:
    """True: a Tensor has a value from the start."""
    return True


def _numel(self: Tensor) -> int:
    """The number of elements."""
    return self.size


def _inplace_version(self: Tensor) -> int:
    """How often the value was written in place."""
    return self.inplace_version


def _grad_ivar(self: Tensor) -> Tensor | None:
    """The accumulated gradient, or None."""
    return self.grad


def _slice(self: Tensor, begin_idx: int, end_idx: int) -> Tensor:
    """The rows from one to before the other, sharing memory."""
    return self[begin_idx:end_idx]


def _clear_data(self: Tensor) -> None:
    """Let go of the value: no elements are left."""
    exchange(self, jnp.zeros((0,), self.storage.array.dtype))


def _share_buffer_to(self: Tensor, dst: Tensor) -> None:
    """Let another Tensor see this one's memory."""
    dst.storage = self.storage


def _is_shared_buffer_with(self: Tensor, dst: Tensor) -> bool:
    """Whether both see the same memory."""
    return _memory(self) is _memory(dst)


def _memory(x: Tensor) -> Any:
    return x.storage.root if x.storage.is_view else x.storage


def _offset(self: Tensor) -> int:
    """How many elements lie before its first in the memory that it shares."""
    return layout_of(self).offset


for _method in (_is_initialized, _numel, _inplace_version, _grad_ivar, _slice, _clear_data, _share_buffer_to,
                _is_shared_buffer_with, _offset):
    attach(_method.__name__, _method)
attach("_clear", _clear_data)
attach("_place_str", property(lambda self: str(self.place), doc="The name of the place."))

__all__: list[str] = []
