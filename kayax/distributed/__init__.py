"""``paddle.distributed`` for a single process: what scripts ask and call, so that they run unchanged."""
from kayax.distributed import fleet, rpc, sharding
from kayax.distributed.absent import absent
from kayax.distributed.collectives import (
    all_gather,
    all_gather_object,
    all_reduce,
    alltoall,
    alltoall_single,
    barrier,
    broadcast,
    broadcast_object_list,
    gather,
    reduce,
    reduce_scatter,
    scatter,
    scatter_object_list,
    wait,
)
from kayax.distributed.environment import (
    ParallelEnv,
    ParallelMode,
    ReduceOp,
    destroy_process_group,
    get_backend,
    get_group,
    get_rank,
    get_world_size,
    gloo_barrier,
    gloo_init_parallel_env,
    gloo_release,
    init_parallel_env,
    is_available,
    is_initialized,
    new_group,
    restart_process_group,
    shutdown_process_group,
)
from kayax.distributed.parallel import DataParallel, launch, spawn

__getattr__ = absent("distributed")

__all__ = ["DataParallel", "ParallelEnv", "ParallelMode", "ReduceOp", "all_gather", "all_gather_object", "all_reduce",
           "alltoall", "alltoall_single", "barrier", "broadcast", "broadcast_object_list", "destroy_process_group",
           "fleet", "gather", "get_backend", "get_group", "get_rank", "get_world_size", "gloo_barrier",
           "gloo_init_parallel_env", "gloo_release", "init_parallel_env", "is_available", "is_initialized", "launch",
           "new_group", "reduce", "reduce_scatter", "restart_process_group", "rpc", "scatter", "scatter_object_list",
           "sharding", "shutdown_process_group", "spawn", "wait"]
