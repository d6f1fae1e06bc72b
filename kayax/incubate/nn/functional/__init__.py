"""``paddle.incubate.nn.functional``: several operations in one call. XLA fuses them; each is compiled as a whole."""
from kayax.absent import absent
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
from kayax.nn.functional import swiglu

__all__ = ["fast_ln", "fast_rms_norm", "fused_bias_act", "fused_bias_dropout_residual_layer_norm", "fused_dropout_add",
           "fused_feedforward", "fused_layer_norm", "fused_linear", "fused_linear_activation", "fused_matmul_bias",
           "fused_multi_head_attention", "fused_rms_norm", "fused_rms_norm_ext", "fused_rotary_position_embedding",
           "int_bincount", "swiglu", "variable_length_memory_efficient_attention"]

__getattr__ = absent("incubate.nn.functional")
