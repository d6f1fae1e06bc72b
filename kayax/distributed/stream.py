"""``paddle.distributed.stream``: the collectives with `use_calc_stream`. JAX orders its work itself."""
from __future__ import annotations

from typing import Any

from kayax import Tensor
from kayax.absent import absent
from kayax.distributed import collectives
from kayax.distributed.collectives import Task
from kayax.distributed.environment import Group, ReduceOp


def all_reduce(tensor: Tensor, op: int = ReduceOp.SUM, group: Group | None = None, sync_op: bool = True,
               use_calc_stream: bool = False) -> Task:
    """As `paddle.distributed.all_reduce`."""
    _check(sync_op, use_calc_stream)
    return collectives.all_reduce(tensor, op, group, sync_op)


def reduce(tensor: Tensor, dst: int = 0, op: int = ReduceOp.SUM, group: Group | None = None, sync_op: bool = True,
           use_calc_stream: bool = False) -> Task:
    """As `paddle.distributed.reduce`."""
    _check(sync_op, use_calc_stream)
    return collectives.reduce(tensor, dst, op, group, sync_op)


def broadcast(tensor: Tensor, src: int, group: Group | None = None, sync_op: bool = True,
              use_calc_stream: bool = False) -> Task:
    """As `paddle.distributed.broadcast`."""
    _check(sync_op, use_calc_stream)
    return collectives.broadcast(tensor, src, group, sync_op)


def all_gather(tensor_or_tensor_list: Any, tensor: Tensor, group: Group | None = None, sync_op: bool = True,
               use_calc_stream: bool = False) -> Task:
    """As `paddle.distributed.all_gather`."""
    _check(sync_op, use_calc_stream)
    return collectives.all_gather(tensor_or_tensor_list, tensor, group, sync_op)


def gather(tensor: Tensor, gather_list: list | None = None, dst: int = 0, group: Group | None = None,
           sync_op: bool = True, use_calc_stream: bool = False) -> Task:
    """As `paddle.distributed.gather`."""
    _check(sync_op, use_calc_stream)
    return collectives.gather(tensor, gather_list, dst, group, sync_op)


def scatter(tensor: Tensor, tensor_or_tensor_list: Any = None, src: int = 0, group: Group | None = None,
            sync_op: bool = True, use_calc_stream: bool = False) -> Task:
    """As `paddle.distributed.scatter`, also from one Tensor."""
    _check(sync_op, use_calc_stream)
    parts = [tensor_or_tensor_list] if isinstance(tensor_or_tensor_list, Tensor) else tensor_or_tensor_list
    return collectives.scatter(tensor, parts, src, group, sync_op)


def reduce_scatter(tensor: Tensor, tensor_or_tensor_list: Any, op: int = ReduceOp.SUM, group: Group | None = None,
                   sync_op: bool = True, use_calc_stream: bool = False) -> Task:
    """As `paddle.distributed.reduce_scatter`."""
    _check(sync_op, use_calc_stream)
    return collectives.reduce_scatter(tensor, tensor_or_tensor_list, op, group, sync_op)


def alltoall(out_tensor_or_tensor_list: Any, in_tensor_or_tensor_list: Any, group: Group | None = None,
             sync_op: bool = True, use_calc_stream: bool = False) -> Task:
    """As `paddle.distributed.alltoall`."""
    _check(sync_op, use_calc_stream)
    return collectives.alltoall(out_tensor_or_tensor_list, in_tensor_or_tensor_list, group, sync_op)


def alltoall_single(out_tensor: Tensor, in_tensor: Tensor, out_split_sizes: Any = None, in_split_sizes: Any = None,
                    group: Group | None = None, sync_op: bool = True, use_calc_stream: bool = False) -> Task:
    """As `paddle.distributed.alltoall_single`."""
    _check(sync_op, use_calc_stream)
    return collectives.alltoall_single(out_tensor, in_tensor, in_split_sizes, out_split_sizes, group, sync_op)


def _check(sync_op: bool, use_calc_stream: bool) -> None:
    if use_calc_stream and not sync_op:
        raise RuntimeError("use_calc_stream=True needs sync_op=True.")


__getattr__ = absent("distributed.stream")

__all__ = ["all_gather", "all_reduce", "alltoall", "alltoall_single", "broadcast", "gather", "reduce",
           "reduce_scatter", "scatter"]
