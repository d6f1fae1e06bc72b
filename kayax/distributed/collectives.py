"""Collectives over one process: everybody's value is this one's."""
from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from kayax import Tensor, assign
from kayax.distributed.environment import Group, ReduceOp, require_one


class Task:
    """A collective that is done."""

    def wait(self) -> bool:
        """Nothing to wait for."""
        return True

    def is_completed(self) -> bool:
        """Always."""
        return True


def _begin(name: str, *tensors: Any, rank: int = 0, group: Group | None = None) -> Task:
    """Check what every collective checks."""
    require_one(name)
    for tensor in tensors:
        if not isinstance(tensor, Tensor):
            raise TypeError(f"{name} works on Tensors, but got {type(tensor).__name__}.")
    if rank != 0 and (group is None or rank not in group.ranks):
        raise ValueError(f"{name} was given the process {rank}, but there is only process 0.")
    return Task()


def all_reduce(tensor: Tensor, op: int = ReduceOp.SUM, group: Group | None = None, sync_op: bool = True) -> Task:
    """Combine `tensor` over all processes, in place: with one it is what it was."""
    return _begin("all_reduce", tensor)


def reduce(tensor: Tensor, dst: int, op: int = ReduceOp.SUM, group: Group | None = None, sync_op: bool = True) -> Task:
    """Combine `tensor` over all processes, on process `dst`."""
    return _begin("reduce", tensor, rank=dst, group=group)


def broadcast(tensor: Tensor, src: int, group: Group | None = None, sync_op: bool = True) -> Task:
    """Give `tensor` the value that it has on process `src`."""
    return _begin("broadcast", tensor, rank=src, group=group)


def broadcast_object_list(object_list: list, src: int, group: Group | None = None) -> None:
    """Give the list the objects that it has on process `src`."""
    _begin("broadcast_object_list", rank=src, group=group)


def all_gather(tensor_list: Any, tensor: Tensor, group: Group | None = None, sync_op: bool = True) -> Task:
    """Append `tensor` of every process to the list; into a Tensor, their concatenation."""
    task = _begin("all_gather", tensor)
    _receive(tensor_list, [tensor])
    return task


def all_gather_object(object_list: list, obj: Any, group: Group | None = None) -> None:
    """Append `obj` of every process to the list."""
    _begin("all_gather_object")
    object_list.append(copy.deepcopy(obj))


def gather(tensor: Tensor, gather_list: list | None = None, dst: int = 0, group: Group | None = None,
           sync_op: bool = True) -> Task:
    """Append `tensor` of every process to the list, on process `dst`."""
    task = _begin("gather", tensor, rank=dst, group=group)
    if gather_list is None:
        raise ValueError("gather needs a gather_list on the process that receives.")
    _receive(gather_list, [tensor])
    return task


def scatter(tensor: Tensor, tensor_list: Sequence[Tensor] | None = None, src: int = 0, group: Group | None = None,
            sync_op: bool = True) -> Task:
    """Write into `tensor` this process's part of the list on process `src`."""
    task = _begin("scatter", tensor, *(tensor_list or ()), rank=src, group=group)
    assign(_only("scatter", tensor_list), tensor)
    return task


def scatter_object_list(out_object_list: list, in_object_list: list | None = None, src: int = 0,
                        group: Group | None = None) -> None:
    """Give the list this process's object of the list on process `src`."""
    _begin("scatter_object_list", rank=src, group=group)
    out_object_list[:] = [_only("scatter_object_list", in_object_list)]


def reduce_scatter(tensor: Tensor, tensor_list: Any, op: int = ReduceOp.SUM, group: Group | None = None,
                   sync_op: bool = True) -> Task:
    """Combine the lists of all processes, and write this process's part into `tensor`."""
    parts = [tensor_list] if isinstance(tensor_list, Tensor) else tensor_list
    task = _begin("reduce_scatter", tensor, *parts)
    assign(_only("reduce_scatter", parts), tensor)
    return task


def alltoall(out_tensor_list: Any, in_tensor_list: Any, group: Group | None = None, sync_op: bool = True) -> Task:
    """Send the i-th Tensor to process i, and receive one from each."""
    parts = [in_tensor_list] if isinstance(in_tensor_list, Tensor) else list(in_tensor_list)
    task = _begin("alltoall", *parts)
    _only("alltoall", parts)
    _receive(out_tensor_list, parts)
    return task


def alltoall_single(out_tensor: Tensor, in_tensor: Tensor, in_split_sizes: Any = None, out_split_sizes: Any = None,
                    group: Group | None = None, sync_op: bool = True) -> Task:
    """Send the i-th part of `in_tensor` to process i, and receive the parts of `out_tensor`."""
    task = _begin("alltoall_single", out_tensor, in_tensor)
    assign(in_tensor, out_tensor)
    return task


def barrier(group: Group | None = None) -> None:
    """Wait for all processes."""
    _begin("barrier")


def wait(tensor: Tensor, group: Group | None = None, use_calc_stream: bool = True) -> None:
    """Wait until `tensor` has its value."""
    _begin("wait", tensor)
    tensor.array.block_until_ready()


def _receive(target: Any, tensors: list[Tensor]) -> None:
    """What arrives: appended to a list, written into a Tensor."""
    if isinstance(target, Tensor):
        assign(tensors[0], target)
    else:
        target += [t.clone() for t in tensors]


def _only(name: str, parts: Sequence[Any] | None) -> Any:
    if not parts or len(parts) != 1:
        raise ValueError(f"{name} needs a list with one entry for each process, so with one, but got "
                         f"{len(parts) if parts else 'none'}.")
    return parts[0]


__all__ = ["all_gather", "all_gather_object", "all_reduce", "alltoall", "alltoall_single", "barrier", "broadcast",
           "broadcast_object_list", "gather", "reduce", "reduce_scatter", "scatter", "scatter_object_list", "wait"]
