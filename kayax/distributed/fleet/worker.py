"""Fleet: the object behind the functions of ``paddle.distributed.fleet``."""
from __future__ import annotations

from typing import Any

from kayax.distributed.environment import get_rank, get_world_size, init_parallel_env, require_one
from kayax.distributed.fleet.roles import UtilBase
from kayax.distributed.fleet.strategy import DistributedStrategy
from kayax.distributed.fleet.topology import HybridCommunicateGroup


class Fleet:
    """Distributed training with one worker: models and optimizers stay as they are."""

    PUBLIC = ("init", "is_first_worker", "worker_index", "worker_num", "node_num", "local_rank", "local_device_ids",
              "world_device_ids", "is_worker", "is_server", "is_coordinator", "worker_endpoints", "server_num",
              "server_index", "server_endpoints", "barrier_worker", "all_reduce", "distributed_model",
              "distributed_optimizer", "distributed_scaler", "get_hybrid_communicate_group", "minimize")

    def __init__(self) -> None:
        self._strategy = DistributedStrategy()
        self._optimizer: Any = None
        self._groups: HybridCommunicateGroup | None = None
        self.util = UtilBase()

    def init(self, role_maker: Any = None, is_collective: bool = False, strategy: DistributedStrategy | None = None,
             log_level: Any = "INFO") -> Fleet:
        """Begin. The arguments are Paddle's; a strategy that needs several processes is an error."""
        require_one("fleet.init")
        if strategy is not None and not isinstance(strategy, DistributedStrategy):
            raise TypeError(f"strategy must be a DistributedStrategy, but got {type(strategy).__name__}.")
        self._strategy = strategy or DistributedStrategy()
        if self._strategy.degree() > 1:
            raise RuntimeError(f"The strategy needs {self._strategy.degree()} processes, and here there is one. Set "
                               "its degrees to 1, and shard arrays over devices with jax.sharding.")
        init_parallel_env()
        self._groups = HybridCommunicateGroup()
        return self

    def worker_index(self) -> int:
        """The number of this worker."""
        return get_rank()

    def worker_num(self) -> int:
        """How many workers there are."""
        return get_world_size()

    def node_num(self) -> int:
        """How many machines there are."""
        return 1

    def is_first_worker(self) -> bool:
        """Whether this is worker 0."""
        return get_rank() == 0

    def is_worker(self) -> bool:
        """True."""
        return True

    def is_server(self) -> bool:
        """False."""
        return False

    def is_coordinator(self) -> bool:
        """False."""
        return False

    def local_rank(self) -> int:
        """The number of this worker on its machine."""
        return get_rank()

    def local_device_ids(self) -> list[int]:
        """The devices of this worker's machine, by number."""
        return [0]

    def world_device_ids(self) -> list[list[int]]:
        """The devices of all machines."""
        return [[0]]

    def worker_endpoints(self, to_string: bool = False) -> Any:
        """The addresses of the workers."""
        return "127.0.0.1:6170" if to_string else ["127.0.0.1:6170"]

    def server_num(self) -> int:
        """None are there."""
        return 0

    def server_index(self) -> int:
        """This is not a server."""
        return -1

    def server_endpoints(self, to_string: bool = False) -> Any:
        """The addresses of the servers."""
        return "" if to_string else []

    def barrier_worker(self) -> None:
        """Wait for all workers."""
        require_one("fleet.barrier_worker")

    def all_reduce(self, input: Any, mode: str = "sum") -> Any:
        """Combine a value over all workers."""
        require_one("fleet.all_reduce")
        return input

    def distributed_model(self, model: Any) -> Any:
        """The model, ready for distributed training: as it is."""
        if model is None:
            raise AssertionError("distributed_model needs a Layer.")
        require_one("fleet.distributed_model")
        return model

    def distributed_optimizer(self, optimizer: Any, strategy: DistributedStrategy | None = None) -> Any:
        """The optimizer, ready for distributed training: as it is."""
        require_one("fleet.distributed_optimizer")
        self._optimizer = optimizer
        return optimizer

    def distributed_scaler(self, scaler: Any) -> Any:
        """The GradScaler as it is."""
        return scaler

    def get_hybrid_communicate_group(self) -> HybridCommunicateGroup:
        """The groups along the axes of parallelism."""
        if self._groups is None:
            raise AssertionError("Call fleet.init() first.")
        return self._groups

    get_hybrid_parallel_topology = get_hybrid_communicate_group

    def minimize(self, loss: Any, startup_program: Any = None, parameter_list: Any = None,
                 no_grad_set: Any = None) -> Any:
        """Minimize the loss with the optimizer given to `distributed_optimizer`."""
        if self._optimizer is None:
            raise AssertionError("Call fleet.distributed_optimizer(optimizer) first.")
        return self._optimizer.minimize(loss, startup_program, parameter_list, no_grad_set)


fleet = Fleet()
