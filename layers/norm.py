"""Normalization layers. The statistics of batch norms are parameters that are not trained, as in Paddle."""
from __future__ import annotations

import math
from typing import Any

from kayax.bridge.errors import ArgumentError
from kayax.layers import functional as F
from kayax.layers import initializer as init
from kayax.layers.layer import Layer

_LOW = ("float16", "bfloat16")


class _BatchNorm(Layer):
    """Over a batch: ``(x - mean) / sqrt(variance + epsilon) * weight + bias``, per channel.

    In training the batch's own statistics are used and the running ones move:
    ``running = momentum * running + (1 - momentum) * batch``. `use_global_stats` uses the running ones always.
    """

    _amp_keep_float32 = _LOW

    def _setup(self, num_features: int, momentum: float, epsilon: float, weight_attr: Any, bias_attr: Any,
               data_format: str, use_global_stats: bool | None) -> None:
        self._num_features, self._momentum, self._epsilon = num_features, momentum, epsilon
        self._data_format, self._use_global_stats = data_format, use_global_stats
        shape = [num_features]
        self.weight = self.create_parameter(shape, attr=weight_attr, default_initializer=init.Constant(1.0))
        self.bias = self.create_parameter(shape, attr=bias_attr, is_bias=True)
        self._mean = self.create_parameter(shape, default_initializer=init.Constant(0.0))
        self._variance = self.create_parameter(shape, default_initializer=init.Constant(1.0))
        self._mean.stop_gradient = self._variance.stop_gradient = True

    def forward(self, input: Any) -> Any:
        self._check(input)
        return F.batch_norm(input, self._mean, self._variance, self.weight, self.bias, self.training, self._momentum,
                            self._epsilon, self._data_format, self._use_global_stats)

    _ranks: tuple[int, ...] = ()

    def _check(self, input: Any) -> None:
        if self._ranks and input.ndim not in self._ranks:
            wanted = " or ".join(f"{r}-D" for r in self._ranks)
            raise ArgumentError(f"{type(self).__name__} expects a {wanted} input, but got a {input.ndim}-D one of "
                                "shape "
                                f"{list(input.shape)}.")

    def extra_repr(self) -> str:
        shown = f"num_features={self._num_features}, momentum={self._momentum}, epsilon={self._epsilon}"
        return shown + (f", data_format={self._data_format}" if self._data_format != "NCHW" else "")


class BatchNorm1D(_BatchNorm):
    """Batch normalization of ``[N, C]`` or ``[N, C, L]`` (``NLC``)."""

    _ranks = (2, 3)

    def __init__(self, num_features: int, momentum: float = 0.9, epsilon: float = 1e-05, weight_attr: Any = None,
                 bias_attr: Any = None, data_format: str = "NCL", use_global_stats: bool | None = None,
                 name: str | None = None):
        super().__init__()
        self._setup(num_features, momentum, epsilon, weight_attr, bias_attr, data_format, use_global_stats)


class BatchNorm2D(_BatchNorm):
    """Batch normalization of ``[N, C, H, W]`` (``NHWC``)."""

    _ranks = (4,)

    def __init__(self, num_features: int, momentum: float = 0.9, epsilon: float = 1e-05, weight_attr: Any = None,
                 bias_attr: Any = None, data_format: str = "NCHW", use_global_stats: bool | None = None,
                 name: str | None = None):
        super().__init__()
        self._setup(num_features, momentum, epsilon, weight_attr, bias_attr, data_format, use_global_stats)


class BatchNorm3D(_BatchNorm):
    """Batch normalization of ``[N, C, D, H, W]`` (``NDHWC``)."""

    _ranks = (5,)

    def __init__(self, num_features: int, momentum: float = 0.9, epsilon: float = 1e-05, weight_attr: Any = None,
                 bias_attr: Any = None, data_format: str = "NCDHW", use_global_stats: bool | None = None,
                 name: str | None = None):
        super().__init__()
        self._setup(num_features, momentum, epsilon, weight_attr, bias_attr, data_format, use_global_stats)


class BatchNorm(_BatchNorm):
    """Paddle 1.x's batch normalization: any rank, and an activation by name (`act`)."""

    def __init__(self, num_channels: int, act: str | None = None, is_test: bool = False, momentum: float = 0.9,
                 epsilon: float = 1e-05, param_attr: Any = None, bias_attr: Any = None, dtype: Any = "float32",
                 data_layout: str = "NCHW", in_place: bool = False, moving_mean_name: str | None = None,
                 moving_variance_name: str | None = None, do_model_average_for_mean_and_var: bool = True,
                 use_global_stats: bool = False, trainable_statistics: bool = False):
        super().__init__(dtype=dtype)
        self._act, self._trainable_statistics = act, trainable_statistics
        # False means here what None means to `F.batch_norm`: the running statistics in evaluation.
        self._setup(num_channels, momentum, epsilon, param_attr, bias_attr, data_layout, use_global_stats or None)
        if moving_mean_name:
            self._mean.name = moving_mean_name
        if moving_variance_name:
            self._variance.name = moving_variance_name
        if is_test:
            self.training = False

    def forward(self, input: Any) -> Any:
        training = self.training or self._trainable_statistics
        out = F.batch_norm(input, self._mean, self._variance, self.weight, self.bias, training, self._momentum,
                           self._epsilon, self._data_format, self._use_global_stats)
        if self._act is None:
            return out
        return getattr(F, self._act)(out)

    def extra_repr(self) -> str:
        return ""


class SyncBatchNorm(_BatchNorm):
    """Batch normalization with the statistics of all devices. In one program the batch is whole already."""

    def __init__(self, num_features: int, momentum: float = 0.9, epsilon: float = 1e-05, weight_attr: Any = None,
                 bias_attr: Any = None, data_format: str = "NCHW", name: str | None = None):
        super().__init__()
        self._setup(num_features, momentum, epsilon, weight_attr, bias_attr, data_format, None)

    @classmethod
    def convert_sync_batchnorm(cls, layer: Layer) -> Layer:
        """The layer with every batch norm in it replaced by a SyncBatchNorm with the same state."""
        if isinstance(layer, _BatchNorm) and not isinstance(layer, SyncBatchNorm):
            new = cls(layer._num_features, layer._momentum, layer._epsilon, data_format=layer._data_format)
            for name in ("weight", "bias", "_mean", "_variance"):
                new._parameters[name] = getattr(layer, name)
            return new
        for name, sublayer in list(layer.named_children()):
            layer.add_sublayer(name, cls.convert_sync_batchnorm(sublayer))
        return layer


class LayerNorm(Layer):
    """Over the last axes of each sample, which have the shape `normalized_shape`."""

    _amp_keep_float32 = ("float16",)

    def __init__(self, normalized_shape: Any, epsilon: float = 1e-05, *, elementwise_affine: bool = True,
                 bias: bool = True, device: Any = None, dtype: Any = None, weight_attr: Any = None,
                 bias_attr: Any = None, name: str | None = None):
        super().__init__()
        self._normalized_shape = [normalized_shape] if isinstance(normalized_shape, int) else list(normalized_shape)
        self._epsilon = epsilon
        size = [math.prod(self._normalized_shape)]
        self.weight = self.create_parameter(size, attr=weight_attr if elementwise_affine else False, dtype=dtype,
                                            default_initializer=init.Constant(1.0))
        self.bias = self.create_parameter(size, attr=bias_attr if elementwise_affine and bias else False, dtype=dtype,
                                          is_bias=True)

    def forward(self, input: Any) -> Any:
        return F.layer_norm(input, self._normalized_shape, self.weight, self.bias, self._epsilon)

    def extra_repr(self) -> str:
        return f"normalized_shape={self._normalized_shape}, epsilon={self._epsilon}"


class GroupNorm(Layer):
    """Over groups of channels of each sample."""

    def __init__(self, num_groups: int, num_channels: int, epsilon: float = 1e-05, *, affine: bool = True,
                 device: Any = None, dtype: Any = None, weight_attr: Any = None, bias_attr: Any = None,
                 data_format: str = "NCHW", name: str | None = None):
        super().__init__()
        if num_channels % num_groups:
            raise ArgumentError(f"num_channels must be divisible by num_groups, but got {num_channels} and "
                                f"{num_groups}.")
        self._num_groups, self._num_channels, self._epsilon = num_groups, num_channels, epsilon
        self._data_format = data_format
        self.weight = self.create_parameter([num_channels], attr=weight_attr if affine else False, dtype=dtype,
                                            default_initializer=init.Constant(1.0))
        self.bias = self.create_parameter([num_channels], attr=bias_attr if affine else False, dtype=dtype,
                                          is_bias=True)

    def forward(self, input: Any) -> Any:
        return F.group_norm(input, self._num_groups, self._epsilon, self.weight, self.bias, self._data_format)

    def extra_repr(self) -> str:
        return f"num_groups={self._num_groups}, num_channels={self._num_channels}, epsilon={self._epsilon}"


class _InstanceNorm(Layer):
    """Over each channel of each sample."""

    _amp_keep_float32 = ("float16",)
    _ranks: tuple[int, ...] = ()

    def _setup(self, num_features: int, epsilon: float, momentum: float, weight_attr: Any, bias_attr: Any,
               data_format: str) -> None:
        if (weight_attr is False) != (bias_attr is False):
            raise ArgumentError("weight_attr and bias_attr must both be False or neither.")
        self._num_features, self._data_format = num_features, data_format
        self._epsilon, self._momentum = epsilon, momentum
        self.scale = self.create_parameter([num_features], attr=weight_attr, default_initializer=init.Constant(1.0))
        self.bias = self.create_parameter([num_features], attr=bias_attr, is_bias=True)

    def forward(self, input: Any) -> Any:
        if input.ndim not in self._ranks:
            wanted = " or ".join(f"{r}-D" for r in self._ranks)
            raise ArgumentError(f"{type(self).__name__} expects a {wanted} input, but got shape {list(input.shape)}.")
        return F.instance_norm(input, weight=self.scale, bias=self.bias, eps=self._epsilon, momentum=self._momentum,
                               data_format=self._data_format)

    def extra_repr(self) -> str:
        return f"num_features={self._num_features}, epsilon={self._epsilon}"


class InstanceNorm1D(_InstanceNorm):
    """Instance normalization of ``[N, C, L]``."""

    _ranks = (2, 3)

    def __init__(self, num_features: int, epsilon: float = 1e-05, momentum: float = 0.9, weight_attr: Any = None,
                 bias_attr: Any = None, data_format: str = "NCL", name: str | None = None):
        super().__init__()
        self._setup(num_features, epsilon, momentum, weight_attr, bias_attr, data_format)


class InstanceNorm2D(_InstanceNorm):
    """Instance normalization of ``[N, C, H, W]``."""

    _ranks = (4,)

    def __init__(self, num_features: int, epsilon: float = 1e-05, momentum: float = 0.9, weight_attr: Any = None,
                 bias_attr: Any = None, data_format: str = "NCHW", name: str | None = None):
        super().__init__()
        self._setup(num_features, epsilon, momentum, weight_attr, bias_attr, data_format)


class InstanceNorm3D(_InstanceNorm):
    """Instance normalization of ``[N, C, D, H, W]``."""

    _ranks = (5,)

    def __init__(self, num_features: int, epsilon: float = 1e-05, momentum: float = 0.9, weight_attr: Any = None,
                 bias_attr: Any = None, data_format: str = "NCDHW", name: str | None = None):
        super().__init__()
        self._setup(num_features, epsilon, momentum, weight_attr, bias_attr, data_format)


class LocalResponseNorm(Layer):
    """Divides by a power of the sum of squares over neighbouring channels (Krizhevsky et al., 2012)."""

    def __init__(self, size: int, alpha: float = 0.0001, beta: float = 0.75, k: float = 1.0, data_format: str = "NCHW",
                 name: str | None = None):
        super().__init__()
        self._arguments = (size, alpha, beta, k, data_format)

    def forward(self, input: Any) -> Any:
        return F.local_response_norm(input, *self._arguments)

    def extra_repr(self) -> str:
        size, alpha, beta, k, data_format = self._arguments
        shown = f"size={size}, alpha={alpha}, beta={beta}, k={k}"
        return shown + (f", data_format={data_format}" if data_format != "NCHW" else "")


__all__ = ["BatchNorm", "BatchNorm1D", "BatchNorm2D", "BatchNorm3D", "GroupNorm", "InstanceNorm1D", "InstanceNorm2D",
           "InstanceNorm3D", "LayerNorm", "LocalResponseNorm", "SyncBatchNorm"]
