"""Names of Paddle that are not here, in one table: for each what to do instead.

An absent name raises AttributeError, so that ``hasattr`` and ``try: from ... import`` see that it is missing. Scripts
for many processes import such names without using them: those of the modules in `IMPORTABLE` raise when used.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

IMPORTABLE = ("distributed", "distributed.fleet", "distributed.fleet.utils", "distributed.io", "distributed.rpc",
              "distributed.stream", "utils.cpp_extension")

_PIPELINE = "Call the layers one after the other; to spread them over devices, use paddle.distributed.shard_tensor."
_ONE = "There is one process here, which has nobody to send to."
_FILES = "Save and load with paddle.save and paddle.load: one process holds the whole state."
_SERVER = "There are no parameter servers: read data with paddle.io and keep parameters in Layers."
_SHARDING = ("Place Tensors over devices with paddle.distributed.shard_tensor: XLA divides the computation and inserts "
             "the communication.")
_EXPERTS = ("It is a part of Paddle's mixture-of-experts kernels. Choose experts with paddle.topk, and write the rest "
            "with one_hot and einsum, or sort tokens by expert with paddle.argsort.")
_CACHES = ("It works on the key and value caches of Paddle's serving kernels. Keep a cache with nn.MultiHeadAttention, "
           "or call nn.functional.scaled_dot_product_attention.")
_FLOAT8 = "It is for float8 kernels of NVIDIA's GPUs. Compute in bfloat16."
_COMPILER = ("Operators written in C++ or CUDA cannot be loaded. Write them in Python, with jax.numpy or "
             "jax.experimental.pallas.")
_LENGTHS = "There are no sequences of lengths in a Tensor (LoD): pad them, and use paddle.nn.functional.sequence_mask."

# For each module its absent names, by what to do instead.
ABSENT: dict[str, dict[str, str]] = {
    "": {
        "JAX has no strings in arrays: keep a list of str.": "pstring",
        "It is no type of numbers: use paddle.uint8 for bytes.": "raw",
        "Use paddle.int64, or a jax.Array: no operation of Paddle's takes it.": "uint32 uint64",
        "Compute in paddle.bfloat16, or keep a jax.Array of that type.": "float8_e4m3fn float8_e5m2"},
    "linalg": {_FLOAT8: "fp8_fp8_half_gemm_fused"},
    "nn.functional": {_EXPERTS: "moe_permute moe_unpermute"},
    "compat.nn": {"Use paddle.nn.MultiHeadAttention.": "MultiheadAttention"},
    "inference": {
        "It is for XPUs, which JAX does not have.": "XpuConfig",
        "There are no kernels of Paddle's: XLA compiles.": "_get_phi_kernel_name"},
    "static": {
        "It is for IPUs, which JAX does not have.": "IpuCompiledProgram IpuStrategy ipu_shard_guard set_ipu_shard",
        "It is for XPUs, which JAX does not have.": "xpu_places"},
    "static.nn": {
        _LENGTHS: """sequence_conv sequence_expand sequence_first_step sequence_last_step sequence_pool
            sequence_softmax"""},
    "utils.cpp_extension": {_COMPILER: "BuildExtension CUDAExtension CppExtension get_build_directory load setup"},
    "incubate": {
        "Call graph_sample_neighbors once for each hop.": "graph_khop_sampler",
        "Convert with paddle.jit.to_static, or save with paddle.jit.save and load with paddle.inference.": "inference",
        "It belongs to Paddle's compiler; XLA compiles here.": "cc"},
    "incubate.nn": {
        "It runs Paddle's serving kernels. Stack FusedTransformerEncoderLayer, or use nn.TransformerEncoder.":
            "FusedMultiTransformer"},
    "incubate.nn.functional": {
        _CACHES: """blha_get_max_len block_multihead_attention masked_multihead_attention fused_multi_transformer""",
        _EXPERTS: """build_src_rank_and_local_expert_id cal_aux_loss expand_modality_expert_id moe_combine
            moe_gate_dispatch moe_gate_dispatch_and_quant moe_gate_dispatch_partial_nosoftmaxtopk
            moe_gate_dispatch_permute""",
        _FLOAT8: """fp8_gemm_blockwise fp8_quant_blockwise fused_act_dequant fused_stack_transpose_quant
            fused_transpose_split_quant fused_transpose_wlch_split_quant fused_weighted_swiglu_act_quant""",
        "It is a backward pass. Let backward() compute gradients.":
            "cross_entropy_with_softmax_bwd_w_downcast embedding_grad_add_to_ fused_swiglu_weighted_bwd"},
    "distributed": {
        _SHARDING: """ColWiseParallel ContextParallel ConvParallel DistAttr DistModel LocalLayer
            PrepareContextParallel PrepareLayerInput PrepareLayerOutput RowWiseParallel SequenceParallelBegin
            SequenceParallelDisable SequenceParallelEnable SequenceParallelEnd Strategy create_nccl_config local_map
            parallelize split to_distributed to_static""",
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
    "distributed.stream": {_ONE: "recv send"},
    "distributed.io": {_FILES: "is_persistable load_inference_model_distributed save_persistables"},
    "distributed.rpc": {
        _ONE: """get_all_worker_infos get_current_worker_info get_worker_info init_rpc rpc_async rpc_sync shutdown"""},
}


def absent(module: str) -> Callable[[str], Any]:
    """The ``__getattr__`` of the module of this name below `paddle` ("" for `paddle` itself)."""
    advice = {name: text for text, names in ABSENT.get(module, {}).items() for name in names.split()}
    here = f"{module}." if module else ""

    def lookup(name: str) -> Any:
        if name not in advice:
            raise AttributeError(f"module {f'kayax.{module}'.rstrip('.')!r} has no attribute {name!r}")
        if module in IMPORTABLE:
            return _Absent(f"paddle.{here}{name}", advice[name])
        raise AttributeError(f"paddle.{here}{name} is not available. {advice[name]}")

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
