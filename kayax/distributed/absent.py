"""Names of Paddle's distributed modules that need several processes or servers: using one says what to do instead."""
from __future__ import annotations

from typing import Any

_SHARDING = ("Place arrays over devices with jax.sharding (`jax.device_put(x.array, NamedSharding(mesh, spec))`): "
             "XLA divides the computation and inserts the communication.")
_ONE = "There is one process here, which has nobody to send to."
_PIPELINE = "Call the layers one after the other; to spread them over devices, use jax.sharding."
_FILES = "Save and load with paddle.save and paddle.load: one process holds the whole state."
_SERVER = "There are no parameter servers: read data with paddle.io and keep parameters in Layers."

# For each module its absent names, by what to do instead.
ABSENT: dict[str, dict[str, str]] = {
    "distributed": {
        _SHARDING: """ColWiseParallel ContextParallel ConvParallel DistAttr DistModel LocalLayer Partial Placement
            PrepareContextParallel PrepareLayerInput PrepareLayerOutput ProcessMesh ReduceType Replicate
            RowWiseParallel SequenceParallelBegin SequenceParallelDisable SequenceParallelEnable SequenceParallelEnd
            Shard ShardingStage1 ShardingStage2 ShardingStage3 Strategy create_nccl_config dtensor_from_fn get_mesh
            local_map parallelize reshard set_mesh shard_dataloader shard_layer shard_optimizer shard_scaler
            shard_tensor split to_distributed to_static unshard_dtensor""",
        _ONE: """P2POp batch_isend_irecv irecv isend recv recv_object_list send send_object_list""",
        _PIPELINE: "SplitPoint",
        _FILES: """ShardedStateDict ShardedWeight build_sharded_state_dict load_merged_state_dict load_state_dict
            save_state_dict shard_weight""",
        _SERVER: """CountFilterEntry InMemoryDataset ProbabilityEntry QueueDataset ShowClickEntry"""},
    "distributed.fleet": {
        _SERVER: """MultiSlotDataGenerator MultiSlotStringDataGenerator init_server run_server stop_worker init_worker
            init_coordinator make_fl_strategy get_fl_client load_model load_one_table save_cache_model save_cache_table
            save_dense_params save_one_table save_persistables set_date shrink print_table_stat""",
        _FILES: "save_inference_model load_inference_model"},
    "distributed.fleet.utils": {_SERVER: "DistributedInfer HDFSClient"},
    "distributed.rpc": {
        _ONE: """get_all_worker_infos get_current_worker_info get_worker_info init_rpc rpc_async rpc_sync shutdown"""},
}


def absent(module: str) -> Any:
    """The ``__getattr__`` of a module: its absent names can be imported, and raise when they are used."""
    advice = {name: text for text, names in ABSENT[module].items() for name in names.split()}

    def lookup(name: str) -> Any:
        if name in advice:
            return _Absent(f"paddle.{module}.{name}", advice[name])
        raise AttributeError(f"module 'kayax.{module}' has no attribute {name!r}")

    return lookup


class _Absent:
    """Stands for a name that cannot work here."""

    def __init__(self, name: str, advice: str):
        self.__name__, self._advice = name, advice

    def _raise(self) -> Any:
        raise NotImplementedError(f"{self.__name__} is not available. {self._advice}")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._raise()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._raise()

    def __mro_entries__(self, bases: tuple) -> Any:
        return self._raise()

    def __repr__(self) -> str:
        return f"<{self.__name__}, which is not available>"
