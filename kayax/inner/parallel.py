"""Steps of training on several devices that are written into scripts; with one process there is nothing to exchange."""
from __future__ import annotations

from typing import Any

from kayax.bridge.tensor import Tensor


def _nothing(*_: Any, **__: Any) -> None:
    """Nothing to exchange: there is one process."""


fused_allreduce_gradients = fused_allreduce_gradients_with_group = broadcast_dp_parameters = _nothing
broadcast_mp_parameters = broadcast_sep_parameters = broadcast_sharding_parameters = sync_params_buffers = _nothing
register_sequence_parallel_allreduce_hooks = _nothing


class _OnePart:
    """An exchange between the parts of a sequence, of which there is one: the Tensor itself."""

    @staticmethod
    def apply(input: Tensor, *_: Any, **__: Any) -> Tensor:
        return input


class ScatterOp(_OnePart):
    """Each process's part of a sequence."""


class GatherOp(_OnePart):
    """The whole of a sequence; its gradient goes to each part."""


class AllGatherOp(_OnePart):
    """The whole of a sequence; its gradient is summed."""


class ReduceScatterOp(_OnePart):
    """Each process's part of a sum."""


def scatter(input: Tensor) -> Tensor:
    """Each process's part of a sequence."""
    return input


all_gather = reduce_scatter = scatter


def mark_as_sequence_parallel_parameter(parameter: Any) -> None:
    """Note that a parameter's gradient comes from one part of the sequence."""
    parameter.sequence_parallel = True


def is_sequence_parallel_parameter(parameter: Any) -> bool:
    """Whether that was noted."""
    return getattr(parameter, "sequence_parallel", False)


__all__ = ["AllGatherOp", "GatherOp", "ReduceScatterOp", "ScatterOp", "all_gather", "broadcast_dp_parameters",
           "broadcast_mp_parameters", "broadcast_sep_parameters", "broadcast_sharding_parameters",
           "fused_allreduce_gradients", "fused_allreduce_gradients_with_group", "is_sequence_parallel_parameter",
           "mark_as_sequence_parallel_parameter", "reduce_scatter", "register_sequence_parallel_allreduce_hooks",
           "scatter", "sync_params_buffers"]
