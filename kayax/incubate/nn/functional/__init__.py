"""``paddle.incubate.nn.functional``: several operations in one call. XLA fuses them; each is compiled as a whole."""
from typing import Any

from kayax.incubate.nn.functional.attention import (
    fused_multi_head_attention,
    fused_rotary_position_embedding,
    variable_length_memory_efficient_attention,
)
from kayax.incubate.nn.functional.linear import (
    fused_bias_act,
    fused_feedforward,
    fused_linear,
    fused_linear_activation,
    fused_matmul_bias,
)
from kayax.incubate.nn.functional.norm import (
    fast_ln,
    fast_rms_norm,
    fused_bias_dropout_residual_layer_norm,
    fused_dropout_add,
    fused_layer_norm,
    fused_rms_norm,
    fused_rms_norm_ext,
)
from kayax.incubate.nn.functional.tokens import int_bincount

__all__ = ["fast_ln", "fast_rms_norm", "fused_bias_act", "fused_bias_dropout_residual_layer_norm", "fused_dropout_add",
           "fused_feedforward", "fused_layer_norm", "fused_linear", "fused_linear_activation", "fused_matmul_bias",
           "fused_multi_head_attention", "fused_rms_norm", "fused_rms_norm_ext", "fused_rotary_position_embedding",
           "int_bincount", "variable_length_memory_efficient_attention"]

_CACHES = ("it works on the key and value caches of Paddle's serving kernels; keep a cache with nn.MultiHeadAttention, "
           "or call nn.functional.scaled_dot_product_attention")
_EXPERTS = "it is a part of Paddle's mixture-of-experts kernels; write it with paddle.topk, one_hot and einsum"
_FLOAT8 = "it quantizes to float8 for kernels of NVIDIA's GPUs; compute in bfloat16"
_ELSEWHERE = {
    **dict.fromkeys(("blha_get_max_len", "block_multihead_attention", "masked_multihead_attention",
                     "fused_multi_transformer"), _CACHES),
    **dict.fromkeys(("build_src_rank_and_local_expert_id", "cal_aux_loss", "expand_modality_expert_id", "moe_combine",
                     "moe_gate_dispatch", "moe_gate_dispatch_and_quant", "moe_gate_dispatch_partial_nosoftmaxtopk",
                     "moe_gate_dispatch_permute"), _EXPERTS),
    **dict.fromkeys(("fp8_gemm_blockwise", "fp8_quant_blockwise", "fused_act_dequant", "fused_stack_transpose_quant",
                     "fused_transpose_split_quant", "fused_transpose_wlch_split_quant",
                     "fused_weighted_swiglu_act_quant"), _FLOAT8),
    **dict.fromkeys(("cross_entropy_with_softmax_bwd_w_downcast", "embedding_grad_add_to_",
                     "fused_swiglu_weighted_bwd"), "it is a backward pass; let backward() compute gradients"),
}


def __getattr__(name: str) -> Any:
    if name in _ELSEWHERE:
        raise AttributeError(f"paddle.incubate.nn.functional.{name} is not available: {_ELSEWHERE[name]}.")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
