"""Which process this is, of how many: the only one, since here one process drives all devices."""
from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import jax


def _processes() -> tuple[int, int]:
    """This process's number and how many there are, as a launcher or `jax.distributed` says."""
    if jax.process_count() > 1:
        return jax.process_index(), jax.process_count()
    return int(os.environ.get("PADDLE_TRAINER_ID", "0")), int(os.environ.get("PADDLE_TRAINERS_NUM", "1"))


class ParallelEnv:
    """The facts about this process that scripts ask for."""

    def __init__(self) -> None:
        self._rank, self._world_size = _processes()
        self._endpoints = [e for e in os.environ.get("PADDLE_TRAINER_ENDPOINTS", "").split(",") if e]

    @property
    def rank(self) -> int:
        """The number of this process."""
        return self._rank

    @property
    def world_size(self) -> int:
        """How many processes there are."""
        return self._world_size

    @property
    def local_rank(self) -> int:
        """As `rank`."""
        return self._rank

    @property
    def nranks(self) -> int:
        """As `world_size`."""
        return self._world_size

    @property
    def device_id(self) -> int:
        """The number of the device that tensors are on by default."""
        return 0

    @property
    def dev_id(self) -> int:
        """As `device_id`."""
        return 0

    @property
    def device_type(self) -> str:
        """The kind of the devices: "cpu", "gpu" or "tpu"."""
        return jax.default_backend()

    @property
    def current_endpoint(self) -> str:
        """The address of this process, empty without a launcher."""
        return os.environ.get("PADDLE_CURRENT_ENDPOINT", "")

    @property
    def trainer_endpoints(self) -> list[str]:
        """The addresses of all processes, empty without a launcher."""
        return self._endpoints

    @property
    def nrings(self) -> int:
        """How many communicators there are."""
        return 1

    @property
    def pg_timeout(self) -> int:
        """Milliseconds that a collective may take, as in Paddle."""
        return int(os.environ.get("PADDLE_PG_TIMEOUT", "1800000"))


class Group:
    """Processes that communicate: here this one alone."""

    def __init__(self, id: int = 0, ranks: Sequence[int] = (0,), name: str | None = None):
        self.id, self.ranks, self._name = id, list(ranks), name or "_default_pg"

    @property
    def rank(self) -> int:
        """The place of this process in the group, -1 if it is not in it."""
        return self.get_group_rank(get_rank())

    @property
    def nranks(self) -> int:
        """How many processes are in the group."""
        return len(self.ranks)

    world_size = nranks

    @property
    def name(self) -> str:
        """The group's name."""
        return self._name

    @property
    def process_group(self) -> None:
        """No process group stands behind it."""
        return None

    def is_member(self) -> bool:
        """Whether this process is in the group."""
        return self.rank >= 0

    def get_group_rank(self, rank: int) -> int:
        """The place of a process in the group, -1 if it is not in it."""
        return self.ranks.index(rank) if rank in self.ranks else -1

    def __repr__(self) -> str:
        ranks = ", ".join(map(str, self.ranks))
        return f"rank: {self.rank}, nranks: {self.nranks}, id: {self.id}, ranks: {ranks}; name: {self.name}"


_groups: dict[int, Group] = {}


def get_rank(group: Group | None = None) -> int:
    """The number of this process, in a group if one is given."""
    rank = _processes()[0]
    return rank if group is None else group.get_group_rank(rank)


def get_world_size(group: Group | None = None) -> int:
    """How many processes there are, in a group if one is given."""
    return _processes()[1] if group is None else group.nranks


def init_parallel_env(nccl_config: Any = None) -> Group:
    """Make the group of all processes. With one process that is this one, and collectives do nothing."""
    require_one("init_parallel_env")
    return _groups.setdefault(0, Group())


def is_initialized() -> bool:
    """Whether `init_parallel_env` was called."""
    return 0 in _groups


def is_available() -> bool:
    """True: these functions can be called."""
    return True


def destroy_process_group(group: Group | None = None) -> None:
    """Forget a group, or all."""
    if group is None:
        _groups.clear()
    else:
        _groups.pop(group.id, None)


def new_group(ranks: Sequence[int] | None = None, backend: str | None = None, timeout: Any = None,
              nccl_comm_init_option: int = 0, nccl_config: Any = None) -> Group:
    """A group of these processes: all of them if None."""
    group = Group(max([9, *_groups]) + 1, range(get_world_size()) if ranks is None else sorted(ranks))
    wrong = [r for r in group.ranks if not 0 <= r < get_world_size()]
    if wrong:
        raise ValueError(f"new_group needs ranks from 0 to {get_world_size() - 1}, but got {wrong}.")
    group._name += str(group.id)
    _groups[group.id] = group
    return group


def get_group(id: int = 0) -> Group | None:
    """The group with this number, None if there is none."""
    return _groups.get(id)


def get_backend(group: Group | None = None) -> str:
    """What collectives would go through."""
    return "XLA"


def require_one(name: str) -> None:
    """Refuse where there are several processes: doing nothing would be silently wrong."""
    count = get_world_size()
    if count > 1:
        raise RuntimeError(
            f"paddle.distributed.{name} was called in one of {count} processes, and here collectives work in a "
            "single process only.\nOne process drives all devices of a machine: start the script once, without a "
            "launcher, and shard its arrays with jax.sharding.")


class ReduceOp:
    """How a reduction combines values."""

    SUM, MAX, MIN, PROD, AVG = 0, 1, 2, 3, 4


class ParallelMode:
    """The kinds of parallelism."""

    DATA_PARALLEL, TENSOR_PARALLEL, PIPELINE_PARALLEL, SHARDING_PARALLEL, SEGMENT_PARALLEL = range(5)


def gloo_init_parallel_env(rank_id: int, rank_num: int, server_endpoint: str) -> None:
    """Say which process of how many this is: one of one."""
    if rank_num != 1:
        raise RuntimeError(f"gloo_init_parallel_env was asked for {rank_num} processes, and here there is one.")


def gloo_barrier() -> None:
    """Wait for the other processes: there are none."""


def gloo_release() -> None:
    """Undo `gloo_init_parallel_env`."""


def restart_process_group(group: Group | None = None) -> None:
    """Nothing to restart in one process."""


def shutdown_process_group(group: Group | None = None) -> None:
    """Nothing to shut down in one process."""
