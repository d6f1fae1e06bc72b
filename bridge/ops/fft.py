"""Discrete Fourier transforms: `paddle.fft`."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from kayax.bridge.open_sizes import need_known
from kayax.bridge.ops.promotion import cast, complex_of, need, rank
from kayax.bridge.registry import function, op
from kayax.bridge.tensor import Tensor, wrap
from kayax.spec.dtype import convert, default, to_numpy

_SWAPPED = {"backward": "forward", "forward": "backward", "ortho": "ortho"}


def _floating(x: Any, whole: str) -> Any:
    """Integers as the floating type `whole`, 16-bit types as float32: there is no transform of less."""
    if rank(x.dtype) < 2:
        return cast(x, to_numpy(whole))
    return cast(x, np.float32) if x.dtype.itemsize < 4 else x


def _complex(x: Any, whole: str) -> Any:
    x = _floating(x, whole)
    return cast(x, complex_of(x.dtype))


def _real(x: Any, whole: str) -> Any:
    need(x, "x", (0, 1, 2), "a real Tensor")
    return _floating(x, whole)


@op(name="fft_c2c")
def _c2c(x, s, axes, norm, forward, whole):
    x = _complex(x, whole)
    return (jnp.fft.fftn if forward else jnp.fft.ifftn)(x, s, axes, norm)


@op(name="fft_r2c")
def _r2c(x, s, axes, norm, forward, whole):
    x = _real(x, whole)
    return jnp.fft.rfftn(x, s, axes, norm) if forward else jnp.conj(jnp.fft.rfftn(x, s, axes, _SWAPPED[norm]))


@op(name="fft_c2r")
def _c2r(x, s, axes, norm, forward, whole):
    x = _complex(x, whole)
    return jnp.fft.irfftn(jnp.conj(x), s, axes, _SWAPPED[norm]) if forward else jnp.fft.irfftn(x, s, axes, norm)


def _check(x: Tensor, s: Any, axes: Any, norm: str) -> tuple[Any, tuple]:
    """The sizes (or None) and the axes of a transform of `x`, the last `len(s)` axes if none are named."""
    if norm not in _SWAPPED:
        raise ValueError(f'norm must be "backward", "ortho" or "forward", but got {norm!r}.')
    if s is not None:
        if not isinstance(s, Sequence) or not all(isinstance(n, int) and n > 0 for n in s):
            raise ValueError(f"The sizes of a transform must be positive ints, but got {s!r}.")
        s = tuple(s)
    if axes is None:
        axes = tuple(range(x.ndim if s is None else len(s)))
        axes = tuple(a - len(axes) for a in axes)
    if not isinstance(axes, Sequence) or not all(isinstance(a, int) and -x.ndim <= a < x.ndim for a in axes):
        raise ValueError(f"The axes of a transform of {x.ndim} dimensions must be ints in [{-x.ndim}, {x.ndim}), but "
                         f"got {axes!r}.")
    if s is not None and len(s) != len(axes):
        raise ValueError(f"There are {len(s)} sizes for {len(axes)} axes: {list(s)} for {list(axes)}.")
    for axis in axes if s is None else ():
        need_known(x, axis, "XLA transforms axes of known size alone.")
    return s, tuple(axes)


def _transform(name: str, call: Callable, forward: bool, says: str) -> dict[str, Callable]:
    """The transform over one axis, two axes and any axes."""
    def run(x: Tensor, s: Any, axes: Any, norm: str) -> Tensor:
        s, axes = _check(x, s, axes, norm)
        return call(x, s, axes, norm, forward, default().name)

    def one(x: Tensor, n: int | None = None, axis: int = -1, norm: str = "backward",
            name: str | None = None) -> Tensor:
        return run(x, None if n is None else (n,), (-1 if axis is None else axis,), norm)

    def two(x: Tensor, s: Any = None, axes: Any = (-2, -1), norm: str = "backward",
            name: str | None = None) -> Tensor:
        return run(x, s, axes, norm)

    def many(x: Tensor, s: Any = None, axes: Any = None, norm: str = "backward", name: str | None = None) -> Tensor:
        return run(x, s, axes, norm)

    made = {}
    for suffix, fn, where in (("", one, "along `axis`. `n`: its size there"),
                              ("2", two, "over two `axes`. `s`: its sizes there"),
                              ("n", many, "over `axes`, all or the last ones if None. `s`: its sizes there")):
        fn.__name__ = fn.__qualname__ = name + suffix
        fn.__doc__ = (f"{says} {where}, cut or filled up with zeros.\n\n    norm: which direction divides by the "
                      'number of points, "backward" or "forward", or "ortho" for its root in both.\n    ')
        made[fn.__name__] = function(fn, name=f"fft.{fn.__name__}")
    return made


_PUBLIC = {
    **_transform("fft", _c2c, True, "The discrete Fourier transform"),
    **_transform("ifft", _c2c, False, "The inverse discrete Fourier transform"),
    **_transform("rfft", _r2c, True, "The non-negative half of the Fourier transform of a real Tensor"),
    **_transform("irfft", _c2r, False, "The real inverse of `rfft`"),
    **_transform("hfft", _c2r, True, "The real Fourier transform of a Tensor that is Hermitian, given by its half,"),
    **_transform("ihfft", _r2c, False, "The inverse of `hfft`"),
}
globals().update(_PUBLIC)


def _frequencies(fn: Callable, n: int, d: float, dtype: Any) -> Tensor:
    if n * d == 0:
        raise ValueError(f"Neither n nor d may be 0, but got n={n} and d={d}.")
    wanted = convert(default() if dtype is None else dtype)
    return wrap(jnp.asarray(fn(n, d), np.float32 if wanted.is_integer else wanted.numpy))


@function(name="fft.fftfreq")
def fftfreq(n: int, d: float = 1.0, dtype: Any = None, name: str | None = None) -> Tensor:
    """The frequencies of the `n` values of `fft`, for samples at a distance of `d`."""
    return _frequencies(np.fft.fftfreq, n, d, dtype)


@function(name="fft.rfftfreq")
def rfftfreq(n: int, d: float = 1.0, dtype: Any = None, name: str | None = None) -> Tensor:
    """The frequencies of the values of `rfft`, for `n` samples at a distance of `d`."""
    return _frequencies(np.fft.rfftfreq, n, d, dtype)


@op(name="fft.fftshift")
def fftshift(x, axes=None, name=None):
    """`x` with the frequency 0 of `fft` moved to the middle of `axes`, of all if None."""
    return jnp.fft.fftshift(x, axes)


@op(name="fft.ifftshift")
def ifftshift(x, axes=None, name=None):
    """The inverse of `fftshift`."""
    return jnp.fft.ifftshift(x, axes)


FFT = [*_PUBLIC, "fftfreq", "fftshift", "ifftshift", "rfftfreq"]
