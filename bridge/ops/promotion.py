"""Paddle's rules for the dtype of a result: which types two operands meet in, and when integers become floats.

Two Tensors meet in a common type only if both are floating or one is complex; anything else needs a cast. A Python
number takes the Tensor's type, unless it is of a higher kind: then it gives int64, float32, or complex64 or 128. A 0-D
Tensor yields to the other operand in the same way.
"""
from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from kayax.bridge.errors import ArgumentError
from kayax.spec.dtype import convert

FLOAT = np.dtype("float32")           # what integers become, whatever the default dtype is
_PYTHON = (bool, int, float, complex)
_RANK = {"b": 0, "i": 1, "u": 1, "f": 2, "V": 2, "c": 3}         # the kind of bfloat16 is V


def rank(dtype: Any) -> int:
    """0 for bool, 1 for integers, 2 for floating, 3 for complex types."""
    found = _RANK.get(np.dtype(dtype).kind)
    if found is None:
        raise ArgumentError(f"Operations take numbers and Tensors, but got a value of NumPy's dtype {np.dtype(dtype)}.")
    return found


def is_number(x: Any) -> bool:
    """Whether `x` came from a Python number: it is one, or a weakly typed array."""
    return isinstance(x, _PYTHON) or bool(jax.typeof(x).weak_type)


def _rank_of(x: Any) -> int:
    if isinstance(x, _PYTHON):                  # bool is an int, and so is an IntEnum
        return next(i for i, kind in enumerate(_PYTHON) if isinstance(x, kind))
    return rank(x.dtype)


def complex_of(dtype: Any) -> np.dtype:
    """The complex type of the same precision."""
    return np.dtype("complex128" if np.dtype(dtype).name in ("float64", "complex128") else "complex64")


def real_of(dtype: Any) -> np.dtype:
    """The floating type of a complex type's parts; any other type itself."""
    own = np.dtype(dtype)
    parts: dict[str, np.dtype] = {"complex64": np.dtype("float32"), "complex128": np.dtype("float64")}
    return parts.get(own.name, own)


def with_number(dtype: Any, number_rank: int) -> np.dtype:
    """The type of a Tensor of `dtype` combined with a Python number of that rank."""
    dtype = np.dtype(dtype)
    if number_rank <= rank(dtype):
        return dtype
    if number_rank == 1:
        return np.dtype("int64")
    return FLOAT if number_rank == 2 else complex_of(dtype)


def common(a: Any, b: Any) -> np.dtype:
    """The type two Tensors meet in; an ArgumentError for a pair that Paddle does not combine."""
    a, b = np.dtype(a), np.dtype(b)
    if a == b:
        return a
    ranks = rank(a), rank(b)
    if max(ranks) == 3:
        wide = "float64" in (a.name, b.name) or "complex128" in (a.name, b.name)
        return np.dtype("complex128" if wide else "complex64")
    if ranks == (2, 2):
        return np.dtype("float64" if "float64" in (a.name, b.name) else "float32")
    raise ArgumentError(f"Tensors of {convert(a).name} and {convert(b).name} do not combine: only floating and complex "
                    "types are promoted to each other. Cast one of them with .astype().")


def with_scalar(dtype: Any, scalar: Any) -> np.dtype:
    """The type of a Tensor of `dtype` combined with a 0-D Tensor of the type `scalar`, which yields within its kind."""
    dtype, scalar = np.dtype(dtype), np.dtype(scalar)
    if rank(scalar) <= rank(dtype) and (dtype.name, scalar.name) != ("complex64", "float64"):
        return dtype
    return common(dtype, scalar) if 3 in (rank(scalar), rank(dtype)) else scalar


def result_type(x: Any, y: Any) -> np.dtype:
    """The type that the operands of a binary operation meet in."""
    numbers = is_number(x), is_number(y)
    if numbers == (False, True):
        return with_number(x.dtype, _rank_of(y))
    if numbers == (True, False):
        return with_number(y.dtype, _rank_of(x))
    if numbers == (True, True):
        return with_number(np.bool_, max(_rank_of(x), _rank_of(y)))
    if x.ndim and not y.ndim:
        return with_scalar(x.dtype, y.dtype)
    if y.ndim and not x.ndim:
        return with_scalar(y.dtype, x.dtype)
    if not x.ndim and rank(x.dtype) != rank(y.dtype):
        return with_scalar(*sorted((x.dtype, y.dtype), key=rank))
    return common(x.dtype, y.dtype)


def magnitude(x: Any) -> Any:
    """The absolute value, with the gradient 0 at 0; JAX's is 1 there."""
    return jnp.abs(x if rank(x.dtype) != 2 else jnp.where(x == 0, 0, x))


def broadcastable(*arrays: Any) -> None:
    """A ValueError if the shapes do not broadcast."""
    shapes = [jnp.shape(a) for a in arrays]
    if any(s != shapes[0] for s in shapes):
        try:
            jnp.broadcast_shapes(*shapes)
        except ValueError:
            listed = " and ".join(str(list(s)) for s in shapes)
            raise ValueError(f"The shapes {listed} do not broadcast: from the right, two sizes must be equal or "
                             "one of them 1.") from None


def cast(x: Any, dtype: Any) -> Any:
    """`x` strongly typed as `dtype`; a complex number loses its imaginary part on the way to a real one."""
    if jnp.iscomplexobj(x) and np.dtype(dtype).kind not in "cb":
        x = jnp.real(x)
    return lax.convert_element_type(x, np.dtype(dtype))


def _sized(x: Any) -> Any:
    """An open dim of a shape as the number that it will be."""
    return x if isinstance(x, _PYTHON) or hasattr(x, "dtype") else jnp.asarray(x)


def unify(x: Any, y: Any) -> tuple[Any, Any]:
    """Both operands in the type they meet in, after a check that they broadcast.

    Numbers that a program computes (weakly typed arrays) stay numbers among themselves.
    """
    x, y = _sized(x), _sized(y)
    if (isinstance(x, jax.Array) or isinstance(y, jax.Array)) and is_number(x) and is_number(y):
        return _as_numbers(x, y)
    dtype = result_type(x, y)
    broadcastable(x, y)
    return cast(x, dtype), cast(y, dtype)


def _as_numbers(x: Any, y: Any) -> tuple[Any, Any]:
    """Two numbers of a program in the higher of their kinds; bools count as integers."""
    unit = (1, 1, 1.0, 1j)[max(_rank_of(x), _rank_of(y))]
    return jnp.asarray(x * unit), jnp.asarray(y * unit)


def unify_float(x: Any, y: Any) -> tuple[Any, Any]:
    """As `unify`, and integers become float32."""
    x, y = unify(x, y)
    return to_float(x), to_float(y)


def to_float(x: Any) -> Any:
    """Integers and bools as float32; floating and complex arrays as they are."""
    if isinstance(x, _PYTHON):
        return cast(x, FLOAT if _rank_of(x) < 3 else complex_of(FLOAT))
    if jax.typeof(x).weak_type:
        return x if rank(x.dtype) >= 2 else x * 1.0
    return x if rank(x.dtype) >= 2 else cast(x, FLOAT)


def need(x: Any, name: str, ranks: tuple[int, ...], what: str) -> None:
    """An ArgumentError unless the array is of one of the kinds."""
    if rank(x.dtype) not in ranks:
        raise ArgumentError(f"`{name}` must be {what}, but got {convert(x.dtype).name}.")


def need_float(x: Any, name: str = "x") -> None:
    """An ArgumentError unless the array is floating or complex."""
    need(x, name, (2, 3), "a floating or complex Tensor")


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    """An `axis` argument (None, an int, or several) as distinct non-negative ints; None and () mean all axes.

    Without dimensions there are no axes, though 0 and -1 may be named.
    """
    if axis is None or axis == () or axis == []:
        return tuple(range(ndim))
    axes = (axis,) if isinstance(axis, (int, np.integer)) else tuple(axis)
    found = tuple(axis_of(a, ndim) for a in axes)
    if len(set(found)) != len(found):
        raise ValueError(f"axis={list(axes)} names an axis twice.")
    return found if ndim else ()


def axis_of(axis: Any, ndim: int, name: str = "axis") -> int:
    """One axis as a non-negative int; NumPy's AxisError (a ValueError and an IndexError) if it is out of range."""
    if not isinstance(axis, (int, np.integer)) or isinstance(axis, bool):
        raise TypeError(f"{name} must be an int, but got {axis!r}.")
    limit = max(ndim, 1)
    if not -limit <= axis < limit:
        raise np.exceptions.AxisError(
            f"{name} must be in [{-limit}, {limit}) for a Tensor with {ndim} dimensions, but got {axis}.")
    return int(axis) % limit
