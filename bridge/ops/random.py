"""Random numbers, from the generator that `paddle.seed` seeds. The streams are JAX's, not Paddle's."""
from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kayax.bridge.errors import ArgumentError
from kayax.bridge.ops import order
from kayax.bridge.ops.creation import sizes, with_sizes
from kayax.bridge.ops.promotion import broadcastable, cast, complex_of, need, rank, real_of
from kayax.bridge.registry import attach, function, op
from kayax.bridge.rng import default_generator
from kayax.bridge.tensor import Tensor
from kayax.spec.dtype import convert, default, to_numpy

_DRAW: dict[str, Any] = {"random": True, "static": ("shape",), "differentiable": False}


def _floating(dtype: Any, ranks: tuple[int, ...] = (2,)) -> np.dtype:
    found = to_numpy(dtype)
    if rank(found) not in ranks:
        raise ArgumentError(f"dtype must be a floating type, but got {convert(found).name}.")
    return found


def _normal(key: Any, shape: tuple, dtype: np.dtype) -> Any:
    if dtype.name in ("float16", "bfloat16"):
        return cast(jax.random.normal(key, shape, np.float32), dtype)
    return jax.random.normal(key, shape, dtype)


def _uniform(key: Any, shape: tuple, dtype: np.dtype, low: Any, high: Any) -> Any:
    wide = np.dtype(np.float32) if dtype.itemsize < 4 else dtype
    return cast(low + jax.random.uniform(key, shape, wide) * (cast(high, wide) - low), dtype)


@with_sizes
@op(**_DRAW)
def rand(key, shape, dtype=None, name=None):
    """Numbers uniform in [0, 1)."""
    return _uniform(key, sizes(shape), _floating(dtype), np.float32(0), np.float32(1))


@with_sizes
@op(**_DRAW)
def randn(key, shape, dtype=None, name=None):
    """Numbers of the standard normal distribution; complex ones have variance 1 in all."""
    return _normal(key, sizes(shape), _floating(dtype, (2, 3)))


@with_sizes
@op(**_DRAW)
def standard_normal(key, shape, dtype=None, name=None):
    """Numbers of the standard normal distribution; complex ones have variance 1 in all."""
    return _normal(key, sizes(shape), _floating(dtype, (2, 3)))


@op(name="uniform", scalars=("min", "max"), **_DRAW)
def _draw_uniform(key, shape, dtype, min, max):
    dtype = _floating(dtype)
    wide = np.dtype(np.float32) if dtype.itemsize < 4 else dtype
    return _uniform(key, sizes(shape), dtype, cast(min, wide), cast(max, wide))


def uniform(shape: Any, dtype: Any = None, min: float = 0, max: float = 1.0, seed: int = 0,
            name: str | None = None) -> Tensor:
    """Numbers uniform in [min, max). A `seed` other than 0 gives the same numbers on every call."""
    with _seeded(seed):
        return _draw_uniform(shape, default() if dtype is None else dtype, min, max)


class _seeded:
    """Within it, another seed than 0 replaces the generator's state; afterwards the state is as before."""

    def __init__(self, seed: int):
        self.seed = seed

    def __enter__(self) -> None:
        if self.seed:
            from kayax.bridge import rng
            self.storage = rng.default_generator().storage
            self.kept = self.storage.array
            self.storage.array = rng.Generator().manual_seed(self.seed).storage.array

    def __exit__(self, *exc: Any) -> None:
        if self.seed:
            self.storage.array = self.kept


@op(name="normal", random=True, static=("shape",), scalars=("mean", "std"))
def _draw_normal(key, mean, std, shape, dtype):
    dtype = to_numpy(dtype)
    return cast(mean, dtype) + cast(std, dtype) * _normal(key, sizes(shape), dtype)


def _spread(mean: Any, std: Any, shape: Any) -> tuple[Any, Any]:
    """The shape and the dtype of normal(mean, std, shape): a Tensor's, or those that are asked for."""
    tensors = [t for t in (mean, std) if isinstance(t, Tensor)]
    if not tensors:
        complexes = isinstance(mean, complex)
        return [1] if shape is None else shape, complex_of(default().numpy) if complexes else default()
    broadcastable(*(t.array for t in tensors))
    return list(jnp.broadcast_shapes(*(tuple(t.shape) for t in tensors))), tensors[0].dtype


def normal(mean: Any = 0.0, std: Any = 1.0, shape: Any = None, name: str | None = None) -> Tensor:
    """Numbers of the normal distribution. mean, std: numbers, with `shape`; or Tensors, which give shape and dtype."""
    if isinstance(std, (int, float)) and std < 0:
        raise ValueError(f"std must not be negative, but got {std}.")
    return _draw_normal(mean, std, *_spread(mean, std, shape))


def gaussian(shape: Any, mean: Any = 0.0, std: float = 1.0, seed: int = 0, dtype: Any = None,
             name: str | None = None) -> Tensor:
    """Numbers of the normal distribution with that mean and standard deviation."""
    with _seeded(seed):
        return _draw_normal(mean, std, shape, default() if dtype is None else convert(dtype))


def log_normal(mean: Any = 1.0, std: Any = 2.0, shape: Any = None, name: str | None = None) -> Tensor:
    """Numbers whose logarithm has the normal distribution with this mean and standard deviation."""
    from kayax.bridge.ops.math import exp
    return exp(normal(mean, std, shape))


@op(name="randint", scalars=("low", "high"), **_DRAW)
def _draw_integers(key, low, high, shape, dtype):
    dtype = to_numpy(dtype)
    drawn = jax.random.randint(key, sizes(shape), low, high, np.int64)
    return cast(drawn, dtype)


def _bounds(low: Any, high: Any) -> tuple[int, int]:
    low, high = (0, low) if high is None else (low, high)
    low, high = (int(v) for v in (low, high))
    if low >= high:
        raise ValueError(f"low must be less than high, but got low={low} and high={high}.")
    return low, high


def randint(low: int = 0, high: int | None = None, shape: Any = (1,), dtype: Any = None,
            name: str | None = None) -> Tensor:
    """Integers uniform in [low, high), or in [0, low) if `high` is None. dtype: int64 (if None) or int32."""
    dtype = convert("int64" if dtype is None else dtype)
    if not dtype.is_integer:
        raise ArgumentError(f"dtype must be int32 or int64, but got {dtype.name}.")
    return _draw_integers(*_bounds(low, high), shape, dtype)


def randint_like(x: Tensor, low: int = 0, high: int | None = None, dtype: Any = None,
                 name: str | None = None) -> Tensor:
    """Integers uniform in [low, high) in the shape of `x`, in its dtype unless another is given."""
    return _draw_integers(*_bounds(low, high), x.shape, x.dtype if dtype is None else convert(dtype))


def rand_like(input: Tensor, name: str | None = None, *, dtype: Any = None, device: Any = None,
              requires_grad: bool = False) -> Tensor:
    """Numbers uniform in [0, 1) in the shape of `input`, in its dtype unless another is given."""
    return rand(input.shape, input.dtype if dtype is None else dtype, requires_grad=requires_grad)


def randn_like(x: Tensor, dtype: Any = None, name: str | None = None, *, device: Any = None,
               requires_grad: bool = False) -> Tensor:
    """Numbers of the standard normal distribution in the shape of `x`, in its dtype unless another is given."""
    return randn(x.shape, x.dtype if dtype is None else dtype, requires_grad=requires_grad)


@op(random=True, static=("n",), differentiable=False)
def randperm(key, n, dtype="int64", name=None):
    """The integers from 0 to n - 1 in random order."""
    if isinstance(n, int) and n < 0:
        raise ValueError(f"n must not be negative, but got {n}.")
    return cast(order.permutation(key, n), to_numpy(dtype))


@op(random=True)
def bernoulli(key, x, p=None, name=None):
    """0 or 1 for each element: 1 with probability `x`, or `p` if that is given. The dtype is that of `x`."""
    need(x, "x", (2,), "a floating Tensor of probabilities")
    p = x if p is None else jnp.asarray(p, np.float32)
    return cast(jax.random.bernoulli(key, p, x.shape), x.dtype) + jnp.zeros_like(x)


@op(random=True, differentiable=False)
def binomial(key, count, prob, name=None):
    """The number of successes of `count` trials with the probability `prob`, elementwise, as int64."""
    shape = jnp.broadcast_shapes(count.shape, prob.shape)
    drawn = jax.random.binomial(key, cast(count, np.float64), cast(prob, np.float64), shape, np.float64)
    return cast(drawn, np.int64)


@op(random=True, differentiable=False)
def poisson(key, x, name=None):
    """Numbers of the Poisson distribution with the rates `x`, elementwise."""
    need(x, "x", (2,), "a floating Tensor")
    return cast(jax.random.poisson(key, x), x.dtype)


@op(random=True, differentiable=False)
def standard_gamma(key, x, name=None):
    """Numbers of the gamma distribution with the shape parameters `x` and scale 1, elementwise."""
    need(x, "x", (2,), "a floating Tensor")
    return jax.random.gamma(key, x, x.shape, x.dtype)


@op(method=True, random=True, differentiable=False)
def multinomial(key, x, num_samples=1, replacement=False, name=None):
    """Indices drawn with probabilities proportional to `x`, shape (..., categories) -> (..., num_samples), as int64.

    Without `replacement` an index is drawn once at most, so `num_samples` cannot exceed the number of categories.
    """
    need(x, "x", (2,), "a floating Tensor of probabilities")
    if x.ndim not in (1, 2):
        raise ValueError(f"x must have 1 or 2 dimensions, but has shape {list(x.shape)}.")
    if not replacement and num_samples > x.shape[-1]:
        raise ValueError(f"Without replacement num_samples must be at most the number of categories, {x.shape[-1]}, "
                         f"but got {num_samples}.")
    logits = jnp.log(x)
    if replacement:
        drawn = jax.random.categorical(key, logits[..., None, :], shape=(*x.shape[:-1], num_samples))
    else:
        noisy = logits + jax.random.gumbel(key, x.shape, x.dtype)
        drawn = jax.lax.top_k(noisy, num_samples)[1]
    return cast(drawn, np.int64)


def _in_place(name: str, body: Any) -> Any:
    """A method that fills its Tensor with random numbers; the old value has no part in the gradient."""
    draw = op(body, name=name, random=True, differentiable=False)

    def fill(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return x._rebind(draw(x, *args, **kwargs))

    fill.__name__ = fill.__qualname__ = name
    fill.__doc__ = body.__doc__
    fill.__signature__ = draw.__signature__          # type: ignore[attr-defined]
    attach(name, fill)
    return fill


def _uniform_(key, x, min=0, max=1.0, seed=0, name=None):
    """Fill `x` with numbers uniform in [min, max)."""
    wide = np.dtype(np.float32) if x.dtype.itemsize < 4 else x.dtype
    return _uniform(key, x.shape, x.dtype, np.asarray(min, wide), np.asarray(max, wide))


def _normal_(key, x, mean=0.0, std=1.0, name=None):
    """Fill `x` with numbers of the normal distribution."""
    return cast(mean + std * _normal(key, x.shape, x.dtype), x.dtype)


def _log_normal_(key, x, mean=1.0, std=2.0, name=None):
    """Fill `x` with numbers whose logarithm has the normal distribution."""
    return cast(jnp.exp(mean + std * _normal(key, x.shape, x.dtype)), x.dtype)


def _exponential_(key, x, lam=1.0, name=None):
    """Fill `x` with numbers of the exponential distribution with the rate `lam`."""
    return cast(jax.random.exponential(key, x.shape, np.float32 if x.dtype.itemsize < 4 else x.dtype) / lam, x.dtype)


def _bernoulli_(key, x, p=0.5, name=None):
    """Fill `x` with 0 and 1: 1 with probability `p`, a number or a Tensor."""
    return cast(jax.random.bernoulli(key, p, x.shape), x.dtype)


def _cauchy_(key, x, loc=0, scale=1, name=None):
    """Fill `x` with numbers of the Cauchy distribution."""
    return cast(loc + scale * jax.random.cauchy(key, x.shape, real_of(x.dtype)), x.dtype)


def _geometric_(key, x, probs, name=None):
    """Fill `x` with the continuous geometric numbers ``log(u) / log(1 - probs)``, u uniform in (0, 1)."""
    u = jax.random.uniform(key, x.shape, x.dtype, minval=jnp.finfo(x.dtype).tiny)
    return cast(jnp.log(u) / jnp.log1p(-jnp.asarray(probs, x.dtype)), x.dtype)


uniform_ = _in_place("uniform_", _uniform_)
normal_ = _in_place("normal_", _normal_)
log_normal_ = _in_place("log_normal_", _log_normal_)
exponential_ = _in_place("exponential_", _exponential_)
bernoulli_ = _in_place("bernoulli_", _bernoulli_)
cauchy_ = _in_place("cauchy_", _cauchy_)
geometric_ = _in_place("geometric_", _geometric_)


@op(name="random_", random=True, differentiable=False, scalars=("low", "high"))
def _draw_range(key, x, low, high):
    return cast(jax.random.randint(key, x.shape, low, high, np.int64), x.dtype)


@function(method="random_")
def random_(x: Tensor, from_: int = 0, to: int | None = None, *, generator: Any = None) -> Tensor:
    """Fill `x` with integers uniform in [from_, to), or up to the greatest that its dtype holds if `to` is None.

    generator: None; all random numbers come from the one generator that `paddle.seed` seeds.
    """
    if generator is not None and generator is not default_generator():
        raise ValueError("random_ draws from the default generator alone (paddle.seed): leave generator out.")
    if to is None:
        dtype = x.dtype
        to = int(np.iinfo(dtype.numpy).max) if dtype.is_integer else 2 ** (jnp.finfo(dtype.numpy).nmant + 1)
    return x._rebind(_draw_range(x, *_bounds(from_, to)))


__all__ = [
    "bernoulli", "bernoulli_", "binomial", "cauchy_", "geometric_", "log_normal", "log_normal_", "multinomial",
    "normal", "normal_", "poisson", "rand", "rand_like", "randint", "randint_like", "randn", "randn_like",
    "randperm", "standard_gamma", "standard_normal", "uniform",
]
