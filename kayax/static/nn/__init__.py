"""``paddle.static.nn``: functions that make their parameters, and choices and loops that depend on tensors."""
from __future__ import annotations

import functools
import importlib
import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any

import kayax as _paddle
from kayax.absent import absent
from kayax.bridge.checked import check_variable
from kayax.bridge.control_flow import case, cond, switch_case, while_loop
from kayax.inner.table import PATHS
from kayax.layers.param_attr import WeightNormParamAttr
from kayax.layers.parameter import new_parameter
from kayax.spec import unique_name
from kayax.static.nn.weight_norm import normed

nn: Any = _paddle.nn
F: Any = nn.functional


def _parameter(shape: Sequence[int], dtype: Any, attr: Any, prefix: str, is_bias: bool = False,
               default_initializer: Any = None) -> Any:
    if isinstance(attr, WeightNormParamAttr):
        named = attr.name or unique_name.generate(f"{prefix}.w")
        direction: Any = new_parameter(shape, dtype, None, attr.part(f"{named}_v", attr.initializer), is_bias,
                                  default_initializer, prefix)
        return normed(direction, attr, f"{named}_g")
    return new_parameter(shape, dtype, None, attr, is_bias, default_initializer, prefix)


def _with_weight_norm(kind: Callable, attr: Any, prefix: str, *args: Any, **kwargs: Any) -> Any:
    """A layer of this kind; its weight may be made of two parameters."""
    if not isinstance(attr, WeightNormParamAttr):
        return kind(*args, weight_attr=attr, **kwargs)
    named = attr.name or unique_name.generate(f"{prefix}.w")
    layer = kind(*args, weight_attr=attr.part(f"{named}_v", attr.initializer), **kwargs)
    layer.__dict__["weight"] = normed(layer._parameters.pop("weight"), attr, f"{named}_g")
    return layer


def _act(x: Any, name: str | None) -> Any:
    """The activation with this name, none if None."""
    if name is None:
        return x
    function = getattr(F, name, None)
    if function is None:
        raise ValueError(f"There is no activation {name!r} in paddle.nn.functional.")
    return function(x)


def _floating(function: Callable) -> Callable:
    """The function, whose first parameter must be a floating variable (or several, of `fc`)."""
    name = function.__name__
    first = next(iter(inspect.signature(function).parameters))

    @functools.wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        if args or first in kwargs:
            check_variable(args[0] if args else kwargs[first], first, name, "fV", several=name == "fc")
        return function(*args, **kwargs)

    return checked


def _known(shape: Sequence[Any], what: str) -> list[int]:
    """Dims that a parameter's shape depends on."""
    if not all(isinstance(d, int) for d in shape):
        raise ValueError(f"The parameters of {what} need sizes that are known, but the input has open dims there.")
    return [int(d) for d in shape]


@_floating
def fc(x: Any, size: int, num_flatten_dims: int = 1, weight_attr: Any = None, bias_attr: Any = None,
       activation: str | None = None, name: str | None = None) -> Any:
    """``activation(sum(x_i @ W_i) + b)``, with the dims of each input from `num_flatten_dims` on as one.

    x: a Tensor or a list of them. size: the number of outputs.
    """
    inputs = list(x) if isinstance(x, (list, tuple)) else [x]
    attrs = list(weight_attr) if isinstance(weight_attr, (list, tuple)) else [weight_attr] * len(inputs)
    prefix = name or unique_name.generate("fc")
    total = None
    for value, attr in zip(inputs, attrs, strict=True):
        kept = num_flatten_dims % value.ndim if num_flatten_dims < 0 else num_flatten_dims
        width = math.prod(_known(value.shape[kept:], "fc"))
        weight = _parameter([width, size], value.dtype, attr=attr, prefix=prefix)
        flat = value if value.ndim == kept + 1 else value.flatten(kept)
        product = F.linear(flat, weight)
        total = product if total is None else total + product
    bias = _parameter([size], inputs[0].dtype, attr=bias_attr, is_bias=True, prefix=prefix)
    return _act(total if bias is None else total + bias, activation)


def embedding(input: Any, size: Sequence[int], is_sparse: bool = False, is_distributed: bool = False,
              padding_idx: int | None = None, param_attr: Any = None, dtype: Any = "float32") -> Any:
    """Rows of a table of the shape `size` by index. is_sparse, is_distributed: accepted; gradients are dense."""
    table = _parameter(list(size), dtype, attr=param_attr, prefix=unique_name.generate("embedding"))
    return F.embedding(input, table, padding_idx)


def sparse_embedding(input: Any, size: Sequence[int], padding_idx: int | None = None, is_test: bool = False,
                     entry: Any = None, table_class: str = "MemorySparseTable", param_attr: Any = None,
                     dtype: Any = "float32", slot: Any = None) -> Any:
    """As `embedding`: the table is in memory."""
    return embedding(input, size, padding_idx=padding_idx, param_attr=param_attr, dtype=dtype)


def _convolution(kind: str, n: int) -> Callable:
    """conv2d, conv3d and their transposes, on the layers of these kinds."""
    formats = {2: ("NCHW", "NHWC"), 3: ("NCDHW", "NDHWC")}[n]

    def channels(input: Any, data_format: str) -> int:
        if data_format not in formats:
            raise ValueError(f"data_format must be one of {', '.join(formats)}, but got {data_format!r}.")
        return _known([input.shape[1 if data_format == formats[0] else -1]], kind)[0]

    def convolution(input: Any, num_filters: int, filter_size: Any, stride: Any = 1, padding: Any = 0,
                    dilation: Any = 1, groups: int | None = None, param_attr: Any = None, bias_attr: Any = None,
                    use_cudnn: bool = True, act: str | None = None, name: str | None = None,
                    data_format: str = formats[0]) -> Any:
        layer = _with_weight_norm(
            getattr(nn, f"Conv{n}D"), param_attr, kind, channels(input, data_format), num_filters, filter_size, stride,
            padding, dilation, groups or 1, bias_attr=bias_attr, data_format=data_format)
        return _act(layer(input), act)

    def transpose(input: Any, num_filters: int, output_size: Any = None, filter_size: Any = None, padding: Any = 0,
                  stride: Any = 1, dilation: Any = 1, groups: int | None = None, param_attr: Any = None,
                  bias_attr: Any = None, use_cudnn: bool = True, act: str | None = None, name: str | None = None,
                  data_format: str = formats[0]) -> Any:
        if filter_size is None:
            raise ValueError(f"{kind} needs filter_size here: it is not found from output_size.")
        layer = _with_weight_norm(
            getattr(nn, f"Conv{n}DTranspose"), param_attr, kind, channels(input, data_format), num_filters, filter_size,
            stride, padding, 0, groups or 1, dilation, bias_attr=bias_attr, data_format=data_format)
        return _act(layer(input, output_size=output_size), act)

    made = transpose if kind.endswith("transpose") else convolution
    made.__name__ = made.__qualname__ = kind
    made.__doc__ = f"`nn.functional.{kind}` with parameters of its own. use_cudnn: accepted; XLA chooses."
    return _floating(made)


conv2d, conv2d_transpose = _convolution("conv2d", 2), _convolution("conv2d_transpose", 2)
conv3d, conv3d_transpose = _convolution("conv3d", 3), _convolution("conv3d_transpose", 3)


@_floating
def batch_norm(input: Any, act: str | None = None, is_test: bool = False, momentum: float = 0.9, epsilon: float = 1e-05,
               param_attr: Any = None, bias_attr: Any = None, data_layout: str = "NCHW", in_place: bool = False,
               name: str | None = None, moving_mean_name: str | None = None, moving_variance_name: str | None = None,
               do_model_average_for_mean_and_var: bool = True, use_global_stats: bool = False) -> Any:
    """`nn.functional.batch_norm` with parameters and running statistics of its own."""
    size = _known([input.shape[1 if data_layout == "NCHW" else -1]], "batch_norm")[0]
    layer = nn.BatchNorm(size, is_test=is_test, momentum=momentum, epsilon=epsilon, param_attr=param_attr,
                         bias_attr=bias_attr, data_layout=data_layout, moving_mean_name=moving_mean_name,
                         moving_variance_name=moving_variance_name, use_global_stats=use_global_stats)
    return _act(layer(input), act)


@_floating
def layer_norm(input: Any, scale: bool = True, shift: bool = True, begin_norm_axis: int = 1, epsilon: float = 1e-05,
               param_attr: Any = None, bias_attr: Any = None, act: str | None = None, name: str | None = None) -> Any:
    """`nn.functional.layer_norm` over the dims from `begin_norm_axis` on, with parameters of its own."""
    shape = _known(input.shape[begin_norm_axis:], "layer_norm")
    prefix = unique_name.generate("layer_norm")
    size = [math.prod(shape)]
    weight = _parameter(size, input.dtype, attr=param_attr, default_initializer=nn.initializer.Constant(1.0),
                              prefix=prefix) if scale else None
    bias = _parameter(size, input.dtype, attr=bias_attr, is_bias=True, prefix=prefix) if shift else None
    weight, bias = (None if p is None else p.reshape(shape) for p in (weight, bias))
    return _act(F.layer_norm(input, shape, weight, bias, epsilon), act)


@_floating
def group_norm(input: Any, groups: int, epsilon: float = 1e-05, param_attr: Any = None, bias_attr: Any = None,
               act: str | None = None, data_layout: str = "NCHW", name: str | None = None) -> Any:
    """`nn.functional.group_norm` with parameters of its own."""
    size = _known([input.shape[1 if data_layout == "NCHW" else -1]], "group_norm")[0]
    return _act(nn.GroupNorm(groups, size, epsilon, weight_attr=param_attr, bias_attr=bias_attr,
                             data_format=data_layout)(input), act)


@_floating
def instance_norm(input: Any, epsilon: float = 1e-05, param_attr: Any = None, bias_attr: Any = None,
                  name: str | None = None) -> Any:
    """`nn.functional.instance_norm` with parameters of its own."""
    size = _known([input.shape[1]], "instance_norm")[0]
    if not 3 <= input.ndim <= 5:
        raise ValueError(f"instance_norm needs an input with 3 to 5 dims, but it has {input.ndim}.")
    prefix = unique_name.generate("instance_norm")
    weight = _parameter([size], input.dtype, param_attr, prefix, default_initializer=nn.initializer.Constant(1.0))
    bias = _parameter([size], input.dtype, bias_attr, prefix, is_bias=True)
    return F.instance_norm(input, weight=weight, bias=bias, eps=epsilon)


@_floating
def prelu(x: Any, mode: str, param_attr: Any = None, data_format: str = "NCHW", name: str | None = None) -> Any:
    """x where it is positive, else a learned slope times x: one for "all", or one per "channel" or "element" (mode)."""
    if mode not in ("all", "channel", "element"):
        raise ValueError(f"mode must be 'all', 'channel' or 'element', but got {mode!r}.")
    axis = 1 if data_format.startswith("NC") else -1
    shape = [1]
    if mode == "channel":
        shape = [1] * x.ndim
        shape[axis] = _known([x.shape[axis]], "prelu")[0]
    elif mode == "element":
        shape = [1, *_known(x.shape[1:], "prelu")]
    slope = _parameter(shape, x.dtype, attr=param_attr, default_initializer=nn.initializer.Constant(0.25),
                             prefix=unique_name.generate("prelu"))
    if mode == "element":
        return F.relu(x) - slope * F.relu(-x)
    return F.prelu(x, slope.flatten(), data_format=data_format)


@_floating
def bilinear_tensor_product(x: Any, y: Any, size: int, act: str | None = None, name: str | None = None,
                            param_attr: Any = None, bias_attr: Any = None) -> Any:
    """``x @ W[k] @ y + b`` for each output k."""
    widths = _known([x.shape[1], y.shape[1]], "bilinear_tensor_product")
    prefix = name or unique_name.generate("bilinear_tensor_product")
    weight = _parameter([size, *widths], x.dtype, param_attr, prefix)
    bias = _parameter([1, size], x.dtype, bias_attr, prefix, is_bias=True)
    return _act(F.bilinear(x, y, weight, bias), act)


@_floating
def spectral_norm(weight: Any, dim: int = 0, power_iters: int = 1, eps: float = 1e-12, name: str | None = None) -> Any:
    """A weight divided by its largest singular value, found by power iteration (Miyato et al. 2018)."""
    return nn.SpectralNorm(_known(weight.shape, "spectral_norm"), dim, power_iters, eps)(weight)


@_floating
def row_conv(input: Any, future_context_size: int, param_attr: Any = None, act: str | None = None) -> Any:
    """Each step with the next ones, weighted by channel (Amodei et al. 2015): ``[batch, time, channels]``."""
    width = _known([input.shape[2]], "row_conv")[0]
    weight: Any = _parameter([future_context_size + 1, width], input.dtype, attr=param_attr,
                              prefix=unique_name.generate("row_conv"))
    padded = F.pad(input, [0, 0, 0, future_context_size, 0, 0])
    steps = input.shape[1]
    total = padded[:, 0:steps] * weight[0]
    for i in range(1, future_context_size + 1):
        total = total + padded[:, i:steps + i] * weight[i]
    return _act(total, act)


def deform_conv2d(x: Any, offset: Any, mask: Any, num_filters: int, filter_size: Any, stride: Any = 1,
                  padding: Any = 0, dilation: Any = 1, groups: int = 1, deformable_groups: int = 1,
                  im2col_step: int = 1, weight_attr: Any = None, bias_attr: Any = None, name: str | None = None) -> Any:
    """`vision.ops.deform_conv2d` with parameters of its own. mask: None for the first version (Dai et al. 2017).

    im2col_step: accepted; XLA chooses.
    """
    for what, value in (("x", x), ("offset", offset), *((("mask", mask),) if mask is not None else ())):
        if not isinstance(value, _paddle.Tensor):
            raise TypeError(f"{what} of deform_conv2d must be a variable, but got {type(value).__name__}.")
    channels = _known([x.shape[1]], "deform_conv2d")[0]
    if channels % groups:
        raise ValueError(f"The {channels} channels of the input must be a multiple of groups, {groups}.")
    sizes = list(filter_size) if isinstance(filter_size, (list, tuple)) else [filter_size] * 2
    prefix = name or unique_name.generate("deform_conv2d")
    spread = nn.initializer.Normal(0.0, math.sqrt(2.0 / (math.prod(sizes) * channels)))
    weight = _parameter([num_filters, channels // groups, *sizes], x.dtype, weight_attr, prefix,
                        default_initializer=spread)
    bias = _parameter([num_filters], x.dtype, bias_attr, prefix, is_bias=True)
    return _paddle.vision.ops.deform_conv2d(x, offset, weight, bias, stride, padding, dilation, deformable_groups,
                                            groups, mask)


def static_pylayer(forward_fn: Callable, inputs: Sequence[Any], backward_fn: Callable | None = None,
                   name: str | None = None) -> Any:
    """``forward_fn(*inputs)`` with the gradient ``backward_fn(*gradients of the outputs)``, or with none."""
    if backward_fn is None:
        with _paddle.no_grad():
            return forward_fn(*inputs)
    given: Callable = backward_fn

    class Custom(_paddle.autograd.PyLayer):
        @staticmethod
        def forward(ctx: Any, *values: Any) -> Any:
            return forward_fn(*values)

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> Any:
            return given(*grads)

    return Custom.apply(*inputs)


def __getattr__(name: str) -> Any:
    if name == "py_func":
        from kayax.static.extras import py_func
        return py_func
    if name == "Assert":                    # of static.nn.control_flow
        from kayax.static.nn.asserting import Assert
        return Assert
    if name == "nce":
        from kayax.static.nn.sampled import nce
        return nce
    if f"static.nn.{name}" in PATHS:
        return importlib.import_module(f"kayax.static.nn.{name}")
    return absent("static.nn")(name)


__all__ = ["batch_norm", "bilinear_tensor_product", "case", "cond", "conv2d", "conv2d_transpose", "conv3d",
           "conv3d_transpose", "deform_conv2d", "embedding", "fc", "group_norm", "instance_norm", "layer_norm", "nce",
           "prelu", "row_conv",
           "sparse_embedding", "spectral_norm", "static_pylayer", "switch_case", "while_loop"]
