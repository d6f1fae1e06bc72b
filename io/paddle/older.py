"""Paddle 2's operations in terms of Paddle 3's: one line for each."""
from __future__ import annotations

import dataclasses

# old name -> new name | Slot:argument ... | output slots | old attribute:new attribute ...
# No second column: the same name; no third: X:x; no fourth: Out; a slot with * is a list, an output with * is spread.
_UNARY = """abs acos acosh asin asinh atan atanh bitwise_not ceil celu cos cosh digamma elu erf erfinv exp expm1 floor
gelu hard_shrink:hardshrink hard_sigmoid:hardsigmoid hard_swish:hardswish isfinite_v2:isfinite isinf_v2:isinf
isnan_v2:isnan leaky_relu lgamma log log10 log1p log2 log_softmax logical_not logsigmoid logit mish reciprocal relu
relu6 round rsqrt selu shape sigmoid sign silu sin sinh softmax softplus softshrink softsign sqrt square swish tan tanh
tanh_shrink thresholded_relu trunc cast assign increment logsumexp flip roll tril_triu pixel_shuffle channel_shuffle
fill_any_like:full_like fill_zeros_like:zeros_like size:numel p_norm flatten_contiguous_range:flatten
mean:mean_all cumprod frobenius_norm clip pow top_k_v2:topk reduce_sum:sum reduce_mean:mean reduce_max:max
reduce_min:min reduce_prod:prod reduce_any:any reduce_all:all reduce_amax:amax reduce_amin:amin arg_max:argmax
arg_min:argmin cumsum pad pad3d reshape2:reshape squeeze2:squeeze unsqueeze2:unsqueeze transpose2:transpose
expand_v2:expand tile one_hot_v2:one_hot where_index:nonzero unbind argsort"""

_BINARY = """elementwise_add:add elementwise_sub:subtract elementwise_mul:multiply elementwise_div:divide
elementwise_max:maximum elementwise_min:minimum elementwise_fmax:fmax elementwise_fmin:fmin elementwise_pow
elementwise_mod:remainder elementwise_floordiv:floor_divide equal not_equal less_than less_equal greater_than
greater_equal logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor matmul_v2:matmul bmm dot kron atan2
mul:paddle2_mul"""

_OTHERS = """
scale | | X:x ScaleTensor:scale | |
slice | | Input:input StartsTensor:starts EndsTensor:ends StartsTensorList*:starts EndsTensorList*:ends | |
strided_slice | | Input:input StartsTensor:starts EndsTensor:ends StridesTensor:strides | |
concat | | X*:x AxisTensor:axis | |
stack | | X*:x | Y |
sum | add_n | X*:inputs | |
split | | X:x AxisTensor:axis SectionsTensorList*:sections | Out* |
unstack | | X:x | Y* |
meshgrid | | X*:inputs | Out* |
conv2d | | Input:input Filter:filter Bias:bias | Output |
depthwise_conv2d | | Input:input Filter:filter Bias:bias | Output |
conv3d | | Input:input Filter:filter | Output |
conv2d_transpose | | Input:x Filter:filter OutputSizeTensor:output_size | Output |
depthwise_conv2d_transpose | | Input:x Filter:filter | Output |
pool2d | | X:x | | ksize:kernel_size
pool3d | | X:x | | ksize:kernel_size
max_pool2d_with_index | | X:x | Out Mask | ksize:kernel_size
batch_norm | | X:x Mean:mean Variance:variance Scale:scale Bias:bias | Y | data_layout:data_format
sync_batch_norm | batch_norm | X:x Mean:mean Variance:variance Scale:scale Bias:bias | Y | data_layout:data_format
layer_norm | | X:x Scale:scale Bias:bias | Y |
group_norm | | X:x Scale:scale Bias:bias | Y | data_layout:data_format
instance_norm | | X:x Scale:scale Bias:bias | Y |
dropout | | X:x | | dropout_prob:p dropout_implementation:mode
lookup_table_v2 | embedding | Ids:x W:weight | |
gather | | X:x Index:index Axis:axis | |
gather_nd | | X:x Index:index | |
index_select | | X:x Index:index | | dim:axis
index_sample | | X:x Index:index | |
take_along_axis | | Input:arr Index:indices | Result | Axis:axis
put_along_axis | | Input:arr Index:indices Value:values | Result | Axis:axis Reduce:reduce Include_self:include_self
scatter | | X:x Ids:index Updates:updates | |
scatter_nd_add | | X:x Index:index Updates:updates | |
where | | Condition:condition X:x Y:y | |
fill_constant | paddle2_fill | ShapeTensor:shape ShapeTensorList*:shape ValueTensor:value | |
fill_constant_batch_size_like | full_batch_size_like | Input:input | |
assign_value | paddle2_assign_value | | |
range | arange | Start:start End:end Step:step | |
linspace | | Start:start Stop:stop Num:number | |
eye | | | |
expand_as_v2 | expand_as | X:x Y:y | |
rnn | | Input:x PreState*:pre_state WeightList*:weight_list SequenceLength:sequence_length | Out DropoutState State* |
prelu | | X:x Alpha:alpha | |
bilinear_interp_v2 | bilinear_interp | X:x OutSize:out_size SizeTensor*:size_tensor Scale:scale_tensor | |
nearest_interp_v2 | nearest_interp | X:x OutSize:out_size SizeTensor*:size_tensor Scale:scale_tensor | |
bicubic_interp_v2 | bicubic_interp | X:x OutSize:out_size SizeTensor*:size_tensor Scale:scale_tensor | |
softmax_with_cross_entropy | cross_entropy_with_softmax | Logits:input Label:label | Softmax Loss |
select_input | | X*:x Mask:mask | |
set_value | paddle2_set_value | Input:x ValueTensor:values | |
addmm | | Input:input X:x Y:y | |
einsum | | Operands*:x | |
"""

_SECOND_OUTPUTS = {"top_k_v2": ("Out", "Indices"), "argsort": ("Out", "Indices")}
_RENAMED = {
    "transpose2": {"axis": "perm"}, "matmul_v2": {"trans_x": "transpose_x", "trans_y": "transpose_y"},
    "squeeze2": {"axes": "axis"}, "unsqueeze2": {"axes": "axis"}, "cast": {"out_dtype": "dtype"},
    "one_hot_v2": {"depth": "num_classes"}, "fill_any_like": {"value": "value"}, "pow": {"factor": "y"},
    "hard_shrink": {"threshold": "threshold"}, "softshrink": {"lambda": "threshold"}, "leaky_relu": {
        "alpha": "negative_slope"}, "tile": {"repeat_times": "repeat_times"}, "logsumexp": {"keep_dim": "keepdim"},
    "cumprod": {"dim": "dim"},
    **{f"reduce_{r}": {"dim": "axis", "keep_dim": "keepdim"} for r in "sum mean max min any all amax amin".split()},
    "reduce_prod": {"dim": "dims", "keep_dim": "keepdim"},
}
# Tensors that stand in for an attribute.
_EXTRA = {"reshape2": {"Shape": "shape", "ShapeTensor": "shape"}, "expand_v2": {
    "Shape": "shape", "expand_shapes_tensor": "shape"}, "unsqueeze2": {"AxesTensor": "axis", "AxesTensorList": "axis"},
    "tile": {"RepeatTimes": "repeat_times", "repeat_times_tensor": "repeat_times"}, "top_k_v2": {"K": "k"},
    "clip": {"Min": "min", "Max": "max"}, "one_hot_v2": {"depth_tensor": "num_classes"}, "pad3d": {
        "Paddings": "paddings"}, "shape": {"Input": "x"}, "size": {"Input": "x"}, "where_index": {"Condition": "x"},
    "cumsum": {}, "roll": {"ShiftsTensor": "shifts"}}
_LISTS = {"ShapeTensor", "expand_shapes_tensor", "repeat_times_tensor", "AxesTensorList"}


@dataclasses.dataclass
class Older:
    """How one old operation reads: its new name, its slots' arguments, result slots, renamed attributes."""

    name: str
    inputs: dict[str, str]
    outputs: tuple[str, ...] = ("Out",)
    attrs: dict[str, str] = dataclasses.field(default_factory=dict)
    lists: frozenset[str] = frozenset()
    spread: bool = False


def _pairs(text: str) -> dict[str, str]:
    return dict(pair.replace("*", "").split(":") for pair in text.split())


def _table() -> dict[str, Older]:
    found: dict[str, Older] = {}
    for names, slots in ((_UNARY, {"X": "x"}), (_BINARY, {"X": "x", "Y": "y"})):
        for entry in names.split():
            old, _, new = entry.partition(":")
            outs = ("Out*",) if old == "unbind" else _SECOND_OUTPUTS.get(old, ("Out",))
            found[old] = Older(new or old, {**slots, **_EXTRA.get(old, {})}, tuple(o.strip("*") for o in outs),
                               _RENAMED.get(old, {}), frozenset(_LISTS), "*" in outs[0])
    for line in _OTHERS.strip().splitlines():
        old, new, slots_, outs_, attrs = (column.strip() for column in f"{line} ".split("|"))
        lists = {s.split("*")[0] for s in slots_.split() if "*" in s}
        outputs = outs_.split() or ["Out"]
        lists |= {o.strip("*") for o in outputs if "*" in o and len(outputs) > 1}
        found[old] = Older(new or old, _pairs(slots_), tuple(o.strip("*") for o in outputs), _pairs(attrs),
                           frozenset(lists), len(outputs) == 1 and "*" in outputs[0])
    return found


OLDER = _table()
