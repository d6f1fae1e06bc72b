"""Meshes of processes, which are JAX's devices here, and how a Tensor lies on one."""
from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

# What combines the parts of a Tensor that is `Partial`.
ReduceType = enum.IntEnum("ReduceType", {"kRedSum": 0, "kRedMax": 1, "kRedMin": 2, "kRedProd": 3, "kRedAvg": 4,
                                         "kRedAny": 5, "kRedAll": 6})


class Placement:
    """How a Tensor lies along one dimension of a mesh."""

    def is_shard(self, dim: int | None = None) -> bool:
        """Whether it is divided (along this dimension of the Tensor)."""
        return False

    def is_replicated(self) -> bool:
        """Whether each device has all of it."""
        return False

    def is_partial(self) -> bool:
        """Whether each device has a part that is to be combined."""
        return False

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(repr(self))


class Shard(Placement):
    """Divided along dimension `dim` of the Tensor."""

    def __init__(self, dim: int):
        self._dim = dim

    def is_shard(self, dim: int | None = None) -> bool:
        """Whether it is divided (along this dimension of the Tensor)."""
        return dim is None or dim == self._dim

    def get_dim(self) -> int:
        """The dimension of the Tensor."""
        return self._dim

    def __repr__(self) -> str:
        return f"Shard(dim={self._dim})"


class Replicate(Placement):
    """All of the Tensor on each device."""

    def is_replicated(self) -> bool:
        """True."""
        return True

    def __repr__(self) -> str:
        return "Replicate()"


class Partial(Placement):
    """Parts that are to be combined by `reduce_type`. The value is the combined one from the start here."""

    def __init__(self, reduce_type: ReduceType = ReduceType.kRedSum):
        self._reduce_type = reduce_type

    def is_partial(self) -> bool:
        """True."""
        return True

    def reduce_type(self) -> ReduceType:
        """What combines the parts."""
        return self._reduce_type

    def __repr__(self) -> str:
        return f"Partial(reduce_type={self._reduce_type.name.removeprefix('kRed').upper()})"


class ProcessMesh:
    """Processes in an array with a name for each dimension. Process `i` is JAX's device `i`.

    mesh: nested lists or an array of distinct numbers. dim_names: ``d0``, ``d1`` ... if None.
    """

    def __init__(self, mesh: Any = None, dim_names: list[str] | None = None, shape: Any = None,
                 process_ids: Any = None):
        if mesh is None:
            assert shape is not None and process_ids is not None, "ProcessMesh needs a mesh, or shape and process_ids."
            mesh = np.array(process_ids).reshape(shape)
        if not isinstance(mesh, (list, np.ndarray)):
            raise ValueError(f"mesh must be a list or an array, but got {type(mesh).__name__}.")
        if dim_names is not None and not isinstance(dim_names, list):
            raise ValueError(f"dim_names must be a list, but got {type(dim_names).__name__}.")
        self._mesh = np.array(mesh)
        ids = self._mesh.ravel().tolist()
        assert all(isinstance(i, int) and i >= 0 for i in ids), f"A mesh is made of numbers from 0, but got {ids}."
        assert len(set(ids)) == len(ids), f"The processes of a mesh must be distinct, but got {ids}."
        names = [f"d{i}" for i in range(self._mesh.ndim)] if dim_names is None else list(dim_names)
        assert len(names) == self._mesh.ndim, f"A mesh of {self._mesh.ndim} dimensions needs as many names: {names}."
        assert len(set(names)) == len(names), f"dim_names must be distinct, but got {names}."
        self._dim_names = names

    @property
    def mesh(self) -> np.ndarray:
        """The processes as an array."""
        return self._mesh

    @property
    def dim_names(self) -> list[str]:
        """The names of the dimensions."""
        return self._dim_names

    @property
    def shape(self) -> list[int]:
        """The sizes of the dimensions."""
        return list(self._mesh.shape)

    @property
    def ndim(self) -> int:
        """How many dimensions there are."""
        return self._mesh.ndim

    @property
    def size(self) -> int:
        """How many processes there are."""
        return self._mesh.size

    @property
    def process_ids(self) -> list[int]:
        """The processes in a row."""
        return self._mesh.ravel().tolist()

    def contains(self, process_id: int) -> bool:
        """Whether the process is in the mesh."""
        return process_id in self.process_ids

    def empty(self) -> bool:
        """Whether there is no process."""
        return self.size == 0

    def dim_size(self, dim: int | str) -> int:
        """The size of one dimension."""
        return self.get_dim_size(dim)

    def get_dim_size(self, dim: int | str) -> int:
        """The size of one dimension."""
        return self._mesh.shape[self._axis(dim)]

    def get_rank_by_dim_and_process_id(self, dim: int | str | None, process_id: int) -> int:
        """The place of a process along one dimension: -1 if it is not in the mesh."""
        if not self.contains(process_id):
            return -1
        return 0 if dim is None else int(np.argwhere(self._mesh == process_id)[0][self._axis(dim)])

    def get_mesh_with_dim(self, dim_name: str, index: Any = None) -> ProcessMesh:
        """The mesh with this dimension first; with `index` only that part of it."""
        axis = self._axis(dim_name)
        names = [dim_name, *(n for n in self._dim_names if n != dim_name)]
        mesh = np.moveaxis(self._mesh, axis, 0)
        if index is None:
            return ProcessMesh(mesh, names)
        return ProcessMesh(mesh[index], names[1:]) if names[1:] else ProcessMesh([mesh[index].item()], names)

    def get_submesh_with_dim(self, dim_name: str) -> ProcessMesh | None:
        """The row along this dimension that process 0 is in, None if it is in none."""
        rows = np.moveaxis(self._mesh, self._axis(dim_name), -1).reshape(-1, self.get_dim_size(dim_name))
        mine = [row for row in rows if 0 in row]
        return ProcessMesh(mine[0], [dim_name]) if mine else None

    def __getitem__(self, index: Any) -> ProcessMesh | None:
        if isinstance(index, str):
            return self.get_submesh_with_dim(index)
        part = np.asarray(self._mesh[index])
        given = index if isinstance(index, tuple) else (index,)
        names = [n for n, i in zip(self._dim_names, given, strict=False) if isinstance(i, slice)]
        return ProcessMesh(part, names + self._dim_names[len(given):]) if part.ndim else ProcessMesh([part.item()])

    def _axis(self, dim: int | str) -> int:
        if isinstance(dim, str):
            assert dim in self._dim_names, f"The mesh has the dimensions {self._dim_names}, not {dim!r}."
            return self._dim_names.index(dim)
        if not isinstance(dim, int):
            raise ValueError(f"A dimension is a name or a number, but got {type(dim).__name__}.")
        return dim

    def __enter__(self) -> ProcessMesh:
        return self

    def __exit__(self, *exception: Any) -> None:
        """Nothing ends: Tensors are placed by `shard_tensor`."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ProcessMesh) and np.array_equal(self._mesh, other._mesh)

    def __hash__(self) -> int:
        return hash((tuple(self.shape), tuple(self.process_ids)))

    def __repr__(self) -> str:
        shown = [f"{name}: [{','.join(map(str, values))}]" for name, values in (
            ("shape", self.shape), ("process_ids", self.process_ids), ("dim_names", self.dim_names))]
        return f"{{{', '.join(shown)}}}"

    def __str__(self) -> str:
        return f"shape {self.shape}, process_ids {self.process_ids}, dim_names {self.dim_names}"


_chosen: list[ProcessMesh | None] = [None]


def set_mesh(mesh: ProcessMesh) -> None:
    """Make this the mesh that `get_mesh` gives."""
    _chosen[0] = mesh


def get_mesh() -> ProcessMesh | None:
    """The mesh that `set_mesh` was given, None if it was not called."""
    return _chosen[0]


def sharding_of(mesh: ProcessMesh, placements: Sequence[Placement], shape: Sequence[int]) -> Any:
    """JAX's sharding for an array of this shape; None where the mesh has one process, or more than there are devices.

    A dimension whose size the mesh does not divide stays whole.
    """
    if mesh.size < 2 or max(mesh.process_ids) >= jax.device_count():
        return None
    named: list[list[str]] = [[] for _ in shape]
    left = list(shape)
    for name, size, placement in zip(mesh.dim_names, mesh.shape, placements, strict=False):
        if isinstance(placement, Shard) and left[placement.get_dim()] % size == 0:
            named[placement.get_dim()].append(name)
            left[placement.get_dim()] //= size
    devices = np.array(jax.devices(), dtype=object)[mesh.mesh]
    spec = jax.sharding.PartitionSpec(*(tuple(n) or None for n in named))
    return jax.sharding.NamedSharding(jax.sharding.Mesh(devices, mesh.dim_names), spec)


__all__ = ["Partial", "Placement", "ProcessMesh", "ReduceType", "Replicate", "Shard", "get_mesh", "set_mesh"]
