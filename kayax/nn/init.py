"""``paddle.nn.init``: initializers as functions that fill a Tensor, under PyTorch's names. Each gives the Tensor."""
from __future__ import annotations

from kayax.bridge.tensor import Tensor
from kayax.layers import ops
from kayax.layers.initializer import (
    Constant,
    Dirac,
    Initializer,
    KaimingNormal,
    KaimingUniform,
    Normal,
    Orthogonal,
    TruncatedNormal,
    Uniform,
    XavierNormal,
    XavierUniform,
    calculate_gain,
)


def kaiming_uniform_(tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu") -> Tensor:
    """Fill by `nn.initializer.KaimingUniform`; `a` is the slope of a leaky ReLU."""
    return _filled(KaimingUniform(negative_slope=a, nonlinearity=nonlinearity, mode=mode), tensor)


def kaiming_normal_(tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu") -> Tensor:
    """Fill by `nn.initializer.KaimingNormal`; `a` is the slope of a leaky ReLU."""
    return _filled(KaimingNormal(negative_slope=a, nonlinearity=nonlinearity, mode=mode), tensor)


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, fan_in: float | None = None,
                    fan_out: float | None = None) -> Tensor:
    """Fill by `nn.initializer.XavierUniform`."""
    return _filled(XavierUniform(fan_in, fan_out, gain=gain), tensor)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, fan_in: float | None = None,
                   fan_out: float | None = None) -> Tensor:
    """Fill by `nn.initializer.XavierNormal`."""
    return _filled(XavierNormal(fan_in, fan_out, gain=gain), tensor)


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0) -> Tensor:
    """Fill uniformly between `a` and `b`."""
    return _filled(Uniform(a, b), tensor)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0) -> Tensor:
    """Fill with draws of a normal distribution."""
    return _filled(Normal(mean, std), tensor)


def trunc_normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0) -> Tensor:
    """Fill with draws of a normal distribution between `a` and `b`."""
    return _filled(TruncatedNormal(mean, std, a, b), tensor)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with `val`."""
    return _filled(Constant(val), tensor)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with ones."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with zeros."""
    return constant_(tensor, 0.0)


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Fill a convolution's weight so that it passes its input on unchanged."""
    return _filled(Dirac(groups), tensor)


def orthogonal_(tensor: Tensor, gain: float = 1) -> Tensor:
    """Fill with an orthogonal matrix."""
    return _filled(Orthogonal(gain), tensor)


def eye_(tensor: Tensor) -> Tensor:
    """Fill a matrix with ones on its diagonal and zeros elsewhere."""
    if len(tensor.shape) != 2:
        raise AssertionError(f"eye_ fills a matrix, but the shape is {list(tensor.shape)}.")
    tensor.storage.array = ops.eye(*tensor.shape, dtype=tensor.dtype).storage.array
    return tensor


def _filled(initializer: Initializer, tensor: Tensor) -> Tensor:
    initializer(tensor)
    return tensor


__all__ = ["calculate_gain", "constant_", "dirac_", "eye_", "kaiming_normal_", "kaiming_uniform_", "normal_", "ones_",
           "orthogonal_", "trunc_normal_", "uniform_", "xavier_normal_", "xavier_uniform_", "zeros_"]
