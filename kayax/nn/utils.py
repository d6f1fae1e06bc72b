"""``paddle.nn.utils``: weights computed from other parameters, parameters as one vector, clipping of gradients."""
from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from kayax.bridge.autograd import no_grad
from kayax.bridge.journal import touch
from kayax.bridge.ops import reparametrize
from kayax.bridge.parameter import Parameter
from kayax.bridge.places import Attribute
from kayax.bridge.staging import staged, suspended
from kayax.bridge.state import state
from kayax.bridge.tensor import Tensor, wrap
from kayax.layers import ops
from kayax.layers.layer import Layer


class _Derived:
    """A forward pre-hook that computes a parameter from others, and holds it as a plain attribute."""

    kind = ""

    def __init__(self, name: str):
        self.name = name

    def compute(self, layer: Layer) -> Tensor:
        raise NotImplementedError

    def __call__(self, layer: Layer, inputs: Any = None) -> None:
        touch(Attribute(layer, self.name))          # the weight that a program computes is left here after each call
        layer.__dict__[self.name] = self.compute(layer)


def _find(layer: Layer, kind: type[_Derived], name: str) -> tuple[Any, _Derived] | None:
    hooks = {} if layer._hooks is None else layer._hooks.before
    for key, (hook, *_) in hooks.items():
        if isinstance(hook, kind) and hook.name == name:
            return key, hook
    return None


def _start(layer: Layer, hook: _Derived) -> Parameter:
    """The parameter that `hook` will compute, checked."""
    if not isinstance(layer, Layer):
        raise TypeError(f"{hook.kind} needs a Layer, but got {type(layer).__name__}.")
    if _find(layer, type(hook), hook.name):
        raise RuntimeError(f"{hook.kind} is on the parameter {hook.name!r} of {type(layer).__name__} already.")
    parameter = layer._parameters.get(hook.name)
    if parameter is None:
        raise KeyError(f"{type(layer).__name__} has no parameter {hook.name!r}; it has {list(layer._parameters)}.")
    return parameter


def _parameter_like(layer: Layer, value: Tensor, held: Parameter) -> Parameter:
    new = layer.create_parameter(list(value.shape), dtype=value.dtype)
    assert new is not None
    new.storage.array = value.storage.array
    new.stop_gradient = held.stop_gradient
    return new


class WeightNorm(_Derived):
    """The hook of `weight_norm`: ``g * v / |v|``."""

    kind = "weight_norm"

    def __init__(self, name: str, dim: int | None):
        super().__init__(name)
        self.dim = dim

    def compute(self, layer: Layer) -> Tensor:
        return reparametrize.weight_norm(getattr(layer, self.name + "_v"), getattr(layer, self.name + "_g"), self.dim)


def weight_norm(layer: Layer, name: str = "weight", dim: int | None = 0) -> Layer:
    """Replace a parameter by a direction and a length (Salimans and Kingma, 2016): ``name = g * v / |v|``.

    The parameters ``{name}_v`` and ``{name}_g`` take its place; it is computed from them before each forward.
    dim: there is one length for each index along this axis; one for all if None or -1. Gives the layer.
    """
    hook = WeightNorm(name, None)
    weight = _start(layer, hook)
    if dim is not None and not -weight.ndim <= dim < weight.ndim:
        raise ValueError(f"dim must be within [-{weight.ndim}, {weight.ndim}), or None, but got {dim}.")
    hook.dim = None if dim in (None, -1) else dim % weight.ndim
    del layer._parameters[name]
    with no_grad(), suspended():
        setattr(layer, name + "_v", _parameter_like(layer, weight, weight))
        setattr(layer, name + "_g", _parameter_like(layer, reparametrize.norm_except(weight, hook.dim), weight))
    with suspended():
        hook(layer)
    layer.register_forward_pre_hook(hook)
    return layer


def remove_weight_norm(layer: Layer, name: str = "weight") -> Layer:
    """Undo `weight_norm`: the parameter is there again, with the value it had last."""
    found = _find(layer, WeightNorm, name)
    if found is None:
        raise ValueError(f"There is no weight_norm on {name!r} of {type(layer).__name__}.")
    key, hook = found
    with no_grad(), suspended():
        weight = _parameter_like(layer, hook.compute(layer), getattr(layer, name + "_v"))
    del layer._hooks.before[key]            # type: ignore[union-attr]
    for part in ("_v", "_g"):
        delattr(layer, name + part)
    layer.__dict__.pop(name, None)
    setattr(layer, name, weight)
    return layer


class SpectralNorm(_Derived):
    """The hook of `spectral_norm`."""

    kind = "spectral_norm"

    def __init__(self, name: str, iterations: int, eps: float, dim: int):
        super().__init__(name)
        self.iterations, self.eps, self.dim = iterations, eps, dim

    def compute(self, layer: Layer) -> Tensor:
        weight = getattr(layer, self.name + "_orig")
        held = [getattr(layer, self.name + part) for part in ("_u", "_v")]
        return _normalized(weight, held, self.dim, self.iterations, self.eps, layer.training)


@staged
def _normalized(weight: Tensor, held: Sequence[Tensor], dim: int, iterations: int, eps: float,
                training: bool) -> Tensor:
    # What the gradient needs are these vectors, not the buffers, which the next forward changes.
    vectors = reparametrize.power_iteration(weight, *held, dim, iterations if training else 0, eps)
    if training:
        for buffer, new in zip(held, vectors, strict=True):
            buffer.storage.array = new.storage.array
    return reparametrize.spectral_norm(weight, *vectors, dim)


def spectral_norm(layer: Layer, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12,
                  dim: int | None = None) -> Layer:
    """Divide a parameter by its largest singular value before each forward (Miyato et al., 2018).

    The parameter becomes ``{name}_orig``; the buffers ``{name}_u`` and ``{name}_v`` hold the singular vectors, which
    get better by `n_power_iterations` in each forward of training. dim: the axis that counts as rows; None for 1 in
    linear and transposed convolution layers, 0 in others. Gives the layer.
    """
    if n_power_iterations <= 0:
        raise ValueError(f"n_power_iterations must be positive, but got {n_power_iterations}.")
    from kayax.layers.conv import _TransposedConv
    from kayax.layers.linear import Linear
    rows = (1 if isinstance(layer, (Linear, _TransposedConv)) else 0) if dim is None else dim
    hook = SpectralNorm(name, n_power_iterations, eps, rows)
    weight = _start(layer, hook)
    hook.dim = rows % weight.ndim
    count = weight.shape[hook.dim]
    del layer._parameters[name]
    setattr(layer, name + "_orig", weight)
    for part, size in (("_u", count), ("_v", math.prod(weight.shape) // count)):
        with suspended():
            vector = ops.randn([size], dtype=weight.dtype).storage.array
        layer.register_buffer(name + part, wrap(vector / jnp.maximum(jnp.linalg.norm(vector), eps)))
    layer.register_forward_pre_hook(hook)
    with suspended():
        hook(layer)
    return layer


def parameters_to_vector(parameters: Iterable[Tensor], name: str | None = None) -> Tensor:
    """All parameters, flattened, in one vector."""
    return ops.concat([ops.reshape(p, [-1]) for p in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor], name: str | None = None) -> None:
    """Copy a vector's parts into the parameters, in place."""
    held = list(parameters)
    total = sum(math.prod(p.shape) for p in held)
    if vec.shape[0] < total:
        raise ValueError(f"The parameters have {total} elements, but the vector only {vec.shape[0]}.")
    array, start = vec.storage.array, 0
    for p in held:
        size = math.prod(p.shape)
        p.storage.array = array[start:start + size].reshape(tuple(p.shape)).astype(p.dtype.numpy)
        start += size


def _gradients(parameters: Any) -> list[Tensor]:
    given = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    return [grad for grad in (p.grad for p in given) if grad is not None]


def clip_grad_norm_(parameters: Iterable[Tensor] | Tensor, max_norm: float, norm_type: float = 2.0,
                    error_if_nonfinite: bool = False) -> Tensor:
    """Scale all gradients by one number so that their common norm is at most `max_norm`; gives the norm before.

    norm_type: 0, 1, 2 or inf. error_if_nonfinite: a norm that is nan or infinite is an error (not while converting).
    """
    norm_type, held = float(norm_type), _gradients(parameters)
    if norm_type not in (0.0, 1.0, 2.0, math.inf):
        raise ValueError(f"norm_type must be 0, 1, 2 or inf, but got {norm_type}.")
    if not held:
        return wrap(jnp.zeros((), jnp.float32))
    grads = [grad.storage.array for grad in held]
    norms = jnp.stack([jnp.linalg.norm(g.ravel(), norm_type).astype(jnp.float32) for g in grads])
    total = jnp.linalg.norm(norms, norm_type)
    if error_if_nonfinite:
        if state.trace is not None:
            raise RuntimeError("clip_grad_norm_ with error_if_nonfinite=True cannot be converted: the norm is only "
                               "known when the program runs. Leave the check out.")
        if not np.isfinite(float(total)):
            raise RuntimeError(f"The norm of order {norm_type} of the gradients is {float(total)}: it cannot be "
                               "clipped. Pass error_if_nonfinite=False to scale by it all the same.")
    factor = jnp.minimum(max_norm / (total + 1e-6), 1.0)
    for grad, g in zip(held, grads, strict=True):
        grad.storage.array = g * factor.astype(g.dtype)
    return wrap(total)


def clip_grad_value_(parameters: Iterable[Tensor] | Tensor, clip_value: float) -> None:
    """Clip every element of the gradients to ``[-clip_value, clip_value]``, in place."""
    limit = float(clip_value)
    for grad in _gradients(parameters):
        grad.storage.array = jnp.clip(grad.storage.array, -limit, limit)


__all__ = ["clip_grad_norm_", "clip_grad_value_", "parameters_to_vector", "remove_weight_norm", "spectral_norm",
           "vector_to_parameters", "weight_norm"]
