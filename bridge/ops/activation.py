"""Activation functions of `paddle.nn.functional`."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from kayax.bridge.ops.math import sigmoid, tanh
from kayax.bridge.ops.promotion import need
from kayax.bridge.registry import op
from kayax.bridge.staging import staged
from kayax.spec.dtype import to_numpy

_NAME = "nn.functional."


def _floating(x: Any) -> Any:
    need(x, "x", (2, 3), "a floating Tensor")
    return x


def _elementwise(name: str, fn: Callable, doc: str, **options: Any) -> Any:
    def body(x, name=None):
        return fn(_floating(x))

    body.__name__ = body.__qualname__ = name
    body.__doc__ = doc
    return op(body, name=_NAME + name, amp=name, **options)


@op(name=_NAME + "relu", inplace=True, amp="relu")
def relu(x, name=None):
    """``max(x, 0)``, elementwise, with the gradient 0 at 0."""
    need(x, "x", (1, 2), "an integer or floating Tensor")
    return jax.nn.relu(x)


relu6 = _elementwise("relu6", lambda x: _clip(x, 0.0, 6.0), "``min(max(x, 0), 6)``, elementwise.")
log_sigmoid = _elementwise("log_sigmoid", jax.nn.log_sigmoid, "``log(sigmoid(x))``, elementwise, without overflow.")
hardswish = _elementwise("hardswish", lambda x: x * _clip(x + 3, 0.0, 6.0) / 6,
                         "``x * relu6(x + 3) / 6``, elementwise (Howard et al. 2019, MobileNetV3).")
swish = _elementwise("swish", jax.nn.silu, "``x * sigmoid(x)``, elementwise.")
mish = _elementwise("mish", lambda x: x * jnp.tanh(jax.nn.softplus(x)),
                    "``x * tanh(softplus(x))``, elementwise (Misra 2019).")
softsign = _elementwise("softsign", jax.nn.soft_sign, "``x / (1 + abs(x))``, elementwise.")
tanhshrink = _elementwise("tanhshrink", lambda x: x - jnp.tanh(x), "``x - tanh(x)``, elementwise.")


def logsigmoid(x, name=None):
    """The same as `log_sigmoid`."""
    return log_sigmoid(x)


def _clip(x: Any, low: float, high: float) -> Any:
    """Limits whose gradient is 0 at the limits themselves, as in Paddle (XLA's clamp gives one half there)."""
    return jnp.where(x >= high, high, jnp.where(x <= low, low, x)).astype(x.dtype)


@op(name=_NAME + "silu", amp="silu")
def _silu(x):
    return jax.nn.silu(_floating(x))


def silu(x, inplace=False, name=None):
    """``x * sigmoid(x)``, elementwise; written into `x` if `inplace`."""
    return x._rebind(_silu(x)) if inplace else _silu(x)


@op(name=_NAME + "gelu", amp="gelu")
def gelu(x, approximate=False, name=None):
    """The Gaussian error linear unit, elementwise: ``x * Phi(x)``, or its tanh approximation.

    approximate: False or "none" for the exact form, True or "tanh" for the approximation (Hendrycks and Gimpel 2016).
    """
    if approximate not in (True, False, "tanh", "none"):
        raise ValueError(f"approximate must be True, False, 'tanh' or 'none', but got {approximate!r}.")
    return jax.nn.gelu(_floating(x), approximate=approximate in (True, "tanh"))


@op(name=_NAME + "softmax", inplace=True, amp="softmax")
def softmax(x, axis=-1, dtype=None, name=None, *, out=None):
    """``exp(x) / sum(exp(x))`` along `axis`. With `dtype`, x is cast to it first.

    `out` (write the result into that Tensor) is not supported: assign the result.
    """
    return jax.nn.softmax(_as(x, dtype, out), axis=_axis(x, axis))


@op(name=_NAME + "log_softmax", amp="log_softmax")
def log_softmax(x, axis=-1, dtype=None, name=None):
    """The logarithm of the softmax along `axis`. With `dtype`, x is cast to it first."""
    return jax.nn.log_softmax(_as(x, dtype), axis=_axis(x, axis))


def _as(x: Any, dtype: Any, out: Any = None) -> Any:
    if out is not None:
        raise ValueError("out= is not supported here: assign the result to a name instead.")
    return _floating(x if dtype is None else lax.convert_element_type(x, to_numpy(dtype)))


def _axis(x: Any, axis: int) -> int | tuple:
    if not x.ndim and axis in (0, -1):
        return ()
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(f"axis must be in [-{x.ndim}, {x.ndim}) for a Tensor of shape {list(x.shape)}, not {axis}.")
    return axis


@op(name=_NAME + "leaky_relu", inplace=True, amp="leaky_relu")
def leaky_relu(x, negative_slope=0.01, name=None):
    """``x`` where it is positive, else ``negative_slope * x``."""
    return jnp.where(_floating(x) >= 0, x, x * negative_slope)


@op(name=_NAME + "elu", inplace=True, amp="elu")
def elu(x, alpha=1.0, name=None):
    """``x`` where it is positive, else ``alpha * (exp(x) - 1)`` (Clevert et al. 2015)."""
    return jax.nn.elu(_floating(x), alpha)


@op(name=_NAME + "celu", amp="celu")
def celu(x, alpha=1.0, name=None):
    """``max(x, 0) + min(0, alpha * (exp(x / alpha) - 1))``, elementwise. `alpha` must not be 0."""
    if alpha == 0:
        raise ValueError("celu: alpha must not be 0.")
    negative = jnp.where(_floating(x) > 0, 0, x)
    return jnp.where(x > 0, x, alpha * jnp.expm1(negative / alpha))


@op(name=_NAME + "selu", amp="selu")
def selu(x, scale=1.0507009873554804934193349852946, alpha=1.6732632423543772848170429916717, name=None):
    """``scale * (max(0, x) + min(0, alpha * (exp(x) - 1)))``, elementwise (Klambauer et al. 2017)."""
    if scale <= 1.0:
        raise ValueError(f"scale must be greater than 1, but got {scale}.")
    if alpha < 0:
        raise ValueError(f"alpha must not be negative, but got {alpha}.")
    return scale * jax.nn.elu(_floating(x), alpha)


@op(name=_NAME + "hardtanh", inplace=True, amp="hardtanh")
def hardtanh(x, min=-1.0, max=1.0, name=None):
    """`x` limited to [min, max]."""
    return _clip(_floating(x), min, max)


@op(name=_NAME + "hardsigmoid", amp="hardsigmoid")
def hardsigmoid(x, slope=0.1666667, offset=0.5, name=None):
    """``slope * x + offset`` limited to [0, 1]."""
    return _clip(_floating(x) * slope + offset, 0.0, 1.0)


@op(name=_NAME + "hardshrink", amp="hardshrink")
def hardshrink(x, threshold=0.5, name=None):
    """`x` where its magnitude is at least `threshold`, else 0."""
    return jnp.where((_floating(x) >= threshold) | (x <= -threshold), x, jnp.zeros((), x.dtype))


@op(name=_NAME + "softshrink", amp="softshrink")
def softshrink(x, threshold=0.5, name=None):
    """`x` brought nearer to 0 by `threshold`, and 0 where its magnitude is less."""
    if threshold < 0:
        raise ValueError(f"threshold must not be negative, but got {threshold}.")
    zero = jnp.zeros((), _floating(x).dtype)
    return jnp.where(x > threshold, x - threshold, jnp.where(x < -threshold, x + threshold, zero))


@op(name=_NAME + "softplus", amp="softplus")
def softplus(x, beta=1, threshold=20, name=None):
    """``log(1 + exp(beta * x)) / beta``, and `x` itself where ``beta * x > threshold``."""
    scaled = _floating(x) * beta
    return jnp.where(scaled > threshold, x, jax.nn.softplus(scaled) / beta)


@op(name=_NAME + "thresholded_relu", inplace=True, amp="thresholded_relu")
def thresholded_relu(x, threshold=1.0, value=0.0, name=None):
    """`x` where it exceeds `threshold`, else `value`."""
    return jnp.where(_floating(x) > threshold, x, jnp.asarray(value, x.dtype))


def _channel_axis(x: Any, data_format: str) -> int:
    known = ("NC", "NCL", "NCHW", "NCDHW", "NLC", "NHWC", "NDHWC")
    if data_format not in known:
        raise ValueError(f"data_format must be one of {', '.join(known)}, but got {data_format!r}.")
    return 1 if data_format[1] == "C" else x.ndim - 1


@op(name=_NAME + "prelu", amp="prelu")
def prelu(x, weight, data_format="NCHW", name=None):
    """``x`` where it is positive, else ``weight * x``: one weight of shape [1] for all, or one per channel, [C]."""
    if weight.ndim > 1:
        raise ValueError(f"weight must have the shape [1] or [number of channels], but got {list(weight.shape)}.")
    if weight.size != 1:
        axis = _channel_axis(x, data_format)
        if x.ndim < 2 or weight.shape[0] != x.shape[axis]:
            raise ValueError(f"weight has {weight.shape[0]} elements, but x of shape {list(x.shape)} ({data_format}) "
                             f"has {x.shape[axis] if x.ndim > axis else 'no'} channels.")
        weight = weight.reshape([-1 if i == axis else 1 for i in range(x.ndim)])
    else:
        weight = weight.reshape(())
    return jnp.where(_floating(x) > 0, x, (weight * x).astype(x.dtype))


@op(name=_NAME + "rrelu_train", random=True, amp="rrelu")
def _rrelu(key, x, lower, upper):
    slope = jax.random.uniform(key, x.shape, jnp.float32, lower, upper).astype(x.dtype)
    return jnp.where(x >= 0, x, slope * x)


@staged
def rrelu(x, lower=1.0 / 8.0, upper=1.0 / 3.0, training=True, name=None):
    """A leaky ReLU whose slope is drawn from U(lower, upper) per element, their mean in evaluation (Xu et al. 2015)."""
    if not 0 <= lower <= upper <= 1:
        raise ValueError(f"lower and upper must satisfy 0 <= lower <= upper <= 1, but got {lower} and {upper}.")
    return _rrelu(x, float(lower), float(upper)) if training else leaky_relu(x, (lower + upper) / 2.0)


@op(name=_NAME + "maxout", amp="maxout")
def maxout(x, groups, axis=1, name=None):
    """The maximum of each `groups` neighbouring channels: C of `axis` becomes C / groups (Goodfellow et al. 2013)."""
    if axis not in (1, -1, 3):
        raise ValueError(f"axis must be 1, 3 or -1, but got {axis}.")
    axis = axis % x.ndim
    if x.shape[axis] % groups:
        raise ValueError(f"The {x.shape[axis]} channels cannot be split in groups of {groups}.")
    shape = (*x.shape[:axis], x.shape[axis] // groups, groups, *x.shape[axis + 1:])
    return jnp.max(x.reshape(shape), axis=axis + 1)


@op(name=_NAME + "glu", amp="glu")
def glu(x, axis=-1, name=None):
    """``a * sigmoid(b)`` for the two halves a, b of `x` along `axis`, whose size must be even (Dauphin et al. 2016)."""
    if x.shape[_axis(x, axis)] % 2:
        raise ValueError(f"The size of axis {axis} must be even, but the shape is {list(x.shape)}.")
    return jax.nn.glu(_floating(x), axis)


@op(name=_NAME + "swiglu", amp="swiglu")
def swiglu(x, y=None, name=None):
    """``silu(x) * y``; without `y`, x and y are the two halves of `x` along its last axis (Shazeer 2020)."""
    if y is None:
        if x.shape[-1] % 2:
            raise ValueError(f"Without y, the last axis must be even, but the shape is {list(x.shape)}.")
        x, y = jnp.split(x, 2, axis=-1)
    return jax.nn.silu(x) * y


@op(name=_NAME + "gumbel_softmax", random=True, amp="gumbel_softmax")
def gumbel_softmax(key, x, temperature=1.0, hard=False, axis=-1, name=None):
    """A sample of the Gumbel-softmax distribution of the logits `x` along `axis` (Jang et al. 2016).

    hard: the result is one-hot, with the gradient of the soft sample.
    """
    soft = jax.nn.softmax((_floating(x) + jax.random.gumbel(key, x.shape, x.dtype)) / temperature, axis=_axis(x, axis))
    if not hard or x.shape[axis] == 0:
        return soft
    chosen = jax.nn.one_hot(jnp.argmax(soft, axis), x.shape[axis], dtype=x.dtype, axis=axis)
    return chosen + (soft - lax.stop_gradient(soft))            # what is added is exactly 0


relu_, softmax_, elu_, leaky_relu_ = relu.inplace, softmax.inplace, elu.inplace, leaky_relu.inplace
hardtanh_, thresholded_relu_, tanh_ = hardtanh.inplace, thresholded_relu.inplace, tanh.inplace

__all__ = [
    "celu", "elu", "elu_", "gelu", "glu", "gumbel_softmax", "hardshrink", "hardsigmoid", "hardswish", "hardtanh",
    "hardtanh_", "leaky_relu", "leaky_relu_", "log_sigmoid", "log_softmax", "logsigmoid", "maxout", "mish", "prelu",
    "relu", "relu6", "relu_", "rrelu", "selu", "sigmoid", "silu", "softmax", "softmax_", "softplus", "softshrink",
    "softsign", "swiglu", "swish", "tanh", "tanh_", "tanhshrink", "thresholded_relu", "thresholded_relu_",
]
