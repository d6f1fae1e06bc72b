"""``paddle.distributed`` for a single process: what scripts ask and call, so that they run unchanged."""
from kayax.absent import absent
from kayax.distributed import fleet, io, rpc, sharding, stream
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
from kayax.distributed.mesh import Partial, Placement, ProcessMesh, ReduceType, Replicate, Shard, get_mesh, set_mesh
from kayax.distributed.parallel import DataParallel, launch, spawn
from kayax.distributed.sharded import (
    ShardingStage1,
    ShardingStage2,
    ShardingStage3,
    dtensor_from_fn,
    reshard,
    shard_dataloader,
    shard_layer,
    shard_optimizer,
    shard_scaler,
    shard_tensor,
    unshard_dtensor,
)
from kayax.distributed.sharding import group_sharded_parallel, save_group_sharded_model

__getattr__ = absent("distributed")

__all__ = ["DataParallel", "ParallelEnv", "ParallelMode", "Partial", "Placement", "ProcessMesh", "ReduceOp",
           "ReduceType", "Replicate", "Shard", "ShardingStage1", "ShardingStage2", "ShardingStage3", "dtensor_from_fn",
           "get_mesh", "reshard", "set_mesh", "shard_dataloader", "shard_layer", "shard_optimizer", "shard_scaler",
           "shard_tensor", "unshard_dtensor", "all_gather", "all_gather_object", "all_reduce", "alltoall",
           "alltoall_single", "barrier", "broadcast", "broadcast_object_list", "destroy_process_group", "fleet",
           "gather", "get_backend", "get_group", "get_rank", "get_world_size", "gloo_barrier", "group_sharded_parallel",
           "gloo_init_parallel_env", "gloo_release", "init_parallel_env", "io", "is_available", "is_initialized",
           "launch", "new_group", "reduce", "reduce_scatter", "restart_process_group", "rpc", "scatter",
           "save_group_sharded_model", "scatter_object_list", "sharding", "shutdown_process_group", "spawn", "stream",
           "wait"]
