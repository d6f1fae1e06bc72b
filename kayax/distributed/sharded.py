"""Tensors and Layers placed on a mesh: one program over all devices, which XLA divides as the placements say."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax

from kayax.bridge.cells import Storage
from kayax.bridge.convert import to_tensor
from kayax.bridge.registry import op
from kayax.bridge.tensor import Tensor, fill
from kayax.distributed.mesh import Placement, ProcessMesh, Replicate, Shard, sharding_of
from kayax.layers.layer import Layer


@op(name="distributed.placed")
def _placed(x, place):
    return x if place is None else jax.lax.with_sharding_constraint(x, place)


def shard_tensor(data: Any, mesh: ProcessMesh, placements: Sequence[Placement], dtype: Any = None, place: Any = None,
                 stop_gradient: bool | None = None) -> Tensor:
    """A new Tensor of the data, placed on the devices of a mesh; a Parameter stays one.

    placements: one for each dimension of the mesh. stop_gradient: the data's own if None, True where it has none.

    The Tensor's shape and values are those of the whole. Where there are fewer devices than processes in the mesh, it
    is on one device, and keeps its placements.
    """
    _check(mesh, placements)
    if stop_gradient is None:
        stop_gradient = getattr(data, "stop_gradient", True)
    tensor = data if isinstance(data, Tensor) and dtype is None else to_tensor(data, dtype, place)
    array = tensor.storage.array
    where = sharding_of(mesh, placements, array.shape)
    made = fill(object.__new__(type(tensor)), Storage(array if where is None else jax.device_put(array, where)),
                stop_gradient)
    made._name, made.persistable = tensor._name, tensor.persistable
    made.__dict__.update(tensor.__dict__)
    return _noted(made, mesh, placements)


def dtensor_from_fn(fn: Callable, mesh: ProcessMesh, placements: Sequence[Placement], *args: Any,
                    **kwargs: Any) -> Tensor:
    """``fn(*args, **kwargs)``, placed on a mesh."""
    return shard_tensor(fn(*args, **kwargs), mesh, placements)


def reshard(dist_tensor: Tensor, mesh: ProcessMesh, placements: Sequence[Placement]) -> Tensor:
    """The same values, placed in another way; gradients go through."""
    _check(mesh, placements)
    if not isinstance(dist_tensor, Tensor):
        raise TypeError(f"reshard moves a Tensor, but got {type(dist_tensor).__name__}.")
    return _noted(_placed(dist_tensor, sharding_of(mesh, placements, dist_tensor.shape)), mesh, placements)


def unshard_dtensor(dist_tensor: Tensor) -> Tensor:
    """The Tensor as an ordinary one, whole on each device; gradients go through."""
    if not dist_tensor.is_dist():
        return dist_tensor
    mesh = dist_tensor.process_mesh
    return _placed(dist_tensor, sharding_of(mesh, [Replicate()] * mesh.ndim, dist_tensor.shape))


def shard_layer(layer: Layer, process_mesh: ProcessMesh, shard_fn: Callable | None = None,
                input_fn: Callable | None = None, output_fn: Callable | None = None) -> Layer:
    """Place the parameters and buffers of a Layer on a mesh, in the Layer itself.

    shard_fn: ``shard_fn(name, sublayer, mesh)`` places those of each sublayer; what it leaves, all if None, is on each
        device. input_fn, output_fn: ``f(inputs, mesh)`` before and ``f(outputs, mesh)`` after each call.
    """
    if not isinstance(process_mesh, ProcessMesh):
        raise ValueError(f"process_mesh must be a ProcessMesh, but got {type(process_mesh).__name__}.")
    whole = [Replicate() for _ in process_mesh.shape]
    for name, part in layer.named_sublayers(include_self=True):
        if shard_fn is not None:
            shard_fn(name, part, process_mesh)
        for key, parameter in part._parameters.items():
            if parameter is not None and not parameter.is_dist():
                part.add_parameter(key, shard_tensor(parameter, process_mesh, whole))
        for key, buffer in part._buffers.items():
            if buffer is not None and not buffer.is_dist():
                part.register_buffer(key, shard_tensor(buffer, process_mesh, whole),
                                     key not in part._non_persistable_buffer_names_set)
    if input_fn is not None:
        layer.register_forward_pre_hook(lambda _, inputs: input_fn(inputs, process_mesh))
    if output_fn is not None:
        layer.register_forward_post_hook(lambda _, inputs, outputs: output_fn(outputs, process_mesh))
    return layer


class _Stage:
    """A way to divide an optimizer's state over a dimension of a mesh. XLA lays it out as the parameters are."""

    def __init__(self, sharding_mesh_dim: Any = None, mesh: ProcessMesh | None = None):
        self._dim, self._mesh = sharding_mesh_dim, mesh

    def __call__(self, key: str, param: Tensor, accumulator: Tensor) -> Tensor:
        return accumulator

    def shard_master_weight(self, param: Tensor, master_weight: Tensor) -> Tensor:
        """The master weight as it is."""
        return master_weight


class ShardingStage1(_Stage):
    """For `shard_optimizer`: states lie as their parameters do."""


class ShardingStage2(_Stage):
    """For `shard_optimizer`: states and gradients lie as their parameters do."""


class ShardingStage3(_Stage):
    """For `shard_optimizer`: states and gradients lie as their parameters do."""


def shard_optimizer(optimizer: Any, shard_fn: Any = None, gradient_accumulation_steps: int = 1) -> Any:
    """The optimizer as it is: its states are made from the parameters, and lie where they do."""
    if gradient_accumulation_steps != 1:
        raise NotImplementedError("gradient_accumulation_steps must be 1: call backward() several times before step(), "
                                  "which adds the gradients up.")
    return optimizer


def shard_scaler(scaler: Any) -> Any:
    """The scaler as it is: it sees the gradients of all devices."""
    return scaler


class ShardDataloader:
    """Batches of a loader, placed on a mesh: a loader of its own. Each Tensor is divided along its first dimension."""

    def __init__(self, dataloader: Any, meshes: Any, input_keys: Any = None, shard_dims: Any = None,
                 is_dataset_splitted: bool = False, dense_tensor_idx: Any = None):
        if is_dataset_splitted and shard_dims is None:
            raise ValueError("shard_dims must be given with is_dataset_splitted=True.")
        self._loader, self._keys = dataloader, input_keys
        self._meshes, self._dims = _as_list(meshes), _as_list(shard_dims)
        self.batch_sampler = getattr(dataloader, "batch_sampler", None)

    def __len__(self) -> int:
        return len(self._loader)

    def __iter__(self) -> Iterator[Any]:
        for batch in self._loader:
            if isinstance(batch, dict):
                keys = list(self._keys or batch)
                yield {k: self._place(v, keys.index(k) if k in keys else 0) for k, v in batch.items()}
            else:
                yield [self._place(v, i) for i, v in enumerate(batch)]

    __call__ = __iter__

    def _place(self, value: Any, i: int) -> Any:
        if isinstance(value, (list, tuple)):
            return [self._place(v, i) for v in value]
        if not isinstance(value, Tensor):
            return value
        mesh, dim = self._meshes[min(i, len(self._meshes) - 1)], self._dims[min(i, len(self._dims) - 1)]
        axis = None if dim is None else dim if isinstance(dim, int) else mesh.dim_names.index(dim)
        return shard_tensor(value, mesh, [Shard(0) if a == axis and value.ndim else Replicate()
                                          for a in range(mesh.ndim)])


def shard_dataloader(dataloader: Any, meshes: Any, input_keys: Sequence[str] | None = None, shard_dims: Any = None,
                     is_dataset_splitted: bool = False, dense_tensor_idx: Any = None) -> ShardDataloader:
    """A loader whose Tensors are placed on a mesh.

    meshes: one for all, or for each Tensor of a batch. input_keys: the order of a batch that is a dict. shard_dims: the
    dimension of the mesh, a name or a number, that batches are divided over; None to have them whole on each device.
    """
    return ShardDataloader(dataloader, meshes, input_keys, shard_dims, is_dataset_splitted, dense_tensor_idx)


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _noted(tensor: Tensor, mesh: ProcessMesh, placements: Sequence[Placement]) -> Tensor:
    given = [*placements, *(Replicate() for _ in range(mesh.ndim - len(placements)))]
    tensor.__dict__["placed"] = mesh, given
    return tensor


def _check(mesh: Any, placements: Any) -> None:
    if not isinstance(mesh, ProcessMesh):
        raise TypeError(f"mesh must be a ProcessMesh, but got {type(mesh).__name__}.")
    if not isinstance(placements, (list, tuple)) or not all(isinstance(p, Placement) for p in placements):
        raise ValueError(f"placements must be a list of Shard, Replicate and Partial, but got {placements!r}.")


__all__ = ["ShardingStage1", "ShardingStage2", "ShardingStage3", "dtensor_from_fn", "reshard", "shard_dataloader",
           "shard_layer", "shard_optimizer", "shard_scaler", "shard_tensor", "unshard_dtensor"]
