"""Special functions, elementwise: gamma and its relatives, and Bessel functions."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import nn
from jax.scipy import special

from kayax.bridge.keywords import put_out
from kayax.bridge.ops.promotion import axis_of, cast, need, to_float, unify_float
from kayax.bridge.registry import function, op
from kayax.bridge.tensor import Tensor
from kayax.spec.dtype import to_numpy


def _unary(name: str, fn: Callable, doc: str, inplace: bool = False) -> Any:
    def body(x, name=None):
        need(x, "x", (0, 1, 2), "a real Tensor")
        return fn(to_float(x))

    body.__name__ = body.__qualname__ = name
    body.__doc__ = doc + " Integers become float32."
    return op(body, method=True, inplace=inplace)


_LGAMMA = "The logarithm of the absolute value of the gamma function, elementwise."
lgamma = _unary("lgamma", special.gammaln, _LGAMMA, True)
gammaln = _unary("gammaln", special.gammaln, _LGAMMA, True)
digamma = _unary("digamma", lambda x: jnp.where(x == 0, -jnp.inf, special.digamma(x)),
                 "The derivative of `lgamma`, elementwise.", True)
i0 = _unary("i0", special.i0, "The modified Bessel function of the first kind and order 0, elementwise.", True)
i0e = _unary("i0e", special.i0e, "``exp(-abs(x)) * i0(x)``, elementwise.")
i1 = _unary("i1", special.i1, "The modified Bessel function of the first kind and order 1, elementwise.")
i1e = _unary("i1e", special.i1e, "``exp(-abs(x)) * i1(x)``, elementwise.")


@op(method=True, inplace=True)
def polygamma(x, n, name=None):
    """The n-th derivative of `digamma`, elementwise; n is an int of 0 or more."""
    if not isinstance(n, int):
        raise TypeError(f"n must be an int, but got {n!r}.")
    if n < 0:
        raise ValueError(f"n must not be negative, but got {n}.")
    x = to_float(x)
    return special.digamma(x) if n == 0 else cast(special.polygamma(n, x), x.dtype)


@op(method=True, inplace=True)
def multigammaln(x, p, name=None):
    """The logarithm of the multivariate gamma function of dimension `p`, elementwise, for ``x > (p - 1) / 2``."""
    x = to_float(x)
    if p < 1:
        raise ValueError(f"p must be 1 or more, but got {p}.")
    offsets = np.arange(p) / 2
    total = sum((special.gammaln(x - np.asarray(o, x.dtype)) for o in offsets), jnp.zeros_like(x))
    return total + np.asarray(p * (p - 1) / 4 * np.log(np.pi), x.dtype)


def _incomplete(name: str, fn: Callable, doc: str) -> Any:
    def body(x, y, name=None):
        x, y = unify_float(x, y)
        return fn(x, y)

    body.__name__ = body.__qualname__ = name
    body.__doc__ = doc
    return op(body, method=True, inplace=True)


gammainc = _incomplete("gammainc", special.gammainc,
                       "The regularized lower incomplete gamma function P(x, y), elementwise.")
gammaincc = _incomplete("gammaincc", special.gammaincc,
                        "The regularized upper incomplete gamma function Q(x, y), elementwise.")


@op(name="softmax")
def _softmax(input, dim, dtype):
    x = input if dtype is None else cast(input, to_numpy(dtype))
    axis = axis_of(dim, x.ndim, "dim")
    return nn.softmax(x, axis) if x.ndim else jnp.ones_like(x)


@function(method=True)
def softmax(input: Tensor, dim: int | None = None, dtype: Any = None, *, out: Tensor | None = None) -> Tensor:
    """``exp(input) / sum(exp(input))`` along `dim`, into `out` if given. With `dtype`, input is cast to it first.

    dim: None means 0 for Tensors of 0, 1 or 3 dimensions and 1 for any other. `nn.functional.softmax` is the one with
    `axis`.
    """
    if dim is None:
        dim = 0 if input.ndim in (0, 1, 3) else 1
    return put_out(_softmax(input, dim, dtype), out)


__all__ = [
    "digamma", "gammainc", "gammaincc", "gammaln", "i0", "i0e", "i1", "i1e", "lgamma", "multigammaln", "polygamma",
    "softmax",
]
