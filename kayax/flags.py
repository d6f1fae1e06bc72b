"""`paddle.set_flags` and `get_flags`: Paddle's switches. Most of them tune what XLA does by itself."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

# Accepted and remembered, and of no effect: memory, threads, fusion and kernels are XLA's business here.
_FLAGS: dict[str, Any] = {
    "FLAGS_allocator_strategy": "auto_growth", "FLAGS_auto_growth_chunk_size_in_mb": 0, "FLAGS_benchmark": False,
    "FLAGS_call_stack_level": 1, "FLAGS_check_nan_inf": False, "FLAGS_check_nan_inf_level": 0,
    "FLAGS_conv_workspace_size_limit": 512, "FLAGS_cudnn_batchnorm_spatial_persistent": False,
    "FLAGS_cudnn_deterministic": False, "FLAGS_cudnn_exhaustive_search": False, "FLAGS_eager_delete_tensor_gb": 0.0,
    "FLAGS_embedding_deterministic": 0, "FLAGS_enable_cublas_tensor_op_math": False, "FLAGS_enable_pir_api": True,
    "FLAGS_fast_eager_deletion_mode": True, "FLAGS_fraction_of_cpu_memory_to_use": 1.0,
    "FLAGS_fraction_of_gpu_memory_to_use": 0.92, "FLAGS_gemm_use_half_precision_compute_type": False,
    "FLAGS_gpu_memory_limit_mb": 0, "FLAGS_initial_cpu_memory_in_mb": 500, "FLAGS_initial_gpu_memory_in_mb": 0,
    "FLAGS_inner_op_parallelism": 0, "FLAGS_low_precision_op_list": 0, "FLAGS_max_inplace_grad_add": 0,
    "FLAGS_new_executor_serial_run": False, "FLAGS_paddle_num_threads": 1, "FLAGS_pir_apply_inplace_pass": True,
    "FLAGS_prim_all": False, "FLAGS_prim_backward": False, "FLAGS_prim_forward": False,
    "FLAGS_reallocate_gpu_memory_in_mb": 0, "FLAGS_set_to_1d": False, "FLAGS_sort_sum_gradient": False,
    "FLAGS_use_autotune": False, "FLAGS_use_cinn": False, "FLAGS_use_cuda_managed_memory": False,
    "FLAGS_use_mkldnn": False, "FLAGS_use_onednn": False, "FLAGS_use_pinned_memory": True,
    "FLAGS_use_stride_kernel": True, "FLAGS_use_system_allocator": False,
}
_checker: Any = None


def set_flags(flags: dict[str, Any]) -> None:
    """Set switches by name.

    ``FLAGS_check_nan_inf`` looks for nan and inf in the result of every eager operation (a RuntimeError, or a printed
    line if ``FLAGS_check_nan_inf_level`` is 1 or more). Other names that Paddle users set are remembered and change
    nothing, since XLA decides what they are about. A name that is not known is a ValueError.
    """
    if not isinstance(flags, dict):
        raise TypeError(f"flags must be a dict, but got {type(flags).__name__}.")
    _known(flags)
    for name, value in flags.items():
        _FLAGS[name] = type(_FLAGS[name])(value)
    if flags.keys() & {"FLAGS_check_nan_inf", "FLAGS_check_nan_inf_level"}:
        _check_nan_inf()


def get_flags(flags: str | Iterable[str]) -> dict[str, Any]:
    """The values of switches, by name: of one, or of several in a list."""
    names = [flags] if isinstance(flags, str) else flags
    if not isinstance(names, (list, tuple)):
        raise TypeError(f"flags must be a name or a list of names, but got {type(flags).__name__}.")
    _known(names)
    return {name: _FLAGS[name] for name in names}


def _known(names: Iterable[str]) -> None:
    unknown = [name for name in names if name not in _FLAGS]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is no flag that is known here. XLA's own are set in the environment variable "
                         f"XLA_FLAGS. Known: {', '.join(sorted(_FLAGS))}.")


def _check_nan_inf() -> None:
    global _checker
    from kayax.amp.debugging import DebugMode, TensorCheckerConfig
    if _checker is not None:
        _checker.stop_check_nan_inf()
        _checker = None
    if _FLAGS["FLAGS_check_nan_inf"]:
        _checker = TensorCheckerConfig(True, DebugMode(min(int(_FLAGS["FLAGS_check_nan_inf_level"]), 3)))
        _checker.start_check_nan_inf()


__all__ = ["get_flags", "set_flags"]
