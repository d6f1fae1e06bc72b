"""Activations as layers."""
from __future__ import annotations

from typing import Any

from kayax.bridge.errors import ArgumentError
from kayax.layers import functional as F
from kayax.layers import initializer as init
from kayax.layers.function_layer import FunctionLayer
from kayax.layers.layer import Layer


class ReLU(FunctionLayer):
    """``max(x, 0)``."""

    def __init__(self, name: str | None = None):
        super().__init__(F.relu)


class ReLU6(FunctionLayer):
    """``min(max(x, 0), 6)``."""

    def __init__(self, name: str | None = None):
        super().__init__(F.relu6)


class Sigmoid(FunctionLayer):
    """``1 / (1 + exp(-x))``."""

    def __init__(self, name: str | None = None):
        super().__init__(F.sigmoid)


class Tanh(FunctionLayer):
    """The hyperbolic tangent."""

    def __init__(self, name: str | None = None):
        super().__init__(F.tanh)


class Tanhshrink(FunctionLayer):
    """``x - tanh(x)``."""

    def __init__(self, name: str | None = None):
        super().__init__(F.tanhshrink)


class LogSigmoid(FunctionLayer):
    """``log(sigmoid(x))``."""

    def __init__(self, name: str | None = None):
        super().__init__(F.log_sigmoid)


class Hardsigmoid(FunctionLayer):
    """``clip(x / 6 + 0.5, 0, 1)``."""

    def __init__(self, name: str | None = None):
        super().__init__(F.hardsigmoid)


class Hardswish(FunctionLayer):
    """``x * clip(x + 3, 0, 6) / 6`` (Howard et al., 2019)."""

    def __init__(self, name: str | None = None):
        super().__init__(F.hardswish)


class Swish(FunctionLayer):
    """``x * sigmoid(x)``."""

    def __init__(self, name: str | None = None):
        super().__init__(F.swish)


class Mish(FunctionLayer):
    """``x * tanh(softplus(x))`` (Misra, 2019)."""

    def __init__(self, name: str | None = None):
        super().__init__(F.mish)


class Softsign(FunctionLayer):
    """``x / (1 + |x|)``."""

    def __init__(self, name: str | None = None):
        super().__init__(F.softsign)


class GELU(FunctionLayer):
    """``x`` times the normal distribution function of ``x``; by tanh if `approximate`."""

    def __init__(self, approximate: bool = False, name: str | None = None):
        super().__init__(F.gelu, approximate=approximate)


class ELU(FunctionLayer):
    """``x`` where positive, ``alpha * (exp(x) - 1)`` elsewhere."""

    def __init__(self, alpha: float = 1.0, name: str | None = None):
        super().__init__(F.elu, alpha=alpha)


class CELU(FunctionLayer):
    """``max(0, x) + min(0, alpha * (exp(x / alpha) - 1))``."""

    def __init__(self, alpha: float = 1.0, name: str | None = None):
        super().__init__(F.celu, alpha=alpha)


class SELU(FunctionLayer):
    """Self-normalizing ELU (Klambauer et al., 2017)."""

    def __init__(self, scale: float = 1.0507009873554805, alpha: float = 1.6732632423543772, name: str | None = None):
        super().__init__(F.selu, scale=scale, alpha=alpha)


class LeakyReLU(FunctionLayer):
    """``x`` where positive, ``negative_slope * x`` elsewhere."""

    def __init__(self, negative_slope: float = 0.01, name: str | None = None):
        super().__init__(F.leaky_relu, negative_slope=negative_slope)


class Hardshrink(FunctionLayer):
    """``x`` outside of ``[-threshold, threshold]``, 0 inside."""

    def __init__(self, threshold: float = 0.5, name: str | None = None):
        super().__init__(F.hardshrink, threshold=threshold)


class Softshrink(FunctionLayer):
    """``x`` moved towards 0 by `threshold`."""

    def __init__(self, threshold: float = 0.5, name: str | None = None):
        super().__init__(F.softshrink, threshold=threshold)


class Hardtanh(FunctionLayer):
    """``clip(x, min, max)``."""

    def __init__(self, min: float = -1.0, max: float = 1.0, name: str | None = None):
        super().__init__(F.hardtanh, min=min, max=max)


class Softplus(FunctionLayer):
    """``log(1 + exp(beta * x)) / beta``, linear above `threshold`."""

    def __init__(self, beta: int = 1, threshold: int = 20, name: str | None = None):
        super().__init__(F.softplus, beta=beta, threshold=threshold)


class Softmax(FunctionLayer):
    """``exp(x)``, divided by its sum over `axis`."""

    def __init__(self, axis: int = -1, name: str | None = None):
        super().__init__(F.softmax, axis=axis)


class LogSoftmax(FunctionLayer):
    """The logarithm of the softmax over `axis`."""

    def __init__(self, axis: int = -1, name: str | None = None):
        super().__init__(F.log_softmax, axis=axis)


class ThresholdedReLU(FunctionLayer):
    """``x`` above `threshold`, `value` elsewhere."""

    def __init__(self, threshold: float = 1.0, value: float = 0.0, name: str | None = None):
        super().__init__(F.thresholded_relu, threshold=threshold, value=value)


class Maxout(FunctionLayer):
    """The maximum over groups of channels."""

    def __init__(self, groups: Any, axis: int = 1, name: str | None = None):
        super().__init__(F.maxout, groups=groups, axis=axis)


class GLU(FunctionLayer):
    """One half of the input times the sigmoid of the other."""

    def __init__(self, axis: int = -1, name: str | None = None):
        super().__init__(F.glu, axis=axis)


class Silu(FunctionLayer):
    """``x * sigmoid(x)``; into the input's storage if `inplace`."""

    def __init__(self, inplace: bool = False, name: str | None = None):
        super().__init__(F.silu, inplace=inplace)
        self._inplace = inplace

    def extra_repr(self) -> str:
        return f"inplace={self._inplace}"


class Softmax2D(Layer):
    """Softmax over the channels of ``[N, C, H, W]`` or ``[C, H, W]``."""

    def __init__(self, name: str | None = None):
        super().__init__()

    def forward(self, x: Any) -> Any:
        if x.ndim not in (3, 4):
            raise ArgumentError(f"Softmax2D expects a 3-D or 4-D input, but got shape {list(x.shape)}.")
        return F.softmax(x, axis=-3)


class RReLU(Layer):
    """Leaky ReLU with a random slope between `lower` and `upper` in training, their mean in evaluation."""

    def __init__(self, lower: float = 0.125, upper: float = 0.3333333333333333, name: str | None = None):
        super().__init__()
        self._lower, self._upper = lower, upper

    def forward(self, x: Any) -> Any:
        return F.rrelu(x, self._lower, self._upper, self.training)

    def extra_repr(self) -> str:
        return f"lower={self._lower}, upper={self._upper}, training={self.training}, dtype={self._dtype}"


class PReLU(Layer):
    """``x`` where positive, ``weight * x`` elsewhere, with one learned weight or one for each channel."""

    def __init__(self, num_parameters: int = 1, init: float = 0.25, weight_attr: Any = None, data_format: str = "NCHW",
                 name: str | None = None):
        super().__init__()
        self._num_parameters, self._init, self._data_format = num_parameters, init, data_format
        self._weight = self.create_parameter([num_parameters], attr=weight_attr, default_initializer=_constant(init))

    def forward(self, x: Any) -> Any:
        return F.prelu(x, self._weight, self._data_format)

    def extra_repr(self) -> str:
        return (f"num_parameters={self._num_parameters}, data_format={self._data_format}, init={self._init}, "
                f"dtype={self._dtype}")


_constant = init.Constant


__all__ = ["CELU", "ELU", "GELU", "GLU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "LeakyReLU",
           "LogSigmoid", "LogSoftmax", "Maxout", "Mish", "PReLU", "RReLU", "ReLU", "ReLU6", "SELU", "Sigmoid", "Silu",
           "Softmax", "Softmax2D", "Softplus", "Softshrink", "Softsign", "Swish", "Tanh", "Tanhshrink",
           "ThresholdedReLU"]
