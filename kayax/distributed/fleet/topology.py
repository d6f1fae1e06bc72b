"""How processes are arranged along the axes of parallelism: one along each."""
from __future__ import annotations

import itertools
import math
from collections import namedtuple
from collections.abc import Sequence
from typing import Any

from kayax.distributed.environment import Group, ParallelMode

_AXES = ("data", "pipe", "sharding", "sep", "context", "model")


class CommunicateTopology:
    """Processes as the points of a grid with named axes, numbered with the last axis fastest."""

    def __init__(self, hybrid_group_names: Sequence[str] = _AXES, dims: Sequence[int] = (1,) * 6):
        self._names, self._dims = list(hybrid_group_names), list(dims)
        points = list(itertools.product(*map(range, dims)))
        self._rank_of = {point: rank for rank, point in enumerate(points)}
        self._point_of = dict(enumerate(points))

    def get_hybrid_group_names(self) -> list[str]:
        """The names of the axes."""
        return self._names

    def get_dim(self, axis_name: str) -> int:
        """The length of an axis."""
        return self._dims[self._names.index(axis_name)]

    get_dim_size = get_dim

    def world_size(self) -> int:
        """How many points there are."""
        return math.prod(self._dims)

    def get_rank(self, **axes: int) -> int:
        """The number of the point with these coordinates, all of them given."""
        if sorted(axes) != sorted(self._names):
            raise AssertionError(f"get_rank needs {', '.join(self._names)}, but got {', '.join(axes)}.")
        return self._rank_of[tuple(axes[name] for name in self._names)]

    def get_coord(self, rank: int) -> Any:
        """The coordinates of a point."""
        kind: Any = namedtuple("Coordinate", self._names)                               # type: ignore[misc]
        return kind(*self._point_of[rank])

    def get_axis_list(self, axis_name: str, index: int) -> list[int]:
        """The points with one coordinate fixed."""
        axis = self._names.index(axis_name)
        return sorted(rank for point, rank in self._rank_of.items() if point[axis] == index)

    def get_comm_list(self, axis_name: str) -> list[list[int]]:
        """The rows along an axis: points that differ in this coordinate alone."""
        axis = self._names.index(axis_name)
        rows: dict[tuple, list[int]] = {}
        for point, rank in self._rank_of.items():
            rows.setdefault(point[:axis] + point[axis + 1:], []).append(rank)
        return list(rows.values())

    def get_rank_from_stage(self, global_rank: int, **kwargs: int) -> int:
        """The point with some coordinates of another one changed."""
        return self.get_rank(**{**self.get_coord(global_rank)._asdict(), **kwargs})


class HybridCommunicateGroup:
    """The groups of this process along the axes: itself in each.

    For each axis (data, model, pipe, sharding, sep) there are ``get_<axis>_parallel_rank``, ``..._world_size``,
    ``..._group`` and ``..._group_src_rank``.
    """

    def __init__(self, topology: CommunicateTopology | None = None, hybrid_configs: Any = None):
        self._topology = topology or CommunicateTopology()
        if self._topology.world_size() > 1:
            raise RuntimeError(f"The topology has {self._topology.world_size()} processes, and here there is one.")
        self.global_rank, self.nranks = 0, 1

    def topology(self) -> CommunicateTopology:
        """The grid of processes."""
        return self._topology

    def get_parallel_mode(self) -> int:
        """Data parallelism, which is what one process does."""
        return ParallelMode.DATA_PARALLEL

    def get_global_rank(self) -> int:
        """The number of this process."""
        return 0

    def get_stage_id(self) -> int:
        """The stage of a pipeline: the only one."""
        return 0

    def get_rank_from_stage(self, stage_id: int, **kwargs: int) -> int:
        """The process of a stage."""
        return self._topology.get_rank_from_stage(0, pipe=stage_id, **kwargs)

    def get_check_parallel_group(self, sharding: bool = False) -> Group:
        """The group that checks gradients."""
        return Group()

    def get_p2p_groups(self) -> None:
        """No groups of a pipeline."""

    is_first_stage = is_last_stage = True


def _along(what: str) -> Any:
    values: dict[str, Any] = {"rank": 0, "world_size": 1, "group_src_rank": 0}

    def get(self: HybridCommunicateGroup) -> Any:
        return Group() if what == "group" else values[what]

    get.__doc__ = f"The {what} of this process along an axis."
    return get


for _axis, _what in itertools.product(("data", "model", "pipe", "sharding", "sep", "context"),
                                      ("rank", "world_size", "group", "group_src_rank")):
    setattr(HybridCommunicateGroup, f"get_{_axis}_parallel_{_what}", _along(_what))
for _axis in ("dp_sep", "pp_mp", "create_fuse"):
    setattr(HybridCommunicateGroup, f"get_{_axis}_parallel_group" if _axis != "create_fuse" else "create_fuse_group",
            _along("group"))
HybridCommunicateGroup.get_moe_sharding_parallel_world_size = _along("world_size")      # type: ignore[attr-defined]
