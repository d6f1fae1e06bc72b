"""The base of all distributions."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Number
from typing import Any

import jax.numpy as jnp
import numpy as np

from kayax.bridge.autograd import grad, no_grad
from kayax.bridge.open_sizes import common_shape
from kayax.bridge.tensor import Tensor, wrap
from kayax.layers import ops
from kayax.spec.dtype import default


class Distribution:
    """A distribution over Tensors.

    A draw has the shape ``sample shape + batch_shape + event_shape``: independent draws, then differently parametrized
    ones, then what one draw is.
    """

    holds_settings = True

    def __init__(self, batch_shape: Sequence[int] = (), event_shape: Sequence[int] = ()):
        self._batch_shape, self._event_shape = tuple(batch_shape), tuple(event_shape)

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """The shape of the differently parametrized distributions that this is."""
        return self._batch_shape

    @property
    def event_shape(self) -> tuple[int, ...]:
        """The shape of one draw from one of them."""
        return self._event_shape

    @property
    def mean(self) -> Tensor:
        """The mean."""
        raise self._lacks("mean")

    @property
    def variance(self) -> Tensor:
        """The variance."""
        raise self._lacks("variance")

    def sample(self, shape: Sequence[int] = ()) -> Tensor:
        """Draws without a gradient; `shape` is the sample shape."""
        with no_grad():
            return self._draw(self._extend_shape(shape))

    def rsample(self, shape: Sequence[int] = ()) -> Tensor:
        """Draws that are differentiable functions of the parameters."""
        raise self._lacks("rsample")

    def _draw(self, shape: tuple[int, ...]) -> Tensor:
        raise self._lacks("sample")

    def entropy(self) -> Tensor:
        """The entropy, in nats."""
        raise self._lacks("entropy")

    def kl_divergence(self, other: Distribution) -> Tensor:
        """The Kullback-Leibler divergence KL(self, other)."""
        raise self._lacks("kl_divergence")

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density or probability at `value`."""
        raise self._lacks("log_prob")

    def prob(self, value: Tensor) -> Tensor:
        """The density or probability at `value`."""
        return ops.exp(self.log_prob(value))

    def probs(self, value: Tensor) -> Tensor:
        """The density or probability at `value`."""
        raise self._lacks("probs")

    def _lacks(self, what: str) -> NotImplementedError:
        return NotImplementedError(f"{type(self).__name__} has no {what}.")

    def _extend_shape(self, sample_shape: Any) -> tuple[int, ...]:
        if isinstance(sample_shape, Tensor):
            sample_shape = sample_shape.tolist()
        if isinstance(sample_shape, str) or not isinstance(sample_shape, Iterable):
            raise TypeError(f"A sample shape must be a list or tuple of ints, but got {sample_shape!r}.")
        return tuple(int(n) for n in sample_shape) + self._batch_shape + self._event_shape

    def _same_kind(self, other: Any) -> None:
        if not isinstance(other, type(self)):
            raise TypeError(f"The divergence of a {type(self).__name__} is from another one, but got "
                            f"{type(other).__name__}.")


class Reparametrized(Distribution):
    """A distribution whose draws are differentiable functions of the parameters."""

    def rsample(self, shape: Sequence[int] = ()) -> Tensor:
        """Draws that are differentiable functions of the parameters."""
        return self._draw(self._extend_shape(shape))


class ExponentialFamily(Distribution):
    """The base of exponential families: the entropy follows from the log-normalizer (Nielsen and Nock, 2010).

    A subclass defines `_natural_parameters`, ``_log_normalizer(*natural parameters)`` and `_mean_carrier_measure`.
    """

    @property
    def _natural_parameters(self) -> tuple[Tensor, ...]:
        raise self._lacks("_natural_parameters")

    def _log_normalizer(self, *natural: Tensor) -> Tensor:
        raise self._lacks("_log_normalizer")

    @property
    def _mean_carrier_measure(self) -> Any:
        raise self._lacks("_mean_carrier_measure")

    def entropy(self) -> Tensor:
        """The entropy, in nats."""
        natural = leaves(self._natural_parameters)
        normalizer = self._log_normalizer(*natural)
        gradients = grad(ops.sum(normalizer), natural, create_graph=True)
        entropy = normalizer - self._mean_carrier_measure
        for parameter, gradient in zip(natural, gradients, strict=True):
            entropy = entropy - parameter * gradient
        return entropy


def leaves(tensors: Iterable[Tensor]) -> list[Tensor]:
    """Copies that a gradient can be taken of."""
    found = [t.detach() for t in tensors]
    for t in found:
        t.stop_gradient = False
    return found


def parameters(*values: Any, shape: tuple[int, ...] = ()) -> list[Tensor]:
    """Numbers, lists, arrays and Tensors as Tensors of a floating dtype; a number as one of this shape.

    Floating arrays keep their dtype, lists get the default one, numbers that of the first Tensor or array.
    """
    found = next((v for v in values if isinstance(v, (Tensor, np.ndarray)) and _floats(v)), None)
    dtype = default().numpy if found is None else found.dtype if isinstance(found, np.ndarray) else found.dtype.numpy
    return [_parameter(v, dtype, shape) for v in values]


def _floats(value: Any) -> bool:
    dtype = value.dtype.numpy if isinstance(value, Tensor) else value.dtype
    return dtype.kind in "fcV"


def _parameter(value: Any, dtype: np.dtype, shape: tuple[int, ...]) -> Tensor:
    if isinstance(value, Tensor):
        return value if _floats(value) else ops.cast(value, dtype.name)
    if isinstance(value, np.ndarray):
        return wrap(jnp.asarray(value if _floats(value) else value.astype(dtype)))
    if isinstance(value, (list, tuple)):
        array = np.asarray(value)
        return wrap(jnp.asarray(array, np.complex64 if array.dtype.kind == "c" else dtype))
    if isinstance(value, Number) and not isinstance(value, bool):
        return wrap(jnp.asarray(np.full(shape, value, np.complex64 if isinstance(value, complex) else dtype)))
    raise TypeError(f"A parameter must be a number, a list, an array or a Tensor, but got {type(value).__name__}.")


def common(*tensors: Tensor) -> list[Tensor]:
    """The tensors at the shape that they have together."""
    shape = common_shape(*(tuple(t.shape) for t in tensors))
    return [t if tuple(t.shape) == shape else ops.broadcast_to(t, list(shape)) for t in tensors]


def sum_rightmost(value: Any, n: int) -> Any:
    """The sum over the last `n` axes."""
    return ops.sum(value, list(range(-n, 0))) if n > 0 else value
