"""Who does what: every process is a worker, and there is one."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kayax import Tensor
from kayax.distributed.environment import get_rank, get_world_size


class Role:
    """The roles that Paddle knows."""

    WORKER, SERVER, HETER_WORKER, ALL, COORDINATOR = 1, 2, 3, 4, 5


class PaddleCloudRoleMaker:
    """Takes the role from the environment: a worker."""

    def __init__(self, is_collective: bool = False, **kwargs: Any):
        self._is_collective, self._kwargs = is_collective, kwargs

    def to_string(self) -> str:
        """The role as text."""
        return (f"role: {Role.WORKER}, current_id: {get_rank()}, worker_endpoints: [], server_endpoints: []")


class UserDefinedRoleMaker(PaddleCloudRoleMaker):
    """Takes the role from its arguments; a server's role is refused when `fleet.init` is called."""

    def __init__(self, is_collective: bool = False, init_gloo: bool = False, **kwargs: Any):
        super().__init__(is_collective, **kwargs)


class UtilBase:
    """Small helpers over all workers."""

    def all_reduce(self, input: Any, mode: str = "sum", comm_world: str = "worker") -> Any:
        """The value itself."""
        return input

    def all_gather(self, input: Any, comm_world: str = "worker") -> list[Any]:
        """A list of the value itself."""
        return [input]

    def barrier(self, comm_world: str = "worker") -> None:
        """Nobody to wait for."""

    def get_file_shard(self, files: Sequence[str]) -> list[str]:
        """This worker's share of the files: contiguous, the first workers one more if they do not divide evenly."""
        if not isinstance(files, list):
            raise TypeError(f"files must be a list of names, but got {type(files).__name__}.")
        count, rank = get_world_size(), get_rank()
        size, more = divmod(len(files), count)
        start = rank * size + min(rank, more)
        return files[start:start + size + (rank < more)]

    def print_on_rank(self, message: str | Tensor, rank_id: int) -> None:
        """Print on one worker."""
        if get_rank() == rank_id:
            print(message)
