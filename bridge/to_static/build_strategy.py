"""Paddle's BuildStrategy. XLA fuses by itself: the few fields that an XLA option stands for set it."""
from __future__ import annotations

import enum
from typing import Any

import jax


class ReduceStrategy(enum.Enum):
    """How gradients of several devices are summed (no effect here)."""

    AllReduce = 0
    Reduce = 1
    _NoReduce = 2


_DEFAULTS: dict[str, Any] = {
    "allow_cuda_graph_capture": False, "async_mode": False, "bkcl_comm_num": 1, "build_cinn_pass": False,
    "cache_runtime_context": False, "debug_graphviz_path": "", "enable_addto": False, "enable_auto_fusion": False,
    "enable_backward_optimizer_op_deps": True, "enable_inplace": True, "fuse_adamw": False,
    "fuse_all_optimizer_ops": False, "fuse_all_reduce_ops": True, "fuse_bn_act_ops": False, "fuse_bn_add_act_ops": True,
    "fuse_broadcast_ops": True, "fuse_dot_product_attention": False, "fuse_elewise_add_act_ops": False,
    "fuse_gemm_epilogue": False, "fuse_relu_depthwise_conv": False, "fuse_resunit": False, "fused_attention": False,
    "fused_feedforward": False, "gradient_scale_strategy": None, "hierarchical_allreduce_inter_nranks": 0,
    "memory_optimize": None, "mkldnn_enabled_op_types": set(), "nccl_comm_num": 1, "num_trainers": 1,
    "onednn_enabled_op_types": set(), "reduce_strategy": ReduceStrategy.AllReduce, "sequential_run": False,
    "sync_batch_norm": False, "trainer_id": 0, "trainers_endpoints": [], "use_hierarchical_allreduce": False,
}
# field -> the XLA options it sets when it is true, and on which platforms ("" for all).
_OPTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "fuse_gemm_epilogue": ("gpu", {"xla_gpu_enable_cublaslt": True}),
    "fuse_dot_product_attention": ("gpu", {"xla_gpu_enable_cudnn_fmha": True}),
}


class BuildStrategy:
    """Options for compiling. Every field of Paddle's exists, with its default.

    `fuse_gemm_epilogue` and `fuse_dot_product_attention` set the XLA options of that meaning on a GPU. The other fields
    are accepted and have no effect: XLA fuses, plans memory and orders work by itself.
    """

    ReduceStrategy = ReduceStrategy

    def __init__(self) -> None:
        for name, value in _DEFAULTS.items():
            self.__dict__[name] = value.copy() if isinstance(value, (set, list)) else value

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _DEFAULTS:
            raise AttributeError(f"BuildStrategy has no field {name!r}. Its fields are: {', '.join(_DEFAULTS)}.")
        default = _DEFAULTS[name]
        if isinstance(default, bool) and not isinstance(value, (bool, int)):
            raise TypeError(f"BuildStrategy.{name} takes True or False, but got {value!r}.")
        self.__dict__[name] = value

    def compiler_options(self) -> dict[str, Any] | None:
        """What `jax.jit` is told, or None for nothing."""
        platform = jax.default_backend()
        options: dict[str, Any] = {}
        for name, (where, values) in _OPTIONS.items():
            if getattr(self, name) and where in ("", platform):
                options |= values
        return options or None

    def __repr__(self) -> str:
        changed = {n: v for n, v in self.__dict__.items() if v != _DEFAULTS[n]}
        return f"BuildStrategy({', '.join(f'{n}={v!r}' for n, v in changed.items())})"
