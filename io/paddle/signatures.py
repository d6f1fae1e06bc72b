"""The arguments of Paddle's operations by position, as its 3.x programs list them (attributes have names there)."""
from __future__ import annotations

_UNARY = """
abs acos acosh asin asinh assign atan atanh bitwise_not ceil celu cos cosh digamma elu erf erfinv exp expm1 any all
fill_diagonal floor gelu hardshrink hardsigmoid hardswish hardtanh isfinite isinf isnan leaky_relu lgamma log log10
log1p log2 log_softmax logical_not logsigmoid logit maxout mish reciprocal relu relu6 round rsqrt selu shape shape64
sigmoid sign silu sin sinh softmax softplus softshrink softsign sqrt square swish tan tanh tanh_shrink
thresholded_relu trunc cast flatten transpose argsort cumprod diag diagonal ones_like zeros_like frobenius_norm p_norm
unbind unstack flip tril triu mean_all nonzero numel pixel_shuffle pixel_unshuffle channel_shuffle inverse norm
as_real as_complex real imag conj increment logsumexp logcumsumexp share_data_ squared_l2_norm max_pool2d_with_index
multinomial kthvalue mode unfold_tensor print label_smooth cummax cummin number_count"""

_BINARY = """
add subtract multiply divide maximum minimum fmax fmin elementwise_pow remainder floor_divide equal not_equal
less_than less_equal greater_than greater_equal logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor
matmul bmm mv dot kron atan2 cross allclose isclose heaviside equal_all nextafter cosine_similarity"""

_OTHERS = """
scale x scale
pow x
clip x min max
sum x axis
mean x axis
max x axis
min x axis
prod x dims
amax x
amin x
argmax x axis
argmin x axis
topk x k
cumsum x axis
reshape x shape
squeeze x axis
unsqueeze x axis
concat x axis
stack x
split x sections axis
split_with_num x axis
slice input starts ends
strided_slice x starts ends strides
set_value_with_tensor_ x values starts ends steps
set_value_ x starts ends steps
set_value_with_tensor x values starts ends steps
set_value x starts ends steps
expand x shape
expand_as x y
tile x repeat_times
gather x index axis
gather_nd x index
index_select x index
index_sample x index
take_along_axis arr indices
put_along_axis arr indices values
scatter x index updates
scatter_nd_add x index updates
where condition x y
masked_select x mask
masked_fill x mask value
full
full_int_array
full_ shape
full_with_tensor value shape
full_batch_size_like input
assign_value
assign_value_ output
assign_out_ x output
arange start end step
linspace start stop number
eye num_rows num_columns
one_hot x num_classes
embedding x weight
einsum x
addmm input x y
conv2d input filter
depthwise_conv2d input filter
conv3d input filter
conv2d_transpose x filter output_size
conv2d_transpose_bias x filter bias output_size
depthwise_conv2d_transpose x filter output_size
conv3d_transpose x filter
pool2d x kernel_size
pool3d x
batch_norm x mean variance scale bias
batch_norm_ x mean variance scale bias
sync_batch_norm_ x mean variance scale bias
layer_norm x scale bias
group_norm x scale bias
instance_norm x scale bias
rms_norm x bias residual norm_weight norm_bias
dropout x seed_tensor p
pad x pad_value
pad3d x paddings
roll x shifts
full_like x value
bilinear_interp x out_size size_tensor scale_tensor
nearest_interp x out_size size_tensor scale_tensor
bicubic_interp x out_size size_tensor scale_tensor
linear_interp x out_size size_tensor scale_tensor
rnn x pre_state weight_list sequence_length dropout_state_in
prelu x alpha
cross_entropy_with_softmax input label
repeat_interleave_with_tensor_index x repeats
meshgrid inputs
add_n inputs
broadcast_tensors input
uniform shape min max
gaussian shape
randint shape
flash_attn q k v fixed_seed_offset attn_mask
memory_efficient_attention query key value bias
lerp x y weight
bilinear x y weight bias
grid_sample x grid
affine_grid input output_shape
searchsorted sorted_sequence values
if cond
"""

ARGUMENTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_UNARY.split(), ("x",)),
    **dict.fromkeys(_BINARY.split(), ("x", "y")),
    **{line.split()[0]: tuple(line.split()[1:]) for line in _OTHERS.strip().splitlines()},
}
