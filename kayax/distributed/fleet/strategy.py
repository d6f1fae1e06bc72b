"""DistributedStrategy: options of distributed training, kept as they are set."""
from __future__ import annotations

import copy
from typing import Any

_SWITCHES = """a_sync adam_d2sum adaptive_localsgd amp asp auto auto_search cudnn_batchnorm_spatial_persistent
    cudnn_exhaustive_search dgc elastic find_unused_parameters fp16_allreduce fuse_grad_merge gradient_merge
    heter_ccl_mode is_fl_ps_mode is_with_coordinator lamb lars localsgd pipeline qat recompute semi_auto sharding
    sync_batch_norm tensor_parallel use_hierarchical_allreduce""".split()
_VALUES: dict[str, Any] = {
    **dict.fromkeys(_SWITCHES, False),
    "conv_workspace_size_limit": 512, "fuse_all_reduce_ops": True, "fuse_grad_size_in_MB": 32,
    "fuse_grad_size_in_num": 8, "hierarchical_allreduce_inter_nranks": 1, "last_comm_group_size_MB": 1.0,
    "nccl_comm_num": 1, "split_data": True, "sync_nccl_allreduce": True, "without_graph_optimization": True,
    "hybrid_parallel_order": ["dp", "pp", "sharding", "sep", "cp", "mp"],
    "sync_param_name": ["embedding", "layer_norm", ".b_"], "build_strategy": None, "fleet_desc_configs": [],
    "sparse_table_configs": [], "fs_client_param": None,
    "a_sync_configs": {"k_steps": -1}, "adaptive_localsgd_configs": {"init_k_steps": 1, "begin_step": 1},
    "amp_configs": {"init_loss_scaling": 32768.0, "incr_every_n_steps": 1000, "decr_every_n_nan_or_inf": 2,
                    "incr_ratio": 2.0, "decr_ratio": 0.8, "use_dynamic_loss_scaling": True, "custom_white_list": [],
                    "custom_black_list": [], "custom_black_varnames": [], "use_pure_fp16": False,
                    "use_fp16_guard": True, "use_optimizer_fp16": False, "use_pure_bf16": False},
    "dgc_configs": {"rampup_begin_step": 0, "rampup_step": 1, "sparsity": []},
    "gradient_merge_configs": {"k_steps": 1, "avg": True},
    "gradient_scale_configs": {"scale_strategy": "avg", "scale_gradient": False},
    "hybrid_configs": {"dp_degree": -1, "mp_degree": 1, "pp_degree": 1, "sharding_degree": 1, "sep_degree": 1,
                       "ep_degree": 1, "cp_degree": 1, "moe_sharding_degree": 1},
    "lamb_configs": {"lamb_weight_decay": 0.01, "exclude_from_weight_decay": []},
    "lars_configs": {"lars_coeff": 0.001, "lars_weight_decay": 0.0005, "epsilon": 0.0, "exclude_from_weight_decay": []},
    "localsgd_configs": {"k_steps": 1, "begin_step": 1},
    "pipeline_configs": {"micro_batch_size": 1, "accumulate_steps": 1, "schedule_mode": "1F1B"},
    "qat_configs": {}, "recompute_configs": {"checkpoints": [], "enable_offload": False, "checkpoint_shape": []},
    "sharding_configs": {"sharding_degree": 8, "mp_degree": 1, "dp_degree": 1, "pp_degree": 1, "stage": 1},
    "tensor_parallel_configs": {"tensor_parallel_degree": 1, "tensor_init_seed": -1}, "trainer_desc_configs": {},
}


class DistributedStrategy:
    """Options for `fleet.init`, with Paddle's names and defaults. With one process they have no effect.

    What is set in a dict of configurations is merged into it. Degrees of parallelism above 1 are refused by
    `fleet.init`.
    """

    hybrid_configs: dict[str, int]

    def __init__(self) -> None:
        self.__dict__.update(copy.deepcopy(_VALUES))

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self.__dict__:
            raise AttributeError(f"DistributedStrategy has no option {name!r}.")
        old = self.__dict__[name]
        if isinstance(old, bool) and not isinstance(value, bool):
            raise ValueError(f"DistributedStrategy.{name} is True or False, but got {value!r}.")
        self.__dict__[name] = {**old, **value} if isinstance(old, dict) else value

    def degree(self) -> int:
        """How many processes the configured parallelism needs besides data parallelism."""
        found = 1
        for name, value in self.hybrid_configs.items():
            if name in ("mp_degree", "pp_degree", "sharding_degree", "sep_degree", "cp_degree"):
                found *= max(int(value), 1)
        return found * max(int(self.hybrid_configs["dp_degree"]), 1)

    def __repr__(self) -> str:
        changed = {n: v for n, v in self.__dict__.items() if v != _VALUES[n]}
        return f"DistributedStrategy({', '.join(f'{n}={v!r}' for n, v in changed.items())})"
